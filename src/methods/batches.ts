/** Columns in blocks of any width as batches of one width. */
import { checkNonnegative, describe } from '../data/check.js';
import { type Matrix, matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse } from '../data/sparse.js';
import { InputError, ShapeError } from '../errors.js';

/** Matrices of the same rows, whose columns come one after the other; an array of them, a generator, a stream. */
export type ColumnSource = Iterable<DataMatrix> | AsyncIterable<DataMatrix>;

/** Up to `size` columns of N×size; what follows column `count` is 0. */
export interface Batch {
  X: Matrix;
  count: number;
}

/** Throws InputError for what is no nonnegative matrix, ShapeError for one of other rows. `name` is what messages call it. */
export function checkBlock(block: DataMatrix, rows: number | undefined, name: string): void {
  checkNonnegative(block, name);
  if (rows === undefined || block.rows === rows) return;
  const turned = block.cols === rows ? ' It looks transposed: columns are samples.' : '';
  throw new ShapeError(
    `${name} is ${block.rows}×${block.cols}, but the columns so far have ${rows} rows; give all the same features.${turned}`,
  );
}

/** The columns of some blocks as dense batches of `size`, the last one shorter. A batch is valid until the next one is asked for. */
export async function* batchesOf(source: ColumnSource, size: number, rows?: number): AsyncGenerator<Batch> {
  let batch: Batch | undefined;
  let number = 0;
  for await (const block of source) {
    checkBlock(block, batch?.X.rows ?? rows, `Block ${number++} of the source (counted from 0)`);
    batch ??= emptyBatch(block.rows, size);
    yield* filled(batch, block);
  }
  if (batch && batch.count > 0) yield closed(batch);
}

export const emptyBatch = (rows: number, size: number): Batch => ({ X: matrix(rows, size), count: 0 });

/** Appends the columns of a block, and yields the batch each time that it is full; it then begins anew. */
export function* filled(batch: Batch, block: DataMatrix): Generator<Batch> {
  const size = batch.X.cols;
  const copy = columnsOf(block);
  for (let from = 0; from < block.cols; ) {
    const count = Math.min(size - batch.count, block.cols - from);
    copy(from, count, batch);
    from += count;
    if (batch.count < size) continue;
    yield batch;
    batch.count = 0;
  }
}

/** The batch as it is, with zeros after its columns. */
export function closed(batch: Batch): Batch {
  const { rows, cols, data } = batch.X;
  for (let i = 0; i < rows; i++) data.fill(0, i * cols + batch.count, (i + 1) * cols);
  return batch;
}

/** A function that appends the next `count` columns of X, from `from` on, to a batch. Columns are asked for in turn. */
function columnsOf(X: DataMatrix): (from: number, count: number, batch: Batch) => void {
  if (!isSparse(X))
    return (from, count, batch) => {
      const width = batch.X.cols;
      for (let i = 0; i < X.rows; i++)
        batch.X.data.set(X.data.subarray(i * X.cols + from, i * X.cols + from + count), i * width + batch.count);
      batch.count += count;
    };
  const { rowStarts, columns, values } = X;
  const next = rowStarts.slice(0, X.rows);
  return (from, count, batch) => {
    for (let i = 0; i < X.rows; i++) {
      const at = i * batch.X.cols + batch.count;
      batch.X.data.fill(0, at, at + count);
      for (; next[i] < rowStarts[i + 1] && columns[next[i]] < from + count; next[i]++)
        batch.X.data[at + columns[next[i]] - from] = values[next[i]];
    }
    batch.count += count;
  };
}

/** Throws InputError for a source that nothing can be read from one after the other. */
export function checkSource(source: unknown): asserts source is ColumnSource {
  if (typeof source === 'object' && source !== null && (Symbol.iterator in source || Symbol.asyncIterator in source)) return;
  throw new InputError(`The source must be an iterable of matrices, such as [X] or an async generator, not ${describe(source)}.`);
}

/** Whether a source is used up once it was read, as generators and streams are. Of others only reading them again tells. */
export const isUsedUp = (source: ColumnSource): boolean => 'next' in source || 'getReader' in source || 'readable' in source;
