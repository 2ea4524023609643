/** Matrices as the page shows them: those that are too large are cut into blocks, of which it gets the means. */
import { type DataMatrix, type Factorization, inverseTransform, isSparse, type Matrix, type Method, matrix } from 'orthant';
import type { Factors } from './fits.js';

/** A matrix, or the means of its blocks. */
export interface Picture {
  entries: Matrix;
  /** The size of the matrix. */
  rows: number;
  cols: number;
  /** Rows and columns of a block; 1 and 1 where every entry is there. */
  high: number;
  wide: number;
}

/** Rows and columns of blocks, so that there are no more than `most` of them. */
function blocksOf(rows: number, cols: number, most: number): { high: number; wide: number } {
  if (rows * cols <= most) return { high: 1, wide: 1 };
  const side = Math.floor(Math.sqrt(most));
  const tall = rows <= side ? rows : cols <= side ? Math.floor(most / cols) : side;
  const high = Math.ceil(rows / tall);
  const wide = Math.ceil((Math.ceil(rows / high) * cols) / most);
  return { high, wide };
}

/** The means of blocks of X, over the entries that have a value; NaN where none has. */
export function pictureOf(X: DataMatrix, most: number): Picture {
  const { rows, cols } = X;
  const { high, wide } = blocksOf(rows, cols, most);
  if (high * wide === 1 && !isSparse(X)) return { entries: { ...X, data: X.data.slice() }, rows, cols, high, wide };
  return { entries: isSparse(X) ? sparseMeans(X, high, wide) : means(X, high, wide), rows, cols, high, wide };
}

function means({ rows, cols, data }: Matrix, high: number, wide: number): Matrix {
  const out = matrix(Math.ceil(rows / high), Math.ceil(cols / wide));
  const counts = new Uint32Array(out.data.length);
  for (let i = 0; i < rows; i++) {
    const from = Math.floor(i / high) * out.cols;
    for (let j = 0; j < cols; j++) {
      const x = data[i * cols + j];
      if (Number.isNaN(x)) continue;
      const at = from + Math.floor(j / wide);
      out.data[at] += x;
      counts[at]++;
    }
  }
  for (let at = 0; at < counts.length; at++) out.data[at] = counts[at] > 0 ? out.data[at] / counts[at] : Number.NaN;
  return out;
}

function sparseMeans(X: DataMatrix, high: number, wide: number): Matrix {
  const out = matrix(Math.ceil(X.rows / high), Math.ceil(X.cols / wide));
  if (!isSparse(X)) return out;
  for (let i = 0; i < X.rows; i++)
    for (let e = X.rowStarts[i]; e < X.rowStarts[i + 1]; e++)
      out.data[Math.floor(i / high) * out.cols + Math.floor(X.columns[e] / wide)] += X.values[e];
  for (let at = 0; at < out.data.length; at++) {
    const [i, j] = [Math.floor(at / out.cols), at % out.cols];
    out.data[at] /= Math.min(high, X.rows - i * high) * Math.min(wide, X.cols - j * wide);
  }
  return out;
}

/** What the page shows a fit by: its method and options are known before there is a model. */
export interface Shape {
  method: Method;
  options: Readonly<Record<string, unknown>>;
}

/** Factors as a model that `inverseTransform` takes. */
export function asModel({ method, options }: Shape, { A, S }: Factors): Factorization {
  const settings = { nonlinearity: 'identity', ...options, columns: [] };
  return { method, A, S, ranks: S.map(({ rows }) => rows), settings } as unknown as Factorization;
}

/** Whether X̂ is linear in the coefficients, so that means of X̂ are those of the factors. */
const isLinear = ({ settings, method }: Factorization) => {
  const { nonlinearity = 'identity', activation = 'identity', pooling = 'none' } = settings as unknown as Record<string, unknown>;
  return method !== 'unfolded' && nonlinearity === 'identity' && activation === 'identity' && pooling === 'none';
};

/** X̂ at a depth, cut into blocks; undefined where it cannot be had from the factors alone. */
export function reconstructionOf(model: Factorization, layer: number, most: number): Picture | undefined {
  const [A, S] = [model.A[0], model.S[layer]];
  const [rows, cols] = [A.rows, S.cols];
  const { high, wide } = blocksOf(rows, cols, most);
  const cut = { ...model, A: [high > 1 ? means(A, high, 1) : A, ...model.A.slice(1)] } as Factorization;
  try {
    if (isLinear(model)) return { entries: inverseTransform(cut, wide > 1 ? means(S, 1, wide) : S, { layer }), rows, cols, high, wide };
    const whole = inverseTransform(cut, S, { layer });
    return { entries: wide > 1 ? means(whole, 1, wide) : whole, rows, cols, high, wide };
  } catch {
    return undefined; // pooling of samples and ratio masks cannot be undone without the data
  }
}

/** The multiplications of X̂ at every depth that are done at each drawing; of more the page shows the error that the fit tells. */
const cheap = 2 ** 25;

/** ‖X − X̂‖ / ‖X‖ at every depth, over the entries that have a value; null where it would take too long. */
export function levelErrors(X: DataMatrix, model: Factorization): (number | null)[] {
  const work = X.rows * X.cols * model.ranks.reduce((sum, rank) => sum + rank, 0);
  return model.S.map((S, layer) => {
    if (isSparse(X) || work > cheap || S.cols !== X.cols) return null;
    const picture = reconstructionOf(model, layer, Number.POSITIVE_INFINITY);
    return picture === undefined ? null : relativeError(X, picture.entries);
  });
}

function relativeError(X: Matrix, reconstruction: Matrix): number {
  let [error, norm] = [0, 0];
  for (let at = 0; at < X.data.length; at++) {
    const x = X.data[at];
    if (Number.isNaN(x)) continue;
    error += (x - reconstruction.data[at]) ** 2;
    norm += x * x;
  }
  return norm > 0 ? Math.sqrt(error / norm) : 0;
}

/** The features of a layer in data space: the columns of A⁰A¹…Aˡ; those of A⁰ where something stands between the factors. */
export function partsOf(model: Factorization, layer: number): Matrix {
  const { A, ranks } = model;
  if (layer === 0 || !isLinear(model)) return A[0];
  const identity = matrix(ranks[layer], ranks[layer]);
  for (let k = 0; k < identity.rows; k++) identity.data[k * identity.cols + k] = 1;
  try {
    return inverseTransform(model, identity, { layer });
  } catch {
    return A[0];
  }
}

/** A part of a matrix. */
export interface View {
  row: number;
  column: number;
  rows: number;
  cols: number;
}

export function partOf(X: DataMatrix, { row, column, rows, cols }: View): Matrix {
  const out = matrix(rows, cols);
  for (let i = 0; i < rows; i++) {
    if (!isSparse(X)) out.data.set(X.data.subarray((row + i) * X.cols + column, (row + i) * X.cols + column + cols), i * cols);
    else {
      for (let e = X.rowStarts[row + i]; e < X.rowStarts[row + i + 1]; e++) {
        const j = X.columns[e] - column;
        if (j >= 0 && j < cols) out.data[i * cols + j] = X.values[e];
      }
    }
  }
  return out;
}
