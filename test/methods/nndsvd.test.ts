/** Starts from singular vectors, against scikit-learn's, and against what singular vectors are. */
import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix, multiply } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { shiftedCholesky, smallSvd } from '../../src/data/small-svd.js';
import { mean, sparseFromDense, stored } from '../../src/data/sparse.js';
import { singularValuesSquared } from '../../src/data/svd-bound.js';
import { matrixTimesPowerOfTwo, powerOfTwoUnit } from '../../src/data/unit.js';
import type { Engine } from '../../src/engine.js';
import { relativeErrorOf } from '../../src/methods/error.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { nmf } from '../../src/methods/nmf.js';
import { leadingTriplets, nndsvd, nndsvdEntries } from '../../src/methods/nndsvd.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const golden = JSON.parse(await readFile(new URL('./sklearn-nmf.json', import.meta.url), 'utf8'));
const V = matrix(golden.rows, golden.cols, golden.V);

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());
const reference = createReferenceEngine();
const engines: Record<string, () => Promise<Engine>> = {
  reference: async () => reference,
  device: () => (started ??= createEngine()),
};

const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, x, at) => Math.max(most, Math.abs(x - b[at])), a.length === b.length ? 0 : Number.POSITIVE_INFINITY);

const normal = (rows: number, cols: number, seed: number) =>
  matrix(rows, cols, Float32Array.from({ length: rows * cols }, random(seed).normal));

describe.each(Object.entries(engines))('on the %s', (_, engineOf) => {
  test('A and S are those of scikit-learn', async () => {
    const engine = await engineOf();
    const { A, S } = await nndsvd(engine, V, golden.k);
    // Six decimals, and vectors of f32 whose singular values lie far apart.
    expect(apart(A.data, golden.nndsvd.W)).toBeLessThan(1e-5);
    expect(apart(S.data, golden.nndsvd.H)).toBeLessThan(1e-5);
    const filled = await nndsvdEntries(engine, [V], golden.k, 'nndsvda', { settings: { seed: 0, restarts: 1 }, stream: 0 });
    expect(apart(filled.A, golden.nndsvda.W)).toBeLessThan(1e-5);
    expect(apart(filled.S, golden.nndsvda.H)).toBeLessThan(1e-5);
  });

  test.each([
    [17, 23, 9, 1],
    [31, 13, 4, 2],
    [5, 40, 5, 3],
  ])('singular triplets of %i×%i, k = %i, seed %i', async (N, M, k, seed) => {
    const engine = await engineOf();
    const X = normal(N, M, seed);
    X.data.forEach((_, at) => {
      if (at % 3 === 0) X.data[at] = 0;
    });
    const squares = singularValuesSquared(X);
    for (const given of [X, sparseFromDense(X)]) {
      const { U, sigma, Vt } = await leadingTriplets(engine, given, k);
      // k + 10 directions are all there are, so this is the SVD but for rounding: some dozens of products in f32.
      const rounding = 2 ** -24 * 64;
      expect(apart(sigma, squares.slice(0, k).map(Math.sqrt))).toBeLessThan(rounding * sigma[0]);
      const unit = Float32Array.from({ length: k * k }, (_, at) => (at % (k + 1) === 0 ? 1 : 0));
      expect(apart(gramOf(U).data, unit)).toBeLessThan(rounding);
      expect(apart(gramOf(turned(Vt)).data, unit)).toBeLessThan(rounding);
      const XV = multiply(X, turned(Vt));
      expect(
        apart(
          XV.data,
          U.data.map((u, at) => u * sigma[at % k]),
        ),
      ).toBeLessThan(rounding * sigma[0]);
    }
  });
});

const turned = ({ rows, cols, data }: Matrix): Matrix =>
  matrix(
    cols,
    rows,
    Float32Array.from({ length: data.length }, (_, at) => data[(at % rows) * cols + Math.floor(at / rows)]),
  );
const gramOf = (A: Matrix) => multiply(turned(A), A);

test('an approximation of a large matrix has its leading singular values', async () => {
  // Rank 6 and a little noise: 16 directions hold all that matters.
  const X = randomLowRank(90, 70, 6, { seed: 8, noise: 0.01 });
  const { sigma } = await leadingTriplets(reference, X, 6);
  expect(apart(sigma, singularValuesSquared(X).slice(0, 6).map(Math.sqrt))).toBeLessThan(1e-5 * sigma[0]);
});

test('components beyond the rank of X are zero, and nothing is NaN', async () => {
  const X = randomLowRank(12, 9, 2, { seed: 3 });
  const { A, S } = await nndsvd(reference, X, 4);
  expect([...A.data, ...S.data].every((x) => x >= 0 && x < 100)).toBe(true);
  const beyond = A.data.filter((_, at) => at % 4 > 1);
  expect(Math.max(...beyond)).toBeLessThan(1e-2); // √(2⁻²⁴ σ₁) at most
  const zero = await nndsvd(reference, matrix(6, 5), 3);
  expect([...zero.A.data, ...zero.S.data].every((x) => x === 0)).toBe(true);
});

test('nndsvdar fills zeros alone, by small numbers of its own in each restart', async () => {
  const { A } = await nndsvd(reference, V, golden.k);
  const options = { settings: { seed: 4, restarts: 2 }, stream: 0 };
  const filled = await nndsvdEntries(reference, [V], golden.k, 'nndsvdar', options);
  const size = A.data.length;
  const zeros = [...A.data].flatMap((x, at) => (x === 0 ? [at] : []));
  expect(zeros.length).toBeGreaterThan(10);
  A.data.forEach((x, at) => {
    for (const restart of [0, 1]) {
      const entry = filled.A[restart * size + at];
      if (x > 0) expect(entry).toBe(x);
      else {
        expect(entry).toBeGreaterThan(0);
        expect(entry).toBeLessThan((6 * mean(V)) / 100); // six standard deviations
      }
    }
  });
  expect(zeros.some((at) => filled.A[at] !== filled.A[size + at])).toBe(true);
});

test.each(['nndsvd', 'nndsvda'] as const)('nmf begins at %s, in every unit of X', async (start) => {
  const X = randomLowRank(14, 18, 4, { seed: 6, noise: 0.2 });
  const own = matrixTimesPowerOfTwo(X, -powerOfTwoUnit(stored(X)));
  const entries = await nndsvdEntries(reference, [own], 4, start, { settings: { seed: 0, restarts: 1 }, stream: 0 });
  const [A, S] = [matrix(14, 4, entries.A), matrix(4, 18, entries.S)];
  const options = { ranks: 4, start, solver: 'hals', stopping: 'initialError', tolerance: 0, maxIterations: 15, svdBound: false } as const;
  const first = await nmf(reference, X, options);
  expect(first.history[0].iteration).toBe(0);
  expect(first.history[0].relativeError).toBeCloseTo(relativeErrorOf({ X: own, seen: own }, [A], S), 12);
  const other = await nmf(reference, matrixTimesPowerOfTwo(X, 31), options);
  expect([other.A, other.history]).toEqual([first.A, first.history]);
  // The early components of a start from zeros are far better than random ones.
  const chance = await nmf(reference, X, { ...options, start: 'random' });
  if (start === 'nndsvd') expect(first.history[0].relativeError).toBeLessThan(0.5 * chance.history[0].relativeError);
});

test("'mu' keeps the zeros of nndsvd and none of nndsvda", async () => {
  const zeros = async (start: 'nndsvd' | 'nndsvda') => {
    const { A } = await nmf(reference, V, { ranks: golden.k, solver: 'mu', start, maxIterations: 30, svdBound: false });
    return A[0].data.filter((x) => x === 0).length;
  };
  const { A } = await nndsvd(reference, matrixTimesPowerOfTwo(V, -powerOfTwoUnit(V.data)), golden.k);
  expect(await zeros('nndsvd')).toBe(A.data.filter((x) => x === 0).length);
  expect(await zeros('nndsvda')).toBe(0);
});

test('every layer of hierarchicalNmf begins so', async () => {
  const X = randomLowRank(14, 18, 4, { seed: 6, noise: 0.2 });
  const options = { ranks: [4, 2], stopping: 'initialError', tolerance: 0, maxIterations: 8, svdBound: false, solver: 'hals' } as const;
  const model = await hierarchicalNmf(reference, X, { ...options, start: 'nndsvd' });
  const second = model.history.find(({ stage }) => stage === 'layer 2 of 2')!;
  // Columns of A⁰ have unit norm by then, so this S⁰ is what the second layer was fitted to.
  const S0 = matrixTimesPowerOfTwo(model.S[0], -powerOfTwoUnit(X.data));
  const { A, S } = await nndsvd(reference, S0, 2);
  expect(second.iteration).toBe(0);
  expect(second.relativeError).toBeCloseTo(relativeErrorOf({ X: S0, seen: S0 }, [A], S), 5);
  const many = await hierarchicalNmf(reference, X, { ...options, start: 'nndsvdar', restarts: 3 });
  expect(new Set(many.restartErrors).size).toBe(3);
  for (const start of ['nndsvd', 'nndsvda'] as const)
    await expect(hierarchicalNmf(reference, X, { ...options, start, restarts: 3 })).rejects.toThrow(
      `The option 'restarts' is 3, but every one would begin with the same start, '${start}'; leave it out.`,
    );
});

test('small factors: an SVD and a shifted Cholesky factor', () => {
  const n = 7;
  const B = Float64Array.from({ length: n * n }, random(9).normal);
  for (let row = 0; row < n; row++) B[row * n + 6] = B[row * n] - 2 * B[row * n + 3]; // rank 6
  const at = (data: Float64Array, i: number, j: number) => data[i * n + j];
  const sum = (term: (t: number) => number) => Array.from({ length: n }, (_, t) => term(t)).reduce((total, x) => total + x, 0);
  const { U, sigma, V: right } = smallSvd(B, n);
  const { R, inverse } = shiftedCholesky(
    Float64Array.from({ length: n * n }, (_, p) => sum((t) => at(B, t, Math.floor(p / n)) * at(B, t, p % n))),
    n,
    1e-3,
  );
  expect([...sigma].sort((a, b) => b - a)).toEqual([...sigma]);
  expect(sigma[6]).toBeLessThan(1e-14 * sigma[0]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      expect(sum((t) => at(U, i, t) * sigma[t] * at(right, j, t))).toBeCloseTo(at(B, i, j), 12);
      expect(sum((t) => at(right, t, i) * at(right, t, j))).toBeCloseTo(i === j ? 1 : 0, 12);
      expect(sum((t) => at(R, i, t) * at(inverse, t, j))).toBeCloseTo(i === j ? 1 : 0, 9);
      const gram = sum((t) => at(B, t, i) * at(B, t, j));
      expect(sum((t) => at(R, t, i) * at(R, t, j))).toBeCloseTo(gram * (i === j ? 1.001 : 1), 9);
    }
  }
});
