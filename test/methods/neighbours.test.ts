/** The penalty of neighbours in nmf: its objective and stationarity in f64, monotone objectives, clusters, forms of W, and refusals. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense, sparseFromEntries } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { checkNeighbours, graphOf } from '../../src/methods/neighbours.js';
import { type NmfOptions, nmf } from '../../src/methods/nmf.js';
import { transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { graphPower } from '../../src/programs/graph-penalty.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();
let onDevice: Promise<Engine> | undefined;
const device = () => {
  onDevice ??= createEngine();
  return onDevice;
};
afterAll(async () => (await onDevice)?.dispose());

const [N, M, k] = [7, 13, 3];

function positive(rows: number, cols: number, seed: number, zeros = 0): Matrix {
  const { uniform } = random(seed);
  return matrix(
    rows,
    cols,
    Array.from({ length: rows * cols }, () => (uniform() < zeros ? 0 : 0.1 + 2 * uniform())),
  );
}

/** A ring with some chords of random weights, and a diagonal that must not matter. */
function ring(M: number, seed: number): Matrix {
  const { uniform } = random(seed);
  const W = matrix(M, M);
  const join = (i: number, j: number, w: number) => {
    W.data[i * M + j] = W.data[j * M + i] = w;
  };
  for (let i = 0; i < M; i++) join(i, (i + 1) % M, 0.2 + uniform());
  for (let i = 0; i < M; i += 3) join(i, (i + 5) % M, uniform());
  for (let i = 0; i < M; i += 2) W.data[i * M + i] = 3;
  return W;
}

const X = positive(N, M, 1);
const W = ring(M, 2);
const weights = positive(N, M, 3, 0.2);

/** Loss and penalties in f64, by their definition. */
function objectiveOf({ A, S }: { A: Matrix; S: Matrix }, options: NmfOptions): number {
  const beta = { frobenius: 2, 'kullback-leibler': 1, 'itakura-saito': 0 }[(options.loss ?? 'frobenius') as string] ?? Number(options.loss);
  let total = 0;
  X.data.forEach((x, at) => {
    const [i, j] = [Math.floor(at / M), at % M];
    let v = 0;
    for (let t = 0; t < k; t++) v += A.data[i * k + t] * S.data[t * M + j];
    const w2 = options.weights ? options.weights.data[at] ** 2 : 1;
    const d =
      beta === 0
        ? x / v - Math.log(x / v) - 1
        : beta === 1
          ? x * Math.log(x / v) - x + v
          : (x ** beta + (beta - 1) * v ** beta - beta * x * v ** (beta - 1)) / (beta * (beta - 1));
    if (w2 > 0) total += w2 * d;
  });
  const sum = (F: Matrix, power: number) => F.data.reduce((all, f) => all + f ** power, 0);
  const { l1A = 0, l1S = 0, l2A = 0, l2S = 0, laplacian = 0 } = options;
  let differences = 0;
  for (let i = 0; i < M; i++)
    for (let j = 0; j < M; j++) for (let t = 0; t < k; t++) differences += W.data[i * M + j] * (S.data[t * M + i] - S.data[t * M + j]) ** 2;
  const others = M * (l1A * sum(A, 1) + (l2A / 2) * sum(A, 2)) + N * (l1S * sum(S, 1) + (l2S / 2) * sum(S, 2));
  return total + others + (N * laplacian * differences) / 4;
}

/** The largest |min(f, ∇ / ∂²)| of an entry f, by central differences of the objective. */
function stationarity(factors: { A: Matrix; S: Matrix }, options: NmfOptions): number {
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
      const h = 1e-3;
      const [less, here, more] = [at(entry, -h), at(entry, 0), at(entry, h)];
      worst = Math.max(worst, Math.abs(Math.min(data[entry], (h * (more - less)) / 2 / (more - 2 * here + less))));
    }
  }
  return worst;
}

const solvers = ['mu', 'hals', 'anls'] as const;
const common = { ranks: k, tolerance: 0, svdBound: false, neighbours: W, laplacian: 0.1, l2A: 0.05 } as const;
const start = { A: positive(N, k, 4), S: positive(k, M, 5) };

const times = (F: Matrix, by: number): Matrix => ({ ...F, data: F.data.map((f) => by * f) });

const cases: [string, NmfOptions][] = [
  ...solvers.flatMap((solver): [string, NmfOptions][] => [
    [solver, { solver }],
    [`${solver}, a large λ`, { solver, laplacian: 30 }],
    [`${solver}, weights`, { solver, weights }],
    [
      `${solver}, all penalties, fixed rows`,
      { solver, l1A: 0.02, l1S: 0.01, l2S: 0.02, fixedS: matrix(1, M, new Float32Array(M).fill(0.7)) },
    ],
  ]),
  ...[-1, 0, 0.5, 1, 1.5, 2.5, 3].map((loss): [string, NmfOptions] => [`β = ${loss}`, { loss, laplacian: 2 }]),
  ['β = 1, weights', { loss: 1, weights }],
  // With the exponent 1 this one rises: far below the minimum an update steps over it.
  [
    'β = 1, from a small start',
    { loss: 1, laplacian: 1, l2S: 1, fixedA: times(start.A, 0.05), start: { A: start.A, S: times(start.S, 0.05) } },
  ],
];

describe.each(cases)('%s', (_, own) => {
  const options: NmfOptions = { ...common, start, ...own };

  test('the objective is that of its formula, and never rises', async () => {
    const given = options.start as typeof start;
    let before = own.fixedS ? Number.POSITIVE_INFINITY : objectiveOf({ A: own.fixedA ?? given.A, S: given.S }, options);
    for (const maxIterations of [1, 2, 3, 5, 10, 40]) {
      const fit = await nmf(engine, X, { ...options, maxIterations });
      expect(Math.abs(fit.objective! / objectiveOf({ A: fit.A[0], S: fit.S[0] }, options) - 1)).toBeLessThan(1e-5);
      expect(fit.objective).toBeLessThanOrEqual(before * (1 + 1e-6));
      before = fit.objective!;
    }
  });

  test('the device comes to the same', async () => {
    const given = { ...options, maxIterations: 12 };
    const [expected, actual] = await Promise.all([nmf(engine, X, given), device().then((one) => nmf(one, X, given))]);
    expect(Math.abs(actual.objective! / expected.objective! - 1)).toBeLessThan(1e-4);
  });
});

describe.each(solvers)('%s', (solver) => {
  test('ends where the gradient of the whole objective says so, as kktResidual does', async () => {
    const options = { ...common, solver, start, maxIterations: solver === 'mu' ? 3000 : 1000 };
    const fit = await nmf(engine, X, options);
    expect(fit.kktResidual).toBeLessThan(2e-3);
    expect(stationarity({ A: fit.A[0], S: fit.S[0] }, options)).toBeLessThan(1e-2);
  });

  test('W may be sparse or dense, to the same bits', async () => {
    const options = { ...common, solver, start, maxIterations: 10 };
    const [dense, sparse] = [await nmf(engine, X, options), await nmf(engine, X, { ...options, neighbours: sparseFromDense(W) })];
    expect(sparse.S[0].data).toEqual(dense.S[0].data);
    expect(sparse.objective).toBe(dense.objective);
  });

  test('the unit of X is no matter: λ has that of the loss', async () => {
    const larger = { ...X, data: X.data.map((x) => 1000 * x) };
    const options = { ...common, solver, maxIterations: 15 };
    const scaled = { A: start.A, S: { ...start.S, data: start.S.data.map((s) => 1000 * s) } };
    const small = await nmf(engine, X, { ...options, start });
    const large = await nmf(engine, larger, { ...options, l2A: common.l2A * 1e6, start: scaled });
    expect(Math.abs(large.objective! / small.objective! / 1e6 - 1)).toBeLessThan(1e-5);
  });
});

test('a sparse X with Kullback & Leibler: its KKT residual has the penalty in it', async () => {
  const counts = { ...X, data: X.data.map((x) => Math.floor(2 * x)) };
  const options = { ...common, loss: 'kullback-leibler' as const, start, maxIterations: 20 };
  const [dense, sparse] = [await nmf(engine, counts, options), await nmf(engine, sparseFromDense(counts), options)];
  expect(Math.abs(sparse.objective! / dense.objective! - 1)).toBeLessThan(1e-5);
  expect(Math.abs(sparse.kktResidual / dense.kktResidual - 1)).toBeLessThan(1e-3);
});

test.each(solvers)('two clusters in noise: neighbours make coefficients smoother, and labels better, %s', async (solver) => {
  // Samples of two clusters side by side; noise is three times what parts them.
  const [rows, half] = [12, 30];
  const { normal } = random(6);
  const noisy = matrix(
    rows,
    2 * half,
    Array.from({ length: rows * 2 * half }, (_, at) => {
      const [i, j] = [Math.floor(at / (2 * half)), at % (2 * half)];
      return Math.max(0, 2 + (i < rows / 2 === j < half ? 0.5 : -0.5) + 1.5 * normal());
    }),
  );
  const { integer } = random(7);
  const pairs = Array.from({ length: 2 * half }, (_, i) =>
    Array.from({ length: 5 }, () => [i, (i < half ? 0 : half) + integer(half)]),
  ).flat();
  const near = matrix(2 * half, 2 * half);
  for (const [i, j] of pairs) if (i !== j) near.data[i * 2 * half + j] = near.data[j * 2 * half + i] = 1;
  const share = async (laplacian: number) => {
    const { A, S } = await nmf(engine, noisy, {
      ranks: 2,
      seed: 1,
      restarts: 3,
      solver,
      l2A: 0.02,
      neighbours: near,
      laplacian,
      svdBound: false,
    });
    const norm = [0, 1].map((t) => Math.hypot(...Array.from({ length: rows }, (_, i) => A[0].data[2 * i + t])));
    const ratio = Array.from({ length: 2 * half }, (_, j) => norm[0] * S[0].data[j] - norm[1] * S[0].data[2 * half + j]);
    const middle = [...ratio].sort((a, b) => a - b)[half];
    const right = ratio.filter((x, j) => x >= middle === j < half).length / (2 * half);
    const spread = ratio.reduce((sum, x, j) => sum + (x - ratio[((j + 1) % half) + (j < half ? 0 : half)]) ** 2, 0);
    return { right: Math.max(right, 1 - right), spread };
  };
  const [without, with_] = [await share(0), await share(0.2)];
  expect(with_.spread).toBeLessThan(without.spread / 2);
  expect(with_.right).toBeGreaterThan(without.right);
  expect(with_.right).toBeGreaterThan(0.9);
});

test('the bound of a majorizer holds, and is no more than twice the largest degree', async () => {
  for (const seed of [1, 2, 3]) {
    const { bound, degrees, W: own } = graphOf(checkNeighbours(ring(17, seed), 17), 0.7);
    // The largest eigenvalue of L by power iteration in f64.
    let v = Float64Array.from({ length: 17 }, (_, i) => Math.sin(3 * i + seed));
    let largest = 0;
    for (let step = 0; step < 500; step++) {
      const next = v.map((x, i) => degrees[i] * x);
      for (let i = 0; i < 17; i++)
        for (let e = own.rowStarts[i]; e < own.rowStarts[i + 1]; e++) next[i] -= own.values[e] * v[own.columns[e]];
      largest = Math.hypot(...next);
      v = next.map((x) => x / largest);
    }
    expect(largest).toBeLessThanOrEqual(bound);
    expect(bound).toBeLessThanOrEqual(2 * Math.max(...degrees) * (1 + 1e-5));
  }
  expect([-1, 0, 1, 1.5, 2, 3].map(graphPower)).toEqual([1 / 4, 1 / 3, 1 / 2, 1 / 2, 1, 1 / 3]);
});

test('new samples have no neighbours: transform is the plain solve', async () => {
  const fit = await nmf(engine, X, { ...common, maxIterations: 20 });
  const [S] = await transform(engine, fit, X);
  const plain = await nmf(engine, X, { ranks: k, fixedA: fit.A[0], maxIterations: 5, solver: 'anls' });
  const most = Math.max(...S.data);
  S.data.forEach((s, at) => {
    expect(Math.abs(s - plain.S[0].data[at])).toBeLessThan(1e-4 * most);
  });
  expect(fit.settings.laplacian).toBe(0.1);
});

test('all of A held: the scale of S cannot move, so no other penalty is needed', async () => {
  const fit = await nmf(engine, X, { ranks: k, neighbours: W, laplacian: 1, fixedA: start.A, tolerance: 0, maxIterations: 50 });
  expect(fit.A[0].data).toEqual(start.A.data);
});

const other = { ...W, data: W.data.map((w, at) => (at === 1 ? w + 1 : w)) };
const directed = sparseFromEntries(M, M, { rowIndices: [3], columns: [5], values: [1] });
test.each([
  ['neighbours', { neighbours: positive(M, M - 1, 1) }, `neighbours is ${M}×${M - 1}, but X has ${M} samples`],
  ['neighbours', { neighbours: ring(M + 1, 1) }, `neighbours is ${M + 1}×${M + 1}`],
  ['neighbours', { neighbours: { ...W, data: W.data.map((w) => -w) } }, 'neighbours has the entry -'],
  ['neighbours', { neighbours: other }, 'in row 0, column 1 (counted from 0), but'],
  [
    'neighbours',
    { neighbours: directed },
    'neighbours has the entry 1 in row 3, column 5 (counted from 0), but 0 at the same place of its transpose',
  ],
  ['neighbours', { neighbours: matrix(M, M) }, 'has no entry above 0'],
  ['neighbours', { neighbours: 3 }, 'neighbours must be a matrix'],
  ['neighbours', { laplacian: undefined }, 'neighbours does nothing without laplacian'],
  ['laplacian', { neighbours: undefined }, 'laplacian does nothing without neighbours'],
  ['laplacian', { laplacian: -1 }, 'laplacian must be a finite number ≥ 0'],
  ['laplacian', { laplacian: 1e36 }, 'laplacian'],
  ['laplacian', { l2A: 0 }, 'does nothing without l1A or l2A: the scale of S would move into A'],
] as [string, object, string][])('%s %o is refused', async (option, more, message) => {
  const attempt = nmf(engine, X, { ...common, ...more } as NmfOptions);
  await expect(attempt).rejects.toThrow(message);
  const error = await attempt.catch((one) => one);
  expect(error instanceof InputError || error instanceof ShapeError).toBe(true);
  expect(error.option).toBe(option);
});
