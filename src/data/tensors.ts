/** Tensors of two to six modes on the host: dense in C order, or sorted coordinates. */
import { InputError, ShapeError } from '../errors.js';
import { checkValues } from './check.js';
import type { Matrix } from './matrix.js';
import { isList, type NumberList, toFloat32, toIndices } from './numbers.js';
import { isTyped } from './realm.js';
import { checkLists } from './sparse.js';
import { describe } from './words.js';

/** A dense tensor of order N in C order, the last mode fastest: entry (i₀, …, i_{N−1}) is `data[(…(i₀ d₁ + i₁) d₂ + …) d_{N−1} + i_{N−1}]`. */
export interface DenseTensor {
  /** d₀, …, d_{N−1}. */
  shape: number[];
  data: Float32Array;
}

/**
 * A sparse tensor of order N: entry e is `values[e]` at the N indices `coordinates[N e]`, …, `coordinates[N e + N − 1]`, counted from 0.
 * Entries stand in C order, no place twice. What is not stored is 0.
 */
export interface SparseTensor {
  shape: number[];
  /** Entries × N, entry after entry. */
  coordinates: Uint32Array;
  values: Float32Array;
}

/** X in either form. */
export type DataTensor = DenseTensor | SparseTensor;

export const smallestOrder = 2;
export const largestOrder = 6;

export function isSparseTensor(X: DataTensor): X is SparseTensor {
  return typeof X === 'object' && X !== null && 'coordinates' in X;
}

/**
 * A tensor of zeros, or of `data`: its entries in C order. A Float32Array is not copied; any other list (see `NumberList`) is rounded to f32.
 *
 * @throws InputError for a shape that is no list of 2 to 6 positive integers, and, with its indices, for the first entry that is no number
 * or too large for f32; ShapeError when the length does not fit.
 */
export function tensor(shape: readonly number[], data?: NumberList): DenseTensor {
  checkShape(shape, 'The tensor');
  const entries = entriesOfShape(shape);
  if (data === undefined) return { shape: [...shape], data: new Float32Array(entries) };
  if (!isList(data)) throw new InputError(`The data of a tensor must be a list of its ${entries} entries, not ${describe(data)}.`);
  if (data.length !== entries) {
    const lists = Array.isArray(data[0]) ? ' Its entries are lists: join them with data.flat(Infinity).' : '';
    throw new ShapeError(`A ${times(shape)} tensor needs ${entries} entries, but ${data.length} were given.${lists}`);
  }
  return { shape: [...shape], data: toFloat32(data, (at) => ({ indices: indicesOf(shape, at) })) };
}

/**
 * A sparse tensor of entries in any order. Lists are as in `tensor`; what is in order already is not copied.
 *
 * @throws InputError for a shape as `tensor` refuses it, lists whose lengths do not fit, an index out of range, a place that is given twice,
 * and values that are no numbers of f32.
 */
export function sparseTensor(shape: readonly number[], lists: { coordinates: NumberList; values: NumberList }): SparseTensor {
  checkShape(shape, 'The tensor');
  checkLists('sparseTensor', lists, ['coordinates', 'values']);
  const order = shape.length;
  const coordinates = toIndices('coordinates', lists.coordinates);
  const values = toFloat32(lists.values, (e) => ({ indices: [...coordinates.subarray(order * e, order * (e + 1))] }));
  const X = { shape: [...shape], coordinates, values };
  checkIndices(X, 'The tensor');
  const sorted = sortedEntries(X);
  checkOrder(sorted, 'The tensor');
  return sorted;
}

/**
 * Throws InputError unless X is a dense tensor of order 2 to 6: a shape of positive integers, and a Float32Array of as many entries. They
 * are not looked at: `checkNonnegativeTensor` does both.
 */
export function checkTensor(X: DenseTensor, name = 'X', option?: string): void {
  if (typeof X !== 'object' || X === null || Array.isArray(X))
    throw new InputError(`${name} must be a tensor { shape, data }, not ${describe(X)}; make one with tensor(shape, entries).`, { option });
  const { shape, data } = X;
  checkShape(shape, name, option);
  if (!isTyped(data, 'Float32Array'))
    throw new InputError(
      `${name}.data must be a Float32Array, not ${describe(data)}; make the tensor with tensor(shape, data), which converts lists.`,
      { option },
    );
  const entries = entriesOfShape(shape);
  if (data.length !== entries)
    throw new InputError(`${name} is ${times(shape)} and needs ${entries} entries, but its data has ${data.length}.`, { option });
}

/** Throws InputError unless X is a sparse tensor as `SparseTensor` says. The message names the first bad entry. Values are not looked at. */
export function checkSparseTensor(X: SparseTensor, name = 'X', option?: string): void {
  const { shape, coordinates, values } = X;
  checkShape(shape, name, option);
  for (const [field, given, type] of [
    ['coordinates', coordinates, 'Uint32Array'],
    ['values', values, 'Float32Array'],
  ] as const) {
    if (!isTyped(given, type))
      throw new InputError(
        `${name}.${field} must be a ${type}, not ${describe(given)}; make the tensor with sparseTensor(…), which converts lists.`,
        { option },
      );
  }
  checkIndices(X, name, option);
  checkOrder(X, name, option);
}

/** Throws InputError unless X is a well-formed tensor of finite entries ≥ 0. The message names the first bad entry by its indices. */
export function checkNonnegativeTensor(X: DataTensor, name = 'X', option?: string): void {
  checkEntries(X, { name, nonnegative: true, option });
}

/** As `checkNonnegativeTensor`, for a tensor free in sign: only NaN and infinite entries are refused. */
export function checkFiniteTensor(X: DataTensor, name = 'X', option?: string): void {
  checkEntries(X, { name, nonnegative: false, option });
}

function checkEntries(X: DataTensor, how: { name: string; nonnegative: boolean; option?: string }): void {
  if (isSparseTensor(X)) checkSparseTensor(X, how.name, how.option);
  else checkTensor(X, how.name, how.option);
  const indices = (e: number) => (isSparseTensor(X) ? entryOf(X, e) : indicesOf(X.shape, e));
  checkValues(isSparseTensor(X) ? X.values : X.data, (e) => ({ indices: indices(e) }), how);
}

/** A dense X as the d₀…d_{N−2} × d_{N−1} matrix of the same entries. It shares the data. Throws InputError for what is no dense tensor. */
export function asMatrix(X: DenseTensor): Matrix {
  checkTensor(X);
  const cols = X.shape[X.shape.length - 1];
  return { rows: X.data.length / cols, cols, data: X.data };
}

/** The dense tensor of the same entries. */
export function toDenseTensor(X: DataTensor): DenseTensor {
  if (!isSparseTensor(X)) return X;
  const dense = tensor(X.shape);
  for (let e = 0; e < X.values.length; e++) {
    let at = 0;
    for (let n = 0; n < X.shape.length; n++) at = at * X.shape[n] + X.coordinates[e * X.shape.length + n];
    dense.data[at] = X.values[e];
  }
  return dense;
}

/** The entries in C order: one pass of counting a mode, from the last to the first, keeps what the passes before have sorted. */
function sortedEntries(X: SparseTensor): SparseTensor {
  const { shape, coordinates, values } = X;
  const order = shape.length;
  const count = values.length;
  let e = 1;
  while (e < count && compare(X, e - 1, e) < 0) e++;
  if (e >= count) return X;
  let from = Uint32Array.from({ length: count }, (_, at) => at);
  let to = new Uint32Array(count);
  for (let n = order - 1; n >= 0; n--) {
    const starts = new Uint32Array(shape[n] + 1);
    for (let at = 0; at < count; at++) starts[coordinates[order * at + n] + 1]++;
    for (let i = 0; i < shape[n]; i++) starts[i + 1] += starts[i];
    for (let at = 0; at < count; at++) to[starts[coordinates[order * from[at] + n]]++] = from[at];
    [from, to] = [to, from];
  }
  const sorted = { shape, coordinates: new Uint32Array(order * count), values: new Float32Array(count) };
  for (let at = 0; at < count; at++) {
    sorted.values[at] = values[from[at]];
    for (let n = 0; n < order; n++) sorted.coordinates[order * at + n] = coordinates[order * from[at] + n];
  }
  return sorted;
}

/** < 0 where entry a stands before entry b in C order, 0 at the same place. */
function compare({ shape, coordinates }: SparseTensor, a: number, b: number): number {
  const order = shape.length;
  for (let n = 0; n < order; n++) {
    const difference = coordinates[order * a + n] - coordinates[order * b + n];
    if (difference !== 0) return difference;
  }
  return 0;
}

function checkIndices(X: SparseTensor, name: string, option?: string): void {
  const { shape, coordinates, values } = X;
  const order = shape.length;
  if (coordinates.length !== order * values.length)
    throw new InputError(
      `${name} has ${values.length} values and needs ${order * values.length} coordinates, ${order} for each, but ${coordinates.length} were given.`,
      { option },
    );
  for (let at = 0; at < coordinates.length; at++) {
    const size = shape[at % order];
    if (coordinates[at] < size) continue;
    const e = Math.floor(at / order);
    const indices = entryOf(X, e);
    throw new InputError(
      `${name} has entry ${e} at [${indices.join(', ')}] (counted from 0), but the indices of mode ${at % order} are 0 to ${size - 1}; correct the index.`,
      { option, indices },
    );
  }
}

function checkOrder(X: SparseTensor, name: string, option?: string): void {
  for (let e = 1; e < X.values.length; e++) {
    const difference = compare(X, e - 1, e);
    if (difference < 0) continue;
    const indices = entryOf(X, e);
    const place = `[${indices.join(', ')}]`;
    throw new InputError(
      difference === 0
        ? `${name} has two entries at ${place} (counted from 0); add them up or drop one.`
        : `${name} has the entry at ${place} after [${entryOf(X, e - 1).join(', ')}] (counted from 0); sort them, or use sparseTensor(…).`,
      { option, indices },
    );
  }
}

/** Throws InputError unless this is the shape of a tensor: 2 to 6 positive integers. */
export function checkShape(shape: readonly number[], name: string, option?: string): void {
  if (!Array.isArray(shape))
    throw new InputError(`${name} needs a shape, a list of the sizes of its modes such as [40, 40, 40], not ${describe(shape)}.`, {
      option,
    });
  const order = shape.length;
  if (order < smallestOrder || order > largestOrder) {
    const advice =
      order < smallestOrder
        ? 'what has one mode cannot be factorized: give it a second one'
        : 'join modes that belong together (their sizes multiply), or add up over one';
    throw new InputError(`${name} has order ${order}, but tensors have order ${smallestOrder} to ${largestOrder} here; ${advice}.`, {
      option,
    });
  }
  const bad = shape.findIndex((size) => !Number.isSafeInteger(size) || size < 1 || size >= 2 ** 32);
  if (bad >= 0)
    throw new InputError(
      `${name} has the shape ${describe(shape)}, but mode ${bad} has the size ${describe(shape[bad])}; sizes are positive integers below 2³².`,
      { option },
    );
}

/** A shape as messages say it: 40×40×40. */
export function times(shape: readonly number[]): string {
  return shape.join('×');
}

export function entriesOfShape(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The indices of entry `at` in C order. */
function indicesOf(shape: readonly number[], at: number): number[] {
  const indices: number[] = [];
  let rest = at;
  for (let n = shape.length - 1; n >= 0; n--) {
    indices[n] = rest % shape[n];
    rest = Math.floor(rest / shape[n]);
  }
  return indices;
}

/** The indices of the stored entry e. */
function entryOf({ shape, coordinates }: SparseTensor, e: number): number[] {
  return [...coordinates.subarray(shape.length * e, shape.length * (e + 1))];
}
