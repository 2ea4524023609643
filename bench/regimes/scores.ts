/** The agreement of a clustering with classes, and the summary of a few seeds. */
import { type Matrix, multiply } from '../../src/data/matrix.js';

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/**
 * The cluster of each sample: the unit l with the largest ‖column l of A⁰…Aᴸ‖ · Sᴸ, its contribution to the sample in data space. That does
 * not depend on how a method shares scale between A and S.
 */
export function clusters(A: readonly Matrix[], S: Matrix): number[] {
  let features = A[0];
  for (const next of A.slice(1)) features = multiply(features, next);
  const norms = Array.from({ length: features.cols }, (_, l) => {
    let squares = 0;
    for (let i = 0; i < features.rows; i++) squares += features.data[i * features.cols + l] ** 2;
    return Math.sqrt(squares);
  });
  return Array.from({ length: S.cols }, (_, c) => {
    let best = 0;
    for (let l = 1; l < S.rows; l++) if (norms[l] * S.data[l * S.cols + c] > norms[best] * S.data[best * S.cols + c]) best = l;
    return best;
  });
}

/** Share of samples in the most frequent class of their cluster. */
export function purity(found: readonly number[], classes: readonly string[]): number {
  let right = 0;
  for (const counts of table(found, classes).values()) right += Math.max(...counts.values());
  return right / found.length;
}

/** Mutual information over the mean of both entropies: 0 for independent, 1 for identical partitions; 0 where both have one part. */
export function nmi(found: readonly number[], classes: readonly string[]): number {
  const n = found.length;
  const entropy = (counts: Iterable<number>) => {
    let sum = 0;
    for (const count of counts) sum -= (count / n) * Math.log(count / n);
    return sum;
  };
  const joint = table(found, classes);
  const ofClusters = [...joint.values()].map((counts) => [...counts.values()].reduce((a, b) => a + b, 0));
  const ofClasses = new Map<string, number>();
  for (const name of classes) ofClasses.set(name, (ofClasses.get(name) ?? 0) + 1);
  const [u, v] = [entropy(ofClusters), entropy(ofClasses.values())];
  const both = entropy([...joint.values()].flatMap((counts) => [...counts.values()]));
  return u + v === 0 ? 0 : Math.max(0, (2 * (u + v - both)) / (u + v));
}

function table(found: readonly number[], classes: readonly string[]): Map<number, Map<string, number>> {
  const joint = new Map<number, Map<string, number>>();
  found.forEach((cluster, c) => {
    const counts = joint.get(cluster) ?? new Map<string, number>();
    joint.set(cluster, counts.set(classes[c], (counts.get(classes[c]) ?? 0) + 1));
  });
  return joint;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}
