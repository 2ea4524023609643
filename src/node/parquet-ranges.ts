/** The columns of a .parquet file, row group by row group, whichever side its samples are. */
import { besideEachOther, columnsBetween } from '../data/columns.js';
import { type Matrix, transpose } from '../data/matrix.js';
import { parquet } from '../formats/parquet.js';
import type { MatrixRanges, OpenRanges } from './file-ranges.js';
import { checkReadable } from './files.js';
import { foreignThread, haveThreads } from './foreign.js';
import { type OpenParquetFile, openParquetFile } from './parquet-file.js';

/** What the footer says. Throws InputError for a file that is no matrix. */
export async function parquetRanges(path: string, samples: 'rows' | 'columns'): Promise<MatrixRanges> {
  const file = await opened(path);
  const { rows, columns, rowNames, columnNames } = file.shape;
  await file.close();
  return samples === 'rows'
    ? { rows: columns, cols: rows, samplesAre: samples, features: columnNames, sampleNames: rowNames, opened: () => byGroups(path) }
    : { rows, cols: columns, samplesAre: samples, features: rowNames, sampleNames: columnNames, opened: () => byColumns(path) };
}

/** The file in a thread of its own, which decodes while the device computes. */
async function opened(path: string): Promise<OpenParquetFile> {
  if (!haveThreads()) return openParquetFile(path);
  const { ask, end } = foreignThread({ name: parquet.name, source: path }, await checkReadable(path));
  try {
    const shape = (await ask('ranges')).ranges!;
    return { shape, part: async (range) => (await ask(range)).part!, close: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Samples are columns of the file: all row groups have a part of each. */
async function byColumns(path: string): Promise<OpenRanges> {
  const { part, close } = await opened(path);
  return { read: (from, to) => part({ of: 'columns', from, to }), close };
}

/** Samples are rows of the file. A row group is decoded as a whole; the last one stays in memory for the range after. */
async function byGroups(path: string): Promise<OpenRanges> {
  const { shape, part, close } = await opened(path);
  const { groupEnds } = shape;
  let kept: { n: number; X: Matrix } | undefined;
  async function group(n: number, begin: number): Promise<Matrix> {
    if (kept?.n === n) return kept.X;
    kept = undefined; // no two groups at once
    kept = { n, X: transpose(await part({ of: 'rows', from: begin, to: groupEnds[n] })) };
    return kept.X;
  }
  async function samples(from: number, to: number): Promise<Matrix> {
    const parts: Matrix[] = [];
    for (let at = from; at < to; ) {
      const n = groupEnds.findIndex((end) => at < end);
      const begin = n === 0 ? 0 : groupEnds[n - 1];
      const end = Math.min(to, groupEnds[n]);
      parts.push(columnsBetween(await group(n, begin), at - begin, end - begin) as Matrix);
      at = end;
    }
    return besideEachOther(parts) as Matrix;
  }
  // Two ranges at once would decode one group twice.
  let last: Promise<unknown> = Promise.resolve();
  return {
    read(from, to) {
      const range = last.then(() => samples(from, to));
      last = range.catch(() => undefined);
      return range;
    },
    close,
  };
}
