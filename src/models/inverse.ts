/** From coefficients back to data. */
import { checkFinite, describe } from '../data/check.js';
import { type Dense, type Matrix, matrix, product } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { requireDense } from '../data/sparse.js';
import { InputError, ShapeError } from '../errors.js';
import type { DeepFactorization } from '../methods/deep.js';
import type { DeepSemiFactorization } from '../methods/deep-semi.js';
import type { Factorization } from '../methods/methods.js';

/**
 * The data that coefficients stand for: X̂ = A⁰A¹…AˡS, N×M', in f64, rounded to f32 at the end.
 *
 * What stands between the factors of a model is applied, too: X̂ = A⁰ g(A¹ g(… AˡS)) for 'deep-semi', and A⁰ u(A¹ u(… AˡS)) for 'deep',
 * where u undoes activation and average pooling of features. Of 'unfolded' it is the output WH. X̂ for the S of a fit has the
 * `relativeError` of that layer.
 *
 * @param model A model of any method. Its S is not read.
 * @param S k_l×M', with any number of columns.
 * @param options layer: the layer l of S, counted from 0. Default: the last.
 * @throws InputError for entries that are not finite, a layer that is not there, what cannot be undone without the data (ratio masks; max pooling,
 * and pooling of samples, beyond layer 0), and an X̂ beyond f32; ShapeError where S has not k_l rows.
 */
export function inverseTransform(model: Factorization, S: Matrix, options: { layer?: number } = {}): Matrix {
  checkNames('inverseTransform', options, ['layer']);
  const { method, A, ranks } = model;
  const { layer = ranks.length - 1 } = options;
  if (!(Number.isInteger(layer) && layer >= 0 && layer < ranks.length))
    throw new InputError(`layer must be one of ${ranks.map((_, l) => l).join(', ')}, the layers of the model, not ${describe(layer)}.`, {
      option: 'layer',
    });
  requireDense(S, 'inverseTransform', 'give S as toDense(…)');
  checkFinite(S, 'S');
  if (S.rows !== ranks[layer])
    throw new ShapeError(
      `S is ${S.rows}×${S.cols}, but layer ${layer} of the model has rank ${ranks[layer]}, one row each.${S.cols === ranks[layer] ? ' It looks transposed: columns are samples.' : ''}`,
    );
  if (method === 'unfolded' && model.settings.columns.length > 0)
    throw new InputError('The model was trained with ratio masks, whose output needs the data: see reconstructUnfolded.');
  const back = method === 'deep' ? undoneBridge(model, layer) : method === 'deep-semi' ? curveOf(model) : (Z: Dense) => Z;
  let Z: Dense = S;
  for (let l = layer; l > 0; l--) Z = back({ rows: A[l].rows, cols: Z.cols, data: product(A[l], Z) }, l);
  const data = Float32Array.from(product(A[0], Z));
  if (data.every(Number.isFinite)) return matrix(A[0].rows, S.cols, data);
  throw new InputError('The data of this S have entries above 3.4e38, beyond f32; divide S by a power of ten.');
}

/** What stands between AˡSˡ and Aˡ⁻¹. */
type Between = (Z: Dense, layer: number) => Dense;

const entrywise =
  (f: (z: number) => number): Between =>
  (Z) => ({ ...Z, data: Float64Array.from(Z.data, f) });

/** g of Deep Semi-NMF: see programs/curves.ts. */
function curveOf({ settings: { nonlinearity } }: DeepSemiFactorization): Between {
  const curves = {
    identity: (z: number) => z,
    square: (z: number) => z * z,
    softplus: (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
    sigmoid: (z: number) => 1 / (1 + Math.exp(-z)),
    tanh: (z: number) => 1.7159 * Math.tanh((2 / 3) * z),
  };
  return entrywise(curves[nonlinearity]);
}

/** u of Deep NMF: every member of a group gets its average, then f⁻¹. */
function undoneBridge({ ranks, settings }: DeepFactorization, layer: number): Between {
  const { pooling = 'none', poolSize = 2, poolOver = 'features', activation = 'identity', power = 0.5 } = settings;
  if (layer > 0 && (pooling === 'max' || (pooling === 'average' && poolOver === 'samples'))) {
    const what = pooling === 'max' ? 'Max pooling' : 'Pooling of samples';
    throw new InputError(`${what} cannot be undone from S of layer ${layer} alone; give the S of layer 0, with layer: 0.`, {
      option: 'layer',
    });
  }
  const inverse = entrywise(
    activation === 'power' ? (z) => Math.max(z, 0) ** (1 / power) : activation === 'log1p' ? (z) => Math.expm1(z) : (z) => z,
  );
  return (Z, l) => inverse(pooling === 'average' ? spread(Z, ranks[l - 1], poolSize) : Z, l);
}

/** Row i is row ⌊i/size⌋ of Z. */
function spread({ cols, data }: Dense, rows: number, size: number): Dense {
  const at = (index: number) => Math.floor(index / cols / size) * cols + (index % cols);
  return { rows, cols, data: Float64Array.from({ length: rows * cols }, (_, index) => data[at(index)]) };
}
