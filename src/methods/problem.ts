/** The problem of a fit: options that were checked, and a copy of the data in its own unit. */
import { checkFinite, checkNonnegative, checkPositive, checkPositiveInteger, checkRanks, checkSeed, describe } from '../data/check.js';
import { type Matrix, squaredNorm } from '../data/matrix.js';
import { type Absent, refuseMissing, seenOf } from '../data/missing.js';
import { checkNames } from '../data/names.js';
import { type DataMatrix, entriesOf, isSparse, stored } from '../data/sparse.js';
import { powerOfTwoUnit, timesPowerOfTwo } from '../data/unit.js';
import { InputError } from '../errors.js';
import { type ColumnData, isColumnData } from '../parallel/column-data.js';
import { type FitData, isStandIn, refuseBesideColumns, standIn } from './by-columns.js';
import { fingerprintOf } from './checkpoint.js';
import type { MethodDefinition } from './definition.js';
import { type FitOptions, fitOptionNames } from './factorization.js';
import { stoppings } from './loop.js';
import { checkValues, choice, renamedMask } from './options.js';
import type { StageSettings } from './stage.js';
import { ranksOfStart, restartsOf } from './start.js';

/** Options of every fit with the defaults filled in. */
export interface Settings extends Omit<StageSettings, 'onProgress'>, Pick<FitOptions, 'onProgress' | 'checkpoint' | 'resume'> {
  ranks: number[];
  seed: number;
  maxIterations: number;
  svdBound: boolean;
}

/**
 * The data of a fit. It belongs to the fit alone, so X may change meanwhile. It is in its own unit: the X that was given is 2^unit times this
 * one, whose entries are about 1. No constant of a kernel or a method then depends on the unit of the data, and neither does any bit of a
 * result.
 */
export interface Problem {
  /** X / 2^unit, and 0 where W is 0 or X is NaN: a hidden entry has no influence, whatever stands there. */
  X: DataMatrix;
  /** The weights, 0 where X is NaN, divided by the power of two that their largest is. */
  W?: Matrix;
  /** Whether the entries that a sparse X does not store are missing. */
  missing: boolean;
  /** The data that errors are relative to: W ∘ X, or the stored entries of X alone. */
  seen: DataMatrix;
  /** ‖seen‖². */
  norm: number;
  /** X by columns that are never whole in memory. `X` and `seen` then have its shape, and throw where an entry is asked for. */
  columns?: ColumnData;
  /** See `X`. */
  unit: number;
  /** Squared errors of the X and W that were given are 4^costUnit times those in the unit of the fit. */
  costUnit: number;
  settings: Settings;
  /** Of the data and the options. */
  fingerprint: string;
}

/** Defaults of a method. */
interface Defaults {
  maxIterations: number;
  tolerance: number;
  checkEvery?: number;
}

/** The methods with the option 'weights', which leave out what is missing. A test compares them with the definitions. */
export const withMissing = ['nmf', 'ssnmf', 'hierarchical', 'neural'] as const;

/**
 * Checks X, ranks and options against the definition of a method, fills in the defaults, and copies X and the weights. NaN is a missing
 * value: its weight is 0, and the defaults may depend on whether there are weights or missing entries. Throws InputError
 * before anything is allocated: for options that the method does not have, values that they do not take, and options that do nothing beside
 * the others.
 */
export function problemOf(
  method: MethodDefinition,
  givenX: FitData,
  options: FitOptions & { weights?: Matrix; absent?: Absent },
  defaults: Defaults | ((masked: boolean) => Defaults),
): Problem {
  const started = performance.now();
  const { name, options: own, renamed } = method;
  checkNames(name, options, [...fitOptionNames, ...Object.keys(own)], { ...renamedEverywhere, ...renamed });
  if (isColumnData(givenX)) return columnProblem(method, givenX, options, defaults, started);
  if (!('weights' in own)) refuseMissing(givenX, name, withMissing);
  const { absent = 'zero' } = options;
  const { X, weights } = seenOf(givenX, options.weights, { absent });
  const missing = absent === 'missing';
  const settings = settingsOf(method, X, options, {
    ...(typeof defaults === 'function' ? defaults(weights !== undefined || missing) : defaults),
    started,
  });
  if (stored(X).every((x) => x === 0))
    throw new InputError(
      weights === undefined
        ? 'Every entry of X is zero; there is nothing to factorize.'
        : 'No entry of X that has a value, and a weight above 0, is other than zero; there is nothing to factorize.',
      { option: options.weights && 'weights' },
    );
  const unit = powerOfTwoUnit(stored(X));
  const ownX = copyInUnit(X, unit);
  const fingerprint = fingerprintOf(ownX, unit, identity({ ...options, ...(weights && { weights }) }));
  if (weights === undefined || isSparse(ownX))
    return { X: ownX, missing, seen: ownX, norm: squaredNorm(stored(ownX)), unit, costUnit: unit, settings, fingerprint };
  // The largest stands for all: weights of zeros and ones stay as they are.
  const weightUnit = powerOfTwoUnit([weights.data.reduce((most, w) => Math.max(most, w), 0)]);
  const W = copyInUnit(weights, weightUnit);
  const seen = { ...ownX, data: ownX.data.map((x, at) => x * W.data[at]) };
  const norm = squaredNorm(seen.data);
  return { X: ownX, W, missing, seen, norm, unit, costUnit: unit + weightUnit, settings, fingerprint };
}

/** The same for X by columns, of which `scanColumns` has looked at every entry. */
function columnProblem(
  method: MethodDefinition,
  columns: ColumnData,
  options: FitOptions & { weights?: Matrix; absent?: Absent },
  defaults: Defaults | ((masked: boolean) => Defaults),
  started: number,
): Problem {
  refuseBesideColumns(method.name, options);
  const X = standIn(columns);
  const settings = settingsOf(
    method,
    X,
    { ...options, svdBound: false },
    {
      ...(typeof defaults === 'function' ? defaults(false) : defaults),
      started,
    },
  );
  const { unit, squaredNorm: norm } = columns;
  const fingerprint = fingerprintOf(columns.fingerprint, unit, identity(options));
  return { X, missing: false, seen: X, norm, columns, unit, costUnit: unit, settings, fingerprint };
}

/** The stored entries of a sparse X. Those of an X by columns are for its engine to say. */
export function entriesIn({ X, columns }: Problem): number | undefined {
  return columns ? (columns.sparse ? 1 : undefined) : entriesOf(X);
}

/** X / 2^unit in arrays of its own. */
function copyInUnit<X extends DataMatrix>(X: X, unit: number): X {
  const entries = timesPowerOfTwo(stored(X), -unit);
  return isSparse(X) ? { ...X, rowStarts: X.rowStarts.slice(), columns: X.columns.slice(), values: entries } : { ...X, data: entries };
}

function settingsOf(
  { name, layers, restarts = 1, signed, kktStops = false, options: own, checkBeside }: MethodDefinition,
  X: DataMatrix,
  options: FitOptions,
  defaults: Defaults & { started: number },
): Settings {
  if (isStandIn(X)) {
    // Its entries were checked as they were read.
  } else if (signed.X) checkFinite(X);
  else checkNonnegative(X);
  const given = options as FitOptions & Record<string, unknown>;
  checkValues(own, given);
  const ranks = ranksOf(name, layers, ranksOfStart(options.ranks, given.start, layers));
  checkRanks(ranks, X.rows, X.cols);
  checkBeside?.(given, ranks, (name) => name);
  if ((options.stopping === 'kkt' || options.stopping === 'violation') && !kktStops)
    throw new InputError(
      `The option 'stopping' is '${options.stopping}', which ${name} does not have; choose 'objective', or the method nmf.`,
      {
        option: 'stopping',
      },
    );
  return loopSettings(options, { ...defaults, ranks, restarts: restartsOf(given, restarts) });
}

/** The settings that say how a fit runs, checked, with the defaults filled in. */
export function loopSettings(
  options: Omit<FitOptions, 'ranks' | 'restarts'>,
  defaults: { started: number; ranks: number[]; restarts: number; maxIterations: number; tolerance: number; checkEvery?: number },
): Settings {
  const { started, ranks, restarts } = defaults;
  const { stopping = 'objective' } = options;
  stoppingRule.check('stopping', stopping);
  const settings: Settings = {
    ranks,
    seed: options.seed ?? 0,
    restarts,
    maxIterations: options.maxIterations ?? defaults.maxIterations,
    tolerance: options.tolerance ?? (stopping === 'objective' ? defaults.tolerance : 1e-4),
    stopping,
    checkEvery: options.checkEvery ?? defaults.checkEvery ?? 10,
    svdBound: options.svdBound ?? true,
    onProgress: options.onProgress,
    signal: options.signal,
    checkpoint: options.checkpoint,
    resume: options.resume,
    started: started - (options.resume?.elapsedMs ?? 0),
    deadline: options.maxSeconds === undefined ? undefined : started + 1000 * options.maxSeconds,
  };
  checkSeed(settings.seed);
  if (options.maxSeconds !== undefined) checkPositive('maxSeconds', options.maxSeconds);
  checkCheckpointOption(options.checkpoint);
  checkPositiveInteger('maxIterations', settings.maxIterations);
  checkPositiveInteger('checkEvery', settings.checkEvery);
  if (!(settings.tolerance >= 0 && settings.tolerance < 1))
    throw new InputError(`tolerance must be a number from 0 up to 1, not ${settings.tolerance}.`, { option: 'tolerance' });
  return settings;
}

/** The options that say what is computed, and not how long or who is told. */
export function identity({ maxIterations, maxSeconds, checkpoint, resume, onProgress, signal, ...options }: FitOptions): object {
  return options;
}

function checkCheckpointOption(checkpoint: FitOptions['checkpoint']): void {
  if (checkpoint === undefined) return;
  checkNames('checkpoint', checkpoint, ['seconds', 'save']);
  checkPositive('checkpoint.seconds', checkpoint.seconds);
  if (typeof checkpoint.save !== 'function')
    throw new InputError('checkpoint.save must be a function, which is called with each checkpoint.', { option: 'checkpoint' });
}

const renamedEverywhere = { rank: "'ranks', also for one layer", ...renamedMask };
const stoppingRule = choice(stoppings, 'when a restart has settled');

/** The ranks as a list. Throws InputError for more than one rank in a method of one layer. */
export function ranksOf(method: string, layers: MethodDefinition['layers'], ranks: FitOptions['ranks']): number[] {
  const list = typeof ranks === 'number' ? [ranks] : ranks;
  if (!Array.isArray(list))
    throw new InputError(`ranks must be a positive integer or a list of them, not ${describe(ranks)}.`, { option: 'ranks' });
  if (layers === 'one' && list.length > 1)
    throw new InputError(`${method} takes one rank, but ${list.length} were given, ${describe(list)}; choose a method of several layers.`, {
      option: 'ranks',
    });
  return [...list];
}

/**
 * An option that is measured in the unit of the data, in the unit of the fit: `value` / 2^exponent. Throws InputError where it dwarfs the
 * data so much that f32 has no number for it.
 */
export function inOwnUnit(option: string, value: number, exponent: number): number {
  const own = value / 2 ** exponent;
  if (own < 1e30) return own;
  throw new InputError(
    `${option} is ${value}, which is ${own.toExponential(0)} times the size of the data; give a smaller one, or the data in a larger unit.`,
    { option },
  );
}

/** A problem whose result is judged by other data than it was given: X is what the factors multiply to, errors are relative to `seen`. */
export function judgedBy<P extends Problem>(problem: P, X: DataMatrix, seen: DataMatrix = X): P {
  return { ...problem, X, seen, norm: squaredNorm(stored(seen)) };
}
