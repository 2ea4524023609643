/** Owns the engine, so that the page stays free to draw and to listen while a fit runs. */
import { createEngine, type Matrix, matrix, neuralNmf, type Progress, programFor } from '../src/index.js';
import type { Depth, FromWorker, Start, ToWorker } from './messages.js';

/** The device is asked for a drawing no more often than this. */
const drawingEveryMs = 200;
const checkEvery = 10;

let engine = openEngine();
let stopping = false;

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'stop') stopping = true;
  else void learn(data);
});

async function openEngine() {
  try {
    const opened = await createEngine();
    send({ kind: 'ready', adapter: opened.description, software: opened.software });
    // While the user looks at the page. An error here will show, and be told, when a fit starts.
    opened.warmup(programFor('neural', { rows: 87, cols: 90, ranks: [9, 4, 2] })).catch(() => {});
    return opened;
  } catch (error) {
    fail(error);
    return undefined;
  }
}

async function learn({ X, ranks, seed, restarts, start }: Start): Promise<void> {
  stopping = false;
  if ((await engine) === undefined) engine = openEngine();
  const opened = await engine;
  if (opened === undefined) return; // it was said why
  const watch = watcher(X);
  try {
    const onProgress = (progress: Progress) => {
      watch(progress);
      return !stopping;
    };
    // The page shows the SVD bound from the start, so the fit need not compute it.
    const model = await neuralNmf(opened, X, { ranks, seed, restarts, start, checkEvery, svdBound: false, onProgress });
    const { stopReason, iterations, elapsedMs } = model;
    sendDepths({ kind: 'done', stopReason, iteration: iterations, elapsedMs, depths: depthsOf(X, model) });
  } catch (error) {
    fail(error);
    // A device may be gone for good; the next start gets a new one.
    opened.dispose();
    engine = openEngine();
  }
}

/** Reports every check, and draws when the last drawing has arrived and is old enough. */
function watcher(X: Matrix): (progress: Progress) => void {
  let stage = '';
  let iterationsBefore = 0; // those of the stages that are over
  let last = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawing = false;

  return (progress) => {
    if (progress.stage !== stage) {
      stage = progress.stage;
      iterationsBefore += last;
    }
    last = progress.iteration;
    const joint = stage === 'all layers';
    send({ kind: 'progress', stage, joint, iteration: iterationsBefore + last, elapsedMs: progress.elapsedMs });

    if (drawing || performance.now() - drawnAt < drawingEveryMs) return;
    drawing = true;
    drawnAt = performance.now();
    // The device is one batch ahead of the check.
    const iteration = iterationsBefore + Math.min(last + checkEvery, progress.maxIterations);
    progress
      .factors()
      .then((factors) => sendDepths({ kind: 'drawing', joint, iteration, depths: depthsOf(X, factors) }))
      .catch(() => {}) // the fit ended meanwhile, or failed and says so itself
      .finally(() => {
        drawing = false;
      });
  };
}

/** A⁰…AˡSˡ for every l, with its error. */
function depthsOf(X: Matrix, { A, S }: { A: Matrix[]; S: Matrix[] }): Depth[] {
  let features = A[0];
  return S.map((coefficients, l) => {
    if (l > 0) features = product(features, A[l]);
    const reconstruction = product(features, coefficients);
    return { reconstruction, relativeError: relativeError(X, reconstruction) };
  });
}

function product(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.rows, b.cols);
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.cols; k++) {
      const factor = a.data[i * a.cols + k];
      for (let j = 0; j < b.cols; j++) out.data[i * b.cols + j] += factor * b.data[k * b.cols + j];
    }
  return out;
}

function relativeError(X: Matrix, reconstruction: Matrix): number {
  let error = 0;
  let norm = 0;
  X.data.forEach((x, i) => {
    error += (x - reconstruction.data[i]) ** 2;
    norm += x ** 2;
  });
  return Math.sqrt(error / norm);
}

function sendDepths(message: FromWorker & { depths: Depth[] }): void {
  self.postMessage(message, { transfer: message.depths.map(({ reconstruction }) => reconstruction.data.buffer) });
}

function send(message: FromWorker): void {
  self.postMessage(message);
}

function fail(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  send({ kind: 'failed', message: text.split('\n')[0] });
}
