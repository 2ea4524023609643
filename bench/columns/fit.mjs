// A fit for run.mjs: FILE file|memory RANKS ITERATIONS. Prints one JSON object.
import { readFileSync } from 'node:fs';
import { columnsOfMatrix, neuralNmf, scanColumns } from '../../dist/index.js';
import { createEngine, openColumns } from '../../dist/node.js';

const [file, source, ranks, iterations] = process.argv.slice(2);

/** All columns as one matrix, without a second copy of it. */
async function inMemory(columns) {
  const X = { rows: columns.rows, cols: columns.cols, data: new Float32Array(columns.rows * columns.cols) };
  for (let from = 0; from < X.cols; from += 8192) {
    const { cols, data } = await columns.read(from, Math.min(X.cols, from + 8192));
    for (let i = 0; i < X.rows; i++) X.data.set(data.subarray(i * cols, (i + 1) * cols), i * X.cols + from);
  }
  return columnsOfMatrix(X);
}

const engine = await createEngine();
const read = await openColumns(file);
const columns = source === 'memory' ? await inMemory(read) : read;
const begin = performance.now();
const data = await scanColumns(columns, { takeS: () => {} });
const scanned = performance.now();
const times = [];
const model = await neuralNmf(engine, data, {
  ranks: ranks.split(',').map(Number),
  seed: 1,
  restarts: 1,
  startIterations: 1,
  maxIterations: Number(iterations),
  tolerance: 0,
  checkEvery: 1,
  // Of all layers together, behind the start.
  onProgress: ({ stage }) => {
    if (stage === 'all layers') times.push(performance.now());
  },
});
const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
console.log(
  JSON.stringify({
    device: engine.description,
    panels: data.share.panels.length,
    scanSeconds: (scanned - begin) / 1000,
    iterationSeconds: times.slice(1).map((time, i) => (time - times[i]) / 1000),
    errors: model.errors,
    peakBytes: Number(peak[1]) * 1024,
  }),
);
engine.destroy?.();
process.exit(0);
