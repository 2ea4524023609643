/** The common part of methods that learn from labels: their options, the checks, the settings of a model, and its classifiers. */
import { accuracyOf, type Classifier, classify, labelTexts, missingLabels, type Targets, targetsOf } from '../data/labels.js';
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, stored } from '../data/sparse.js';
import { matrixTimesPowerOfTwo } from '../data/unit.js';
import { BreakdownError, InputError, ShapeError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { type Loss, squared } from '../programs/losses.js';
import type { LabelSettings, Supervision } from './factorization.js';
import { type Fit, readFactor } from './fit.js';
import { atLeastZero, labelList, type OptionsOf, words } from './options.js';
import { inOwnUnit, type Problem } from './problem.js';

/** The options of every method that takes labels. */
export const labelOptions = {
  /** The label of each sample, M of them: text or a number. null, undefined, NaN or '' where it is unknown; see `unlabelled`. */
  labels: labelList('one label a line for each sample, empty where it is unknown'),
  /**
   * The true label of each sample, M of them.
   * It only scores the predictions of samples that were fitted without a label.
   */
  truth: labelList('labels of all samples, only to score the predictions of samples that have no label in --labels', {
    needs: { option: 'labels' },
  }),
  /**
   * Labels that mean none, in `labels` and `truth`, instead of NA, N/A, <NA>, NaN and nan.
   * For labels of scikit-learn give [-1]. Without this option −1 beside other classes than 1 is refused, since it may be either.
   */
  unlabelled: words('labels that mean none, such as -1 of scikit-learn', {
    default: missingLabels.join(', '),
    needs: { option: 'labels' },
  }),
  /**
   * λ ≥ 0, the weight of the labels against the data.
   * Default, unless the method says otherwise, ‖W∘X‖² / M, the average of a sample. Missing one label then costs as much as losing one
   * sample, whatever the scale of X. Where X is measured by a divergence the sum of W∘X stands for its squared norm.
   * With a far larger weight labelled samples get units of their own, and the others are predicted badly.
   */
  labelWeight: atLeastZero('weight of the labels against the data; default the method’s own', {
    placeholder: 'λ',
    needs: { option: 'labels' },
  }),
};

export type LabelOptions = OptionsOf<typeof labelOptions>;

/** Labels as a fit uses them. */
export interface SupervisionSettings {
  targets: Targets;
  /** undefined where a sample has none. */
  truth?: (string | undefined)[];
  /** λ against the X of the fit, which is in its own unit. */
  labelWeight: number;
  /** λ against the X that was given. */
  givenLabelWeight: number;
  /** Classes that `truth` names and no labelled sample has: they cannot be predicted. */
  classesWithoutLabel: string[];
}

/**
 * Checks labels and truth against the data; undefined without labels. λ weighs against a cost of X that `measure` has. Its default is the
 * size of an average sample (see LabelOptions), or `weight`, a number without a unit.
 */
export function checkSupervision(
  { labels, truth: givenTruth, labelWeight, unlabelled }: LabelOptions,
  { seen, costUnit }: Problem,
  { measure = squared, weight }: { measure?: Loss; weight?: number } = {},
): SupervisionSettings | undefined {
  if (labels === undefined) return undefined;
  const targets = targetsOf(labels, seen.cols, { unlabelled });
  const truth = givenTruth === undefined ? undefined : labelTexts(givenTruth, { unlabelled, option: 'truth' });
  if (truth && truth.length !== seen.cols)
    throw new ShapeError(`There are ${truth.length} true labels for ${seen.cols} samples; give one a sample, empty where it is unknown.`, {
      option: 'truth',
    });
  const named = new Set((truth ?? []).filter((label) => label !== undefined));
  const exponent = weight === undefined ? measure.degree * costUnit : 0;
  const byDefault = weight ?? sizeOf(seen, measure) / seen.cols;
  const own = labelWeight === undefined ? byDefault : exponent === 0 ? labelWeight : inOwnUnit('labelWeight', labelWeight, exponent);
  return {
    targets,
    truth,
    labelWeight: own,
    givenLabelWeight: own * 2 ** exponent,
    classesWithoutLabel: [...named].filter((name) => !targets.classes.includes(name)).sort(),
  };
}

/** The layers whose S is classified, in order; by default the last. Throws InputError for one that is not there. */
export function labelLayersOf(given: readonly number[] | undefined, ranks: readonly number[]): number[] {
  const layers = [...(given ?? [ranks.length - 1])].sort((a, b) => a - b);
  for (const layer of layers)
    if (layer >= ranks.length)
      throw new InputError(`labelLayers names layer ${layer}, but the layers are 0 to ${ranks.length - 1}.`, { option: 'labelLayers' });
  return layers;
}

/** The part of a model's `settings` that labels add. */
export function labelSettings(supervision: SupervisionSettings | undefined): LabelSettings {
  if (!supervision) return {};
  const { givenLabelWeight, classesWithoutLabel } = supervision;
  return { labelWeight: givenLabelWeight, ...(classesWithoutLabel.length > 0 ? { classesWithoutLabel } : {}) };
}

/** Reads the classifiers of one restart, for the S of the result, and scores the last. */
export async function supervise(
  { run, unitOfS }: Fit,
  supervision: SupervisionSettings,
  classifiers: readonly { layer: number; B: Tensor }[],
  restart: number,
  S: readonly Matrix[],
): Promise<Supervision> {
  const read = classifiers.map(async ({ layer, B: tensor }) => {
    const B = matrixTimesPowerOfTwo(await readFactor(run, tensor, restart), -unitOfS);
    const bad = B.data.find((b) => !Number.isFinite(b));
    if (bad === undefined) return { layer, B };
    throw new BreakdownError(
      `The classifier of S[${layer}] holds ${bad}. Take another seed, more restarts or smaller ranks; or a smaller labelWeight, or X in a larger unit.`,
    );
  });
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

/** Throws InputError where the first layer of a hierarchy has labels beside weights. */
export function refuseWeighedLabels(labelLayers: readonly number[]): void {
  if (!labelLayers.includes(0)) return;
  throw new InputError(
    "The option 'labelLayers' has the first layer (0), which takes no weights and no missing values beside labels; choose deeper layers, or the method ssnmf.",
    { option: 'labelLayers' },
  );
}
