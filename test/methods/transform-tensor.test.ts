import { afterAll, expect, test } from 'vitest';
import { kruskal, kruskalError } from '../../src/data/kruskal.js';
import { type Matrix, matrix, multiply } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type DenseTensor, type SparseTensor, sparseTensor, tensor } from '../../src/data/tensors.js';
import type { Engine } from '../../src/engine.js';
import { ncp } from '../../src/methods/ncp.js';
import { neuralNcp } from '../../src/methods/neural-ncp.js';
import { levelFactors } from '../../src/methods/tensor-levels.js';
import { transformTensor } from '../../src/methods/transform-tensor.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();

/** A tensor of `rank` random outer products with a little noise. */
function data(shape: number[], rank: number, seed: number): DenseTensor {
  const r = random(seed);
  const X = kruskal(
    shape.map((size) =>
      matrix(
        size,
        rank,
        Float32Array.from({ length: size * rank }, () => r.uniform() ** 3),
      ),
    ),
  );
  return { shape, data: X.data.map((x) => x + 0.01 * r.uniform()) };
}

/** Slices of X along a mode. */
function slices(X: DenseTensor, mode: number, chosen: number[]): DenseTensor {
  const after = X.shape.slice(mode + 1).reduce((product, size) => product * size, 1);
  const before = X.shape.slice(0, mode).reduce((product, size) => product * size, 1);
  const entries = Array.from({ length: before }, (_, b) =>
    chosen.map((i) => Array.from(X.data.subarray((b * X.shape[mode] + i) * after, (b * X.shape[mode] + i + 1) * after))),
  );
  return tensor(
    X.shape.map((size, m) => (m === mode ? chosen.length : size)),
    entries.flat(2),
  );
}

/** The largest |min(r s, ∇)| over the rows, relative to its row's largest right side, all in f64 and from the entries of X. */
function kktOf(X: DenseTensor, P: Matrix[], S: Matrix, weights: Matrix, mode: number): number {
  const { rows, cols: k } = weights;
  const design = (j: number, indices: number[]) => {
    let sum = 0;
    for (let r = 0; r < S.cols; r++)
      sum += P.reduce((product, F, m) => (m === mode ? product : product * F.data[indices[m] * F.cols + r]), S.data[j * S.cols + r]);
    return sum;
  };
  const [gradient, right, diagonal] = [new Float64Array(rows * k), new Float64Array(rows * k), new Float64Array(k)];
  X.data.forEach((x, at) => {
    const indices: number[] = [];
    for (let m = X.shape.length - 1, rest = at; m >= 0; rest = Math.floor(rest / X.shape[m]), m--) indices[m] = rest % X.shape[m];
    const d = Array.from({ length: k }, (_, j) => design(j, indices));
    const i = indices[mode];
    const fitted = d.reduce((sum, own, j) => sum + own * weights.data[i * k + j], 0);
    d.forEach((own, j) => {
      gradient[i * k + j] += own * (fitted - x);
      right[i * k + j] += own * x;
      diagonal[j] += (own * own) / rows;
    });
  });
  let worst = 0;
  for (let i = 0; i < rows; i++) {
    const scale = Math.max(...right.subarray(i * k, (i + 1) * k));
    for (let j = 0; j < k; j++)
      worst = Math.max(worst, Math.abs(Math.min(weights.data[i * k + j] * diagonal[j], gradient[i * k + j])) / scale);
  }
  return worst;
}

const identity = (R: number) =>
  matrix(
    R,
    R,
    Float32Array.from({ length: R * R }, (_, at) => (at % (R + 1) === 0 ? 1 : 0)),
  );

for (const [shape, modes] of [
  [[7, 6, 5], undefined],
  [
    [6, 4, 3, 5],
    [1, 3],
  ],
  [[9, 8], undefined],
] as const) {
  test(`slices of the ${shape.join('×')} tensor itself are fitted no worse than by the model's own rows, and exactly`, async () => {
    const X = data([...shape], 4, shape.length);
    const model = await neuralNcp(engine, X, { rank: 4, ranks: [3, 2], modes, restarts: 2, maxIterations: 60, bounds: false });
    for (const mode of [0, 1, shape.length - 1]) {
      const chosen = [2, 0, 1];
      const some = slices(X, mode, chosen);
      const found = await transformTensor(engine, model, some, { mode });
      expect(found.map(({ rank }) => rank)).toEqual([4, ...(modes === undefined || modes.includes(mode as never) ? [3, 2] : [4, 4])]);
      found.forEach(({ weights, relativeError, kktResidual, unconverged }, at) => {
        const level = at - 1;
        const P = levelFactors(model, level);
        const S = model.S[mode][level] ?? identity(4);
        expect(weights.data.every((x) => x >= 0)).toBe(true);
        // Rounding R to f32 alone leaves 2⁻²⁴ times the terms of the gradient, of which there are k, none more than some times the right side.
        expect(kktOf(some, P, S, weights, mode)).toBeLessThan(1e-5);
        expect(kktResidual).toBeLessThan(1e-5);
        expect(unconverged).toBe(0);
        // The rows of the model are feasible, so the best ones are no worse.
        const rowsOf = (F: Matrix) =>
          matrix(
            3,
            F.cols,
            Float32Array.from({ length: 3 * F.cols }, (_, e) => F.data[chosen[Math.floor(e / F.cols)] * F.cols + (e % F.cols)]),
          );
        const own = kruskalError(
          some,
          P.map((F, m) => (m === mode ? rowsOf(F) : F)),
        );
        const best = kruskalError(
          some,
          P.map((F, m) => (m === mode ? multiply(weights, S) : F)),
        );
        expect(best.error).toBeLessThanOrEqual(own.error * (1 + 1e-6));
        expect(relativeError).toBeCloseTo(Math.sqrt(best.error / best.norm), 6);
      });
    }
  });
}

test('slices that are outer products of the model have its own rows, in any unit', async () => {
  const X = data([8, 7, 6], 3, 11);
  const model = await ncp(engine, X, { rank: 3, bounds: false });
  const mode = 1;
  for (const unit of [1, 2 ** 40, 2 ** -40]) {
    const fitted = kruskal(model.factors);
    const [{ weights, relativeError }] = await transformTensor(
      engine,
      model,
      { ...fitted, data: fitted.data.map((x) => x * unit) },
      { mode },
    );
    weights.data.forEach((x, at) => {
      expect(x / unit).toBeCloseTo(model.factors[mode].data[at], 4);
    });
    expect(relativeError).toBeLessThan(1e-5);
  }
});

test('a slice of zeros has no topics, and bad slices are refused by name', async () => {
  const model = await ncp(engine, data([5, 4, 3], 2, 1), { rank: 2, bounds: false });
  const [{ weights, relativeError }] = await transformTensor(engine, model, tensor([5, 4, 2]), { mode: 2 });
  expect([...weights.data, relativeError]).toEqual([0, 0, 0, 0, 0]);
  await expect(transformTensor(engine, model, tensor([5, 4, 2]))).rejects.toThrow('[any, 4, 3]');
  await expect(transformTensor(engine, model, tensor([5, 4, 3]), { mode: 3 })).rejects.toThrow(
    'mode must be an integer from 0 to 2, not 3',
  );
  await expect(transformTensor(engine, model, tensor([5, 4, 3]), { modes: 1 } as never)).rejects.toThrow("'modes'");
  await expect(transformTensor(engine, model, { shape: [5, 4, 3], data: new Float32Array(60).fill(-1) })).rejects.toThrow(
    'every entry must be ≥ 0',
  );
});

/** The entries of X that a draw keeps, dense with zeros for the others, and sparse. */
function thinned(X: DenseTensor, density: number, seed: number): { dense: DenseTensor; sparse: SparseTensor } {
  const { uniform } = random(seed);
  const dense = { ...X, data: X.data.map((x) => (uniform() < density ? x : 0)) };
  const places = Array.from(dense.data.keys()).filter((at) => dense.data[at] > 0);
  const coordinates = places.flatMap((at) => {
    const indices: number[] = [];
    for (let m = X.shape.length - 1, rest = at; m >= 0; rest = Math.floor(rest / X.shape[m]), m--) indices[m] = rest % X.shape[m];
    return indices;
  });
  return { dense, sparse: sparseTensor(X.shape, { coordinates, values: places.map((at) => dense.data[at]) }) };
}

const near = (one: Matrix, other: Matrix) => {
  const size = other.data.reduce((most, x) => Math.max(most, x), 0);
  return one.data.reduce((most, x, at) => Math.max(most, Math.abs(x - other.data[at])), 0) / size;
};

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());
const device = () => (started ??= createEngine());

for (const shape of [
  [7, 6, 5],
  [6, 4, 3, 5],
  [9, 8],
  [2, 3, 70],
]) {
  test(`sparse slices of a ${shape.join('×')} tensor have the weights of the same slices dense, along every mode`, async () => {
    const { dense, sparse } = thinned(data(shape, 3, shape.length), 0.4, 17);
    const model = await neuralNcp(engine, data(shape, 3, 23), { rank: 3, ranks: [2], modes: [0, 1], maxIterations: 40, bounds: false });
    for (let mode = 0; mode < shape.length; mode++) {
      const expected = await transformTensor(engine, model, dense, { mode });
      for (const on of [engine, await device()]) {
        const found = await transformTensor(on, model, sparse, { mode });
        expect(found.map(({ rank }) => rank)).toEqual(expected.map(({ rank }) => rank));
        found.forEach(({ weights, relativeError, kktResidual, unconverged }, l) => {
          // f32 moves a solution that it is trusted with by 1e-3 at most (methods/condition.ts); f64 by nothing that f32 shows.
          expect(near(weights, expected[l].weights)).toBeLessThan(on === engine ? 2 ** -22 : 1e-3);
          expect(relativeError).toBeCloseTo(expected[l].relativeError, 5);
          expect(kktResidual).toBeLessThan(1e-5);
          expect(unconverged).toBe(0);
        });
      }
    }
  });
}

test('sparse slices by features that nearly depend on each other are solved in f64', async () => {
  const { dense, sparse } = thinned(data([6, 9, 8], 3, 4), 0.5, 5);
  const fitted = await ncp(engine, data([6, 9, 8], 3, 6), { rank: 3, maxIterations: 20, bounds: false });
  // The second component is the first, but for a few thousandths in both modes: the condition is about a thousand, and f32 is not trusted.
  const factors = fitted.factors.map((F, m) =>
    m === 0 ? F : { ...F, data: F.data.map((x, at) => (at % 3 === 1 ? F.data[at - 1] * (1 + 0.002 * ((at * 7) % 5)) : x)) },
  );
  const model = { ...fitted, factors };
  const [expected] = await transformTensor(engine, model, dense);
  for (const on of [engine, await device()]) {
    const [{ weights, kktResidual, unconverged }] = await transformTensor(on, model, sparse);
    // The design of the dense slices is rounded to f32, 2⁻²⁴ of it, which the condition makes larger; the sparse ones' is not.
    expect(near(weights, expected.weights)).toBeLessThan(1e-3);
    expect([kktResidual < 1e-6, unconverged]).toEqual([true, 0]);
  }
});

test('sparse slices of a tensor that no memory holds', async () => {
  const shape = [200_000, 100_000, 3];
  const R = 2;
  const { uniform, integer } = random(12);
  const factors = shape.map((size) =>
    matrix(
      size,
      R,
      Float32Array.from({ length: size * R }, () => uniform()),
    ),
  );
  const model = { method: 'ncp', rank: R, ranks: [], shape, factors } as never;
  const entries = Array.from({ length: 60 }, (_, e) => [3 * e, 1000 * e + integer(1000), e % 2]);
  const X = sparseTensor([200_000, 100_000, 2], { coordinates: entries.flat(), values: entries.map(() => 1 + uniform()) });
  const [{ weights }] = await transformTensor(engine, model, X, { mode: 2 });
  // Normal equations by hand, of two unknowns.
  const gram = (r: number, s: number) =>
    [0, 1].reduce((product, m) => {
      let sum = 0;
      for (let i = 0; i < shape[m]; i++) sum += factors[m].data[i * R + r] * factors[m].data[i * R + s];
      return product * sum;
    }, 1);
  const G = [gram(0, 0), gram(0, 1), gram(1, 1)];
  for (const slice of [0, 1]) {
    const b = [0, 1].map((r) =>
      entries.reduce(
        (sum, [i, j, s], e) => sum + (s === slice ? X.values[e] * factors[0].data[i * R + r] * factors[1].data[j * R + r] : 0),
        0,
      ),
    );
    const w = Array.from(weights.data.subarray(slice * R, slice * R + R));
    const slack = w.map((own, r) => (r === 0 ? G[0] * own + G[1] * w[1] : G[1] * w[0] + G[2] * own) - b[r]);
    w.forEach((own, r) => {
      expect(own).toBeGreaterThanOrEqual(0);
      expect(Math.abs(Math.min(own * G[2 * r], slack[r]))).toBeLessThan(1e-6 * Math.max(...b));
    });
  }
});
