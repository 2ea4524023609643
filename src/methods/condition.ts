/** Whether f32 can be trusted with a solve: the small part of its solution in f64 that every solve needs. */
import type { Dense, Matrix } from '../data/matrix.js';
import { type DataMatrix, stored } from '../data/sparse.js';

/**
 * With G scaled to a unit diagonal, trace G⁻¹ lies between κ²/k and k κ² for the condition κ of A with columns of norm 1, and no support
 * has a larger one. Solving in f32 moves S by at most about 20 · 2⁻²⁴ of it, relative to a column's norm: 1e-3 at this bound. (Measured: the
 * largest of 300 problems of four kinds with 4 to 40 unknowns was 21.)
 */
export const trustedInF32 = 800;

/** A column whose KKT residual is above this has no solution yet. */
export const settledBelow = 1e-5;

/** The multiplications for the Gram matrices that columns with weights have, one each, and the most that take no more than a second. */
export const weightedWork = (W: Matrix, k: number): number => W.data.length * k * k;

/** The same of columns that see the stored entries of a sparse X alone. */
export const missingWork = (X: DataMatrix, k: number): number => stored(X).length * k * k;
export const affordable = 2 ** 28;

export function gramOf({ rows, cols: k, data }: Dense): Float64Array {
  const G = new Float64Array(k * k);
  for (let n = 0; n < rows; n++)
    for (let i = 0; i < k; i++) {
      const a = data[n * k + i];
      if (a !== 0) for (let j = 0; j <= i; j++) G[i * k + j] += a * data[n * k + j];
    }
  for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) G[j * k + i] = G[i * k + j];
  return G;
}

/** trace G⁻¹ of a Gram matrix (k×k) scaled to a unit diagonal, zero columns left out; infinite where it is not positive definite. */
export function inverseTrace(G: ArrayLike<number>, k: number): number {
  const used = Array.from({ length: k }, (_, j) => j).filter((j) => G[j * k + j] > 0);
  const p = used.length;
  const L = new Float64Array(p * p);
  const inverse = new Float64Array(p);
  for (let i = 0; i < p; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = G[used[i] * k + used[j]];
      for (let t = 0; t < j; t++) sum -= L[i * p + t] * L[j * p + t];
      if (i > j) L[i * p + j] = sum * inverse[j];
      else if (sum > 0) inverse[i] = 1 / Math.sqrt(sum);
      else return Number.POSITIVE_INFINITY;
    }
  }
  return sumOfInverse(L, inverse, p, p, (c) => G[used[c] * (k + 1)]);
}

/** Σ_c weight(c) (LLᵀ)⁻¹_cc from the columns of L⁻¹; L has rows of `stride` entries, and its diagonal inverted in `inverse`. */
export function sumOfInverse(L: Float64Array, inverse: Float64Array, p: number, stride: number, weight: (c: number) => number): number {
  const y = new Float64Array(p);
  let total = 0;
  for (let c = 0; c < p; c++) {
    let squares = 0;
    for (let i = c; i < p; i++) {
      let sum = i === c ? 1 : 0;
      for (let t = c; t < i; t++) sum -= L[i * stride + t] * y[t];
      y[i] = sum * inverse[i];
      squares += y[i] * y[i];
    }
    total += weight(c) * squares;
  }
  return total;
}
