/** What every fit promises: shapes, errors that are what they say, stopping, bad input. */
import { afterAll, expect, test } from 'vitest';
import { randomLowRank, tableOne } from '../../src/data/generate.js';
import { matrix } from '../../src/data/matrix.js';
import type { Engine } from '../../src/engine.js';
import { CancelledError, InputError, ShapeError } from '../../src/errors.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls, nnlsVjp } from '../../src/methods/q.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
const engine = () => {
  started ??= createEngine();
  return started;
};
afterAll(async () => (await started)?.dispose());

const { X } = tableOne(0);

/** ‖X − A⁰…AˡSˡ‖ / ‖X‖ in f64 from the factors returned. */
function errorAt({ A, S }: Factorization, depth: number): number {
  let Z = { rows: S[depth].rows, cols: S[depth].cols, data: Float64Array.from(S[depth].data) };
  for (let l = depth; l >= 0; l--) {
    const next = { rows: A[l].rows, cols: Z.cols, data: new Float64Array(A[l].rows * Z.cols) };
    for (let i = 0; i < next.rows; i++)
      for (let t = 0; t < Z.rows; t++)
        for (let j = 0; j < Z.cols; j++) next.data[i * Z.cols + j] += A[l].data[i * A[l].cols + t] * Z.data[t * Z.cols + j];
    Z = next;
  }
  let residual = 0;
  let norm = 0;
  for (let i = 0; i < X.data.length; i++) {
    residual += (X.data[i] - Z.data[i]) ** 2;
    norm += X.data[i] ** 2;
  }
  return Math.sqrt(residual / norm);
}

test.each([
  ['nmf anls', [9], (e: Engine) => nmf(e, X, { ranks: 9, restarts: 3 })],
  ['nmf mu', [9], (e: Engine) => nmf(e, X, { ranks: 9, solver: 'mu', restarts: 3, maxIterations: 200 })],
  ['hierarchical anls', [9, 4, 2], (e: Engine) => hierarchicalNmf(e, X, { ranks: [9, 4, 2], restarts: 3, maxIterations: 40 })],
  ['hierarchical mu', [9, 4], (e: Engine) => hierarchicalNmf(e, X, { ranks: [9, 4], solver: 'mu', restarts: 3, maxIterations: 100 })],
  ['neural', [9, 4, 2], (e: Engine) => neuralNmf(e, X, { ranks: [9, 4, 2], cost: 'reconstruction', restarts: 3, maxIterations: 60 })],
  [
    'neural from random',
    [9, 4],
    (e: Engine) => neuralNmf(e, X, { ranks: [9, 4], start: 'random', cost: 'reconstruction', restarts: 3, maxIterations: 60 }),
  ],
] as const)('%s returns factors whose errors are what it says', async (_name, ranks, factorize) => {
  const model = await factorize(await engine());
  expect(model.A.map(({ rows, cols }) => [rows, cols])).toEqual(ranks.map((k, l) => [l === 0 ? 87 : ranks[l - 1], k]));
  expect(model.S.map(({ rows, cols }) => [rows, cols])).toEqual(ranks.map((k) => [k, 90]));
  model.layers.forEach(({ rank, relativeError, svdBound }, l) => {
    expect(rank).toBe(ranks[l]);
    expect(Math.abs(relativeError - errorAt(model, l))).toBeLessThan(2e-5 * relativeError);
    expect(relativeError).toBeGreaterThan(svdBound! * (1 - 1e-5));
  });
  expect(model.relativeError).toBe(model.layers.at(-1)!.relativeError);
  // The objective is the error of the last layer, so the restart that was kept has the smallest.
  expect(model.restartErrors[model.restart]).toBe(Math.min(...model.restartErrors));
  expect(model.history.length).toBeGreaterThan(0);
  for (const { data } of [...model.A, ...model.S]) for (const x of data) expect(x >= 0).toBe(true);
});

test('an exactly factorizable matrix is recovered, and the fit says it converged', async () => {
  const one = matrix(
    6,
    5,
    Float32Array.from({ length: 30 }, (_, i) => (1 + Math.floor(i / 5)) * (2 + (i % 5))),
  );
  const model = await nmf(await engine(), one, { ranks: 1 });
  expect(model.relativeError).toBeLessThan(1e-6);
  expect(model.converged).toBe(true);
});

test('weights of zero hide what they cover, and the hidden entries are predicted', async () => {
  const clean = randomLowRank(40, 30, 3, { seed: 11 });
  const spoilt = matrix(40, 30, Float32Array.from(clean.data));
  const weights = matrix(40, 30, new Float32Array(1200).fill(1));
  for (let i = 0; i < 1200; i += 7) {
    spoilt.data[i] = 1000;
    weights.data[i] = 0;
  }
  const { A, S, relativeError, svdBound } = await nmf(await engine(), spoilt, { ranks: 3, weights, restarts: 4 });
  expect(relativeError).toBeLessThan(0.01);
  expect(svdBound).toBeNull();
  for (let i = 0; i < 1200; i += 7) {
    let predicted = 0;
    for (let j = 0; j < 3; j++) predicted += A[0].data[Math.floor(i / 30) * 3 + j] * S[0].data[j * 30 + (i % 30)];
    expect(Math.abs(predicted - clean.data[i])).toBeLessThan(0.1 * clean.data[i] + 0.02);
  }
});

test('a fit can be watched, stopped with what it has, and cancelled', async () => {
  const seen: number[] = [];
  const stopped = await neuralNmf(await engine(), X, {
    ranks: [5, 2],
    restarts: 1,
    onProgress: async ({ iteration, relativeError, factors }) => {
      seen.push(iteration);
      expect(relativeError).toBeGreaterThan(0);
      void factors;
    },
    maxIterations: 30,
    tolerance: 0,
  });
  expect(seen.length).toBeGreaterThan(2);
  expect(stopped.stopReason).toBe('maxIterations');
  let checks = 0;
  const early = await nmf(await engine(), X, { ranks: 3, onProgress: () => ++checks < 2 });
  expect(early).toMatchObject({ stopReason: 'stopped', converged: false });
  const signal = AbortSignal.abort();
  await expect(nmf(await engine(), X, { ranks: 3, signal })).rejects.toThrow(CancelledError);
});

test('the reference executor runs the same fits', async () => {
  using reference = createReferenceEngine();
  const small = matrix(12, 10, X.data.slice(0, 120));
  const ours = await neuralNmf(await engine(), small, { ranks: [3, 2], restarts: 1, maxIterations: 20, tolerance: 0 });
  const theirs = await neuralNmf(reference, small, { ranks: [3, 2], restarts: 1, maxIterations: 20, tolerance: 0 });
  expect(Math.abs(ours.relativeError - theirs.relativeError)).toBeLessThan(1e-3 * theirs.relativeError);
});

test.each([
  ['a negative entry', () => ({ X: matrix(2, 2, [1, -1, 1, 1]), ranks: [1] }), /entry -1 in row 0, column 1/],
  ['infinity', () => ({ X: matrix(2, 2, [1, 1, Number.POSITIVE_INFINITY, 1]), ranks: [1] }), /Infinity in row 1, column 0/],
  ['an infinite entry', () => ({ X: matrix(2, 2, [1, 1, Number.POSITIVE_INFINITY, 1]), ranks: [1] }), /Infinity/],
  ['an empty matrix', () => ({ X: matrix(0, 4), ranks: [1] }), /0×4/],
  ['all zeros', () => ({ X: matrix(3, 3), ranks: [1] }), /Every entry of X is zero/],
  ['no ranks', () => ({ X, ranks: [] }), /ranks/],
  ['a rank that is no integer', () => ({ X, ranks: [2.5] }), /2.5/],
  ['a rank beyond the data', () => ({ X, ranks: [88] }), /87/],
  ['ranks that grow', () => ({ X, ranks: [3, 4] }), /4 after 3/],
  ['no restarts', () => ({ X, ranks: [3], restarts: 0 }), /restarts/],
  ['a negative tolerance', () => ({ X, ranks: [3], tolerance: -1 }), /tolerance/],
])('%s is refused', async (_name, options, message) => {
  const { X: data, ...rest } = options();
  const attempt = neuralNmf(await engine(), data, rest);
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});

test('nnls and nnlsVjp refuse shapes that do not fit', async () => {
  const A = matrix(5, 2);
  const gradS = matrix(2, 90);
  await expect(nnls(await engine(), X, A)).rejects.toThrow(ShapeError);
  await expect(nnlsVjp(await engine(), { X, A: matrix(87, 2), S: matrix(3, 90) }, gradS)).rejects.toThrow(/must be 2×90/);
});
