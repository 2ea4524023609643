/** The use of fitted models of every method: coefficients and classes of new samples. */
import { checkNewSamples, describe } from '../data/check.js';
import { classify } from '../data/labels.js';
import { type Matrix, multiply } from '../data/matrix.js';
import { refuseMissing, seenOf } from '../data/missing.js';
import { checkNames } from '../data/names.js';
import type { DataMatrix } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { type TransformOptions, transformOptionNames } from '../methods/definition.js';
import { type Factorization, methodOf, methodsWith } from '../methods/methods.js';
import { renamedMask } from '../methods/options.js';
import type { TextModel } from '../text/text-model.js';
import { inOrderOf } from './align.js';

export interface ApplyOptions extends TransformOptions {
  /**
   * Names of the rows of newX, such as the terms of a matrix of texts. Where the model has names, too (`features`, or the terms of its
   * vocabulary, `text`), they must be the same; rows of newX and of `weights` in another order are put into that of the model. Without
   * names the numbers of rows are compared.
   */
  features?: readonly string[];
}

const applyOptionNames = [...transformOptionNames, 'features'];

/**
 * Coefficients of new samples: every Sˡ (k_l×M') for the columns of `newX`, with the features of the model held.
 *
 * - 'nmf', and 'ssnmf' where X is measured in the Frobenius norm: S = argmin_{S ≥ 0} ‖W ∘ (X − AS)‖², exactly. NaN in newX has
 *   weight 0. Without `weights` and NaN nothing of newX is missing, whatever was when the model was fitted.
 * - 'hierarchical' and 'neural': S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), exactly.
 * - The others by rules of their own, which stand at their `transform…` functions.
 *
 * @param newX N×M', N as in the model's A[0].
 * @param options See ApplyOptions.
 * @throws InputError for entries that are not finite, or negative where the method takes none (NaN where it takes no weights), for a sample
 * without any value, and for `features` that are not those of the
 * model; ShapeError where newX has not as many rows as the model has features.
 */
export async function transform(
  engine: Engine,
  model: Factorization & { text?: TextModel },
  newX: DataMatrix,
  options: ApplyOptions = {},
): Promise<Matrix[]> {
  checkNames('transform', options, applyOptionNames, renamedMask);
  const { features, ...own } = options;
  if (features !== undefined) checkFeatureNames(features, newX.rows);
  const { weights } = own;
  // Weights of another shape are refused below, in their own words.
  const whole = weights === undefined || weights.rows === newX.rows;
  const moved = whole ? inOrderOf({ X: newX, weights, features, of: 'newX' }, model, 'the model') : undefined;
  if (moved) return transform(engine, model, moved.X, { ...own, ...(moved.weights && { weights: moved.weights }) });
  const { options: taken, signed, transform: apply } = methodOf(model.method);
  if (weights !== undefined && !('weights' in taken))
    throw new InputError(`${model.method} takes no weights; leave them out, or fit ${inWords(methodsWith('weights'), 'or')}.`, {
      option: 'weights',
    });
  if (own.absent !== undefined && !('absent' in taken))
    throw new InputError(`${model.method} does not take 'absent'; leave it out, or fit ${inWords(methodsWith('absent'), 'or')}.`, {
      option: 'absent',
    });
  if (!('weights' in taken)) refuseMissing(newX, model.method, methodsWith('weights'), 'newX');
  const seen = seenOf(newX, weights, { name: 'newX', newSamples: true });
  checkNewSamples(seen.X, model.A[0].rows, { signed: signed.X });
  return apply(engine, model, seen.X, { ...own, ...(seen.weights && { weights: seen.weights }) });
}

/** Throws InputError unless `features` are one name a row. */
function checkFeatureNames(features: readonly string[], rows: number): void {
  const place = { option: 'features' };
  if (!Array.isArray(features) || features.some((name) => typeof name !== 'string'))
    throw new InputError(`features must be a list of names, one a row of newX, not ${describe(features)}.`, place);
  if (features.length !== rows)
    throw new InputError(`There are ${features.length} names of features for ${rows} rows of newX; give one a row.`, place);
}

export interface Prediction {
  /** The class of each sample; null for a sample without a signal, all of whose scores are 0. */
  labels: (string | null)[];
  /** B Sˡ, P×M': the score of every class, rows in the order of `model.supervision.classes`. */
  scores: Matrix;
}

/**
 * Classes of new samples: argmax of B Sˡ for the columns of `newX` (N×M'). A sample whose scores are all 0, such as one whose coefficients
 * on that layer are, has no class: its label is null.
 *
 * @param options layer: the layer, counted from 0, whose classifier is used; default: the last that has one.
 * @throws InputError for a model without labels or without a classifier on that layer; see `transform` for the rest.
 */
export async function predict(
  engine: Engine,
  model: Factorization & { text?: TextModel },
  newX: DataMatrix,
  given: ApplyOptions & { layer?: number } = {},
): Promise<Prediction> {
  checkNames('predict', given, ['layer', ...applyOptionNames]);
  const { layer, ...options } = given;
  if (!model.supervision)
    throw new InputError('The model was fitted without labels, so it knows no classes; fit it with labels to predict.');
  const { classes, classifiers } = model.supervision;
  const chosen = layer === undefined ? classifiers[classifiers.length - 1] : classifiers.find((one) => one.layer === layer);
  if (chosen === undefined) {
    const there = classifiers.map((one) => one.layer).join(', ');
    throw new InputError(`The model has no classifier on layer ${describe(layer)}; it has one on ${there}.`, { option: 'layer' });
  }
  const S = (await transform(engine, model, newX, options))[chosen.layer];
  return { labels: Array.from(classify(chosen.B, S), (index) => classes[index] ?? null), scores: multiply(chosen.B, S) };
}
