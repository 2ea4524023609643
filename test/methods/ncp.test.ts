/** Nonnegative CP of tensors: truth planted, mathematics, and the published tensor. */
import { afterAll, describe, expect, test } from 'vitest';
import { hierarchicalTensor } from '../../src/data/generate.js';
import { kruskal, kruskalError } from '../../src/data/kruskal.js';
import { type Matrix, matrix, multiply } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type DenseTensor, sparseTensor, tensor } from '../../src/data/tensors.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import type { Checkpoint } from '../../src/methods/checkpoint.js';
import { exactLayers } from '../../src/methods/exact-layers.js';
import { type NcpOptions, ncp } from '../../src/methods/ncp.js';
import { type NeuralNcpOptions, neuralNcp } from '../../src/methods/neural-ncp.js';
import { nmf } from '../../src/methods/nmf.js';
import { levelFactors, type NeuralNcpFactorization } from '../../src/methods/tensor-levels.js';
import { transformTensor } from '../../src/methods/transform-tensor.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
const engine = () => {
  started ??= createEngine();
  return started;
};
afterAll(async () => (await started)?.dispose());

/** A sum of R outer products with many zeros, and noise · |N(0,1)|. */
function planted(shape: readonly number[], R: number, seed: number, noise = 0): DenseTensor {
  const r = random(seed);
  const factors = shape.map((size) =>
    matrix(
      size,
      R,
      Float32Array.from({ length: size * R }, () => (r.uniform() < 0.4 ? 0 : r.uniform())),
    ),
  );
  const X = kruskal(factors);
  return { ...X, data: X.data.map((x) => x + noise * Math.abs(r.normal())) };
}

const errorOf = (X: DenseTensor, factors: readonly Matrix[]) => {
  const { error, norm } = kruskalError(X, factors);
  return Math.sqrt(error / norm);
};

describe('ncp', () => {
  test.each([
    { shape: [9, 7], solver: 'anls' },
    { shape: [9, 7, 8], solver: 'hals' },
    { shape: [9, 7, 8], solver: 'anls' },
    { shape: [5, 1, 6, 7], solver: 'hals' },
    { shape: [3, 5, 4, 3, 5], solver: 'anls' },
  ] as const)('recovers outer products: $shape by $solver', async ({ shape, solver }) => {
    const X = planted(shape, 3, 4);
    const model = await ncp(await engine(), X, { rank: 3, solver, restarts: 3, tolerance: 1e-9, maxIterations: 3000, bounds: false });
    // Errors of f32 factors: an iteration brings the objective down to the rounding of X, 2⁻²⁴ ‖X‖, and some tail of convergence.
    expect(model.relativeError).toBeLessThan(2e-3);
    expect(Math.abs(model.relativeError - errorOf(X, model.factors))).toBeLessThan(1e-6);
    for (const { data } of model.factors) for (const x of data) expect(x).toBeGreaterThanOrEqual(0);
  });

  test('the last exact solve has the digits of f64 where outer products nearly depend on each other', async () => {
    const r = random(8);
    const [shape, R] = [[11, 9, 13], 3];
    const truth = shape.map((size, m) => {
      const common = Float32Array.from({ length: size }, () => r.uniform());
      const entry = (at: number) => (m === 2 ? r.uniform() : common[Math.floor(at / R)] + r.uniform() / 300);
      return matrix(
        size,
        R,
        Float32Array.from({ length: size * R }, (_, at) => entry(at)),
      );
    });
    const X = kruskal(truth);
    const model = await ncp(await engine(), X, {
      rank: R,
      solver: 'anls',
      start: { factors: truth },
      maxIterations: 1,
      tolerance: 0,
      bounds: false,
    });
    const [{ weights }] = await transformTensor(createReferenceEngine(), model, X, { mode: 2 });
    const last = model.factors[2];
    const largest = Math.max(...weights.data);
    expect(Math.max(...last.data.map((x, at) => Math.abs(x - weights.data[at])))).toBeLessThan(1e-3 * largest);
    expect([model.unconverged, model.illConditionedGradients]).toEqual([0, 0]);
  });

  test('a matrix is NMF', async () => {
    const X = planted([23, 17], 4, 2, 0.05);
    const options = { restarts: 4, tolerance: 1e-8, maxIterations: 2000 };
    const own = await ncp(await engine(), X, { rank: 4, ...options });
    const other = await nmf(await engine(), matrix(23, 17, X.data), { ranks: 4, solver: 'hals', ...options });
    expect(Math.abs(own.relativeError - other.relativeError)).toBeLessThan(1e-3 * other.relativeError);
    expect(Math.abs(own.levels[0].modeBound! - other.svdBound!)).toBeLessThan(1e-9);
    expect(own.relativeError).toBeGreaterThanOrEqual(own.levels[0].modeBound!);
  });

  test.each(['hals', 'anls'] as const)('%s never rises, ends near a KKT point, on both executors', async (solver) => {
    const X = planted([8, 6, 7], 4, 9, 0.1);
    using reference = createReferenceEngine();
    const options: NcpOptions = { rank: 3, solver, starts: 1, tolerance: 0, maxIterations: 200, checkEvery: 1, bounds: false };
    const [own, other] = [await ncp(await engine(), X, options), await ncp(reference, X, options)];
    for (const { history } of [own, other])
      for (const [i, { relativeError }] of history.entries())
        if (i > 0) expect(relativeError).toBeLessThan(history[i - 1].relativeError * (1 + 2 ** -20));
    expect(other.kktResidual).toBeLessThan(1e-3);
    expect(Math.abs(own.relativeError - other.relativeError)).toBeLessThan(1e-4 * other.relativeError);
  });

  test('another unit of X is another unit of the factors, with the same bits', async () => {
    const X = planted([6, 5, 7], 3, 1, 0.1);
    const options: NcpOptions = { rank: 3, maxIterations: 30, bounds: false };
    const own = await ncp(await engine(), X, options);
    const scaled = await ncp(await engine(), { ...X, data: X.data.map((x) => x * 1024) }, options);
    expect(scaled.relativeError).toBe(own.relativeError);
    // 2¹⁰ is shared by the modes in whole powers of two.
    expect(scaled.factors.map((f, n) => Math.log2(f.data.find((x) => x > 0)! / own.factors[n].data.find((x) => x > 0)!))).toEqual([
      4, 3, 3,
    ]);
  });
});

describe('a sparse tensor', () => {
  const dense = planted([9, 7, 8], 3, 6);
  const places = Array.from(dense.data.keys()).filter((at) => dense.data[at] !== 0);
  const sparse = sparseTensor(dense.shape, {
    coordinates: places.flatMap((at) => [Math.floor(at / 56), Math.floor(at / 8) % 7, at % 8]),
    values: places.map((at) => dense.data[at]),
  });

  test('is fitted as the dense one', async () => {
    // As long as f32 shows the same progress of both: the error of a sparse X is a difference of sums as large as ‖X‖².
    const options: NcpOptions = { rank: 2, starts: 1, tolerance: 0, maxIterations: 12 };
    const [own, other] = [await ncp(await engine(), sparse, options), await ncp(await engine(), dense, options)];
    expect(Math.abs(own.relativeError - other.relativeError)).toBeLessThan(1e-5);
    expect(own.levels[0].tuckerError).toBeCloseTo(other.levels[0].tuckerError!, 9);
    own.factors.forEach(({ data }, n) => {
      data.forEach((x, at) => {
        expect(Math.abs(x - other.factors[n].data[at])).toBeLessThan(1e-3);
      });
    });
    const levels = { ...options, ranks: [2, 1], restarts: 1, chains: 1, start: own };
    const [a, b] = [await neuralNcp(await engine(), sparse, levels), await neuralNcp(await engine(), dense, levels)];
    a.levels.forEach(({ relativeError }, l) => {
      expect(Math.abs(relativeError - b.levels[l].relativeError)).toBeLessThan(1e-4);
    });
  });

  test('stops where rounding hides the rest, and says the error in f64', async () => {
    const model = await ncp(await engine(), sparse, { rank: 3, restarts: 2, maxIterations: 3000, tolerance: 1e-6, bounds: false });
    expect(model.relativeError).toBeLessThan(3e-3);
    expect(model.stopReason).not.toBe('maxIterations');
  });
});

const synthetic = { rank: 7, ranks: [4, 2], bounds: false } as const;

describe('neuralNcp', () => {
  test.each([
    { noise: 0.1, seed: 1, limits: [0.095, 0.218, 0.5304] },
    { noise: 0.4, seed: 14, limits: [0.273, 0.315, 0.5012] },
  ])('the published tensor with noise $noise', async ({ noise, seed, limits }) => {
    const X = hierarchicalTensor({ noise, seed });
    const model = await neuralNcp(await engine(), X, { ...synthetic, restarts: 1 });
    model.levels.forEach(({ relativeError }, l) => {
      expect(relativeError).toBeLessThanOrEqual(limits[l]);
      expect(Math.abs(relativeError - errorOf(X, levelFactors(model, l - 1)))).toBeLessThan(1e-6);
    });
    expect(model.kktResidual).toBeLessThan(1e-5);
    expect(model.unconverged).toBe(0);
  });

  const X = planted([12, 9, 10], 5, 3, 0.05);
  const small: NeuralNcpOptions = { rank: 5, ranks: [3, 2], restarts: 2, maxIterations: 40, bounds: false };

  test('factors that learn lower the objective that they are in', async () => {
    const objective = ({ levels }: NeuralNcpFactorization) => levels.reduce((sum, { relativeError }) => sum + relativeError ** 2, 0);
    const longer = { ...small, maxIterations: 300, tolerance: 1e-7 };
    const [held, learned] = [
      await neuralNcp(await engine(), X, longer),
      await neuralNcp(await engine(), X, { ...longer, factors: 'learned' }),
    ];
    expect(objective(learned)).toBeLessThanOrEqual(objective(held) * (1 + 1e-4));
    for (const { history } of [held, learned]) {
      const own = history.filter(({ stage }) => stage === 'all levels');
      for (let i = 1; i < own.length; i++) expect(own[i].relativeError).toBeLessThanOrEqual(own[i - 1].relativeError);
    }
  });

  test('topics that nearly depend on each other: S is that of f64, and gradients are counted', async () => {
    const r = random(4);
    const draw = (rows: number, cols: number, entry: (at: number) => number) =>
      matrix(
        rows,
        cols,
        Float32Array.from({ length: rows * cols }, (_, at) => entry(at)),
      );
    const common = Float32Array.from({ length: 12 }, () => r.uniform());
    const A = [12, 9, 10].map((size) => [draw(size, 3, (at) => common[Math.floor(at / 3)] + r.uniform() / 300)]);
    const factors = A.map(([own]) =>
      multiply(
        own,
        draw(3, 5, () => r.uniform()),
      ),
    );
    const options = { rank: 5, ranks: [3], bounds: false, maxIterations: 1, tolerance: 0 };
    const model = await neuralNcp(await engine(), kruskal(factors), { ...options, start: { factors, A } });
    expect(model.illConditionedGradients).toBeGreaterThan(0);
    model.factors.forEach((F, n) => {
      expect(exactLayers(F, model.A[n], model.S[n]).moved, `mode ${n}`).toBe(false);
    });
    const good = await neuralNcp(await engine(), X, { ...small, restarts: 1 });
    expect([good.illConditioned, good.illConditionedGradients]).toEqual([0, 0]);
  });

  test('weights say which level counts', async () => {
    const [first, last] = [
      [0, 1, 0],
      [0, 0, 1],
    ];
    const [upper, lower] = await Promise.all([first, last].map(async (weights) => neuralNcp(await engine(), X, { ...small, weights })));
    expect(upper.levels[1].relativeError).toBeLessThan(lower.levels[1].relativeError);
    expect(lower.levels[2].relativeError).toBeLessThanOrEqual(upper.levels[2].relativeError * (1 + 1e-4));
  });

  test('a mode without a chain keeps its factor at every level', async () => {
    const model = await neuralNcp(await engine(), X, { ...small, modes: [2, 0] });
    expect(model.settings.modes).toEqual([0, 2]);
    expect(model.A.map((own) => own.length)).toEqual([2, 0, 2]);
    expect(levelFactors(model, 1)[1]).toBe(model.factors[1]);
    expect(model.A[2].map(({ rows, cols }) => [rows, cols])).toEqual([
      [10, 3],
      [3, 2],
    ]);
  });

  test('restart r is the same beside any number of others', async () => {
    const [three, one] = [
      await neuralNcp(await engine(), X, { ...small, restarts: 3 }),
      await neuralNcp(await engine(), X, { ...small, restarts: 1 }),
    ];
    expect(three.restartErrors[0]).toBe(one.restartErrors[0]);
  });

  test('a model goes on where it ended, and outer products of another fit serve as well', async () => {
    const first = await neuralNcp(await engine(), X, { ...small, tolerance: 0, factors: 'learned' });
    const next = await neuralNcp(await engine(), X, { ...small, restarts: 1, factors: 'learned', start: first });
    const objective = ({ levels }: NeuralNcpFactorization) => levels.reduce((sum, { relativeError }) => sum + relativeError ** 2, 0);
    expect(next.history[0].relativeError).toBeLessThanOrEqual(first.history.at(-1)!.relativeError * (1 + 1e-5));
    expect(objective(next)).toBeLessThanOrEqual(objective(first) * (1 + 1e-5));
    const flat = await ncp(await engine(), X, { rank: 5, bounds: false });
    const held = await neuralNcp(await engine(), X, { ...small, start: { factors: flat.factors } });
    expect(held.factors).toEqual(flat.factors);
    const again = await ncp(await engine(), X, { rank: 5, bounds: false, start: flat, maxIterations: 20 });
    expect(again.relativeError).toBeLessThanOrEqual(flat.relativeError * (1 + 1e-5));
  });

  test('a fit that goes on from a checkpoint ends with the same bits', async () => {
    const kept: Checkpoint[] = [];
    const options: NeuralNcpOptions = { ...small, factors: 'learned', tolerance: 0, checkEvery: 5 };
    const whole = await neuralNcp(await engine(), X, { ...options, checkpoint: { seconds: 1e-9, save: (one) => kept.push(one) } });
    const again = await neuralNcp(await engine(), X, { ...options, resume: kept[2] });
    expect(kept.length).toBeGreaterThan(3);
    expect(again.factors).toEqual(whole.factors);
    expect(again.A).toEqual(whole.A);
  });
});

describe('bad input', () => {
  const X = planted([6, 5, 4], 2, 1);
  const refused = async (work: (e: Engine) => Promise<unknown>, words: RegExp, option?: string) => {
    const error = await work(await engine()).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(words);
    if (option) expect((error as InputError).option).toBe(option);
  };
  test.each<[string, Partial<NeuralNcpOptions>, RegExp, string]>([
    ['ranks that grow', { ranks: [2, 3] }, /ranks\[1\] is 3, more than the 2 of ranks\[0\]/, 'ranks'],
    ['a first level above the rank', { ranks: [5] }, /ranks\[0\] is 5, more than the 4 of rank/, 'ranks'],
    ['ranks above a mode', { rank: 6, ranks: [5] }, /ranks\[0\] is 5, but mode 2 of X has only 4 entries/, 'ranks'],
    ['no ranks', { ranks: [] }, /ranks must be a list/, 'ranks'],
    ['a rank that is none', { rank: 0 }, /rank must be a positive integer/, 'rank'],
    ['weights of zero', { weights: 0 }, /Every weight of a level is zero/, 'weights'],
    ['weights of levels that are zero beside held factors', { weights: [1, 0] }, /Every weight of a level is zero/, 'weights'],
    ['a negative weight', { weights: [1, -1] }, /weights.* -1/, 'weights'],
    ['too few weights', { weights: [1] }, /weights has 1 numbers.* 2 are needed/, 'weights'],
    ['a mode that X has not', { modes: [3] }, /modes names mode 3, but X has the modes 0 to 2/, 'modes'],
    ['a mode twice', { modes: [1, 1] }, /names a mode twice/, 'modes'],
    [
      'a start of another shape',
      { start: { factors: [matrix(6, 3), matrix(5, 4), matrix(4, 4)] } },
      /start\.factors\[0\] is 6×3, but .* 6×4/,
      'start',
    ],
    [
      'a start of one matrix',
      { start: { factors: [matrix(6, 4)] } },
      /start\.factors must be a list of 3 matrices, 6×4, 5×4, 4×4/,
      'start',
    ],
    ['a start that is no object', { start: 'random' as never }, /start must be \{ factors \}/, 'start'],
    ['an unknown option', { levels: 2 } as object, /levels/, 'levels'],
  ])('%s', async (_name, options, words, option) => {
    await refused((e) => neuralNcp(e, X, { rank: 4, ranks: [2], ...options }), words, option);
  });
  test('orders, entries', async () => {
    await refused((e) => ncp(e, { shape: [4], data: new Float32Array(4).fill(1) }, { rank: 1 }), /order 1/);
    await refused((e) => ncp(e, { shape: [1, 1, 1, 1, 1, 1, 1], data: Float32Array.of(1) }, { rank: 1 }), /order 7/);
    await refused((e) => ncp(e, tensor([2, 2, 2]), { rank: 1 }), /zero/);
    await refused((e) => ncp(e, tensor([2, 2, 2], [1, 1, 1, 1, -1, 1, 1, 1]), { rank: 1 }), /-1/);
    await refused((e) => ncp(e, X, { rank: 129 }), /rank is 129/, 'rank');
  });
});
