/** The time that a user waits: the first iteration, then the way to an error; and the memory it takes. */
import { tableOne } from '../../src/data/generate.js';
import type { Matrix } from '../../src/data/matrix.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';
import { countBytes, mebibytes } from '../device-bytes.js';
import {
  type Bench,
  checkNote,
  fewestRepeats,
  interleave,
  milliseconds,
  ratioTo,
  relativeDifference,
  rounded,
  rowOf,
  type Subject,
} from '../measure.js';
import { type Factors, makeProblem, type Problem } from '../peers/contender.js';
import { onOrthant } from '../peers/orthant.js';
import type { Row } from '../rows.js';
import { referenceFactors } from './multiplicative.js';

const k = 16;

export async function endToEndSuite(bench: Bench): Promise<Row[]> {
  const [N, M] = bench.quick ? [512, 256] : [1024, 512];
  const problem = makeProblem(N, M, k);
  const few = { ...bench, repeats: Math.min(fewestRepeats, bench.repeats) };
  return [...(await firstIteration(few, problem)), ...(await timeToError(few, problem)), ...(await neuralTimeToError(few))];
}

/** From createEngine on a device with nothing on it to the factors after one iteration: once cold, then with the browser warmed. */
async function firstIteration(bench: Bench, problem: Problem): Promise<Row[]> {
  const { rows: N, cols: M } = problem.X;
  const name = `from createEngine to the first iteration's result, ${N}×${M}, k = ${k}`;
  const devices: GPUDevice[] = [];
  let factors: Factors = { A: [], S: [] };
  const subject: Subject = {
    subject: 'orthant',
    case: `${name}, warmed`,
    units: 1,
    async reset() {
      for (const used of devices.splice(0)) used.destroy();
      devices.push(await bench.freshDevice());
    },
    async run() {
      using engine = await createWebGpuEngine({ device: devices[0] });
      const contender = await onOrthant(engine, problem);
      await contender.run(1);
      factors = await contender.factors();
      contender.dispose();
    },
  };
  bench.progress('first iteration');
  try {
    await subject.reset();
    const cold = await milliseconds(subject.run);
    const [times] = await interleave([subject], bench);
    const expected = await referenceFactors(problem, 1);
    const { checked, note } = checkNote(
      (['A', 'S'] as const).map((factor) => relativeDifference(factors[factor], expected[factor])),
      1e-4,
      'after it',
    );
    const parts = 'the device is there, nothing else: compile, allocate, write, 1 iteration, read A and S';
    return [
      rowOf('end', { ...subject, case: `${name}, cold` }, [cold], { checked, note: `${parts}; ${note}` }),
      rowOf('end', subject, times, { checked, note: `${parts}; compiled before on another device; ${note}` }),
    ];
  } finally {
    for (const used of devices) used.destroy();
  }
}

interface Reached {
  iterations: number;
  error: number;
}

interface Racer {
  subject: string;
  /** Everything: loading the data, iterating, looking at the error every tenth time, reading the factors. */
  reach(target: number): Promise<Reached>;
}

/** The error that the multiplicative update has after 60 iterations, which exact solves reach in fewer. */
async function timeToError(bench: Bench, problem: Problem): Promise<Row[]> {
  const { engine, browser } = bench;
  const { X } = problem;
  const start = { ranks: k, tolerance: 0, svdBound: false } as const;
  const { relativeError } = await nmf(engine, X, { ...start, solver: 'mu', maxIterations: 60 });
  const target = relativeError * 1.0001;
  const by = (solver: 'mu' | 'anls'): Racer => ({
    subject: 'orthant',
    async reach(target) {
      const fitted = await nmf(engine, X, { ...start, solver, maxIterations: 500, onProgress: (at) => at.relativeError > target });
      return { iterations: fitted.iterations, error: errorOf(X, { A: fitted.A[0].data, S: fitted.S[0].data }, k) };
    },
  });
  const mu = [by('mu')];
  if (browser) {
    mu.push({
      subject: '@jax-js/jax',
      reach: async (target) => {
        const { factors, iterations } = await (await import('../peers/jax.js')).fitJax(problem, target);
        return { iterations, error: errorOf(X, factors, k) };
      },
    });
  }
  const size = `${X.rows}×${X.cols}, k = ${k}, to a relative error of ${target.toPrecision(4)}`;
  return [
    ...(await race(bench, `multiplicative update, ${size}`, mu, target)),
    ...(await race(bench, `alternating exact solves, ${size}`, [by('anls')], target)),
  ];
}

async function neuralTimeToError(bench: Bench): Promise<Row[]> {
  const { X } = tableOne(0);
  // Progress has the error of the deepest level where that alone is the cost.
  const options = { ranks: [9, 4, 2], cost: 'reconstruction', restarts: 1, start: 'random', tolerance: 0, svdBound: false } as const;
  const learn = (options: Parameters<typeof neuralNmf>[2]) => neuralNmf(bench.engine, X, options);
  const { relativeError } = await learn({ ...options, maxIterations: bench.quick ? 100 : 400 });
  const target = relativeError * 1.0001;
  const racer: Racer = {
    subject: 'orthant',
    async reach(target) {
      const fitted = await learn({ ...options, maxIterations: 1000, onProgress: (at) => at.relativeError > target });
      return { iterations: fitted.iterations, error: deepErrorOf(X, fitted) };
    },
  };
  return race(bench, `Neural NMF [9,4,2], 87×90, to a relative error of ${target.toPrecision(4)}`, [racer], target);
}

async function race(bench: Bench, name: string, racers: readonly Racer[], target: number): Promise<Row[]> {
  const reached: Reached[] = [];
  const peaks: number[] = [];
  for (const { reach } of racers) {
    bench.progress(`${name}: check`);
    const bytes = countBytes(bench.device);
    const before = bytes.live;
    reached.push(await reach(target));
    peaks.push(bytes.peak - before);
  }
  const subjects = racers.map(
    ({ subject, reach }): Subject => ({
      subject,
      case: name,
      units: 1,
      reset: async () => {},
      run: async () => void (await reach(target)),
    }),
  );
  const times = await interleave(subjects, { ...bench, progress: (line) => bench.progress(`${name}: ${line}`) });
  return subjects.map((subject, i) => {
    const { iterations, error } = reached[i];
    const { words, ratio } = ratioTo(times[0], times[i]);
    const perIteration = `${iterations} iterations, peak device memory ${mebibytes(peaks[i])}`;
    const note = `${i === 0 ? '' : `${words}; `}${perIteration}; relative error in f64 ${error.toPrecision(6)}`;
    const figures = { peakBytes: rounded(peaks[i]), ...(i === 0 ? {} : { ratio }) };
    return rowOf('end', subject, times[i], { checked: error <= target * (1 + 1e-4), note, figures });
  });
}

/** ‖X − AS‖ / ‖X‖ in f64. */
function errorOf({ rows, cols, data }: Matrix, { A, S }: Factors, rank: number): number {
  let [off, norm] = [0, 0];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      let entry = data[i * cols + j];
      norm += entry * entry;
      for (let t = 0; t < rank; t++) entry -= A[i * rank + t] * S[t * cols + j];
      off += entry * entry;
    }
  }
  return Math.sqrt(off / norm);
}

/** The same of X ≈ A⁰A¹ … AᴸSᴸ. */
function deepErrorOf(X: Matrix, { A, S, ranks }: Factorization): number {
  let left: ArrayLike<number> = A[0].data;
  for (let l = 1; l < A.length; l++) {
    const [rows, inner, cols] = [X.rows, ranks[l - 1], ranks[l]];
    const product = new Float64Array(rows * cols);
    for (let i = 0; i < rows; i++)
      for (let t = 0; t < inner; t++) for (let j = 0; j < cols; j++) product[i * cols + j] += left[i * inner + t] * A[l].data[t * cols + j];
    left = product;
  }
  const last = ranks.length - 1;
  return errorOf(X, { A: left, S: S[last].data }, ranks[last]);
}
