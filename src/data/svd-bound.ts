import { InputError } from '../errors.js';
import { checkFinite, checkPositiveInteger, describe } from './check.js';
import { symmetricEigenvalues } from './eigenvalues.js';
import { transpose } from './matrix.js';
import { random } from './random.js';
import { type DataMatrix, denseRows, isSparse, type StoredRows, sparseTranspose, stored, storedRows } from './sparse.js';

/** Up to this many rows or columns (whichever are fewer) the singular values are computed exactly. */
const exactUpTo = 2000;
const oversampling = 10;
const powerIterations = 4;

/**
 * The squared singular values of X (N×M, any sign), min(N, M) of them in descending order: the eigenvalues of the Gram
 * matrix of the smaller side, in f64. Those within rounding of zero are 0. Time grows as min(N, M)²·max(N, M).
 */
export function singularValuesSquared(X: DataMatrix): Float64Array {
  checkFinite(X);
  const tall = X.cols <= X.rows ? X : isSparse(X) ? sparseTranspose(X) : transpose(X);
  const values = symmetricEigenvalues(gram(storedRows(tall)), tall.cols).reverse();
  const rounding = tall.cols * Number.EPSILON * Math.max(values[0], 0);
  return values.map((value) => (value > rounding ? value : 0));
}

/**
 * The limits that no factorization of X (N×M) with these ranks can go below: `values[l]` is the relative error ‖X − X̂‖ / ‖X‖ of
 * the best X̂ of rank min(ranks[0..l]), that of the truncated SVD. All 0 for X = 0.
 *
 * `method` says how: 'exact' while min(N, M) ≤ 2000; 'randomised' beyond (Halko, Martinsson & Tropp's sketch with a fixed seed),
 * which gives the error of an actual approximation, that is the limit or very slightly more.
 * Throws InputError for entries that are not finite or ranks that are not positive integers.
 */
export function svdBounds(X: DataMatrix, ranks: readonly number[]): { values: number[]; method: 'exact' | 'randomised' } {
  checkFinite(X);
  if (!Array.isArray(ranks) || ranks.length === 0)
    throw new InputError(`svdBounds needs a list of ranks, such as [9, 4, 2], not ${describe(ranks)}.`, { option: 'ranks' });
  ranks.forEach((rank, layer) => {
    checkPositiveInteger(`ranks[${layer}]`, rank);
  });
  let smallest = Infinity;
  const limits = ranks.map((rank) => {
    smallest = Math.min(smallest, rank);
    return smallest;
  });

  if (Math.min(X.rows, X.cols) <= exactUpTo) {
    const squares = singularValuesSquared(X);
    const total = tail(squares, 0);
    return { values: limits.map((rank) => (total > 0 ? Math.sqrt(tail(squares, rank) / total) : 0)), method: 'exact' };
  }
  const squares = leadingSquares(storedRows(X), Math.min(limits[0], X.rows, X.cols));
  let total = 0;
  for (const x of stored(X)) total += x * x;
  const values = limits.map((rank) => {
    const rest = total - tail(squares.subarray(0, rank), 0);
    return total > 0 ? Math.sqrt(Math.max(rest, 0) / total) : 0;
  });
  return { values, method: 'randomised' };
}

/** The sum of the values from index `from` on, smallest first. */
export function tail(descending: Float64Array, from: number): number {
  let sum = 0;
  for (let i = descending.length - 1; i >= from; i--) sum += descending[i];
  return sum;
}

/**
 * XᵀX (cols×cols) of which the lower triangle is filled. Four rows of X at a time, so that the large result is passed over a quarter as often,
 * only the columns in which one of the four is not zero, and four rows of the result at a time, which share what is read of X.
 */
function gram(X: StoredRows): Float64Array {
  if (X.columns) return sparseGram(X, X.columns);
  const { rows, cols, values: data } = X;
  const G = new Float64Array(cols * cols);
  const at = new Int32Array(cols);
  const x = [0, 1, 2, 3].map(() => new Float64Array(cols));
  const [x0, x1, x2, x3] = x;
  for (let i = 0; i < rows; i += 4) {
    let count = 0;
    const height = Math.min(4, rows - i);
    for (let j = 0; j < cols; j++) {
      let filled = false;
      for (let r = 0; r < 4; r++) {
        const value = r < height ? data[(i + r) * cols + j] : 0;
        x[r][count] = value;
        filled ||= value !== 0;
      }
      if (filled) at[count++] = j;
    }
    let p = 0;
    for (; p + 3 < count; p += 4) {
      const [toA, toB, toC, toD] = [at[p] * cols, at[p + 1] * cols, at[p + 2] * cols, at[p + 3] * cols];
      const [a0, a1, a2, a3] = [x0[p], x1[p], x2[p], x3[p]];
      const [b0, b1, b2, b3] = [x0[p + 1], x1[p + 1], x2[p + 1], x3[p + 1]];
      const [c0, c1, c2, c3] = [x0[p + 2], x1[p + 2], x2[p + 2], x3[p + 2]];
      const [d0, d1, d2, d3] = [x0[p + 3], x1[p + 3], x2[p + 3], x3[p + 3]];
      for (let q = 0; q <= p + 3; q++) {
        const j = at[q];
        const y0 = x0[q];
        const y1 = x1[q];
        const y2 = x2[q];
        const y3 = x3[q];
        G[toA + j] += a0 * y0 + a1 * y1 + a2 * y2 + a3 * y3;
        G[toB + j] += b0 * y0 + b1 * y1 + b2 * y2 + b3 * y3;
        G[toC + j] += c0 * y0 + c1 * y1 + c2 * y2 + c3 * y3;
        G[toD + j] += d0 * y0 + d1 * y1 + d2 * y2 + d3 * y3;
      }
    }
    for (; p < count; p++) {
      const to = at[p] * cols;
      const [a0, a1, a2, a3] = [x0[p], x1[p], x2[p], x3[p]];
      for (let q = 0; q <= p; q++) G[to + at[q]] += a0 * x0[q] + a1 * x1[q] + a2 * x2[q] + a3 * x3[q];
    }
  }
  return G;
}

/** The same of sparse rows: the squares of their lengths in steps, instead of N·M². */
function sparseGram({ rows, cols, values, start }: StoredRows, columns: Uint32Array): Float64Array {
  const G = new Float64Array(cols * cols);
  for (let i = 0; i < rows; i++) {
    const first = start(i);
    for (let e = first; e < start(i + 1); e++) {
      const row = columns[e] * cols;
      for (let f = first; f <= e; f++) G[row + columns[f]] += values[e] * values[f];
    }
  }
  return G;
}

/** Estimates of the `rank` + 10 largest squared singular values, from below, descending. */
function leadingSquares(X: StoredRows, rank: number): Float64Array {
  const width = Math.min(rank + oversampling, X.rows, X.cols);
  const { normal } = random(0);
  let Z: Float64Array = Float64Array.from({ length: X.cols * width }, normal);
  let Q = orthonormalise(times(X, Z, width), width);
  for (let n = 0; n < powerIterations; n++) {
    Z = orthonormalise(transposedTimes(X, Q, width), width);
    Q = orthonormalise(times(X, Z, width), width);
  }
  // QQᵀX approximates X; its singular values are those of the thin (QᵀX)ᵀ.
  Z = transposedTimes(X, Q, width);
  return symmetricEigenvalues(gram(denseRows(X.cols, width, Z)), width)
    .reverse()
    .map((value) => Math.max(value, 0));
}

/** X Z for a row-major Z of `width` columns. */
function times({ rows, values, columns, start }: StoredRows, Z: Float64Array, width: number): Float64Array {
  const Y = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    const [first, end] = [start(i), start(i + 1)];
    for (let e = first; e < end; e++) {
      const x = values[e];
      const j = columns ? columns[e] : e - first;
      if (x !== 0) for (let c = 0; c < width; c++) Y[i * width + c] += x * Z[j * width + c];
    }
  }
  return Y;
}

/** Xᵀ Q for a row-major Q of `width` columns. */
function transposedTimes({ rows, cols, values, columns, start }: StoredRows, Q: Float64Array, width: number): Float64Array {
  const Y = new Float64Array(cols * width);
  for (let i = 0; i < rows; i++) {
    const [first, end] = [start(i), start(i + 1)];
    for (let e = first; e < end; e++) {
      const x = values[e];
      const j = columns ? columns[e] : e - first;
      if (x !== 0) for (let c = 0; c < width; c++) Y[j * width + c] += x * Q[i * width + c];
    }
  }
  return Y;
}

/**
 * Makes the columns of Q orthonormal in place, by Gram–Schmidt done twice (once is not orthogonal enough);
 * a column that depends on those before it becomes 0.
 */
export function orthonormalise(Q: Float64Array, width: number): Float64Array {
  const dots = new Float64Array(width);
  for (let c = 0; c < width; c++) {
    const before = columnNorm(Q, width, c);
    for (let pass = 0; pass < 2; pass++) {
      dots.fill(0, 0, c);
      for (let row = 0; row < Q.length; row += width) {
        const value = Q[row + c];
        for (let p = 0; p < c; p++) dots[p] += value * Q[row + p];
      }
      for (let row = 0; row < Q.length; row += width) {
        let value = Q[row + c];
        for (let p = 0; p < c; p++) value -= dots[p] * Q[row + p];
        Q[row + c] = value;
      }
    }
    const norm = columnNorm(Q, width, c);
    const scale = norm > 1e-14 * before ? 1 / norm : 0;
    for (let row = 0; row < Q.length; row += width) Q[row + c] *= scale;
  }
  return Q;
}

function columnNorm(Q: Float64Array, width: number, c: number): number {
  let sum = 0;
  for (let at = c; at < Q.length; at += width) sum += Q[at] * Q[at];
  return Math.sqrt(sum);
}
