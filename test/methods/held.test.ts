/** Fixed components of nmf: held to the last bit, the others at a minimum beside them, by f64 loops and brute force. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { type NmfOptions, nmf } from '../../src/methods/nmf.js';
import { transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();
let onDevice: Promise<Engine> | undefined;
const device = () => {
  onDevice ??= createEngine();
  return onDevice;
};
afterAll(async () => (await onDevice)?.dispose());

const [N, M, k] = [11, 13, 4];

function positive(rows: number, cols: number, seed: number, zeros = 0): Matrix {
  const { uniform } = random(seed);
  return matrix(
    rows,
    cols,
    Array.from({ length: rows * cols }, () => (uniform() < zeros ? 0 : 0.1 + uniform())),
  );
}

/** 3.7 A S with some noise: no power of two stands between its unit and that of the factors. */
function dataOf(A: Matrix, S: Matrix, seed: number): Matrix {
  const { uniform } = random(seed);
  return matrix(
    A.rows,
    S.cols,
    Array.from({ length: A.rows * S.cols }, (_, at) => {
      const [i, j] = [Math.floor(at / S.cols), at % S.cols];
      let v = 0.05 * uniform();
      for (let t = 0; t < A.cols; t++) v += 3.7 * A.data[i * A.cols + t] * S.data[t * S.cols + j];
      return v;
    }),
  );
}

const truth = { A: positive(N, k, 1, 0.3), S: positive(k, M, 2, 0.3) };
const X = dataOf(truth.A, truth.S, 3);
const weights = positive(N, M, 4, 0.2);

const firstColumns = ({ rows, cols, data }: Matrix, g: number) =>
  matrix(
    rows,
    g,
    Array.from({ length: rows * g }, (_, at) => data[Math.floor(at / g) * cols + (at % g)]),
  );
const firstRows = ({ cols, data }: Matrix, g: number) => matrix(g, cols, data.slice(0, g * cols));

const fixedA = firstColumns(truth.A, 2);
const fixedS = matrix(
  1,
  M,
  truth.S.data.slice(0, M).map((x) => 3.7 * x),
);

/** Loss and penalties in f64, by their definition. */
function objectiveOf({ A, S }: { A: Matrix; S: Matrix }, options: NmfOptions): number {
  const beta = { frobenius: 2, 'kullback-leibler': 1, 'itakura-saito': 0 }[(options.loss ?? 'frobenius') as string] ?? Number(options.loss);
  let total = 0;
  X.data.forEach((x, at) => {
    const [i, j] = [Math.floor(at / M), at % M];
    let v = 0;
    for (let t = 0; t < k; t++) v += A.data[i * k + t] * S.data[t * M + j];
    const w2 = options.weights ? options.weights.data[at] ** 2 : 1;
    const d = beta === 2 ? (x - v) ** 2 / 2 : beta === 1 ? x * Math.log(x / v) - x + v : x / v - Math.log(x / v) - 1;
    if (w2 > 0) total += w2 * d;
  });
  const sum = (F: Matrix, power: number) => F.data.reduce((all, f) => all + f ** power, 0);
  const { l1A = 0, l1S = 0, l2A = 0, l2S = 0 } = options;
  return total + M * (l1A * sum(A, 1) + (l2A / 2) * sum(A, 2)) + N * (l1S * sum(S, 1) + (l2S / 2) * sum(S, 2));
}

/**
 * The largest natural residual |min(h f, ∇)| of a free entry, relative to the largest ∂²: from central differences of the objective, which is
 * quadratic in one entry where the loss is.
 */
function stationarity(factors: { A: Matrix; S: Matrix }, options: NmfOptions, held: { A: number; S: number }): number {
  let worst = 0;
  for (const of of ['A', 'S'] as const) {
    const F = factors[of];
    const data = Float64Array.from(F.data);
    const at = (entry: number, by: number) => {
      const moved = data.slice();
      moved[entry] += by;
      return objectiveOf({ ...factors, [of]: { ...F, data: moved } } as unknown as { A: Matrix; S: Matrix }, options);
    };
    for (let entry = 0; entry < data.length; entry++) {
      const component = of === 'A' ? entry % k : Math.floor(entry / M);
      if (component < held[of]) continue;
      const h = 1e-3;
      const [less, here, more] = [at(entry, -h), at(entry, 0), at(entry, h)];
      const [gradient, curvature] = [(more - less) / (2 * h), (more - 2 * here + less) / h ** 2];
      worst = Math.max(worst, Math.abs(Math.min(data[entry], gradient / curvature)));
    }
  }
  return worst;
}

/** Those whose program has parts that the others do not have. */
const onDeviceToo = ({ solver, loss, fixedA, fixedS, weights, l1A }: NmfOptions) =>
  (fixedA && fixedS && (loss === 'kullback-leibler' || (solver !== undefined && (weights !== undefined) === (l1A !== undefined)))) || false;

const penalties = { l1A: 0.01, l1S: 0.02, l2A: 0.01, l2S: 0.02 };
const solvers = ['mu', 'hals', 'anls'] as const;
const cases: [string, NmfOptions][] = [
  ...solvers.flatMap((solver): [string, NmfOptions][] => [
    [`${solver}, columns of A`, { solver, fixedA }],
    [`${solver}, rows of S`, { solver, fixedS }],
    [`${solver}, both`, { solver, fixedA, fixedS }],
    [`${solver}, both, weights`, { solver, fixedA, fixedS, weights }],
    [`${solver}, both, penalties`, { solver, fixedA, fixedS, ...penalties }],
    [`${solver}, both, penalties and weights`, { solver, fixedA, fixedS, weights, ...penalties }],
    [`${solver}, all of A`, { solver, fixedA: truth.A }],
    [`${solver}, all of S`, { solver, fixedS: truth.S }],
  ]),
  ['Kullback & Leibler, both', { loss: 'kullback-leibler', fixedA, fixedS }],
  ['Itakura & Saito, both', { loss: 'itakura-saito', fixedA, fixedS }],
];

describe.each(cases)('%s', (_, own) => {
  const options = { ranks: k, restarts: 2, seed: 5, tolerance: 0, svdBound: false, ...own };
  const count = { A: own.fixedA?.cols ?? 0, S: own.fixedS?.rows ?? 0 };

  test('are held to the last bit, and the objective never rises', async () => {
    let before = Number.POSITIVE_INFINITY;
    for (const maxIterations of [1, 2, 5, 40]) {
      const fit = await nmf(engine, X, { ...options, maxIterations });
      if (own.fixedA) expect(firstColumns(fit.A[0], count.A).data).toEqual(own.fixedA.data);
      if (own.fixedS) expect(firstRows(fit.S[0], count.S).data).toEqual(own.fixedS.data);
      // Of a restart that goes on, since another may be the best one later.
      if (fit.restart !== 0) continue;
      const objective = objectiveOf({ A: fit.A[0], S: fit.S[0] }, options);
      expect(objective).toBeLessThanOrEqual(before * (1 + 1e-6));
      before = objective;
    }
  });

  test('the free entries end at a stationary point, and kktResidual says so', async () => {
    // Multiplicative updates come near slowly where entries go to 0. A residual that counted the held ones would not fall at all.
    const slow = own.loss !== undefined || own.solver === 'mu';
    const fitted = (maxIterations: number) => nmf(engine, X, { ...options, restarts: 1, maxIterations });
    const [early, late] = [await fitted(10), await fitted(slow ? 600 : 300)];
    expect(late.kktResidual).toBeLessThan(slow ? early.kktResidual / 3 : 1e-3);
    const [before, now] = [early, late].map(({ A, S }) => stationarity({ A: A[0], S: S[0] }, options, count));
    expect(now).toBeLessThan(slow ? before / 2 : 1e-3);
  });
});

test.each(cases.filter(([, own]) => onDeviceToo(own)))('%s: the device comes to the same', async (_, own) => {
  const options = { ranks: k, seed: 5, tolerance: 0, svdBound: false, maxIterations: 12, ...own };
  const [expected, actual] = await Promise.all([nmf(engine, X, options), device().then((one) => nmf(one, X, options))]);
  expect(firstColumns(actual.A[0], 2).data).toEqual(fixedA.data);
  expect(firstRows(actual.S[0], 1).data).toEqual(fixedS.data);
  expect(Math.abs(actual.relativeError - expected.relativeError)).toBeLessThan(1e-4 * expected.relativeError);
});

describe('fixed components', () => {
  const fits = (more: object) => nmf(engine, X, { ranks: k, maxIterations: 20, tolerance: 0, svdBound: false, ...more });

  test.each(solvers)('a sparse X is fitted as a dense one, %s', async (solver) => {
    const holes = { ...X, data: X.data.map((x, at) => (at % 3 === 0 ? 0 : x)) };
    for (const loss of solver === 'mu' ? (['frobenius', 'kullback-leibler'] as const) : (['frobenius'] as const)) {
      const options = { ranks: k, solver, loss, fixedA, fixedS, maxIterations: 30, tolerance: 0, svdBound: false };
      const [dense, sparse] = [await nmf(engine, holes, options), await nmf(engine, sparseFromDense(holes), options)];
      expect(Math.abs(sparse.relativeError / dense.relativeError - 1)).toBeLessThan(1e-5);
      expect(Math.abs(sparse.kktResidual - dense.kktResidual)).toBeLessThan(1e-4 + 1e-2 * dense.kktResidual);
      expect(firstColumns(sparse.A[0], 2).data).toEqual(fixedA.data);
      expect(firstRows(sparse.S[0], 1).data).toEqual(fixedS.data);
    }
  });

  test('what the held components explain, the others need not: signatures are found again', async () => {
    const fit = await fits({ fixedA: firstColumns(truth.A, 3), restarts: 2, maxIterations: 600 });
    // The noise of X has a norm of about 0.05 √(NM / 3).
    const size = Math.sqrt(X.data.reduce((sum, x) => sum + x * x, 0));
    expect(fit.relativeError * size).toBeLessThan(0.05 * Math.sqrt((N * M) / 3));
    const column = Array.from({ length: N }, (_, i) => fit.A[0].data[i * k + 3]);
    const wanted = Array.from({ length: N }, (_, i) => truth.A.data[i * k + 3]);
    const product = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    expect(product(column, wanted) / Math.sqrt(product(column, column) * product(wanted, wanted))).toBeGreaterThan(0.99);
  });

  test.each(solvers)('in another unit than the data, %s', async (solver) => {
    for (const unit of [2 ** 20, 1e-5]) {
      const far = matrix(
        N,
        2,
        fixedA.data.map((a) => a * unit),
      );
      const near = await fits({ solver, fixedA, maxIterations: 200 });
      for (const on of [engine, await device()]) {
        const options = { ranks: k, solver, fixedA: far, maxIterations: 200, tolerance: 0, svdBound: false };
        const other = await nmf(on, X, options);
        expect(firstColumns(other.A[0], 2).data).toEqual(far.data);
        expect(other.relativeError).toBeLessThan(near.relativeError * 1.05);
      }
    }
  });

  test('take the place of the first components of every start', async () => {
    const start = { A: positive(N, k, 8), S: positive(k, M, 9) };
    for (const given of ['nndsvd', 'nndsvdar', start, { A: start.A }, { S: start.S }])
      for (const solver of solvers) {
        const fit = await fits({ solver, start: given, fixedA, fixedS, maxIterations: 3 });
        expect(firstColumns(fit.A[0], 2).data).toEqual(fixedA.data);
        expect(firstRows(fit.S[0], 1).data).toEqual(fixedS.data);
      }
    const guided = await fits({ guide: { columns: fixedA }, fixedS });
    expect(firstRows(guided.S[0], 1).data).toEqual(fixedS.data);
  });

  test('new samples have no held coefficients', async () => {
    const fit = await fits({ fixedA, fixedS });
    const [S] = await transform(engine, fit, X);
    const plain = await transform(engine, { ...fit, settings: { ...fit.settings, fixed: undefined } } as typeof fit, X);
    expect(S.data).toEqual(plain[0].data);
    expect(firstRows(S, 1).data).not.toEqual(fixedS.data);
    expect(fit.settings.fixed).toEqual({ A: 2, S: 1 });
  });

  const zero = matrix(
    N,
    2,
    [...fixedA.data].map((a, at) => (at % 2 === 1 ? 0 : a)),
  );
  test.each([
    [{ fixedA: positive(N, 5, 1) }, 'fixedA has 5 columns for a rank of 4'],
    [{ fixedS: positive(5, M, 1) }, 'fixedS has 5 rows for a rank of 4'],
    [{ fixedA: positive(N + 1, 2, 1) }, 'fixedA is 12×2, but X has 11 rows'],
    [{ fixedS: positive(2, M - 1, 1) }, 'fixedS is 2×12, but X has 13 columns'],
    [{ fixedA: matrix(N, 1, new Float32Array(N).fill(-1)) }, 'fixedA has the entry -1 in row 0, column 0'],
    [{ fixedS: matrix(1, M, new Float32Array(M).fill(Number.NaN)) }, 'fixedS has the entry NaN'],
    [{ fixedA: zero }, 'fixedA is zero in all of column 1'],
    [{ fixedA: sparseFromDense(fixedA) }, 'fixedA must be a dense matrix'],
    [{ fixedA: [1, 2] }, 'fixedA'],
    [{ fixedA: truth.A, fixedS: truth.S }, 'leaves nothing to fit'],
    [{ fixedA, guide: { columns: fixedA } }, 'give one of the two'],
    [{ fixedA: matrix(N, 1, new Float32Array(N).fill(1e20)) }, 'fixedA has its largest entry at 1e+20'],
  ])('%# is refused by its name', async (options, message) => {
    const attempt = fits(options);
    await expect(attempt).rejects.toThrow(message);
    const error = await attempt.catch((one) => one);
    expect(error instanceof InputError || error instanceof ShapeError).toBe(true);
    expect(error.option).toBe(Object.keys(options)[0]);
  });
});
