/** Neural NMF beyond its defaults, on the published data: costs, optimisers, labels, weights, unseen columns. */
import { afterAll, describe, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import type { Engine } from '../../src/engine.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { type NeuralOptions, neuralNmf, transformNeural } from '../../src/methods/neural.js';
import { createEngine } from '../../src/node/engine.js';

let started: Promise<Engine> | undefined;
const engine = () => {
  started ??= createEngine();
  return started;
};
afterAll(async () => (await started)?.dispose());

const { X, labels } = tableOne(1);
const bound = async (ranks: number[]) => (await neuralNmf(await engine(), X, { ranks, restarts: 1, maxIterations: 10 })).svdBound!;

/** The labels of every sample, and those of 40 % of them, drawn until each class has one. */
function someLabels(rank: 9 | 4 | 2, seed: number): { truth: string[]; some: string[] } {
  const truth = labels[rank].map(String);
  const r = random(seed);
  for (;;) {
    const some = truth.map((label) => (r.uniform() < 0.4 ? label : ''));
    if (new Set(some.filter(Boolean)).size === rank) return { truth, some };
  }
}

describe.each([[[9]], [[9, 4]], [[9, 4, 2]]])('labels at ranks %j', (ranks) => {
  test.each(['squared', 'crossEntropy'] as const)(
    'semi-supervised, %s loss: within 5 %% of the SVD bound, every unlabelled column right',
    async (labelLoss) => {
      const { truth, some } = someLabels(ranks[ranks.length - 1] as 9 | 4 | 2, 3);
      const model = await neuralNmf(await engine(), X, { ranks, restarts: 8, maxIterations: 200, labels: some, truth, labelLoss });
      expect(model.relativeError).toBeLessThan(1.05 * model.svdBound!);
      expect(model.supervision!.accuracy.labelled).toBe(1);
      expect(model.supervision!.accuracy.unlabelled).toBeGreaterThanOrEqual(0.98);
      for (const { B } of model.supervision!.classifiers) for (const b of B.data) expect(b >= 0).toBe(true);
    },
  );
});

test('classifiers on two layers at once', async () => {
  const model = await neuralNmf(await engine(), X, {
    ranks: [9, 4],
    restarts: 4,
    maxIterations: 150,
    labels: labels[4].map(String),
    labelLayers: [0, 1],
  });
  expect(model.supervision!.classifiers.map(({ layer, B }) => [layer, B.rows, B.cols])).toEqual([
    [0, 4, 9],
    [1, 4, 4],
  ]);
  expect(model.supervision!.accuracy).toEqual({ labelled: 1, unlabelled: null });
});

test('energy alone ends far above the reconstruction cost', async () => {
  const options = { ranks: [9, 4, 2], restarts: 4, maxIterations: 120 };
  const energy = await neuralNmf(await engine(), X, { ...options, cost: 'energy' });
  const both = await neuralNmf(await engine(), X, { ...options, cost: { reconstruction: 1, energy: [0.01, 0.01, 0.01] } });
  expect(energy.relativeError).toBeGreaterThan(1.02 * energy.svdBound!);
  expect(both.relativeError).toBeLessThan(1.02 * both.svdBound!);
});

test.each([0, 1, 2, 3, 4])(
  'with the cost of all levels, every level of [9,4,2] is within 1 %% of its SVD bound, data and seed %i',
  async (seed) => {
    const { X: data } = tableOne(seed);
    const model = await neuralNmf(await engine(), data, { ranks: [9, 4, 2], restarts: 8, seed, cost: 'levels' });
    for (const { relativeError, svdBound } of model.layers) expect(relativeError).toBeLessThan(1.01 * svdBound!);
  },
);

test('weights of levels: a list is what reconstruction says in an object', async () => {
  const fitted = async (cost: NeuralOptions['cost']) =>
    neuralNmf(await engine(), X, { ranks: [9, 4], restarts: 1, maxIterations: 20, tolerance: 0, cost });
  const [listed, named, even, levels, deepest, plain] = await Promise.all(
    [[3, 1], { reconstruction: [3, 1] }, [1, 1], 'levels' as const, [0, 1], 'reconstruction' as const].map(fitted),
  );
  expect(listed.A).toEqual(named.A);
  expect(even.A).toEqual(levels.A);
  expect(deepest.A).toEqual(plain.A);
  expect(listed.settings.cost).toEqual({ reconstruction: [3, 1], energy: [0, 0] });
  // The weight of the upper level brings its error down.
  expect(listed.layers[0].relativeError).toBeLessThan(plain.layers[0].relativeError);
});

test.each<[string, Partial<NeuralOptions>, number]>([
  ['momentum', { optimiser: 'momentum', maxIterations: 300, tolerance: 0 }, 1.02],
  ['Adam', { optimiser: 'adam', maxIterations: 300, tolerance: 0 }, 1.03],
  ['momentum on mini-batches', { optimiser: 'momentum', batchColumns: 30, maxIterations: 400, tolerance: 0 }, 1.05],
  ['Adam on mini-batches', { optimiser: 'adam', batchColumns: 30, maxIterations: 400, tolerance: 0 }, 1.05],
])('%s comes close to the SVD bound without tuning', async (_name, options, factor) => {
  const model = await neuralNmf(await engine(), X, { ranks: [9, 4], restarts: 8, seed: 2, ...options });
  expect(model.relativeError).toBeLessThan(factor * (await bound([9, 4])));
  for (const { data } of [...model.A, ...model.S]) for (const x of data) if (!(x >= 0)) throw new Error(`an entry is ${x}`);
});

test('L1 makes the coefficients sparser and keeps them exact', async () => {
  const zeros = ({ data }: Matrix) => data.reduce((count, s) => count + (s === 0 ? 1 : 0), 0);
  const plain = await neuralNmf(await engine(), X, { ranks: [9], restarts: 1, maxIterations: 100 });
  const sparse = await neuralNmf(await engine(), X, { ranks: [9], restarts: 1, maxIterations: 100, l1: 0.5 });
  expect(zeros(sparse.S[0])).toBeGreaterThan(zeros(plain.S[0]));
  expect(sparse.kktResidual).toBeLessThan(1e-5);
});

test('weights of zero hide entries, and they are predicted', async () => {
  const r = random(8);
  const mask = matrix(
    87,
    90,
    Float32Array.from({ length: 87 * 90 }, () => (r.uniform() < 0.1 ? 0 : 1)),
  );
  const spoilt = matrix(
    87,
    90,
    Float32Array.from(X.data, (x, i) => (mask.data[i] === 0 ? 50 : x)),
  );
  const model = await neuralNmf(await engine(), spoilt, { ranks: [9, 4], restarts: 8, weights: mask, maxIterations: 300 });
  expect(model.svdBound).toBeNull();
  // Rank 4 explains the data to 0.28; entries spoilt to 50 would have made that 0.9.
  expect(model.relativeError).toBeLessThan(0.4);
});

test('unseen columns get the coefficients they would have had', async () => {
  const model = await neuralNmf(await engine(), X, { ranks: [9, 4], restarts: 1, maxIterations: 60 });
  const S = await transformNeural(await engine(), model, X);
  S.forEach(({ data }, l) => {
    data.forEach((s, i) => {
      expect(Math.abs(s - model.S[l].data[i])).toBeLessThan(1e-3 * (Math.abs(s) + 1));
    });
  });
});

test.each<[string, Partial<NeuralOptions>, RegExp, typeof InputError]>([
  ['too few labels', { labels: ['a', 'b'] }, /2 labels for 90 samples/, ShapeError],
  ['one class', { labels: new Array(90).fill('a') }, /class "a"/, InputError],
  ['no label', { labels: new Array(90).fill('') }, /No sample has a label/, InputError],
  ['a negative λ', { labels: labels[4].map(String), labelWeight: -1 }, /labelWeight/, InputError],
  ['a layer that is not there', { labels: labels[4].map(String), labelLayers: [2] }, /layer 2/, InputError],
  ['weights of another shape', { weights: matrix(3, 3) }, /weights is 3×3/, ShapeError],
  [
    'mini-batches with the controlled step',
    { batchColumns: 10 },
    /batchColumns does nothing without optimiser 'momentum' or 'adam'/,
    InputError,
  ],
  ['a batch wider than the data', { batchColumns: 91, optimiser: 'adam' }, /91/, InputError],
  ['a cost nobody knows', { cost: 'entropy' as 'energy' }, /cost must be/, InputError],
  ['levels without any weight', { cost: [0, 0] }, /Every weight of cost is zero/, InputError],
  ['a negative weight of a level', { cost: [1, -1] }, /cost must be a finite number ≥ 0, not -1/, InputError],
  ['weights of levels that are not there', { cost: [1, 1, 1] }, /cost has 3 values for 2 layers/, InputError],
  ['a negative L1', { l1: -1 }, /l1/, InputError],
])('%s is refused', async (_name, options, message, kind) => {
  const attempt = neuralNmf(await engine(), X, { ranks: [9, 4], ...options });
  await expect(attempt).rejects.toThrow(kind);
  await expect(attempt).rejects.toThrow(message);
});
