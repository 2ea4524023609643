import { InputError, ShapeError } from '../errors.js';
import { matrix } from './matrix.js';
import { arrangeEntries, type DataMatrix, isSparse } from './sparse.js';

/** X (N×M) by ranges of its columns, which are read again in every pass: features × samples. */
export interface Columns {
  /** N. */
  readonly rows: number;
  /** M. */
  readonly cols: number;
  /** Whether its panels are sparse. */
  readonly sparse: boolean;
  /** Columns `from` up to `to`, N×(to − from), in memory of its own: dense, or sparse where `sparse` says so. */
  read(from: number, to: number): Promise<DataMatrix>;
  /** Called when a fit needs no more of it. */
  close?(): Promise<void>;
}

/** The columns of a matrix in memory. */
export function columnsOfMatrix(X: DataMatrix): Columns {
  return { rows: X.rows, cols: X.cols, sparse: isSparse(X), read: async (from, to) => columnsBetween(X, from, to) };
}

/** A copy of columns `from` up to `to`. */
export function columnsBetween(X: DataMatrix, from: number, to: number): DataMatrix {
  const { rows, cols } = X;
  if (!isSparse(X)) {
    const data = new Float32Array(rows * (to - from));
    for (let i = 0; i < rows; i++) data.set(X.data.subarray(i * cols + from, i * cols + to), i * (to - from));
    return matrix(rows, to - from, data);
  }
  const entries = { rowIndices: [] as number[], columns: [] as number[], values: [] as number[] };
  for (let i = 0; i < rows; i++)
    for (let e = X.rowStarts[i]; e < X.rowStarts[i + 1]; e++) {
      const column = X.columns[e];
      if (column < from || column >= to) continue;
      entries.rowIndices.push(i);
      entries.columns.push(column - from);
      entries.values.push(X.values[e]);
    }
  return arrangeEntries(rows, to - from, {
    rowIndices: Uint32Array.from(entries.rowIndices),
    columns: Uint32Array.from(entries.columns),
    values: Float32Array.from(entries.values),
  });
}

/** A source of columns from their beginning on. */
export interface ColumnStream {
  /** N. */
  rows: number;
  /** M. */
  cols: number;
  /** Whether blocks are sparse; default false. */
  sparse?: boolean;
  /** All columns from the first on, in blocks of any width, N×m each. It is called again for every pass. */
  columns: () => AsyncIterable<DataMatrix> | Iterable<DataMatrix>;
}

/**
 * The columns of a generator, of a database, or of whatever tells them one after another. A range before the place that was reached starts
 * a new pass.
 *
 * @throws ShapeError while they are read for a block of another N or form, InputError where there are fewer columns than `cols`, or more.
 */
export function columnsFrom({ rows, cols, sparse = false, columns }: ColumnStream): Columns {
  let pass: AsyncIterator<DataMatrix> | Iterator<DataMatrix> | undefined;
  let block: DataMatrix | undefined;
  /** The column that the block begins with, and the one after its last. */
  let [first, next] = [0, 0];
  const close = async () => {
    const ended = pass;
    [pass, block, first, next] = [undefined, undefined, 0, 0];
    await ended?.return?.();
  };
  const begin = () => {
    const source = columns();
    pass = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  };
  const advance = async () => {
    const { done, value } = await pass!.next();
    if (done) throw new InputError(`The columns of X ended after ${next}, but ${cols} were announced.`, { option: 'cols' });
    const found = value as DataMatrix;
    if (found.rows !== rows || isSparse(found) !== sparse)
      throw new ShapeError(
        `A block of X is ${isSparse(found) ? 'a sparse' : 'a dense'} ${found.rows}×${found.cols} matrix, but ${sparse ? 'sparse' : 'dense'} ones of ${rows} rows were announced.`,
      );
    [block, first, next] = [found, next, next + found.cols];
    if (next > cols) throw new InputError(`X has ${next} columns or more, but ${cols} were announced.`, { option: 'cols' });
  };
  async function read(from: number, to: number): Promise<DataMatrix> {
    if (pass && from < first) await close();
    if (!pass) begin();
    const parts: DataMatrix[] = [];
    for (let at = from; at < to; ) {
      while (next <= at) await advance();
      const end = Math.min(next, to);
      parts.push(columnsBetween(block!, at - first, end - first));
      at = end;
    }
    if (to === cols && !(await pass!.next()).done)
      throw new InputError(`X has more columns than the ${cols} that were announced.`, { option: 'cols' });
    if (to === cols) await close();
    return besideEachOther(parts);
  }
  return { rows, cols, sparse, read, close };
}

/** Matrices of the same rows and form, one beside the other. */
export function besideEachOther(parts: readonly DataMatrix[]): DataMatrix {
  if (parts.length === 1) return parts[0];
  const [{ rows }] = parts;
  const cols = parts.reduce((sum, part) => sum + part.cols, 0);
  if (!isSparse(parts[0])) {
    const whole = matrix(rows, cols);
    let at = 0;
    for (const part of parts) {
      if (isSparse(part)) continue;
      for (let i = 0; i < rows; i++) whole.data.set(part.data.subarray(i * part.cols, (i + 1) * part.cols), i * cols + at);
      at += part.cols;
    }
    return whole;
  }
  const stored = parts.filter(isSparse);
  const entries = stored.reduce((sum, { values }) => sum + values.length, 0);
  const whole = { rows, cols, rowStarts: new Uint32Array(rows + 1), columns: new Uint32Array(entries), values: new Float32Array(entries) };
  let at = 0;
  for (let i = 0; i < rows; i++) {
    let before = 0;
    for (const { rowStarts, columns, values, cols: own } of stored) {
      for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++, at++) {
        whole.columns[at] = columns[e] + before;
        whole.values[at] = values[e];
      }
      before += own;
    }
    whole.rowStarts[i + 1] = at;
  }
  return whole;
}
