/** Factors of a tree that is changed by hand: one topic divided, two merged. A⁰ is terms × topics, every other Aˡ topics × topics of the next layer. */
import { InputError, type Matrix, matrix, type SparseMatrix } from 'orthant';
import { topicProducts } from './levels.js';

/** What becomes of the topics of a layer: the new layer and number of each, or null where it is gone. */
export type Moved = (layer: number, index: number) => { layer: number; index: number } | null;

export interface Changed {
  A: Matrix[];
  moved: Moved;
}

/** The part of X that a topic carries at each stored entry: X ∘ ψⱼsⱼ / (ΨS). The parts of all topics of a layer sum to X. */
export function partOf(X: SparseMatrix, Psi: Matrix, S: Matrix, topic: number): SparseMatrix {
  const k = Psi.cols;
  const values = new Float32Array(X.values.length);
  for (let i = 0; i < X.rows; i++)
    for (let at = X.rowStarts[i]; at < X.rowStarts[i + 1]; at++) {
      const j = X.columns[at];
      let whole = 0;
      for (let t = 0; t < k; t++) whole += Psi.data[i * k + t] * S.data[t * S.cols + j];
      const own = Psi.data[i * k + topic] * S.data[topic * S.cols + j];
      values[at] = whole > 0 ? (X.values[at] * own) / whole : 0;
    }
  return { ...X, values };
}

/**
 * Puts the columns of `parts` below a topic, each with its share of it. A topic of the lowest layer gets a new layer below all: in it the
 * other topics stand as they are. `stand` are the topics that stand for it in the layers below, the lowest first, where it was undivided.
 */
export function divide(
  A: readonly Matrix[],
  layer: number,
  index: number,
  parts: Matrix,
  shares: readonly number[],
  stand?: readonly number[],
): Changed {
  if (layer === 0) {
    const below = divide([A[0], identity(A[0].cols), ...A.slice(1)], 1, index, parts, shares, [index]);
    return { A: below.A, moved: (l, i) => ({ layer: l + 1, index: i }) };
  }
  const count = parts.cols;
  const added = stand ? count - 1 : count;
  /** The column of part t among those of a layer below. */
  const place = (l: number, t: number) => (stand ? (t === 0 ? stand[l] : A[l].cols + t - 1) : A[l].cols + t);
  const Psi = topicProducts(A);
  const next = A.map((Al, l) => {
    if (l > layer) return Al;
    const grown = larger(Al, l === 0 ? 0 : added, l === layer ? 0 : added);
    if (l === 0) {
      for (let t = 0; t < count; t++)
        for (let i = 0; i < grown.rows; i++) grown.data[i * grown.cols + place(0, t)] = parts.data[i * count + t];
      return grown;
    }
    const set = (row: number, column: number, value: number) => {
      grown.data[row * grown.cols + column] = value;
    };
    if (l < layer) {
      for (let t = 0; t < count; t++) {
        for (let j = 0; j < grown.cols; j++) set(place(l - 1, t), j, 0);
        for (let i = 0; i < grown.rows; i++) set(i, place(l, t), 0);
      }
      for (let t = 0; t < count; t++) set(place(l - 1, t), place(l, t), 1);
      return grown;
    }
    // The parts have the sum 1, so they are weighed by the sum of the topic that they stand for.
    if (stand) {
      const row = Float32Array.from({ length: Al.cols }, (_, p) => Al.data[stand[l - 1] * Al.cols + p]);
      const sum = columnSum(Psi[l - 1], stand[l - 1]);
      for (let t = 0; t < count; t++) for (let p = 0; p < Al.cols; p++) set(place(l - 1, t), p, shares[t] * sum * row[p]);
      return grown;
    }
    for (let i = 0; i < Al.rows; i++) set(i, index, 0);
    for (let t = 0; t < count; t++) set(place(l - 1, t), index, shares[t] * columnSum(Psi[l], index));
    return grown;
  });
  return { A: next, moved: (l, i) => ({ layer: l, index: i }) };
}

/** Topic `second` goes into `first` of the same layer, each by its mass over the documents. */
export function merge(A: readonly Matrix[], S: readonly Matrix[], layer: number, first: number, second: number): Changed {
  const { cols } = A[layer];
  if (layer + 1 < A.length && cols - 1 < A[layer + 1].cols)
    throw new InputError(
      `This level and the one above it have ${cols} topics each, and a level cannot have fewer topics than the one above; merge two of those first.`,
    );
  if (cols === 1) throw new InputError('This is the only topic of its level.');
  const [own, other] = [rowSum(S[layer], first), rowSum(S[layer], second)];
  const [p, q] = own + other > 0 ? [own / (own + other), other / (own + other)] : [0.5, 0.5];
  const next = A.map((Al, l) => {
    if (l === layer) {
      const joined = matrix(Al.rows, cols, Al.data.slice());
      for (let i = 0; i < Al.rows; i++) joined.data[i * cols + first] = p * Al.data[i * cols + first] + q * Al.data[i * cols + second];
      return without(joined, undefined, second);
    }
    if (l !== layer + 1) return Al;
    const joined = matrix(Al.rows, Al.cols, Al.data.slice());
    for (let j = 0; j < Al.cols; j++) joined.data[first * Al.cols + j] += Al.data[second * Al.cols + j];
    return without(joined, second, undefined);
  });
  const moved: Moved = (l, i) => (l !== layer ? { layer: l, index: i } : i === second ? null : { layer: l, index: i > second ? i - 1 : i });
  return { A: next, moved };
}

function identity(k: number): Matrix {
  const I = matrix(k, k);
  for (let i = 0; i < k; i++) I.data[i * k + i] = 1;
  return I;
}

function larger({ rows, cols, data }: Matrix, moreRows: number, moreCols: number): Matrix {
  const out = matrix(rows + moreRows, cols + moreCols);
  for (let i = 0; i < rows; i++) out.data.set(data.subarray(i * cols, (i + 1) * cols), i * out.cols);
  return out;
}

function without({ rows, cols, data }: Matrix, row: number | undefined, column: number | undefined): Matrix {
  const kept = Array.from(data).filter((_, at) => Math.floor(at / cols) !== row && at % cols !== column);
  return matrix(rows - (row === undefined ? 0 : 1), cols - (column === undefined ? 0 : 1), Float32Array.from(kept));
}

export function columnSum({ rows, cols, data }: Matrix, column: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * cols + column];
  return sum;
}

export function rowSum({ cols, data }: Matrix, row: number): number {
  let sum = 0;
  for (let j = 0; j < cols; j++) sum += data[row * cols + j];
  return sum;
}

/** Columns of the sum 1, and the part of each in the whole. */
export function asParts(A: Matrix, S: Matrix): { parts: Matrix; shares: number[] } {
  const sums = Array.from({ length: A.cols }, (_, t) => columnSum(A, t));
  const masses = sums.map((sum, t) => sum * rowSum(S, t));
  const total = masses.reduce((a, b) => a + b, 0);
  const parts = matrix(
    A.rows,
    A.cols,
    A.data.map((value, at) => (sums[at % A.cols] > 0 ? value / sums[at % A.cols] : 0)),
  );
  return { parts, shares: masses.map((mass) => (total > 0 ? mass / total : 0)) };
}
