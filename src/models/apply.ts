/** The use of fitted models of every method: coefficients and classes of new samples. */
import { checkNewSamples, describe } from '../data/check.js';
import { classify } from '../data/labels.js';
import { type Matrix, multiply } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import type { DataMatrix } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { type TransformOptions, transformOptionNames } from '../methods/definition.js';
import { type Factorization, methodOf, methodsWith } from '../methods/methods.js';

export interface ApplyOptions extends TransformOptions {
  /**
   * Names of the rows of newX, such as the terms of a matrix of texts. They must be those of the model in the same order, where it has
   * names: `features`, or the terms of its vocabulary, `text`. Without them the numbers of rows are compared.
   */
  features?: readonly string[];
}

const applyOptionNames = [...transformOptionNames, 'features'];

/**
 * Coefficients of new samples: every Sˡ (k_l×M') for the columns of `newX`, with the features of the model held.
 *
 * - 'nmf', and 'ssnmf' where X is measured in the Frobenius norm: S = argmin_{S ≥ 0} ‖W ∘ (X − AS)‖², exactly. Without `weights` nothing
 *   of newX is missing, whatever was when the model was fitted.
 * - 'hierarchical' and 'neural': S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), exactly.
 * - The others by rules of their own, which stand at their `transform…` functions.
 *
 * @param newX N×M', N as in the model's A[0].
 * @param options See ApplyOptions.
 * @throws InputError for entries that are not finite, or negative where the method takes none, and for `features` that are not those of the
 * model; ShapeError where newX has not as many rows as the model has features.
 */
export async function transform(engine: Engine, model: Factorization, newX: DataMatrix, options: ApplyOptions = {}): Promise<Matrix[]> {
  checkNames('transform', options, applyOptionNames);
  const { features, ...own } = options;
  if (features !== undefined) checkFeatureNames(model, features, newX.rows);
  checkNewSamples(newX, model.A[0].rows, { signed: methodOf(model.method).signed.X });
  if (options.weights !== undefined && !('weights' in methodOf(model.method).options))
    throw new InputError(`${model.method} takes no weights; leave them out, or fit ${inWords(methodsWith('weights'), 'or')}.`, {
      option: 'weights',
    });
  return methodOf(model.method).transform(engine, model, newX, own);
}

/** The names of the features of a model: its own, else the terms of its texts. Undefined where it has none. */
export function featureNames(
  model: Pick<Factorization, 'features'> & { text?: { terms: readonly string[] } },
): readonly string[] | undefined {
  return model.features ?? model.text?.terms;
}

/** Throws InputError unless `features` are one name a row, and those of the model where it has names. */
function checkFeatureNames(model: Factorization, features: readonly string[], rows: number): void {
  const place = { option: 'features' };
  if (!Array.isArray(features) || features.some((name) => typeof name !== 'string'))
    throw new InputError(`features must be a list of names, one a row of newX, not ${describe(features)}.`, place);
  if (features.length !== rows)
    throw new InputError(`There are ${features.length} names of features for ${rows} rows of newX; give one a row.`, place);
  const known = featureNames(model);
  if (known === undefined) return;
  const at = known.findIndex((name, i) => name !== features[i]);
  if (at < 0 && known.length === features.length) return;
  const own = new Set(known);
  const common = new Set(features.filter((name) => own.has(name))).size;
  const advice =
    'text' in model
      ? 'Texts take the rows of the model by its vocabulary: termDocumentMatrix(texts, { vocabulary: model.text }).'
      : 'Give the same features in the same order.';
  const names = (list: readonly string[]) => (at >= 0 && at < list.length ? describe(list[at]) : 'none');
  const difference =
    common === known.length && known.length === features.length
      ? `they are the same ${known.length} in another order: number ${at} (counted from 0) is ${names(features)}, in the model ${names(known)}. Sort the rows of newX.`
      : `${common} of the model's ${known.length} are among the ${features.length} of newX. ${advice}`;
  throw new InputError(`newX has other features than the model: ${difference}`, place);
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
  model: Factorization,
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
