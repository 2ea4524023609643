import { InputError, ShapeError } from '../errors.js';
import { checkDense, type Matrix } from './matrix.js';
import { checkSparse, type DataMatrix, isSparse, placeOf, requireDense, stored } from './sparse.js';
import { describe, inPlace, type Place } from './words.js';

export { describe };

/** The largest rank of a factorization, and the most unknowns of a solve: the solve kernels are tested up to it. */
export const maxRank = 128;

/**
 * Throws InputError unless X is a non-empty matrix over a Float32Array of `rows * cols` finite entries ≥ 0, or a sparse one that is well
 * formed and stores such entries. The message names the first bad entry by its 0-based row and column. `option` is the option that X is of.
 */
export function checkNonnegative(X: DataMatrix, name = 'X', option?: string): void {
  checkEntries(X, name, true, option);
}

/** As `checkNonnegative`, for a matrix free in sign: only NaN and infinite entries are refused. */
export function checkFinite(X: DataMatrix, name = 'X', option?: string): void {
  checkEntries(X, name, false, option);
}

function checkEntries(X: DataMatrix, name: string, nonnegative: boolean, option?: string): void {
  if (isSparse(X)) checkSparse(X, name);
  else checkDense(X, name, option);
  checkValues(stored(X), (p) => placeOf(X, p), { name, nonnegative, option });
}

/** Throws InputError for the first value that is not finite, or below 0 where that is refused. */
export function checkValues(
  values: Float32Array,
  placeOf: (p: number) => Place,
  { name, nonnegative, option }: { name: string; nonnegative: boolean; option?: string },
): void {
  for (let p = 0; p < values.length; p++) {
    const value = values[p];
    // One comparison per good entry: NaN fails it, too.
    if (nonnegative ? value >= 0 && value < Infinity : Number.isFinite(value)) continue;
    const place = placeOf(p);
    const where = `${name} has the entry ${value} ${inPlace(place)} (counted from 0)`;
    throw new InputError(
      value < 0 && Number.isFinite(value)
        ? `${where}, but every entry must be ≥ 0; shift or clip the data first.`
        : `${where}, but every entry must be a finite number; replace or remove it first.`,
      { option, ...place },
    );
  }
}

/**
 * Throws unless W ≥ 0 has the shape of X (ShapeError) and leaves something to see in every row and column (InputError): from a row or
 * sample that is all hidden nothing can be learned. A sparse X is refused: its weights would be dense. Of `newSamples` rows may be hidden.
 */
export function checkWeights(
  W: Matrix,
  X: DataMatrix,
  name = 'weights',
  { newSamples = false }: { newSamples?: boolean } = {},
): asserts X is Matrix {
  requireDense(X, `The option '${name}'`, 'leave it out', name);
  const refuse = (what: string, place: { row?: number; column?: number } = {}) => {
    throw new InputError(`${name} ${what}`, { option: name, ...place });
  };
  if (isSparse(W)) return refuse('is sparse, but it needs an entry for each of X; give it as toDense(…).');
  checkEntries(W, name, true, name);
  if (W.rows !== X.rows || W.cols !== X.cols) {
    const what = `${name} is ${W.rows}×${W.cols}, but X is ${X.rows}×${X.cols}; it needs one entry for each of X.`;
    throw new ShapeError(what, { option: name });
  }
  const { row, column } = hiddenLine(W, { newSamples }) ?? {};
  if (row !== undefined) refuse(`hides all of row ${row} (counted from 0); leave the row out of X instead.`, { row });
  if (column !== undefined) refuse(`hides all of column ${column} (counted from 0); leave the sample out of X instead.`, { column });
}

/** The first row, else column, of weights that are all 0; of `newSamples` a column alone. */
export function hiddenLine(W: Matrix, { newSamples = false } = {}): { row?: number; column?: number } | undefined {
  const rows = new Uint8Array(W.rows);
  const cols = new Uint8Array(W.cols);
  W.data.forEach((w, at) => {
    if (w > 0) rows[Math.floor(at / W.cols)] = cols[at % W.cols] = 1;
  });
  const row = newSamples ? -1 : rows.indexOf(0);
  if (row >= 0) return { row };
  const column = cols.indexOf(0);
  return column < 0 ? undefined : { column };
}

/**
 * Throws InputError unless `ranks` = [k0, k1, …] are the ranks of a factorization of an N×M matrix:
 * one or more positive integers, k0 ≤ min(N, M, 128) and none larger than the one before.
 */
export function checkRanks(ranks: readonly number[], N: number, M: number): void {
  const refuse = (message: string) => {
    throw new InputError(message, { option: 'ranks' });
  };
  if (!Array.isArray(ranks) || ranks.length === 0) {
    refuse(`ranks must be a list of one or more positive integers such as [9, 4, 2], not ${describe(ranks)}.`);
  }
  const list = `ranks ${describe(ranks)}`;
  ranks.forEach((rank, layer) => {
    if (!Number.isInteger(rank) || rank < 1) {
      refuse(`The ${list} must be positive integers, but layer ${layer} has ${describe(rank)}.`);
    }
    if (rank > maxRank) refuse(`Layer ${layer} of the ${list} exceeds the largest rank supported, ${maxRank}.`);
    if (layer > 0 && rank > ranks[layer - 1]) {
      refuse(`The ${list} must not increase, but layer ${layer} has ${rank} after ${ranks[layer - 1]}.`);
    }
  });
  if (ranks[0] > Math.min(N, M)) {
    refuse(`Rank ${ranks[0]} is more than a ${N}×${M} matrix can use; choose at most ${Math.min(N, M)}.`);
  }
}

/** Throws InputError unless `seed` is an integer from 0 to 2³²−1. */
export function checkSeed(seed: number, name = 'seed'): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new InputError(`${name} must be an integer from 0 to ${0xffffffff}, not ${describe(seed)}.`, { option: name });
  }
}

function numberCheck(what: string, fits: (value: number) => boolean): (name: string, value: number) => void {
  return (name, value) => {
    if (!fits(value)) throw new InputError(`${name} must be ${what}, not ${describe(value)}.`, { option: optionIn(name) });
  };
}

export const checkPositiveInteger = numberCheck('a positive integer', (x) => Number.isSafeInteger(x) && x >= 1);
export const checkPositive = numberCheck('a finite number > 0', (x) => Number.isFinite(x) && x > 0);
export const checkAtLeastZero = numberCheck('a finite number ≥ 0', (x) => Number.isFinite(x) && x >= 0);

/** One number for every layer, or one each, as a list of them. */
export function layerValues(name: string, given: number | readonly number[], layers: number): number[] {
  const values = Array.isArray(given) ? [...given] : new Array<number>(layers).fill(given as number);
  if (values.length !== layers)
    throw new InputError(`${name} has ${values.length} values for ${layers} layers; give one, or one a layer.`, { option: optionIn(name) });
  values.forEach((value) => {
    checkAtLeastZero(name, value);
  });
  return values;
}

/** Throws unless newX has finite entries, ≥ 0 unless `signed` (InputError), and a row for each feature of a model (ShapeError). */
export function checkNewSamples(newX: DataMatrix, features: number, { signed = false }: { signed?: boolean } = {}): void {
  checkEntries(newX, 'newX', !signed);
  if (newX.rows === features) return;
  const hint = newX.cols === features ? 'It has that many columns: is it transposed?' : 'It needs the same features in the same order.';
  throw new ShapeError(`newX is ${newX.rows}×${newX.cols}, but the model was fitted to ${features} features, one a row. ${hint}`);
}

/** The option that a name such as `sources[0].columns` is part of; none where it is words. */
function optionIn(name: string): string | undefined {
  return /^[a-z]\w*(?![\w ])/.exec(name)?.[0];
}
