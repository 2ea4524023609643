/** What the fits of a sweep say together. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../data/median.js';
import { InputError } from '../errors.js';
import type { Factorization } from '../methods/methods.js';
import { loadModel } from '../node/model-folder.js';
import { samplesOf } from '../ranks/choose.js';
import { consensus, largestComponents } from '../ranks/consensus.js';
import { type Job, jobsOf, type SweepSpec } from './plan.js';
import { doneIn, type Failure, failuresIn, fitFolder } from './sweep-folder.js';

/** What the fits of one ranks have come to. */
export interface RanksSummary {
  ranks: number[];
  /** Fits that have a model. */
  fits: number;
  /** The fit with the least objective, which is the relative error where a model states no objective; null without fits. */
  best: { seed: number; relativeError: number; id: string; model: string } | null;
  /** Of the relative errors of all fits; null without fits. */
  median: number | null;
  largest: number | null;
  /** Their standard deviation; null of fewer than two. */
  standardDeviation: number | null;
  svdBound: number | null;
  /** Of `nmf` and two fits or more: how far they agree on which samples belong together; see `consensus`. Else null. */
  cophenetic: number | null;
  dispersion: number | null;
}

/** A job by what people know it by. */
export type NamedJob = Pick<Job, 'id' | 'ranks' | 'seed'>;

/** What summary.json holds. */
export interface SweepSummary {
  sweep: SweepSpec;
  /** Whether every job has a model. */
  complete: boolean;
  results: RanksSummary[];
  failed: Failure[];
  /** Jobs that nobody has done. */
  missing: NamedJob[];
  /** The devices that computed, in one line each. Bits of different ones differ. */
  devices: string[];
}

/** The fields of a model.json that are read here. Its `id` is that of the model, not of the job. */
type FitFacts = Pick<Factorization, 'seed' | 'relativeError' | 'objective' | 'divergence' | 'svdBound'> & {
  device?: { description?: string };
};

/** The summary of what is in a folder. Throws InputError for a model that is damaged. */
export async function summaryOf(dir: string, spec: SweepSpec): Promise<SweepSummary> {
  const jobs = jobsOf(spec);
  const done = await doneIn(dir);
  const known = new Set(jobs.map(({ id }) => id));
  const failed = (await failuresIn(dir, done)).filter(({ id }) => known.has(id));
  const gone = new Set(failed.map(({ id }) => id));
  const devices = new Set<string>();
  const results: RanksSummary[] = [];
  for (const ranks of spec.ranks) {
    const own = jobs.filter((job) => job.ranks.join() === ranks.join() && done.has(job.id));
    const fits = await Promise.all(own.map(async ({ id }) => ({ ...(await factsOf(dir, id)), id })));
    for (const { device } of fits) if (device?.description) devices.add(device.description);
    results.push({ ranks, fits: fits.length, ...errorsOf(fits), ...(await agreementOf(dir, spec, own)) });
  }
  const named = ({ id, ranks, seed }: Job): NamedJob => ({ id, ranks, seed });
  const missing = jobs.filter(({ id }) => !done.has(id) && !gone.has(id)).map(named);
  const order = (id: string) => jobs.findIndex((job) => job.id === id);
  return {
    sweep: spec,
    complete: jobs.every(({ id }) => done.has(id)),
    results,
    failed: failed.sort((a, b) => order(a.id) - order(b.id)),
    missing,
    devices: [...devices],
  };
}

async function factsOf(dir: string, id: string): Promise<FitFacts> {
  const path = join(fitFolder(dir, id), 'model.json');
  try {
    const facts = JSON.parse(await readFile(path, 'utf8')) as FitFacts;
    if (typeof facts.relativeError !== 'number') throw new Error('it has no relativeError');
    return facts;
  } catch (error) {
    throw new InputError(
      `'${path}' is damaged (${(error as Error).message}). Remove the folder '${fitFolder(dir, id)}' and start the sweep again, which then does this fit anew.`,
      { cause: error },
    );
  }
}

function errorsOf(fits: readonly (FitFacts & { id: string })[]) {
  if (fits.length === 0) return { best: null, median: null, largest: null, standardDeviation: null, svdBound: null };
  const objective = (fit: FitFacts) => fit.objective ?? fit.divergence ?? fit.relativeError;
  const best = fits.reduce((least, fit) => (objective(fit) < objective(least) ? fit : least));
  const errors = fits.map(({ relativeError }) => relativeError);
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const variance = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / (errors.length - 1);
  return {
    best: { seed: best.seed, relativeError: best.relativeError, id: best.id, model: `fits/${best.id}` },
    median: median(errors),
    largest: Math.max(...errors),
    standardDeviation: errors.length < 2 ? null : Math.sqrt(variance),
    svdBound: fits.find(({ svdBound }) => svdBound !== null)?.svdBound ?? null,
  };
}

/** How far the fits of one rank agree. One model at a time is in memory. */
async function agreementOf(dir: string, { method, seed }: SweepSpec, jobs: readonly Job[]) {
  const none = { cophenetic: null, dispersion: null };
  if (method !== 'nmf' || jobs.length < 2) return none;
  const clusterings: Int32Array[] = [];
  for (const { id } of jobs) {
    const folder = fitFolder(dir, id);
    const { A, S } = await loadModel(folder).catch((error: Error) => {
      throw new InputError(`The fit in '${folder}' is damaged. ${error.message} Remove that folder; the same sweep makes it again.`, {
        cause: error,
      });
    });
    clusterings.push(largestComponents(A[0], S[0], samplesOf(S[0].cols, seed)));
  }
  const { cophenetic, dispersion } = consensus(clusterings);
  // Where every two samples are together, or every two are apart, there is no correlation.
  return { cophenetic: Number.isFinite(cophenetic) ? cophenetic : null, dispersion };
}
