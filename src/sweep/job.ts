/** A job as a fit in this process. */
import type { DataMatrix } from '../data/sparse.js';
import type { AbortSignalLike, Engine } from '../engine.js';
import { InputError } from '../errors.js';
import type { ImageSize } from '../formats/file-format.js';
import type { FitOptions } from '../methods/factorization.js';
import { type Factorization, methodOf } from '../methods/methods.js';
import type { SavedModel } from '../models/files.js';
import { saveModel } from '../node/model-folder.js';
import type { Job } from './plan.js';

/** What the files of a job hold. */
export interface JobInputs {
  /** N×M, columns are samples. */
  X: DataMatrix;
  /** Options whose values come from files: weights, labels, … */
  options: Readonly<Record<string, unknown>>;
  /** Names that go into the model. */
  names: { features?: readonly string[]; samples?: readonly string[]; image?: ImageSize };
}

/** Reads the files of a job. The command line gives one, so that a job reads as `orthant fit` does. */
export type JobReader = (job: Job) => Promise<JobInputs>;

/** How far a job is. */
export interface JobProgress {
  stage: string;
  iteration: number;
  maxIterations: number;
  relativeError: number;
}

/** What a job has come to, for whoever has not read the model. */
export interface JobOutcome {
  relativeError: number;
  iterations: number;
  stopReason: Factorization['stopReason'];
  elapsedMs: number;
  /** The device in one line. */
  device: string;
}

/** Throws InputError for a job that another version of orthant planned. */
export function checkVersion(job: Pick<Job, 'version'>, version: string): void {
  if (job.version === version) return;
  throw new InputError(
    `The job was planned by orthant ${job.version}, and this is orthant ${version}, which may give other bits; run the same version.`,
  );
}

/**
 * The fit of a job: its seed, one restart. The same job gives the same bits on the same adapter.
 *
 * @throws as the fit of its method.
 */
export async function fitJob(
  engine: Engine,
  job: Job,
  { X, options, names }: JobInputs,
  { onProgress, signal }: { onProgress?: (progress: JobProgress) => void; signal?: AbortSignalLike } = {},
): Promise<SavedModel> {
  const { ranks, seed, svdBound } = job;
  const { halfInputs: _, ...own } = job.options;
  const fitOptions = { ...own, ...options, ranks, seed, restarts: 1, svdBound, onProgress: told(onProgress), signal };
  const model = (await methodOf(job.method).fit(engine, X, fitOptions as FitOptions)) as Factorization;
  return { ...model, ...Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined)) };
}

/** A progress callback of a fit that passes on plain data, and ends nothing. */
function told(onProgress?: (progress: JobProgress) => void): FitOptions['onProgress'] {
  return (
    onProgress && (({ stage, iteration, maxIterations, relativeError }) => onProgress({ stage, iteration, maxIterations, relativeError }))
  );
}

/** Writes the model of a job into a folder, whole or not at all: see `saveModel`. */
export async function saveJob(dir: string, job: Job, model: SavedModel, { kind, description, software }: Engine): Promise<JobOutcome> {
  const { id, version, data, method, options, files } = job;
  const settings = { matrix: data.path, samples: data.samples, ...data.table, method, ...options, restarts: 1 };
  const named = Object.fromEntries(Object.entries(files).map(([option, { path }]) => [option, path]));
  const extra = { orthant: version, options: { ...settings, ...named }, device: { kind, description, software }, job: id };
  await saveModel(dir, model, extra, { format: 'safetensors' });
  const { relativeError, iterations, stopReason, elapsedMs } = model as Factorization;
  return { relativeError, iterations, stopReason, elapsedMs, device: description };
}
