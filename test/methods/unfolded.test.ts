/** Unfolded Deep NMF: split gradients against central differences and against the formula in plain loops, and what a fit promises. */
import { afterAll, expect, test } from 'vitest';
import { randomLowRank, tableOne } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import type { Engine, Run } from '../../src/engine.js';
import { InputError, ShapeError } from '../../src/errors.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { reconstructUnfolded, transformUnfolded, type UnfoldedOptions, unfoldedNmf } from '../../src/methods/unfolded.js';
import { createEngine } from '../../src/node/engine.js';
import { dictionaryOfLayers, unfoldedProgram } from '../../src/programs/unfolded.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { add, type Dense, dense, each, times, transposed } from '../cases/deep-semi.js';
import { shapes, writeUnfolded } from '../cases/unfolded.js';

let started: Promise<Engine> | undefined;
const engine = () => {
  started ??= createEngine();
  return started;
};
afterAll(async () => (await started)?.dispose());

const reference = createReferenceEngine();
const { X } = tableOne(0);

const read = async (run: Run, tensor: Tensor): Promise<Dense> => dense(tensor.rows, tensor.cols, await run.read(tensor));

test.each(shapes)('the gradient of %s is P − Q with P, Q ≥ 0', async (_name, shape) => {
  const t = unfoldedProgram(7, 6, { ...shape, rank: 4, l1: 0.2 }, 1);
  using run = await reference.prepare(t.program);
  writeUnfolded(run, t, 3);
  const cost = async () => {
    run.execute('gradient');
    return (await run.read(t.cost))[0];
  };
  await cost();
  const splits = await Promise.all(t.gradients.map(async ({ plus, minus }) => [await run.read(plus), await run.read(minus)]));
  const h = 1e-6;
  for (const [i, [P, Q]] of splits.entries()) {
    const W = Float64Array.from(await run.read(t.W[i]));
    const analytic = P.map((p, j) => p - Q[j]);
    const largest = Math.max(...analytic.map(Math.abs));
    expect(Math.min(...P, ...Q)).toBeGreaterThanOrEqual(0);
    expect(largest).toBeGreaterThan(1e-3);
    for (let j = 0; j < W.length; j++) {
      const at = async (value: number) => {
        run.write(
          t.W[i],
          W.map((w, n) => (n === j ? value : w)),
        );
        return cost();
      };
      const difference = ((await at(W[j] + h)) - (await at(W[j] - h))) / (2 * h);
      expect(Math.abs(difference - analytic[j]) / largest, `entry ${j} of dictionary ${i}`).toBeLessThan(1e-6);
    }
    run.write(t.W[i], W);
  }
});

/** The split back-propagation from the formulas, one layer after another without anything shared; the ratio-mask output is tested above. */
function trainedOnce(beta: 1 | 2, mu: number, D: Dense, target: Dense, H0: Dense, W: Dense[], of: number[]): { W: Dense[]; H: Dense } {
  const ones = each([D], () => 1);
  const plus = W.map((w) => each([w], () => 0));
  const minus = W.map((w) => each([w], () => 0));
  const H = [H0];
  const layers = of.map((index) => {
    const w = W[index];
    const h = H[H.length - 1];
    const V = times(w, h);
    const a = times(transposed(w), beta === 2 ? D : each([D, V], (x, v) => x / v));
    const d = each([times(transposed(w), beta === 2 ? V : ones)], (x) => x + mu);
    H.push(each([h, a, d], (x, y, z) => (x * y) / z));
    return { index, w, h, V, a, d };
  });
  const last = H[H.length - 1];
  const V = times(W[0], last);
  const two = (x: Dense) => each([x], (v) => 2 * v);
  const ratio = each([target, V], (x, v) => x / v);
  plus[0] = beta === 2 ? two(times(V, transposed(last))) : times(ones, transposed(last));
  minus[0] = beta === 2 ? two(times(target, transposed(last))) : times(ratio, transposed(last));
  let P = beta === 2 ? two(times(transposed(W[0]), V)) : times(transposed(W[0]), ones);
  let Q = beta === 2 ? two(times(transposed(W[0]), target)) : times(transposed(W[0]), ratio);
  for (let l = layers.length - 1; l >= 0; l--) {
    const { index, w, h, V: v, a, d } = layers[l];
    const quotient = (part: Dense, by: Dense) => each([part, by, d], (x, y, z) => (x * y) / z);
    const [uP, uQ, tP, tQ] = [quotient(P, h), quotient(Q, h), quotient(P, H[l + 1]), quotient(Q, H[l + 1])];
    const dictionary = (u: Dense, uOther: Dense, tOther: Dense) => {
      if (beta === 2) {
        const outer = times(h, transposed(tOther));
        return add(times(D, transposed(u)), times(w, add(outer, transposed(outer))));
      }
      const bent = each([D, v, times(w, uOther)], (x, y, z) => (x / y ** 2) * z);
      const R = each([D, v], (x, y) => x / y);
      return add(times(R, transposed(u)), add(times(bent, transposed(h)), times(ones, transposed(tOther))));
    };
    plus[index] = add(plus[index], dictionary(uP, uQ, tQ));
    minus[index] = add(minus[index], dictionary(uQ, uP, tP));
    const coefficients = (part: Dense, uOther: Dense, tOther: Dense) => {
      const through = beta === 2 ? times(w, tOther) : each([D, v, times(w, uOther)], (x, y, z) => (x / y ** 2) * z);
      return add(quotient(part, a), times(transposed(w), through));
    };
    [P, Q] = [coefficients(P, uQ, tQ), coefficients(Q, uP, tP)];
  }
  return { W: W.map((w, i) => each([w, minus[i], plus[i]], (x, y, z) => (x * y) / z)), H: last };
}

test.each([
  [2, 3, 0],
  [2, 4, 2],
  [1, 3, 0],
  [1, 4, 2],
] as const)('one training step with β = %i, %i layers, %i untied, is the formula', async (beta, layers, untied) => {
  const mu = 0.3;
  const t = unfoldedProgram(8, 7, { rank: 3, layers, untied, beta, l1: mu, sources: 0 }, 1);
  using run = await reference.prepare(t.program);
  writeUnfolded(run, t, 9);
  const W = await Promise.all(t.W.map((w) => read(run, w)));
  const expected = trainedOnce(
    beta,
    mu,
    await read(run, t.X),
    await read(run, t.target),
    await read(run, t.H0),
    W,
    dictionaryOfLayers(layers, untied),
  );
  run.execute('finish');
  const close = (actual: Dense, wanted: Dense) => {
    const largest = Math.max(...wanted.data);
    actual.data.forEach((x, i) => {
      expect(Math.abs(x - wanted.data[i])).toBeLessThan(1e-9 * largest);
    });
  };
  close(await read(run, t.H), expected.H);
  run.execute('step');
  for (const [i, w] of t.W.entries()) close(await read(run, w), expected.W[i]);
});

test('the dictionaries of the layers', () => {
  expect(dictionaryOfLayers(4, 0)).toEqual([0, 0, 0, 0]);
  expect(dictionaryOfLayers(4, 2)).toEqual([1, 1, 2, 3]);
  expect(dictionaryOfLayers(3, 3)).toEqual([1, 2, 3]);
});

/** Relative error of WH against X, in f64. */
function errorOf(W: Matrix, H: Matrix, target: Matrix): number {
  const product = times(dense(W.rows, W.cols, W.data), dense(H.rows, H.cols, H.data));
  const squares = (values: ArrayLike<number>) => Array.from(values).reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(squares(product.data.map((x, i) => x - target.data[i])) / squares(target.data));
}

test('on the data of Table 1 training pays, errors are what they say, and the forward pass repeats the fit', async () => {
  const model = await unfoldedNmf(await engine(), X, { ranks: 9, layers: 6, maxIterations: 60, restarts: 2 });
  expect(model.A.map(({ rows, cols }) => [rows, cols])).toEqual(new Array(5).fill([87, 9]));
  expect(model.S.map(({ rows, cols }) => [rows, cols])).toEqual([[9, 90]]);
  expect(Math.abs(model.relativeError - errorOf(model.A[0], model.S[0], X))).toBeLessThan(2e-5 * model.relativeError);
  expect(model.relativeError).toBeGreaterThan(model.svdBound!);
  const training = model.history.filter(({ stage }) => stage === 'all layers').map(({ relativeError }) => relativeError);
  expect(training.at(-1)!).toBeLessThan(0.9 * training[0]);
  training.slice(1).forEach((error, i) => {
    expect(error).toBeLessThanOrEqual(training[i] * (1 + 1e-5));
  });
  const [H] = await transformUnfolded(await engine(), model, X);
  const { reconstruction, masks } = await reconstructUnfolded(await engine(), model, X);
  expect(masks).toBeNull();
  expect([reconstruction!.rows, reconstruction!.cols]).toEqual([87, 90]);
  expect(errorOf(model.A[0], H, X)).toBeCloseTo(model.relativeError, 6);
  const few = matrix(
    87,
    4,
    Float32Array.from({ length: 87 * 4 }, (_, i) => X.data[Math.floor(i / 4) * 90 + 30 + (i % 4)]),
  );
  const [ofFew] = await transformUnfolded(await engine(), model, few);
  for (let j = 0; j < 9; j++)
    for (let c = 0; c < 4; c++) expect(Math.abs(ofFew.data[j * 4 + c] - H.data[j * 90 + 30 + c])).toBeLessThan(1e-4);
});

test('ratio masks learn to separate two sources, and add up to the mixture', async () => {
  const [first, second] = [1, 2].map((seed) => randomLowRank(20, 30, 2, { seed }));
  const mixture = matrix(
    20,
    30,
    first.data.map((x, i) => x + second.data[i]),
  );
  const sources = [
    { columns: 2, target: first },
    { columns: 2, target: second },
  ];
  const model = await unfoldedNmf(await engine(), mixture, { ranks: 4, layers: 4, output: 'ratioMask', sources, maxIterations: 100 });
  expect(model.svdBound).toBeNull();
  // Half of the mixture each, the best without learning, is worth this.
  const norm = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0);
  const halves = norm(first.data.map((x, i) => x - second.data[i])) / 2;
  expect(model.relativeError).toBeLessThan(0.8 * Math.sqrt(halves / (norm(first.data) + norm(second.data))));
  const { masks } = await reconstructUnfolded(await engine(), model, mixture);
  expect(masks).toHaveLength(2);
  // The error that is told is that of the masks, relative to the sources.
  const off = [first, second].reduce((sum, source, s) => sum + norm(source.data.map((x, i) => x - masks![s].data[i])), 0);
  expect(model.relativeError).toBeCloseTo(Math.sqrt(off / (norm(first.data) + norm(second.data))), 5);
  expect(model.history.at(-1)!.relativeError / model.relativeError).toBeCloseTo(1, 1);
  mixture.data.forEach((x, i) => {
    expect(Math.abs(masks![0].data[i] + masks![1].data[i] - x)).toBeLessThan(1e-4 * x);
  });
});

test.each<[string, Partial<UnfoldedOptions>, RegExp]>([
  ['no layers', { layers: 0 }, /layers/],
  ['more untied layers than layers', { layers: 2, untied: 3 }, /untied/],
  ['another beta', { beta: 0 as 1 }, /beta/],
  ['a negative penalty', { l1: -1 }, /l1/],
  ['a rank beyond the data', { ranks: 88 }, /87/],
  ['another output', { output: 'mask' as 'ratioMask' }, /output/],
  ['ratio masks without sources', { output: 'ratioMask' }, /two sources/],
  ['sources without ratio masks', { sources: [{ columns: 3, target: X }] }, /ratioMask/],
  [
    'sources whose columns are not the rank',
    {
      output: 'ratioMask',
      sources: [
        { columns: 1, target: X },
        { columns: 1, target: X },
      ],
    },
    /2 columns together/,
  ],
  ['a target of another shape', { target: matrix(3, 90) }, /3×90/],
  ['a target of zeros', { target: matrix(87, 90) }, /zero/],
])('%s is refused', async (_name, options, message) => {
  const attempt = unfoldedNmf(reference, X, { ranks: 3, ...options });
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});

test('a negative entry, and new data of another height, are refused', async () => {
  await expect(unfoldedNmf(reference, matrix(2, 2, [1, -1, 1, 1]), { ranks: 1 })).rejects.toThrow(/entry -1/);
  const model = await unfoldedNmf(reference, X, { ranks: 3, layers: 2, untied: 1, maxIterations: 1, startIterations: 1, svdBound: false });
  await expect(transformUnfolded(reference, model, matrix(5, 5))).rejects.toThrow(ShapeError);
  const strange = { ...model, settings: { ...model.settings, beta: 3 as unknown as 1 } };
  await expect(transformUnfolded(reference, strange, X)).rejects.toThrow(/beta must be 2 or 1, not 3/);
});
