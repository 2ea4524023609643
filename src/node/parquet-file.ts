/** A .parquet file of which row groups are read one at a time. */
import { open } from 'node:fs/promises';
import type { Matrix } from '../data/matrix.js';
import { openParquet } from '../formats/parquet.js';
import { bytesAt } from './file-ranges.js';
import { checkReadable } from './files.js';
import type { Question, RangesShape } from './foreign.js';

export interface OpenParquetFile {
  shape: RangesShape;
  /** Rows or columns of it, as they lie in the file. */
  part(range: Exclude<Question, string>): Promise<Matrix>;
  close(): Promise<void>;
}

/** Opens it in this thread. Throws InputError as `readMatrix`. */
export async function openParquetFile(path: string): Promise<OpenParquetFile> {
  const byteLength = await checkReadable(path);
  const file = await open(path);
  try {
    const slice = async (start: number, end = byteLength) => (await bytesAt(file, start, Math.min(end, byteLength) - start)).buffer;
    const { readRows, readColumns, ...shape } = await openParquet({ byteLength, slice }, path);
    return {
      shape,
      part: ({ of, from, to }) => (of === 'rows' ? readRows(from, to) : readColumns(from, to)),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}
