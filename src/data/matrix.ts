import { ShapeError } from '../errors.js';
import { isTyped } from './realm.js';

/** A dense matrix, row-major: entry (i, j) is `data[i * cols + j]`. */
export interface Matrix {
  rows: number;
  cols: number;
  data: Float32Array;
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
