import { ShapeError } from '../errors.js';
import { isTyped } from './realm.js';

/** A dense matrix, row-major: entry (i, j) is `data[i * cols + j]`. */
export interface Matrix {
  rows: number;
  cols: number;
  data: Float32Array;
}

/** A matrix of any number type. */
export interface Dense {
  rows: number;
  cols: number;
  data: ArrayLike<number>;
}

/** A matrix of zeros, or one over `data` (not copied). Throws ShapeError when the length does not fit. */
export function matrix(rows: number, cols: number, data?: ArrayLike<number>): Matrix {
  if (data !== undefined && data.length !== rows * cols) {
    throw new ShapeError(`A ${rows}×${cols} matrix needs ${rows * cols} entries, but ${data.length} were given.`);
  }
  const entries = data === undefined ? new Float32Array(rows * cols) : isTyped(data, 'Float32Array') ? data : Float32Array.from(data);
  return { rows, cols, data: entries };
}

export function transpose(X: Matrix): Matrix {
  const T = matrix(X.cols, X.rows);
  for (let i = 0; i < X.rows; i++) for (let j = 0; j < X.cols; j++) T.data[j * X.rows + i] = X.data[i * X.cols + j];
  return T;
}

/** A B in f64, row-major. */
export function product(A: Dense, B: Dense): Float64Array {
  const out = new Float64Array(A.rows * B.cols);
  for (let i = 0; i < A.rows; i++) {
    for (let t = 0; t < A.cols; t++) {
      const a = A.data[i * A.cols + t];
      for (let j = 0; j < B.cols; j++) out[i * B.cols + j] += a * B.data[t * B.cols + j];
    }
  }
  return out;
}

/** A B, summed in f64 and rounded once. */
export function multiply(A: Matrix, B: Matrix): Matrix {
  return matrix(A.rows, B.cols, Float32Array.from(product(A, B)));
}

/** Every entry times `factor`. */
export function scaled({ rows, cols, data }: Matrix, factor: number): Matrix {
  return matrix(
    rows,
    cols,
    data.map((x) => x * factor),
  );
}
