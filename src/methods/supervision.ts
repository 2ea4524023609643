/** What the methods that learn from labels share: their options, the checks, what a model says of its labels, and its classifiers. */
import { checkAtLeastZero } from '../data/check.js';
import { accuracyOf, type Classifier, classify, type Labels, type Targets, targetsOf } from '../data/labels.js';
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, stored } from '../data/sparse.js';
import type { Run } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { type Loss, squared } from '../programs/losses.js';
import type { Supervision } from './factorization.js';
import { readFactor } from './fit.js';

/** The options of every method that takes labels by the terms of (semi-)supervised NMF. */
export interface LabelOptions {
  /** One label a sample; null, undefined or '' where it is unknown. */
  labels?: Labels;
  /** The true label of every sample, used only to score the predictions of samples that were fitted without one. */
  truth?: Labels;
  /**
   * λ ≥ 0, what the labels weigh against the data. Default ‖W∘X‖² / M, the average of a sample: to miss one sample's label costs what losing
   * a whole sample does, whatever the scale of X. Where X is measured by divergence the sum of W∘X stands for its squared norm. Much more
   * than that, and labelled samples get units of their own, so that the others are predicted badly.
   */
  labelWeight?: number;
}

/** Labels as a fit uses them. */
export interface SupervisionSettings {
  targets: Targets;
  truth?: Labels;
  labelWeight: number;
  /** Classes that `truth` names and no labelled sample has: they cannot be predicted. */
  classesWithoutLabel: string[];
}

/**
 * Checks labels, truth and λ against X (masked, if it is); undefined without labels. The default of λ is `weight`, or where none is given
 * the size of an average sample as `measure` has it: see LabelOptions.
 */
export function checkSupervision(
  { labels, truth, labelWeight }: LabelOptions,
  X: DataMatrix,
  { measure = squared, weight }: { measure?: Loss; weight?: number } = {},
): SupervisionSettings | undefined {
  if (labelWeight !== undefined) checkAtLeastZero('labelWeight', labelWeight);
  if (!labels) {
    if (truth) throw new InputError('truth was given without labels; it only scores what was learned from labels.');
    if (labelWeight !== undefined) throw new InputError('labelWeight was given without labels; it has no meaning alone.');
    return undefined;
  }
  const targets = targetsOf(labels, X.cols);
  if (truth && truth.length !== X.cols)
    throw new ShapeError(`There are ${truth.length} true labels for ${X.cols} samples; give one a sample, empty where it is unknown.`);
  const named = new Set((truth ?? []).filter((label) => label !== null && label !== undefined && label !== '').map(String));
  return {
    targets,
    truth,
    labelWeight: labelWeight ?? weight ?? sizeOf(X, measure) / X.cols,
    classesWithoutLabel: [...named].filter((name) => !targets.classes.includes(name)).sort(),
  };
}

/** What a model says about its labels in `settings`. */
export function labelSettings(supervision: SupervisionSettings | undefined): Record<string, unknown> {
  if (!supervision) return {};
  const { labelWeight, classesWithoutLabel } = supervision;
  return { labelWeight, ...(classesWithoutLabel.length > 0 ? { classesWithoutLabel } : {}) };
}

/** Reads the classifiers of one restart and scores the last. */
export async function supervise(
  run: Run,
  supervision: SupervisionSettings,
  classifiers: readonly { layer: number; B: Tensor }[],
  restart: number,
  S: readonly Matrix[],
): Promise<Supervision> {
  const read = classifiers.map(async ({ layer, B }) => ({ layer, B: await readFactor(run, B, restart) }));
  return supervisedBy(await Promise.all(read), S, supervision);
}

/** Classifiers with the accuracy of the last one. */
export function supervisedBy(classifiers: Classifier[], S: readonly Matrix[], { targets, truth }: SupervisionSettings): Supervision {
  const { layer, B } = classifiers[classifiers.length - 1];
  return { classes: targets.classes, classifiers, accuracy: accuracyOf(classify(B, S[layer]), targets, truth) };
}

/** Size of the data as a loss has it: ‖X‖², or ΣX for a divergence. */
export function sizeOf(X: DataMatrix, loss: Loss): number {
  let sum = 0;
  for (const x of stored(X)) sum += loss.size(x);
  return sum;
}
