/** How the time of one iteration grows when one size does and the others stay. */

import { type SparseMatrix, sparseFromEntries } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { type NmfSolver, nmfProgram } from '../../src/programs/nmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Bench, checkNote, interleave, relativeDifference, rowOf, type Subject, unitsFor } from '../measure.js';
import { makeProblem } from '../peers/contender.js';
import type { Row } from '../rows.js';

interface Sizes {
  N: number;
  M: number;
  k: number;
  R: number;
  /** Stored entries of a CSR X; 0 is a dense X. */
  nnz: number;
}

const base: Sizes = { N: 512, M: 512, k: 16, R: 1, nnz: 0 };

/** The non-zeros of one and the same 8192×1024, from .05 % to 12 %. */
const sparse: Sizes = { ...base, N: 8192, M: 1024 };

const axes: { [axis in keyof Sizes]: number[] } = {
  N: [64, 128, 256, 512, 1024, 2048, 4096],
  M: [64, 128, 256, 512, 1024, 2048, 4096],
  k: [4, 8, 16, 32, 64, 128],
  R: [1, 2, 4, 8, 16],
  nnz: [4_096, 16_384, 65_536, 262_144, 1_048_576],
};

const few: typeof axes = { N: [64, 512, 4096], M: [64, 512, 4096], k: [4, 16, 32], R: [1, 2, 4], nnz: [4_096, 65_536] };

const solvers: Record<NmfSolver, string> = { mu: 'multiplicative update', hals: 'sweep of HALS', anls: 'alternating exact solves' };

export async function scalingSuite(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const solver of Object.keys(solvers) as NmfSolver[]) {
    for (const [axis, values] of Object.entries(bench.quick ? few : axes) as [keyof Sizes, number[]][]) {
      rows.push(...(await along(bench, solver, axis, values)));
    }
  }
  return rows;
}

/** The points of an axis take turns, too: a curve must not bend because the machine was busy for a while. */
async function along(bench: Bench, solver: NmfSolver, axis: keyof Sizes, values: readonly number[]): Promise<Row[]> {
  const points = [];
  try {
    for (const at of values) {
      const sizes = { ...(axis === 'nnz' ? sparse : base), [axis]: at };
      const others = Object.entries(sizes)
        .filter(([size, value]) => size !== axis && value > 0)
        .map(([size, value]) => `${size} = ${value}`);
      const name = `${solvers[solver]}, ${axis} = ${at.toLocaleString('en')} (${others.join(', ')})`;
      bench.progress(name);
      points.push({ at, ...(await point(bench, solver, sizes, name)) });
    }
    const times = await interleave(
      points.map(({ subject }) => subject),
      { ...bench, progress: (line) => bench.progress(`${solvers[solver]}, ${axis}: ${line}`) },
    );
    return points.map(({ at, subject, verdict }, i) => rowOf('scaling', subject, times[i], { ...verdict, figures: { at } }));
  } finally {
    for (const { dispose } of points) dispose();
  }
}

async function point(bench: Bench, solver: NmfSolver, sizes: Sizes, name: string) {
  const { run, t } = await started(bench.engine, solver, sizes);
  const verdict = await check(bench.engine, solver, sizes);
  const execute = async (times: number) => {
    run.execute(t.sections.step, times);
    await run.sample([t.cost]);
  };
  const units = await unitsFor(execute, bench);
  const subject: Subject = {
    subject: 'orthant',
    case: name,
    units,
    reset: async () => void (await run.sample([t.cost])),
    run: () => execute(units),
  };
  return { subject, verdict, dispose: () => run.dispose() };
}

async function started(engine: Engine, solver: NmfSolver, { N, M, k, R, nnz }: Sizes) {
  const { X, A, S } = makeProblem(N, M, k);
  const t = nmfProgram(N, M, k, { restarts: R, solver, weighted: false, csrEntries: nnz || undefined });
  const run = await engine.prepare(t.program);
  run.write(t.X, nnz ? scattered(N, M, nnz, X.data) : X.data);
  run.write(t.A, A.data);
  run.write(t.S, S.data);
  run.execute(t.sections.start);
  return { run, t };
}

/** A matrix with `nnz` entries scattered evenly: a stride that shares no factor with N·M meets every place once. */
function scattered(N: number, M: number, nnz: number, values: Float32Array): SparseMatrix {
  const stride = 2_654_435_761;
  const at = Float64Array.from({ length: nnz }, (_, e) => Number((BigInt(e) * BigInt(stride)) % BigInt(N * M)));
  return sparseFromEntries(N, M, {
    rowIndices: at.map((place) => Math.floor(place / M)),
    columns: at.map((place) => place % M),
    values: at.map((place) => values[place]),
  });
}

/** The cost after one iteration: every entry of A and S is in it. */
async function check(engine: Engine, solver: NmfSolver, sizes: Sizes) {
  const costs: ArrayLike<number>[] = [];
  // One restart stands for all on the reference; on the device all of them start alike, and all are compared with it.
  for (const [executor, R] of [
    [engine, sizes.R],
    [createReferenceEngine(), 1],
  ] as const) {
    const { run, t } = await started(executor, solver, { ...sizes, R });
    run.execute(t.sections.step);
    run.execute(t.sections.measure);
    costs.push(await run.read(t.cost));
    run.dispose();
  }
  const [actual, [expected]] = costs as [ArrayLike<number>, number[]];
  return checkNote(
    Array.from(actual, (cost) => relativeDifference([cost], [expected])),
    1e-4,
    'in cost after 1 iteration',
  );
}
