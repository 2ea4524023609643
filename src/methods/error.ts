/** Errors of factorizations in f64, on the host: those that a result states are measured here wherever that is cheap. */
import { type Dense, type Matrix, product, squaredNorm } from '../data/matrix.js';
import { isSparse, type SparseMatrix, stored } from '../data/sparse.js';
import type { Problem } from './problem.js';

type Data = Pick<Problem, 'X' | 'W' | 'seen'> & Partial<Pick<Problem, 'missing'>>;

/** ‖W ∘ (X − A⁰…AˡS)‖ / ‖W ∘ X‖, where X, A⁰ and S are in the unit of the fit. */
export function relativeErrorOf(data: Data, A: readonly Matrix[], S: Matrix): number {
  return Math.sqrt(squaredErrorOf(data, A, S) / squaredNorm(stored(data.seen)));
}

/** ‖W ∘ (X − A⁰…AˡS)‖², or the same over the stored entries of X alone. */
export function squaredErrorOf({ X, W, missing = false }: Data, A: readonly Matrix[], S: Matrix): number {
  const Z = A.slice(1).reduceRight<Dense>((inner, factor) => ({ rows: factor.rows, cols: inner.cols, data: product(factor, inner) }), S);
  if (!isSparse(X)) return ofDense(X, A[0], Z, W);
  return missing ? atEntries(X, A[0], Z, (x, az) => (x - az) ** 2) : Math.max(ofSparse(X, A[0], Z), 0);
}

/** The multiplications that this takes. */
export function workOf({ X }: Data, k: number): number {
  return isSparse(X) ? X.values.length * k + (X.rows + X.cols) * k * k : X.rows * X.cols * k;
}

function ofDense(X: Matrix, A: Dense, Z: Dense, W?: Matrix): number {
  const k = A.cols;
  const M = X.cols;
  const row = new Float64Array(M);
  let total = 0;
  for (let i = 0; i < X.rows; i++) {
    for (let c = 0; c < M; c++) row[c] = X.data[i * M + c];
    for (let t = 0; t < k; t++) {
      const a = A.data[i * k + t];
      if (a !== 0) for (let c = 0, at = t * M; c < M; c++, at++) row[c] -= a * Z.data[at];
    }
    if (W) for (let c = 0; c < M; c++) row[c] *= W.data[i * M + c];
    total += squaredNorm(row);
  }
  return total;
}

/** Σ f(x, az) over the stored entries. */
function atEntries({ rows, rowStarts, columns, values }: SparseMatrix, A: Dense, Z: Dense, f: (x: number, az: number) => number): number {
  const k = A.cols;
  let total = 0;
  for (let i = 0; i < rows; i++) {
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) {
      let az = 0;
      for (let t = 0; t < k; t++) az += A.data[i * k + t] * Z.data[t * Z.cols + columns[e]];
      total += f(values[e], az);
    }
  }
  return total;
}

/** Σ ((x − az)² − (az)²) over the stored entries + ⟨AᵀA, ZZᵀ⟩. */
function ofSparse(X: SparseMatrix, A: Dense, Z: Dense): number {
  const k = A.cols;
  let total = atEntries(X, A, Z, (x, az) => x * (x - 2 * az));
  for (let s = 0; s < k; s++) {
    for (let t = 0; t < k; t++) {
      let ofA = 0;
      let ofZ = 0;
      for (let i = 0; i < A.rows; i++) ofA += A.data[i * k + s] * A.data[i * k + t];
      for (let c = 0; c < Z.cols; c++) ofZ += Z.data[s * Z.cols + c] * Z.data[t * Z.cols + c];
      total += ofA * ofZ;
    }
  }
  return total;
}
