import { expect, test } from 'vitest';
import { kruskal, kruskalError } from '../../src/data/kruskal.js';
import { type Matrix, matrix, multiply } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type DenseTensor, tensor } from '../../src/data/tensors.js';
import { ncp } from '../../src/methods/ncp.js';
import { levelFactors, neuralNcp } from '../../src/methods/neural-ncp.js';
import { transformTensor } from '../../src/methods/transform-tensor.js';
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
