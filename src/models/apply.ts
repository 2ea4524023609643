/** What every fitted model can do, whichever method made it: code new samples and name their classes. */
import { checkNewSamples } from '../data/check.js';
import { classify } from '../data/labels.js';
import { type Matrix, multiply } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { transformDeep } from '../methods/deep.js';
import { transformDeepSemi } from '../methods/deep-semi.js';
import type { Factorization, Method } from '../methods/factorization.js';
import { transformHierarchical } from '../methods/hierarchical.js';
import { transformNeural } from '../methods/neural.js';
import { nnls } from '../methods/q.js';
import { transformSparseCoding } from '../methods/sparse-coding.js';
import { type TransformOptions, transformSsnmf } from '../methods/ssnmf.js';
import { transformUnfolded } from '../methods/unfolded.js';

type Transform = (engine: Engine, model: Factorization, newX: DataMatrix, options: TransformOptions) => Promise<Matrix[]>;

const transforms: Record<Method, Transform> = {
  nmf: async (engine, { A }, newX) => [(await nnls(engine, newX, A[0])).S],
  ssnmf: transformSsnmf,
  hierarchical: transformHierarchical,
  deep: transformDeep,
  'deep-semi': async (engine, model, newX) => (await transformDeepSemi(engine, model, newX)).H,
  unfolded: async (engine, model, newX) => [(await transformUnfolded(engine, model, newX)).H],
  'sparse-coding': transformSparseCoding,
  neural: transformNeural,
};

/** Methods that take X with negative entries. */
export const signed: ReadonlySet<Method> = new Set(['deep-semi', 'sparse-coding']);

/**
 * Coefficients of unseen samples: every Sˡ (k_l×M') for the columns of `newX` (N×M'), with the features of the model held.
 *
 * 'nmf', and 'ssnmf' where the data is measured in the Frobenius norm: S = argmin_{S ≥ 0} ‖X − AS‖², exactly (weights and masks are of
 * the fitted data and play no part). 'hierarchical' and 'neural': S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), exactly. The others by rules of their
 * own: see `transformDeep`, `transformDeepSemi`, `transformUnfolded`, `transformSparseCoding`. `options` are for the divergences of 'ssnmf'.
 *
 * @throws InputError for entries that are not finite, or negative where the method takes none; ShapeError where newX has not as many
 * rows as the model has features.
 */
export async function transform(engine: Engine, model: Factorization, newX: DataMatrix, options: TransformOptions = {}): Promise<Matrix[]> {
  checkNewSamples(newX, model.A[0].rows, { signed: signed.has(model.method) });
  return transforms[model.method](engine, model, newX, options);
}

export interface Prediction {
  /** The class of each sample. */
  labels: string[];
  /** B Sˡ, P×M': the score of every class, rows in the order of `model.supervision.classes`. */
  scores: Matrix;
}

/**
 * Classes of unseen samples: argmax of B Sˡ for the columns of `newX`, by the classifier on layer `layer` (default: the last that has one).
 *
 * @throws InputError for a model without labels or without a classifier on that layer; see `transform` for the rest.
 */
export async function predict(
  engine: Engine,
  model: Factorization,
  newX: DataMatrix,
  { layer, ...options }: TransformOptions & { layer?: number } = {},
): Promise<Prediction> {
  if (!model.supervision)
    throw new InputError('The model was fitted without labels, so it knows no classes; fit it with labels to predict.');
  const { classes, classifiers } = model.supervision;
  const chosen = layer === undefined ? classifiers[classifiers.length - 1] : classifiers.find((one) => one.layer === layer);
  if (chosen === undefined) {
    const there = classifiers.map((one) => one.layer).join(', ');
    throw new InputError(`The model has no classifier on layer ${layer}; it has one on ${there}.`);
  }
  const S = (await transform(engine, model, newX, options))[chosen.layer];
  return { labels: Array.from(classify(chosen.B, S), (index) => classes[index]), scores: multiply(chosen.B, S) };
}
