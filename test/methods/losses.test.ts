/** Losses and penalties of nmf: scikit-learn's numbers, f64 loops, monotone objectives, and data and options that are refused. */
import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type DataMatrix, sparseFromDense, sparseFromEntries } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { type NmfFactorization, type NmfOptions, nmf } from '../../src/methods/nmf.js';
import { transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const read = async (name: string) => JSON.parse(await readFile(new URL(name, import.meta.url), 'utf8'));
const golden = await read('./sklearn-losses.json');
const dense = await read('./sklearn-nmf.json');
const engine = createReferenceEngine();
let onDevice: Promise<Engine> | undefined;
const device = () => {
  onDevice ??= createEngine();
  return onDevice;
};
afterAll(async () => (await onDevice)?.dispose());

type Golden = [
  given: 'dense' | 'sparse',
  solver: 'mu' | 'cd',
  beta: number,
  iterations: number,
  alpha: number,
  l1Ratio: number,
  divergence: number,
  relativeError: number,
];

/** V, W0 and H0 of a case. */
function caseOf(given: Golden[0]): { X: DataMatrix; start: { A: Matrix; S: Matrix } } {
  const { rows, cols, k, V, W0, H0 } = given === 'dense' ? dense : golden.sparse;
  const X = given === 'dense' ? matrix(rows, cols, V) : sparseFromEntries(rows, cols, V);
  return { X, start: { A: matrix(rows, k, W0), S: matrix(k, cols, H0) } };
}

/** The first iterations on the reference, where nothing has had time to differ; the two hundredth on the device. */
describe('scikit-learn from the same start', () => {
  test.each(golden.results as Golden[])('%s, %s, β = %f, %i iterations, alpha %f', async (...one) => {
    const [given, solver, beta, iterations, alpha, l1Ratio, divergence, relativeError] = one;
    const { X, start } = caseOf(given);
    const [l1, l2] = [alpha * l1Ratio, alpha * (1 - l1Ratio)];
    const fit = await nmf(iterations === 1 || alpha > 0 ? engine : await device(), X, {
      solver: solver === 'cd' ? 'hals' : 'mu',
      loss: beta,
      start,
      maxIterations: iterations,
      tolerance: 0,
      svdBound: false,
      l1A: l1,
      l1S: l1,
      l2A: l2,
      l2S: l2,
    });
    const close = iterations === 1 ? 1e-6 : 1e-3; // the start and X are rounded to f32
    if (beta !== 2 || alpha > 0) expect(Math.abs(fit.divergence! / divergence - 1)).toBeLessThan(close);
    expect(Math.abs(fit.relativeError / relativeError - 1)).toBeLessThan(close);
  });
});

const [N, M, k] = [9, 12, 3];

/** A positive X, and one of counts with zeros. */
function dataOf(seed: number, counts = false): Matrix {
  const r = random(seed);
  return matrix(
    N,
    M,
    Float32Array.from({ length: N * M }, () => (counts ? r.integer(4) : 0.2 + 3 * r.uniform())),
  );
}

function startOf(seed: number, cols = M): { A: Matrix; S: Matrix } {
  const r = random(seed);
  const entries = (count: number) => Float32Array.from({ length: count }, () => 0.1 + r.uniform());
  return { A: matrix(N, k, entries(N * k)), S: matrix(k, cols, entries(k * cols)) };
}

/** Columns `which` of F. */
function columns(F: Matrix, which: readonly number[]): Matrix {
  const data = Float32Array.from({ length: F.rows * which.length }, (_, at) => {
    return F.data[Math.floor(at / which.length) * F.cols + which[at % which.length]];
  });
  return matrix(F.rows, which.length, data);
}

const fixed = { tolerance: 0, maxIterations: 20, svdBound: false } as const;

/** The objective in f64 by the definition alone. */
function objectiveOf(X: Matrix, { A: [A], S: [S] }: Pick<NmfFactorization, 'A' | 'S'>, options: NmfOptions): number {
  const named: Record<string, number> = { frobenius: 2, 'kullback-leibler': 1, 'itakura-saito': 0 };
  const beta = typeof options.loss === 'number' ? options.loss : named[options.loss ?? 'frobenius'];
  let total = 0;
  X.data.forEach((x, at) => {
    const [i, j] = [Math.floor(at / X.cols), at % X.cols];
    const v = Array.from({ length: A.cols }, (_, t) => A.data[i * A.cols + t] * S.data[t * X.cols + j]).reduce((sum, one) => sum + one, 0);
    const w2 = options.weights ? options.weights.data[at] ** 2 : 1;
    if (w2 === 0) return;
    if (beta === 0) total += w2 * (x / v - Math.log(x / v) - 1);
    else if (beta === 1) total += w2 * ((x > 0 ? x * Math.log(x / v) : 0) - x + v);
    else total += (w2 * (x ** beta + (beta - 1) * v ** beta - beta * x * v ** (beta - 1))) / (beta * (beta - 1));
  });
  const sum = (F: Matrix, power: number) => F.data.reduce((all, f) => all + f ** power, 0);
  const { l1A = 0, l1S = 0, l2A = 0, l2S = 0, orthogonalA = 0 } = options;
  for (let t = 0; t < A.cols; t++)
    for (let u = 0; u < t; u++)
      for (let i = 0; i < A.rows; i++) total += X.cols * orthogonalA * A.data[i * A.cols + t] * A.data[i * A.cols + u];
  return total + X.cols * (l1A * sum(A, 1) + (l2A / 2) * sum(A, 2)) + X.rows * (l1S * sum(S, 1) + (l2S / 2) * sum(S, 2));
}

const penalties = { l1A: 0.02, l1S: 0.01, l2A: 0.005, l2S: 0.03 };

const apart = { orthogonalA: 0.05, l2S: 0.02 };

const solved: { name: string; options: NmfOptions; weighted?: boolean }[] = [
  ...[-1, 0, 0.5, 1, 1.5, 2.5, 3].map((loss) => ({ name: `β = ${loss}`, options: { loss } })),
  ...[0, 1, 2].map((loss) => ({ name: `β = ${loss}, L1`, options: { loss, l1A: 0.02, l1S: 0.01 } })),
  ...[0.5, 1].map((loss) => ({ name: `β = ${loss}, weights`, options: { loss }, weighted: true })),
  ...(['mu', 'hals', 'anls'] as const).flatMap((solver) => [
    { name: `${solver}, L1 and L2`, options: { solver, ...penalties } },
    ...(solver === 'anls' ? [] : [{ name: `${solver}, orthogonal columns`, options: { solver, ...apart } }]),
    { name: `${solver}, L1 and L2, weights`, options: { solver, ...penalties }, weighted: true },
  ]),
];

describe.each(solved)('$name', ({ options: own, weighted }) => {
  const X = dataOf(3);
  const r = random(8);
  const weights =
    weighted &&
    matrix(
      N,
      M,
      Float32Array.from({ length: N * M }, () => (r.uniform() < 0.2 ? 0 : 0.5 + r.uniform())),
    );
  const options: NmfOptions = { ...own, ...(weights && { weights }), start: startOf(4), ...fixed };

  test('the objective is that of its formula, and never rises', async () => {
    let before = Number.POSITIVE_INFINITY;
    for (const maxIterations of [1, 2, 3, 5, 10, 40]) {
      const fit = await nmf(engine, X, { ...options, maxIterations });
      const stated = fit.objective ?? (await objectiveOf(X, fit, options));
      // Factors of the result are rounded to f32.
      expect(Math.abs(stated / objectiveOf(X, fit, options) - 1)).toBeLessThan(1e-5);
      expect(stated).toBeLessThanOrEqual(before * (1 + 1e-6));
      before = stated;
    }
  });

  test('the device comes to the same', async () => {
    const [expected, actual] = await Promise.all([nmf(engine, X, options), device().then((one) => nmf(one, X, options))]);
    expect(Math.abs(actual.objective! / expected.objective! - 1)).toBeLessThan(1e-4);
    expect(Math.abs(actual.relativeError / expected.relativeError - 1)).toBeLessThan(1e-3);
  });

  test('a sample that comes twice counts as one with a weight of √2', async () => {
    const twice = [...Array(M).keys(), 2, 5];
    const { A, S } = startOf(4);
    const solver = own.solver ?? 'mu';
    const given = { ...options, solver, start: { A, S: columns(S, twice) }, ...(weights && { weights: columns(weights, twice) }) };
    // Penalties of A count samples, and those of S are not weighted.
    const more = 1 + 2 / M;
    const counted = {
      l1A: (own.l1A ?? 0) * more,
      l2A: (own.l2A ?? 0) * more,
      l1S: 0,
      l2S: own.orthogonalA ? 1e-9 : 0,
      orthogonalA: (own.orthogonalA ?? 0) * more,
    };
    const doubled = await nmf(engine, columns(X, twice), { ...given, l1S: 0, l2S: counted.l2S });
    const heavy = matrix(
      N,
      M,
      Float32Array.from({ length: N * M }, (_, at) => (weights ? weights.data[at] : 1) * ([2, 5].includes(at % M) ? Math.SQRT2 : 1)),
    );
    const weightedFit = await nmf(engine, X, { ...options, solver, ...counted, weights: heavy });
    const [a, b] = [doubled.A[0].data, weightedFit.A[0].data];
    const most = Math.max(...a);
    a.forEach((value, at) => {
      expect(Math.abs(value - b[at])).toBeLessThan(1e-4 * most);
    });
  });
});

test.each(['mu', 'hals', 'anls'] as const)('%s with penalties ends where the conditions of a minimum hold', async (solver) => {
  const fit = await nmf(engine, dataOf(3), {
    ...penalties,
    solver,
    ranks: k,
    tolerance: 0,
    maxIterations: solver === 'mu' ? 20_000 : 2000,
  });
  expect(fit.kktResidual).toBeLessThan(1e-4);
});

test.each([
  ['hals', 'reference'],
  ['anls', 'reference'],
  ['hals', 'device'],
  ['anls', 'device'],
] as const)('%s, %s: a component that a penalty drives out stays 0, and the others go on', async (solver, on) => {
  const fit = await nmf(on === 'device' ? await device() : engine, dataOf(3), {
    l1A: 0.4,
    l1S: 0.4,
    solver,
    ranks: 5,
    tolerance: 0,
    maxIterations: 300,
  });
  const [A] = fit.A;
  const used = [0, 1, 2, 3, 4].filter((t) => Array.from({ length: N }, (_, i) => A.data[i * 5 + t]).some((a) => a > 0));
  expect(used.length).toBeGreaterThan(0);
  expect(used.length).toBeLessThan(5);
});

test.each(['mu', 'hals'] as const)('%s: columns of A share less and less the more it costs', async (solver) => {
  const shared = [];
  for (const orthogonalA of [0, 0.1, 3]) {
    const fit = await nmf(engine, dataOf(3), { solver, l2S: 0.1, orthogonalA, start: startOf(4), ...fixed, maxIterations: 1000 });
    const [A] = fit.A;
    const product = (t: number, u: number) =>
      Array.from({ length: N }, (_, i) => A.data[i * k + t] * A.data[i * k + u]).reduce((a, b) => a + b);
    // A column that went shares nothing.
    const cosines = [0, 1, 2].map((t) => product(t, (t + 1) % 3) / Math.sqrt(product(t, t) * product((t + 1) % 3, (t + 1) % 3)) || 0);
    shared.push(Math.max(...cosines));
  }
  expect(shared[1]).toBeLessThan(shared[0]);
  expect(shared[2]).toBeLessThan(0.01);
});

test('the penalties do not depend on the number of samples or features', async () => {
  const X = dataOf(3);
  const { A, S } = startOf(4);
  const twice = [...Array(M).keys(), ...Array(M).keys()];
  for (const loss of [0.5, 1, 2]) {
    // Each sample keeps its own S, whose penalty is a sum over samples.
    const options = { loss, solver: 'mu', ...penalties, ...fixed } as const;
    const once = await nmf(engine, X, { ...options, start: { A, S } });
    const both = await nmf(engine, columns(X, twice), { ...options, start: { A, S: columns(S, twice) } });
    expect(Math.abs(both.objective! / once.objective! / 2 - 1)).toBeLessThan(1e-5);
  }
});

test('the unit of X is no matter but for the penalties, whose weights have a unit', async () => {
  const X = dataOf(3);
  const larger = matrix(
    N,
    M,
    X.data.map((x) => 1000 * x),
  );
  for (const loss of [0, 1, 2, 3]) {
    const { A, S } = startOf(4);
    const scaled = {
      A,
      S: matrix(
        k,
        M,
        S.data.map((s) => 1000 * s),
      ),
    }; // prettier-ignore
    const options = { loss, solver: 'mu', ...fixed } as const;
    const fit = await nmf(engine, X, { ...options, ...penalties, start: { A, S } });
    const unit = 1000 ** loss;
    const given = {
      l1A: penalties.l1A * unit,
      l2A: penalties.l2A * unit,
      l1S: (penalties.l1S * unit) / 1e3,
      l2S: (penalties.l2S * unit) / 1e6,
    };
    const other = await nmf(engine, larger, { ...options, ...given, start: scaled });
    expect(Math.abs(other.objective! / fit.objective! / unit - 1)).toBeLessThan(1e-4);
  }
});

describe('Kullback–Leibler of a sparse X', () => {
  const X = dataOf(5, true);

  test.each(['reference', 'device'])('goes by stored entries to what all entries give, on the %s', async (where) => {
    const on = where === 'device' ? await device() : engine;
    const options: NmfOptions = { loss: 'kullback-leibler', start: startOf(4), l1S: 0.01, l2A: 0.02, ...fixed };
    const [whole, thin] = [await nmf(engine, X, options), await nmf(on, sparseFromDense(X), options)];
    expect(Math.abs(thin.objective! / whole.objective! - 1)).toBeLessThan(1e-5);
    expect(Math.abs(thin.divergence! / whole.divergence! - 1)).toBeLessThan(1e-5);
    expect(Math.abs(thin.kktResidual / whole.kktResidual - 1)).toBeLessThan(1e-3);
    whole.A[0].data.forEach((a, at) => {
      expect(Math.abs(thin.A[0].data[at] - a)).toBeLessThan(1e-4);
    });
  });

  test('the rows and columns of AS have the sums of X', async () => {
    const fit = await nmf(engine, sparseFromDense(X), {
      loss: 'kullback-leibler',
      ranks: k,
      tolerance: 0,
      maxIterations: 200,
      svdBound: false,
    });
    // Each update of S gives its columns the right sums, at once.
    for (let j = 0; j < M; j++) {
      const sum = (F: Matrix, of: (i: number) => number) =>
        Array.from({ length: F.rows }, (_, i) => F.data[of(i)]).reduce((a, b) => a + b, 0);
      let ofProduct = 0;
      for (let t = 0; t < k; t++) ofProduct += sum(fit.A[0], (i) => i * k + t) * fit.S[0].data[t * M + j];
      expect(Math.abs(ofProduct - sum(X, (i) => i * M + j))).toBeLessThan(1e-4);
    }
  });
});

describe('transform has the loss and the penalties of the fit', () => {
  const X = dataOf(3);
  test.each<NmfOptions>([
    { loss: 'kullback-leibler' },
    { loss: 'kullback-leibler', l1S: 0.05, l2S: 0.02 },
    { loss: 1.5 },
    { l1S: 0.05 },
    { l1S: 0.05, l2S: 0.02 },
    { solver: 'hals', l2S: 0.3 },
  ])('%j', async (options) => {
    const fit = await nmf(engine, X, { ...options, ranks: k, maxIterations: 50, svdBound: false });
    for (const newX of options.loss === 1.5 ? [X] : [X, sparseFromDense(X)]) {
      const S = await transform(engine, fit, newX, { tolerance: 1e-9 });
      const at = objectiveOf(X, { A: fit.A, S }, options);
      expect(at).toBeLessThanOrEqual(objectiveOf(X, fit, options) * (1 + 1e-6));
      // A minimum of a convex function: no step of an entry helps.
      const r = random(6);
      for (let step = 0; step < 40; step++) {
        const moved = matrix(k, M, S[0].data.slice());
        const entry = r.integer(k * M);
        moved.data[entry] = Math.max(0, moved.data[entry] * (1 + 0.05 * r.normal()) + 0.01 * r.normal());
        expect(objectiveOf(X, { A: fit.A, S: [moved] }, options)).toBeGreaterThan(at * (1 - 1e-6));
      }
    }
  });
});

describe('what cannot be is refused by the names of options and values', () => {
  const X = dataOf(3);
  const counts = dataOf(5, true);
  test.each<[string, DataMatrix, NmfOptions, RegExp]>([
    [
      'another solver',
      X,
      { loss: 'kullback-leibler', solver: 'hals' },
      /^loss 'kullback-leibler' goes with .* solver is 'hals'; leave out solver/,
    ],
    [
      'zeros and Itakura–Saito',
      counts,
      { loss: 'itakura-saito' },
      /^The loss 'itakura-saito' is infinite where X is 0, as in row 0, column/,
    ],
    ['zeros and β < 0', counts, { loss: -0.5 }, /^The loss -0.5 is infinite where X is 0/],
    ['a sparse X and β < 0', sparseFromDense(counts), { loss: -0.5 }, /^The loss -0.5, which is infinite where X is 0, needs a dense/],
    [
      'a sparse X and Itakura–Saito',
      sparseFromDense(counts),
      { loss: 0 },
      /^The loss 'itakura-saito', which is infinite where X is 0, needs a dense .* choose a β above 0/,
    ],
    ['negative entries', matrix(1, 2, [1, -2]), { loss: 1 }, /negative|-2/],
    [
      'a β out of range',
      X,
      { loss: 4 },
      /^loss must be 'frobenius', 'kullback-leibler' or 'itakura-saito', or a number from -1 to 3, not 4/,
    ],
    ['orthogonal columns and exact solves', X, { orthogonalA: 1, l2S: 1, solver: 'anls' }, /^orthogonalA makes .* solver 'anls'/],
    ['orthogonal columns of any scale', X, { orthogonalA: 0.5 }, /^orthogonalA 0.5 does nothing without l1S, l2S or simplex/],
    ['a negative penalty', X, { l1S: -1 }, /^l1S .*-1/],
  ])('%s', async (_name, given, options, message) => {
    await expect(nmf(engine, given, { ranks: 1, ...options })).rejects.toThrow(message);
  });

  test('a zero that is hidden is none', async () => {
    const weights = matrix(
      N,
      M,
      counts.data.map((x) => (x > 0 ? 1 : 0)),
    );
    const fit = await nmf(engine, counts, { loss: 'itakura-saito', weights, ranks: 2, maxIterations: 20 });
    expect(fit.divergence).toBeGreaterThan(0);
    // What stands under a mask has no influence.
    const hidden = matrix(
      N,
      M,
      counts.data.map((x) => (x > 0 ? x : 999)),
    );
    expect((await nmf(engine, hidden, { loss: 'itakura-saito', weights, ranks: 2, maxIterations: 20 })).A).toEqual(fit.A);
  });
});

/** Counts of three kinds, two of three of them 0. */
const sparseCounts = (() => {
  const { uniform } = random(31);
  const data = Float32Array.from({ length: 23 * 19 }, (_, at) => (uniform() < 0.6 ? 0 : 1 + Math.floor(4 * uniform()) + (at % 3)));
  return matrix(23, 19, data);
})();

describe.each([0.5, 1.5, 2.5, 3])('a sparse X and β = %f, whose zeros count and whose AS is never stored', (beta) => {
  const sparse = sparseFromDense(sparseCounts);
  const options: NmfOptions = { ranks: 3, restarts: 2, maxIterations: 15, tolerance: 0, loss: beta, l1S: 0.01, l2A: 0.02 };
  const far = (one: Float32Array, other: Float32Array) =>
    one.reduce((most, x, at) => Math.max(most, Math.abs(x - other[at])), 0) / other.reduce((most, x) => Math.max(most, x), 0);

  test.each([
    ['in f64', 1e-6, () => Promise.resolve(engine)],
    // Fifteen iterations of two updates, each by quotients of sums that carry the rounding of powers, 8 units of it, and of √terms.
    ['on the device', 30 * 8 * 2 ** -24 * Math.sqrt(3 * (23 + 19)), device],
  ] as const)('equals the dense fit, %s', async (_, rounding, engineOf) => {
    const on = await engineOf();
    const [one, other] = [await nmf(on, sparse, options), await nmf(on, sparseCounts, options)];
    expect(far(one.A[0].data, other.A[0].data)).toBeLessThan(rounding);
    expect(far(one.S[0].data, other.S[0].data)).toBeLessThan(rounding);
    for (const name of ['divergence', 'objective', 'relativeError'] as const)
      expect(Math.abs(one[name]! / other[name]! - 1)).toBeLessThan(rounding);
    expect(Math.abs(one.kktResidual - other.kktResidual)).toBeLessThan(10 * rounding);
    const [ofSparse, ofDense] = await Promise.all(
      [sparse, sparseCounts].map((X) => transform(on, other, X, { maxIterations: 30, tolerance: 0 })),
    );
    expect(far(ofSparse[0].data, ofDense[0].data)).toBeLessThan(rounding);
  });
});

test('hierarchicalNmf measures a sparse X by β = 1.5, too', async () => {
  const fitted = (X: DataMatrix) => hierarchicalNmf(engine, X, { ranks: [3, 2], loss: 1.5, maxIterations: 10, tolerance: 0 });
  const [one, other] = [await fitted(sparseFromDense(sparseCounts)), await fitted(sparseCounts)];
  expect(one.relativeError).toBeCloseTo(other.relativeError, 6);
  expect(one.divergence! / other.divergence!).toBeCloseTo(1, 5);
  expect(one.kktResidual).toBeCloseTo(other.kktResidual, 5);
});
