/** The files of a fit of a sweep, read as `orthant fit` reads them. */
import type { Absent } from '../data/missing.js';
import { methodOf } from '../methods/methods.js';
import type { JobInputs } from '../sweep/job.js';
import type { SweepSpec } from '../sweep/plan.js';
import { type Data, type Reading, readData, readWeights } from './data-file.js';
import { readGivenLabels } from './labels.js';
import type { MethodOptions } from './method-options.js';
import { withOwnMatrices } from './own-matrices.js';

/** The options of a method whose values are names of files. */
export function fileOptionsOf(method: SweepSpec['method']): string[] {
  const ofFiles = ['matrix', 'ownMatrix', 'labels'];
  return Object.entries(methodOf(method).options).flatMap(([name, { kind }]) => (ofFiles.includes(kind) ? [name] : []));
}

type Files = Pick<SweepSpec, 'method' | 'data' | 'files' | 'options'>;

/** The same with what was read in the data, and notes, for a summary. */
export async function readFitData({ method, data: source, files, options }: Files): Promise<{ inputs: JobInputs; data: Data }> {
  const { path, samples, table } = source;
  const reading: Reading = { samples, table, input: { signal: new AbortController().signal } };
  const { absent, unlabelled } = options as { absent?: Absent; unlabelled?: string[] };
  const data = await readData(path, reading, method, { absent });
  const { X, features, sampleNames, image } = data;
  const weights = files.weights ? await readWeights(files.weights.path, data, reading, method) : data.weights;
  const given = files.labels && { samples: X.cols, names: sampleNames, unlabelled };
  const labels = given && (await readGivenLabels(files.labels.path, files.truth?.path, given));
  data.notes.push(...(labels?.notes ?? []));
  const paths = Object.entries(files).flatMap(([option, { path }]) =>
    methodOf(method).options[option]?.kind === 'ownMatrix' ? [[option, path]] : [],
  );
  const matrices = await withOwnMatrices(Object.fromEntries(paths) as MethodOptions, data, method);
  const own = { weights, labels: labels?.labels, truth: labels?.truth, unlabelled: labels && [], ...matrices };
  return {
    data,
    inputs: {
      X,
      options: Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
      names: { features, samples: sampleNames, image },
    },
  };
}

/** The reader of jobs: see `serveJobs`. */
export async function readJobInputs(job: Files): Promise<JobInputs> {
  return (await readFitData(job)).inputs;
}
