/** Deep sparse coding: derivatives against central differences in f64, and what a fit promises. */
import { afterAll, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { control } from '../../src/graph/operations.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { sparseCoding, transformSparseCoding } from '../../src/methods/sparse-coding.js';
import { createEngine } from '../../src/node/engine.js';
import { sparseCodingProgram } from '../../src/programs/sparse-coding.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { codesByCoordinates } from '../cases/sparse-coding.js';

let started: Promise<Engine> | undefined;
const engine = () => {
  started ??= createEngine();
  return started;
};
afterAll(async () => (await started)?.dispose());

const reference = createReferenceEngine();

test.each([
  { ranks: [4], reconstruction: 1, classes: 0, batchColumns: 12 },
  { ranks: [5, 3, 2], reconstruction: 1, classes: 0, batchColumns: 12 },
  { ranks: [5, 3], reconstruction: 0, classes: 3, batchColumns: 12 },
  { ranks: [5, 4, 3], reconstruction: 0.7, classes: 3, batchColumns: 12 },
  { ranks: [5, 3], reconstruction: 0.7, classes: 3, batchColumns: 5 },
  { ranks: [4], reconstruction: 0.7, classes: 3, batchColumns: 4 },
])('the gradients of D, λ and B: $ranks, w = $reconstruction, $classes classes, $batchColumns of 12 columns', async (given) => {
  const { ranks, reconstruction, classes, batchColumns } = given;
  const [N, M] = [9, 12];
  const r = random(11);
  const entries = (count: number, value: () => number) => Float64Array.from({ length: count }, value);
  const t = sparseCodingProgram(N, M, ranks, {
    restarts: 1,
    batchColumns,
    reconstruction,
    supervised: classes > 0 ? { classes, labelled: 9, weight: 1.5 } : undefined,
    learnLambda: true,
    // A step of length zero: the gradients are those of the point that was written.
    optimiser: { name: 'momentum', rate: 0, momentum: 0 },
  });
  using run = await reference.prepare(t.program);
  run.write(
    t.X,
    entries(N * M, () => 3 * r.normal()),
  );
  // Three columns have no label.
  if (t.Y)
    run.write(
      t.Y,
      Float64Array.from({ length: classes * M }, (_, i) => (i % M < 9 && (i % M) % classes === Math.floor(i / M) ? 1 : 0)),
    );
  const order = [7, 2, 9, 0, 4, 11, 1, 3, 8, 5, 10, 6];
  if (t.order) run.write(t.order, order);
  const parameters: [Tensor, Tensor, Float64Array][] = [
    // First layers free in sign, the others with a lean to plus, so that the codes below are not all zero; norms below 1 throughout.
    ...t.A.map((D, l): [Tensor, Tensor, Float64Array] => [
      D,
      t.gradient.D[l],
      entries(D.rows * D.cols, () => (r.normal() + (l === 0 ? 0 : 1)) / (3 * Math.sqrt(D.rows))),
    ]),
    ...t.lambda.map((lambda, l): [Tensor, Tensor, Float64Array] => [lambda, t.gradient.lambda[l], Float64Array.of(0.05 + 0.02 * l)]),
  ];
  if (t.B) parameters.push([t.B, t.gradient.B!, entries(classes * ranks.at(-1)!, () => r.normal())]);
  const costAt = async (which: number, values: Float64Array) => {
    parameters.forEach(([tensor, , own], i) => {
      run.write(tensor, i === which ? values : own);
    });
    run.write(t.control, new Float64Array(control.length));
    run.execute('step');
    return (await run.read(t.control))[control.cost];
  };
  const cost = await costAt(-1, new Float64Array(0));
  const analytic = await Promise.all(parameters.map(([, gradient]) => run.read(gradient)));
  for (const [which, [{ name }, , own]] of parameters.entries()) {
    const scale = Math.max(...analytic[which].map(Math.abs));
    expect(scale, `∂C/∂${name}`).toBeGreaterThan(0);
    for (let i = 0; i < own.length; i++) {
      const moved = Float64Array.from(own);
      const h = 1e-6;
      moved[i] = own[i] + h;
      const above = await costAt(which, moved);
      moved[i] = own[i] - h;
      const below = await costAt(which, moved);
      expect(Math.abs((above - below) / (2 * h) - analytic[which][i]) / scale, `∂C/∂${name}[${i}]`).toBeLessThan(1e-6);
    }
  }
  // The mini-batches of one pass have the objective of all columns as their mean; 'measure' agrees.
  if (M % batchColumns !== 0) return;
  let mean = await costAt(-1, new Float64Array(0));
  expect(mean).toBe(cost);
  for (let i = 1; i < M / batchColumns; i++) {
    run.execute('step');
    mean += (await run.read(t.control))[control.cost];
  }
  run.execute('measure');
  expect(Math.abs((await run.read(t.cost))[0] / ((mean * batchColumns) / M) - 1)).toBeLessThan(1e-12);
});

const { X, labels } = tableOne(0);
const byGroup = labels[4].map(String);

test('a semi-supervised network learns the classes, and says what it learned', async () => {
  const r = random(3);
  const known = byGroup.map((label) => (r.uniform() < 0.4 ? label : null));
  const model = await sparseCoding(await engine(), X, { ranks: [9, 4], labels: known, truth: byGroup, restarts: 2, maxIterations: 120 });
  expect(model.method).toBe('sparse-coding');
  expect(model.supervision!.accuracy.labelled).toBe(1);
  expect(model.supervision!.accuracy.unlabelled).toBe(1);
  const [{ layer, B }] = model.supervision!.classifiers;
  expect([layer, B.rows, B.cols]).toEqual([1, 4, 4]);
  expect(B.data.some((b) => b < 0)).toBe(true);
  for (const { data } of model.S) for (const s of data) expect(s >= 0).toBe(true);
  for (const { rows, cols, data } of model.A) {
    for (let j = 0; j < cols; j++) {
      let norm = 0;
      for (let i = 0; i < rows; i++) norm += data[i * cols + j] ** 2;
      expect(norm).toBeLessThan(1 + 1e-5);
    }
  }
  expect(model.relativeError).toBeLessThan(0.35);
  expect(model.relativeError).toBeGreaterThanOrEqual(model.svdBound! * (1 - 1e-5));
  const lambda = model.settings.l1;
  for (const value of lambda) expect(value >= 0).toBe(true);
  expect(model.kktResidual).toBeLessThan(1e-5);
  expect(model.history.at(-1)!.relativeError).toBeLessThan(model.history[0].relativeError);
  expect(model.restartErrors[model.restart]).toBeCloseTo(model.relativeError, 12);
  for (const error of model.restartErrors) expect(error).toBeGreaterThanOrEqual(model.svdBound! * (1 - 1e-5));

  // The codes of the same columns, from the model alone: in the units of X, and those of an independent solver in f64.
  const again = await transformSparseCoding(await engine(), model, X);
  again.forEach((S, l) => {
    const own = model.S[l].data;
    const largest = Math.max(...own);
    S.data.forEach((s, i) => {
      expect(Math.abs(s - own[i])).toBeLessThan(1e-3 * largest);
    });
  });
  const independent = codesByCoordinates(X, model.A[0], lambda[0]);
  const most = Math.max(...independent);
  independent.forEach((s, i) => {
    expect(Math.abs(s - model.S[0].data[i])).toBeLessThan(1e-3 * most);
  });
});

test('mini-batches in fresh orders lower the objective, with momentum, on data of both signs', async () => {
  const r = random(5);
  const signed = matrix(
    20,
    50,
    Float32Array.from({ length: 1000 }, () => 40 * r.normal()),
  );
  const halves = Array.from({ length: 50 }, (_, c) => c % 2);
  const momentum = { optimiser: { name: 'momentum', rate: 0.02 } as const };
  const options = { ranks: [8, 4], labels: halves, batchColumns: 16, ...momentum, maxIterations: 80, restarts: 2, svdBound: false };
  const model = await sparseCoding(await engine(), signed, options);
  expect(model.A[0].data.some((a) => a < 0)).toBe(true);
  expect(model.history.at(-1)!.relativeError).toBeLessThan(0.98 * model.history[0].relativeError);
  // The same seed gives the same fit, other units (a power of two, so without rounding) the same codes in those units.
  const inOtherUnits = matrix(
    20,
    50,
    signed.data.map((x) => 1024 * x),
  );
  const scaled = await sparseCoding(await engine(), inOtherUnits, options);
  expect(scaled.A[0].data).toEqual(model.A[0].data);
  expect(scaled.S[1].data).toEqual(model.S[1].data.map((s) => 1024 * s));
  expect(scaled.supervision!.classifiers[0].B.data.map((b) => 1024 * b)).toEqual(model.supervision!.classifiers[0].B.data);
  expect(scaled.settings.l1).toEqual(model.settings.l1.map((value) => 1024 * value));
});

test('λ stays where it is put unless it may learn, and never falls below 0', async () => {
  const options = { ranks: [6], maxIterations: 40, svdBound: false };
  const fixed = await sparseCoding(await engine(), X, { ...options, l1: 2 });
  expect(fixed.settings.l1[0]).toBeCloseTo(2, 5);
  const learned = await sparseCoding(await engine(), X, { ...options, l1: 0.5, learnL1: true });
  expect(learned.settings.l1[0]).toBe(0);
});

test.each([
  ['a label too few', { labels: ['a'] }, /1 labels for 90 samples/],
  ['one class', { labels: new Array<string>(90).fill('a') }, /needs two classes/],
  ['no label', { labels: new Array<string>(90).fill('') }, /No sample has a label/],
  ['a negative λ', { l1: -1 }, /l1 must be a finite number ≥ 0/],
  ['λ for other layers', { l1: [1, 2, 3] }, /3 values for 2 layers/],
  ['a batch beyond the data', { batchColumns: 91 }, /batchColumns is 91/],
  ['a rate of 0', { optimiser: { name: 'adam', rate: 0 } as const }, /optimiser.rate/],
  ['an unknown optimiser', { optimiser: 'sgd' as 'adam' }, /optimiser/],
  ['nothing to learn', { reconstruction: 0 }, /nothing to learn/],
])('%s is refused', async (_name, options, message) => {
  const attempt = sparseCoding(reference, X, { ranks: [9, 4], ...options });
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});
