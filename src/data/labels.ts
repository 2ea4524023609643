/** Labels of samples as the methods use them: one-hot targets, a label mask, and accuracy. */

import { InputError, ShapeError } from '../errors.js';
import { type Matrix, matrix } from './matrix.js';

/** One label a sample; null, undefined or '' where it is unknown. */
export type Labels = readonly (string | number | null | undefined)[];

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

/** Throws ShapeError when there is not one label a sample, InputError when none is known or all known ones agree. */
export function targetsOf(labels: Labels, samples: number): Targets {
  const place = { option: 'labels' };
  if (labels.length !== samples)
    throw new ShapeError(`There are ${labels.length} labels for ${samples} samples; give one a sample, empty where it is unknown.`, place);
  const known = labels.map((label) => (label === null || label === undefined || label === '' ? undefined : String(label)));
  const classes = [...new Set(known.filter((label) => label !== undefined))].sort(byValue);
  if (classes.length === 0) throw new InputError('No sample has a label; label some, or leave the labels out.', place);
  if (classes.length === 1)
    throw new InputError(`Every labelled sample is in class "${classes[0]}"; a classifier needs two classes or more.`, place);
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

/** argmax of B S per column: class indices. */
export function classify(B: Matrix, S: Matrix): Int32Array {
  return Int32Array.from({ length: S.cols }, (_, c) => {
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < B.rows; i++) {
      let score = 0;
      for (let j = 0; j < B.cols; j++) score += B.data[i * B.cols + j] * S.data[j * S.cols + c];
      if (score > most) {
        most = score;
        best = i;
      }
    }
    return best;
  });
}

export interface Accuracy {
  /** Share of labelled samples whose class is predicted. */
  labelled: number;
  /** The same on samples that were fitted without their label, where `truth` knows it; null where there are none. */
  unlabelled: number | null;
}

/**
 * Accuracy of predicted class indices on labelled samples and, if `truth` (a label for every sample) is given, on the others apart.
 * Classes in `truth` that no labelled sample has count as wrong.
 */
export function accuracyOf(predicted: Int32Array, { indices, classes }: Pick<Targets, 'indices' | 'classes'>, truth?: Labels): Accuracy {
  let right = 0;
  let all = 0;
  let rightOthers = 0;
  let others = 0;
  predicted.forEach((index, c) => {
    if (indices[c] >= 0) {
      all++;
      if (index === indices[c]) right++;
    } else if (truth?.[c] !== undefined && truth[c] !== null && truth[c] !== '') {
      others++;
      if (classes[index] === String(truth[c])) rightOthers++;
    }
  });
  return { labelled: right / all, unlabelled: others > 0 ? rightOthers / others : null };
}
