/** The meaning of matmul and residualNorm where X is sparse, in f64: loops over the stored entries, X never made dense. */
import type { Attributes } from '../graph/operations.js';
import type { Value } from './value.js';

function eachStored({ rows, data, places }: Value, visit: (i: number, j: number, x: number) => void): void {
  const { rowStarts, columns } = places!;
  for (let i = 0; i < rows; i++) for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) visit(i, columns[e], data[e]);
}

/** out = scale · op(A) op(B) [+ addScale · E | ∘ E], A or B sparse. */
export function sparseMatmul(
  [A, B, E]: Value[],
  out: Value,
  { transposeA, transposeB, scale, epilogue, addScale }: Attributes<'matmul'>,
): void {
  out.data.fill(0);
  if (A.places) {
    eachStored(A, (i, j, x) => {
      const [row, t] = transposeA ? [j, i] : [i, j];
      for (let c = 0; c < out.cols; c++) out.data[row * out.cols + c] += x * B.data[transposeB ? c * B.cols + t : t * B.cols + c];
    });
  } else {
    eachStored(B, (i, j, x) => {
      const [t, col] = transposeB ? [j, i] : [i, j];
      for (let r = 0; r < out.rows; r++) out.data[r * out.cols + col] += A.data[transposeA ? t * A.cols + r : r * A.cols + t] * x;
    });
  }
  for (let at = 0; at < out.data.length; at++) {
    const extra = E?.data[at] ?? 0;
    out.data[at] =
      epilogue === 'hadamard' ? scale * out.data[at] * extra : scale * out.data[at] + (epilogue === 'add' ? addScale * extra : 0);
  }
}

/** ‖X − AZ‖² by its definition, a row of X − AZ at a time: all N·M places count, but only one row of them exists at once. */
export function sparseResidual(X: Value, A: Value, Z: Value): number {
  const { rowStarts, columns } = X.places!;
  const residual = new Float64Array(X.cols);
  let total = 0;
  for (let i = 0; i < X.rows; i++) {
    residual.fill(0);
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) residual[columns[e]] = X.data[e];
    for (let t = 0; t < A.cols; t++) {
      const a = A.data[i * A.cols + t];
      if (a !== 0) for (let j = 0; j < X.cols; j++) residual[j] -= a * Z.data[t * Z.cols + j];
    }
    for (const r of residual) total += r * r;
  }
  return total;
}
