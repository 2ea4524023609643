/** Labels of samples as the methods use them: one-hot targets, a label mask, and accuracy. */

import { InputError, ShapeError } from '../errors.js';
import { type Matrix, matrix } from './matrix.js';
import { forEachValue, isList } from './numbers.js';
import { describe, quoted } from './words.js';

/**
 * One label a sample: text or a number, in a list of any kind. null, undefined, NaN or a blank text where it is unknown, and the texts that
 * the option `unlabelled` names.
 */
export type Labels = ArrayLike<string | number | bigint | boolean | null | undefined>;

/** The labels that stand for none if the option `unlabelled` is left out: what R and pandas write for a missing value. */
export const missingLabels: readonly string[] = ['NA', 'N/A', '<NA>', 'NaN', 'nan'];

/** How labels are read. */
export interface LabelReading {
  /** Labels that mean none, instead of `missingLabels`. */
  unlabelled?: readonly (string | number)[];
  /** The option that has the labels, for messages; default 'labels'. */
  option?: string;
}

/**
 * The label of each sample as text, undefined where it has none.
 *
 * Scikit-learn writes −1 where a label is unknown; elsewhere −1 is a class, as beside 1. So −1 beside other classes is refused until
 * `unlabelled` was given: with −1 in it there is no label, without it there is a class −1.
 *
 * @throws InputError for what is no list of labels, and for −1 where nobody has told what it is.
 */
export function labelTexts(labels: Labels, { unlabelled, option = 'labels' }: LabelReading = {}): (string | undefined)[] {
  const place = { option };
  if (!isList(labels))
    throw new InputError(`${option} must be a list with one label a sample, null where it is unknown, not ${describe(labels)}.`, place);
  const none = new Set((unlabelled ?? missingLabels).map(String));
  const texts: (string | undefined)[] = [];
  forEachValue(labels, (label, at) => {
    if (!(label === null || label === undefined || ['string', 'number', 'bigint', 'boolean'].includes(typeof label)))
      throw new InputError(`${option}[${at}] must be text or a number, or null where it is unknown, not ${describe(label)}.`, place);
    const text = label === null || label === undefined || Number.isNaN(label) ? '' : String(label);
    texts.push(text.trim() === '' || none.has(text) ? undefined : text);
  });
  if (unlabelled === undefined) checkMinusOne(texts, option);
  return texts;
}

function checkMinusOne(texts: readonly (string | undefined)[], option: string): void {
  const classes = [...new Set(texts)].filter((text) => text !== undefined);
  const minusOne = classes.find((text) => Number(text) === -1);
  if (minusOne === undefined || (classes.length === 2 && classes.some((text) => Number(text) === 1))) return;
  throw new InputError(
    `${option} has '${minusOne}', which is scikit-learn's mark of a sample without a label, but may be a class. ` +
      `Say which by the option 'unlabelled': a list with ${minusOne} makes it no label, a list without it, such as [], a class.`,
    { option },
  );
}

export interface Targets {
  /** P×M one-hot; the column of an unlabelled sample is zero. */
  Y: Matrix;
  /** P×M label mask: ones where the sample is labelled. */
  L: Matrix;
  /** Names of the P classes, sorted (numbers by value); row i of Y is class i. */
  classes: string[];
  /** Class index of each sample, −1 where it is unknown. */
  indices: Int32Array;
  labelled: number;
}

/**
 * Throws ShapeError when there is not one label a sample, InputError when none is known or all known ones agree, and as `labelTexts` does.
 */
export function targetsOf(labels: Labels, samples: number, reading: LabelReading = {}): Targets {
  const place = { option: 'labels' };
  const known = labelTexts(labels, reading);
  if (known.length !== samples)
    throw new ShapeError(`There are ${known.length} labels for ${samples} samples; give one a sample, empty where it is unknown.`, place);
  const classes = [...new Set(known.filter((label) => label !== undefined))].sort(byValue);
  if (classes.length === 0) throw new InputError('No sample has a label; label some, or leave the labels out.', place);
  if (classes.length === 1)
    throw new InputError(`Every labelled sample is in class ${quoted(classes[0])}; a classifier needs two classes or more.`, place);
  const at = new Map(classes.map((name, i) => [name, i]));
  const indices = Int32Array.from(known, (label) => (label === undefined ? -1 : at.get(label)!));
  const P = classes.length;
  const Y = matrix(P, samples);
  const L = matrix(P, samples);
  indices.forEach((index, c) => {
    if (index < 0) return;
    Y.data[index * samples + c] = 1;
    for (let i = 0; i < P; i++) L.data[i * samples + c] = 1;
  });
  return { Y, L, classes, indices, labelled: indices.reduce((count, index) => count + (index >= 0 ? 1 : 0), 0) };
}

function byValue(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference) ? (a < b ? -1 : a > b ? 1 : 0) : difference;
}

export interface Classifier {
  /** The layer whose S it reads. */
  layer: number;
  /** P×k; the predicted class of a column s is argmax B s. */
  B: Matrix;
}

/** argmax of B S per column: class indices, −1 for a sample without a signal, all of whose scores are 0 (those of s = 0 are). */
export function classify(B: Matrix, S: Matrix): Int32Array {
  return Int32Array.from({ length: S.cols }, (_, c) => {
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    let signal = false;
    for (let i = 0; i < B.rows; i++) {
      let score = 0;
      for (let j = 0; j < B.cols; j++) score += B.data[i * B.cols + j] * S.data[j * S.cols + c];
      if (score !== 0) signal = true;
      if (score > most) {
        most = score;
        best = i;
      }
    }
    return signal ? best : -1;
  });
}

export interface Accuracy {
  /** Share of labelled samples whose class is predicted. */
  labelled: number;
  /** The same on samples that were fitted without their label, where `truth` knows it; null where there are none. */
  unlabelled: number | null;
}

/**
 * Accuracy of predicted class indices on labelled samples and, if `truth` (the label of every sample, undefined where it has none) is given,
 * on the others apart. Classes in `truth` that no labelled sample has count as wrong, and so does a sample without a predicted class (−1).
 */
export function accuracyOf(
  predicted: Int32Array,
  { indices, classes }: Pick<Targets, 'indices' | 'classes'>,
  truth?: readonly (string | undefined)[],
): Accuracy {
  let right = 0;
  let all = 0;
  let rightOthers = 0;
  let others = 0;
  predicted.forEach((index, c) => {
    if (indices[c] >= 0) {
      all++;
      if (index === indices[c]) right++;
    } else if (truth?.[c] !== undefined) {
      others++;
      if (index >= 0 && classes[index] === truth[c]) rightOthers++;
    }
  });
  return { labelled: right / all, unlabelled: others > 0 ? rightOthers / others : null };
}
