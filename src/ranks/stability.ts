/** Whether fits to slightly different data find the same components: NMFk. */
import { bestAssignment } from '../data/assignment.js';
import { type Matrix, transpose } from '../data/matrix.js';
import { distancesOf, silhouettes } from '../data/silhouettes.js';
import { unitColumns } from '../methods/scores.js';

export interface Stability {
  /** Of each component the mean silhouette of its columns of A, by the cosine; its place is that in the first fit. */
  ofA: number[];
  /** The same of its rows of S. */
  ofS: number[];
  /** Their means over the components. */
  meanOfA: number;
  meanOfS: number;
  /** Those of the component that is least stable. */
  leastOfA: number;
  leastOfS: number;
}

/**
 * Components of several fits in clusters, each of one component of every fit, and the silhouettes of the clusters. Every fit is assigned to
 * the means of the clusters until no assignment changes; distances are one minus the cosine.
 *
 * Alexandrov, Nik-Zainal, Wedge, Campbell & Stratton, Cell Reports 2013; Nebgen, Vangara, Hombrados-Herrera, Kuksova & Alexandrov, Machine
 * Learning: Science and Technology 2021. They assign greedily, this by the Hungarian algorithm.
 */
export function stability(fits: readonly { A: Matrix; S: Matrix }[]): Stability {
  const k = fits[0].A.cols;
  const ofA = fits.map(({ A }) => unitColumns(A));
  const ofS = fits.map(({ S }) => unitColumns(transpose(S)));
  const clusters = matched(ofA);
  const labels = clusters.flat();
  const means = (columns: readonly Float64Array[][]) => {
    const each = silhouettes(distancesOf(columns.flat(), 'cosine'), labels);
    const sums = new Float64Array(k);
    each.forEach((silhouette, at) => {
      sums[labels[at]] += silhouette;
    });
    return Array.from(sums, (sum) => sum / fits.length);
  };
  const [a, s] = [means(ofA), means(ofS)];
  const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  return { ofA: a, ofS: s, meanOfA: mean(a), meanOfS: mean(s), leastOfA: Math.min(...a), leastOfS: Math.min(...s) };
}

/** Assignments settle after a few rounds; none is known to go on, and this is the most. */
const mostRounds = 100;

/** The cluster of each component, by fits. */
function matched(fits: readonly Float64Array[][]): number[][] {
  const k = fits[0].length;
  const product = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, t) => sum + x * b[t], 0);
  let centres = fits[0];
  let clusters: number[][] = [];
  for (let round = 0; round < mostRounds; round++) {
    const found = fits.map((columns) => bestAssignment(k, k, (j, c) => product(columns[j], centres[c])));
    if (found.every((ofFit, f) => clusters[f]?.every((c, j) => c === ofFit[j]))) break;
    clusters = found;
    const sums = centres.map(({ length }) => new Float64Array(length));
    fits.forEach((columns, f) => {
      columns.forEach((column, j) => {
        const sum = sums[found[f][j]];
        for (let t = 0; t < column.length; t++) sum[t] += column[t];
      });
    });
    centres = sums.map((sum) => {
      const length = Math.sqrt(product(sum, sum)) || 1;
      return sum.map((x) => x / length);
    });
  }
  return clusters;
}
