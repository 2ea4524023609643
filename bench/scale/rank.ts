/** One rank of a measurement. The first writes what it has found as JSON to the file that it is given. */
import { writeFileSync } from 'node:fs';
import { random } from '../../src/data/random.js';
import { type Communicator, type Matrix, matrix, neuralNmf, scanColumns } from '../../src/index.js';
import { createEngine } from '../../src/node/engine.js';
import { connectMpi } from '../../src/node/mpi.js';
import { oneProcess } from '../../src/parallel/communicator.js';
import { type IterationRow, type SumRow, timesOf } from './results.js';

export interface Task {
  out: string;
  /** All-reduces of so many bytes. */
  sums?: number[];
  /** Iterations of Neural NMF of so many columns. */
  fits?: { N: number; M: number; layers: number[]; restarts: number; prefer: 'cpu' | 'auto'; iterations: number }[];
}

/** Seconds for the all-reduces of one size, and the most of them. */
const budget = { seconds: 2, repeats: 200 };

async function sums(communicator: Communicator, sizes: readonly number[]): Promise<SumRow[]> {
  const rows: SumRow[] = [];
  for (const bytes of sizes) {
    const values = new Float64Array(bytes / 8).fill(1e-200);
    const times: number[] = [];
    // The ranks agree on when it is enough.
    const spent = new Float64Array(1);
    for (let warm = 0; times.length < budget.repeats && (times.length < 5 || spent[0] < 1000 * budget.seconds); warm++) {
      const start = performance.now();
      await communicator.allReduce(values, 'sum');
      const ms = performance.now() - start;
      if (warm < 3) continue;
      times.push(ms);
      spent[0] += ms;
      await communicator.allReduce(spent, 'max');
    }
    rows.push({ ranks: communicator.size, bytes, ...timesOf(times) });
  }
  return rows;
}

/** Columns of nonnegative rank 20 and noise, which follow from their number. */
function generated(N: number, M: number) {
  const rank = 20;
  const ofA = random(1);
  const A = Float64Array.from({ length: N * rank }, () => Math.max(0, ofA.normal()));
  const read = async (from: number, to: number): Promise<Matrix> => {
    const X = matrix(N, to - from);
    for (let j = from; j < to; j++) {
      const { uniform } = random(2, { restart: j });
      const s = Float64Array.from({ length: rank }, () => Math.max(0, uniform() - 0.5));
      for (let i = 0; i < N; i++) {
        let x = 0.1 * uniform();
        for (let t = 0; t < rank; t++) x += A[i * rank + t] * s[t];
        X.data[i * X.cols + j - from] = x;
      }
    }
    return X;
  };
  return { rows: N, cols: M, sparse: false, read };
}

/** Fits of which each gives a time of an iteration. */
const fits = 3;

type Fit = NonNullable<Task['fits']>[number];

async function iterations(communicator: Communicator, { N, M, layers, restarts, prefer, iterations: most }: Fit): Promise<IterationRow> {
  const calls: { at: number; bytes: number }[] = [];
  const counting: Communicator = {
    ...communicator,
    allReduce(values, by) {
      calls.push({ at: performance.now(), bytes: values.byteLength });
      return communicator.allReduce(values, by);
    },
  };
  const X = await scanColumns(generated(N, M), { panelColumns: M, communicator: counting });
  const engine = await createEngine({ prefer });
  const times: number[] = [];
  const processor: number[] = [];
  let reductions: typeof calls = [];
  for (let fit = 0; fit < fits; fit++) {
    const seen: { at: number; processor: number; calls: number; stage: string }[] = [];
    const onProgress = ({ stage }: { stage: string }) => {
      const { user, system } = process.cpuUsage();
      seen.push({ at: performance.now(), processor: (user + system) / 1000, calls: calls.length, stage });
    };
    await neuralNmf(engine, X, {
      ranks: layers,
      restarts,
      startIterations: 1,
      maxIterations: most,
      tolerance: 0,
      checkEvery: 1,
      onProgress,
    });
    // Reports lag behind the device, so an iteration is the mean of those between the first and the last report of the last stage.
    const last = seen.filter(({ stage }) => stage === seen.at(-1)!.stage);
    const [from, to, count] = [last[0], last.at(-1)!, last.length - 1];
    times.push((to.at - from.at) / count);
    processor.push((to.processor - from.processor) / count);
    reductions = calls.slice(last.at(-2)!.calls, to.calls);
  }
  const { description } = engine;
  engine.dispose();
  return {
    device: description,
    ...{ ranks: communicator.size, restarts, N, M, layers },
    ...timesOf(times),
    processorMs: timesOf(processor).medianMs,
    allReduces: reductions.length,
    reducedBytes: reductions.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

export async function main(args: readonly string[]): Promise<number> {
  const task = JSON.parse(args.at(-1)!) as Task;
  const mpi = process.env.OMPI_COMM_WORLD_SIZE === undefined ? undefined : await connectMpi();
  const communicator = mpi ?? oneProcess();
  try {
    const found: (SumRow | IterationRow)[] = await sums(communicator, task.sums ?? []);
    for (const fit of task.fits ?? []) found.push(await iterations(communicator, fit));
    if (communicator.rank === 0) writeFileSync(task.out, JSON.stringify(found));
    mpi?.finalize();
    return 0;
  } catch (error) {
    console.error(error);
    mpi?.abort(1);
    return 1;
  }
}
