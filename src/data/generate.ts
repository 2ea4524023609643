import { checkAtLeastZero, checkPositiveInteger, checkSeed } from './check.js';
import type { Matrix } from './matrix.js';
import { matrix } from './matrix.js';
import { checkNames } from './names.js';
import { numpyRandom } from './numpy-random.js';
import { random } from './random.js';
import { type DenseTensor, tensor } from './tensors.js';

const rowGroups = [10, 5, 10, 12, 13, 4, 11, 8, 14];
const columnGroups = [10, 10, 5, 7, 5, 20, 10, 9, 14];
const parent4 = [0, 0, 1, 1, 2, 2, 3, 3, 3];
const parent2 = [0, 0, 0, 0, 1, 1, 1, 1, 1];

/**
 * The synthetic data of the published Neural NMF experiment (its Table 1), with fresh noise: X is 87×90 in nine groups of rows
 * and columns; an entry is 4 where the groups are the same, 2 where they share a parent of four, 1 where they share only one
 * of two, else 0, plus noise that is uniform on [0, 0.15). `labels[c]` gives each column's class (from 0) among c = 9, 4 or 2.
 */
export function tableOne(seed = 0): { X: Matrix; labels: { 9: number[]; 4: number[]; 2: number[] } } {
  checkSeed(seed);
  const { uniform } = random(seed);
  const rows = rowGroups.flatMap((size, group) => Array<number>(size).fill(group));
  const columns = columnGroups.flatMap((size, group) => Array<number>(size).fill(group));
  const X = matrix(rows.length, columns.length);
  rows.forEach((r, i) => {
    columns.forEach((c, j) => {
      const level = r === c ? 4 : parent4[r] === parent4[c] ? 2 : parent2[r] === parent2[c] ? 1 : 0;
      X.data[i * X.cols + j] = level + 0.15 * uniform();
    });
  });
  return { X, labels: { 9: columns, 4: columns.map((c) => parent4[c]), 2: columns.map((c) => parent2[c]) } };
}

/**
 * A random nonnegative N×M matrix |A||S| + E with A N×rank and S rank×M standard normal and E uniform on [0, noise)
 * (default 0: exactly of that rank up to rounding; a typical entry of |A||S| is 0.64 rank). `seed` defaults to 0.
 */
export function randomLowRank(N: number, M: number, rank: number, options: { seed?: number; noise?: number } = {}): Matrix {
  checkNames('randomLowRank', options, ['seed', 'noise']);
  const { seed = 0, noise = 0 } = options;
  checkPositiveInteger('N', N);
  checkPositiveInteger('M', M);
  checkPositiveInteger('rank', rank);
  checkSeed(seed);
  checkAtLeastZero('noise', noise);
  const { normal, uniform } = random(seed);
  const A = Float64Array.from({ length: N * rank }, () => Math.abs(normal()));
  const S = Float64Array.from({ length: rank * M }, () => Math.abs(normal()));
  const X = matrix(N, M);
  const row = new Float64Array(M);
  for (let i = 0; i < N; i++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const a = A[i * rank + k];
      for (let j = 0; j < M; j++) row[j] += a * S[k * M + j];
    }
    if (noise > 0) for (let j = 0; j < M; j++) row[j] += noise * uniform();
    X.data.set(row, i * M);
  }
  return X;
}

type Range = readonly [number, number];

/** A value, and the half-open ranges of the three modes that have it. Later blocks overwrite earlier ones. */
const blocks: readonly (readonly [number, Range, Range, Range])[] = [
  [0.75, [0, 20], [0, 20], [0, 20]],
  [0.75, [20, 40], [20, 40], [20, 40]],
  [2, [0, 12], [0, 12], [0, 8]],
  [2, [12, 20], [12, 20], [8, 20]],
  [2, [20, 27], [20, 34], [20, 27]],
  [2, [27, 40], [34, 40], [27, 40]],
  [3.5, [0, 12], [0, 6], [0, 4]],
  [3.5, [0, 12], [6, 12], [4, 8]],
  [3.5, [12, 17], [12, 20], [8, 13]],
  [3.5, [17, 20], [12, 20], [13, 20]],
  [3.5, [20, 23], [20, 27], [20, 27]],
  [3.5, [23, 27], [27, 34], [20, 27]],
];

/**
 * The 40×40×40 tensor of the published experiments with hierarchical tensor decompositions (Vendrow, Haddock, Needell, arXiv 2009.12708 and
 * 2109.14820): 7 blocks in 4 in 2, plus `noise` · |standard normal| as NumPy's `random.seed(seed)` draws it, rounded to f32. The published
 * pairs of noise and seed are 0.1 and 1, the defaults, and 0.4 and 14.
 *
 * @throws InputError for a noise that is negative or not finite, and a seed that is no integer from 0 to 2³²−1.
 */
export function hierarchicalTensor(options: { noise?: number; seed?: number } = {}): DenseTensor {
  checkNames('hierarchicalTensor', options, ['noise', 'seed']);
  const { noise = 0.1, seed = 1 } = options;
  checkAtLeastZero('noise', noise);
  const { normal } = numpyRandom(seed);
  const X = tensor([40, 40, 40]);
  for (const [value, first, second, third] of blocks) {
    for (let i = first[0]; i < first[1]; i++)
      for (let j = second[0]; j < second[1]; j++) X.data.fill(value, (i * 40 + j) * 40 + third[0], (i * 40 + j) * 40 + third[1]);
  }
  for (let at = 0; at < X.data.length; at++) X.data[at] += noise * Math.abs(normal());
  return X;
}
