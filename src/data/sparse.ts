import { InputError } from '../errors.js';
import { checkDense, type Matrix, matrix } from './matrix.js';
import { checkNames } from './names.js';
import { isList, type NumberList, toFloat32, toIndices } from './numbers.js';
import { isTyped } from './realm.js';
import { describe } from './words.js';

/**
 * A sparse matrix in compressed rows (CSR): the entries of row i are `values[e]` in column `columns[e]` for e from `rowStarts[i]` up to,
 * without, `rowStarts[i + 1]`, columns ascending, no place twice. What is not stored is 0.
 */
export interface SparseMatrix {
  rows: number;
  cols: number;
  /** rows + 1 of them, from 0 up to the number of stored entries. */
  rowStarts: Uint32Array;
  columns: Uint32Array;
  values: Float32Array;
}

/** X in either form: every method takes both, and never makes a sparse one dense. */
export type DataMatrix = Matrix | SparseMatrix;

export function isSparse(X: DataMatrix): X is SparseMatrix {
  return typeof X === 'object' && X !== null && 'rowStarts' in X;
}

/**
 * A sparse matrix of compressed rows. Lists are as in `matrix`; a Uint32Array of indices and a Float32Array of values are not copied.
 *
 * @throws InputError where these are no rows×cols matrix in CSR, see `checkSparse`, and for values that are no numbers of f32.
 */
export function sparseMatrix(
  rows: number,
  cols: number,
  lists: { rowStarts: NumberList; columns: NumberList; values: NumberList },
): SparseMatrix {
  checkLists('sparseMatrix', lists, ['rowStarts', 'columns', 'values']);
  const rowStarts = toIndices('rowStarts', lists.rowStarts);
  const columns = toIndices('columns', lists.columns);
  const values = toFloat32(lists.values, (e) => ({ row: rowStarts.findLastIndex((start) => start <= e), column: columns[e] }));
  const X = { rows, cols, rowStarts, columns, values };
  checkSparse(X);
  return X;
}

/**
 * A sparse matrix of entries in any order: entry e is `values[e]` in row `rowIndices[e]`, column `columns[e]`, counted from 0.
 *
 * @throws InputError for lists of unequal length, an index out of range, a place that is given twice, and values that are no numbers of f32.
 */
export function sparseFromEntries(
  rows: number,
  cols: number,
  lists: { rowIndices: NumberList; columns: NumberList; values: NumberList },
): SparseMatrix {
  checkShape(rows, cols);
  checkLists('sparseFromEntries', lists, ['rowIndices', 'columns', 'values']);
  const rowIndices = toIndices('rowIndices', lists.rowIndices);
  const columns = toIndices('columns', lists.columns);
  const values = toFloat32(lists.values, (e) => ({ row: rowIndices[e], column: columns[e] }));
  if (rowIndices.length !== values.length || columns.length !== values.length) {
    throw new InputError(
      `There are ${values.length} values, ${rowIndices.length} row indices and ${columns.length} columns; give one of each for every entry.`,
    );
  }
  for (let e = 0; e < values.length; e++) {
    const [i, j] = [rowIndices[e], columns[e]];
    if (i >= rows || j >= cols)
      throw new InputError(
        `Entry ${e} is in row ${i}, column ${j}, but a ${rows}×${cols} matrix has rows 0 to ${rows - 1} and columns 0 to ${cols - 1}.`,
        { row: i, column: j },
      );
  }
  const X = arrangeEntries(rows, cols, { rowIndices, columns, values });
  checkSparse(X);
  return X;
}

/** Throws InputError unless these are the lists that a function needs, and no others. */
export function checkLists<Name extends string>(what: string, lists: Record<Name, NumberList>, names: readonly Name[]): void {
  checkNames(what, lists, names);
  for (const name of names)
    if (!isList(lists[name])) throw new InputError(`${what} needs ${name}, a list of numbers, not ${describe(lists[name])}.`);
}

/** Entries whose indices are in range, brought into compressed rows; a place that is given twice stays so, in neighbours. */
export function arrangeEntries(
  rows: number,
  cols: number,
  { rowIndices, columns, values }: { rowIndices: ArrayLike<number>; columns: ArrayLike<number>; values: Float32Array },
): SparseMatrix {
  // Rows of the transpose first, then rows: two passes by counting leave both indices in order.
  const byColumn = byLines(cols, columns, rowIndices, values);
  return sparseTranspose({ rows: cols, cols: rows, rowStarts: byColumn.starts, columns: byColumn.others, values: byColumn.values });
}

/** The stored entries in the order of their line (row or column). */
function byLines(lines: number, lineOf: ArrayLike<number>, otherOf: ArrayLike<number>, values: Float32Array) {
  const starts = new Uint32Array(lines + 1);
  for (let e = 0; e < values.length; e++) starts[lineOf[e] + 1]++;
  for (let line = 0; line < lines; line++) starts[line + 1] += starts[line];
  const next = starts.slice();
  const others = new Uint32Array(values.length);
  const sorted = new Float32Array(values.length);
  for (let e = 0; e < values.length; e++) {
    const at = next[lineOf[e]]++;
    others[at] = otherOf[e];
    sorted[at] = values[e];
  }
  return { starts, others, values: sorted };
}

/** Xᵀ in compressed rows: X in compressed columns. */
export function sparseTranspose(X: SparseMatrix): SparseMatrix {
  checkTypes(X);
  const { rows, cols, rowStarts, columns, values } = X;
  const rowOf = new Uint32Array(values.length);
  for (let i = 0; i < rows; i++) rowOf.fill(i, rowStarts[i], rowStarts[i + 1]);
  const turned = byLines(cols, columns, rowOf, values);
  return { rows: cols, cols: rows, rowStarts: turned.starts, columns: turned.others, values: turned.values };
}

/** The entries of a dense matrix that are not 0. */
export function sparseFromDense(X: Matrix): SparseMatrix {
  checkDense(X);
  const count = X.data.reduce((sum, x) => sum + (x !== 0 ? 1 : 0), 0);
  const rowStarts = new Uint32Array(X.rows + 1);
  const columns = new Uint32Array(count);
  const values = new Float32Array(count);
  let e = 0;
  for (let i = 0; i < X.rows; i++) {
    for (let j = 0; j < X.cols; j++) {
      const x = X.data[i * X.cols + j];
      if (x === 0) continue;
      columns[e] = j;
      values[e++] = x;
    }
    rowStarts[i + 1] = e;
  }
  return { rows: X.rows, cols: X.cols, rowStarts, columns, values };
}

/** The dense matrix of the same entries, which takes rows × cols of them: for what needs one, and for small X. */
export function toDense(X: DataMatrix): Matrix {
  if (!isSparse(X)) return X;
  checkTypes(X);
  const { rows, cols, rowStarts, columns, values } = X;
  const dense = matrix(rows, cols);
  for (let i = 0; i < rows; i++) for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) dense.data[i * cols + columns[e]] = values[e];
  return dense;
}

/** The stored entries: all of a dense matrix. Sums and norms of X are those of these. */
export function stored(X: DataMatrix): Float32Array {
  return isSparse(X) ? X.values : X.data;
}

/** How many entries a sparse X stores; undefined for a dense one. */
export function entriesOf(X: DataMatrix): number | undefined {
  return isSparse(X) ? X.values.length : undefined;
}

/**
 * The mean of all entries, also of those that are not stored, unless these are missing; with weights of those whose weight is not 0, where
 * X is 0 elsewhere.
 */
export function mean(X: DataMatrix, W?: Matrix, missing = false): number {
  let sum = 0;
  for (const x of stored(X)) sum += x;
  if (missing) return sum / stored(X).length;
  return sum / (W ? W.data.reduce((count, w) => count + (w > 0 ? 1 : 0), 0) : X.rows * X.cols);
}

/** Rows of either form: those of row i are `values[e]`, e from start(i) up to start(i + 1), in column `columns[e]`, or in turn. */
export interface StoredRows {
  rows: number;
  cols: number;
  values: ArrayLike<number>;
  columns?: Uint32Array;
  start(row: number): number;
}

export function storedRows(X: DataMatrix): StoredRows {
  const { rows, cols } = X;
  if (!isSparse(X)) return denseRows(rows, cols, X.data);
  const { values, columns, rowStarts } = X;
  return { rows, cols, values, columns, start: (row) => rowStarts[row] };
}

export function denseRows(rows: number, cols: number, values: ArrayLike<number>): StoredRows {
  return { rows, cols, values, start: (row) => row * cols };
}

/**
 * Throws InputError unless X is in compressed rows as `SparseMatrix` says: lengths, starts, indices in range, ascending, none twice.
 * The message names the first bad entry. Values are not looked at: `checkNonnegative` and `checkFinite` do both.
 */
export function checkSparse(X: SparseMatrix, name = 'X'): void {
  checkTypes(X, name);
  const { rows, rowStarts, columns, values } = X;
  if (columns.length !== values.length)
    throw new InputError(`${name} has ${values.length} values, but ${columns.length} columns; every stored entry needs its column.`);
  if (rowStarts.length !== rows + 1)
    throw new InputError(`${name} has ${rows} rows and needs ${rows + 1} rowStarts, but ${rowStarts.length} were given.`);
  if (rowStarts[0] !== 0 || rowStarts[rows] !== values.length) {
    throw new InputError(
      `${name}.rowStarts must run from 0 to ${values.length}, the number of values, but they run from ${rowStarts[0]} to ${rowStarts[rows]}.`,
    );
  }
  for (let i = 0; i < rows; i++) {
    if (rowStarts[i + 1] < rowStarts[i])
      throw new InputError(`${name}.rowStarts falls from ${rowStarts[i]} to ${rowStarts[i + 1]} after row ${i}; starts never decrease.`);
  }
  for (let i = 0; i < rows; i++) checkRow(X, i, name);
}

/** Throws InputError unless X has a shape and the typed arrays of a sparse matrix. */
function checkTypes({ rows, cols, rowStarts, columns, values }: SparseMatrix, name = 'X'): void {
  checkShape(rows, cols, name);
  for (const [field, given, type] of [
    ['rowStarts', rowStarts, 'Uint32Array'],
    ['columns', columns, 'Uint32Array'],
    ['values', values, 'Float32Array'],
  ] as const) {
    if (!isTyped(given, type))
      throw new InputError(
        `${name}.${field} must be a ${type}, not ${describe(given)}; make the matrix with sparseMatrix(…), which converts lists.`,
      );
  }
}

function checkShape(rows: number, cols: number, name = 'X'): void {
  if (Number.isSafeInteger(rows) && Number.isSafeInteger(cols) && Math.min(rows, cols) >= 1 && Math.max(rows, cols) < 2 ** 32) return;
  throw new InputError(
    `${name} is ${describe(rows)}×${describe(cols)}, but a matrix needs at least one row and one column, and fewer than 2³² of each.`,
  );
}

function checkRow({ cols, rowStarts, columns }: SparseMatrix, i: number, name: string): void {
  for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) {
    const j = columns[e];
    if (j >= cols)
      throw new InputError(
        `${name} has an entry in row ${i}, column ${j} (counted from 0), but its columns are 0 to ${cols - 1}; correct the index.`,
        { row: i, column: j },
      );
    if (e === rowStarts[i] || j > columns[e - 1]) continue;
    throw new InputError(
      j === columns[e - 1]
        ? `${name} has two entries in row ${i}, column ${j} (counted from 0); add them up or drop one.`
        : `${name} has column ${j} after column ${columns[e - 1]} in row ${i} (counted from 0); sort each row, or use sparseFromEntries(…).`,
      { row: i, column: j },
    );
  }
}

/** Where the stored entry e of X stands. */
export function placeOf(X: DataMatrix, e: number): { row: number; column: number } {
  if (!isSparse(X)) return { row: Math.floor(e / X.cols), column: e % X.cols };
  let row = 0;
  while (X.rowStarts[row + 1] <= e) row++;
  return { row, column: X.columns[e] };
}

/** Throws InputError for a sparse X where an N×M matrix would have to be formed; `what`, perhaps an option, needs it, `instead` would do. */
export function requireDense(X: DataMatrix, what: string, instead?: string, option?: string): asserts X is Matrix {
  if (!isSparse(X)) return;
  const advice = `${instead ? `${instead}, or ` : ''}make X dense (toDense(X), or a file that is not sparse)`;
  throw new InputError(`${what} needs a dense matrix with an entry for each of X, but X is sparse; ${advice}.`, { option });
}
