/** What a sparse X does not store is missing: the fit is that of the dense X with NaN there, which takes none of the same paths. */
import { afterAll, describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix, multiply } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type SparseMatrix, sparseFromEntries } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { type NmfOptions, nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { explainedVariance, heldOutError } from '../../src/methods/scores.js';
import { transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());
const device = () => (started ??= createEngine());
const reference = createReferenceEngine();

/** Of X the entries that `seen` has, sparse, and with NaN for the others. Every seventh of them is a stored 0. */
function seenTwice(X: Matrix, seen: (row: number, column: number) => boolean): { sparse: SparseMatrix; holes: Matrix } {
  const { rows, cols } = X;
  const places = Array.from(X.data.keys()).filter((at) => seen(Math.floor(at / cols), at % cols));
  const value = (at: number) => (at % 7 === 3 ? 0 : X.data[at]);
  const holes = matrix(rows, cols, new Float32Array(rows * cols).fill(Number.NaN));
  for (const at of places) holes.data[at] = value(at);
  const sparse = sparseFromEntries(rows, cols, {
    rowIndices: places.map((at) => Math.floor(at / cols)),
    columns: places.map((at) => at % cols),
    values: places.map(value),
  });
  return { sparse, holes };
}

/** Each place with the probability `density`, and one in every row and column. */
function scattered(density: number, seed: number) {
  const { uniform } = random(seed);
  return (row: number, column: number) => uniform() < density || row % 9 === column % 9;
}

const [N, M] = [37, 29];
const { sparse, holes } = seenTwice(randomLowRank(N, M, 3, { seed: 5, noise: 0.2 }), scattered(0.3, 6));

const far = (one: Float32Array, other: Float32Array) => {
  const size = other.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return one.reduce((most, x, at) => Math.max(most, Math.abs(x - other[at])), 0) / size;
};

/** The first column of A and the first row of S. */
const held: Partial<NmfOptions> = {
  fixedA: matrix(
    N,
    1,
    Float32Array.from({ length: N }, (_, i) => 0.2 + (i % 5) / 4),
  ),
  fixedS: matrix(
    1,
    M,
    Float32Array.from({ length: M }, (_, j) => 0.1 + (j % 3) / 2),
  ),
};

const options: Record<string, Partial<NmfOptions>> = {
  mu: { solver: 'mu' },
  hals: { solver: 'hals' },
  anls: { solver: 'anls' },
  'the default solver': {},
  'mu with penalties': { solver: 'mu', l1S: 0.01, l2A: 0.02 },
  'hals with penalties': { solver: 'hals', l1S: 0.01, l2S: 0.01, orthogonalA: 0.02 },
  'anls with penalties': { solver: 'anls', l1A: 0.01, l2S: 0.02 },
  'mu with components that are held': { solver: 'mu', ...held },
  'hals with components that are held': { solver: 'hals', ...held },
  'anls with components that are held': { solver: 'anls', ...held },
  'a start from singular vectors': { start: 'nndsvdar' },
  'a given S': {
    restarts: 1,
    start: {
      S: matrix(
        3,
        M,
        new Float32Array(3 * M).map((_, at) => 1 + (at % 4)),
      ),
    },
  },
};

describe.each(Object.entries(options))('%s', (_, own) => {
  const short: NmfOptions = { ranks: 3, restarts: 2, maxIterations: 12, tolerance: 0, ...own };

  test.each([
    ['in f64', 1e-6, () => Promise.resolve(reference)],
    // Twelve iterations, each of which takes sums of some fifteen products in f32 of other orders.
    ['on the device', 2e-4, device],
  ] as const)('equals the dense fit with NaN, %s', async (_, rounding, engineOf) => {
    const engine = await engineOf();
    const [one, other] = [await nmf(engine, sparse, { ...short, absent: 'missing' }), await nmf(engine, holes, short)];
    expect(far(one.A[0].data, other.A[0].data)).toBeLessThan(rounding);
    expect(far(one.S[0].data, other.S[0].data)).toBeLessThan(rounding);
    expect(Math.abs(one.relativeError / other.relativeError - 1)).toBeLessThan(rounding);
    expect(one.divergence === undefined).toBe(other.divergence === undefined);
    for (const name of ['divergence', 'objective'] as const)
      if (other[name] !== undefined) expect(Math.abs(one[name]! / other[name] - 1)).toBeLessThan(2 * rounding);
    expect(Math.abs(one.kktResidual - other.kktResidual)).toBeLessThan(10 * rounding * Math.max(other.kktResidual, 1e-2));
    expect([one.svdBound, one.svdBoundMethod]).toEqual([null, null]);
    expect(one.settings).toMatchObject({ absent: 'missing', solver: other.settings.solver });
  });
});

// A factorization of rank 3 has 3·(N + M − 3) free numbers, here a sixth of the entries that are stored: it is the only one of rank 3 that fits
// them. What is left is the end of the iteration.
test.each([
  ['anls', 60, 47, 2],
  ['hals', 53, 61, 3],
] as const)('%s finds a %i×%i matrix of rank 3 from two entries of five (seed %i)', async (solver, rows, cols, seed) => {
  const whole = randomLowRank(rows, cols, 3, { seed });
  const { uniform } = random(seed + 100);
  const kept = Array.from(whole.data.keys()).filter(() => uniform() < 0.4);
  const entriesAt = (places: readonly number[]) =>
    sparseFromEntries(rows, cols, {
      rowIndices: places.map((at) => Math.floor(at / cols)),
      columns: places.map((at) => at % cols),
      values: places.map((at) => whole.data[at]),
    });
  const X = entriesAt(kept);
  const model = await nmf(await device(), X, {
    ranks: 3,
    solver,
    absent: 'missing',
    tolerance: 1e-9,
    maxIterations: solver === 'anls' ? 800 : 3000,
    checkEvery: 50,
  });
  const kind = new Set(kept);
  const hidden = Array.from(whole.data.keys()).filter((at) => !kind.has(at));
  const found = multiply(model.A[0], model.S[0]);
  const root = Math.sqrt(hidden.reduce((sum, at) => sum + whole.data[at] ** 2, 0) / hidden.length);
  const errors = hidden.map((at) => Math.abs(found.data[at] - whole.data[at]));
  expect(Math.max(...errors)).toBeLessThan(2e-3 * root);
  // The scores by hand.
  const ofHidden = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / hidden.reduce((sum, at) => sum + whole.data[at] ** 2, 0));
  expect(Math.abs(heldOutError(entriesAt(hidden), model) - ofHidden)).toBeLessThan(1e-6);
  expect(explainedVariance(X, model, { absent: 'missing' })).toBeCloseTo(1 - model.relativeError ** 2, 6);
  // With zeros for what is hidden nothing like it is explained.
  expect(explainedVariance(X, model)).toBeLessThan(0.5);
});

describe('new samples with few ratings', () => {
  const features = randomLowRank(N, 4, 4, { seed: 8 });
  const { sparse: few, holes: fewHoles } = seenTwice(randomLowRank(N, 17, 3, { seed: 9 }), (row, column) => (row * 5 + column) % 9 < 1);

  test.each([
    ['in f64', () => Promise.resolve(reference)],
    ['on the device', device],
  ] as const)('have the coefficients of the same samples with NaN, %s', async (_, engineOf) => {
    const engine = await engineOf();
    const { S, support, kktResidual } = await nnls(engine, few, features, { absent: 'missing', l1: 0.01 });
    const expected = await nnls(engine, fewHoles, features, { l1: 0.01 });
    // Both are solved again in f64, from the same entries.
    expect(far(S.data, expected.S.data)).toBeLessThan(2 ** -23);
    expect(support).toEqual(expected.support);
    expect(kktResidual).toBeLessThan(1e-6);
    expect(far((await nnls(engine, few, features, { l1: 0.01 })).S.data, expected.S.data)).toBeGreaterThan(0.1);
  });

  test('by a model whose fit took what is absent for missing, and by others when they are told', async () => {
    for (const penalties of [{}, { l1S: 0.01, l2S: 0.02 }]) {
      const fitted = await nmf(reference, sparse, { ranks: 3, absent: 'missing', maxIterations: 20, ...penalties });
      const dense = await nmf(reference, holes, { ranks: 3, maxIterations: 20, ...penalties });
      expect(dense.settings.absent).toBe('zero');
      const [expected] = await transform(reference, fitted, fewHoles);
      expect(far((await transform(reference, fitted, few))[0].data, expected.data)).toBeLessThan(1e-6);
      expect((await transform(reference, dense, few, { absent: 'missing' }))[0].data).toEqual(
        (await transform(reference, { ...dense, A: dense.A }, fewHoles))[0].data,
      );
      const asZeros = (await transform(reference, fitted, few, { absent: 'zero' }))[0];
      expect(asZeros.data).toEqual((await transform(reference, { ...dense, A: fitted.A }, few))[0].data);
      expect(far(asZeros.data, expected.data)).toBeGreaterThan(0.05);
    }
  });
});

describe('is refused', () => {
  const ofRows = (rowIndices: number[], columns: number[], values = rowIndices.map(() => 1)) =>
    sparseFromEntries(3, 3, { rowIndices, columns, values });
  const attempt = (X: SparseMatrix | Matrix, more: object = {}) => nmf(reference, X, { ranks: 1, absent: 'missing', ...more });
  const full = ofRows([0, 1, 2], [0, 1, 2]);
  const cases: Record<string, [() => Promise<unknown>, RegExp, object]> = {
    'a row without entries': [() => attempt(ofRows([0, 0, 2], [0, 1, 2])), /no value in all of row 1 .*stores none/, { row: 1 }],
    'a column without entries': [() => attempt(ofRows([0, 1, 2], [0, 2, 2])), /no value in all of column 1/, { column: 1 }],
    'a new sample without entries': [
      () => nnls(reference, ofRows([0, 1], [0, 2]), matrix(3, 1, [1, 1, 1]), { absent: 'missing' }),
      /no value in all of column 1/,
      { column: 1 },
    ],
    'a dense X': [() => attempt(matrix(2, 2, [1, 1, 1, 1])), /X is dense; mark its missing values by NaN/, { option: 'absent' }],
    'another value': [() => attempt(full, { absent: 'unknown' }), /'zero' or 'missing'/, { option: 'absent' }],
    'another loss': [
      () => attempt(full, { loss: 'kullback-leibler' }),
      /'frobenius' alone, but loss is 'kullback-leibler'/,
      { option: 'absent' },
    ],
    'weights of a sparse X': [() => attempt(full, { weights: matrix(3, 3, new Float32Array(9).fill(1)) }), /sparse/, {}],
    'NaN that is stored': [() => attempt(ofRows([0, 1, 2], [0, 1, 2], [1, Number.NaN, 1])), /leave the entry out/, { row: 1, column: 1 }],
    'nothing but stored zeros': [() => attempt(ofRows([0, 1, 2], [0, 1, 2], [0, 0, 0])), /nothing to factorize/, {}],
  };

  test.each(Object.entries(cases))('%s', async (_, [refused, message, place]) => {
    const error = (await refused().catch((caught: unknown) => caught)) as InputError;
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    expect(error).toMatchObject(place);
  });
});

// X takes two numbers an entry by rows, and two by columns, and AS at the entries up to three; tails no more than the result. Beside them stand A, S and
// their products with X, and of 'hals' and 'anls' a row of k² products and a Gram matrix for each row and column.
test.each([
  ['mu', 3],
  ['hals', 8],
  ['anls', 8],
] as const)('%s takes memory by entries, and k² for each row and column at most', async (solver, k) => {
  const engine = (await device()) as Engine & { liveBytes: number };
  const [rows, cols, entries] = [20_011, 15_013, 200_003];
  const taken = async (csrEntries: number) => {
    const { program } = nmfProgram(rows, cols, k, { restarts: 1, solver, weighted: false, missing: true, csrEntries });
    const before = engine.liveBytes;
    using _run = await engine.prepare(program);
    return engine.liveBytes - before;
  };
  const [one, other] = [await taken(entries), await taken(2 * entries)];
  const each = solver === 'mu' ? k : k * k;
  // In numbers of four bytes; columns of both factors are padded to four.
  expect((other - one) / 4 / entries).toBeLessThan(8);
  expect(one / 4).toBeLessThan(8 * entries + 4 * (each + 4) * (rows + cols));
  expect(one / 4).toBeLessThan((rows * cols) / 50);
});
