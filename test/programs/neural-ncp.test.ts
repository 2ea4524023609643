/** Neural nonnegative CP as a program: its gradient against central differences, and what it must reduce to, in f64. */
import { expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import type { Run } from '../../src/engine.js';
import { control } from '../../src/graph/operations.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { type NeuralNcpProgram, neuralNcpProgram } from '../../src/programs/neural-ncp.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { denseEntries, drawnTensor } from '../support/tensors.js';

const reference = createReferenceEngine();

async function costOf(run: Run, t: Pick<NeuralNcpProgram, 'control'>, eta = 0.5): Promise<number> {
  const initial = new Float64Array(control.length);
  initial[control.eta] = eta;
  initial[control.cost] = 3e38;
  run.write(t.control, initial);
  run.execute('start');
  return (await run.read(t.control))[control.cost];
}

test.each([
  { shape: [6, 5], rank: 4, ranks: [3], weights: [1, 1], held: false, kruskal: false },
  { shape: [7, 5, 6], rank: 4, ranks: [3, 2], weights: [1, 0.7, 1.3], held: false, kruskal: false },
  { shape: [7, 5, 6], rank: 4, ranks: [3, 2], weights: [1, 0.7, 1.3], held: true, kruskal: false },
  { shape: [7, 5, 6], rank: 5, ranks: [3, 2], weights: [0, 0.7, 1.3], held: true, kruskal: true },
  { shape: [4, 3, 5, 3], rank: 3, ranks: [3, 2, 2], weights: [0.5, 0, 2, 1], held: false, kruskal: false },
  { shape: [3, 2, 3, 2, 3, 2], rank: 2, ranks: [2, 1], weights: [0, 1, 0], held: false, kruskal: false },
])('gradients in every factor: $shape, $rank, $ranks, w = $weights, held $held, X = [[F]] $kruskal', async (given) => {
  const { shape, rank, ranks, weights, held, kruskal } = given;
  const seed = 5;
  const r = random(seed);
  const t = neuralNcpProgram(shape, rank, ranks, { restarts: 1, weights, held, kruskal, tolerance: 0 });
  using run = await reference.prepare(t.program);
  const fill = (tensor: Tensor) => {
    const entries = Float64Array.from({ length: tensor.rows * tensor.cols }, () => 0.1 + r.uniform());
    run.write(tensor, entries);
    return entries;
  };
  if (t.X) fill(t.X);
  const values = new Map([...t.F, ...t.A.flat()].map((tensor) => [tensor, fill(tensor)]));
  await costOf(run, t);
  const gradients = await Promise.all(t.free.map(async ({ D }) => Float64Array.from(await run.read(D))));
  const step = 1e-6;
  const scale = Math.max(...gradients.flatMap((own) => Array.from(own, Math.abs)));
  let worst = 0;
  for (const [v, { value }] of t.free.entries()) {
    const entries = values.get(value)!;
    for (let i = 0; i < entries.length; i++) {
      const own = entries[i];
      const at = async (x: number) => {
        entries[i] = x;
        run.write(value, entries);
        return await costOf(run, t);
      };
      const slope = ((await at(own + step)) - (await at(own - step))) / (2 * step);
      await at(own);
      worst = Math.max(worst, Math.abs(slope - gradients[v][i]) / scale);
    }
  }
  expect(worst, `seed ${seed}`).toBeLessThan(1e-6);
});

/** X is its own first factor, the second is the identity and has no chain: then X_l = A⁰…AˡSˡ of X itself. */
test('an order-2 tensor with one chain and the identity as its other factor is Neural NMF with the cost of all levels', async () => {
  const [N, M] = [8, 6];
  const seed = 3;
  const r = random(seed);
  const entries = (count: number) => Float64Array.from({ length: count }, () => 0.1 + r.uniform());
  const [X, A0, A1] = [entries(N * M), entries(N * 4), entries(4 * 2)];
  const neural = neuralProgram(N, M, [4, 2], { restarts: 1, start: 'random', cost: { reconstruction: [1, 1] }, tolerance: 0 });
  using expected = await reference.prepare(neural.program);
  for (const [tensor, data] of [
    [neural.X, X],
    [neural.A[0], A0],
    [neural.A[1], A1],
  ] as const)
    expected.write(tensor, data);
  const t = neuralNcpProgram([N, M], M, [4, 2], { restarts: 1, weights: [0, 1, 1], held: true, modes: [0], tolerance: 0 });
  using run = await reference.prepare(t.program);
  for (const [tensor, data] of [
    [t.X!, X],
    [t.F[0], X],
    [t.A[0][0], A0],
    [t.A[0][1], A1],
  ] as const)
    run.write(tensor, data);
  run.write(
    t.F[1],
    Float64Array.from({ length: M * M }, (_, i) => (i % (M + 1) === 0 ? 1 : 0)),
  );
  // The metric of Neural NMF is relative to the sum of the weights, which is 2 here.
  const cost = await costOf(expected, neural, 0.25);
  expect(Math.abs((await costOf(run, t)) - cost) / cost, `seed ${seed}`).toBeLessThan(1e-13);
  for (const times of [0, 7]) {
    for (const one of [run, expected]) if (times > 0) one.execute('step', times);
    for (const l of [0, 1]) {
      for (const [own, other] of [
        [t.free[l].D, neural.D[l]],
        [t.A[0][l], neural.A[l]],
        [t.S[0][l], neural.S[l]],
      ]) {
        const [a, b] = [await run.read(own), await expected.read(other)];
        const scale = Math.max(...b.map(Math.abs));
        expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]))) / scale, `${other.name} after ${times}, seed ${seed}`).toBeLessThan(1e-10);
      }
    }
  }
});

test.each([
  { shape: [8, 5], rank: 4, ranks: [3], held: false },
  { shape: [7, 5, 6], rank: 4, ranks: [3, 2], held: false },
  { shape: [7, 3, 5, 4], rank: 4, ranks: [3, 2], held: true },
])('cost, gradients, steps and errors of an X in coordinates are those of the dense one: $shape, held $held', async (given) => {
  const { shape, rank, ranks, held } = given;
  const seed = 8;
  const r = random(seed);
  const X = drawnTensor(r, { shape, entries: 25 });
  X.values.forEach((x, e) => {
    X.values[e] = Math.abs(x);
  });
  const programs = [X.values.length, undefined].map((cooEntries) =>
    neuralNcpProgram(shape, rank, ranks, { restarts: 1, weights: [1, 0.7, 1.3], held, tolerance: 0, cooEntries }),
  );
  const starts = [...programs[0].F, ...programs[0].A.flat()].map(({ rows, cols }) =>
    Float64Array.from({ length: rows * cols }, () => 0.1 + r.uniform()),
  );
  const results: (Float32Array | Float64Array)[][] = [];
  for (const t of programs) {
    using run = await reference.prepare(t.program);
    run.write(t.X!, t.X!.form === 'coo' ? X : denseEntries(X));
    for (const [i, tensor] of [...t.F, ...t.A.flat()].entries()) run.write(tensor, starts[i]);
    const cost = await costOf(run, t);
    const read = async () => await run.sample(t.free.flatMap(({ value, D }) => [value, D]));
    const atStart = await read();
    run.execute('step', 5);
    run.execute('errors');
    results.push([Float64Array.of(cost), ...atStart, ...(await read()), ...(await run.sample(t.errors))]);
  }
  results[0].forEach((own, i) => {
    const other = results[1][i];
    const worst = Math.max(...own.map((x, at) => Math.abs(x - other[at])));
    expect(worst, `result ${i}, seed ${seed}`).toBeLessThanOrEqual(1e-10 * Math.max(...other.map(Math.abs)));
  });
});
