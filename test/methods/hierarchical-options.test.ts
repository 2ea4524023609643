/** Weights, missing values and penalties of hierarchicalNmf: each layer is the fit of nmf that they say, and new samples take them, too. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { type HierarchicalOptions, hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { type NmfOptions, nmf } from '../../src/methods/nmf.js';
import { transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();
let onDevice: Promise<Engine> | undefined;
const device = () => {
  onDevice ??= createEngine();
  return onDevice;
};
afterAll(async () => (await onDevice)?.dispose());

const [N, M] = [9, 14];
const ranks = [4, 2];

function positive(rows: number, cols: number, seed: number, zeros = 0): Matrix {
  const { uniform } = random(seed);
  return matrix(
    rows,
    cols,
    Array.from({ length: rows * cols }, () => (uniform() < zeros ? 0 : 0.2 + 2 * uniform())),
  );
}

const X = positive(N, M, 1);
const weights = positive(N, M, 2, 0.2);
const start = { A: [positive(N, 4, 3), positive(4, 2, 4)], S: [positive(4, M, 5), positive(2, M, 6)] };
const penalties = { l1A: 0.02, l1S: 0.03, l2A: 0.01, l2S: 0.02 };
const fixed = { start, tolerance: 0, maxIterations: 15, svdBound: false };

const cases: [string, Partial<HierarchicalOptions>][] = [
  ...(['mu', 'hals', 'anls'] as const).flatMap((solver): [string, Partial<HierarchicalOptions>][] => [
    [`${solver}, weights`, { solver, weights, normalize: false }],
    [`${solver}, penalties`, { solver, ...penalties }],
    [`${solver}, both`, { solver, weights, ...penalties }],
    [`${solver}, L1 alone`, { solver, l1A: 0.05, l1S: 0.05 }],
  ]),
  ['orthogonal columns, by hals', { orthogonalA: 0.05, l2S: 0.05 }],
  ...[0, 1, 1.5].flatMap((loss): [string, Partial<HierarchicalOptions>][] => [
    [`β = ${loss}, weights`, { loss, weights, normalize: false }],
    [`β = ${loss}, both`, { loss, weights, l1A: 0.02, l1S: 0.03 }],
  ]),
];

const largest = ({ data }: Matrix) => data.reduce((most, x) => Math.max(most, x), 0);
function expectClose(actual: Matrix, expected: Matrix, relative: number): void {
  const most = largest(expected);
  actual.data.forEach((x, at) => {
    expect(Math.abs(x - expected.data[at])).toBeLessThanOrEqual(relative * most);
  });
}

describe.each(cases)('%s', (_, own) => {
  test('every layer is a fit of nmf to the S of the one before', async () => {
    const fit = await hierarchicalNmf(engine, X, { ...fixed, ...own });
    const { weights: W, normalize, ...others } = own;
    const options = { ...(others as NmfOptions), tolerance: 0, maxIterations: 15, svdBound: false };
    const solver = own.solver ?? (own.orthogonalA ? 'hals' : 'mu');
    const first = await nmf(engine, X, { ...options, solver, weights: W, start: { A: start.A[0], S: start.S[0] } } as NmfOptions);
    // anls of nmf brings columns to unit norm where it has no penalties, which normalize: false leaves out here.
    if (own.solver !== 'anls' || own.l1A) {
      expectClose(fit.A[0], first.A[0], 1e-5);
      expectClose(fit.S[0], first.S[0], 1e-5);
    } else expect(Math.abs(fit.layers[0].relativeError / first.relativeError - 1)).toBeLessThan(1e-5);
    const second = await nmf(engine, fit.S[0], { ...options, solver, start: { A: start.A[1], S: start.S[1] } } as NmfOptions);
    if (own.solver === 'anls' && !own.l1A) return;
    // The unit of the first layer's S is another one, so numbers are rounded otherwise.
    expectClose(fit.A[1], second.A[0], 1e-3);
    expectClose(fit.S[1], second.S[0], 1e-3);
    expect(fit.kktResidual).toBeGreaterThan(Math.max(first.kktResidual, second.kktResidual) * (1 - 1e-2));
  });

  test('the stated error is that of the whole product, with the weights', async () => {
    const fit = await hierarchicalNmf(engine, X, { ...fixed, ...own });
    let [error, size] = [0, 0];
    X.data.forEach((x, at) => {
      const [i, j] = [Math.floor(at / M), at % M];
      let v = 0;
      for (let t = 0; t < 4; t++)
        for (let u = 0; u < 2; u++) v += fit.A[0].data[4 * i + t] * fit.A[1].data[2 * t + u] * fit.S[1].data[M * u + j];
      const w = own.weights?.data[at] ?? 1;
      error += (w * (x - v)) ** 2;
      size += (w * x) ** 2;
    });
    expect(Math.abs(fit.relativeError / Math.sqrt(error / size) - 1)).toBeLessThan(1e-6);
    expect(fit.objective === undefined).toBe(own.loss === undefined || own.l1A !== undefined);
    if (own.loss === undefined && own.l1A !== undefined) expect(Math.abs(fit.divergence! / (error / 2) - 1)).toBeLessThan(1e-6);
  });

  test('the device comes to the same', async () => {
    const [expected, actual] = await Promise.all([
      hierarchicalNmf(engine, X, { ...fixed, ...own }),
      device().then((one) => hierarchicalNmf(one, X, { ...fixed, ...own })),
    ]);
    actual.layers.forEach(({ relativeError }, l) => {
      expect(Math.abs(relativeError / expected.layers[l].relativeError - 1)).toBeLessThan(1e-3);
    });
  });

  test('new samples are solved with the weights of theirs and the penalties of S', async () => {
    const fit = await hierarchicalNmf(engine, X, { ...fixed, ...own });
    const hidden = own.weights && { weights };
    const S = await transform(engine, fit, X, { ...hidden, tolerance: 1e-9 });
    let before: Matrix = X;
    fit.A.forEach((A, l) => {
      const k = A.cols;
      // The gradient at S in f64, by its definition: min(S, ∇) = 0 where S is a minimum.
      const beta = own.loss === undefined ? 2 : Number(own.loss);
      const [l1, l2] = [(own.l1S ?? 0) * A.rows, (own.l2S ?? 0) * A.rows];
      for (let j = 0; j < M; j++)
        for (let t = 0; t < k; t++) {
          const s = S[l].data[t * M + j];
          let [gradient, size] = [l1 + l2 * s, l1 + l2 * s];
          for (let i = 0; i < A.rows; i++) {
            let v = 0;
            for (let u = 0; u < k; u++) v += A.data[i * k + u] * S[l].data[u * M + j];
            const w2 = l === 0 && own.weights ? weights.data[i * M + j] ** 2 : 1;
            const x = before.data[i * M + j];
            if (w2 === 0 || A.data[i * k + t] === 0) continue;
            gradient += w2 * A.data[i * k + t] * (v ** (beta - 1) - x * v ** (beta - 2));
            size += w2 * A.data[i * k + t] * (v ** (beta - 1) + x * v ** (beta - 2));
          }
          if (size === 0) continue; // a component that went
          expect(Math.min((s * size) / (largest(S[l]) || 1), gradient) / size).toBeLessThan(beta === 2 ? 1e-4 : 2e-2);
          expect(gradient / size).toBeGreaterThan(beta === 2 ? -1e-4 : -2e-2);
        }
      before = S[l];
    });
  });
});

test('NaN is a missing value, and the first layer is fitted by mu', async () => {
  const under = (value: number) => ({ ...X, data: X.data.map((x, at) => (weights.data[at] > 0 ? x : value)) });
  const present = { ...weights, data: weights.data.map((w) => (w > 0 ? 1 : 0)) };
  const options = { ranks, maxIterations: 10, tolerance: 0 };
  const [missing, masked] = [
    await hierarchicalNmf(engine, under(Number.NaN), options),
    await hierarchicalNmf(engine, under(1e30), { ...options, weights: present }),
  ];
  expect(missing.S).toEqual(masked.S);
  expect(missing.svdBound).toBe(null);
  expect(missing.settings.solver).toEqual(['mu', 'anls']);
});

test('weights beside labels of a deeper layer, and a missing value that comes back', async () => {
  const labels = Array.from({ length: M }, (_, j) => (j % 2 === 0 ? 'even' : 'odd'));
  const fit = await hierarchicalNmf(engine, X, { ranks, labels, weights, maxIterations: 20 });
  expect(fit.supervision!.classes).toEqual(['even', 'odd']);
  const [A, S] = [positive(N, 2, 8), positive(2, M, 9)];
  const low = matrix(
    N,
    M,
    Array.from({ length: N * M }, (_, at) =>
      [0, 1].reduce((sum, t) => sum + A.data[2 * Math.floor(at / M) + t] * S.data[t * M + (at % M)], 0),
    ),
  );
  const holes = { ...low, data: low.data.map((x, at) => (at % 5 === 3 ? Number.NaN : x)) };
  const found = await hierarchicalNmf(engine, holes, { ranks: [2], solver: 'anls', tolerance: 1e-9, maxIterations: 2000 });
  low.data.forEach((x, at) => {
    const v = [0, 1].reduce((sum, t) => sum + found.A[0].data[2 * Math.floor(at / M) + t] * found.S[0].data[t * M + (at % M)], 0);
    expect(Math.abs(v - x)).toBeLessThan(2e-3 * largest(low));
  });
});

test('a sparse X with Kullback & Leibler and penalties is fitted as a dense one', async () => {
  const counts = { ...X, data: X.data.map((x) => Math.floor(x)) };
  const options = { ...fixed, loss: 'kullback-leibler' as const, l1S: 0.02, l2A: 0.02 };
  const [dense, sparse] = [await hierarchicalNmf(engine, counts, options), await hierarchicalNmf(engine, sparseFromDense(counts), options)];
  expect(Math.abs(sparse.divergence! / dense.divergence! - 1)).toBeLessThan(1e-5);
  expect(Math.abs(sparse.kktResidual / dense.kktResidual - 1)).toBeLessThan(1e-3);
});

test.each([
  [{ l1S: 0.1, labels: new Array(M).fill('a') }, 'l1S does not go with labels'],
  [{ l2A: 0.1, normalize: true }, 'normalize moves the scale of A'],
  [{ orthogonalA: 0.1 }, 'orthogonalA 0.1 does nothing without l1S or l2S'],
  [{ orthogonalA: 0.1, l1S: 0.1, solver: ['hals', 'anls'] }, 'orthogonalA makes the problem for A not convex'],
  [{ weights, labels: Array.from({ length: M }, (_, j) => 'ab'[j % 2]), labelLayers: [0] }, "'labelLayers' has the first layer"],
  [{ l1A: -1 }, 'l1A must be a finite number ≥ 0'],
  [{ weights: positive(N, M - 1, 1) }, 'weights is 9×13'],
] as [object, string][])('%# is refused', async (more, message) => {
  await expect(hierarchicalNmf(engine, X, { ranks, ...more } as HierarchicalOptions)).rejects.toThrow(message);
  await expect(hierarchicalNmf(engine, X, { ranks, ...more } as HierarchicalOptions)).rejects.toThrow(InputError);
});
