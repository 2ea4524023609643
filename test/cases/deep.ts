/** One iteration of deep NMF for every map between layers, on the device and on the reference. */
import { randomLowRank } from '../../src/data/generate.js';
import { random } from '../../src/data/random.js';
import type { Engine, Run } from '../../src/engine.js';
import { type Bridge, deepForwardProgram, deepProgram, type Groups } from '../../src/programs/deep.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { distance } from './ssnmf.js';
import { type Case, type Entries, expectAtMost, seedOf, uniformEntries, unit } from './support.js';

const [N, M, restarts] = [33, 29, 2];
const ranks = [7, 3, 2];

/** Three layers of updates, each a quotient of sums of about 40 positive terms and an update that saw the last one's rounding. */
const tolerance = 3 * 3 * 4 * Math.sqrt(40) * 2 * unit;

const bridges: (Partial<Bridge> & { name: string })[] = [
  { name: 'no map' },
  { name: 'average of features', pooling: 'average' },
  { name: 'maximum of features', pooling: 'max' },
  { name: 'average of samples', pooling: 'average', poolOver: 'samples', poolSize: 3 },
  { name: 'maximum of samples', pooling: 'max', poolOver: 'samples' },
  { name: 'log1p', activation: 'log1p' },
  { name: 'square roots', activation: 'power', power: 0.5 },
  { name: 'averages of squares', activation: 'power', power: 2, pooling: 'average' },
];

function writeGroups(run: Run, groups: readonly (Groups | undefined)[], size: number): void {
  for (const group of groups) {
    if (!group) continue;
    const { rows, cols } = group.U;
    const inside = Float32Array.from({ length: rows * cols }, (_, i) => (Math.floor((i % cols) / size) === Math.floor(i / cols) ? 1 : 0));
    run.write(group.U, inside);
    if (group.P)
      run.write(
        group.P,
        inside.map((x) => x / size),
      );
  }
}

async function compare(
  engine: Engine,
  names: string[],
  read: (on: Engine) => Promise<Entries[]>,
  bound: number,
  seed: number,
): Promise<void> {
  using reference = createReferenceEngine();
  const actual = await read(engine);
  const expected = await read(reference);
  expected.forEach((values, i) => {
    expectAtMost(`${names[i]} off by (seed ${seed})`, distance(actual[i], values), bound);
  });
}

const steps = bridges.map(
  ({ name, ...own }): Case => ({
    name: `deep NMF with ${name}, one iteration of two restarts`,
    async run({ engine }) {
      const seed = seedOf(this.name);
      const X = randomLowRank(N, M, 5, { seed, noise: 0.2 });
      const bridge: Bridge = { pooling: 'none', poolSize: 2, poolOver: 'features', activation: 'identity', power: 0.5, ...own };
      const t = deepProgram(N, M, ranks, { restarts, bridge, weights: [1, 0.7, 1.2], supervision: { classes: 2, labelWeight: 1.5 } });
      const samples = t.S[2].cols;
      const read = async (on: Engine): Promise<Entries[]> => {
        const r = random(seed);
        using run = await on.prepare(t.program);
        run.write(t.X, X.data);
        writeGroups(run, t.groups, bridge.poolSize);
        for (const tensor of [...t.A, ...t.S, t.labels!.B]) run.write(tensor, uniformEntries(r, tensor.rows * tensor.cols * restarts));
        run.write(
          t.labels!.Y,
          Float32Array.from({ length: 2 * samples }, (_, i) => ((i % samples) % 3 === Math.floor(i / samples) ? 1 : 0)),
        );
        run.write(
          t.labels!.L,
          Float32Array.from({ length: 2 * samples }, (_, i) => ((i % samples) % 3 < 2 ? 1 : 0)),
        );
        for (const section of ['step', 'measure', 'errors', 'finish']) run.execute(section);
        return await run.sample([...t.A, ...t.S, t.labels!.B, t.cost, ...t.errors]);
      };
      const named = ['A0', 'A1', 'A2', 'S0', 'S1', 'S2', 'B', 'E', 'error0', 'error1', 'error2'];
      await compare(engine, named, read, tolerance, seed);
    },
  }),
);

const forward: Case = {
  name: 'deep NMF of new samples, forward through max pooling',
  async run({ engine }) {
    const seed = seedOf(this.name);
    const X = randomLowRank(N, M, 5, { seed, noise: 0.2 });
    const bridge: Bridge = { pooling: 'max', poolSize: 2, poolOver: 'features', activation: 'log1p', power: 0.5 };
    const { program, ...t } = deepForwardProgram(N, M, [7, 3], bridge);
    const read = async (on: Engine): Promise<Entries[]> => {
      const r = random(seed);
      using run = await on.prepare(program);
      run.write(t.X, X.data);
      writeGroups(run, t.groups, bridge.poolSize);
      for (const tensor of t.A) run.write(tensor, uniformEntries(r, tensor.rows * tensor.cols));
      t.S.forEach((_, l) => {
        run.execute(`layer${l}`);
      });
      return await run.sample(t.S);
    };
    // Exact solves: rounding times the condition of the Gram matrices of random features, up to about 1e3.
    await compare(engine, ['S0', 'S1'], read, 1e3 * 2 * unit, seed);
  },
};

export const deep: Case[] = [...steps, forward];
