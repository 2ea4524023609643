/**
 * An iteration of multiplicative updates on a sparse X by the divergence of Kullback and Leibler, which forms AS at the stored entries, and
 * one by the squared error, which never does.
 */
import { random } from '../../src/data/random.js';
import type { SparseMatrix } from '../../src/data/sparse.js';
import type { Engine, Run } from '../../src/engine.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { betaLoss } from '../../src/programs/losses.js';
import { type NmfProgram, nmfProgram } from '../../src/programs/nmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { csrByteLength } from '../../src/webgpu/layout/csr-layout.js';
import { type Bench, checkNote, interleave, pairedRatio, relativeDifference, rowOf, type Subject } from '../measure.js';
import type { Row } from '../rows.js';
import { scattered } from './sparse.js';

const k = 10;
const density = 0.001;
const checkedIterations = 3;
const names = { 1: 'Kullback–Leibler', 2: 'Frobenius' } as const;

export async function sparseLosses(bench: Bench): Promise<Row[]> {
  const [N, M] = bench.quick ? [8_000, 1_000] : [40_000, 2_000];
  const entries = Math.round(density * N * M);
  const iterations = bench.quick ? 5 : 10;
  const X = scattered(N, M, entries);
  const least = csrByteLength({ rows: N, cols: M, entries }) + 4 * (N + M) * k;
  const runs: Run[] = [];
  const subjects: (Subject & { note: string; checked: boolean })[] = [];
  try {
    for (const beta of [1, 2] as const) {
      bench.progress(`${N}×${M}, ${names[beta]}: first run and check`);
      const t = nmfProgram(N, M, k, { restarts: 1, solver: 'mu', weighted: false, csrEntries: entries, loss: betaLoss(beta) });
      const before = bench.engine.liveBytes;
      const run = await prepared(bench.engine, t, X);
      runs.push(run);
      run.execute(t.sections.step);
      run.execute(t.sections.finish);
      await run.sample([t.cost]);
      const taken = bench.engine.liveBytes - before;
      const memory = `${(taken / 2 ** 20).toFixed(1)} MiB on the device, ${(taken / least).toFixed(2)} × X and the factors`;
      const { checked, note } = await check(bench.engine, t, X);
      subjects.push({
        subject: 'orthant',
        case: `update by ${names[beta]}, k = ${k}, ${N.toLocaleString('en')}×${M.toLocaleString('en')}, ${entries.toLocaleString('en')} non-zeros`,
        units: iterations,
        note: `${memory}; ${note}`,
        checked,
        async reset() {
          writeStart(run, t, X);
          await run.sample([t.cost]);
        },
        async run() {
          run.execute(t.sections.step, iterations);
          await run.sample([t.cost]);
        },
      });
    }
    const times = await interleave(subjects, bench);
    const ratio = `${pairedRatio(times[1], times[0]).toFixed(2)} × that by ${names[2]}; `;
    return subjects.map((one, i) => rowOf('sparse', one, times[i], { checked: one.checked, note: `${i === 0 ? ratio : ''}${one.note}` }));
  } finally {
    for (const run of runs) run.dispose();
  }
}

async function prepared(engine: Engine, t: NmfProgram, X: SparseMatrix): Promise<Run> {
  const run = await engine.prepare(t.program);
  writeStart(run, t, X);
  return run;
}

function writeStart(run: Run, t: NmfProgram, X: SparseMatrix): void {
  const r = random(3);
  const positive = ({ rows, cols }: Tensor) => Float32Array.from({ length: rows * cols }, () => 0.01 + 0.02 * r.uniform());
  run.write(t.X, X);
  run.write(t.A, positive(t.A));
  run.write(t.S, positive(t.S));
  for (const ones of t.ones ? [t.ones.N, t.ones.M] : []) run.write(ones, new Float32Array(ones.rows).fill(1));
  run.execute(t.sections.start);
}

async function check(engine: Engine, t: NmfProgram, X: SparseMatrix): Promise<Pick<Row, 'checked' | 'note'>> {
  const cost = async (executor: Engine) => {
    using run = await prepared(executor, t, X);
    run.execute(t.sections.step, checkedIterations);
    run.execute(t.sections.measure);
    return Array.from((await run.sample([t.cost]))[0]);
  };
  using reference = createReferenceEngine();
  const difference = relativeDifference(await cost(engine), await cost(reference));
  return checkNote([difference], 1e-4, `in cost after ${checkedIterations} iterations`);
}
