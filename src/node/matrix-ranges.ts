/** The formats whose samples are read from a file by ranges. */
import { extname } from 'node:path';
import { InputError } from '../errors.js';
import type { MatrixRanges } from './file-ranges.js';
import type { ReadMatrixOptions } from './files.js';
import { npyRanges } from './npy-ranges.js';
import { parquetRanges } from './parquet-ranges.js';

const readers: Record<string, typeof npyRanges> = { '.npy': npyRanges, '.parquet': parquetRanges };

/**
 * The samples of a matrix in a file, or undefined for a format that is not read so. Throws InputError for a file that is no matrix, and for
 * options of tables of text.
 */
export async function rangesOf(path: string, options: ReadMatrixOptions): Promise<MatrixRanges | undefined> {
  const { samples = 'rows', ...table } = options;
  const reader = readers[extname(path).toLowerCase()];
  if (!reader) return undefined;
  const [option] = Object.entries(table).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (option !== undefined) throw new InputError(`${option} is for tables of text, and '${path}' is none; leave it out.`, { option });
  return reader(path, samples);
}
