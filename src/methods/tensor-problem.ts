/** The problem of a fit of a tensor: options that were checked, and a copy of the data in its own unit. */
import { checkNonnegative, checkPositiveInteger, describe } from '../data/check.js';
import { type Matrix, squaredNorm } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { checkNonnegativeTensor, checkSparseTensor, type DataTensor, isSparseTensor } from '../data/tensors.js';
import { powerOfTwoUnit, timesPowerOfTwo } from '../data/unit.js';
import type { Run } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { fingerprintOf } from './checkpoint.js';
import { type FitOptions, fitOptionNames, type Progress } from './factorization.js';
import { checkValues, type OptionRecord } from './options.js';
import { identity, loopSettings, type Problem } from './problem.js';

/** Options of every fit of a tensor. Those that are not explained here are as in FitOptions. */
export interface TensorFitOptions extends Omit<FitOptions, 'ranks' | 'svdBound' | 'stopping' | 'onProgress'> {
  /** R, the number of outer products: an integer from 1 to 128. */
  rank: number;
  /** Whether the two bounds of every level are computed; default true. They take longer than a fit where a mode has thousands of entries. */
  bounds?: boolean;
  /** Called at every check, one check behind the device. Returning false ends the fit with the factors reached so far. */
  onProgress?: (progress: TensorProgress) => unknown;
}

/** See Progress. `relativeError` is the root of the stage's objective relative to ‖X‖². */
export type TensorProgress = Omit<Progress, 'factors'>;

export interface TensorProblem extends Problem {
  /** X of the fit, with the shape of its modes. `X` has its stored entries in one row, for norms. */
  tensor: DataTensor;
  rank: number;
  bounds: boolean;
}

const tensorOptionNames = ['rank', 'bounds', ...fitOptionNames.filter((name) => !['ranks', 'svdBound', 'stopping'].includes(name))];

/**
 * Checks X and the options, fills in the defaults and copies X in its own unit.
 *
 * @throws InputError for tensors of order 1 or above 6, negative, NaN or infinite entries, an X of zeros, unknown options, bad values.
 */
export function tensorProblem(
  method: string,
  own: OptionRecord,
  X: DataTensor,
  options: TensorFitOptions,
  defaults: { restarts: number; maxIterations: number; tolerance: number; checkEvery?: number },
): TensorProblem {
  const started = performance.now();
  const renamed = own.ranks ? undefined : { ranks: "'rank', the number of outer products" };
  checkNames(method, options, [...tensorOptionNames, ...Object.keys(own)], renamed);
  checkNonnegativeTensor(X);
  if (isSparseTensor(X)) checkSparseTensor(X);
  checkValues(own, options as unknown as Record<string, unknown>);
  const { rank, bounds = true, restarts = defaults.restarts, onProgress, ...loop } = options;
  checkOuterProducts(rank);
  checkPositiveInteger('restarts', restarts);
  if (typeof bounds !== 'boolean') throw new InputError(`bounds must be true or false, not ${describe(bounds)}.`, { option: 'bounds' });
  const settings = loopSettings(
    { ...loop, ...(onProgress && { onProgress: ({ factors: _, ...told }: Progress) => onProgress(told) }) },
    { ...defaults, started, ranks: [rank], restarts },
  );
  const entries = storedEntries(X);
  if (entries.every((x) => x === 0)) throw new InputError('Every entry of X is zero; there is nothing to factorize.');
  const unit = powerOfTwoUnit(entries);
  const data = timesPowerOfTwo(entries, -unit);
  const shape = [...X.shape];
  const tensor = isSparseTensor(X) ? { shape, coordinates: X.coordinates.slice(), values: data } : { shape, data };
  const row = { rows: 1, cols: data.length, data };
  const fingerprint = fingerprintOf(tensor, unit, identity(options as unknown as FitOptions));
  return { X: row, missing: false, seen: row, norm: squaredNorm(data), tensor, unit, costUnit: unit, settings, fingerprint, rank, bounds };
}

/** The entries of a dense tensor, and those that a sparse one stores. */
export function storedEntries(X: DataTensor): Float32Array {
  return isSparseTensor(X) ? X.values : X.data;
}

/** Writes a tensor in its own form. */
export function writeTensor(run: Run, tensor: Tensor, X: DataTensor): void {
  run.write(tensor, isSparseTensor(X) ? X : X.data);
}

/** The stored entries of a sparse tensor, as programs take them; undefined for a dense one. */
export function cooEntriesOf(X: DataTensor): number | undefined {
  return isSparseTensor(X) ? X.values.length : undefined;
}

const largestRank = 128;

/** Throws InputError for a number of outer products that no fit has. */
export function checkOuterProducts(rank: number): void {
  checkPositiveInteger('rank', rank);
  if (rank > largestRank)
    throw new InputError(`rank is ${rank}, but at most ${largestRank} outer products are fitted.`, { option: 'rank' });
}

/**
 * Throws InputError unless the ranks of the levels fall from `rank` on, and none is larger than a mode that has a chain.
 */
export function checkLevels(ranks: readonly number[], rank: number, shape: readonly number[], modes: readonly number[]): void {
  const refuse = (what: string) => {
    throw new InputError(what, { option: 'ranks' });
  };
  if (!Array.isArray(ranks) || ranks.length === 0)
    refuse(`ranks must be a list of the topics of each level, such as [4, 2], not ${describe(ranks)}.`);
  ranks.forEach((own, l) => {
    checkPositiveInteger(`ranks[${l}]`, own);
    const before = l === 0 ? rank : ranks[l - 1];
    if (own > before)
      refuse(`ranks[${l}] is ${own}, more than the ${before} of ${l === 0 ? 'rank' : `ranks[${l - 1}]`}; ranks must not grow with depth.`);
    const small = modes.find((n) => shape[n] < own);
    if (small !== undefined)
      refuse(
        `ranks[${l}] is ${own}, but mode ${small} of X has only ${shape[small]} entries; take smaller ranks, or leave the mode out of 'modes'.`,
      );
  });
}

/**
 * The exponents by which the factors of the modes are multiplied so that a product of one of each is 2^unit times as large: whole numbers,
 * as equal as can be.
 */
export function unitsOfModes(order: number, unit: number): number[] {
  const each = Math.floor(unit / order);
  return Array.from({ length: order }, (_, n) => each + (n < unit - order * each ? 1 : 0));
}

/** Factors that a fit of a tensor begins with: a model is one. */
export interface TensorStart {
  /** F_n, d_n×R. */
  factors: readonly Matrix[];
  /** A_nˡ by mode and level, of `neuralNcp`: with them every restart would be the same. */
  A?: readonly (readonly Matrix[])[];
}

/** Whether a start is factors, and not a word or nothing. */
export const isTensorStart = (start: unknown): start is TensorStart => typeof start === 'object' && start !== null;

/**
 * Throws ShapeError for a matrix of a start that has another shape; InputError for no list, negative or NaN entries, and a column of zeros.
 */
export function checkStart(given: readonly Matrix[] | undefined, name: string, shapes: readonly (readonly [number, number])[]): void {
  if (!Array.isArray(given) || given.length !== shapes.length)
    throw new InputError(
      `${name} must be a list of ${shapes.length} matrices, ${shapes.map(([rows, cols]) => `${rows}×${cols}`).join(', ')}, not ${describe(given)}.`,
      { option: 'start' },
    );
  given.forEach((factor: Matrix, i) => {
    const [rows, cols] = shapes[i];
    checkNonnegative(factor, `${name}[${i}]`, 'start');
    if (factor.rows !== rows || factor.cols !== cols)
      throw new ShapeError(`${name}[${i}] is ${factor.rows}×${factor.cols}, but X and the ranks of this fit need ${rows}×${cols}.`, {
        option: 'start',
      });
    const used = new Set<number>();
    factor.data.forEach((x, at) => {
      if (x > 0) used.add(at % cols);
    });
    if (used.size < cols) {
      const zero = Array.from({ length: cols }, (_, c) => c).find((c) => !used.has(c));
      throw new InputError(`Column ${zero} of ${name}[${i}] is zero, and could never change; give it a positive entry.`, {
        option: 'start',
      });
    }
  });
}

/** Factors whose components have equal norms in all modes, the largest component first. The products are the same, to the rounding of f32. */
export function balanced(factors: readonly Matrix[]): Matrix[] {
  const R = factors[0].cols;
  const norms = factors.map(({ data }) => {
    const squares = new Float64Array(R);
    for (let at = 0; at < data.length; at++) squares[at % R] += data[at] ** 2;
    return squares.map(Math.sqrt);
  });
  const share = Float64Array.from({ length: R }, (_, r) => norms.reduce((product, own) => product * own[r] ** (1 / factors.length), 1));
  const order = Array.from(share.keys()).sort((a, b) => share[b] - share[a] || a - b);
  return factors.map(({ rows, cols, data }, n) => {
    const scale = share.map((own, r) => (norms[n][r] > 0 ? own / norms[n][r] : 0));
    return { rows, cols, data: Float32Array.from(data, (_, at) => data[at - (at % R) + order[at % R]] * scale[order[at % R]]) };
  });
}
