/** What the methods' fits share: options, the loop with its stopping rule, and the result. */
import { checkFinite, checkNonnegative, checkPositiveInteger, checkRanks, checkSeed } from '../data/check.js';
import { type Matrix, matrix } from '../data/matrix.js';
import { random } from '../data/random.js';
import { type DataMatrix, isSparse, stored } from '../data/sparse.js';
import { svdBounds } from '../data/svd-bound.js';
import type { AbortSignalLike, Run } from '../engine.js';
import { BreakdownError, CancelledError, InputError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { Accuracy, Classifier } from './labels.js';
import { countNegative } from './q.js';
import { refinedError } from './sparse-error.js';

export interface FitOptions {
  /** Seed of the random starts; default 0. The same seed on the same adapter gives bit-equal results. */
  seed?: number;
  /** Independent starts that run side by side in one batch; the one with the smallest final error is returned. Default 1. */
  restarts?: number;
  /** Most iterations of one stage. Defaults differ by method. */
  maxIterations?: number;
  /**
   * A restart has settled when its objective fell by no more than this fraction of its current value, per iteration, between two checks,
   * or when it could not reach the best one by maxIterations even at its present rate. Converged when all have. Defaults differ by
   * method; 0 runs maxIterations.
   */
  tolerance?: number;
  /**
   * 'objective' (default): see tolerance. 'initialError': a restart has settled when its error (the root of its objective) fell by less
   * than `tolerance` (default 1e-4) times its error at the start, between two checks. That is the early stop of earlier implementations:
   * it ends long before convergence, the sooner the worse the start, and is here to show what those did.
   */
  stopping?: Stopping;
  /** Iterations between two checks, recorded and submitted together; default 10. */
  checkEvery?: number;
  /** Compute the SVD bound (f64 on the CPU; exact while min(N, M) ≤ 2000, else a randomised estimate). Default true. */
  svdBound?: boolean;
  /** Called at every check, one check behind the device. Returning false ends the fit with what was reached. */
  onProgress?: (progress: Progress) => unknown;
  /** Aborting rejects the fit with CancelledError. */
  signal?: AbortSignalLike;
}

export interface Progress {
  /** What is being fitted, e.g. "layer 1 of 3" or "all layers". */
  stage: string;
  iteration: number;
  maxIterations: number;
  /** ‖X − X̂‖ / ‖X‖ of the best restart, of this stage's own objective. */
  relativeError: number;
  elapsedMs: number;
  /**
   * Reads the factors of the best restart. They are those of the batch that is queued already, up to `checkEvery` iterations after
   * `iteration`. Reading does not change the fit; the promise rejects if the fit ends first.
   */
  factors(): Promise<{ A: Matrix[]; S: Matrix[] }>;
}

/** Error of X ≈ A⁰…AˡSˡ at one depth. */
export interface Layer {
  rank: number;
  /** ‖X − A⁰…AˡSˡ‖ / ‖X‖. */
  relativeError: number;
  /** The smallest relative error any factorization of this rank can have; null when it was switched off. */
  svdBound: number | null;
}

export type Stopping = 'objective' | 'initialError';

export type StopReason = 'tolerance' | 'maxIterations' | 'stopped' | 'exact';

export type Method = 'nmf' | 'ssnmf' | 'hierarchical' | 'deep' | 'deep-semi' | 'unfolded' | 'sparse-coding' | 'neural';

/** What supervision adds to a factorization. */
export interface Supervision {
  classes: string[];
  classifiers: Classifier[];
  accuracy: Accuracy;
}

/** A fitted model: plain data, so that it can be posted to a worker or stored as it is. */
export interface Factorization {
  method: Method;
  ranks: number[];
  /** A[0] is N×k₀, A[l] is k_{l−1}×k_l; every entry ≥ 0. */
  A: Matrix[];
  /** S[l] is k_l×M; every entry ≥ 0. */
  S: Matrix[];
  /** Of the whole factorization: that of the last layer. */
  relativeError: number;
  /** Of the whole factorization; null when it was switched off. */
  svdBound: number | null;
  svdBoundMethod: 'exact' | 'randomised' | null;
  layers: Layer[];
  /**
   * How far the factors are from satisfying the KKT conditions, relative to the largest |AᵀX| of a column, worst case. For 'neural' of
   * every q (about 1e-7 always); for 'nmf' and 'hierarchical' of both factors of every layer, so it tells how converged they are.
   */
  kktResidual: number;
  /** Columns of S, over all layers, whose exact solve ran out of its iteration budget: their S is feasible, not optimal. 0 as a rule. */
  unconverged: number;
  /** Relative error of the best restart at each check. */
  history: { stage: string; iteration: number; relativeError: number }[];
  /** Iterations of all stages. */
  iterations: number;
  converged: boolean;
  stopReason: StopReason;
  /** Final relative error of each restart, and which one was kept. */
  restartErrors: number[];
  restart: number;
  seed: number;
  /** The method's own settings, as far as applying the model to new data needs them. */
  settings: Record<string, unknown>;
  /** Null without labels. */
  supervision: Supervision | null;
  elapsedMs: number;
}

export interface Settings {
  seed: number;
  restarts: number;
  maxIterations: number;
  tolerance: number;
  stopping: Stopping;
  checkEvery: number;
  svdBound: boolean;
  onProgress?: FitOptions['onProgress'];
  signal?: AbortSignalLike;
  /** Set once onProgress returned false: the stages that are left do nothing. */
  stopped: boolean;
}

/** Checks X (≥ 0 unless `signed`), ranks and options, and fills in the defaults. Throws InputError before anything is allocated. */
export function checkFit(
  X: DataMatrix,
  ranks: readonly number[],
  options: FitOptions,
  defaults: { maxIterations: number; tolerance: number },
  { signed = false }: { signed?: boolean } = {},
): Settings {
  if (signed) checkFinite(X);
  else checkNonnegative(X);
  checkRanks(ranks, X.rows, X.cols);
  const { stopping = 'objective' } = options;
  if (stopping !== 'objective' && stopping !== 'initialError')
    throw new InputError(`stopping must be 'objective' or 'initialError', not ${JSON.stringify(stopping)}.`);
  const settings: Settings = {
    seed: options.seed ?? 0,
    restarts: options.restarts ?? 1,
    maxIterations: options.maxIterations ?? defaults.maxIterations,
    tolerance: options.tolerance ?? (stopping === 'initialError' ? 1e-4 : defaults.tolerance),
    stopping,
    checkEvery: options.checkEvery ?? 10,
    svdBound: options.svdBound ?? true,
    onProgress: options.onProgress,
    signal: options.signal,
    stopped: false,
  };
  checkSeed(settings.seed);
  checkPositiveInteger('restarts', settings.restarts);
  checkPositiveInteger('maxIterations', settings.maxIterations);
  checkPositiveInteger('checkEvery', settings.checkEvery);
  if (!(settings.tolerance >= 0 && settings.tolerance < 1))
    throw new InputError(`tolerance must be a number from 0 up to 1, not ${settings.tolerance}.`);
  if (stored(X).every((x) => x === 0)) throw new InputError('Every entry of X is zero; there is nothing to factorize.');
  return settings;
}

/** Writes X in its own form. */
export function writeMatrix(run: Run, tensor: Tensor, X: DataMatrix): void {
  run.write(tensor, isSparse(X) ? X : X.data);
}

export function squaredNorm(entries: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < entries.length; i++) total += entries[i] * entries[i];
  return total;
}

/** `restarts` random factors one after another, each from a stream of its own: |N(0,1)| · scale. */
export function randomFactors(rows: number, cols: number, { seed, restarts }: Settings, layer: number, scale = 1): Float32Array {
  const size = rows * cols;
  const entries = new Float32Array(size * restarts);
  for (let restart = 0; restart < restarts; restart++) {
    const r = random(seed ^ Math.imul(restart + 1, 0x9e3779b1) ^ Math.imul(layer + 1, 0x85ebca77));
    for (let i = 0; i < size; i++) entries[restart * size + i] = Math.abs(r.normal()) * scale;
  }
  return entries;
}

/** One stage of a fit: a section that is repeated until its objective settles. */
export interface Stage {
  name: string;
  step: string;
  /** Section that refreshes `cost`, where `step` does not. */
  measure?: string;
  cost: Tensor;
  /** Where in each restart's row of `cost` the objective stands. */
  costAt?: number;
  /** Squared norm of what is being fitted, for relative errors of this stage; from the device where it is a tensor of the run. */
  norm: number[];
  maxIterations: number;
  factors(restart: number): Promise<{ A: Matrix[]; S: Matrix[] }>;
}

export interface StageResult {
  /** Objective of each restart at the last check. */
  costs: number[];
  iterations: number;
  stopReason: StopReason;
  /** Relative errors of every restart at each check. */
  checks: { iteration: number; errors: number[] }[];
}

/** Below this fraction of ‖X‖² the f32 objective is rounding noise. */
const exact = 1e-12;

/**
 * Repeats a stage in batches of `checkEvery` iterations. Objectives are read one check behind: while the host looks at the last
 * batch's, the next one is queued already, so the device never waits. With the early stop the host looks first, from the start on, so that
 * a fit ends exactly where it would have ended elsewhere.
 */
export async function runStage(run: Run, stage: Stage, settings: Settings, started: number): Promise<StageResult> {
  const { restarts, tolerance, stopping, checkEvery, onProgress, signal } = settings;
  const checks: StageResult['checks'] = [];
  let previous: number[] | undefined;
  let queued: { iteration: number; values: Promise<Float32Array | Float64Array> } | undefined;
  let iteration = 0;
  let costs: number[] = [];
  let initial: number[] | undefined;
  const measured = () => {
    if (stage.measure) run.execute(stage.measure);
    const values = run.sample([stage.cost]).then(([cost]) => cost);
    values.catch(() => {}); // a failure surfaces where the value is awaited
    return { iteration, values };
  };
  const finish = (stopReason: StopReason): StageResult => ({ costs, iterations: iteration, stopReason, checks });

  if (settings.stopped) return finish('stopped');
  if (stopping === 'initialError') queued = measured();
  while (iteration < stage.maxIterations || queued !== undefined) {
    if (signal?.aborted) throw new CancelledError('The fit was cancelled.', { cause: signal.reason });
    let next: typeof queued;
    if (iteration < stage.maxIterations && (stopping === 'objective' || queued === undefined)) {
      const times = Math.min(checkEvery, stage.maxIterations - iteration);
      run.execute(stage.step, times);
      iteration += times;
      next = measured();
    }
    if (queued !== undefined) {
      const { iteration: checked, values } = queued;
      const read = await values;
      const width = read.length / restarts;
      costs = Array.from({ length: restarts }, (_, r) => read[r * width + (stage.costAt ?? 0)]);
      if (costs.some((cost) => !Number.isFinite(cost))) {
        throw new BreakdownError(
          `${stage.name}: the objective became ${costs.find((cost) => !Number.isFinite(cost))} by iteration ${checked}. Scale the data to a moderate range and fit again.`,
        );
      }
      const errors = costs.map((cost, r) => Math.sqrt(cost / stage.norm[r]));
      checks.push({ iteration: checked, errors });
      const best = smallest(errors);
      const go = onProgress?.({
        stage: stage.name,
        iteration: checked,
        maxIterations: stage.maxIterations,
        relativeError: errors[best],
        elapsedMs: performance.now() - started,
        factors: () => stage.factors(best),
      });
      if (go === false) {
        settings.stopped = true;
        return finish('stopped');
      }
      if (costs.every((cost, r) => cost <= exact * stage.norm[r])) return finish('exact');
      const since = checked - (checks.at(-2)?.iteration ?? 0);
      initial ??= costs;
      const settled =
        stopping === 'objective'
          ? previous && allSettled(previous, costs, since, stage.maxIterations - checked, tolerance)
          : previous && allSlow(previous, costs, initial, tolerance);
      if (settled && tolerance > 0) return finish('tolerance');
      previous = costs;
    }
    queued = next;
  }
  return finish('maxIterations');
}

/** See FitOptions.tolerance. */
function allSettled(before: readonly number[], costs: readonly number[], since: number, left: number, tolerance: number): boolean {
  const best = Math.min(...costs);
  return costs.every((cost, r) => {
    const perIteration = (before[r] - cost) / since;
    return perIteration <= tolerance * cost || cost - perIteration * left > best;
  });
}

/** See FitOptions.stopping. */
function allSlow(before: readonly number[], costs: readonly number[], initial: readonly number[], tolerance: number): boolean {
  return costs.every((cost, r) => Math.sqrt(before[r]) - Math.sqrt(cost) < tolerance * Math.sqrt(initial[r]));
}

export function smallest(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] < values[best]) best = i;
  return best;
}

/** One restart's matrix out of a batch. */
export async function readFactor(run: Run, tensor: Tensor, restart: number): Promise<Matrix> {
  const all = await run.read(tensor);
  const size = tensor.rows * tensor.cols;
  const at = tensor.batch === 1 ? 0 : restart * size;
  return matrix(tensor.rows, tensor.cols, Float32Array.from(all.subarray(at, at + size)));
}

export async function readFactors(
  run: Run,
  A: readonly Tensor[],
  S: readonly Tensor[],
  restart: number,
): Promise<{ A: Matrix[]; S: Matrix[] }> {
  const read = (tensors: readonly Tensor[]) => Promise.all(tensors.map((tensor) => readFactor(run, tensor, restart)));
  const [ofA, ofS] = await Promise.all([read(A), read(S)]);
  return { A: ofA, S: ofS };
}

export interface Finish {
  method: Factorization['method'];
  X: DataMatrix;
  ranks: readonly number[];
  settings: Settings;
  /** ‖X − A⁰…AˡSˡ‖² of every depth, one entry a restart each. */
  squaredErrors: number[][];
  /** What the restarts are judged by; default the squared errors of the last layer. */
  objectives?: readonly number[];
  stages: { name: string; result: StageResult }[];
  /** X ≈ A⁰…AˡSˡ at every depth l; default true. Not where something stands between the factors. */
  product?: boolean;
  /** KKT residuals of each restart, worst case. */
  kkt: number[];
  /** Factorizations per column of the last exact solves: see LayerSections.rounds. */
  rounds: readonly Tensor[];
  started: number;
  /** The method's own settings: see Factorization. */
  own?: Record<string, unknown>;
  /** Reads the classifiers of the restart that was kept and scores them. */
  supervise?: (restart: number, factors: { A: Matrix[]; S: Matrix[] }) => Promise<Supervision>;
}

/** Picks the best restart by its final error, reads its factors and puts the result together. */
export async function finishFit(run: Run, A: readonly Tensor[], S: readonly Tensor[], finish: Finish): Promise<Factorization> {
  const { method, X, ranks, settings, squaredErrors, stages, kkt, rounds, started } = finish;
  const norm = squaredNorm(stored(X));
  const relative = squaredErrors.map((ofRestarts) => ofRestarts.map((squared) => Math.sqrt(squared / norm)));
  const restartErrors = [...relative[relative.length - 1]];
  const restart = smallest(finish.objectives?.length ? finish.objectives : restartErrors);
  const factors = await readFactors(run, A, S, restart);
  const taken = await Promise.all(rounds.map((tensor) => readFactor(run, tensor, restart)));
  if (!(restartErrors[restart] < Number.POSITIVE_INFINITY) || factors.S.some(({ data }) => data.every((s) => s === 0))) {
    throw new BreakdownError(
      `${method}: every restart ended with a zero or non-finite factor. Try more restarts, another seed, or smaller ranks.`,
    );
  }
  const bounds = settings.svdBound ? svdBounds(X, ranks) : undefined;
  const errorOf = (l: number) => {
    const measured = relative[l][restart];
    return finish.product === false ? measured : refinedError(X, factors.A.slice(0, l + 1), factors.S[l], measured);
  };
  const layers = ranks.map((rank, l) => ({ rank, relativeError: errorOf(l), svdBound: bounds?.values[l] ?? null }));
  restartErrors[restart] = layers[layers.length - 1].relativeError;
  const last = stages[stages.length - 1].result;
  return {
    method,
    ranks: [...ranks],
    ...factors,
    relativeError: restartErrors[restart],
    svdBound: layers[layers.length - 1].svdBound,
    svdBoundMethod: bounds?.method ?? null,
    layers,
    kktResidual: kkt[restart],
    unconverged: taken.reduce((sum, { data }) => sum + countNegative(data), 0),
    history: stages.flatMap(({ name, result }) =>
      result.checks.map(({ iteration, errors }) => ({ stage: name, iteration, relativeError: errors[restart] })),
    ),
    iterations: stages.reduce((sum, { result }) => sum + result.iterations, 0),
    converged: stages.every(({ result }) => result.stopReason === 'tolerance' || result.stopReason === 'exact'),
    stopReason: last.stopReason,
    restartErrors,
    restart,
    seed: settings.seed,
    settings: { maxIterations: settings.maxIterations, tolerance: settings.tolerance, ...finish.own },
    supervision: (await finish.supervise?.(restart, factors)) ?? null,
    elapsedMs: performance.now() - started,
  };
}
