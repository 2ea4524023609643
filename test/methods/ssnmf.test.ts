/** (Semi-)supervised NMF: each model against loops written from its formula, what the objective does, and what users can rely on. */
import { describe, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { accuracyOf, classify, type Labels, labelTexts, targetsOf } from '../../src/data/labels.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { ssnmf, transformSsnmf } from '../../src/methods/ssnmf.js';
import { type SsnmfModel, ssnmfProgram } from '../../src/programs/ssnmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

/** Fits run in f64 on the reference: what the kernels do with the same programs is tested by test/cases. */
const engine = createReferenceEngine();

const models = [1, 2, 3, 4, 5, 6] as const;
type Tested = (typeof models)[number];
const N = 8;
const M = 7;
const K = 3;
const P = 3;
const lambda = 0.7;

type Rows = number[][];
const rowsOf = (rows: number, cols: number, entry: (i: number, j: number) => number): Rows =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: cols }, (_, j) => entry(i, j)));
const mul = (A: Rows, B: Rows): Rows => rowsOf(A.length, B[0].length, (i, j) => A[i].reduce((sum, a, t) => sum + a * B[t][j], 0));
const tr = (A: Rows): Rows => rowsOf(A[0].length, A.length, (i, j) => A[j][i]);
const each = (f: (...entries: number[]) => number, ...all: Rows[]): Rows =>
  rowsOf(all[0].length, all[0][0].length, (i, j) => f(...all.map((A) => A[i][j])));
const times = (A: Rows, B: Rows): Rows => each((a, b) => a * b, A, B);
const over = (A: Rows, B: Rows): Rows => each((a, b) => a / Math.max(b, 1e-30 * a, 2 ** -126), A, B);
const plus = (a: number, A: Rows, b: number, B: Rows): Rows => each((x, y) => a * x + b * y, A, B);
const sum = (A: Rows): number => A.flat().reduce((total, x) => total + x, 0);

/** One iteration as section 4 of the methods states it, every mask written out. */
function iterate(model: Tested, X: Rows, Y: Rows, W: Rows, L: Rows, A: Rows, B: Rows, S: Rows): { A: Rows; B: Rows; S: Rows } {
  const WX = times(W, X);
  const LY = times(L, Y);
  const frobenius = (D: Rows, MZ: Rows, mask: Rows, R: Rows) => times(D, over(mul(MZ, tr(R)), mul(times(mask, mul(D, R)), tr(R))));
  const divergence = (D: Rows, MZ: Rows, mask: Rows, R: Rows) =>
    times(D, over(mul(times(over(MZ, times(mask, mul(D, R))), mask), tr(R)), mul(mask, tr(R))));
  const newA = [1, 3, 4].includes(model) ? frobenius(A, WX, W, S) : divergence(A, WX, W, S);
  const newB = [3, 5].includes(model) ? frobenius(B, LY, L, S) : [4, 6].includes(model) ? divergence(B, LY, L, S) : B;
  const At = tr(newA);
  const Bt = tr(newB);
  const AWX = mul(At, WX);
  const AWAS = mul(At, times(W, mul(newA, S)));
  const AQ = mul(At, times(over(WX, times(W, mul(newA, S))), W));
  const AW = mul(At, W);
  const BLY = mul(Bt, LY);
  const BLBS = mul(Bt, times(L, mul(newB, S)));
  const BQ = mul(Bt, times(over(LY, times(L, mul(newB, S))), L));
  const BL = mul(Bt, L);
  const [numerator, denominator] = {
    1: [AWX, AWAS],
    2: [AQ, AW],
    3: [plus(1, AWX, lambda, BLY), plus(1, AWAS, lambda, BLBS)],
    4: [plus(2, AWX, lambda, BQ), plus(2, AWAS, lambda, BL)],
    5: [plus(1, AQ, 2 * lambda, BLY), plus(1, AW, 2 * lambda, BLBS)],
    6: [plus(1, AQ, lambda, BQ), plus(1, AW, lambda, BL)],
  }[model];
  return { A: newA, B: newB, S: times(S, over(numerator, denominator)) };
}

/** The objective of a model; 0 log 0 = 0. */
function objectiveOf(model: Tested, X: Rows, Y: Rows, W: Rows, L: Rows, A: Rows, B: Rows, S: Rows, weight = lambda): number {
  const squares = (Z: Rows, mask: Rows, R: Rows) => sum(each((z, m, r) => (m * (z - r)) ** 2, Z, mask, R));
  const divergence = (Z: Rows, mask: Rows, R: Rows) =>
    sum(each((z, m, r) => (m * z > 0 ? m * z * Math.log(z / r) : 0) - m * z + m * r, Z, mask, R));
  const data = ([1, 3, 4].includes(model) ? squares : divergence)(X, W, mul(A, S));
  if (model <= 2) return data;
  return data + weight * ([3, 5].includes(model) ? squares : divergence)(Y, L, mul(B, S));
}

function problem(seed: number, masked: boolean) {
  const r = random(seed);
  return {
    X: rowsOf(N, M, () => (r.uniform() < 0.15 ? 0 : 3 * r.uniform())),
    W: rowsOf(N, M, () => (masked && r.uniform() < 0.25 ? 0 : 1)),
    Y: rowsOf(P, M, (i, j) => (j % P === i && j < M - 2 ? 1 : 0)),
    L: rowsOf(P, M, (_, j) => (j < M - 2 ? 1 : 0)),
    A: rowsOf(N, K, () => 0.1 + r.uniform()),
    B: rowsOf(P, K, () => 0.1 + r.uniform()),
    S: rowsOf(K, M, () => 0.1 + r.uniform()),
  };
}

function prepare(model: Tested, masked: boolean) {
  return ssnmfProgram(N, M, K, { restarts: 1, model, labelWeight: lambda, classes: P, masked });
}

async function onReference(model: Tested, masked: boolean, given: ReturnType<typeof problem>) {
  const t = prepare(model, masked);
  const run = await engine.prepare(t.program);
  run.write(t.X, given.X.flat());
  if (t.W) run.write(t.W, given.W.flat());
  for (const ones of t.ones ? [t.ones.N, t.ones.M] : []) run.write(ones, new Float64Array(ones.rows).fill(1));
  run.write(t.A, given.A.flat());
  run.write(t.S, given.S.flat());
  if (t.labels) {
    run.write(t.labels.Y, given.Y.flat());
    run.write(t.labels.L, given.L.flat());
    run.write(t.labels.B, given.B.flat());
  }
  run.execute(t.sections.start);
  return { run, t };
}

describe.each([false, true])('masked: %s', (masked) => {
  test.each(models)('one iteration and the objective of model %i are those of the formulas', async (model) => {
    const given = problem(model, masked);
    const { run, t } = await onReference(model, masked, given);
    const { X, Y, W, L } = given;
    run.execute(t.sections.step);
    run.execute(t.sections.measure);
    run.execute(t.sections.finish);
    const { A, B, S } = iterate(model, X, Y, W, L, given.A, given.B, given.S);
    const near = (actual: ArrayLike<number>, expected: number[]) =>
      expected.forEach((value, i) => {
        expect(Math.abs(actual[i] - value)).toBeLessThan(1e-10 * Math.max(1, Math.abs(value)));
      });
    near(await run.read(t.A), A.flat());
    near(await run.read(t.S), S.flat());
    if (t.labels) near(await run.read(t.labels.B), B.flat());
    near(await run.read(t.cost), [objectiveOf(model, X, Y, W, L, A, B, S)]);
    near(await run.read(t.error), [sum(each((x, w, z) => (w * (x - z)) ** 2, X, W, mul(A, S)))]);
  });

  test.each([1, 2, 3, 6] as const)('model %i never raises its objective, and ends at a stationary point', async (model) => {
    const { run, t } = await onReference(model, masked, problem(10 + model, masked));
    let before = Number.POSITIVE_INFINITY;
    for (let iteration = 0; iteration < 300; iteration++) {
      run.execute(t.sections.step);
      run.execute(t.sections.measure);
      const [cost] = await run.read(t.cost);
      expect(cost).toBeLessThanOrEqual(before * (1 + 1e-9));
      before = cost;
    }
    run.execute(t.sections.step, 6000);
    run.execute(t.sections.finish);
    const [ofS, ofA] = await run.sample(t.kkt);
    expect(Math.max(ofS[0], ofA[0])).toBeLessThan(2e-3);
  });
});

test.each([4, 5] as const)('model %i falls from random starts', async (model) => {
  const { run, t } = await onReference(model, true, problem(20 + model, true));
  let before = Number.POSITIVE_INFINITY;
  for (let iteration = 0; iteration < 300; iteration++) {
    run.execute(t.sections.step);
    run.execute(t.sections.measure);
    const [cost] = await run.read(t.cost);
    expect(cost).toBeLessThanOrEqual(before * (1 + 1e-9));
    before = cost;
  }
});

test('the published update of S in model 4 can raise the objective: 1×1, X = 0, A = 1, B small', () => {
  // F(s) = s² + λ(log(1/(bs)) − 1 + bs) with λ = 1, b = 0.01: the update takes 0.5 to 1.98.
  const F = (s: number) => s * s - Math.log(0.01 * s) - 1 + 0.01 * s;
  const s = 0.5;
  const next = (s * (0.01 * (1 / (0.01 * s)))) / (2 * s + 0.01);
  expect(F(next)).toBeGreaterThan(F(s) + 0.02);
});

const { X, labels } = tableOne(0);

function hide(truth: readonly number[], seed: number): Labels {
  const r = random(seed);
  return truth.map((label) => (r.uniform() < 0.4 ? label : null));
}

test.each([3, 4, 5, 6] as const)('model %i finds the two classes of the Table 1 data from two labels in five', async (model) => {
  const truth = labels[2];
  const given = hide(truth, 3);
  const options = { ranks: 2, model, labels: given, truth, restarts: 2, maxIterations: 120 } as const;
  const fitted = await ssnmf(engine, X, options);
  expect(fitted.method).toBe('ssnmf');
  expect(fitted.settings).toMatchObject({ model, labelWeight: expect.any(Number) });
  expect(fitted.supervision!.classes).toEqual(['0', '1']);
  expect(fitted.supervision!.accuracy.labelled).toBe(1);
  expect(fitted.supervision!.accuracy.unlabelled).toBeGreaterThanOrEqual(0.95);
  expect(fitted.relativeError).toBeGreaterThan(fitted.svdBound!);
  expect(fitted.relativeError).toBeLessThan(1.3 * fitted.svdBound!);
  const [S] = await transformSsnmf(engine, fitted, X);
  const predicted = classify(fitted.supervision!.classifiers[0].B, S);
  expect(accuracyOf(predicted, targetsOf(given, 90), labelTexts(truth)).unlabelled).toBeGreaterThanOrEqual(0.95);
});

test('a mask hides what it covers, and the bound is not claimed', async () => {
  const spoilt = matrix(87, 90, Float32Array.from(X.data));
  const mask = matrix(87, 90, new Float32Array(87 * 90).fill(1));
  for (let i = 0; i < spoilt.data.length; i += 11) {
    spoilt.data[i] = 500;
    mask.data[i] = 0;
  }
  const fitted = await ssnmf(engine, spoilt, { ranks: 4, model: 1, weights: mask, maxIterations: 200 });
  expect(fitted.svdBound).toBeNull();
  expect(fitted.relativeError).toBeLessThan(0.4);
  let residual = 0;
  let norm = 0;
  for (let i = 0; i < 87; i++)
    for (let c = 0; c < 90; c++) {
      let z = 0;
      for (let j = 0; j < 4; j++) z += fitted.A[0].data[i * 4 + j] * fitted.S[0].data[j * 90 + c];
      if (mask.data[i * 90 + c] === 0) continue;
      residual += (X.data[i * 90 + c] - z) ** 2;
      norm += X.data[i * 90 + c] ** 2;
    }
  expect(Math.abs(fitted.relativeError / Math.sqrt(residual / norm) - 1)).toBeLessThan(1e-4);
});

test('transform finds the S of new samples: exact where the model is Frobenius, stationary where it is the divergence', async () => {
  const A = matrix(5, 2, [1, 0, 2, 1, 0, 3, 1, 1, 0.5, 2]);
  const truth = matrix(2, 3, [1, 0, 2, 0.5, 3, 0]);
  const data = matrix(5, 3);
  for (let i = 0; i < 5; i++)
    for (let c = 0; c < 3; c++) for (let j = 0; j < 2; j++) data.data[i * 3 + c] += A.data[i * 2 + j] * truth.data[j * 3 + c];
  const fitted = (model: SsnmfModel) =>
    ssnmf(engine, data, { ranks: 2, model, labels: model === 3 ? ['a', 'b', 'a'] : undefined, maxIterations: 1 });
  for (const model of [3, 2] as const) {
    const [S] = await transformSsnmf(engine, { ...(await fitted(model)), A: [A] }, data);
    S.data.forEach((s, i) => {
      expect(Math.abs(s - truth.data[i])).toBeLessThan(model === 3 ? 1e-5 : 1e-2);
    });
  }
  await expect(transformSsnmf(engine, await fitted(3), matrix(4, 3))).rejects.toThrow(ShapeError);
});

test('a class that no labelled sample has is left out of the classifier, and the model says which', async () => {
  const truth = labels[4];
  const given = truth.map((label) => (label === 2 ? null : label));
  const fitted = await ssnmf(engine, X, { ranks: 4, labels: given, truth, maxIterations: 10, svdBound: false });
  expect(fitted.supervision!.classes).toEqual(['0', '1', '3']);
  expect(fitted.settings.classesWithoutLabel).toEqual(['2']);
  expect(fitted.supervision!.accuracy.unlabelled).toBe(0);
});

/** A mask of ones but for `value` where `at` says. */
const maskOf = (rows: number, at: (row: number, col: number) => boolean, value = 0): Matrix =>
  matrix(
    rows,
    90,
    Float32Array.from({ length: rows * 90 }, (_, i) => (at(Math.floor(i / 90), i % 90) ? value : 1)),
  );

test.each([
  ['too few labels', { labels: [1, 2] }, /2 labels for 90 samples/],
  ['one class only', { labels: labels[9].map((l) => (l === 3 ? 'a' : null)) }, /Every labelled sample is in class "a"/],
  ['no labelled sample', { labels: labels[9].map(() => '') }, /No sample has a label/],
  ['truth of another length', { labels: labels[9], truth: [1] }, /1 true labels for 90/],
  ['truth alone', { truth: labels[9] }, /without labels/],
  ['a negative λ', { labels: labels[9], labelWeight: -1 }, /labelWeight must be a finite number ≥ 0, not -1/],
  ['λ = NaN', { labels: labels[9], labelWeight: Number.NaN }, /labelWeight/],
  ['labels with model 2', { labels: labels[9], model: 2 as const }, /Model 2 takes no labels/],
  ['model 4 without labels', { model: 4 as const }, /Model 4 needs labels/],
  ['a model that is none', { model: 99 as unknown as SsnmfModel }, /model must be/],
  ['a mask of another shape', { weights: maskOf(86, () => false) }, /weights is 86×90/],
  ['a mask with a zero row', { weights: maskOf(87, (row) => row === 1) }, /all of row 1/],
  ['a mask with a zero column', { weights: maskOf(87, (_row, col) => col === 5) }, /all of column 5/],
  ['a mask with weights', { weights: maskOf(87, (row, col) => row === 1 && col === 1, 0.5) }, /entry 0.5 in row 1, column 1/],
])('%s is refused', async (_name, options, message) => {
  const attempt = ssnmf(engine, X, { ranks: 4, ...options });
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});
