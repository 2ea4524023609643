/**
 * Two errors that a decomposition of a tensor X (d₀×…×d_{N−1}) is held against. X_(n) is its unfolding d_n × ∏_{m≠n} d_m, which is never
 * formed: all sums go over (before, mode, after), the product of the sizes before mode n, d_n, and that of the sizes after it.
 */
import { checkPositiveInteger } from './check.js';
import { leadingEigenvectors, symmetricEigenvalues } from './eigenvalues.js';
import { orthonormalise, tail } from './svd-bound.js';
import { checkFiniteTensor, type DataTensor, type DenseTensor, entriesOfShape, isSparseTensor, toDenseTensor } from './tensors.js';

/** More multiplications than this are not spent on a bound. */
const affordable = 2e10;
/** Nor is a sparse tensor of more entries made dense. */
const largestDense = 1e8;
const sweepLimit = 100;
/** The sweeps end where the relative error falls by less than this part of itself. */
const smallestFall = 1e-10;

/** A tensor in f64 or f32, C order. */
interface Values {
  shape: readonly number[];
  data: Float32Array | Float64Array;
}

/**
 * The largest relative error ‖X_(n) − Y‖ / ‖X‖ over the modes n, where Y is the best matrix of rank r: the tail of the singular values of
 * X_(n). No CP decomposition of r components and no Tucker decomposition of ranks ≤ r is below it, whatever its signs. 0 for X = 0.
 *
 * The singular values are those of Gram matrices, in f64: tails below about 1e-7 are 0. Null where the Gram matrices of X and their
 * eigenvalues would take more than about 2·10¹⁰ multiplications, or a sparse X has more than 10⁸ entries, stored or not.
 *
 * @throws InputError for what is no tensor of finite entries, and a rank that is no positive integer.
 */
export function modeBound(X: DataTensor, rank: number): number | null {
  const dense = affordableTensor(X, rank);
  if (dense === null) return null;
  let bound = 0;
  for (let n = 0; n < dense.shape.length; n++) {
    const squares = squaresOfMode(dense, n);
    const total = tail(squares, 0);
    if (total > 0) bound = Math.max(bound, Math.sqrt(tail(squares, rank) / total));
  }
  return bound;
}

/**
 * The relative error of a Tucker decomposition of X of ranks (min(r, d_n))_n whose factors are free in sign, as `tucker` finds it. It is no
 * bound in the strict sense, but with nonnegative factors one seldom comes below it. 0 for X = 0.
 *
 * Null where `modeBound` is. Throws as `modeBound` does.
 */
export function tuckerError(X: DataTensor, rank: number): number | null {
  const dense = affordableTensor(X, rank);
  if (dense === null) return null;
  const { core, factors } = tucker(dense, rank);
  return relativeError(dense, core, factors);
}

/** X as a dense tensor, if the bounds are not too much work. */
function affordableTensor(X: DataTensor, rank: number): DenseTensor | null {
  checkFiniteTensor(X);
  checkPositiveInteger('rank', rank);
  const entries = entriesOfShape(X.shape);
  const work = X.shape.reduce((sum, size) => {
    const side = Math.min(size, entries / size);
    return sum + entries * side + 3 * side ** 3;
  }, 0);
  return work > affordable || (isSparseTensor(X) && entries > largestDense) ? null : toDenseTensor(X);
}

/** X ≈ core ×₀ U₀ … ×_{N−1} U_{N−1}. */
interface Tucker {
  /** r₀×…×r_{N−1}. */
  core: Values;
  /** U_n, d_n×r_n row-major: orthonormal columns, or columns of 0 where X has fewer directions than r_n. */
  factors: Float64Array[];
  /** The relative error of the start and after every sweep. It falls, up to the rounding of the squared norm. */
  errors: number[];
}

/**
 * Tucker decomposition of ranks r_n = min(r, d_n): the leading singular vectors of every X_(n) to start with (HOSVD), then in turn those of
 * X ×_{m≠n} U_mᵀ (HOOI; De Lathauwer, De Moor & Vandewalle, SIAM J. Matrix Anal. Appl. 21, 2000), until a sweep lowers the relative error by
 * less than 10⁻¹⁰ of itself, at most 100 times, and at most as often as 2·10¹⁰ multiplications allow.
 */
export function tucker(X: Values, rank: number): Tucker {
  const modes = X.shape.map((_, n) => n);
  const factors = modes.map((n) => leadingVectors(X, n, rank));
  const norm = squaredNorm(X.data);
  const errorOf = (core: Values) => (norm > 0 ? Math.sqrt(Math.max(norm - squaredNorm(core.data), 0) / norm) : 0);
  const ontoAll = (Y: Values, from: number, to: number) => modes.slice(from, to).reduce<Values>((Z, n) => onto(Z, n, factors[n]), Y);

  // Renews the factors `from` up to `to`, where Y is X with all others multiplied in, and returns the core: a sweep reads X twice, not once a mode.
  const renew = (Y: Values, from: number, to: number): Values => {
    if (to - from === 1) {
      factors[from] = leadingVectors(Y, from, rank);
      return onto(Y, from, factors[from]);
    }
    const middle = (from + to) >> 1;
    renew(ontoAll(Y, middle, to), from, middle);
    return renew(ontoAll(Y, from, middle), middle, to);
  };

  let core = ontoAll(X, 0, modes.length);
  const errors = [errorOf(core)];
  const sweeps = Math.min(sweepLimit, Math.ceil(affordable / workOfSweep(X.shape, core.shape)));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    core = renew(X, 0, modes.length);
    errors.push(errorOf(core));
    if (errors[sweep] - errors[sweep + 1] <= smallestFall * errors[sweep]) break;
  }
  return { core, factors, errors };
}

/** The multiplications of a sweep: X with half of the factors, twice, and the Gram matrices with their eigenvectors. */
function workOfSweep(shape: readonly number[], ranks: readonly number[]): number {
  const coreEntries = entriesOfShape(ranks);
  return shape.reduce(
    (sum, size, n) => {
      const others = coreEntries / ranks[n];
      const side = Math.min(size, others);
      return sum + size * others * side + 3 * side ** 3;
    },
    2 * entriesOfShape(shape) * Math.max(...ranks),
  );
}

/** ‖X − core ×₀ U₀ … ‖ / ‖X‖, entry by entry: a difference of squared norms would hide errors below 1e-8. */
function relativeError(X: Values, core: Values, factors: readonly Float64Array[]): number {
  const norm = squaredNorm(X.data);
  if (norm === 0) return 0;
  let inner = core;
  for (let n = 1; n < X.shape.length; n++) inner = along(inner, n, factors[n]);
  const slice = X.data.length / X.shape[0];
  const rank = core.shape[0];
  const rest = new Float64Array(slice);
  let error = 0;
  for (let i = 0; i < X.shape[0]; i++) {
    for (let at = 0; at < slice; at++) rest[at] = X.data[i * slice + at];
    for (let c = 0; c < rank; c++) {
      const u = factors[0][i * rank + c];
      if (u !== 0) for (let at = 0; at < slice; at++) rest[at] -= u * inner.data[c * slice + at];
    }
    error += squaredNorm(rest);
  }
  return Math.sqrt(error / norm);
}

/** The squared singular values of X_(n), descending. Those within rounding of zero are 0. */
function squaresOfMode(X: Values, n: number): Float64Array {
  const { size, others } = viewOf(X.shape, n);
  const side = Math.min(size, others);
  const values = symmetricEigenvalues(size <= others ? gramOfRows(X, n) : gramOfColumns(X, n), side).reverse();
  const rounding = side * Number.EPSILON * Math.max(values[0], 0);
  return values.map((value) => (value > rounding ? value : 0));
}

/** The leading min(rank, d_n) left singular vectors of X_(n), d_n×that. */
function leadingVectors(X: Values, n: number, rank: number): Float64Array {
  const { size, others } = viewOf(X.shape, n);
  const count = Math.min(rank, size);
  if (size <= others) return transposed(leadingEigenvectors(gramOfRows(X, n), size, count).vectors, size);
  // A tall X_(n): its right singular vectors V are fewer, and X_(n)V are the left ones times the singular values.
  const found = Math.min(count, others);
  const { vectors } = leadingEigenvectors(gramOfColumns(X, n), others, found);
  const U = new Float64Array(size * count);
  eachRow(X, n, (row, i) => {
    for (let c = 0; c < found; c++) for (let j = 0; j < others; j++) U[i * count + c] += row[j] * vectors[c * others + j];
  });
  return orthonormalise(U, count);
}

interface View {
  before: number;
  size: number;
  after: number;
  /** The columns of X_(n): before · after. */
  others: number;
}

function viewOf(shape: readonly number[], n: number): View {
  const before = entriesOfShape(shape.slice(0, n));
  const after = entriesOfShape(shape.slice(n + 1));
  return { before, size: shape[n], after, others: before * after };
}

/** X_(n)X_(n)ᵀ, of which the lower triangle is filled. Four dot products at a time, which do not wait for each other. */
function gramOfRows({ shape, data }: Values, n: number): Float64Array {
  const { before, size, after } = viewOf(shape, n);
  const G = new Float64Array(size * size);
  for (let b = 0; b < before; b++) {
    for (let i = 0; i < size; i++) {
      const p = (b * size + i) * after;
      let j = 0;
      for (; j + 3 <= i; j += 4) {
        const q = (b * size + j) * after;
        let [s0, s1, s2, s3] = [0, 0, 0, 0];
        for (let a = 0; a < after; a++) {
          const x = data[p + a];
          s0 += x * data[q + a];
          s1 += x * data[q + after + a];
          s2 += x * data[q + 2 * after + a];
          s3 += x * data[q + 3 * after + a];
        }
        const at = i * size + j;
        G[at] += s0;
        G[at + 1] += s1;
        G[at + 2] += s2;
        G[at + 3] += s3;
      }
      for (; j <= i; j++) {
        const q = (b * size + j) * after;
        let s = 0;
        for (let a = 0; a < after; a++) s += data[p + a] * data[q + a];
        G[i * size + j] += s;
      }
    }
  }
  return G;
}

/** X_(n)ᵀX_(n), of which the lower triangle is filled: for a mode that is larger than all others together. */
function gramOfColumns(X: Values, n: number): Float64Array {
  const { others } = viewOf(X.shape, n);
  const G = new Float64Array(others * others);
  eachRow(X, n, (row) => {
    for (let j = 0; j < others; j++) if (row[j] !== 0) for (let k = 0; k <= j; k++) G[j * others + k] += row[j] * row[k];
  });
  return G;
}

/** Visits the rows of X_(n), each gathered into the same array. */
function eachRow({ shape, data }: Values, n: number, visit: (row: Float64Array, i: number) => void): void {
  const { before, size, after, others } = viewOf(shape, n);
  const row = new Float64Array(others);
  for (let i = 0; i < size; i++) {
    for (let b = 0; b < before; b++) for (let a = 0; a < after; a++) row[b * after + a] = data[(b * size + i) * after + a];
    visit(row, i);
  }
}

/** X ×_n Uᵀ: the coordinates of mode n in the columns of U (d_n×r). */
function onto(X: Values, n: number, U: Float64Array): Values {
  return along(X, n, transposed(U, U.length / X.shape[n]));
}

/** X ×_n M for M (r×d_n): Y[b, c, a] = Σ_i M[c, i] X[b, i, a]. */
function along({ shape, data }: Values, n: number, M: Float64Array): Values {
  const { before, size, after } = viewOf(shape, n);
  const r = M.length / size;
  const Y = new Float64Array(before * r * after);
  for (let b = 0; b < before; b++) {
    for (let c = 0; c < r; c++) {
      const to = (b * r + c) * after;
      for (let i = 0; i < size; i++) {
        const m = M[c * size + i];
        const from = (b * size + i) * after;
        if (m !== 0) for (let a = 0; a < after; a++) Y[to + a] += m * data[from + a];
      }
    }
  }
  return { shape: shape.map((d, m) => (m === n ? r : d)), data: Y };
}

/** Mᵀ of a row-major M with `cols` columns. */
function transposed(M: Float64Array, cols: number): Float64Array {
  const rows = M.length / cols;
  return Float64Array.from(M, (_, at) => M[(at % rows) * cols + Math.floor(at / rows)]);
}

function squaredNorm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at] * values[at];
  return sum;
}
