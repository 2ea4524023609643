/** Values that are missing: NaN in X, a weight of 0, or what a sparse X does not store. */
import { InputError } from '../errors.js';
import { checkWeights, hiddenLine } from './check.js';
import { checkDense, type Matrix } from './matrix.js';
import { isTyped } from './realm.js';
import { checkSparse, type DataMatrix, isSparse, placeOf, type SparseMatrix } from './sparse.js';
import { inPlace, inWords } from './words.js';

/** What the entries that a sparse X does not store are. */
export type Absent = 'zero' | 'missing';

export const absentKinds = ['zero', 'missing'] as const satisfies readonly Absent[];

/** What of X can be seen. */
export interface Seen<X extends DataMatrix = DataMatrix> {
  /** X with 0 in the place of every value that is missing. X itself, and no copy, where none can be. */
  X: X;
  /** The given weights, or ones, and 0 where X is NaN. Undefined where there are neither weights nor NaN. */
  weights?: Matrix;
}

/**
 * What of a dense X can be seen: NaN has weight 0, and whatever stands under a weight of 0 becomes 0, so that nothing after this function can
 * depend on it. A sparse X has all of its values, or with `absent` 'missing' those that it stores. What can be seen of X is not checked.
 *
 * @param weights W ≥ 0 of the shape of X. Default: ones.
 * @param of names for messages, and `newSamples`: whether all values of a row may be missing, as of a feature that a model knows.
 * `absent`: default 'zero'.
 * @throws InputError where a row or a column (and of `newSamples` a column) has no value at all, for negative weights, and for weights or NaN
 * with a sparse X, and for `absent` 'missing' with a dense one; ShapeError for weights of another shape.
 */
export function seenOf<X extends DataMatrix>(
  X: X,
  weights?: Matrix,
  { name = 'X', newSamples = false, absent = 'zero' }: { name?: string; newSamples?: boolean; absent?: Absent } = {},
): Seen<X> {
  if (!isSparse(X)) checkDense(X, name);
  if (weights !== undefined) checkWeights(weights, X, 'weights', { newSamples });
  if (isSparse(X)) {
    const at = findNaN(X);
    if (at < 0) {
      if (absent === 'missing') checkLines(X, name, newSamples);
      return { X };
    }
    throw new InputError(
      `${name} has the entry NaN ${inPlace(placeOf(X, at))} (counted from 0), a missing value, which only a dense matrix can have; give it as toDense(…), or leave the entry out with absent: 'missing'.`,
      placeOf(X, at),
    );
  }
  if (absent === 'missing') throw absentOfDense(name);
  const seen = zerosForMissing(X, weights);
  // Of weights alone it was checked above.
  const hidden = seen.weights !== weights && seen.weights && hiddenLine(seen.weights, { newSamples });
  if (hidden) {
    const { row, column } = hidden;
    const line = row === undefined ? `column ${column}` : `row ${row}`;
    const why = weights === undefined ? 'every entry of it is NaN' : 'every entry of it is NaN or has weight 0';
    throw new InputError(`${name} has no value in all of ${line} (counted from 0): ${why}; leave it out.`, hidden);
  }
  return seen as Seen<X>;
}

/** The refusal of `absent` 'missing' beside a dense matrix. */
export function absentOfDense(name: string): InputError {
  return new InputError(
    `The option 'absent' is 'missing', which is for the entries that a sparse matrix does not store, but ${name} is dense; mark its missing values by NaN.`,
    { option: 'absent' },
  );
}

/** Throws InputError for a row, unless of `newSamples`, or a column without any stored entry, in a well-formed X or none. */
function checkLines(X: SparseMatrix, name: string, newSamples: boolean): void {
  checkSparse(X, name);
  const { rows, cols, rowStarts, columns } = X;
  const seen = new Uint8Array(cols);
  for (const column of columns) seen[column] = 1;
  const column = seen.indexOf(0);
  let row = 0;
  while (row < rows && (newSamples || rowStarts[row + 1] > rowStarts[row])) row++;
  if (row === rows && column < 0) return;
  const [line, place] = row < rows ? [`row ${row}`, { row }] : [`column ${column}`, { column }];
  throw new InputError(
    `${name} has no value in all of ${line} (counted from 0): it stores none, and what it does not store is missing; leave it out.`,
    place,
  );
}

/** The same without any check. */
export function zerosForMissing(X: Matrix, weights?: Matrix): Seen<Matrix> {
  const missing = findNaN(X) >= 0;
  if (!missing && !weights) return { X };
  const W = missing ? { ...X, data: X.data.map((x, at) => (Number.isNaN(x) ? 0 : weights ? weights.data[at] : 1)) } : weights!;
  return { X: { ...X, data: X.data.map((x, at) => (W.data[at] > 0 ? x : 0)) }, weights: W };
}

/** Whether all weights are 0 or 1, so that they follow from X where it is `marked`. */
export const isMask = ({ data }: Matrix): boolean => data.every((w) => w === 0 || w === 1);

/** The entries of X for a device that makes W of them: −0 marks a value of weight 0, and no other entry is −0. */
export const marked = ({ data }: Matrix, W: Matrix): Float32Array => data.map((x, at) => (W.data[at] > 0 ? x + 0 : -0));

/** Throws InputError for a value of X that is missing, for what takes none; `others` are the methods that do. */
export function refuseMissing(X: DataMatrix, what: string, others: readonly string[], name = 'X'): void {
  const at = findNaN(X);
  if (at < 0) return;
  const place = placeOf(X, at);
  throw new InputError(
    `${name} has the entry NaN ${inPlace(place)} (counted from 0), a missing value, but ${what} needs all of them; ${inWords(others, 'and')} leave them out.`,
    place,
  );
}

/** The place of the first NaN, -1 where there is none. What is no matrix has none: later checks refuse it, in their own words. */
function findNaN(X: DataMatrix): number {
  const values: unknown = isSparse(X) ? X.values : X?.data;
  if (!isTyped(values, 'Float32Array')) return -1;
  for (let at = 0; at < values.length; at++) if (Number.isNaN(values[at])) return at;
  return -1;
}
