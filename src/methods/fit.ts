/** A fit under way, as every method uses it: checked settings, starts, stages, measures and the result. */
import { checkFinite, checkNonnegative, checkPositiveInteger, checkRanks, checkSeed, describe } from '../data/check.js';
import { type Matrix, matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { random } from '../data/random.js';
import { type DataMatrix, isSparse, stored } from '../data/sparse.js';
import { svdBounds } from '../data/svd-bound.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { BreakdownError, InputError } from '../errors.js';
import type { Program } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import type { MethodDefinition } from './definition.js';
import { type FitOptions, fitOptionNames, type Model, type Supervision } from './factorization.js';
import { checkValues, choice } from './options.js';
import { countNegative } from './q.js';
import { refinedError } from './sparse-error.js';
import { runStage, type Stage, type StageResult, type StageSettings, smallest } from './stage.js';

/** Options of every fit with the defaults filled in. */
export interface Settings extends StageSettings {
  ranks: number[];
  seed: number;
  maxIterations: number;
  svdBound: boolean;
}

/**
 * Checks X, ranks and options against the definition of a method, and fills in the defaults. Throws InputError before anything is
 * allocated: for options that the method does not have, values that they do not take, and options that do nothing beside the others.
 */
export function checkFit(
  { name, layers, signed, options: own, renamed, checkBeside }: MethodDefinition,
  X: DataMatrix,
  options: FitOptions,
  defaults: { maxIterations: number; tolerance: number; checkEvery?: number },
): Settings {
  const started = performance.now();
  checkNames(name, options, [...fitOptionNames, ...Object.keys(own)], { ...renamedEverywhere, ...renamed });
  if (signed.X) checkFinite(X);
  else checkNonnegative(X);
  const given = options as FitOptions & Record<string, unknown>;
  checkValues(own, given);
  const ranks = ranksOf(name, layers, options.ranks);
  checkRanks(ranks, X.rows, X.cols);
  checkBeside?.(given, ranks, (name) => name);
  const { stopping = 'objective' } = options;
  stoppingRule.check('stopping', stopping);
  const settings: Settings = {
    ranks,
    seed: options.seed ?? 0,
    restarts: options.restarts ?? 1,
    maxIterations: options.maxIterations ?? defaults.maxIterations,
    tolerance: options.tolerance ?? (stopping === 'initialError' ? 1e-4 : defaults.tolerance),
    stopping,
    checkEvery: options.checkEvery ?? defaults.checkEvery ?? 10,
    svdBound: options.svdBound ?? true,
    onProgress: options.onProgress,
    signal: options.signal,
    started,
  };
  checkSeed(settings.seed);
  checkPositiveInteger('restarts', settings.restarts);
  checkPositiveInteger('maxIterations', settings.maxIterations);
  checkPositiveInteger('checkEvery', settings.checkEvery);
  if (!(settings.tolerance >= 0 && settings.tolerance < 1))
    throw new InputError(`tolerance must be a number from 0 up to 1, not ${settings.tolerance}.`, { option: 'tolerance' });
  if (stored(X).every((x) => x === 0)) throw new InputError('Every entry of X is zero; there is nothing to factorize.');
  return settings;
}

const renamedEverywhere = { rank: "'ranks', also for one layer", mask: "'weights'" };
const stoppingRule = choice(['objective', 'initialError'], 'when a restart has settled');

/** The ranks as a list. Throws InputError for more than one rank in a method of one layer. */
export function ranksOf(method: string, layers: MethodDefinition['layers'], ranks: number | readonly number[]): number[] {
  const list = typeof ranks === 'number' ? [ranks] : ranks;
  if (!Array.isArray(list))
    throw new InputError(`ranks must be a positive integer or a list of them, not ${describe(ranks)}.`, { option: 'ranks' });
  if (layers === 'one' && list.length > 1)
    throw new InputError(`${method} takes one rank, but ${list.length} were given, ${describe(list)}; choose a method of several layers.`, {
      option: 'ranks',
    });
  return [...list];
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
export function randomFactors(
  rows: number,
  cols: number,
  { seed, restarts }: Pick<Settings, 'seed' | 'restarts'>,
  stream: number,
  scale = 1,
): Float32Array {
  const size = rows * cols;
  const entries = new Float32Array(size * restarts);
  for (let restart = 0; restart < restarts; restart++) {
    const r = random(seed ^ Math.imul(restart + 1, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca77));
    for (let i = 0; i < size; i++) entries[restart * size + i] = Math.abs(r.normal()) * scale;
  }
  return entries;
}

/** One restart's matrix out of a batch. */
export async function readFactor(run: Run, tensor: Tensor, restart: number): Promise<Matrix> {
  const all = await run.read(tensor);
  const size = tensor.rows * tensor.cols;
  const at = tensor.batch === 1 ? 0 : restart * size;
  return matrix(tensor.rows, tensor.cols, Float32Array.from(all.subarray(at, at + size)));
}

export interface Factors {
  A: Matrix[];
  S: Matrix[];
}

export async function readFactors(run: Run, A: readonly Tensor[], S: readonly Tensor[], restart: number): Promise<Factors> {
  const read = (tensors: readonly Tensor[]) => Promise.all(tensors.map((tensor) => readFactor(run, tensor, restart)));
  const [ofA, ofS] = await Promise.all([read(A), read(S)]);
  return { A: ofA, S: ofS };
}

/** The data of a fit, and its settings. */
interface Fitted {
  /** The data that errors are relative to: with weights W, W ∘ X. */
  X: DataMatrix;
  settings: Settings;
}

/** A stage as a method describes it. Fields that are left out are as in the whole fit. */
export interface FitStage extends Omit<Stage, 'norm' | 'maxIterations'> {
  /** One number for all restarts, or one each; default ‖X‖². */
  norm?: number | number[];
  maxIterations?: number;
  tolerance?: number;
  /** Whether the stage only prepares another one. It may be cut short, so its settling says nothing of the fit. */
  start?: boolean;
}

/** Values of each restart, by the names that their tensors were asked for. */
type Measured<T> = { [K in keyof T]: T[K] extends Tensor ? number[] : number[][] };

export interface Outcome<Own> {
  A: readonly Tensor[];
  S: readonly Tensor[];
  /** ‖X − A⁰…AˡSˡ‖² of every depth, one entry a restart each. */
  errors: number[][];
  /** The objective that decides between restarts. Default: the errors of the last layer. */
  objectives?: readonly number[];
  /** KKT residuals, one entry a restart each; the worst is told. */
  kkt: number[][];
  /** Factorizations per column of the last exact solves: see LayerSections.rounds. */
  rounds?: readonly Tensor[];
  /** The rank whose SVD bound holds at every depth, null where none does; default `ranks`. */
  boundRanks?: readonly (number | null)[];
  /** Whether X ≈ A⁰…AˡSˡ at every depth l. Default true; false where something stands between the factors. */
  product?: boolean;
  /** The method's own settings: see Model. */
  own: Own;
  /** Reads the classifiers of the restart that was kept and scores them. */
  supervise?: (restart: number, factors: Factors) => Supervision | Promise<Supervision>;
}

export interface Fit {
  readonly run: Run;
  readonly settings: Settings;
  /** Writes a random start of every restart, |N(0,1)| · scale. Each number of a stream gives another start. */
  writeRandom(tensor: Tensor, stream: number, scale?: number): void;
  /** Repeats a section until its objective settles. Once a progress callback has stopped the fit, it does nothing. */
  stage(stage: FitStage): Promise<StageResult>;
  /** Executes sections and reads small tensors: the first entry of each restart. */
  measure<T extends Record<string, Tensor | readonly Tensor[]>>(sections: readonly string[], tensors: T): Promise<Measured<T>>;
  /** Picks the best restart, reads its factors and puts the result together. */
  result<M extends string, Own>(method: M, outcome: Outcome<Own>): Promise<Model<M, Own>>;
}

/** Prepares a program, hands its fit to `body` and disposes the run whatever happens. */
export function withFit<T>(engine: Engine, program: Program, fitted: Fitted, body: (fit: Fit) => Promise<T>): Promise<T> {
  return withRun(engine, program, (run) => body(createFit(run, fitted)));
}

function createFit(run: Run, fitted: Fitted): Fit {
  const { X, settings } = fitted;
  const { restarts } = settings;
  const stages: Ended[] = [];
  return {
    run,
    settings,
    writeRandom(tensor, stream, scale) {
      run.write(tensor, randomFactors(tensor.rows, tensor.cols, settings, stream, scale));
    },
    async stage({ start = false, ...given }) {
      const norm = given.norm ?? squaredNorm(stored(X));
      const stage: Stage = {
        ...given,
        norm: typeof norm === 'number' ? new Array<number>(restarts).fill(norm) : norm,
        maxIterations: given.maxIterations ?? settings.maxIterations,
      };
      const stopped = stages.at(-1)?.result.stopReason === 'stopped';
      const result: StageResult = stopped
        ? { costs: [], iterations: 0, stopReason: 'stopped', checks: [] }
        : await runStage(run, stage, { ...settings, tolerance: given.tolerance ?? settings.tolerance });
      stages.push({ name: stage.name, start, result });
      return result;
    },
    async measure<T extends Record<string, Tensor | readonly Tensor[]>>(sections: readonly string[], tensors: T) {
      for (const section of sections) run.execute(section);
      const sampled = (await run.sample(Object.values(tensors).flat() as Tensor[])).map((values) => Array.from(values));
      let at = 0;
      const entries = Object.entries(tensors).map(([name, one]) => {
        if (!Array.isArray(one)) return [name, sampled[at++]];
        at += one.length;
        return [name, sampled.slice(at - one.length, at)];
      });
      return Object.fromEntries(entries) as Measured<T>;
    },
    result: (method, outcome) => resultOf(run, method, fitted, stages, outcome),
  };
}

/** A stage that has ended. */
interface Ended {
  name: string;
  start: boolean;
  result: StageResult;
}

async function resultOf<M extends string, Own>(
  run: Run,
  method: M,
  { X, settings }: Fitted,
  stages: readonly Ended[],
  outcome: Outcome<Own>,
): Promise<Model<M, Own>> {
  const { ranks } = settings;
  const norm = squaredNorm(stored(X));
  const relative = outcome.errors.map((ofRestarts) => ofRestarts.map((squared) => Math.sqrt(squared / norm)));
  const restartErrors = [...relative[relative.length - 1]];
  const judged = outcome.objectives ?? restartErrors;
  const restart = smallest(judged);
  const factors = await readFactors(run, outcome.A, outcome.S, restart);
  const taken = await Promise.all((outcome.rounds ?? []).map((tensor) => readFactor(run, tensor, restart)));
  const finite = judged[restart] < Number.POSITIVE_INFINITY && restartErrors[restart] < Number.POSITIVE_INFINITY;
  if (!finite || factors.S.some(({ data }) => data.every((s) => s === 0))) {
    throw new BreakdownError(
      `${method}: every restart ended with a zero or non-finite factor. Try more restarts, another seed, or smaller ranks.`,
    );
  }
  const bounds = boundsOf(X, settings.svdBound ? (outcome.boundRanks ?? ranks) : ranks.map(() => null));
  const errorOf = (l: number) => {
    const measured = relative[l][restart];
    return outcome.product === false ? measured : refinedError(X, factors.A.slice(0, l + 1), factors.S[l], measured);
  };
  const layers = ranks.map((rank, l) => ({ rank, relativeError: errorOf(l), svdBound: bounds.values[l] }));
  const last = layers[layers.length - 1];
  restartErrors[restart] = last.relativeError;
  const settled = ({ result: { stopReason } }: Ended) => stopReason === 'tolerance' || stopReason === 'exact';
  return {
    method,
    ranks,
    ...factors,
    relativeError: last.relativeError,
    svdBound: last.svdBound,
    svdBoundMethod: bounds.method,
    layers,
    kktResidual: Math.max(...outcome.kkt.map((values) => values[restart])),
    unconverged: taken.reduce((sum, { data }) => sum + countNegative(data), 0),
    history: stages.flatMap(({ name, result }) =>
      result.checks.map(({ iteration, errors }) => ({ stage: name, iteration, relativeError: errors[restart] })),
    ),
    iterations: stages.reduce((sum, { result }) => sum + result.iterations, 0),
    converged: stages.filter(({ start }) => !start).every(settled),
    stopReason: stages[stages.length - 1].result.stopReason,
    restartErrors,
    restart,
    seed: settings.seed,
    settings: { maxIterations: settings.maxIterations, tolerance: settings.tolerance, ...outcome.own },
    supervision: (await outcome.supervise?.(restart, factors)) ?? null,
    elapsedMs: performance.now() - settings.started,
  };
}

/** The SVD bound of every rank that is not null. */
function boundsOf(X: DataMatrix, ranks: readonly (number | null)[]): { values: (number | null)[]; method: Model['svdBoundMethod'] } {
  const bounded = ranks.filter((rank) => rank !== null);
  if (bounded.length === 0) return { values: [...ranks] as null[], method: null };
  const { values, method } = svdBounds(X, bounded);
  const next = values.values();
  return { values: ranks.map((rank) => (rank === null ? null : next.next().value!)), method };
}
