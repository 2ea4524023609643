/** Least squares on supports, one column after another, from one f64 Gram matrix: Cholesky, its solves, and gradients. */
import type { Dense } from '../data/matrix.js';
import { gramOf, sumOfInverse } from './condition.js';

/** A pivot below this part of its diagonal is the rounding of f64 (or NaN): its unknown depends on earlier ones and leaves the support. */
const dependent = 1e-14;

/** Below this pivot normal equations lose digits that residuals from A itself bring back. */
export const refinedBelow = 1e-4;

/** Rounds of refinement: each gains the digits that the pivots left, at the least allowed pivot two or more. */
const refinements = 3;

/** Rounding A and X to f32 moves S by about κ 2⁻²⁴, here 1e-3: beyond, the digits of the inputs do not tell S. */
export const toldByF32 = (1e-3 / 2 ** -24) ** 2;

/** A column x of the data: its entries, and the rows that they stand in (all of them in turn where left out). */
export interface Column {
  values: ArrayLike<number>;
  rows?: ArrayLike<number>;
}

/** min_{s} ½‖x − As‖² − linearᵀs on supports of s, one column x after the other: the arrays are used again. */
export interface System {
  /** Left out where only its normal equations are at hand. */
  readonly A?: Dense;
  /** AᵀA. */
  readonly G: Float64Array;
  /** 1 / √g_jj, 0 where the column of A is zero. */
  readonly unit: Float64Array;
  /** Aᵀx + linear. */
  readonly b: Float64Array;
  /** The solution, and the gain of moving from it, b − Gs. */
  readonly s: Float64Array;
  readonly w: Float64Array;
  /** The support to solve on. Unknowns that depend on earlier ones are taken out of it, and marked in `dropped`. */
  readonly passive: Uint8Array;
  readonly dropped: Uint8Array;
  /** max_j |b_j| / √g_jj. */
  scale: number;
  /** The smallest pivot relative to its diagonal since the column was taken. */
  smallestPivot: number;
  column: Column;
  linear: ArrayLike<number>;
  /** Cholesky of G_PP: P as a list, rows of k entries below the diagonal, the diagonal inverted (0: dropped). */
  readonly support: number[];
  readonly factor: Float64Array;
  readonly inverse: Float64Array;
}

export function systemOf(A: Dense): System {
  return systemOfGram(gramOf(A), A.cols, A);
}

/** The same from AᵀA, k×k. Then a column is given as no values, and as Aᵀx in `linear`. */
export function systemOfGram(G: Float64Array, k: number, A?: Dense): System {
  const vector = () => new Float64Array(k);
  return {
    A,
    G,
    unit: Float64Array.from({ length: k }, (_, j) => (G[j * k + j] > 0 ? 1 / Math.sqrt(G[j * k + j]) : 0)),
    b: vector(),
    s: vector(),
    w: vector(),
    passive: new Uint8Array(k),
    dropped: new Uint8Array(k),
    scale: 0,
    smallestPivot: 1,
    column: { values: [] },
    linear: [],
    support: [],
    factor: new Float64Array(k * k),
    inverse: vector(),
  };
}

/** Begins with another column. */
export function takeColumn(system: System, column: Column, linear: ArrayLike<number>): void {
  const { A, b, unit } = system;
  const k = b.length;
  const { values, rows } = column;
  Object.assign(system, { column, linear, smallestPivot: 1, scale: 0 });
  system.s.fill(0);
  b.set(linear);
  for (let e = 0; A && e < values.length; e++) {
    const from = (rows ? rows[e] : e) * k;
    if (values[e] !== 0) for (let j = 0; j < k; j++) b[j] += A.data[from + j] * values[e];
  }
  for (let j = 0; j < k; j++) system.scale = Math.max(system.scale, Math.abs(b[j]) * unit[j]);
}

/** s ← the least squares solution on the support. */
export function solveOnSupport(system: System): void {
  const { b, s, w, passive, dropped } = system;
  factorize(system);
  s.set(solveFactored(system, b));
  for (let round = 0; system.A && round < refinements && system.smallestPivot < refinedBelow; round++) {
    gradientFromA(system, system.A);
    solveFactored(system, w).forEach((step, j) => {
      s[j] += step;
    });
  }
  for (let j = 0; j < s.length; j++) if (dropped[j]) passive[j] = 0;
}

/** The Cholesky factor of G_PP of the support. */
export function factorize(system: System): void {
  const { G, unit, passive, dropped, support, factor, inverse } = system;
  const k = passive.length;
  dropped.fill(0);
  support.length = 0;
  for (let j = 0; j < k; j++) if (passive[j]) support.push(j);
  support.forEach((index, i) => {
    const row = index * k;
    let pivot = G[row + index];
    for (let j = 0; j < i; j++) {
      let sum = G[row + support[j]];
      for (let t = 0; t < j; t++) sum -= factor[i * k + t] * factor[j * k + t];
      sum *= inverse[j];
      factor[i * k + j] = sum;
      pivot -= sum * sum;
    }
    pivot /= G[row + index];
    // An inverse of 0 takes row and column out of the factor, and makes the unknown 0.
    inverse[i] = pivot > dependent ? unit[index] / Math.sqrt(pivot) : 0;
    dropped[index] = inverse[i] === 0 ? 1 : 0;
    if (!(pivot >= system.smallestPivot)) system.smallestPivot = pivot;
  });
}

/** G_PP⁻¹ right_P, zero off the support. */
export function solveFactored({ support, factor, inverse }: System, right: Float64Array): Float64Array {
  const k = right.length;
  const p = support.length;
  const y = new Float64Array(p);
  const out = new Float64Array(k);
  for (let i = 0; i < p; i++) {
    let sum = right[support[i]];
    for (let t = 0; t < i; t++) sum -= factor[i * k + t] * y[t];
    y[i] = sum * inverse[i];
  }
  for (let i = p - 1; i >= 0; i--) {
    let sum = y[i];
    for (let t = i + 1; t < p; t++) sum -= factor[t * k + i] * out[support[t]];
    out[support[i]] = sum * inverse[i];
  }
  return out;
}

/** w ← b − Gs */
export function measureGradient(system: System): void {
  const { G, b, s, w } = system;
  const k = s.length;
  if (system.A && system.smallestPivot < refinedBelow) gradientFromA(system, system.A);
  else {
    for (let j = 0; j < k; j++) {
      let sum = b[j];
      for (let i = 0; i < k; i++) sum -= G[j * k + i] * s[i];
      w[j] = sum;
    }
  }
}

/** w ← Aᵀ(x − As) + linear: the same from A itself, whose condition G squares. */
export function gradientFromA({ column: { values, rows }, linear, s, w }: System, { rows: N, cols: k, data }: Dense): void {
  const residual = new Float64Array(N);
  for (let e = 0; e < values.length; e++) residual[rows ? rows[e] : e] = values[e];
  w.set(linear);
  for (let n = 0; n < N; n++) {
    let r = residual[n];
    for (let j = 0; j < k; j++) r -= data[n * k + j] * s[j];
    for (let j = 0; j < k; j++) w[j] += data[n * k + j] * r;
  }
}

/** The size that w_j / √g_jj is rounded relative to: that of the terms that it is the difference of. */
export function sizeOfTerms({ s, unit, scale }: System): number {
  return Math.max(
    scale,
    s.reduce((sum, value, j) => (unit[j] > 0 ? sum + Math.abs(value) / unit[j] : sum), 0),
  );
}

/** Whether the solution hangs on digits that f32 does not hold. */
export function isIllConditioned(system: System): boolean {
  const { smallestPivot } = system;
  if (smallestPivot > 0.01) return false;
  return smallestPivot <= dependent || !(traceOnSupport(system) < toldByF32);
}

/** trace C⁻¹ of the Gram matrix on the support, scaled to a unit diagonal: see trustedInF32. Infinite where an unknown was dropped. */
export function traceOnSupport({ factor, inverse, support, G, s }: System): number {
  if (support.some((_, i) => inverse[i] === 0)) return Number.POSITIVE_INFINITY;
  return sumOfInverse(factor, inverse, support.length, s.length, (c) => G[support[c] * (s.length + 1)]);
}

/** The natural KKT residual max_j |min(g_jj s_j, −w_j)| of s ≥ 0, and max_j |b_j|. */
export function violationOf({ G, b, s, w }: System): [residual: number, size: number] {
  let worst = 0;
  let size = 0;
  for (let j = 0; j < s.length; j++) {
    worst = Math.max(worst, Math.abs(Math.min(G[j * (s.length + 1)] * s[j], -w[j])));
    size = Math.max(size, Math.abs(b[j]));
  }
  return [worst, size];
}

/** By how much s is better than 0: ½‖x‖² − ½‖x − As‖² + linearᵀs. */
export function gainOf({ b, s, w }: System): number {
  return s.reduce((sum, value, j) => sum + value * (b[j] + w[j]), 0) / 2;
}

/** β (k×M) with G_PP β_P = g_P on the support P of each column of S, in f64. */
export function betaInF64(A: Dense, S: Dense, g: Float64Array): { beta: Float64Array; illConditioned: number } {
  const { rows: k, cols: M, data } = S;
  const system = systemOf(A);
  const beta = new Float64Array(k * M);
  let illConditioned = 0;
  for (let c = 0; c < M; c++) {
    const right = Float64Array.from({ length: k }, (_, j) => g[j * M + c]);
    takeColumn(system, { values: [] }, right);
    for (let j = 0; j < k; j++) system.passive[j] = data[j * M + c] > 0 ? 1 : 0;
    solveOnSupport(system);
    if (isIllConditioned(system)) illConditioned++;
    for (let j = 0; j < k; j++) beta[j * M + c] = system.s[j];
  }
  return { beta, illConditioned };
}
