/** The reference's derivatives against central differences in f64: no kernel and no f32 is involved. */
import { expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { random } from '../../src/data/random.js';
import type { Run } from '../../src/engine.js';
import { control } from '../../src/graph/operations.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { type NeuralProgram, type NeuralProgramOptions, neuralProgram } from '../../src/programs/neural.js';
import { qGradientProgram, qProgram } from '../../src/programs/q.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();

/** Largest difference between an analytic gradient and central differences, relative to the largest entry of the gradient. */
async function againstDifferences(
  gradient: ArrayLike<number>,
  at: Float64Array,
  cost: (at: Float64Array) => Promise<number>,
): Promise<number> {
  const h = 1e-6;
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < at.length; i++) {
    const moved = Float64Array.from(at);
    moved[i] = at[i] + h;
    const above = await cost(moved);
    moved[i] = at[i] - h;
    const below = await cost(moved);
    worst = Math.max(worst, Math.abs((above - below) / (2 * h) - gradient[i]));
    scale = Math.max(scale, Math.abs(gradient[i]));
  }
  return worst / scale;
}

test.each([1, 2, 3])('the vector–Jacobian product of q, seed %i', async (seed) => {
  const [N, M, k] = [11, 5, 4];
  const r = random(seed);
  const X = Float64Array.from({ length: N * M }, () => r.uniform());
  const A = Float64Array.from({ length: N * k }, () => r.uniform());
  const weights = Float64Array.from({ length: k * M }, () => r.normal());
  const q = qProgram(N, M, k);
  using forward = await engine.prepare(q.program);
  const solve = async (x: Float64Array, a: Float64Array) => {
    forward.write(q.X, x);
    forward.write(q.A, a);
    forward.execute('solve');
    return forward.read(q.S);
  };
  // C = Σ weights ∘ S, so ∂C/∂S = weights.
  const cost = async (x: Float64Array, a: Float64Array) => Array.from(await solve(x, a)).reduce((sum, s, i) => sum + s * weights[i], 0);
  const S = await solve(X, A);
  const t = qGradientProgram(N, M, k);
  using backward = await engine.prepare(t.program);
  for (const [tensor, entries] of [
    [t.X, X],
    [t.A, A],
    [t.S, S],
    [t.dS, weights],
  ] as const)
    backward.write(tensor, entries);
  backward.execute('solve');
  backward.execute('products');
  expect(await againstDifferences(await backward.read(t.dX), X, (x) => cost(x, A))).toBeLessThan(1e-6);
  expect(await againstDifferences(await backward.read(t.dA), A, (a) => cost(X, a))).toBeLessThan(1e-6);
});

const three = [0.5, 2, 1];
const squared = (layer: number) => ({ layer, loss: 'squared', weight: 3, classes: 3, labelled: 8 }) as const;
const crossEntropy = (layer: number) => ({ layer, loss: 'crossEntropy', weight: 3, classes: 3, labelled: 8 }) as const;

test.each<[string, number[], Partial<NeuralProgramOptions>]>([
  ['one layer', [4], {}],
  ['two layers', [5, 3], {}],
  ['three layers', [5, 3, 2], {}],
  ['energy', [5, 3, 2], { cost: { reconstruction: [0, 0, 0], energy: three } }],
  ['reconstruction and energy', [5, 3, 2], { cost: { reconstruction: [0, 0, 0.7], energy: three } }],
  ['all levels', [5, 3, 2], { cost: { reconstruction: [1, 0.5, 2] } }],
  ['the deeper levels', [5, 4, 3, 2], { cost: { reconstruction: [0, 1, 0, 0.5] } }],
  ['all levels, L1 and energy', [5, 3, 2], { cost: { reconstruction: three, energy: three, l1: [0.05, 0.02, 0.01] } }],
  ['all levels, weights on X and a classifier', [5, 3], { weighted: true, cost: { reconstruction: [1, 0.5] }, classifiers: [squared(0)] }],
  ['L1 on every S', [5, 3, 2], { cost: { l1: [0.05, 0.02, 0.01] } }],
  ['L1 and energy', [5, 3], { cost: { energy: [1, 0.5], l1: [0.05, 0.02] } }],
  ['weights on X', [4, 2], { weighted: true }],
  ['weights on X and energy', [4, 2], { weighted: true, cost: { energy: [0.5, 1] } }],
  ['a squared classifier on the last layer', [5, 3], { classifiers: [squared(1)] }],
  ['squared classifiers on two layers', [5, 3, 2], { classifiers: [squared(0), squared(2)] }],
  ['cross-entropy on the last layer', [5, 3], { classifiers: [crossEntropy(1)] }],
  [
    'everything at once',
    [5, 3, 2],
    { weighted: true, cost: { energy: three, l1: [0.02, 0.01, 0] }, classifiers: [crossEntropy(0), squared(1)] },
  ],
])('the gradient of Neural NMF: %s', async (_name, ranks, options) => {
  const [N, M] = [9, 12];
  const X = randomLowRank(N, M, 4, { seed: 5, noise: 0.5 });
  const t = neuralProgram(N, M, ranks, { restarts: 1, start: 'random', ...options });
  using run = await engine.prepare(t.program);
  const r = random(7);
  run.write(t.X, X.data);
  if (t.W)
    run.write(
      t.W,
      Float64Array.from({ length: N * M }, () => (r.uniform() < 0.2 ? 0 : r.uniform() + 0.5)),
    );
  writeLabels(run, t, M);
  // With the squared loss B is a function of S, not a variable.
  const values = [...t.A, ...t.classifiers.filter(({ loss }) => loss === 'crossEntropy').map(({ B }) => B)];
  const at = values.map((tensor) => Float64Array.from({ length: tensor.rows * tensor.cols }, () => r.uniform() + 0.05));
  const cost = (changed: Float64Array[]) => evaluate(run, t, values, changed);
  await cost(at);
  const gradients = await Promise.all(t.D.map((tensor) => run.read(tensor)));
  for (let i = 0; i < t.A.length; i++) {
    const error = await againstDifferences(gradients[i], at[i], (moved) => cost(at.map((own, j) => (j === i ? moved : own))));
    expect(error, `layer ${i}`).toBeLessThan(1e-6);
  }
});

/** Eight of the columns carry one of three labels. */
function writeLabels(run: Run, t: NeuralProgram, M: number): void {
  for (const { Y, L, mask } of t.classifiers) {
    const labelled = (c: number) => c < 8;
    run.write(
      Y,
      Float64Array.from({ length: 3 * M }, (_, i) => (labelled(i % M) && Math.floor(i / M) === (i % M) % 3 ? 1 : 0)),
    );
    for (const tensor of [L, mask])
      run.write(
        tensor,
        Float64Array.from({ length: tensor.rows * M }, (_, i) => (labelled(i % M) ? 1 : 0)),
      );
  }
}

/** Runs 'start' at the given variables and returns the objective. */
async function evaluate(run: Run, t: NeuralProgram, tensors: readonly Tensor[], values: readonly Float64Array[]): Promise<number> {
  tensors.forEach((tensor, i) => {
    run.write(tensor, values[i]);
  });
  const initial = new Float64Array(control.length);
  initial[control.eta] = 0.5;
  initial[control.cost] = 1e300;
  run.write(t.control, initial);
  run.execute('start');
  return (await run.read(t.control))[control.cost];
}
