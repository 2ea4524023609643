/** The reference's derivatives against central differences in f64: no kernel and no f32 is involved. */
import { expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { random } from '../../src/data/random.js';
import type { Run } from '../../src/engine.js';
import { control } from '../../src/graph/operations.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { neuralProgram } from '../../src/methods/neural.js';
import { qGradientProgram, qProgram } from '../../src/methods/q.js';
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
  backward.execute('backward');
  expect(await againstDifferences(await backward.read(t.dX), X, (x) => cost(x, A))).toBeLessThan(1e-6);
  expect(await againstDifferences(await backward.read(t.dA), A, (a) => cost(X, a))).toBeLessThan(1e-6);
});

test.each([[[4]], [[5, 3]], [[5, 3, 2]]])('the gradient of Neural NMF %j', async (ranks) => {
  const [N, M] = [9, 12];
  const X = randomLowRank(N, M, 4, { seed: 5, noise: 0.5 });
  const t = neuralProgram(N, M, ranks, { restarts: 1, start: 'random' });
  using run = await engine.prepare(t.program);
  const r = random(7);
  const A = t.A.map((tensor) => Float64Array.from({ length: tensor.rows * tensor.cols }, () => r.uniform() + 0.05));
  await evaluate(run, t.control, t.X, X.data, t.A, A);
  const gradients = await Promise.all(t.D.map((tensor) => run.read(tensor)));
  for (let l = 0; l < ranks.length; l++) {
    const cost = (moved: Float64Array) =>
      evaluate(
        run,
        t.control,
        t.X,
        X.data,
        t.A,
        A.map((own, j) => (j === l ? moved : own)),
      );
    expect(await againstDifferences(gradients[l], A[l], cost), `layer ${l}`).toBeLessThan(1e-6);
  }
});

/** Runs 'start' at the given A and returns the objective. */
async function evaluate(run: Run, state: Tensor, X: Tensor, data: Float32Array, tensors: Tensor[], A: Float64Array[]): Promise<number> {
  run.write(X, data);
  tensors.forEach((tensor, l) => {
    run.write(tensor, A[l]);
  });
  const initial = new Float64Array(control.length);
  initial[control.eta] = 0.5;
  initial[control.cost] = 1e300;
  run.write(state, initial);
  run.execute('start');
  return (await run.read(state))[control.cost];
}
