/**
 * A million generated columns in mini-batches beside the same columns as one matrix: objectives, and memory on the way.
 * Options: --columns (default 1,000,000), --features (50), --rank (5), --iterations of the full batch (60).
 */

import { parseArgs } from 'node:util';
import { squaredNorm } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type Engine, type Matrix, matrix, nmf, nnls, onlineNmf } from '../../src/index.js';
import { squaredErrorOf } from '../../src/methods/error.js';
import { createEngine } from '../../src/node/engine.js';

/** What is generated: N features, M columns, rank k. */
interface Size {
  N: number;
  M: number;
  k: number;
}

/** Columns of a block. */
const width = 5000;

/** |A||S| with half of the entries of A zero, and noise: the same columns each time that it is iterated. */
const columnsOf = ({ N, M, k }: Size): Iterable<Matrix> => ({
  *[Symbol.iterator](): Generator<Matrix> {
    const ofA = random(1);
    const A = Float64Array.from({ length: N * k }, () => Math.max(ofA.normal(), 0));
    for (let from = 0; from < M; from += width) {
      const { normal } = random(2, { purpose: 'columns', restart: from, tensor: 0 });
      const X = matrix(N, Math.min(width, M - from));
      for (let c = 0; c < X.cols; c++) {
        const s = Float64Array.from({ length: k }, () => Math.abs(normal()));
        for (let i = 0; i < N; i++) {
          let x = 0;
          for (let j = 0; j < k; j++) x += A[i * k + j] * s[j];
          X.data[i * X.cols + c] = Math.max(x + 0.2 * normal(), 0);
        }
      }
      yield X;
    }
  },
});

/** ‖X − A q(X, A)‖ / ‖X‖ over all columns, in f64, block by block. */
async function errorOf(engine: Engine, source: Iterable<Matrix>, A: Matrix): Promise<number> {
  let [error, norm] = [0, 0];
  for (const X of source) {
    const { S } = await nnls(engine, X, A);
    error += squaredErrorOf({ X, seen: X }, [A], S);
    norm += squaredNorm(X.data);
  }
  return Math.sqrt(error / norm);
}

const MiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export async function main(args: string[]): Promise<void> {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({ args, options: { columns: option, features: option, rank: option, iterations: option } });
  const [M, N, k, iterations] = [values.columns ?? 1e6, values.features ?? 50, values.rank ?? 5, values.iterations ?? 60].map(Number);
  const source = columnsOf({ N, M, k });
  const engine = await createEngine();
  console.log(engine.description);
  console.log(`${N}×${M} columns, rank ${k}`);
  const told = [10, 100, 300, 600, 900].map((batch) => Math.min(batch, Math.ceil(M / 1024)));
  const models: [string, Matrix][] = [];
  for (const options of [{}, { samples: M }, { update: 'mu' }, { update: 'mu', samples: M }] as const) {
    const began = performance.now();
    const { A, relativeError } = await onlineNmf(engine, source, {
      ranks: k,
      ...options,
      onProgress: ({ batch, columns }) => {
        if (told.includes(batch))
          console.log(`  ${columns} columns: device ${MiB(engine.liveBytes)}, process ${MiB(process.memoryUsage().rss)}`);
      },
    });
    const name = `online ${JSON.stringify(options)}`;
    console.log(
      `${name}: ${((performance.now() - began) / 1000).toFixed(0)} s, error of the columns as they arrived ${relativeError.toFixed(6)}`,
    );
    models.push([name, A[0]]);
  }
  const errors = [];
  for (const [name, A] of models) errors.push([name, await errorOf(engine, source, A)] as const);

  const whole = matrix(N, M);
  let at = 0;
  for (const X of source) {
    for (let i = 0; i < N; i++) whole.data.set(X.data.subarray(i * X.cols, (i + 1) * X.cols), i * M + at);
    at += X.cols;
  }
  const full = await nmf(engine, whole, { ranks: k, maxIterations: iterations, svdBound: false });
  const best = await errorOf(engine, source, full.A[0]);
  console.log(
    `full batch, ${full.iterations} iterations (${full.stopReason}): error ${best.toFixed(6)}, process ${MiB(process.memoryUsage().rss)}`,
  );
  for (const [name, error] of errors)
    console.log(`${name}: error ${error.toFixed(6)}, objective ${(100 * ((error / best) ** 2 - 1)).toFixed(3)} % above the full batch`);
  engine.dispose();
}
