/** Every method on a sparse X: the same results as on the dense matrix of its entries, and nothing of the size of X is made. */
import { afterAll, expect, test } from 'vitest';
import { type Matrix, matrix, multiply } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type DataMatrix, isSparse, sparseFromDense, toDense } from '../../src/data/sparse.js';
import { svdBounds } from '../../src/data/svd-bound.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import type { Program } from '../../src/graph/program.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization, Method } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls, nnlsVjp } from '../../src/methods/q.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { reconstructUnfolded, transformUnfolded, unfoldedNmf } from '../../src/methods/unfolded.js';
import { predict, transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());

const [N, M] = [61, 53];

/** Terms of one of three topics, in documents of that topic, with a chance of 0.3; and a few anywhere. */
function termsByDocuments(seed: number) {
  const r = random(seed);
  const data = Float32Array.from({ length: N * M }, (_, at) => {
    const sameTopic = Math.floor(at / M) % 3 === (at % M) % 3;
    return r.uniform() < (sameTopic ? 0.3 : 0.03) ? 0.2 + r.uniform() : 0;
  });
  return sparseFromDense({ rows: N, cols: M, data });
}

const X = termsByDocuments(1);
const dense = toDense(X);
const labels = Array.from({ length: M }, (_, c) => (c % 5 < 2 ? `topic ${c % 3}` : ''));
const common = { seed: 3, restarts: 1, maxIterations: 30, tolerance: 0, svdBound: false };
const two = { ...common, ranks: [6, 3] };

type Fit = (engine: Engine, X: DataMatrix) => Promise<Factorization>;
const fits: Record<string, Fit> & Record<Method, Fit> = {
  nmf: (e, of) => nmf(e, of, { ...common, ranks: 6, solver: 'mu' }),
  'nmf hals': (e, of) => nmf(e, of, { ...common, ranks: 6, solver: 'hals', restarts: 2 }),
  'nmf anls': (e, of) => nmf(e, of, { ...common, ranks: 6, restarts: 3 }),
  ssnmf: (e, of) => ssnmf(e, of, { ...common, ranks: 6 }),
  'ssnmf 3': (e, of) => ssnmf(e, of, { ...common, ranks: 6, labels, restarts: 2 }),
  'ssnmf 4': (e, of) => ssnmf(e, of, { ...common, ranks: 6, model: 4, labels }),
  hierarchical: (e, of) => hierarchicalNmf(e, of, two),
  'hierarchical with labels on its first layer': (e, of) => hierarchicalNmf(e, of, { ...two, labels, labelLayers: [0, 1] }),
  deep: (e, of) => deepNmf(e, of, { ...two, pooling: 'average', labels }),
  'deep, log1p': (e, of) => deepNmf(e, of, { ...two, activation: 'log1p' }),
  'deep-semi': (e, of) => deepSemiNmf(e, of, { ...two, pretrainIterations: 10, restarts: 2, labels }),
  unfolded: (e, of) => unfoldedNmf(e, of, { ...common, ranks: 6, layers: 4, untied: 2, startIterations: 10 }),
  'sparse-coding': (e, of) => sparseCoding(e, of, { ...two, labels, optimiser: 'momentum', restarts: 2 }),
  neural: (e, of) => neuralNmf(e, of, { ...common, ranks: [6], start: 'random' }),
  'neural, two layers': (e, of) => neuralNmf(e, of, { ...two, restarts: 2 }),
  'neural, energy': (e, of) => neuralNmf(e, of, { ...two, cost: 'energy', l1: 0.01 }),
  'neural, Adam and labels': (e, of) => neuralNmf(e, of, { ...two, labels, optimiser: 'adam', labelLoss: 'crossEntropy' }),
};

/** The engine, but it refuses a program with a dense tensor of the size of X, whether as large or as that one's transpose. */
function guarded(engine: Engine): Engine {
  return {
    ...engine,
    prepare(program: Program) {
      const large = program.tensors.filter(({ form, rows, cols }) => form === 'dense' && rows * cols >= N * M);
      if (large.length > 0)
        throw new Error(`${program.name} has dense tensors as large as X: ${large.map(({ name }) => name).join(', ')}.`);
      return engine.prepare(program);
    },
  } as Engine;
}

/** AS */
function multiplyFrom(S: Matrix, A: Matrix): Matrix {
  return matrix(
    A.rows,
    S.cols,
    Float64Array.from({ length: A.rows * S.cols }, (_, at) => {
      let sum = 0;
      for (let j = 0; j < S.rows; j++) sum += A.data[Math.floor(at / S.cols) * A.cols + j] * S.data[j * S.cols + (at % S.cols)];
      return sum;
    }),
  );
}

const objective = ({ history }: Factorization) => history[history.length - 1].relativeError ** 2;

test.each(Object.entries(fits))('%s', async (_name, factorize) => {
  const reference = createReferenceEngine();
  const truth = await factorize(reference, dense);
  const onReference = await factorize(guarded(reference), X);
  expect(Math.abs(objective(onReference) / objective(truth) - 1)).toBeLessThan(1e-6);
  expect(onReference.relativeError / truth.relativeError).toBeCloseTo(1, 6);
  started ??= createEngine();
  const engine = await started;
  const ours = await factorize(guarded(engine), X);
  expect(Math.abs(objective(ours) / objective(truth) - 1)).toBeLessThan(1e-3);
  expect(ours.A.map(({ rows, cols }) => [rows, cols])).toEqual(truth.A.map(({ rows, cols }) => [rows, cols]));
  expect(engine.liveBuffers).toBe(0);

  // New samples, sparse and dense: the same approximations A⁰…AˡSˡ, to the rounding that an exact solve leaves. Not the same Sˡ: where
  // A⁰…Aˡ has dependent columns, as in Deep Semi-NMF with a rank of 3 after one of 6, many give the same product.
  const newX = termsByDocuments(2);
  const [sparseS, denseS] = [await transform(guarded(engine), ours, newX), await transform(engine, ours, toDense(newX))];
  sparseS.forEach((S, l) => {
    const approximation = (of: Matrix) => ours.A.slice(0, l + 1).reduceRight(multiplyFrom, of).data;
    const expected = approximation(denseS[l]);
    const largest = Math.max(...expected);
    approximation(S).forEach((x, at) => {
      expect(Math.abs(x - expected[at])).toBeLessThan(1e-3 * largest);
    });
  });
  if (ours.supervision?.classifiers.length) {
    const [a, b] = [await predict(guarded(engine), ours, newX), await predict(engine, ours, toDense(newX))];
    expect(a.labels).toEqual(b.labels);
  }
});

test('bounds of a sparse X are those of its entries, exact and randomised', () => {
  expect(svdBounds(X, [6, 3]).values.map((value, l) => value - svdBounds(dense, [6, 3]).values[l])).toEqual(
    [0, 0].map(() => expect.closeTo(0, 12)),
  );
  const wide = sparseFromDense({
    rows: M,
    cols: N,
    data: Float32Array.from({ length: N * M }, (_, at) => dense.data[(at % N) * M + Math.floor(at / N)]),
  });
  expect(svdBounds(wide, [4]).values[0]).toBeCloseTo(svdBounds(dense, [4]).values[0], 12);
  const r = random(3);
  const large = { rows: 2001, cols: 2002, data: new Float32Array(2001 * 2002) };
  for (let n = 0; n < 4000; n++) large.data[r.integer(large.data.length)] = r.uniform();
  const [ofSparse, ofDense] = [svdBounds(sparseFromDense(large), [5]), svdBounds(large, [5])];
  expect(ofSparse.method).toBe('randomised');
  expect(ofSparse.values[0]).toBeCloseTo(ofDense.values[0], 12);
});

test('the divergence of ssnmf of a sparse X is that of a dense one', async () => {
  const options = { ranks: 3, model: 2, maxIterations: 10, tolerance: 0, svdBound: false } as const;
  using engine = createReferenceEngine();
  const [ofSparse, ofDense] = [await ssnmf(engine, X, options), await ssnmf(engine, toDense(X), options)];
  ofDense.A[0].data.forEach((a, at) => {
    expect(Math.abs(ofSparse.A[0].data[at] - a)).toBeLessThan(1e-4);
  });
});

const ones = { rows: N, cols: M, data: new Float32Array(N * M).fill(1) };
const factor = (rows: number, cols: number) => ({ rows, cols, data: new Float32Array(rows * cols).fill(1) });
const refusals: Record<string, [fit: (engine: Engine, of: DataMatrix) => Promise<unknown>, message: string]> = {
  'weights of nmf': [
    (e, of) => nmf(e, of, { ranks: 3, weights: ones }),
    "The option 'weights' needs a dense matrix with an entry for each of X, but X is sparse; leave it out, or make X dense (toDense(X), or a file that is not sparse).",
  ],
  'weights of neuralNmf': [(e, of) => neuralNmf(e, of, { ranks: [3], weights: ones }), "The option 'weights' needs a dense matrix"],
  'weights of ssnmf': [(e, of) => ssnmf(e, of, { ranks: 3, weights: ones }), "The option 'weights' needs a dense matrix"],
  'mini-batches of neuralNmf': [
    (e, of) => neuralNmf(e, of, { ranks: [3], optimiser: 'adam', batchColumns: 9 }),
    "The option 'batchColumns' needs a dense matrix",
  ],
  'mini-batches of sparseCoding': [
    (e, of) => sparseCoding(e, of, { ranks: [3], batchColumns: 9 }),
    "The option 'batchColumns' needs a dense matrix",
  ],
  'a nonlinearity of deepSemiNmf': [
    (e, of) => deepSemiNmf(e, of, { ranks: [3], nonlinearity: 'tanh' }),
    "The nonlinearity 'tanh' needs a dense matrix",
  ],
  'the divergence of unfoldedNmf': [
    (e, of) => unfoldedNmf(e, of, { ranks: 3, beta: 1 }),
    'beta 1, which measures by divergence, needs a dense matrix',
  ],
  'the ratio mask of unfoldedNmf': [
    (e, of) =>
      unfoldedNmf(e, of, {
        ranks: 2,
        output: 'ratioMask',
        sources: [
          { columns: 1, target: ones },
          { columns: 1, target: ones },
        ],
      }),
    "output 'ratioMask' needs a dense matrix",
  ],
  'the gradient of nnls in X': [
    (e, of) => nnlsVjp(e, { X: of as never, A: factor(N, 2), S: factor(2, M) }, factor(2, M)),
    'nnlsVjp, whose gradient in X is dense, needs a dense matrix',
  ],
};

test.each(Object.entries(refusals))('%s is refused', async (_name, [factorize, message]) => {
  const engine = createReferenceEngine();
  const refused = await factorize(engine, X).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(InputError);
  expect((refused as Error).message).toContain(message);
});

test('an X that is no matrix, or not ≥ 0, is refused by its place', async () => {
  const engine = createReferenceEngine();
  const at = X.values.length - 1;
  const bad = (change: object) => nmf(engine, { ...X, ...change }, { ranks: 3 });
  await expect(bad({ values: X.values.with(at, -1) })).rejects.toThrow(
    /X has the entry -1 in row \d+, column \d+ \(counted from 0\), but every entry must be ≥ 0/,
  );
  await expect(bad({ columns: X.columns.with(at, M) })).rejects.toThrow(`column ${M} (counted from 0), but its columns are 0 to ${M - 1}`);
  await expect(bad({ values: new Float32Array(X.values.length) })).rejects.toThrow('Every entry of X is zero');
});

test('a fit that is nearly exact is reported as what it is, not as the rounding of the device', async () => {
  started ??= createEngine();
  const r = random(2);
  const [a, b] = [300, 200].map((length) => Array.from({ length }, () => r.uniform()));
  const data = Float32Array.from({ length: 300 * 200 }, (_, at) => {
    const [i, j] = [Math.floor(at / 200), at % 200];
    return i % 3 === j % 3 ? a[i] * b[j] : 0;
  });
  const blocks = sparseFromDense({ rows: 300, cols: 200, data });
  const models = [
    await nmf(await started, blocks, { ranks: 3, restarts: 4, maxIterations: 40 }),
    await neuralNmf(await started, blocks, { ranks: [6, 3], restarts: 4, maxIterations: 40 }),
    await hierarchicalNmf(await started, blocks, { ranks: [6, 3], restarts: 4, maxIterations: 40 }),
  ];
  const entry = (F: Matrix, i: number, j: number) => F.data[i * F.cols + j];
  for (const { A, S, relativeError, restartErrors, restart, layers } of models) {
    // The definition, entry by entry.
    const last = A.length - 1;
    let [missed, norm] = [0, 0];
    for (let i = 0; i < 300; i++) {
      const row = A.slice(1).reduce(
        (left, F) => Array.from({ length: F.cols }, (_, t) => left.reduce((sum, x, s) => sum + x * entry(F, s, t), 0)),
        Array.from({ length: A[0].cols }, (_, t) => entry(A[0], i, t)),
      );
      for (let j = 0; j < 200; j++) {
        missed += (data[i * 200 + j] - row.reduce((sum, x, t) => sum + x * entry(S[last], t, j), 0)) ** 2;
        norm += data[i * 200 + j] ** 2;
      }
    }
    // Squares of rounding in f64, 1e-16 and a few sums: 1e-7 of the root where it is as small itself.
    expect(Math.abs(relativeError - Math.sqrt(missed / norm))).toBeLessThan(1e-7);
    expect(relativeError).toBeLessThan(1e-3);
    expect(restartErrors[restart]).toBe(relativeError);
    expect(layers[last].relativeError).toBe(relativeError);
  }
});

test('a sparse forward pass of unfoldedNmf has no dense reconstruction', async () => {
  const engine = createReferenceEngine();
  const model = await unfoldedNmf(engine, X, { ...common, ranks: 3, maxIterations: 2, startIterations: 2 });
  expect(await transformUnfolded(guarded(engine), model, X)).toEqual(await transformUnfolded(engine, model, dense));
  await expect(reconstructUnfolded(engine, model, X)).rejects.toThrow('A reconstruction, which is dense, needs a dense matrix');
});

test('a sparse target of unfoldedNmf', async () => {
  const engine = createReferenceEngine();
  const target = { ...X, values: X.values.map((x) => 2 * x) };
  const options = { ...common, ranks: 3, maxIterations: 5, startIterations: 5 };
  const [ours, truth] = [
    await unfoldedNmf(engine, X, { ...options, target }),
    await unfoldedNmf(engine, dense, { ...options, target: toDense(target) }),
  ];
  expect(ours.relativeError).toBeCloseTo(truth.relativeError, 6);
});

test('nnls of sparse columns', async () => {
  const engine = createReferenceEngine();
  const r = random(9);
  const A = { rows: N, cols: 4, data: Float32Array.from({ length: 4 * N }, () => r.uniform()) };
  const [ours, truth] = [await nnls(engine, X, A), await nnls(engine, dense, A)];
  ours.S.data.forEach((s, at) => {
    expect(s).toBeCloseTo(truth.S.data[at], 6);
  });
  expect(isSparse(X)).toBe(true);
});

test('a sparse X that is nearly met goes on as far as the dense one: a cost of 0 may be rounding', async () => {
  const X = matrix(4, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 1]);
  started ??= createEngine();
  const engine = await started;
  const [sparse, dense] = [await nmf(engine, sparseFromDense(X), { ranks: 2 }), await nmf(engine, X, { ranks: 2 })];
  expect(dense.relativeError).toBeLessThan(1e-6);
  expect(sparse.relativeError).toBeLessThan(2e-6);
});

test('dense and sparse, on every executor, a fit by multiplicative updates ends at the same check', async () => {
  started ??= createEngine();
  for (const [noise, seed] of [
    [0.05, 21],
    [0.1, 22],
    [0.2, 23],
  ]) {
    const r = random(seed);
    const part = (rows: number, cols: number) =>
      matrix(
        rows,
        cols,
        Float32Array.from({ length: rows * cols }, () => (r.uniform() < 0.3 ? r.uniform() : 0)),
      );
    const exact = multiply(part(79, 5), part(5, 61));
    const noisy = { ...exact, data: exact.data.map((x) => x * (1 + noise * (2 * r.uniform() - 1))) };
    const fits: Factorization[] = [];
    for (const engine of [await started, createReferenceEngine()])
      for (const X of [noisy, sparseFromDense(noisy)])
        fits.push(await nmf(engine, X, { ranks: 5, solver: 'mu', tolerance: 1e-6, maxIterations: 4000, seed }));
    expect(
      fits.map(({ iterations }) => iterations),
      `noise ${noise}, seed ${seed}`,
    ).toEqual(fits.map(() => fits[0].iterations));
    expect(fits[0].converged).toBe(true);
  }
});
