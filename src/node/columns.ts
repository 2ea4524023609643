/** X as columns that are read again in every pass, from files. */
import { extname } from 'node:path';
import { type Columns, columnsOfMatrix } from '../data/columns.js';
import { isSparse } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { type ReadMatrix, type ReadMatrixOptions, readMatrix } from './files.js';
import { npyRanges } from './npy-ranges.js';

/** Columns of a file. */
export interface OpenColumns extends Columns {
  /** Whether no more than what is asked for is in memory. */
  readonly streamed: boolean;
  readonly samplesAre: 'rows' | 'columns';
  /** Names of the features and of the samples, where the file has them. */
  readonly features?: readonly string[];
  readonly sampleNames?: readonly string[];
}

/**
 * The columns (samples) of the matrix in a file, for `scanColumns`: of a .npy by ranges of bytes, whichever side its samples are. Any other
 * file is read whole and kept in memory; only its panels go to the device one by one. The options are those of `readMatrix`.
 *
 * @throws InputError as `readMatrix`, and for a file with cells without a value.
 */
export async function openColumns(path: string, options: ReadMatrixOptions = {}): Promise<OpenColumns> {
  if (extname(path).toLowerCase() === '.npy') {
    const { rows, cols, samplesAre, opened } = await npyRanges(path, options);
    const file = await opened();
    return { rows, cols, sparse: false, streamed: true, samplesAre, read: file.read, close: file.close };
  }
  return columnsInMemory(path, await readMatrix(path, options), options);
}

/** The columns of a matrix that was read whole. */
export function columnsInMemory(path: string, file: ReadMatrix, { samples = 'rows' }: ReadMatrixOptions): OpenColumns {
  const { X, features, weights, samplesAre = samples } = file;
  if (weights)
    throw new InputError(
      `${path} has cells without a value, and a fit by panels needs all of them; leave out their rows or columns, or fit it without panels.`,
    );
  return { ...columnsOfMatrix(X), sparse: isSparse(X), streamed: false, samplesAre, features, sampleNames: file.samples };
}
