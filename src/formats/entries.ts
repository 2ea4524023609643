/** Entries of sparse matrices as files hold them. */
import { arrangeEntries, type SparseMatrix } from '../data/sparse.js';
import { InputError } from '../errors.js';

/** Rows and columns cost memory whether they have entries or not, so a file has to back them: see `checkBacked`. */
const freeLines = 2 ** 20;

/**
 * Throws InputError for a matrix with more rows or columns than the file has bytes, unless there are no more than 2²⁰: most likely a number
 * is damaged. Vocabularies of hashed words have up to about a million.
 */
export function checkBacked(rows: number, cols: number, bytes: number, where: string): void {
  if (!(rows >= 1 && cols >= 1)) throw new InputError(`${where} says ${rows}×${cols}, but a matrix needs at least one row and one column.`);
  const most = Math.max(freeLines, bytes);
  if (Math.max(rows, cols) > most)
    throw new InputError(`${where} says ${rows}×${cols}, but so short a file can have ${most} rows and columns; is it cut off?`);
}

/** Entries in any order, their numbers in f64. */
export interface Entries {
  rows: number;
  cols: number;
  rowIndices: ArrayLike<number>;
  columns: ArrayLike<number>;
  values: ArrayLike<number>;
}

/**
 * The matrix of these entries; those that are given twice are added up, as SciPy does.
 *
 * @throws InputError for an index out of range and for a number beyond the range of f32. `what` begins the message.
 */
export function sparseOf({ rows, cols, rowIndices, columns, values }: Entries, what: string): SparseMatrix {
  const kept = new Float32Array(values.length);
  for (let e = 0; e < kept.length; e++) {
    const [row, column] = [rowIndices[e], columns[e]];
    if (!(row >= 0 && row < rows && column >= 0 && column < cols && Number.isInteger(row) && Number.isInteger(column)))
      throw new InputError(`${what} has an entry in row ${row}, column ${column} (counted from 0), but is ${rows}×${cols}.`, {
        row,
        column,
      });
    kept[e] = values[e];
    if (Math.abs(kept[e]) === Infinity && Number.isFinite(values[e]))
      throw new InputError(
        `${what} has ${values[e]} in row ${row}, column ${column} (counted from 0), which is too large for f32; rescale the data.`,
        {
          row,
          column,
        },
      );
  }
  return summed(arrangeEntries(rows, cols, { rowIndices, columns, values: kept }));
}

/** Entries of one place, which are neighbours, as one. */
function summed(X: SparseMatrix): SparseMatrix {
  const { rows, cols, rowStarts, columns, values } = X;
  let kept = 0;
  let start = 0;
  for (let i = 0; i < rows; i++) {
    const end = rowStarts[i + 1];
    const first = kept;
    for (let e = start; e < end; e++) {
      if (kept > first && columns[kept - 1] === columns[e]) values[kept - 1] += values[e];
      else {
        columns[kept] = columns[e];
        values[kept++] = values[e];
      }
    }
    start = end;
    rowStarts[i + 1] = kept;
  }
  if (kept === values.length) return X;
  return { rows, cols, rowStarts, columns: columns.slice(0, kept), values: values.slice(0, kept) };
}

/**
 * Entries in compressed lines: those of line i are from starts[i] on up to starts[i + 1], each with its place in the line. Lines are rows, or
 * columns where `byColumns`.
 */
export interface Compressed {
  rows: number;
  cols: number;
  starts: ArrayLike<number>;
  others: ArrayLike<number>;
  values: ArrayLike<number>;
  byColumns: boolean;
}

/** The matrix of compressed lines. Throws InputError where starts do not run from 0 to the number of entries. */
export function sparseOfLines({ rows, cols, starts, others, values, byColumns }: Compressed, what: string): SparseMatrix {
  const lines = byColumns ? cols : rows;
  if (starts.length !== lines + 1)
    throw new InputError(
      `${what} is ${rows}×${cols}, but has ${starts.length} starts of ${byColumns ? 'columns' : 'rows'}; it needs ${lines + 1}.`,
    );
  if (others.length !== values.length)
    throw new InputError(`${what} has ${values.length} values, but ${others.length} indices; it needs one each.`);
  if (starts[0] !== 0 || starts[lines] !== values.length)
    throw new InputError(
      `${what} has starts from ${starts[0]} to ${starts[lines]}, but ${values.length} values; they run from 0 to that number.`,
    );
  const lineOf = new Uint32Array(values.length);
  for (let i = 0; i < lines; i++) {
    if (!(starts[i + 1] >= starts[i]))
      throw new InputError(`${what} has a start of ${starts[i + 1]} after ${starts[i]}; starts never decrease.`);
    lineOf.fill(i, starts[i], starts[i + 1]);
  }
  const [rowIndices, columns] = byColumns ? [others, lineOf] : [lineOf, others];
  return sparseOf({ rows, cols, rowIndices, columns, values }, what);
}
