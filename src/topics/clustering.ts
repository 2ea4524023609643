/** A clustering of samples by their topics, and how far it agrees with classes that are known. */
import { type Matrix, multiply } from '../data/matrix.js';

/**
 * The largest topic of each sample, −1 for a sample without any: argmaxⱼ (Σψⱼ) Sˡⱼ of the topics ψⱼ, the columns of A⁰…Aˡ. That is the mass of
 * the part that a topic has in the reconstruction of the sample, so it does not depend on how scale is shared between A and S.
 */
export function largestTopics({ A, S }: { A: readonly Matrix[]; S: readonly Matrix[] }, layer: number): number[] {
  let topics = A[0];
  for (let l = 1; l <= layer; l++) topics = multiply(topics, A[l]);
  const sums = new Float64Array(topics.cols);
  topics.data.forEach((value, p) => {
    sums[p % topics.cols] += value;
  });
  const { cols, data } = S[layer];
  return Array.from({ length: cols }, (_, c) => {
    let [best, most] = [-1, 0];
    for (let j = 0; j < sums.length; j++) if (sums[j] * data[j * cols + c] > most) [best, most] = [j, sums[j] * data[j * cols + c]];
    return best;
  });
}

export interface Agreement {
  /** Samples that have a class. The others do not count. */
  samples: number;
  classes: number;
  /** The part of the samples that are in the most frequent class of their cluster: from 1 ÷ samples to 1. */
  purity: number;
  /** Mutual information over the mean of both entropies: 0 for independent, 1 for equal partitions; 0 where both have one part. */
  nmi: number;
}

/**
 * How far clusters agree with classes. See Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), 16.3.
 *
 * @param clusters The cluster of each sample.
 * @param classes The class of each sample, undefined where it is unknown.
 */
export function agreement(clusters: readonly number[], classes: readonly (string | undefined)[]): Agreement {
  const joint = new Map<number, Map<string, number>>();
  const ofClass = new Map<string, number>();
  let n = 0;
  clusters.forEach((cluster, c) => {
    const name = classes[c];
    if (name === undefined) return;
    const counts = joint.get(cluster) ?? new Map<string, number>();
    joint.set(cluster, counts.set(name, (counts.get(name) ?? 0) + 1));
    ofClass.set(name, (ofClass.get(name) ?? 0) + 1);
    n++;
  });
  const cells = [...joint.values()].map((counts) => [...counts.values()]);
  const entropy = (counts: readonly number[]) => counts.reduce((sum, count) => sum - (count / n) * Math.log(count / n), 0);
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  const both = entropy(cells.map(sum)) + entropy([...ofClass.values()]);
  const shared = both - entropy(cells.flat());
  return {
    samples: n,
    classes: ofClass.size,
    purity: n === 0 ? 0 : sum(cells.map((counts) => Math.max(...counts))) / n,
    nmi: both === 0 ? 0 : Math.min(1, Math.max(0, (2 * shared) / both)),
  };
}
