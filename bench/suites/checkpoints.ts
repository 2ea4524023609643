/** The cost of a checkpoint: ten iterations with one at their end, and without. All states of all restarts come to the host. */
import type { Run } from '../../src/engine.js';
import { type Checkpoint, restoreStates, takeCheckpoint } from '../../src/methods/checkpoint.js';
import { frozenOf } from '../../src/methods/frozen.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { type Bench, interleave, rowOf, type Subject } from '../measure.js';
import { makeProblem } from '../peers/contender.js';
import { median, type Row } from '../rows.js';

const iterations = 10;

export async function checkpointSuite(bench: Bench): Promise<Row[]> {
  const [N, M, k] = bench.quick ? [512, 256, 16] : [4096, 1024, 50];
  bench.progress(`${N}×${M}, k = ${k}`);
  const t = nmfProgram(N, M, k, { restarts: 1, solver: 'mu', weighted: false });
  const run = await bench.engine.prepare(t.program);
  try {
    const { X, A, S } = makeProblem(N, M, k);
    run.write(t.X, X.data);
    run.write(t.A, A.data);
    run.write(t.S, S.data);
    run.execute(t.sections.start);
    let latest: Checkpoint | undefined;
    const subjectOf = (what: string, end: () => Promise<unknown>): Subject => ({
      subject: 'orthant',
      case: `${iterations} multiplicative updates, ${N}×${M}, k = ${k}, ${what}`,
      units: 1,
      async reset() {
        await run.sample([t.cost]);
      },
      async run() {
        run.execute(t.sections.step, iterations);
        run.execute(t.sections.measure);
        await end();
      },
    });
    const subjects = [
      subjectOf('and a checkpoint', async () => {
        latest = await checkpointOf(run);
      }),
      subjectOf('without', () => run.sample([t.cost])),
    ];
    const times = await interleave(subjects, bench);
    const ms = Math.max(median(times[0]) - median(times[1]), 0);
    const bytes = latest!.states.reduce((sum, { data }) => sum + data.byteLength, 0);
    const note = `${ms.toFixed(1)} ms and ${(bytes / 2 ** 20).toFixed(1)} MiB a checkpoint: every 10 s that is ${((100 * ms) / 10_000).toFixed(2)} % of the time`;
    return [
      rowOf('checkpoints', subjects[0], times[0], { checked: await comesBack(run, latest!), note }),
      rowOf('checkpoints', subjects[1], times[1], { checked: true, note: 'what the iterations alone cost' }),
    ];
  } finally {
    run.dispose();
  }
}

function checkpointOf(run: Run): Promise<Checkpoint> {
  const loop = { iteration: 0, courses: [], checks: [] };
  return takeCheckpoint(run, frozenOf(run), {
    method: 'nmf',
    fingerprint: '',
    ended: [],
    stage: { name: 'nmf', norm: [1], loop },
    elapsedMs: 0,
  });
}

/** Whether the states that are written back are those that were read. */
async function comesBack(run: Run, checkpoint: Checkpoint): Promise<boolean> {
  restoreStates(run, checkpoint);
  const again = await checkpointOf(run);
  return again.states.every(({ data }, i) => data.every((x, at) => Object.is(x, checkpoint.states[i].data[at])));
}
