/** What somebody gets who gives no option but ranks and labels: see docs/defaults.md for the measurements. */
import { afterAll, describe, expect, test } from 'vitest';
import { digits } from '../../bench/defaults/data.js';
import { accuracies, drawTableOne, supervisions } from '../../src/cli/table1-experiment.js';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, multiply } from '../../src/data/matrix.js';
import type { Engine } from '../../src/engine.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { programFor } from '../../src/methods/program-for.js';
import { predict } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
const device = () => (started ??= createEngine());
afterAll(async () => (await started)?.dispose());

test('neuralNmf: all levels, four restarts, label weight 1, a hierarchical start; the other methods: one restart', async () => {
  using engine = createReferenceEngine();
  const X = randomLowRank(9, 12, 3, { seed: 3, noise: 0.3 });
  const labels = Array.from({ length: 12 }, (_, m) => (m % 3 === 2 ? null : `class ${m % 2}`));
  const given = { ranks: [4, 2], maxIterations: 15, labels };
  const model = await neuralNmf(engine, X, given);
  const named = await neuralNmf(engine, X, { ...given, cost: 'levels', restarts: 4, labelWeight: 1, start: 'hierarchical' });
  expect({ ...model, elapsedMs: 0 }).toEqual({ ...named, elapsedMs: 0 });
  expect(model.settings).toMatchObject({ cost: { reconstruction: [1, 1], energy: [0, 0] }, labelWeight: 1, start: 'hierarchical' });
  expect(model.restartErrors).toHaveLength(4);
  expect((await nmf(engine, X, { ranks: 2, maxIterations: 3 })).restartErrors).toHaveLength(1);
  const batches = (method: 'neural' | 'nmf') => programFor(method, { rows: 9, cols: 12, ranks: [2] }).tensors.map(({ batch }) => batch);
  expect([Math.max(...batches('neural')), Math.max(...batches('nmf'))]).toEqual([4, 1]);
});

test('the course of a fit ends at the root mean square of the errors of all levels', async () => {
  using engine = createReferenceEngine();
  const X = randomLowRank(14, 17, 4, { seed: 5, noise: 0.3 });
  const { history, layers } = await neuralNmf(engine, X, { ranks: [5, 3, 2], maxIterations: 20, tolerance: 0 });
  const squares = layers.map(({ relativeError }) => relativeError ** 2);
  const mean = squares.reduce((sum, square) => sum + square) / squares.length;
  // The errors are those of four factors at most, each rounded to f32: X̂ moves by 4 · 2⁻²⁴ ‖X‖.
  expect(Math.abs(history.at(-1)!.relativeError - Math.sqrt(mean))).toBeLessThan(2 ** -22);
});

/** Errors as published, with one, two and three layers. */
const published = { none: [0.029, 0.31, 0.492], semi: [0.042, 0.305, 0.496], full: [0.042, 0.307, 0.498] };

describe('Table 1, seed 0', () => {
  const ranks = [9, 4, 2] as const;
  const { X, labels, labelled } = drawTableOne(0);
  test.each(supervisions)('labels %s: below the published errors, every column right, every level near its bound', async (supervision) => {
    for (const layers of [1, 2, 3] as const) {
      const truth = labels[ranks[layers - 1]].map(String);
      const given = { full: truth, semi: truth.map((label, m) => (labelled[m] ? label : null)), none: undefined }[supervision];
      const model = await neuralNmf(await device(), X, { ranks: ranks.slice(0, layers), ...(given && { labels: given, truth }) });
      expect(model.relativeError).toBeLessThan(published[supervision][layers - 1]);
      if (given) expect(accuracies(model, labelled, supervision).accuracy).toBe(1);
      // With labels the bound is no limit that a fit should reach.
      for (const { relativeError, svdBound } of model.layers) if (!given) expect(relativeError).toBeLessThan(1.01 * svdBound!);
    }
  });
});

/** The class whose mean is nearest. */
function nearestMeans(seen: Matrix, classes: readonly string[], fresh: Matrix): string[] {
  const names = [...new Set(classes)];
  const members = names.map((name) => classes.filter((other) => other === name).length);
  const of = (m: number, c: number) => (classes[m] === names[c] ? 1 / members[c] : 0);
  const ones = { rows: seen.cols, cols: names.length, data: new Float32Array(seen.cols * names.length) };
  ones.data.forEach((_, at) => {
    ones.data[at] = of(Math.floor(at / names.length), at % names.length);
  });
  const means = multiply(seen, ones);
  return Array.from({ length: fresh.cols }, (_, m) => {
    const distances = names.map((_, c) => {
      let sum = 0;
      for (let i = 0; i < fresh.rows; i++) sum += (fresh.data[i * fresh.cols + m] - means.data[i * names.length + c]) ** 2;
      return sum;
    });
    return names[distances.indexOf(Math.min(...distances))];
  });
}

test('digits that no fit saw are told at least as well as by the nearest mean of a class', async () => {
  const { X, classes, fresh } = await digits(0, { train: 150, test: 450 });
  const right = (found: readonly (string | null)[]) => found.filter((label, m) => label === fresh.classes[m]).length / found.length;
  const model = await neuralNmf(await device(), X, { ranks: [20, 10], labels: classes, maxIterations: 100, svdBound: false });
  const accuracy = right((await predict(await device(), model, fresh.X)).labels);
  expect(accuracy).toBeGreaterThanOrEqual(right(nearestMeans(X as Matrix, classes, fresh.X as Matrix)));
});
