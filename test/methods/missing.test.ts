/** NaN in X is a missing value: it has weight 0, and nothing depends on what stands there. */
import { afterAll, describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix, multiply } from '../../src/data/matrix.js';
import { seenOf } from '../../src/data/missing.js';
import { random } from '../../src/data/random.js';
import { mean, sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { type Method, methods, methodsWith } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { type NmfOptions, nmf, nmfMethod } from '../../src/methods/nmf.js';
import { problemOf, withMissing } from '../../src/methods/problem.js';
import { nnls } from '../../src/methods/q.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());
const device = () => (started ??= createEngine());

const [N, M] = [13, 11];
const X = randomLowRank(N, M, 3, { seed: 5, noise: 0.2 });
const uniform = random(6).uniform;
const present = matrix(
  N,
  M,
  X.data.map(() => (uniform() < 0.7 ? 1 : 0)),
);
const under = (value: number, of: Matrix = X): Matrix => ({ ...of, data: of.data.map((x, at) => (present.data[at] > 0 ? x : value)) });
const withNaN = under(Number.NaN);

const short = { ranks: 3, restarts: 2, maxIterations: 12, tolerance: 0 };
type Fit = (engine: Engine, X: Matrix, given: { weights?: Matrix }) => Promise<{ A: Matrix[]; S: Matrix[]; relativeError: number }>;
const nmfWith =
  (options: Partial<NmfOptions>): Fit =>
  (engine, X, given) =>
    nmf(engine, X, { ...short, ...options, ...given });
const fits: [string, Fit][] = [
  ['mu', nmfWith({ solver: 'mu' })],
  ['hals', nmfWith({ solver: 'hals' })],
  ['anls', nmfWith({ solver: 'anls' })],
  ['the default solver', nmfWith({})],
  ['a start from singular vectors', nmfWith({ start: 'nndsvdar' })],
  [
    'a given S',
    nmfWith({
      restarts: 1,
      start: {
        S: matrix(
          3,
          M,
          new Float32Array(3 * M).map((_, at) => 1 + (at % 4)),
        ),
      },
    }),
  ],
  ['neural', (engine, X, given) => neuralNmf(engine, X, { ...short, ranks: [3, 2], startIterations: 4, ...given })],
  ['hierarchical', (engine, X, given) => hierarchicalNmf(engine, X, { ...short, ranks: [3, 2], ...given })],
  ['hierarchical, exact', (engine, X, given) => hierarchicalNmf(engine, X, { ...short, ranks: [3, 2], solver: 'anls', ...given })],
  ['ssnmf', (engine, X, given) => ssnmf(engine, X, { ...short, ...given })],
  ['ssnmf, divergence', (engine, X, given) => ssnmf(engine, X, { ...short, model: 2, ...given })],
];

test.each(fits)('%s: NaN and anything under a weight of 0 give the same bits', async (_, factorize) => {
  const engine = await device();
  const known = ({ A, S, relativeError }: Awaited<ReturnType<Fit>>) => ({ A, S, relativeError });
  const expected = known(await factorize(engine, under(0), { weights: present }));
  for (const value of [999, 1e30, -7, Number.POSITIVE_INFINITY, Number.NaN])
    expect(known(await factorize(engine, under(value), { weights: present }))).toEqual(expected);
  expect(known(await factorize(engine, withNaN, {}))).toEqual(expected);
});

test('the device makes the mask: the host writes W where weights are other than 0 and 1 alone', async () => {
  const engine = createReferenceEngine();
  const written: string[] = [];
  const watched: Engine = {
    ...engine,
    async prepare(program) {
      const run = await engine.prepare(program);
      const write: typeof run.write = (tensor, entries) => {
        written.push(tensor.name);
        run.write(tensor, entries);
      };
      return { ...run, write };
    },
  };
  const halves = { ...present, data: present.data.map((w) => w / 2 + 0.25) };
  for (const [name, factorize] of fits) {
    if (name.startsWith('ssnmf')) continue; // takes zeros and ones alone
    for (const weights of [undefined, present, halves]) {
      written.length = 0;
      await factorize(watched, weights ? X : withNaN, weights ? { weights } : {});
      expect(written.includes('X'), name).toBe(true);
      expect(written.includes('W'), name).toBe(weights === halves);
    }
  }
});

test('−0 is a value: only NaN and weights make a value missing', async () => {
  const engine = await device();
  const zeros = (zero: number) => ({ ...withNaN, data: withNaN.data.map((x, at) => (at % 4 === 1 && present.data[at] > 0 ? zero : x)) });
  for (const [name, factorize] of fits) {
    const [one, other] = [await factorize(engine, zeros(-0), {}), await factorize(engine, zeros(0), {})];
    expect([one.A, one.S, one.relativeError], name).toEqual([other.A, other.S, other.relativeError]);
  }
  // Signed data, an entry of which is so small that it is −0 in the unit of the fit.
  const signed = matrix(3, 2, [1e20, -1e-25, 2, Number.NaN, -3, 4]);
  const A = matrix(3, 1, [1, 2, 3]);
  const plain = matrix(3, 2, [1e20, 0, 2, Number.NaN, -3, 4]);
  expect((await nnls(engine, signed, A)).S).toEqual((await nnls(engine, plain, A)).S);
});

test('weights beside NaN keep their values elsewhere', async () => {
  const given = matrix(
    N,
    M,
    X.data.map((_, at) => 1 + (at % 3)),
  );
  const both = { ...given, data: given.data.map((w, at) => w * present.data[at]) };
  const engine = createReferenceEngine();
  const options: NmfOptions = { ...short, solver: 'hals' };
  const [one, other] = [await nmf(engine, withNaN, { ...options, weights: given }), await nmf(engine, X, { ...options, weights: both })];
  expect([one.A, one.S]).toEqual([other.A, other.S]);
  expect(given.data.every((w) => w > 0)).toBe(true);
  expect(withNaN.data.some(Number.isNaN)).toBe(true);
});

test('starts have the scale of the values that are there', () => {
  const { X: seen, weights } = seenOf(withNaN);
  const there = X.data.filter((_, at) => present.data[at] > 0);
  expect(mean(seen, weights)).toBeCloseTo(there.reduce((sum, x) => sum + x, 0) / there.length, 12);
});

test('a value that is missing is not a 0: checkpoints tell them apart', () => {
  const fingerprint = (x: number) =>
    problemOf(nmfMethod, matrix(2, 2, [1, 1, x, 1]), { ranks: 1 }, { maxIterations: 1, tolerance: 0 }).fingerprint;
  expect(fingerprint(Number.NaN)).not.toBe(fingerprint(0));
});

// An exact factorization of rank 5 has 5·(N + M − 5) free numbers, here a fifth of the entries that are seen: it is the only one of rank 5 that
// fits them. What is left is the end of the iteration.
test.each([
  [90, 70, 2],
  [77, 83, 5],
])('of a %i×%i matrix of rank 5 two entries of five are found from the others (seed %i)', async (rows, cols, seed) => {
  const whole = randomLowRank(rows, cols, 5, { seed });
  const { uniform } = random(seed + 100);
  const holes = matrix(
    rows,
    cols,
    whole.data.map((x) => (uniform() < 0.4 ? Number.NaN : x)),
  );
  const { A, S } = await nmf(await device(), holes, { ranks: 5, solver: 'anls', tolerance: 1e-9, maxIterations: 1500 });
  const found = multiply(A[0], S[0]);
  const missing = Array.from(holes.data.keys()).filter((at) => Number.isNaN(holes.data[at]));
  const root = Math.sqrt(missing.reduce((sum, at) => sum + whole.data[at] ** 2, 0) / missing.length);
  for (const at of missing) expect(Math.abs(found.data[at] - whole.data[at])).toBeLessThan(1e-3 * root);
});

describe('is refused', () => {
  const reference = createReferenceEngine();
  const nan = Number.NaN;
  const attempt = (X: Matrix, weights?: Matrix) => nmf(reference, X, { ranks: 1, ...(weights && { weights }) });
  const cases: Record<string, [() => Promise<unknown>, RegExp, object]> = {
    'a row of NaN': [
      () => attempt(matrix(2, 2, [1, 1, nan, nan])),
      /no value in all of row 1 .*every entry of it is NaN; leave it out/,
      { row: 1 },
    ],
    'a column of NaN': [() => attempt(matrix(2, 2, [1, nan, 1, nan])), /no value in all of column 1/, { column: 1 }],
    'a row that weights and NaN hide together': [
      () => attempt(matrix(2, 2, [nan, 1, 1, 1]), matrix(2, 2, [1, 0, 1, 1])),
      /row 0 .*NaN or has weight 0/,
      { row: 0 },
    ],
    'a new sample of NaN': [() => nnls(reference, matrix(2, 2, [1, nan, 1, nan]), matrix(2, 1, [1, 1])), /all of column 1/, { column: 1 }],
    'NaN that a sparse X stores': [
      () => nmf(reference, sparseFromDense(matrix(2, 2, [1, 1, nan, 1])), { ranks: 1 }),
      /NaN in row 1, column 0 .*dense/,
      { row: 1, column: 0 },
    ],
    'nothing but zeros that can be seen': [() => attempt(matrix(2, 2, [0, nan, nan, 0])), /nothing to factorize/, {}],
    'an entry that can be seen and is negative': [
      () => attempt(matrix(2, 2, [1, nan, 1, -1])),
      /entry -1 in row 1, column 1/,
      { row: 1, column: 1 },
    ],
  };

  test.each(Object.entries(cases))('%s', async (_, [refused, message, place]) => {
    const error = (await refused().catch((caught: unknown) => caught)) as InputError;
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    expect(error).toMatchObject(place);
  });

  const others = (Object.keys(methods) as Method[]).filter((name) => !methodsWith('weights').includes(name));
  test.each(others)('NaN by %s, with the methods that take it', async (name) => {
    await expect(methods[name].fit(reference, withNaN, { ranks: [3] } as never)).rejects.toThrow(
      new RegExp(`NaN in row .*${name} needs all of them; nmf, ssnmf, hierarchical and neural leave them out`),
    );
  });
});

test('the methods that a message names are those with weights', () => {
  expect([...withMissing]).toEqual(methodsWith('weights'));
});
