import { type Dense, type Matrix, product } from '../data/matrix.js';
import { type DataMatrix, isSparse, type SparseMatrix, stored } from '../data/sparse.js';

/** Relative errors above this are as good from the device: its noise of 1e-7 ‖X‖² is less than 1e-4 of them. */
const near = 0.03;

/**
 * ‖X − A⁰…AˡSˡ‖ / ‖X‖, given as the device measured it. Of a sparse X that is nearly met the device sees its own rounding only
 * (see shaders/sparse/residual.wgsl); then the same formula is evaluated here, in f64.
 */
export function refinedError(X: DataMatrix, A: readonly Matrix[], S: Matrix, measured: number): number {
  if (!isSparse(X) || !(measured < near)) return measured;
  const Z = A.slice(1).reduceRight<Dense>((inner, factor) => ({ rows: factor.rows, cols: inner.cols, data: product(factor, inner) }), S);
  const norm = stored(X).reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(Math.max(squaredError(X, A[0], Z), 0) / norm);
}

/** Σ ((x − az)² − (az)²) over the stored entries + ⟨AᵀA, ZZᵀ⟩. */
function squaredError({ rows, rowStarts, columns, values }: SparseMatrix, A: Dense, Z: Dense): number {
  const k = A.cols;
  let total = 0;
  for (let i = 0; i < rows; i++) {
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) {
      let az = 0;
      for (let t = 0; t < k; t++) az += A.data[i * k + t] * Z.data[t * Z.cols + columns[e]];
      total += values[e] * (values[e] - 2 * az);
    }
  }
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
