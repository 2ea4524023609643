/** A sweep as plain data, and its jobs: one fit of one start for each of its ranks and seeds. */
import { sha256 } from '../data/sha256.js';
import { InputError } from '../errors.js';
import type { TableOptions } from '../formats/table-options.js';
import type { Method } from '../methods/methods.js';
import { restartsOf } from '../methods/start.js';

/** A file, or a folder of files, that a fit reads. */
export interface Source {
  path: string;
  /** SHA-256 of its bytes in hexadecimal digits: see `hashOf`. */
  hash: string;
}

/** The matrix, and how it lies in its file. */
export interface DataSource extends Source {
  samples: 'rows' | 'columns';
  table: TableOptions;
}

/** What a sweep is. It is plain JSON, and the content of sweep.json. */
export interface SweepSpec {
  /** The version of orthant that planned it. Another one may give other bits, and so refuses its jobs. */
  version: string;
  method: Method;
  data: DataSource;
  /** Options of the fit and of the method that are plain data, by their names in the library. */
  options: Record<string, unknown>;
  /** Files that options of the method name, such as weights and labels, by the names of the options. */
  files: Record<string, Source>;
  /** The ranks of each fit; of several layers several. */
  ranks: number[][];
  /** Fits of each ranks. Number r has the seed `seed` + r. */
  restarts: number;
  seed: number;
  /** Whether the first fit of each ranks has the SVD bound. */
  svdBound: boolean;
}

/** One fit. It is plain JSON. */
export interface Job extends Pick<SweepSpec, 'version' | 'method' | 'data' | 'options' | 'files'> {
  /** SHA-256 of all that decides about the bits of the result: see `jobId`. */
  id: string;
  ranks: number[];
  seed: number;
  /** Whether the model states the SVD bound, which changes no factor. */
  svdBound: boolean;
}

const largestSeed = 2 ** 32 - 1;

/** Restarts of a sweep where nothing else is said. */
export const defaultRestarts = 20;

/**
 * The specification with its restarts filled in: 20, and 1 where every one would begin alike.
 *
 * @throws InputError for more than one restart of such a start, for ranks that are there twice, for a seed that ends beyond 2³² − 1.
 */
export function sweepOf({ restarts, ...given }: Omit<SweepSpec, 'restarts'> & { restarts?: number }): SweepSpec {
  const { seed, ranks, options } = given;
  const spec: SweepSpec = { ...given, restarts: restartsOf({ restarts, start: options.start }, defaultRestarts) };
  if (ranks.length === 0) throw new InputError('A sweep needs ranks to fit; none are given.', { option: 'ranks' });
  const twice = ranks.find((one, at) => ranks.findIndex((other) => other.join() === one.join()) < at);
  if (twice) throw new InputError(`The option 'ranks' has ${twice.join(',')} twice; give it once.`, { option: 'ranks' });
  const last = seed + spec.restarts - 1;
  if (last > largestSeed)
    throw new InputError(
      `The ${spec.restarts} restarts from seed ${seed} on have seeds up to ${last}, but the largest is ${largestSeed}; give a smaller one.`,
      { option: 'seed' },
    );
  return spec;
}

/**
 * The jobs of a sweep, in the order of its ranks and of each in that of the seeds. Job (ranks, seed + r) is the fit with that seed and one
 * restart, whatever else is in the sweep: no method makes its result depend on anything but that.
 */
export function jobsOf(spec: SweepSpec): Job[] {
  const { version, method, data, options, files, seed, restarts } = spec;
  return spec.ranks.flatMap((ranks) =>
    Array.from({ length: restarts }, (_, restart) => {
      const job = { version, method, data, options, files, ranks, seed: seed + restart, svdBound: spec.svdBound && restart === 0 };
      return { id: jobId(job), ...job };
    }),
  );
}

/**
 * SHA-256 of the data and files by their hashes, how the data are read, method, options, ranks, seed and version. Where the data lie, and
 * what a result states beside its factors, is not in it.
 */
export function jobId({ version, method, data, options, files, ranks, seed }: Omit<Job, 'id'>): string {
  const hashes = Object.fromEntries(Object.entries(files).map(([option, { hash }]) => [option, hash]));
  const { hash, samples, table } = data;
  return sha256(canonical({ version, method, data: { hash, samples, table }, options, files: hashes, ranks, seed }));
}

/** JSON with the fields of every object in the order of their names, and without those that are undefined. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`)
    .join(',')}}`;
}

/** A job in words: 'rank 5, seed 3'. */
export function nameOf({ ranks, seed }: Pick<Job, 'ranks' | 'seed'>): string {
  return `${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.join(',')}, seed ${seed}`;
}
