/** Tensors that are sums of outer products, [[F₀, …, F_{N−1}]], on the host. All sums are in f64. */
import { InputError, ShapeError } from '../errors.js';
import { checkDense, type Matrix } from './matrix.js';
import {
  checkShape,
  checkSparseTensor,
  checkTensor,
  type DataTensor,
  type DenseTensor,
  isSparseTensor,
  type SparseTensor,
  tensor,
  times,
} from './tensors.js';
import { describe } from './words.js';

/**
 * [[F₀, …, F_{N−1}]] = Σ_r w_r F₀[·][r] ∘ … ∘ F_{N−1}[·][r]: a d₀×…×d_{N−1} tensor of factors d_n×R, summed in f64 and rounded once.
 * The weights default to 1.
 *
 * @throws InputError for factors that are no matrices, or fewer than 2 or more than 6 of them; ShapeError unless all have R columns and there
 * are R weights.
 */
export function kruskal(factors: readonly Matrix[], weights?: ArrayLike<number>): DenseTensor {
  const R = rankOf(factors);
  if (weights !== undefined && weights.length !== R)
    throw new ShapeError(`There are ${weights.length} weights, but the factors have ${R} columns; give a weight for each.`, {
      option: 'weights',
    });
  const last = factors[factors.length - 1];
  const X = tensor(factors.map(({ rows }) => rows));
  eachFibre(factors, weights ?? new Float64Array(R).fill(1), (fibre, product) => {
    for (let j = 0; j < last.rows; j++) X.data[fibre * last.rows + j] = dot(product, last.data, j * R);
  });
  return X;
}

/**
 * ‖X − [[F₀, …, F_{N−1}]]‖² and ‖X‖², in f64. From a sparse X it takes time by its stored entries:
 * Σ ((x − x̂)² − x̂²) over them + Σ_{rs} (∘_n F_nᵀF_n)_rs, exact to about the rounding of f64 times ‖X‖².
 *
 * @throws InputError for what is no tensor, or factors as `kruskal` refuses them; ShapeError for factors of another shape than X.
 */
export function kruskalError(X: DataTensor, factors: readonly Matrix[]): { error: number; norm: number } {
  if (isSparseTensor(X)) checkSparseTensor(X);
  else checkTensor(X);
  const R = rankOf(factors);
  const shape = factors.map(({ rows }) => rows);
  if (shape.length !== X.shape.length || shape.some((size, n) => size !== X.shape[n]))
    throw new ShapeError(
      `X is ${times(X.shape)}, but the factors make a ${times(shape)} tensor; give a factor with d rows for a mode of size d.`,
    );
  return isSparseTensor(X) ? errorOfSparse(X, factors, R) : errorOfDense(X, factors, R);
}

function errorOfDense(X: DenseTensor, factors: readonly Matrix[], R: number): { error: number; norm: number } {
  const last = factors[factors.length - 1];
  let error = 0;
  let norm = 0;
  eachFibre(factors, new Float64Array(R).fill(1), (fibre, product) => {
    for (let j = 0; j < last.rows; j++) {
      const x = X.data[fibre * last.rows + j];
      const difference = x - dot(product, last.data, j * R);
      error += difference * difference;
      norm += x * x;
    }
  });
  return { error, norm };
}

function errorOfSparse(X: SparseTensor, factors: readonly Matrix[], R: number): { error: number; norm: number } {
  const order = factors.length;
  const product = new Float64Array(R);
  let error = 0;
  let norm = 0;
  for (let e = 0; e < X.values.length; e++) {
    product.fill(1);
    for (let n = 0; n < order; n++) {
      const row = X.coordinates[e * order + n] * R;
      for (let r = 0; r < R; r++) product[r] *= factors[n].data[row + r];
    }
    const x = X.values[e];
    error += x * (x - 2 * product.reduce((sum, value) => sum + value, 0));
    norm += x * x;
  }
  for (let r = 0; r < R; r++) for (let s = 0; s < R; s++) error += factors.reduce((all, F) => all * columnDot(F, r, s), 1);
  return { error: Math.max(error, 0), norm };
}

/** Visits the fibres of the last mode in C order, each with w_r ∏_n F_n[i_n][r] over the modes before it. */
function eachFibre(
  factors: readonly Matrix[],
  weights: ArrayLike<number>,
  visit: (fibre: number, product: ArrayLike<number>) => void,
): void {
  const R = weights.length;
  const products = factors.map(() => new Float64Array(R));
  let fibre = 0;
  const descend = (n: number, before: ArrayLike<number>) => {
    if (n === factors.length - 1) {
      visit(fibre++, before);
      return;
    }
    const { rows, data } = factors[n];
    for (let i = 0; i < rows; i++) {
      for (let r = 0; r < R; r++) products[n][r] = before[r] * data[i * R + r];
      descend(n + 1, products[n]);
    }
  };
  descend(0, weights);
}

function dot(a: ArrayLike<number>, b: Float32Array, from: number): number {
  let sum = 0;
  for (let r = 0; r < a.length; r++) sum += a[r] * b[from + r];
  return sum;
}

function columnDot({ cols, data }: Matrix, r: number, s: number): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += cols) sum += data[at + r] * data[at + s];
  return sum;
}

/** R, where the factors have as many columns each. */
function rankOf(factors: readonly Matrix[]): number {
  if (!Array.isArray(factors)) throw new InputError(`factors must be a list of matrices, one a mode, not ${describe(factors)}.`);
  factors.forEach((F, n) => {
    checkDense(F, `factors[${n}]`, 'factors');
  });
  checkShape(
    factors.map(({ rows }) => rows),
    'The tensor of these factors',
    'factors',
  );
  const R = factors[0].cols;
  const other = factors.findIndex(({ cols }) => cols !== R);
  if (other >= 0)
    throw new ShapeError(
      `factors[0] has ${R} columns, but factors[${other}] has ${factors[other].cols}; every factor needs a column for each component.`,
      { option: 'factors' },
    );
  return R;
}
