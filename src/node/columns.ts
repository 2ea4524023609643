/** X as columns that are read again in every pass, from files. */
import { besideEachOther, type Columns, columnsOfMatrix } from '../data/columns.js';
import { type DataMatrix, isSparse } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { type ReadMatrix, type ReadMatrixOptions, readMatrix } from './files.js';
import { rangesOf } from './matrix-ranges.js';

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
 * The columns (samples) of the matrix in a file, for `scanColumns`: of a .npy by ranges of bytes and of a .parquet by row groups, whichever
 * side its samples are; of a .parquet the last row group stays in memory. Any other file is read whole and kept in memory; only its panels go
 * to the device one by one. A list of files are shards, each with the samples that
 * follow those of the one before: one is in memory at a time. The options are those of `readMatrix`.
 *
 * @throws InputError as `readMatrix`, and for a file with cells without a value.
 */
export async function openColumns(path: string | readonly string[], options: ReadMatrixOptions = {}): Promise<OpenColumns> {
  if (typeof path !== 'string') return shards(path, options);
  const ranges = await rangesOf(path, options);
  if (ranges) {
    const { opened, ...shape } = ranges;
    return { ...shape, sparse: false, streamed: true, ...(await opened()) };
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

/** Files one after the other. Each is looked at once for its shape, and read again when a range meets it; the last one stays in memory. */
async function shards(paths: readonly string[], options: ReadMatrixOptions): Promise<OpenColumns> {
  if (paths.length === 0) throw new InputError('A list of shards has no file; name one at least.');
  const ends: number[] = [];
  let first: OpenColumns | undefined;
  for (const path of paths) {
    const shard = await openColumns(path, options);
    first ??= shard;
    if (shard.rows !== first.rows || shard.sparse !== first.sparse) {
      await Promise.all([shard.close?.(), first.close?.()]);
      throw new InputError(
        `${path} is ${shard.sparse ? 'sparse' : 'dense'} with ${shard.rows} features, but ${paths[0]} is ${first.sparse ? 'sparse' : 'dense'} with ${first.rows}; shards of one matrix are alike.`,
      );
    }
    ends.push((ends.at(-1) ?? 0) + shard.cols);
    if (shard !== first) await shard.close?.();
  }
  await first!.close?.();
  let open: { n: number; shard: OpenColumns } | undefined;
  const opened = async (n: number): Promise<OpenColumns> => {
    if (open?.n === n) return open.shard;
    await open?.shard.close?.();
    open = { n, shard: await openColumns(paths[n], options) };
    return open.shard;
  };
  return {
    rows: first!.rows,
    cols: ends[ends.length - 1],
    sparse: first!.sparse,
    streamed: true,
    samplesAre: first!.samplesAre,
    features: first!.features,
    async read(from, to) {
      const parts: DataMatrix[] = [];
      for (let at = from; at < to; ) {
        const n = ends.findIndex((end) => at < end);
        const begin = n === 0 ? 0 : ends[n - 1];
        const end = Math.min(to, ends[n]);
        parts.push(await (await opened(n)).read(at - begin, end - begin));
        at = end;
      }
      return besideEachOther(parts);
    },
    async close() {
      await open?.shard.close?.();
      open = undefined;
    },
  };
}
