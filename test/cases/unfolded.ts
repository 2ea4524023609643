/** Unfolded Deep NMF: one training step on the device and on the reference, and training that descends on the device. */
import { randomLowRank } from '../../src/data/generate.js';
import { random } from '../../src/data/random.js';
import type { Engine, Run } from '../../src/engine.js';
import { type UnfoldedProgram, type UnfoldedShape, unfoldedProgram } from '../../src/programs/unfolded.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Case, expectAtMost, seedOf, uniformEntries } from './support.js';

export const shapes: [name: string, shape: Omit<UnfoldedShape, 'rank' | 'l1'>][] = [
  ['β = 2', { layers: 4, untied: 2, beta: 2, sources: 0 }],
  ['β = 2, one dictionary', { layers: 3, untied: 0, beta: 2, sources: 0 }],
  ['KL', { layers: 4, untied: 2, beta: 1, sources: 0 }],
  ['KL, every layer its own', { layers: 2, untied: 2, beta: 1, sources: 0 }],
  ['β = 2, ratio masks', { layers: 3, untied: 1, beta: 2, sources: 2 }],
  ['KL, ratio masks, one dictionary', { layers: 2, untied: 0, beta: 1, sources: 3 }],
];

/** Random data, targets and dictionaries, one restart after another, and sources of one column, one column and the rest. */
export function writeUnfolded(run: Run, t: UnfoldedProgram, seed: number): void {
  const r = random(seed);
  const { rows: N, cols: M } = t.X;
  const k = t.H.rows;
  const count = t.sources.length;
  const columnsOf = (s: number) => Array.from({ length: k }, (_, j) => j).filter((j) => Math.min(j, count - 1) === s);
  run.write(t.X, randomLowRank(N, M, 4, { seed, noise: 0.5 }).data);
  run.write(t.target, randomLowRank(N, M, 4, { seed: (seed ^ 1) >>> 0, noise: 0.5 }).data);
  run.write(
    t.H0,
    uniformEntries(r, k * M).map((x) => x + 0.5),
  );
  run.write(t.ones.N, new Float32Array(N).fill(1));
  run.write(t.ones.M, new Float32Array(M).fill(1));
  t.sources.forEach(({ target, select }, s) => {
    run.write(target, uniformEntries(r, N * M));
    const diagonal = new Float32Array(k * k);
    for (const j of columnsOf(s)) diagonal[j * k + j] = 1;
    run.write(select, diagonal);
  });
  for (const W of t.W)
    run.write(
      W,
      uniformEntries(r, W.rows * W.cols * W.batch).map((x) => x + 0.05),
    );
}

const once = shapes.map(
  ([name, shape]): Case => ({
    name: `unfolded NMF, ${name}: one training step`,
    async run({ engine }) {
      const seed = seedOf(this.name);
      const t = unfoldedProgram(33, 29, { ...shape, rank: 5, l1: 0.1 }, 2);
      const after = async (on: Engine) => {
        using run = await on.prepare(t.program);
        writeUnfolded(run, t, seed);
        run.execute('step');
        run.execute('finish');
        return await run.sample([...t.W, t.H, t.cost, t.error]);
      };
      using reference = createReferenceEngine();
      const [actual, expected] = [await after(engine), await after(reference)];
      expected.forEach((values, i) => {
        let [difference, norm] = [0, 0];
        for (let j = 0; j < values.length; j++) {
          difference += (actual[i][j] - values[j]) ** 2;
          norm += values[j] ** 2;
        }
        expectAtMost(`tensor ${i}: ‖device − reference‖ / ‖reference‖ (seed ${seed})`, Math.sqrt(difference / norm), 1e-5);
      });
    },
  }),
);

/** No theorem says so through several layers, but every run of ours descended; rounding can show once the descent is slow. */
const descent: Case = {
  name: 'unfolded NMF: training descends and keeps every factor nonnegative',
  async run({ engine }) {
    const seed = seedOf(this.name);
    const t = unfoldedProgram(33, 29, { rank: 5, layers: 5, untied: 2, beta: 2, l1: 0, sources: 0 }, 2);
    using run = await engine.prepare(t.program);
    writeUnfolded(run, t, seed);
    let before = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let iteration = 1; iteration <= 40; iteration++) {
      run.execute('step');
      const [cost, ...factors] = await run.sample([t.cost, ...t.W]);
      cost.forEach((c, r) => {
        expectAtMost(`objective of restart ${r} in iteration ${iteration} (seed ${seed})`, c, before[r] * (1 + 1e-5));
      });
      before = Array.from(cost);
      for (const entries of factors) for (const x of entries) if (!(x >= 0)) throw new Error(`an entry is ${x}`);
    }
  },
};

export const unfolded: Case[] = [...once, descent];
