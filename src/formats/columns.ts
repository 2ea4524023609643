/** Tables whose columns have names and types, as Parquet and Arrow have them, as matrices. */
import { type Matrix, matrix } from '../data/matrix.js';
import { quoted, shortened } from '../data/words.js';
import { InputError, OrthantError } from '../errors.js';
import type { FileContent, TableColumns } from './file-format.js';
import { unpackLimit } from './unpack.js';

/** A column as a reader gives it: numbers, texts, null and so on. */
export interface Column {
  name: string;
  /** Its values, or undefined for one that the reader cannot give as a plain list: a list in each cell, say. */
  values: Iterable<unknown> | undefined;
}

/** What pandas calls an index without a name. */
const pandasIndex = /^__index_level_\d+__$/;

/**
 * The matrix of the columns of numbers; truth values are 0 and 1. A first column of texts has the names of the rows, and so has the index of
 * pandas, which is left out where it only counts rows. Cells without a value, and NaN, are missing.
 *
 * @throws InputError for a column of anything else, a number beyond the range of f32, and a table without rows or numbers.
 */
export function contentOf(columns: readonly Column[], rows: number, source: string): FileContent {
  const { numeric, rowNames, notes } = namesApart(columns, source);
  const { X, missing } = cellsOf(numeric, rows, source);
  const columnNames = namesOf(numeric);
  return {
    X,
    ...(rowNames && { rowNames }),
    ...(columnNames && { columnNames }),
    ...(missing && { missing }),
    ...(notes.length > 0 && { notes }),
  };
}

/** Whether a column must be seen as a whole to know if it has names. */
export const mayHaveNames = (name: string, place: number): boolean => place === 0 || pandasIndex.test(name);

/** The columns without names and indices of the rows, and the names. Throws InputError for lists or fields in cells. */
export function namesApart(
  columns: readonly Column[],
  source: string,
): { numeric: Column[]; rowNames?: readonly string[]; notes: string[] } {
  const notes: string[] = [];
  let rowNames: readonly string[] | undefined;
  const numeric: Column[] = [];
  for (const [c, column] of columns.entries()) {
    const { name, values } = column;
    if (values === undefined) throw otherColumn(source, name, 'lists or fields in its cells');
    const index = pandasIndex.test(name);
    const texts = mayHaveNames(name, c) && rowNames === undefined ? textsIn(values) : undefined;
    if (texts) {
      rowNames = texts;
      if (!index) notes.push(`${source}: the column ${quoted(name)} has the names of the rows.`);
    } else if (index && isCounting(values)) notes.push(`${source}: the index of pandas, which counts the rows, was left out.`);
    else numeric.push(column);
  }
  return { numeric, rowNames, notes };
}

/** The names of columns; undefined where they only count them. */
export function namesOf(columns: readonly { name: string }[]): string[] | undefined {
  const names = columns.map(({ name }) => name);
  return names.every((name, j) => name === String(j)) ? undefined : names;
}

/** The matrix of columns of numbers, whose first cell is in this row and column of the whole table. */
export function cellsOf(
  columns: readonly Column[],
  rows: number,
  source: string,
  { row = 0, column = 0 } = {},
): { X: Matrix; missing?: Uint8Array } {
  checkSize(rows, columns.length, source);
  const X = matrix(rows, columns.length);
  let missing: Uint8Array | undefined;
  for (const [j, { name, values }] of columns.entries()) {
    let i = 0;
    for (const value of values!) {
      if (i >= rows) break;
      const at = i * X.cols + j;
      const number = numberOf(value);
      if (number === undefined) throw otherColumn(source, name, kindOf(value));
      if (Number.isNaN(number)) {
        missing ??= new Uint8Array(rows * X.cols);
        missing[at] = 1;
      } else X.data[at] = number;
      if (Math.abs(X.data[at]) === Infinity && Number.isFinite(number)) {
        const place = { row: row + i, column: column + j };
        throw new InputError(
          `${source} has ${number} in row ${place.row}, column ${place.column} (counted from 0), which is too large for f32; rescale the data.`,
          place,
        );
      }
      i++;
    }
    if (i !== rows) throw new InputError(`${source} is damaged: its column ${quoted(name)} has ${i} of ${rows} values.`);
  }
  return { X, ...(missing && { missing }) };
}

/** Throws InputError for a table without rows or columns of numbers. */
export function checkSize(rows: number, columns: number, source: string): void {
  if (rows < 1 || columns === 0)
    throw new InputError(`${source} has ${rows} rows and ${columns} columns of numbers; a matrix needs at least one of each.`);
}

/** The columns as plain lists, without an index of pandas that counts the rows. Throws InputError for a column of lists or fields. */
export function plainColumns({ columns, rows }: { columns: readonly Column[]; rows: number }, source: string): TableColumns {
  const plain = columns.flatMap(({ name, values }) => {
    if (values === undefined) throw otherColumn(source, name, 'lists or fields in its cells');
    if (pandasIndex.test(name) && isCounting(values)) return [];
    return [{ name, values: Array.from(values, (value) => (typeof value === 'bigint' ? Number(value) : (value ?? null))) }];
  });
  return { rows, columns: plain };
}

/** NaN for a cell without a value; undefined for what is no number. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  return value === null || value === undefined ? Number.NaN : undefined;
}

function textsIn(values: Iterable<unknown>): string[] | undefined {
  const texts: string[] = [];
  let some = false;
  for (const value of values) {
    if (typeof value === 'string') some = true;
    else if (value !== null && value !== undefined) return undefined;
    texts.push(typeof value === 'string' ? value : '');
  }
  return some ? texts : undefined;
}

function isCounting(values: Iterable<unknown>): boolean {
  let count = 0;
  for (const value of values) if (Number(value) !== count++) return false;
  return true;
}

const kindOf = (value: unknown) => (typeof value === 'string' ? 'texts' : value instanceof Date ? 'dates' : 'values');

function otherColumn(source: string, name: string, what: string): InputError {
  return new InputError(
    `${source}: the column ${quoted(name)} has ${what} that are no numbers; leave it out of the file. Names of rows are the first column.`,
  );
}

/** Throws InputError for a table that says it has far more cells than such a file can, as a bomb does. */
export function checkCells(rows: number, columns: number, bytes: number, source: string): void {
  const most = unpackLimit(bytes) / 4;
  if (rows * columns <= most) return;
  throw new InputError(
    `${source} has ${bytes} bytes and says that it has ${rows}×${columns} values, more than ${most}; split it, or save the matrix as .npy.`,
  );
}

/** A package that only some formats need, once it is needed. Throws OrthantError with the command that installs it. */
export async function needed<T>(load: Promise<T>, name: string, extension: string, what = 'Reading'): Promise<T> {
  try {
    return await load;
  } catch (cause) {
    throw new OrthantError(`${what} ${extension} needs the package ${name}: npm install ${name}`, { cause });
  }
}

/** What a package throws at a file that it cannot read, as an InputError. */
export function unreadable(source: string, what: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new InputError(`${source} is damaged, or no ${what} file: ${shortened(reason.replace(/\.$/, ''), 200)}.`, { cause: error });
}
