import type { CoordinateOptions } from '../formats/coordinates.js';
import { type ReadTensor, tensorFormatOf, tensorIn } from '../formats/tensor-file.js';
import { readWhole } from './files.js';
import { readColumns } from './foreign.js';

/**
 * The tensor in a file, by the end of its name: a dense one of .npy or .npz, a sparse one of a table. See `parseTensor`, whose options it has.
 *
 * @throws InputError for a file that is missing or empty, and whatever `parseTensor` throws.
 */
export async function readTensor(path: string, options: CoordinateOptions = {}): Promise<ReadTensor> {
  const format = tensorFormatOf(path);
  const bytes = await readWhole(path);
  return tensorIn(bytes, path, format, options, (table) => readColumns(table, bytes, path));
}
