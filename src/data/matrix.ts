import { InputError, ShapeError } from '../errors.js';
import { isList, type NumberList, toFloat32 } from './numbers.js';
import { isTyped } from './realm.js';
import { describe } from './words.js';

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

/**
 * A matrix of zeros, or of `data`: rows × cols numbers, row by row. A Float32Array is not copied; any other list (see `NumberList`) is rounded
 * to f32.
 *
 * @throws ShapeError when the length does not fit; InputError, with row and column, for the first entry that is no number (null, '', a date)
 * or too large for f32.
 */
export function matrix(rows: number, cols: number, data?: NumberList): Matrix {
  if (!isSize(rows) || !isSize(cols))
    throw new ShapeError(`A matrix has whole numbers of rows and columns, not ${describe(rows)}×${describe(cols)}.`);
  if (data === undefined) return { rows, cols, data: new Float32Array(rows * cols) };
  if (!isList(data)) throw new InputError(`The data of a matrix must be a list of its ${rows * cols} entries, not ${describe(data)}.`);
  if (data.length !== rows * cols) {
    const lists = Array.isArray(data[0]) ? ' Its entries are lists: join them with data.flat().' : '';
    throw new ShapeError(`A ${rows}×${cols} matrix needs ${rows * cols} entries, but ${data.length} were given.${lists}`);
  }
  return { rows, cols, data: toFloat32(data, (at) => ({ row: Math.floor(at / cols), column: at % cols })) };
}

const isSize = (size: unknown) => Number.isSafeInteger(size) && Number(size) >= 0;

/** Throws InputError unless X is a dense matrix: rows and columns, and a Float32Array of as many entries. They are not looked at. */
export function checkDense(X: Matrix, name = 'X', option?: string): void {
  const place = { option };
  if (typeof X !== 'object' || X === null || Array.isArray(X))
    throw new InputError(
      `${name} must be a matrix { rows, cols, data }, not ${describe(X)}; make one with matrix(rows, cols, entries).`,
      place,
    );
  const { rows, cols, data } = X;
  if (data === undefined && typeof (X as { read?: unknown }).read === 'function')
    throw new InputError(`${name} is a source of columns, which a fit takes as scanColumns(columns) gives them.`, place);
  if (!isSize(rows) || !isSize(cols) || rows < 1 || cols < 1)
    throw new InputError(`${name} is ${describe(rows)}×${describe(cols)}, but a matrix needs at least one row and one column.`, place);
  if (!isTyped(data, 'Float32Array'))
    throw new InputError(
      `${name}.data must be a Float32Array, not ${describe(data)}; make the matrix with matrix(rows, cols, data), which converts lists.`,
      place,
    );
  if (data.length !== rows * cols)
    throw new InputError(`${name} is ${rows}×${cols} and needs ${rows * cols} entries, but its data has ${data.length}.`, place);
}

/** Xᵀ. Throws InputError for what is no dense matrix. */
export function transpose(X: Matrix): Matrix {
  checkDense(X);
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

/** Σ x². */
export function squaredNorm(entries: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < entries.length; i++) total += entries[i] * entries[i];
  return total;
}
