import { describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { guideColumns } from '../../src/methods/guide.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();

/** 12 rows in four blocks of three, 40 columns of one block each, and noise. */
function blocks(seed: number): Matrix {
  const r = random(seed);
  const data = Float32Array.from({ length: 12 * 40 }, (_, at) => {
    const [i, m] = [Math.floor(at / 40), at % 40];
    return (Math.floor(i / 3) === m % 4 ? 1 + r.uniform() : 0) + 0.05 * r.uniform();
  });
  return matrix(12, 40, data);
}

/** Columns with a 1 in one row each. */
const rows = (...of: number[]) =>
  matrix(
    12,
    of.length,
    Array.from({ length: 12 * of.length }, (_, at) => (of[at % of.length] === Math.floor(at / of.length) ? 1 : 0)),
  );

const column = ({ rows: N, cols, data }: Matrix, j: number) => Array.from({ length: N }, (_, i) => data[i * cols + j]);
const blockOf = (A: Matrix, j: number) => Math.floor(column(A, j).indexOf(Math.max(...column(A, j))) / 3);

const fromRandom = (X: Matrix, more: object) =>
  neuralNmf(engine, X, { ranks: [4, 2], restarts: 1, maxIterations: 60, start: 'random', ...more });

const fits = {
  'nmf anls': (X: Matrix, more: object) => nmf(engine, X, { ranks: 4, ...more }),
  'nmf hals': (X: Matrix, more: object) => nmf(engine, X, { ranks: 4, solver: 'hals', ...more }),
  'nmf mu': (X: Matrix, more: object) => nmf(engine, X, { ranks: 4, solver: 'mu', ...more }),
  neural: (X: Matrix, more: object) => neuralNmf(engine, X, { ranks: [4, 2], restarts: 1, maxIterations: 60, ...more }),
};

describe.each(Object.entries(fits))('a guide of %s', (_, factorize) => {
  test.each([0, 1, 2])('puts the guided blocks into the first columns, seed %i', async (seed) => {
    // One row of the third block, then one of the first: the rest of each block follows.
    const { A } = await factorize(blocks(seed), { seed, guide: { columns: rows(7, 1) }, svdBound: false });
    expect([blockOf(A[0], 0), blockOf(A[0], 1)]).toEqual([2, 0]);
    const first = column(A[0], 0);
    for (const i of [6, 7, 8]) expect(first[i]).toBeGreaterThan(0.3 * Math.max(...first));
  });
});

describe.each([
  ['nmf mu', fits['nmf mu']],
  ['neural', fits.neural],
  ['neural from a random start', fromRandom],
  [
    'neural with Adam',
    (X: Matrix, more: object) => neuralNmf(engine, X, { ranks: [4, 2], restarts: 1, maxIterations: 60, optimiser: 'adam', ...more }),
  ],
] as const)('only the guide: %s', (_, factorize) => {
  test('keeps its zeros, and its other entries', async () => {
    const { A } = await factorize(blocks(3), { restarts: 2, guide: { columns: rows(7, 1), only: true }, svdBound: false });
    const kept = [0, 1].map((j) => column(A[0], j).flatMap((entry, i) => (entry > 0 ? [i] : [])));
    expect(kept).toEqual([[7], [1]]);
    // The other columns are free.
    expect(column(A[0], 2).filter((entry) => entry > 0).length).toBeGreaterThan(3);
  });
});

test('the objective of a fit that is held never rises', async () => {
  const { history } = await neuralNmf(engine, blocks(4), {
    ranks: [4, 2],
    restarts: 1,
    guide: { columns: rows(7), only: true },
    tolerance: 0,
    maxIterations: 100,
  });
  const errors = history.filter(({ stage }) => stage === 'all layers').map(({ relativeError }) => relativeError);
  expect(errors.length).toBeGreaterThan(5);
  errors.slice(1).forEach((error, i) => {
    expect(error).toBeLessThanOrEqual(errors[i] * (1 + 1e-12));
  });
});

test('the columns of a start: the guide with the norm of a random column, and a little of everything else', () => {
  const entries = new Float32Array([1, 1, 1, 1, 1, 1, 1, 1]); // 4×2
  guideColumns(entries, 2, { columns: matrix(4, 1, [0, 3, 4, 0]) }, 2);
  // (0, 3, 4, 0) / 5 · 2 · √4
  expect([...entries]).toEqual([0.01, 1, 2.4, 1, 3.2, 1, 0.01, 1].map(Math.fround));
  const held = new Float32Array([1, 1, 1, 1]); // two restarts of 2×1
  guideColumns(held, 1, { columns: matrix(2, 1, [0, 7]), only: true }, 1);
  expect([...held]).toEqual([0, Math.SQRT2, 0, Math.SQRT2].map(Math.fround));
});

test('a sparse X gives what the dense one gives', async () => {
  const X = blocks(5);
  const options = { ranks: 4, solver: 'mu', maxIterations: 20, guide: { columns: rows(7, 1) }, svdBound: false } as const;
  const [dense, sparse] = [await nmf(engine, X, options), await nmf(engine, sparseFromDense(X), options)];
  expect(sparse.relativeError).toBeCloseTo(dense.relativeError, 5);
});

test('bad guides are named', async () => {
  const X = randomLowRank(12, 9, 3, { seed: 1 });
  const refuse = async (guide: unknown, message: RegExp, more = {}) => {
    for (const factorize of [fits['nmf mu'], fits.neural]) {
      await expect(factorize(X, { guide, ...more })).rejects.toThrow(message);
      await expect(factorize(X, { guide, ...more })).rejects.toThrow(InputError);
    }
  };
  await refuse(rows(1), /guide has no option 'rows'/);
  await refuse({ columns: rows(1, 2, 3, 4, 5) }, /guide.columns has 5 columns for a first layer of 4/);
  await refuse({ columns: matrix(3, 1, [1, 1, 1]) }, /guide.columns has 3 rows, but X has 12/);
  await refuse({ columns: rows(99) }, /guide.columns is zero in all of column 0/);
  await refuse({ columns: matrix(12, 1, new Float32Array(12).fill(-1)) }, /guide.columns has the entry -1/);
  await refuse({ columns: rows(1), only: 'yes' }, /guide.only must be true or false/);
  await refuse({}, /guide.columns must be a dense matrix/);
  await expect(nmf(engine, X, { ranks: 4, guide: { columns: rows(1), only: true } })).rejects.toThrow(/guide.only is for the solver 'mu'/);
});
