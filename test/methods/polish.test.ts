/** Exact solves polished in f64: KKT to the rounding of f64, whatever f32 made of the supports. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { type Random, random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { polish } from '../../src/methods/polish.js';
import { nnls } from '../../src/methods/q.js';
import { createEngine } from '../../src/node/engine.js';
import { strictKkt } from '../cases/nnls.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());

function uniform(r: Random, rows: number, cols: number): Matrix {
  return matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => r.uniform()),
  );
}

const inF64 = (rows: number, cols: number, data: Float64Array) => ({ rows, cols, data }) as unknown as Matrix;

describe.each([
  [87, 91, 9],
  [67, 131, 17],
  [101, 53, 40],
])('of %i×%i, k = %i', (N, M, k) => {
  test('the KKT residual is that of f64, and S is the polished one rounded', async () => {
    started ??= createEngine();
    const engine = await started;
    const r = random(N);
    const [X, A] = [uniform(r, N, M), uniform(r, N, k)];
    const { S, polished, support, kktResidual, unconverged } = await nnls(engine, X, A, { polish: true });
    expect(unconverged).toBe(0);
    expect(kktResidual).toBeLessThan(1e-13);
    expect(strictKkt({ X, A }, inF64(k, M, polished!))).toBeLessThan(1e-13);
    expect(S.data).toEqual(Float32Array.from(polished!));
    polished!.forEach((s, at) => {
      expect(support[at]).toBe(s > 0 ? 1 : 0);
    });
    // The device alone is right to the rounding of f32, and no better.
    const plain = await nnls(engine, X, A);
    expect(plain.polished).toBeUndefined();
    expect(plain.kktResidual).toBeGreaterThan(kktResidual);
    expect(strictKkt({ X, A }, plain.S)).toBeLessThan(1e-5);
  });
});

test('wrong supports are mended: from all, from none, from the opposite', () => {
  const r = random(4);
  const [X, A] = [uniform(r, 60, 40), uniform(r, 60, 12)];
  const right = polish(X, A, new Float64Array(12 * 40).fill(1));
  for (const start of [new Float64Array(12 * 40), right.S.map((s) => (s > 0 ? 0 : 1))]) {
    const { S, kktResidual, unconverged } = polish(X, A, start);
    expect(unconverged).toBe(0);
    expect(kktResidual).toBeLessThan(1e-13);
    S.forEach((s, at) => {
      expect(Math.abs(s - right.S[at])).toBeLessThan(1e-11);
    });
  }
});

test('dependent and zero columns of A, zero columns of X, and a penalty', () => {
  const r = random(5);
  const [X, A] = [uniform(r, 30, 20), uniform(r, 30, 6)];
  for (let n = 0; n < 30; n++) {
    A.data[n * 6 + 1] = A.data[n * 6];
    A.data[n * 6 + 5] = 0;
    X.data[n * 20] = 0;
  }
  const { S, kktResidual } = polish(X, A, new Float64Array(6 * 20).fill(1));
  expect(kktResidual).toBeLessThan(1e-11);
  for (let c = 0; c < 20; c++) expect(S[5 * 20 + c]).toBe(0);
  for (let j = 0; j < 6; j++) expect(S[j * 20]).toBe(0);
  const penalised = polish(X, A, S, { l1: 2 });
  expect(penalised.kktResidual).toBeLessThan(1e-11);
  expect(penalised.S.reduce((sum, s) => sum + s, 0)).toBeLessThan(S.reduce((sum, s) => sum + s, 0));
});

test('a sparse X is polished as the dense one is', async () => {
  started ??= createEngine();
  const r = random(9);
  const [X, A] = [uniform(r, 37, 11), uniform(r, 37, 4)];
  X.data.forEach((x, at) => {
    if (x < 0.7) X.data[at] = 0;
  });
  const [dense, sparse] = await Promise.all([X, sparseFromDense(X)].map(async (given) => nnls(await started!, given, A, { polish: true })));
  expect(sparse.kktResidual).toBeLessThan(1e-13);
  sparse.polished!.forEach((s, at) => {
    expect(Math.abs(s - dense.polished![at])).toBeLessThan(1e-13);
  });
});
