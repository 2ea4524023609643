/** Scores, clusterings and consensus factors against golden.json, which golden.py made with numpy and scipy alone. */
import { expect, test } from 'vitest';
import { bestAssignment } from '../../src/data/assignment.js';
import { kMeans } from '../../src/data/kmeans.js';
import { averageLinkage, pairCorrelation } from '../../src/data/linkage.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { distancesOf, silhouettes } from '../../src/data/silhouettes.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { agreement, explainedVariance, heldOutError, matchedCosine, sparsity } from '../../src/methods/scores.js';
import { consensusFactors } from '../../src/ranks/consensus-factors.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import golden from './golden.json' with { type: 'json' };

const of = (lines: number[][]): Matrix => matrix(lines.length, lines[0].length, lines.flat());
const [X, A, S, W, B] = (['X', 'A', 'S', 'W', 'B'] as const).map((name) => of(golden.matrices[name]));
const close = (found: ArrayLike<number>, wanted: readonly number[], digits = 6) => {
  expect(found.length).toBe(wanted.length);
  wanted.forEach((x, i) => {
    expect(found[i], `entry ${i}`).toBeCloseTo(x, digits);
  });
};

test('NMI, adjusted Rand index and purity', () => {
  const { clusters, classes, ari, nmi, purity } = golden.labels;
  const found = agreement(clusters, classes.map(String));
  close([found.ari, found.nmi, found.purity], [ari, nmi, purity], 12);
});

test('the adjusted Rand index of special partitions, as scikit-learn has it', () => {
  expect(agreement([0, 0, 1, 2], ['a', 'a', 'b', 'b']).ari).toBeCloseTo(0.5714285714285714, 12); // its documentation
  expect(agreement([0, 0, 0, 0], ['a', 'b', 'c', 'd']).ari).toBe(0);
  expect(agreement([0, 0, 1, 1], ['a', 'b', 'a', 'b']).ari).toBeCloseTo(-0.5, 12);
  expect(agreement([0, 1, 2], ['a', 'b', 'c']).ari).toBe(1);
  expect(agreement([0, 0], ['a', 'a']).ari).toBe(1);
});

test('explained variance, dense, sparse and with weights, and the held-out error', () => {
  close([explainedVariance(X, { A, S })], [golden.explained]);
  close([explainedVariance(sparseFromDense(X), { A: [A], S: [S] })], [golden.explained]);
  close([explainedVariance(X, { A, S }, { weights: W })], [golden.weighted]);
  close([heldOutError(X, { A, S }, W)], [golden.heldOut]);
  // The last layer of several counts: A · I · S.
  const I = matrix(3, 3, [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  close([explainedVariance(X, { A: [A, I], S: [matrix(3, 5), S] })], [golden.explained]);
});

test('matched cosines and Hoyer’s sparsity', () => {
  const { columns, cosines } = golden.matched;
  const found = matchedCosine(A, B);
  expect(found.columns).toEqual(columns);
  close(found.cosines, cosines);
  const back = matchedCosine(B, A);
  expect(back.columns).toEqual([0, 1, 2, 3].map((j) => columns.indexOf(j)));
  expect(back.mean).toBeCloseTo(cosines.reduce((sum, x) => sum + x, 0) / 4, 6);
  close(sparsity(A).columns, golden.hoyer);
  expect(sparsity(matrix(4, 3, [1, 0, 0, 1, 0, 0, 1, 5, 0, 1, 0, 0])).columns).toEqual([0, 1, 1]);
});

test('what scores refuse names what was given', () => {
  expect(() => explainedVariance(X, { A: S, S })).toThrow(ShapeError);
  expect(() => explainedVariance(X, { A: [A, A], S })).toThrow('A is 6×3, but what comes after it has 6 rows');
  expect(() => heldOutError(X, { A, S }, { ...W, data: W.data.map((w) => w / 2) })).toThrow('hidden has the entry 0.5');
  expect(() => heldOutError(X, { A, S }, matrix(6, 5))).toThrow(InputError);
  expect(() => matchedCosine(A, S)).toThrow('A has 6 rows and B 3');
  expect(() => explainedVariance(matrix(2, 2), { A, S })).toThrow(InputError);
});

test('the best assignment is that of all permutations', () => {
  for (let seed = 0; seed < 30; seed++) {
    const { uniform, integer } = random(seed);
    const rows = 1 + integer(5);
    const cols = rows + integer(2);
    const value = Array.from({ length: rows * cols }, () => uniform() - 0.5);
    const best = (row: number, free: number[]): number =>
      row === rows
        ? 0
        : Math.max(
            ...free.map(
              (c) =>
                value[row * cols + c] +
                best(
                  row + 1,
                  free.filter((other) => other !== c),
                ),
            ),
          );
    const found = bestAssignment(rows, cols, (i, j) => value[i * cols + j]);
    expect(new Set(found).size, `seed ${seed}`).toBe(rows);
    const sum = found.reduce((total, c, row) => total + value[row * cols + c], 0);
    expect(sum, `seed ${seed}`).toBeCloseTo(
      best(
        0,
        Array.from({ length: cols }, (_, c) => c),
      ),
      12,
    );
  }
});

test('average linkage: heights, their correlation, and an order that keeps joined members together', () => {
  const distances = distancesOf(golden.points, 'euclidean');
  const { cophenetic, order } = averageLinkage(distances, 9);
  close(cophenetic, golden.cophenetic.heights.flat());
  expect(pairCorrelation(distances, cophenetic, 9)).toBeCloseTo(golden.cophenetic.correlation, 6);
  expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  // In a dendrogram without crossings heights from one member never fall along the order.
  for (let a = 0; a < 9; a++) {
    for (let b = a + 1; b < 8; b++) {
      const [i, j, next] = [order[a], order[b], order[b + 1]];
      expect(cophenetic[i * 9 + next]).toBeGreaterThanOrEqual(cophenetic[i * 9 + j]);
    }
  }
});

test('silhouettes by both distances, of one cluster and of clusters of one', () => {
  const { labels, ...wanted } = golden.silhouettes;
  for (const kind of ['euclidean', 'cosine'] as const) close(silhouettes(distancesOf(golden.points, kind), labels), wanted[kind]);
  expect(Array.from(silhouettes([0, 1, 1, 0], [0, 0]))).toEqual([1, 1]);
  expect(Array.from(silhouettes([0, 1, 1, 0], [0, 1]))).toEqual([0, 0]);
});

test('k-means finds clusters that are far apart, and its inertia is that of their means', () => {
  const { normal, uniform } = random(3);
  const centres = Array.from({ length: 5 }, () => [20 * uniform(), 20 * uniform(), 20 * uniform()]);
  const points = Array.from({ length: 60 }, (_, i) => centres[i % 5].map((x) => x + 0.1 * normal()));
  const { clusters, inertia } = kMeans(points, 5, random(0, { purpose: 'clusters' }), 10);
  expect(
    agreement(
      [...clusters],
      points.map((_, i) => `${i % 5}`),
    ).ari,
  ).toBe(1);
  let wanted = 0;
  for (let c = 0; c < 5; c++) {
    const own = points.filter((_, i) => i % 5 === c);
    for (let t = 0; t < 3; t++) {
      const mean = own.reduce((sum, p) => sum + p[t], 0) / own.length;
      for (const p of own) wanted += (p[t] - mean) ** 2;
    }
  }
  expect(inertia).toBeCloseTo(wanted, 9);
  // As many clusters as points, some of them equal: no cluster is without a number.
  expect(kMeans([[0], [0], [1]], 3, random(1), 2).inertia).toBe(0);
});

test('consensus factors are those of cNMF', async () => {
  using engine = createReferenceEngine();
  const { X: data, replicates, ...wanted } = golden.cnmf;
  const found = await consensusFactors(engine, of(data), replicates.map(of));
  close(found.densities, wanted.densities);
  close(found.A.data, wanted.A.flat());
  close(found.S.data, wanted.S.flat(), 5);
  expect(found.silhouette).toBeCloseTo(wanted.silhouette, 6);
  expect(found.clusters.filter((c) => c < 0)).toHaveLength(1);
  expect(found.clusters[2 * 3 + 1]).toBe(-1);
  for (let j = 0; j < 3; j++) {
    const sum = Array.from({ length: 8 }, (_, i) => found.A.data[i * 3 + j]).reduce((total, a) => total + a, 0);
    expect(sum).toBeCloseTo(1, 6);
  }
});

test('consensus factors refuse what has no density or no components', async () => {
  using engine = createReferenceEngine();
  const [data, replicates] = [of(golden.cnmf.X), golden.cnmf.replicates.map(of)];
  const refused = (given: readonly Matrix[], options = {}) => expect(consensusFactors(engine, data, given, options)).rejects;
  await refused(replicates.slice(0, 3)).toThrow(
    'neighborhood is 0.3, which of 3 replicates is not one neighbour; give 4 replicates or more',
  );
  await refused(replicates, { densityThreshold: 1e-4 }).toThrow('densityThreshold is 0.0001, which keeps 0 of 21 components');
  await refused([replicates[0]]).toThrow('replicates must be a list of two');
  await refused([...replicates.slice(1), S]).toThrow(ShapeError);
  await refused(replicates, { starts: 0 }).toThrow('starts must be a positive integer, not 0');
  await refused(replicates, { densities: 2 }).toThrow("consensusFactors has no option 'densities'");
});
