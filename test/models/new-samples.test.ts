/** New samples: in any unit, and with values that are missing. */
import { afterAll, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { matrixTimesPowerOfTwo } from '../../src/data/unit.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());
const device = () => (started ??= createEngine());

const [N, M] = [15, 21];
const X = randomLowRank(N, M, 3, { seed: 4, noise: 0.2 });
const flat = { ranks: 3, restarts: 1, maxIterations: 40 };
const layered = { ranks: [3, 2], restarts: 1, maxIterations: 40 };

type Fitting = (engine: Engine, X: Matrix, c: number) => Promise<Factorization>;
/** A fit, and whether its S grows with X. */
const fits: [string, Fitting, boolean][] = [
  ['nmf', (e, X) => nmf(e, X, flat), true],
  ['ssnmf, divergence', (e, X) => ssnmf(e, X, { ...flat, model: 2 }), true],
  ['hierarchical', (e, X) => hierarchicalNmf(e, X, layered), true],
  ['neural with l1', (e, X, c) => neuralNmf(e, X, { ...layered, l1: 0.01 * c }), true],
  ['deep', (e, X) => deepNmf(e, X, layered), true],
  ['deep, log1p', (e, X) => deepNmf(e, X, { ...layered, activation: 'log1p' }), false],
  ['deep-semi', (e, X) => deepSemiNmf(e, X, { ...layered, pretrainIterations: 20 }), true],
  ['deep-semi, softplus', (e, X) => deepSemiNmf(e, X, { ...layered, pretrainIterations: 20, nonlinearity: 'softplus' }), false],
  ['unfolded', (e, X, c) => unfoldedNmf(e, X, { ...flat, layers: 3, startIterations: 10, l1: 0.01 * c * c }), false],
  ['unfolded, divergence', (e, X, c) => unfoldedNmf(e, X, { ...flat, layers: 3, startIterations: 10, beta: 1, l1: 0.01 * c }), false],
];

test.each(fits)('%s: the unit of the new samples is that of their S', async (_name, factorize, grows) => {
  const engine = await device();
  const newX = randomLowRank(N, 5, 3, { seed: 9, noise: 0.2 });
  const plain = await transform(engine, await factorize(engine, X, 1), newX);
  for (const e of [-90, 60]) {
    const model = await factorize(engine, matrixTimesPowerOfTwo(X, e), 2 ** e);
    const other = await transform(engine, model, matrixTimesPowerOfTwo(newX, e));
    expect(other).toEqual(plain.map((S) => matrixTimesPowerOfTwo(S, grows ? e : 0)));
  }
});

const users = (seed: number) => {
  const r = random(seed);
  const newX = randomLowRank(N, 6, 3, { seed, noise: 0.1 });
  const weights = matrix(
    N,
    6,
    Float32Array.from({ length: N * 6 }, (_, at) => (at < 12 || r.uniform() < 0.5 ? 1 : 0)),
  );
  const under = (value: number) => ({ ...newX, data: newX.data.map((x, at) => (weights.data[at] > 0 ? x : value)) });
  return { newX, weights, hidden: under(1e30), missing: under(Number.NaN) };
};

/** argmin over the rows that are seen, of one column. */
async function fromSeenRows(engine: Engine, A: Matrix, newX: Matrix, weights: Matrix, c: number): Promise<number[]> {
  const seen = Array.from({ length: N }, (_, i) => i).filter((i) => weights.data[i * newX.cols + c] > 0);
  const rows = seen.flatMap((i) => Array.from(A.data.subarray(i * A.cols, (i + 1) * A.cols)));
  const own = matrix(
    seen.length,
    1,
    seen.map((i) => newX.data[i * newX.cols + c]),
  );
  return Array.from((await nnls(engine, own, matrix(seen.length, A.cols, rows), { polish: true })).S.data);
}

test('values that are missing have no influence: S is that of the rows that are seen', async () => {
  const engine = await device();
  const { newX, weights, hidden, missing } = users(31);
  for (const model of [await nmf(engine, X, flat), await ssnmf(engine, X, { ...flat, model: 1 }), await neuralNmf(engine, X, flat)]) {
    const [S] = await transform(engine, model, hidden, { weights });
    expect(await transform(engine, model, newX, { weights })).toEqual([S]);
    expect(await transform(engine, model, missing)).toEqual([S]);
    for (let c = 0; c < 6; c++) {
      const expected = await fromSeenRows(engine, model.A[0], newX, weights, c);
      // Two ways to the same f64 solution, rounded to f32.
      const largest = Math.max(...expected);
      expected.forEach((s, j) => {
        expect(Math.abs(S.data[j * 6 + c] - s)).toBeLessThan(4 * 2 ** -24 * largest);
      });
    }
  }
});

test('of a divergence, too: it is that of the seen rows', async () => {
  const engine = await device();
  const { newX, weights, hidden, missing } = users(32);
  const model = await ssnmf(engine, X, { ...flat, model: 2 });
  const [S] = await transform(engine, model, hidden, { weights });
  expect(await transform(engine, model, missing)).toEqual([S]);
  for (let c = 0; c < 6; c++) {
    const seen = Array.from({ length: N }, (_, i) => i).filter((i) => weights.data[i * 6 + c] > 0);
    const A = matrix(
      seen.length,
      3,
      seen.flatMap((i) => Array.from(model.A[0].data.subarray(3 * i, 3 * i + 3))),
    );
    const own = matrix(
      seen.length,
      1,
      seen.map((i) => newX.data[i * 6 + c]),
    );
    const [alone] = await transform(engine, { ...model, A: [A] }, own);
    // Each descent stops when an iteration gains less than 1e-7 of the objective, which is flat there: 1e-2 of the largest.
    const largest = Math.max(...alone.data);
    alone.data.forEach((s, j) => {
      expect(Math.abs(S.data[j * 6 + c] - s)).toBeLessThan(0.01 * largest);
    });
  }
});

test('weights of nnls: real numbers, their unit, and refusals', async () => {
  const engine = await device();
  const A = randomLowRank(N, 3, 3, { seed: 2 });
  const W = matrix(
    N,
    M,
    Float32Array.from({ length: N * M }, (_, at) => 2 ** ((at % 4) - 1)),
  );
  const { S, kktResidual } = await nnls(engine, X, A, { weights: W, l1: 0.1 });
  expect(kktResidual).toBeLessThan(1e-6);
  expect((await nnls(engine, X, A, { weights: matrixTimesPowerOfTwo(W, 20), l1: 0.1 * 2 ** 40 })).S).toEqual(S);
  for (let c = 0; c < M; c++) {
    // The same as rows times their weights, which is exact for powers of two.
    const scaled = (Y: Matrix, j: (at: number) => number) => Y.data.map((y, at) => y * W.data[j(at) * M + c]);
    const column = matrix(
      N,
      1,
      Array.from({ length: N }, (_, i) => X.data[i * M + c] * W.data[i * M + c]),
    );
    const own = await nnls(
      engine,
      column,
      matrix(
        N,
        3,
        scaled(A, (at) => Math.floor(at / 3)),
      ),
      { l1: 0.1, polish: true },
    );
    own.S.data.forEach((s, j) => {
      expect(Math.abs(S.data[j * M + c] - s)).toBeLessThan(4 * 2 ** -24 * Math.max(...own.S.data));
    });
  }
  await expect(nnls(engine, X, A, { weights: matrix(N, M) })).rejects.toThrow(/hides all of column 0/);
  const deep = await deepNmf(engine, X, layered);
  await expect(transform(engine, deep, X, { weights: W })).rejects.toThrow(InputError);
  const holes = matrix(N, 1, new Float32Array(N).fill(Number.NaN));
  await expect(transform(engine, deep, holes)).rejects.toThrow(
    /newX has the entry NaN.*deep needs all of them; nmf, ssnmf, hierarchical and neural/,
  );
  const flatModel = await nmf(engine, X, { ...flat, maxIterations: 1 });
  await expect(transform(engine, flatModel, holes)).rejects.toThrow(/newX has no value in all of column 0/);
  await expect(transform(engine, deep, X, { weights: W })).rejects.toThrow(/deep takes no weights.*nmf, ssnmf, hierarchical or neural/);
  // As other libraries call them.
  await expect(transform(engine, flatModel, X, { mask: W } as object)).rejects.toThrow("it is now 'weights'");
  await expect(nnls(engine, X, A, { mask: W } as object)).rejects.toThrow("it is now 'weights'");
});
