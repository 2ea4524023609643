/** One factorization out of many: cNMF's consensus of replicates. */
import { checkAtLeastZero, checkNonnegative, checkPositive, checkPositiveInteger, checkSeed } from '../data/check.js';
import { kMeans } from '../data/kmeans.js';
import { type Matrix, matrix } from '../data/matrix.js';
import { median } from '../data/median.js';
import { checkNames } from '../data/names.js';
import { random } from '../data/random.js';
import { distancesOf, silhouettes } from '../data/silhouettes.js';
import type { DataMatrix } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import { nnls } from '../methods/q.js';
import { explainedVariance, unitColumns } from '../methods/scores.js';

export interface ConsensusOptions {
  /** The neighbours that the density of a component looks at, as a part of the replicates. Default 0.3. */
  neighborhood?: number;
  /** Components whose mean distance to these neighbours is not below this are left out. Default 0.5; 2 leaves out none. */
  densityThreshold?: number;
  /** Starts of k-means. Default 10. */
  starts?: number;
  /** Seed of k-means. Default 0. */
  seed?: number;
  /** W of zeros and ones, N×M, for the refit: 0 marks a missing value. X must be dense. */
  weights?: Matrix;
}

export interface ConsensusFactors {
  /** N×k, columns sum to 1: medians of the clusters, the one of most mass in S first. */
  A: Matrix;
  /** k×M, q(X, A). */
  S: Matrix;
  /** ‖X − AS‖ / ‖X‖. */
  relativeError: number;
  /** The mean silhouette of the components that were kept, by Euclid's distance; cNMF calls it stability. */
  silhouette: number;
  /** The mean distance of each component to its nearest neighbours: those of the first replicate, then of the second, … */
  densities: number[];
  /** The column of A that each component belongs to, in the same order; −1 for one that was left out. */
  clusters: number[];
}

/**
 * The consensus of replicates as cNMF makes it (Kotliar, Veres, Nagy, Tabrizi, Hodis, Melton & Sabeti, eLife 2019): components at length 1,
 * those in thin places left out, k-means, medians of the clusters that then sum to 1, and S by least squares.
 *
 * The density of a component is the mean Euclidean distance to its n nearest others, n = ⌊neighborhood · replicates⌋.
 *
 * @param replicates A (N×k) of two fits or more, such as those of `nmf` with several seeds.
 * @throws InputError for too few replicates for one neighbour, for a threshold that leaves fewer than k components, and as `nnls`; ShapeError
 * for replicates of different shapes.
 */
export async function consensusFactors(
  engine: Engine,
  X: DataMatrix,
  replicates: readonly Matrix[],
  options: ConsensusOptions = {},
): Promise<ConsensusFactors> {
  checkNames('consensusFactors', options, ['neighborhood', 'densityThreshold', 'starts', 'seed', 'weights']);
  const { neighborhood = 0.3, densityThreshold = 0.5, starts = 10, seed = 0, weights } = options;
  checkPositive('neighborhood', neighborhood);
  checkAtLeastZero('densityThreshold', densityThreshold);
  checkPositiveInteger('starts', starts);
  checkSeed(seed);
  checkNonnegative(X);
  const [N, k] = shapeOf(replicates, X);
  const R = replicates.length;
  // In the order of cNMF's own sum, whose rounding decides at whole numbers.
  const neighbours = Math.trunc((neighborhood * R * k) / k);
  if (neighbours < 1 || neighbours >= R * k)
    throw new InputError(
      `neighborhood is ${neighborhood}, which of ${R} replicates is ${neighbours < 1 ? 'not one neighbour' : 'more than all components'}; give ${neighbours < 1 ? `${Math.ceil(1 / neighborhood)} replicates or more, or a larger neighborhood` : 'a smaller one'}.`,
      { option: 'neighborhood' },
    );
  const spectra = replicates.flatMap(unitColumns);
  const distances = distancesOf(spectra, 'euclidean');
  const count = spectra.length;
  const densities = spectra.map((_, i) => {
    // Sorted with itself, at distance 0.
    const near = distances.slice(i * count, (i + 1) * count).sort();
    return near.subarray(0, neighbours + 1).reduce((sum, d) => sum + d, 0) / neighbours;
  });
  const kept = densities.flatMap((density, i) => (density < densityThreshold ? [i] : []));
  if (kept.length < k)
    throw new InputError(
      `densityThreshold is ${densityThreshold}, which keeps ${kept.length} of ${count} components, fewer than the rank ${k}; give a larger one (2 keeps all), or more replicates.`,
      { option: 'densityThreshold' },
    );
  const dense = kept.map((i) => spectra[i]);
  const { clusters } = kMeans(dense, k, random(seed, { purpose: 'clusters' }), starts);
  const medians = mediansOf(dense, clusters, N, k);
  const fitted = await nnls(engine, X, medians, weights ? { weights } : {});
  const order = byMass(fitted.S);
  const A = matrix(N, k);
  const S = matrix(k, X.cols);
  order.forEach((from, to) => {
    for (let i = 0; i < N; i++) A.data[i * k + to] = medians.data[i * k + from];
    S.data.set(fitted.S.data.subarray(from * X.cols, (from + 1) * X.cols), to * X.cols);
  });
  const placeOf = order.map((_, from) => order.indexOf(from));
  const all = new Array<number>(count).fill(-1);
  kept.forEach((i, at) => {
    all[i] = placeOf[clusters[at]];
  });
  const each = silhouettes(distancesOf(dense, 'euclidean'), clusters);
  return {
    A,
    S,
    relativeError: Math.sqrt(Math.max(1 - explainedVariance(X, { A, S }, weights ? { weights } : {}), 0)),
    silhouette: each.reduce((sum, s) => sum + s, 0) / each.length,
    densities,
    clusters: all,
  };
}

function shapeOf(replicates: readonly Matrix[], X: DataMatrix): [N: number, k: number] {
  if (!Array.isArray(replicates) || replicates.length < 2)
    throw new InputError('replicates must be a list of two dictionaries A or more, one of each fit.', { option: 'replicates' });
  const [{ cols }] = replicates;
  replicates.forEach((A, r) => {
    checkNonnegative(A, `replicates[${r}]`);
    if (A.rows !== X.rows || A.cols !== cols)
      throw new ShapeError(`replicates[${r}] is ${A.rows}×${A.cols}, but ${X.rows}×${cols} is needed: all are fits of X at one rank.`);
  });
  return [X.rows, cols];
}

/** Entry by entry the median of each cluster, and then columns that sum to 1. */
function mediansOf(points: readonly Float64Array[], clusters: ArrayLike<number>, N: number, k: number): Matrix {
  const A = matrix(N, k);
  for (let j = 0; j < k; j++) {
    const members = points.filter((_, i) => clusters[i] === j);
    const column = Float64Array.from({ length: N }, (_, i) => median(members.map((member) => member[i])));
    const sum = column.reduce((total, x) => total + x, 0);
    if (!(sum > 0))
      throw new InputError(`The median of ${members.length} components of a cluster is zero; give replicates of a smaller rank.`);
    for (let i = 0; i < N; i++) A.data[i * k + j] = column[i] / sum;
  }
  return A;
}

/** The rows of S by their sums, the largest first. */
function byMass({ rows, cols, data }: Matrix): number[] {
  const mass = Array.from({ length: rows }, (_, j) => data.subarray(j * cols, (j + 1) * cols).reduce((sum, s) => sum + s, 0));
  return mass.map((_, j) => j).sort((a, b) => mass[b] - mass[a] || a - b);
}
