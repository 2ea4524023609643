/** A clustering of samples by their topics. */
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
