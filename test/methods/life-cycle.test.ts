/** What a caller does while a fit is under way: X changes, shrinks or leaves, and progress callbacks take their time, say no, or throw. */
import { afterAll, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import type { Matrix } from '../../src/data/matrix.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import type { Progress } from '../../src/methods/factorization.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { createEngine } from '../../src/node/engine.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());
const device = () => (started ??= createEngine());

const X = randomLowRank(23, 19, 4, { seed: 6, noise: 0.2 });
const options = { ranks: [4, 2], restarts: 1, maxIterations: 40, tolerance: 0 } as const;
const timeless = ({ elapsedMs, ...model }: Factorization) => model;

test('X is taken once: what becomes of it during a fit changes nothing', async () => {
  const engine = await device();
  const plain = timeless(await neuralNmf(engine, X, options));
  const bytes = X.data.byteLength;
  const acts: [string, Float32Array, (data: Float32Array) => void][] = [
    ['changes', X.data.slice(), (data) => data.fill(7)],
    [
      'is transferred',
      X.data.slice(),
      (data) => {
        if (data.byteLength > 0) structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
      },
    ],
    [
      'shrinks',
      new Float32Array(Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes }])),
      (data) => (data.buffer as ArrayBuffer & { resize(length: number): void }).resize(0),
    ],
  ];
  for (const [what, data, act] of acts) {
    data.set(X.data);
    const model = await neuralNmf(engine, { ...X, data }, { ...options, onProgress: () => act(data) });
    expect(timeless(model), what).toEqual(plain);
  }
  const sparse = sparseFromDense(X);
  const before = timeless(await neuralNmf(engine, sparse, options));
  const onProgress = () => {
    sparse.values.fill(1);
    sparse.columns.fill(0);
  };
  expect(timeless(await neuralNmf(engine, sparse, { ...options, onProgress }))).toEqual(before);
});

test('weights are taken once, too', async () => {
  const engine = await device();
  const weights: Matrix = { ...X, data: X.data.map((_, at) => (at % 5 ? 1 : 0)) };
  const plain = timeless(await nmf(engine, X, { ranks: 3, weights, maxIterations: 40 }));
  const own = { ...weights, data: weights.data.slice() };
  const onProgress = () => void own.data.fill(0);
  expect(timeless(await nmf(engine, X, { ranks: 3, weights: own, maxIterations: 40, onProgress }))).toEqual(plain);
});

test('an async callback: its false stops the fit, its exception rejects it', async () => {
  const engine = await device();
  let calls = 0;
  const stopped = await nmf(engine, X, { ranks: 3, tolerance: 0, maxIterations: 1000, onProgress: async () => ++calls < 3 });
  expect(stopped.stopReason).toBe('stopped');
  expect(stopped.iterations).toBeLessThan(1000);
  const thrown = new RangeError('mine');
  const throwing = async () => {
    throw thrown;
  };
  await expect(nmf(engine, X, { ranks: 3, onProgress: throwing })).rejects.toBe(thrown);
  expect(engine.liveBuffers).toBe(0);
});

test('progress names its stage; iterations of a stage begin at 0, those of the fit never fall', async () => {
  const told: Progress[] = [];
  const model = await neuralNmf(await device(), X, { ...options, startIterations: 20, onProgress: (progress) => void told.push(progress) });
  expect([...new Set(told.map(({ stage }) => stage))]).toEqual(['layer 1 of 2', 'layer 2 of 2', 'all layers']);
  told.reduce((before, progress) => {
    expect(progress.totalIterations).toBeGreaterThan(before);
    return progress.totalIterations;
  }, -1);
  expect(told.at(-1)!.totalIterations).toBe(model.iterations);
  expect(told.every(({ lostDevices }) => lostDevices === 0)).toBe(true);
});

test('factors that nobody awaits are no unhandled rejection when the fit ends', async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown) => unheard.push(reason);
  process.on('unhandledRejection', listen);
  await nmf(await device(), X, { ranks: 3, maxIterations: 30, onProgress: (progress) => void progress.factors() });
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off('unhandledRejection', listen);
  expect(unheard).toEqual([]);
});
