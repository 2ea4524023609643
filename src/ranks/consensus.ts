/** How far restarts agree on which samples belong together. */
import { averageLinkage, pairCorrelation } from '../data/linkage.js';
import { type Matrix, matrix } from '../data/matrix.js';
import { InputError, ShapeError } from '../errors.js';

export interface Consensus {
  /** M×M: the part of the restarts in which two samples are in one cluster. */
  matrix: Matrix;
  /**
   * The correlation of 1 − consensus with the heights at which average linkage joins two samples (Brunet, Tamayo, Golub & Mesirov, PNAS 2004):
   * 1 where all restarts agree.
   */
  cophenetic: number;
  /** Σ 4 (c − ½)² / M² over the consensus (Kim & Park, Bioinformatics 2007): 1 where all restarts agree, 0 where every pair is undecided. */
  dispersion: number;
  /** The samples in the order of the linkage, for a heat map. */
  order: number[];
}

/** The cluster of each sample: the component with the most mass in it, argmaxⱼ (Σᵢ aᵢⱼ) sⱼ. It does not depend on the scale of A and S. */
export function largestComponents(A: Matrix, S: Matrix, samples: readonly number[]): Int32Array {
  const mass = new Float64Array(A.cols);
  A.data.forEach((a, at) => {
    mass[at % A.cols] += a;
  });
  return Int32Array.from(samples, (m) => {
    let best = 0;
    for (let j = 1; j < S.rows; j++) if (mass[j] * S.data[j * S.cols + m] > mass[best] * S.data[best * S.cols + m]) best = j;
    return best;
  });
}

/**
 * The consensus of several clusterings of the same samples.
 *
 * @param clusterings One list for each restart, the cluster of every sample. It takes M² entries.
 * @throws InputError for fewer than two; ShapeError where they have different lengths.
 */
export function consensus(clusterings: readonly ArrayLike<number>[]): Consensus {
  const R = clusterings.length;
  if (R < 2) throw new InputError(`A consensus needs two clusterings at least, but ${R === 0 ? 'none was' : 'one was'} given.`);
  const M = clusterings[0].length;
  if (M === 0) throw new InputError('The clusterings have no samples; give the cluster of one sample at least.');
  clusterings.forEach(({ length }, r) => {
    if (length !== M)
      throw new ShapeError(`Clustering ${r} has ${length} samples, but clustering 0 has ${M}; all are of the same samples.`);
  });
  const counts = new Float64Array(M * M);
  for (const clusters of clusterings) {
    for (let i = 0; i < M; i++) for (let j = 0; j < M; j++) if (clusters[i] === clusters[j]) counts[i * M + j]++;
  }
  const apart = counts.map((count) => 1 - count / R);
  const { cophenetic, order } = averageLinkage(apart, M);
  return {
    matrix: matrix(
      M,
      M,
      Float32Array.from(counts, (count) => count / R),
    ),
    cophenetic: pairCorrelation(apart, cophenetic, M),
    dispersion: apart.reduce((sum, d) => sum + 4 * (0.5 - d) ** 2, 0) / M ** 2,
    order,
  };
}
