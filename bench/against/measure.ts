/** Two builds of orthant, the working tree and another commit, in turns on one device. */
import type { Engine } from '../../src/engine.js';
import { neuralProgram } from '../../src/programs/neural.js';
import type { nmfProgram } from '../../src/programs/nmf.js';
import type { qProgram } from '../../src/programs/q.js';
import type { createWebGpuEngine } from '../../src/webgpu/engine.js';
import { gramOf, largestResidual, productOf } from '../kkt.js';
import { type Bench, checkNote, interleave, ratioTo, relativeDifference, rowOf, type Subject, unitsFor } from '../measure.js';
import { makeProblem } from '../peers/contender.js';
import { onOrthant } from '../peers/orthant.js';
import type { Row } from '../rows.js';
import { caseName, checkedIterations, referenceFactors, type Shape, shapesFor } from '../suites/multiplicative.js';
import { checkNeural, ranks, writeStart, X } from '../suites/neural.js';
import { leastSquares } from '../suites/nnls.js';

/** The exports that both builds must have; see against/build.ts. */
export interface Build {
  createWebGpuEngine: typeof createWebGpuEngine;
  nmfProgram: typeof nmfProgram;
  neuralProgram: typeof neuralProgram;
  qProgram: typeof qProgram;
}

export interface Against {
  /** The ref as the user gave it, and its commit. */
  ref: string;
  commit: string;
  folder: string;
  /** Modules in the folder, one a build. */
  own: string;
  other: string;
}

interface Side {
  subject: string;
  build: Build;
  engine: Engine;
}

type Verdict = Pick<Row, 'checked' | 'note'>;

interface Loaded {
  /** That many units of work, over when the device is. */
  run(units: number): Promise<unknown>;
  reset(): Promise<unknown>;
  check(): Promise<Verdict>;
  dispose(): void;
}

interface Case {
  name: string;
  most?: number;
  load(side: Side): Promise<Loaded>;
}

export async function measureAgainst(bench: Bench, { commit, own, other }: Against): Promise<Row[]> {
  const [ownBuild, otherBuild] = (await Promise.all(
    [own, other].map((file) => import(/* @vite-ignore */ addressOf(file, bench))),
  )) as Build[];
  const { device } = bench;
  using ownEngine = await ownBuild.createWebGpuEngine({ device });
  using otherEngine = await otherBuild.createWebGpuEngine({ device });
  const sides: Side[] = [
    { subject: 'orthant', build: ownBuild, engine: ownEngine },
    { subject: `orthant@${commit}`, build: otherBuild, engine: otherEngine },
  ];
  const rows: Row[] = [];
  for (const one of [...updates(bench), ...solves(bench), ...neurals()]) rows.push(...(await compare(bench, sides, one)));
  return rows;
}

/** Vite serves any file that it is allowed to under /@fs; Node imports files. */
function addressOf(file: string, { browser }: Bench): string {
  return browser ? `/@fs${file}` : `file://${file}`;
}

async function compare(bench: Bench, sides: readonly Side[], { name, load, most }: Case): Promise<Row[]> {
  const settings = { ...bench, progress: (line: string) => bench.progress(`${name}: ${line}`) };
  const loaded: Loaded[] = [];
  try {
    for (const side of sides) {
      settings.progress(`${side.subject}: load and check`);
      loaded.push(await load(side));
    }
    const verdicts: Verdict[] = [];
    for (const one of loaded) verdicts.push(await one.check());
    // The same units for both: a repeat of the one is a repeat of the other.
    const units = await unitsFor(loaded[0].run, bench, most);
    const subjects = sides.map(
      ({ subject }, i): Subject => ({
        subject,
        case: name,
        units,
        reset: async () => void (await loaded[i].reset()),
        run: async () => void (await loaded[i].run(units)),
      }),
    );
    const times = await interleave(subjects, settings);
    return subjects.map((subject, i) => {
      if (i === 0) return rowOf('against', subject, times[0], verdicts[0]);
      const { words, ratio } = ratioTo(times[0], times[1]);
      const note = `${words.replace('orthant', 'the working tree')}; ${verdicts[1].note}`;
      return rowOf('against', subject, times[1], { checked: verdicts[1].checked, note, figures: { ratio } });
    });
  } finally {
    for (const one of loaded) one.dispose();
  }
}

function updates({ quick }: Bench): Case[] {
  return shapesFor(quick).map((shape) => ({ name: caseName(shape), load: (side) => loadUpdate(side, shape, quick) }));
}

async function loadUpdate({ engine, build }: Side, shape: Shape, quick: boolean): Promise<Loaded> {
  const problem = makeProblem(shape.N, shape.M, shape.k);
  const contender = await onOrthant(engine, problem, build.nmfProgram);
  const iterations = checkedIterations(shape, quick);
  return {
    ...contender,
    async check() {
      await contender.run(iterations);
      const [actual, expected] = [await contender.factors(), await referenceFactors(problem, iterations)];
      const differences = [relativeDifference(actual.A, expected.A), relativeDifference(actual.S, expected.S)];
      return checkNote(differences, 1e-4, `after ${iterations} iterations`);
    },
  };
}

function solves({ quick }: Bench): Case[] {
  const columns = quick ? 1000 : 20_000;
  return [8, 16, 32, 64].map((k) => ({
    name: `exact solves, ${columns.toLocaleString('en')} columns of 200, k = ${k}`,
    load: (side) => loadSolve(side, k, columns),
  }));
}

async function loadSolve({ engine, build }: Side, k: number, M: number): Promise<Loaded> {
  const { A, X } = leastSquares(k, M);
  const t = build.qProgram(A.rows, M, k);
  const run = await engine.prepare(t.program);
  run.write(t.X, X.data);
  run.write(t.A, A.data);
  const done = () => run.sample([t.residual]);
  return {
    async run(times) {
      run.execute('solve', times);
      await done();
    },
    reset: done,
    async check() {
      run.execute('solve');
      const S = await run.read(t.S);
      const kkt = largestResidual(gramOf(A.data, A.rows, k), productOf(A.data, X.data, A.rows, M, k), S, k, M);
      return { checked: kkt <= 1e-4, note: `largest KKT residual ${kkt.toExponential(1)} (tolerance 0.0001)` };
    },
    dispose: () => run.dispose(),
  };
}

function neurals(): Case[] {
  return [1, 16].map((restarts) => ({
    name: `step of Neural NMF [${ranks}], ${X.rows}×${X.cols}, ${restarts} restart${restarts === 1 ? '' : 's'}`,
    async load({ engine, build }) {
      const options = { restarts, start: 'random', classifiers: [] } as const;
      const t = build.neuralProgram(X.rows, X.cols, ranks, options);
      const run = await engine.prepare(t.program);
      const reset = () => {
        writeStart(run, t);
        return run.sample([t.control]);
      };
      await reset();
      return {
        async run(times) {
          run.execute('step', times);
          await run.sample([t.control]);
        },
        reset,
        check: () => checkNeural(engine, t, neuralProgram(X.rows, X.cols, ranks, options)),
        dispose: () => run.dispose(),
      };
    },
  }));
}
