/** Columns of S that sum to one, and the minimum volume of A, in nmf and transform: sums, KKT conditions, objectives, planted features, refusals. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { type NmfFactorization, type NmfOptions, nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { transform } from '../../src/models/apply.js';
import { arranged } from '../../src/models/arranged.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { simplexKkt, sumError } from '../cases/simplex.js';
import { runCli, workFolder } from '../support/cli.js';

const engine = createReferenceEngine();
let onDevice: Promise<Engine> | undefined;
const sharedDevice = () => {
  onDevice ??= createEngine();
  return onDevice;
};
afterAll(async () => (await onDevice)?.dispose());

/** Mixtures of k features with abundances of at most `most`, and noise. */
function planted(seed: number, [N, M, k]: readonly [number, number, number], { most = 0.8, noise = 0.01 } = {}): { X: Matrix; A: Matrix } {
  const r = random(seed);
  const A = matrix(
    N,
    k,
    Float32Array.from({ length: N * k }, () => r.uniform()),
  );
  const X = matrix(N, M);
  for (let c = 0; c < M; c++) {
    let s: number[];
    do {
      // Uniform on the simplex.
      const parts = Array.from({ length: k }, () => -Math.log(1 - r.uniform()));
      const sum = parts.reduce((total, part) => total + part, 0);
      s = parts.map((part) => part / sum);
    } while (Math.max(...s) > most);
    for (let i = 0; i < N; i++) {
      const x = s.reduce((sum, part, j) => sum + part * A.data[i * k + j], noise * r.normal());
      X.data[i * M + c] = Math.max(x, 0);
    }
  }
  return { X, A };
}

const shape = [11, 23, 3] as const;
const { X } = planted(3, shape);
const W = matrix(
  11,
  23,
  Float32Array.from({ length: X.data.length }, (_, at) => (at % 7 === 3 ? 0 : 0.5 + (at % 3))),
);
const quick = { ranks: 3, simplex: true, svdBound: false, restarts: 2, maxIterations: 15, tolerance: 0 } as const satisfies NmfOptions;

/** log det, by Gauss elimination. */
function logDet(M: number[][]): number {
  const rest = M.map((row) => [...row]);
  return rest.reduce((sum, row, t) => {
    for (let i = t + 1; i < rest.length; i++) {
      const factor = rest[i][t] / row[t];
      for (let j = t; j < rest.length; j++) rest[i][j] -= factor * row[j];
    }
    return sum + Math.log(row[t]);
  }, 0);
}

/** The objective as docs/methods.md has it, in f64 from X, W, A, S and the options alone. */
function objectiveOf(X: Matrix, { A, S }: { A: Matrix; S: Matrix }, options: NmfOptions): number {
  const { weights, minVolume = 0, l1A = 0, l2S = 0, orthogonalA = 0 } = options;
  const k = A.cols;
  const [w, sum] = [
    (at: number) => weights?.data[at] ?? 1,
    (F: Float32Array, of: (x: number) => number) => F.reduce((t, x) => t + of(x), 0),
  ];
  let [total, ofX, ofSeen, seen] = [0, 0, 0, 0];
  X.data.forEach((x, at) => {
    if (w(at) === 0) return;
    const [i, c] = [Math.floor(at / X.cols), at % X.cols];
    let r = x;
    for (let j = 0; j < k; j++) r -= A.data[i * k + j] * S.data[j * X.cols + c];
    total += (w(at) * r) ** 2 / 2;
    ofX += x ** 2;
    ofSeen += (w(at) * x) ** 2;
    seen++;
  });
  const ridge = (0.01 * ofX * X.rows) / seen;
  const gram = Array.from({ length: k }, (_, i) =>
    Array.from({ length: k }, (_, j) => {
      let product = 0;
      for (let n = 0; n < A.rows; n++) product += A.data[n * k + i] * A.data[n * k + j];
      return product;
    }),
  );
  total += (minVolume / 2) * ofSeen * logDet(gram.map((row, i) => row.map((g, j) => g / ridge + (i === j ? 1 : 0))));
  for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) total += X.cols * orthogonalA * gram[i][j];
  return total + X.cols * l1A * sum(A.data, (x) => x) + (X.rows * l2S * sum(S.data, (x) => x * x)) / 2;
}

const variants: Record<string, NmfOptions> = {
  plain: quick,
  weighted: { ...quick, weights: W },
  'minimum volume': { ...quick, minVolume: 1e-3 },
  'minimum volume, weighted': { ...quick, minVolume: 1e-2, weights: W },
  'minimum volume, penalties': { ...quick, minVolume: 1e-3, l1A: 1e-3, l2S: 1e-2 },
  orthogonal: { ...quick, orthogonalA: 1e-2 },
};

describe.each(Object.entries(variants))('%s', (name, options) => {
  const solvers = (['anls', 'hals'] as const).filter((solver) => name !== 'orthogonal' || solver === 'hals');

  test.each(solvers)('%s: sums of one, the KKT conditions of S, an objective that never rises', async (solver) => {
    const readings: number[] = [];
    const fit = await nmf(engine, X, {
      ...options,
      solver,
      restarts: 1,
      checkEvery: 1,
      onProgress: ({ relativeError }) => void readings.push(relativeError ** 2),
    });
    const factors = { A: fit.A[0], S: fit.S[0] };
    expect(sumError(factors.S)).toBeLessThanOrEqual(3 * 2 ** -23);
    if (!options.l2S) expect(simplexKkt({ X, A: factors.A, W: options.weights }, factors.S)).toBeLessThan(1e-5);
    for (let at = 1; at < readings.length; at++) expect(readings[at]).toBeLessThanOrEqual(readings[at - 1] * (1 + 1e-12));
    expect(readings.at(-1)).toBeLessThan(0.9 * readings[0]);
    // The factors are rounded to f32, and near an optimum of S and A that counts by less than its square root.
    const expected = objectiveOf(X, factors, options);
    const seen = options.weights
      ? X.data.reduce((sum, x, at) => sum + (W.data[at] * x) ** 2, 0)
      : X.data.reduce((sum, x) => sum + x * x, 0);
    expect(Math.abs((readings.at(-1)! * seen) / 2 / expected - 1)).toBeLessThan(1e-5);
    if (fit.objective !== undefined) expect(Math.abs(fit.objective / expected - 1)).toBeLessThan(1e-6);
    else expect(name === 'plain' || name === 'weighted').toBe(true);
  });

  test.each(solvers)('%s: a device finds what the reference finds', async (solver) => {
    const device = await sharedDevice();
    const [found, truth] = await Promise.all([device, engine].map((one) => nmf(one, X, { ...options, solver, seed: 2 })));
    expect(sumError(found.S[0])).toBeLessThanOrEqual(3 * 2 ** -23);
    const [ours, theirs] = [found, truth].map(({ A: [A], S: [S] }) => objectiveOf(X, { A, S }, options));
    // A descent of 15 iterations in f32 and in f64: rounding of 2⁻²² a sum, which a step may enlarge by the condition of the problem.
    expect(Math.abs(ours / theirs - 1)).toBeLessThan(1e-3);
    if (found.objective !== undefined) expect(Math.abs(found.objective / ours - 1)).toBeLessThan(1e-6);
  });
});

describe('a fit that has converged', () => {
  test('is stationary in A by finite differences of the objective, log det included', async () => {
    const options: NmfOptions = { ...quick, minVolume: 1e-3, restarts: 1, maxIterations: 20_000, tolerance: 1e-13 };
    const fit = await nmf(engine, X, options);
    const [A, S] = [fit.A[0], fit.S[0]];
    expect(fit.kktResidual).toBeLessThan(1e-5);
    const steps = Array.from({ length: 33 }, (_, at) => {
      const moved = (by: number) => {
        const data = Float64Array.from(A.data, (a, i) => (i === at ? a + by : a));
        return objectiveOf(X, { A: { ...A, data } as unknown as Matrix, S }, options);
      };
      return (moved(1e-4) - moved(-1e-4)) / 2e-4;
    });
    // XSᵀ, which its entries are differences of.
    const size = Math.max(...A.data) * S.data.reduce((sum, s) => sum + s, 0);
    const natural = steps.map((gradient, at) => Math.abs(Math.min(A.data[at] * X.cols, gradient)));
    expect(Math.max(...natural) / size).toBeLessThan(1e-5);
    expect(Math.max(...steps.map(Math.abs)) / size).toBeLessThan(1); // they are gradients of this size
  });

  test('of minimum volume finds features that no sample has alone, which the error alone does not', async () => {
    const device = await sharedDevice();
    for (const [seed, k] of [
      [1, 3],
      [2, 4],
    ]) {
      const given = planted(seed, [19, 301, k], { noise: 0.003 });
      const [without, withVolume] = await Promise.all(
        [0, 3e-5].map((minVolume) => nmf(device, given.X, { ranks: k, simplex: true, minVolume, restarts: 2, seed, svdBound: false })),
      );
      const [before, after] = [without, withVolume].map((fit) => spectralAngle(given.A, fit.A[0]));
      expect(after).toBeLessThan(2);
      expect(after).toBeLessThan(0.6 * before);
    }
  });
});

/** The mean over features of the angle between true and found columns without their means, 100 / π of it, at the best assignment. */
function spectralAngle(truth: Matrix, found: Matrix): number {
  const k = truth.cols;
  const columnOf = ({ rows, data }: Matrix, j: number) => {
    const column = Array.from({ length: rows }, (_, n) => data[n * k + j]);
    const mean = column.reduce((sum, x) => sum + x, 0) / rows;
    const length = Math.hypot(...column.map((x) => x - mean)) || 1;
    return column.map((x) => (x - mean) / length);
  };
  const angle = (i: number, j: number) => {
    const other = columnOf(found, j);
    const cosine = columnOf(truth, i).reduce((sum, x, n) => sum + x * other[n], 0);
    return (100 * Math.acos(Math.min(1, Math.max(-1, cosine)))) / Math.PI;
  };
  const best = (i: number, left: readonly number[]): number =>
    i === k
      ? 0
      : Math.min(
          ...left.map(
            (j) =>
              angle(i, j) +
              best(
                i + 1,
                left.filter((other) => other !== j),
              ),
          ),
        );
  return (
    best(
      0,
      Array.from({ length: k }, (_, j) => j),
    ) / k
  );
}

describe('units and starts', () => {
  test.each(['anls', 'hals'] as const)(
    '%s: X in another power of two gives the same S to the last bit, and that multiple of A',
    async (solver) => {
      const options = { ...quick, solver, minVolume: 1e-3 };
      const one = await nmf(engine, X, options);
      const other = await nmf(engine, { ...X, data: X.data.map((x) => x * 2 ** -30) }, options);
      expect(other.S[0].data).toEqual(one.S[0].data);
      expect(other.A[0].data).toEqual(one.A[0].data.map((a) => a * 2 ** -30));
      expect(other.objective).toBe(one.objective! * 2 ** -60);
    },
  );

  test('penalties of A count in the unit of X', async () => {
    const [l1A, l2S] = [1e-3, 1e-2];
    const one = await nmf(engine, X, { ...quick, l1A, l2S });
    const other = await nmf(
      engine,
      { ...X, data: X.data.map((x) => x * 2 ** -30) },
      { ...quick, l1A: l1A * 2 ** -30, l2S: l2S * 2 ** -60 },
    );
    expect(other.S[0].data).toEqual(one.S[0].data);
  });

  test('a fit continues from its own result, and begins with singular vectors', async () => {
    const fit = await nmf(engine, X, quick);
    const again = await nmf(engine, X, { ...quick, ranks: undefined, start: fit, restarts: 1, maxIterations: 1 });
    expect(again.relativeError).toBeLessThanOrEqual(fit.relativeError * (1 + 1e-6));
    const nndsvd = await nmf(engine, X, { ...quick, restarts: 1, start: 'nndsvda' });
    expect(sumError(nndsvd.S[0])).toBeLessThanOrEqual(3 * 2 ** -23);
    expect(nndsvd.relativeError).toBeLessThan(0.2);
  });

  test('a sparse X gives what the dense one gives', async () => {
    const holed = matrix(
      11,
      23,
      X.data.map((x, at) => (at % 4 === 0 ? 0 : x)),
    );
    const [dense, sparse] = await Promise.all(
      [holed, sparseFromDense(holed)].map((given) => nmf(engine, given, { ...quick, minVolume: 1e-4 })),
    );
    expect(Math.abs(dense.objective! / sparse.objective! - 1)).toBeLessThan(1e-9);
  });
});

describe('transform', () => {
  const { at, put } = workFolder();
  const fitted = () => nmf(engine, X, { ...quick, minVolume: 1e-4 });

  test('new samples sum to one, with NaN and weights, too', async () => {
    const model = await fitted();
    const newX = planted(9, [11, 7, 3]).X;
    const [S] = await transform(engine, model, newX);
    expect(sumError(S)).toBeLessThanOrEqual(3 * 2 ** -23);
    expect(simplexKkt({ X: newX, A: model.A[0] }, S)).toBeLessThan(1e-5);
    const ones = matrix(11, 7, new Float32Array(77).fill(1));
    for (const hidden of [5, 20, 60]) [newX.data[hidden], ones.data[hidden]] = [Number.NaN, 0];
    const [ofNaN] = await transform(engine, model, newX);
    expect(ofNaN.data).toEqual((await transform(engine, model, newX, { weights: ones }))[0].data);
    expect(simplexKkt({ X: newX, A: model.A[0], W: ones }, ofNaN)).toBeLessThan(1e-5);
    expect(sumError(ofNaN)).toBeLessThanOrEqual(3 * 2 ** -23);
  });

  test('l2S counts', async () => {
    const model = await nmf(engine, X, { ...quick, l2S: 0.5 });
    const [S] = await transform(engine, model, X);
    const cost = (of: Matrix) => objectiveOf(X, { A: model.A[0], S: of }, { ...quick, l2S: 0.5 });
    expect(cost(S)).toBeLessThan(cost((await nnls(engine, X, model.A[0], { simplex: true })).S) * (1 - 1e-4));
  });

  test('orthant fit --simplex, orthant transform', async () => {
    const rows = Array.from({ length: 23 }, (_, c) => Array.from({ length: 11 }, (_, n) => X.data[n * 23 + c]).join(','));
    const file = put('mixtures.csv', rows.join('\n'));
    const run = async (...argv: string[]) => {
      const { status, stdout, stderr } = await runCli([...argv, '--device', 'cpu']);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      return stdout;
    };
    await run(
      'fit',
      file,
      '--method',
      'nmf',
      '--ranks',
      '3',
      '--simplex',
      '--min-volume',
      '1e-4',
      '--max-iterations',
      '9',
      '--out',
      at('model'),
    );
    const { S } = JSON.parse(await run('transform', at('model'), file, '--json')) as { S: number[][] };
    for (const s of S) expect(Math.abs(s.reduce((sum, x) => sum + x, -1))).toBeLessThanOrEqual(3 * 2 ** -23);
    const refused = await runCli(['fit', file, '--method', 'nmf', '--ranks', '3', '--min-volume', '1e-4', '--device', 'cpu']);
    expect(refused.stderr).toMatch(/--min-volume 0\.0001 needs --simplex/);
  });
});

describe('refused', () => {
  test.each([
    [{ simplex: true, solver: 'mu' }, 'simplex', /simplex is not for solver 'mu'/],
    [{ simplex: true, loss: 'kullback-leibler' }, 'simplex', /simplex is for loss 'frobenius', not for kullback-leibler/],
    [{ simplex: true, loss: 1.5 }, 'simplex', /not for 1\.5/],
    [{ simplex: true, l1S: 0.1 }, 'l1S', /l1S 0\.1 does nothing beside simplex/],
    [{ minVolume: 0.1 }, 'minVolume', /minVolume 0\.1 needs simplex/],
    [{ minVolume: 0.1, simplex: true, solver: 'mu' }, 'minVolume', /minVolume 0\.1 is not for solver 'mu', multiplicative updates/],
    [{ minVolume: -1, simplex: true }, 'minVolume', /minVolume.*-1/],
    [{ simplex: true, orthogonalA: 1, solver: 'anls' }, 'orthogonalA', /not convex/],
  ] as [Partial<NmfOptions>, string, RegExp][])('%o', async (options, option, message) => {
    const error: InputError = await nmf(engine, X, { ranks: 3, ...options }).catch((e) => e);
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    expect(error.option).toBe(option);
  });

  test('λ₁ of nnls beside simplex, and another scale of a model on the simplex', async () => {
    await expect(nnls(engine, X, matrix(11, 1, X.data.slice(0, 11)), { simplex: true, l1: 2 })).rejects.toThrow(
      /l1 2 does nothing beside simplex/,
    );
    const model: NmfFactorization = await nmf(engine, X, quick);
    expect(() => arranged(model, { scale: 'l1' })).toThrow(/with simplex columns of S sum to one/);
  });
});
