/** How the time of one iteration grows when one size does and the others stay. */

import type { Engine } from '../../src/engine.js';
import { type NmfSolver, nmfProgram } from '../../src/methods/nmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Bench, checkNote, interleave, relativeDifference, rowOf, type Subject, unitsFor } from '../measure.js';
import { makeProblem } from '../peers/contender.js';
import type { Row } from '../rows.js';

interface Sizes {
  N: number;
  M: number;
  k: number;
  R: number;
}

const base: Sizes = { N: 512, M: 512, k: 16, R: 1 };

const axes: { [axis in keyof Sizes]: number[] } = {
  N: [64, 128, 256, 512, 1024, 2048, 4096],
  M: [64, 128, 256, 512, 1024, 2048, 4096],
  k: [4, 8, 16, 32, 64, 128],
  R: [1, 2, 4, 8, 16],
};

const few: typeof axes = { N: [64, 512, 4096], M: [64, 512, 4096], k: [4, 16, 32], R: [1, 2, 4] };

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
      const { [axis]: _, ...rest } = base;
      const others = Object.entries(rest).map(([size, value]) => `${size} = ${value}`);
      const name = `${solvers[solver]}, ${axis} = ${at.toLocaleString('en')} (${others.join(', ')})`;
      bench.progress(name);
      points.push({ at, ...(await point(bench, solver, { ...base, [axis]: at }, name)) });
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

async function started(engine: Engine, solver: NmfSolver, { N, M, k, R }: Sizes) {
  const { X, A, S } = makeProblem(N, M, k);
  const t = nmfProgram(N, M, k, { restarts: R, solver, weighted: false });
  const run = await engine.prepare(t.program);
  run.write(t.X, X.data);
  run.write(t.A, A.data);
  run.write(t.S, S.data);
  run.execute(t.sections.start);
  return { run, t };
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
