/** One iteration of each of the six (semi-)supervised models, on the device and on the reference. */
import { randomLowRank } from '../../src/data/generate.js';
import { random } from '../../src/data/random.js';
import type { Engine } from '../../src/engine.js';
import { ssnmfProgram } from '../../src/programs/ssnmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Case, type Entries, expectAtMost, seedOf, uniformEntries, unit } from './support.js';

const [N, M, K, P, restarts] = [37, 43, 5, 3, 2];

/** Quotients of sums of about 40 positive terms, through three updates that each see the last one's rounding. */
const tolerance = 3 * 4 * Math.sqrt(50) * 2 * unit;

export const ssnmf: Case[] = ([1, 2, 3, 4, 5, 6] as const).flatMap((model) =>
  [false, true].map(
    (masked): Case => ({
      name: `model ${model}${masked ? ' masked' : ''}, one iteration of two restarts`,
      async run({ engine }) {
        const seed = seedOf(`ssnmf ${this.name}`);
        const X = randomLowRank(N, M, K, { seed, noise: 0.2 });
        const t = ssnmfProgram(N, M, K, { restarts, model, labelWeight: 2.5, classes: P, masked });
        const read = async (on: Engine): Promise<Entries[]> => {
          const r = random(seed);
          using run = await on.prepare(t.program);
          run.write(t.X, X.data);
          if (t.W)
            run.write(
              t.W,
              Float32Array.from({ length: N * M }, () => (r.uniform() < 0.2 ? 0 : 1)),
            );
          for (const ones of t.ones ? [t.ones.N, t.ones.M] : []) run.write(ones, new Float32Array(ones.rows).fill(1));
          run.write(t.A, uniformEntries(r, N * K * restarts));
          run.write(t.S, uniformEntries(r, K * M * restarts));
          if (t.labels) {
            // Two samples in three are labelled.
            run.write(
              t.labels.Y,
              Float32Array.from({ length: P * M }, (_, i) => ((i % M) % 4 === Math.floor(i / M) ? 1 : 0)),
            );
            run.write(
              t.labels.L,
              Float32Array.from({ length: P * M }, (_, i) => ((i % M) % 4 < P ? 1 : 0)),
            );
            run.write(t.labels.B, uniformEntries(r, P * K * restarts));
          }
          for (const section of [t.sections.start, t.sections.step, t.sections.measure, t.sections.finish]) run.execute(section);
          return await run.sample([t.A, t.S, t.error, t.cost, ...(t.labels ? [t.labels.B] : [])]);
        };
        using reference = createReferenceEngine();
        const actual = await read(engine);
        const expected = await read(reference);
        expected.forEach((values, i) => {
          // log may be off by 2^-21, which shows in sums of divergences of almost equal entries.
          const bound = i === 3 && model !== 1 && model !== 3 ? 1e-4 : tolerance;
          expectAtMost(`${['A', 'S', 'error', 'cost', 'B'][i]} off by (seed ${seed})`, distance(actual[i], values), bound);
        });
      },
    }),
  ),
);

/** ‖actual − expected‖ / ‖expected‖. */
export function distance(actual: Entries, expected: Entries): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
