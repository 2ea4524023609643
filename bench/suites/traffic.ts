/** How often an iteration asks for the bytes of X, and in how many lines of the cache they lie: counted, not timed. */
import { randomLowRank } from '../../src/data/generate.js';
import { random } from '../../src/data/random.js';
import { control } from '../../src/graph/operations.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { randomFactors } from '../../src/methods/fit.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { type NmfSolver, nmfProgram, nmfSolvers } from '../../src/programs/nmf.js';
import type { Traffic } from '../../src/webgpu/device/instrument.js';
import { byteLength } from '../../src/webgpu/layout/layout.js';
import type { AdapterFacts } from '../../src/webgpu/plan/planner.js';
import { type CountedDispatch, type CountedRun, countedRun } from '../counted-run.js';
import { type Bench, rounded } from '../measure.js';
import type { CountRow } from '../rows.js';

/** A GPU with the limits that every device of WebGPU has. Subgroups are left out: those of this adapter may have another size. */
const gpu: AdapterFacts = {
  software: false,
  subgroups: false,
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxWorkgroupStorage: 16_384,
  maxInvocationsPerWorkgroup: 256,
};

interface Method {
  name: string;
  /** Of X, if not that of the suite. */
  shape?: readonly [N: number, M: number];
  count(device: GPUDevice, N: number, M: number, k: number): Promise<CountedDispatch[]>;
}

const names = { mu: 'multiplicative', hals: 'HALS', anls: 'ANLS' };

const methods: Method[] = [
  ...nmfSolvers.map((solver) => flat(solver)),
  // Rows of X that fill no line of the cache: they are padded.
  flat('mu', [1000, 501]),
  flat('hals', [501, 1003]),
  // With the default tolerance Gram matrices stand for the residual of noisy data. A smaller X is read: that takes less than two dispatches.
  neural('epoch of Neural NMF', 1e-5, [1024, 1024]),
  neural('epoch of Neural NMF that sees every change', 0),
];

function flat(solver: NmfSolver, shape?: Method['shape']): Method {
  return {
    name: `${names[solver]} iteration`,
    shape,
    async count(device, N, M, k) {
      const t = nmfProgram(N, M, k, { restarts: 1, solver, weighted: false });
      using run = countedRun(device, t.program, gpu);
      run.write(t.X, dataOf(N, M));
      writeFactors(run, [t.A, t.S]);
      if (t.sections.start in t.program.sections) await run.execute(t.sections.start);
      return await run.execute(t.sections.step);
    },
  };
}

function neural(name: string, tolerance: number, shape?: Method['shape']): Method {
  return {
    name,
    shape,
    async count(device, N, M, k) {
      const t = neuralProgram(N, M, [k, k / 4], { restarts: 1, start: 'random', tolerance });
      using run = countedRun(device, t.program, gpu);
      const source = random(0);
      run.write(
        t.X,
        Float32Array.from({ length: N * M }, () => source.uniform()),
      );
      writeFactors(run, t.A);
      const initial = new Float32Array(control.length);
      initial[control.eta] = 0.5;
      initial[control.cost] = 3e38;
      run.write(t.control, initial);
      await run.execute('start');
      return await run.execute('step');
    },
  };
}

function dataOf(N: number, M: number): Float32Array {
  return randomLowRank(N, M, 16).data;
}

function writeFactors(run: CountedRun, factors: readonly Tensor[]): void {
  factors.forEach((tensor, l) => {
    run.write(tensor, randomFactors(tensor.rows, tensor.cols, { seed: 0, restarts: 1 }, l));
  });
}

export async function trafficSuite({ device, quick, progress }: Bench): Promise<CountRow[]> {
  const usual = quick ? [512, 256] : [1024, 512];
  const iterations: CountRow[] = [];
  const operations: CountRow[] = [];
  for (const { name, shape: [N, M] = usual, count } of methods) {
    for (const k of [8, 32, 64]) {
      const what = `${name}, ${N}×${M}, k = ${name.includes('Neural') ? `[${k}, ${k / 4}]` : k}`;
      progress(what);
      const dispatches = await count(device, N, M, k);
      const bytesOfX = 4 * N * M;
      const kernels = new Set(dispatches.map(({ dispatch }) => dispatch.kernel)).size;
      const note = `${dispatches.length} dispatches of ${kernels} kernels`;
      iterations.push({ suite: 'traffic', case: what, subject: 'iteration', counts: countsOf(dispatches, bytesOfX, bytesOfX), note });
      for (const own of operationsOf(dispatches)) {
        if (!own.some(({ bound }) => bound.some(({ tensor }) => tensor?.data))) continue;
        const tensors = new Set(
          own.flatMap(({ bound }) =>
            bound.flatMap(({ tensor, traffic }) => (tensor && traffic.loaded + traffic.stored > 0 ? [tensor] : [])),
          ),
        );
        const least = [...tensors].reduce((sum, tensor) => sum + byteLength(tensor), 0);
        const subject = [...new Set(own.map(({ dispatch }) => dispatch.kernel))].join(', ');
        operations.push({ suite: 'traffic', case: `${what}: ${own[0].text}`, subject, counts: countsOf(own, bytesOfX, least), note: '' });
      }
    }
  }
  return [...iterations, ...operations];
}

/** Dispatches of one operation together. */
function operationsOf(dispatches: readonly CountedDispatch[]): CountedDispatch[][] {
  return [...new Set(dispatches.map(({ step }) => step))].map((step) => dispatches.filter((one) => one.step === step));
}

/** Requests relative to X and to the least bytes, and lines relative to the fewest, of loads of X and of all. */
function countsOf(dispatches: readonly CountedDispatch[], bytesOfX: number, least: number): CountRow['counts'] {
  const all = dispatches.flatMap(({ bound }) => bound);
  const ofX = all.filter(({ tensor }) => tensor?.data).map(({ traffic }) => traffic);
  const every = all.map(({ traffic }) => traffic);
  return {
    'X ÷ its bytes': rounded(sum(ofX, ({ loaded }) => loaded) / bytesOfX),
    'X by 32 ÷ its bytes': rounded(sum(ofX, byGroups) / bytesOfX),
    'all ÷ least': rounded(sum(every, ({ loaded, stored }) => loaded + stored) / least),
    'all by 32 ÷ least': rounded(sum(every, (one) => byGroups(one) + one.stored) / least),
    // Where Gram matrices stand for the residual, X is not read.
    ...(sum(ofX, idealOf) > 0 && { 'lines of X ÷ ideal': rounded(sum(ofX, linesOf) / sum(ofX, idealOf)) }),
    'all lines ÷ ideal': rounded(sum(every, linesOf) / sum(every, idealOf)),
  };
}

function sum(traffic: readonly Traffic[], of: (one: Traffic) => number): number {
  return traffic.reduce((total, one) => total + of(one), 0);
}

// The sampled loads stand for all.
const share = ({ loaded, sample }: Traffic, part: number) => (sample.bytes === 0 ? 0 : (loaded * part) / sample.bytes);
const byGroups = (one: Traffic) => share(one, one.sample.distinct);
const linesOf = (one: Traffic) => share(one, one.sample.lines);
const idealOf = (one: Traffic) => share(one, one.sample.ideal);
