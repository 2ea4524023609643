/**
 * An epoch of Neural NMF [20, 6] on a term–document matrix with 0.1 % non-zeros, and the same with the non-zeros taken out. The rest is
 * the work on the factors, so the quotient shows the cost of the data itself.
 */
import { random } from '../../src/data/random.js';
import { type SparseMatrix, sparseFromEntries } from '../../src/data/sparse.js';
import type { Engine, Run } from '../../src/engine.js';
import { control } from '../../src/graph/operations.js';
import { type NeuralProgram, neuralProgram } from '../../src/programs/neural.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Bench, checkNote, interleave, pairedRatio, relativeDifference, rowOf, type Subject } from '../measure.js';
import { median, type Row } from '../rows.js';
import { sparseLosses } from './sparse-losses.js';

const ranks = [20, 6];
const density = 0.001;
const checkedIterations = 3;

export async function sparseSuite(bench: Bench): Promise<Row[]> {
  return [...(await neuralEpochs(bench)), ...(await sparseLosses(bench))];
}

async function neuralEpochs(bench: Bench): Promise<Row[]> {
  const [N, M] = bench.quick ? [8_000, 1_000] : [40_000, 2_000];
  const iterations = bench.quick ? 5 : 10;
  const subjects: Subject[] = [];
  const runs: Run[] = [];
  let verdict: Pick<Row, 'checked' | 'note'> = { checked: true, note: '' };
  let memory = '';
  try {
    for (const entries of [Math.round(density * N * M), 0]) {
      const what = entries > 0 ? `${entries.toLocaleString('en')} non-zeros` : 'the non-zeros taken out';
      bench.progress(`${N}×${M}, ${what}: first run and check`);
      const X = scattered(N, M, entries);
      const t = neuralProgram(N, M, ranks, { restarts: 1, start: 'random', csrEntries: entries });
      const before = bench.engine.liveBytes;
      const run = await prepared(bench.engine, t, X);
      runs.push(run);
      if (entries > 0) {
        memory = `${((bench.engine.liveBytes - before) / 2 ** 20).toFixed(0)} MiB on the device, X dense would take ${((N * M * 4) / 2 ** 20).toFixed(0)}`;
        verdict = await check(bench.engine, t, X);
      }
      subjects.push({
        subject: 'orthant',
        case: `epoch of [${ranks}], ${N.toLocaleString('en')}×${M.toLocaleString('en')}, ${what}`,
        units: iterations,
        async reset() {
          writeStart(run, t, X);
          await run.sample([t.control]);
        },
        async run() {
          run.execute('step', iterations);
          await run.sample([t.control]);
        },
      });
    }
    const times = await interleave(subjects, bench);
    const ratio = `${pairedRatio(times[1], times[0]).toFixed(2)} × the epoch without its non-zeros (${median(times[1]).toFixed(0)} ms)`;
    return [
      rowOf('sparse', subjects[0], times[0], { ...verdict, note: `${ratio}; ${memory}; ${verdict.note}` }),
      rowOf('sparse', subjects[1], times[1], { checked: true, note: 'what the factors alone cost' }),
    ];
  } finally {
    for (const run of runs) run.dispose();
  }
}

/** Entries of uniform size at places that a stride without a common factor with N·M meets once each. */
export function scattered(N: number, M: number, count: number): SparseMatrix {
  const r = random(11);
  const stride = 2_654_435_761n;
  const at = Float64Array.from({ length: count }, (_, e) => Number((BigInt(e) * stride) % BigInt(N * M)));
  return sparseFromEntries(N, M, {
    rowIndices: at.map((place) => Math.floor(place / M)),
    columns: at.map((place) => place % M),
    values: at.map(() => 0.5 + r.uniform()),
  });
}

async function prepared(engine: Engine, t: NeuralProgram, X: SparseMatrix): Promise<Run> {
  const run = await engine.prepare(t.program);
  writeStart(run, t, X);
  return run;
}

function writeStart(run: Run, t: NeuralProgram, X: SparseMatrix): void {
  const r = random(3);
  run.write(t.X, X);
  for (const tensor of t.A)
    run.write(
      tensor,
      Float32Array.from({ length: tensor.rows * tensor.cols }, () => 0.1 + r.uniform()),
    );
  const initial = new Float32Array(control.length);
  initial[control.eta] = 0.5;
  initial[control.cost] = 3e38;
  run.write(t.control, initial);
  run.execute('start');
}

async function check(engine: Engine, t: NeuralProgram, X: SparseMatrix): Promise<Pick<Row, 'checked' | 'note'>> {
  const cost = async (executor: Engine) => {
    using run = await prepared(executor, t, X);
    run.execute('step', checkedIterations);
    return (await run.sample([t.control]))[0][control.cost];
  };
  using reference = createReferenceEngine();
  const difference = relativeDifference([await cost(engine)], [await cost(reference)]);
  return checkNote([difference], 1e-4, `in cost after ${checkedIterations} iterations`);
}
