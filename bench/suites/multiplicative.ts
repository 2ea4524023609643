/** One multiplicative iteration of NMF in Gram form: orthant beside @jax-js/jax on WebGPU, in the same page on the same adapter. */
import { init, jit, numpy as np } from '@jax-js/jax';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import type { Engine, Run } from '../../src/engine.js';
import { nmfProgram } from '../../src/methods/nmf.js';
import { checkFit, randomFactors } from '../../src/models/fit.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import {
  checkNote,
  firstRunRow,
  interleave,
  milliseconds,
  pairedRatio,
  relativeDifference,
  rowOf,
  type Settings,
  type Subject,
} from '../measure.js';
import type { Row } from '../rows.js';

const [N, M, k] = [1024, 512, 16];

/** Iterations of one repeat. */
const iterations = 20;

/** After this many iterations every entry of A and S is compared, relative to the largest of the factor. */
const checkedIterations = 10;
const tolerance = 1e-4;

/** The ε of shaders/update/multiplicative.wgsl. */
const epsilon = 1e-10;

interface Problem {
  X: Matrix;
  A: Matrix;
  S: Matrix;
}

interface Factors {
  A: ArrayLike<number>;
  S: ArrayLike<number>;
}

/** One library with the problem loaded. */
interface Contender {
  reset(): Promise<void>;
  /** Queues that many iterations and reads S back (32 KiB), which is over when the device is. */
  run(iterations: number): Promise<void>;
  factors(): Promise<Factors>;
  dispose(): void;
}

export async function multiplicativeSuite(engine: Engine, settings: Settings): Promise<Row[]> {
  const problem = makeProblem();
  const makers = { orthant: () => onOrthant(engine, problem), '@jax-js/jax': () => onJax(problem) };
  if (!(await init('webgpu')).includes('webgpu')) throw new Error('@jax-js/jax found no WebGPU adapter in this browser.');

  settings.progress('f64 reference');
  const expected = await referenceFactors(problem);
  const firstRuns: Row[] = [];
  const subjects: Subject[] = [];
  const verdicts: Pick<Row, 'checked' | 'note'>[] = [];
  const contenders: Contender[] = [];
  try {
    for (const [subject, make] of Object.entries(makers)) {
      settings.progress(`${subject}: first run and check`);
      let contender!: Contender;
      const firstMs = await milliseconds(async () => {
        contender = await make();
        contenders.push(contender);
        await contender.run(1);
      });
      const timed: Subject = {
        subject,
        case: `multiplicative update, ${N}×${M}, k = ${k}`,
        units: iterations,
        reset: contender.reset,
        run: () => contender.run(iterations),
      };
      subjects.push(timed);
      firstRuns.push(firstRunRow('mu', timed, firstMs));
      await contender.reset();
      await contender.run(checkedIterations);
      const { A, S } = await contender.factors();
      const differences = [relativeDifference(A, expected.A), relativeDifference(S, expected.S)];
      verdicts.push(checkNote(differences, tolerance, `after ${checkedIterations} iterations`));
    }
    const times = await interleave(subjects, settings);
    const rows = subjects.map((subject, i) => {
      const ratio = i === 0 ? '' : `orthant is ${pairedRatio(times[0], times[i]).toFixed(2)} × as fast; `;
      return rowOf('mu', subject, times[i], { ...verdicts[i], note: ratio + verdicts[i].note });
    });
    return [...rows, ...firstRuns];
  } finally {
    for (const contender of contenders) contender.dispose();
  }
}

/** X of rank k with noise, and starting factors on its scale, as nmf (src/models/nmf.ts) draws them. */
function makeProblem(): Problem {
  const X = randomLowRank(N, M, k, { seed: 0, noise: 0.1 });
  const settings = checkFit(X, [k], {}, { maxIterations: 1, tolerance: 0 });
  const scale = Math.sqrt(X.data.reduce((sum, x) => sum + x, 0) / X.data.length / k);
  return {
    X,
    A: matrix(N, k, randomFactors(N, k, settings, 0, scale)),
    S: matrix(k, M, randomFactors(k, M, settings, 1, scale)),
  };
}

async function onOrthant(engine: Engine, { X, A, S }: Problem): Promise<Contender> {
  const t = nmfProgram(N, M, k, { restarts: 1, solver: 'mu', weighted: false });
  const run: Run = await engine.prepare(t.program);
  const start = () => {
    run.write(t.A, A.data);
    run.write(t.S, S.data);
  };
  run.write(t.X, X.data);
  start();
  run.execute(t.sections.start);
  return {
    async reset() {
      start();
      await run.sample([t.S]);
    },
    async run(times) {
      run.execute(t.sections.step, times);
      await run.sample([t.S]);
    },
    async factors() {
      const [ofA, ofS] = await run.sample([t.A, t.S]);
      return { A: ofA, S: ofS };
    },
    dispose: () => run.dispose(),
  };
}

/** `ref` adds a use: jax-js functions consume the arrays that they are given. */
async function onJax(problem: Problem): Promise<Contender> {
  const onDevice = ({ data, rows, cols }: Matrix) => np.array(data, { shape: [rows, cols], dtype: np.float32, device: 'webgpu' });
  const update = (factor: np.Array, numerator: np.Array, denominator: np.Array) => factor.mul(numerator.div(denominator.add(epsilon)));
  const step = jit((X: np.Array, A: np.Array, S: np.Array) => {
    const St = np.transpose(S.ref);
    const newA = update(A.ref, np.matmul(X.ref, St.ref), np.matmul(A, np.matmul(S.ref, St)));
    const At = np.transpose(newA.ref);
    const newS = update(S.ref, np.matmul(At.ref, X), np.matmul(np.matmul(At, newA.ref), S));
    return [newA, newS];
  });
  const X = onDevice(problem.X);
  const starts = [onDevice(problem.A), onDevice(problem.S)];
  let [A, S] = starts.map((start) => start.ref);
  return {
    async reset() {
      A.dispose();
      S.dispose();
      [A, S] = starts.map((start) => start.ref);
      await S.ref.data();
    },
    async run(times) {
      for (let i = 0; i < times; i++) [A, S] = step(X.ref, A, S);
      await S.ref.data();
    },
    async factors() {
      const [ofA, ofS] = await Promise.all([A.ref.data(), S.ref.data()]);
      return { A: ofA as Float32Array, S: ofS as Float32Array };
    },
    dispose() {
      for (const array of [X, A, S, ...starts]) array.dispose();
      step.dispose();
    },
  };
}

async function referenceFactors(problem: Problem): Promise<Factors> {
  using reference = createReferenceEngine();
  const contender = await onOrthant(reference, problem);
  await contender.run(checkedIterations);
  return contender.factors();
}
