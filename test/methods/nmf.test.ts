/** One iteration of nmf against f64 loops written from the formula alone, without and with weights, and what HALS does with dead units. */
import { describe, expect, test } from 'vitest';
import { randomLowRank, tableOne } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { deepNmf } from '../../src/methods/deep.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { nmf } from '../../src/methods/nmf.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { createEngine } from '../../src/node/engine.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const [N, M, k] = [7, 6, 3];

test.each([false, true])('A ← A ∘ [(W²∘X)Sᵀ] / [(W²∘(AS))Sᵀ], then S; weights: %s', async (weighted) => {
  const r = random(4);
  const entries = (count: number) => Array.from({ length: count }, () => r.uniform());
  const X = entries(N * M);
  const W = X.map(() => (weighted ? (r.uniform() < 0.3 ? 0 : r.uniform() + 0.5) : 1));
  const A = entries(N * k);
  const S = entries(k * M);

  const t = nmfProgram(N, M, k, { restarts: 1, solver: 'mu', weighted });
  using engine = createReferenceEngine();
  using run = await engine.prepare(t.program);
  run.write(t.X, X);
  if (t.W) run.write(t.W, W);
  run.write(t.A, A);
  run.write(t.S, S);
  run.execute(t.sections.start);
  run.execute(t.sections.step);

  const product = (i: number, j: number) => Array.from({ length: k }, (_, q) => A[i * k + q] * S[q * M + j]).reduce((sum, x) => sum + x, 0);
  const updatedA = A.map((a, at) => {
    const [i, q] = [Math.floor(at / k), at % k];
    let above = 0;
    let below = 0;
    for (let j = 0; j < M; j++) {
      const w2 = W[i * M + j] ** 2;
      above += w2 * X[i * M + j] * S[q * M + j];
      below += w2 * product(i, j) * S[q * M + j];
    }
    return (a * above) / below;
  });
  A.splice(0, A.length, ...updatedA);
  const updatedS = S.map((s, at) => {
    const [q, j] = [Math.floor(at / M), at % M];
    let above = 0;
    let below = 0;
    for (let i = 0; i < N; i++) {
      const w2 = W[i * M + j] ** 2;
      above += w2 * X[i * M + j] * A[i * k + q];
      below += w2 * product(i, j) * A[i * k + q];
    }
    return (s * above) / below;
  });

  const close = (actual: ArrayLike<number>, expected: number[]) =>
    expected.forEach((value, i) => {
      expect(Math.abs(actual[i] - value)).toBeLessThan(1e-12 * (1 + value));
    });
  close(await run.read(t.A), updatedA);
  close(await run.read(t.S), updatedS);
});

test.each([false, true])(
  'hals: A_j at its minimum with all else held, column by column, then the rows of S; weights: %s',
  async (weighted) => {
    const r = random(5);
    const entries = (count: number) => Array.from({ length: count }, () => r.uniform());
    const X = entries(N * M);
    const W = X.map(() => (weighted ? (r.uniform() < 0.3 ? 0 : r.uniform() + 0.5) : 1));
    const A = entries(N * k);
    const S = entries(k * M);
    const t = nmfProgram(N, M, k, { restarts: 1, solver: 'hals', weighted });
    using engine = createReferenceEngine();
    using run = await engine.prepare(t.program);
    run.write(t.X, X);
    if (t.W) run.write(t.W, W);
    run.write(t.A, A);
    run.write(t.S, S);
    run.execute(t.sections.start);
    run.execute(t.sections.step);

    // X without all units but q, on which entry (i, q) of A and (q, j) of S are the scalar least squares of their row and column.
    const rest = (i: number, j: number, q: number) => {
      let x = X[i * M + j];
      for (let p = 0; p < k; p++) if (p !== q) x -= A[i * k + p] * S[p * M + j];
      return x;
    };
    for (let q = 0; q < k; q++) {
      for (let i = 0; i < N; i++) {
        let [above, below] = [0, 0];
        for (let j = 0; j < M; j++) {
          above += W[i * M + j] ** 2 * rest(i, j, q) * S[q * M + j];
          below += W[i * M + j] ** 2 * S[q * M + j] ** 2;
        }
        A[i * k + q] = Math.max(above / below, 0);
      }
    }
    for (let q = 0; q < k; q++) {
      for (let j = 0; j < M; j++) {
        let [above, below] = [0, 0];
        for (let i = 0; i < N; i++) {
          above += W[i * M + j] ** 2 * rest(i, j, q) * A[i * k + q];
          below += W[i * M + j] ** 2 * A[i * k + q] ** 2;
        }
        S[q * M + j] = below > 0 ? Math.max(above / below, 0) : S[q * M + j];
      }
    }
    const actual = [...(await run.read(t.A)), ...(await run.read(t.S))];
    [...A, ...S].forEach((value, i) => {
      expect(Math.abs(actual[i] - value)).toBeLessThan(1e-10 * (1 + value));
    });
  },
);

test('hals takes a unit up again that was zero in both factors', async () => {
  const r = random(6);
  const t = nmfProgram(N, M, k, { restarts: 1, solver: 'hals', weighted: false });
  using engine = createReferenceEngine();
  using run = await engine.prepare(t.program);
  run.write(
    t.X,
    Array.from({ length: N * M }, () => r.uniform()),
  );
  run.write(
    t.A,
    Array.from({ length: N * k }, (_, at) => (at % k === 1 ? 0 : r.uniform())),
  );
  run.write(
    t.S,
    Array.from({ length: k * M }, (_, at) => (Math.floor(at / M) === 1 ? 0 : r.uniform())),
  );
  const costs: number[] = [];
  for (let i = 0; i < 20; i++) {
    run.execute(t.sections.measure);
    costs.push((await run.read(t.cost))[0]);
    run.execute(t.sections.step);
  }
  costs.forEach((cost, i) => {
    expect(cost).toBeLessThanOrEqual((costs[i - 1] ?? Number.POSITIVE_INFINITY) * (1 + 1e-12));
  });
  const A = await run.read(t.A);
  expect(A.some((a, at) => at % k === 1 && a > 0)).toBe(true);
});

test('hals ends at a stationary point, as good as that of anls on the published data', async () => {
  using engine = createReferenceEngine();
  const { X } = tableOne(0);
  const options = { ranks: 4, seed: 1, svdBound: false } as const;
  const hals = await nmf(engine, X, { ...options, solver: 'hals', tolerance: 1e-9 });
  const anls = await nmf(engine, X, options);
  expect(hals.kktResidual).toBeLessThan(1e-3);
  expect(hals.relativeError).toBeLessThan(anls.relativeError * 1.001);
  expect(hals.settings).toMatchObject({ solver: 'hals' });
});

describe('a row far smaller than the others is fitted as well as they are', () => {
  const X = randomLowRank(13, 19, 3, { seed: 5, noise: 0.2 });
  const withRow = (c: number) => ({ ...X, data: X.data.map((x, at) => (at < X.cols ? x * c : x)) });
  const weights = matrix(
    13,
    19,
    X.data.map((_, at) => (at % 7 === 3 ? 0 : 1)),
  );
  const common = { ranks: 3, seed: 2, maxIterations: 300, tolerance: 0, svdBound: false };
  const fits: Record<string, (engine: Engine, X: Matrix) => Promise<Factorization>> = {
    'nmf mu': (e, X) => nmf(e, X, { ...common, solver: 'mu' }),
    'nmf mu, sparse': (e, X) => nmf(e, sparseFromDense(X), { ...common, solver: 'mu' }),
    'nmf mu, weights': (e, X) => nmf(e, X, { ...common, weights }),
    'ssnmf 2': (e, X) => ssnmf(e, X, { ...common, model: 2 }),
    'ssnmf 2, weights': (e, X) => ssnmf(e, X, { ...common, model: 2, weights }),
    hierarchical: (e, X) => hierarchicalNmf(e, X, { ...common, solver: 'mu' }),
    deep: (e, X) => deepNmf(e, X, { ...common, start: 'random' }),
  };
  /** ‖W ∘ (x − aS)‖ / ‖W ∘ x‖ of row 0. */
  const errorOfRow = (X: Matrix, { A, S }: Factorization, weighted: boolean) => {
    let [missing, all] = [0, 0];
    for (let c = 0; c < X.cols; c++) {
      const w = weighted ? weights.data[c] : 1;
      let rest = X.data[c];
      for (let j = 0; j < 3; j++) rest -= A[0].data[j] * S[0].data[j * X.cols + c];
      missing += (w * rest) ** 2;
      all += (w * X.data[c]) ** 2;
    }
    return Math.sqrt(missing / all);
  };

  describe.each(['reference', 'device'])('on the %s', (name) => {
    test.each(Object.entries(fits))('%s', async (fit, factorize) => {
      using engine = name === 'reference' ? createReferenceEngine() : await createEngine();
      // Its square says nothing to S from 2^-14 on, so all have the same S.
      const errors = [];
      for (const e of [-14, -40, -66]) {
        const given = withRow(2 ** e);
        errors.push(errorOfRow(given, await factorize(engine, given), fit.endsWith('weights')));
      }
      expect(errors[0]).toBeLessThan(0.5);
      for (const error of errors) expect(Math.abs(error / errors[0] - 1)).toBeLessThan(2e-3);
    });
  });
});
