import { type Matrix, matrix } from 'orthant';

/** AB. Rows of B that meet a zero are passed over. */
export function product(A: Matrix, B: Matrix): Matrix {
  const out = matrix(A.rows, B.cols);
  for (let i = 0; i < A.rows; i++)
    for (let k = 0; k < A.cols; k++) {
      const factor = A.data[i * A.cols + k];
      if (factor !== 0) for (let j = 0; j < B.cols; j++) out.data[i * B.cols + j] += factor * B.data[k * B.cols + j];
    }
  return out;
}
