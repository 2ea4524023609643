/** The columns of a matrix in a file, block by block, for fits that never have all of it in memory. */
import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import { describe } from '../data/words.js';
import { InputError } from '../errors.js';
import type { FileContent } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import { checkTableOptions } from '../formats/table-options.js';
import type { MatrixRanges } from './file-ranges.js';
import { checkReadable, isTable, type ReadMatrixOptions, readMatrix } from './files.js';
import { rangesOf } from './matrix-ranges.js';
import { piecesOf } from './pieces.js';

/** A matrix in a file as blocks of its columns, features × samples. Each iteration reads the file anew. */
export interface ColumnFile extends AsyncIterable<DataMatrix> {
  /** N, the number of features. */
  readonly rows: number;
  /** M, the number of samples; undefined for a table of text, of which nobody has counted the lines. */
  readonly cols?: number;
  /** Names of the features, where the file has them. */
  readonly features?: readonly string[];
  /** Whether no more than a block of it is in memory. */
  readonly streamed: boolean;
  /** The place of a sample in the file. */
  readonly samplesAre: 'rows' | 'columns';
}

/** Entries of a block at most: 16 MiB in f32. */
const blockEntries = 2 ** 22;

/**
 * The columns (samples) of the matrix in a file, in blocks, for `onlineNmf` and `partialFit`:
 *
 * - of a .npy by ranges of bytes and of a .parquet by row groups, whichever side its samples are;
 * - of a table of text as it comes from the disk, also from a .gz, where samples are rows;
 * - of any other file, and of a table whose samples are columns, as one block, which is read whole.
 *
 * The options are those of `readMatrix`.
 *
 * @throws InputError as `readMatrix`, and while it is iterated for a cell without a value, with the place of it. A block of a .npy may hold
 * NaN, which `onlineNmf` refuses.
 */
export async function columnsOf(path: string, options: ReadMatrixOptions = {}): Promise<ColumnFile> {
  checkTableOptions('columnsOf', options, ['samples']);
  const { samples = 'rows' } = options;
  if (samples !== 'rows' && samples !== 'columns')
    throw new InputError(`samples must be 'rows' or 'columns', not ${describe(samples)}.`, { option: 'samples' });
  const ranges = await rangesOf(path, options);
  if (ranges) return rangeColumns(ranges);
  if (isTable(path) && samples === 'rows') return tableColumns(path, options);
  return wholeFile(path, options);
}

async function wholeFile(path: string, options: ReadMatrixOptions): Promise<ColumnFile> {
  const { X, features, weights, samplesAre = options.samples ?? 'rows' } = await readMatrix(path, options);
  const at = weights?.data.indexOf(0) ?? -1;
  if (weights && at >= 0) throw withoutValue(path, Math.floor(at / weights.cols), at % weights.cols, samplesAre);
  return { rows: X.rows, cols: X.cols, features, streamed: false, samplesAre, [Symbol.asyncIterator]: () => once(X) };
}

async function* once(X: DataMatrix): AsyncGenerator<DataMatrix> {
  yield X;
}

/** The error for a cell without a value; feature and sample are counted from 0. */
function withoutValue(path: string, feature: number, sample: number, samples: 'rows' | 'columns'): InputError {
  const [row, column] = samples === 'rows' ? [sample, feature] : [feature, sample];
  return new InputError(
    `${path}: row ${row + 1}, column ${column + 1} of the numbers has no value, and a fit of columns one after another needs all of them; leave the ${samples === 'rows' ? 'row' : 'column'} out.`,
  );
}

/** A table whose rows are samples. */
async function tableColumns(path: string, { samples: _, ...table }: ReadMatrixOptions): Promise<ColumnFile> {
  const size = await checkReadable(path);
  async function* blocks(): AsyncGenerator<FileContent & { X: Matrix }> {
    const reader = formats.find(
      ({ pieces, extensions }) => pieces && extensions.some((one) => path.replace(/\.gz$/i, '').toLowerCase().endsWith(one)),
    )!.pieces!(path, table);
    let samples = 0;
    const checked = (content: FileContent) => {
      const { missing } = content;
      const X = content.X as Matrix;
      const at = missing?.indexOf(1) ?? -1;
      if (at >= 0) throw withoutValue(path, Math.floor(at / X.cols), samples + (at % X.cols), 'rows');
      samples += X.cols;
      return { ...content, X };
    };
    for await (const piece of piecesOf(path, size)) {
      reader.push(piece);
      const content = reader.take({ transposed: true });
      if (content) yield checked(content);
    }
    yield checked(reader.end({ transposed: true }));
  }
  async function* columns(): AsyncGenerator<Matrix> {
    for await (const { X } of blocks()) yield X;
  }
  // The first block tells what the header says; what it read is read again.
  for await (const { X, columnNames } of blocks())
    return { rows: X.rows, features: columnNames, streamed: true, samplesAre: 'rows', [Symbol.asyncIterator]: columns };
  throw new InputError(`${path} has no rows.`); // `end` refuses such a table
}

function rangeColumns({ rows, cols, features, samplesAre, opened }: MatrixRanges): ColumnFile {
  const count = Math.max(1, Math.floor(blockEntries / rows));
  async function* columns(): AsyncGenerator<Matrix> {
    const file = await opened();
    try {
      for (let from = 0; from < cols; from += count) yield await file.read(from, Math.min(cols, from + count));
    } finally {
      await file.close();
    }
  }
  return { rows, cols, features, streamed: true, samplesAre, [Symbol.asyncIterator]: columns };
}
