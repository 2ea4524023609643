/** The fits of a survey: for each rank all restarts in a batch, and the factors of every one of them. */
import { type Matrix, matrix, squaredNorm } from '../data/matrix.js';
import { random } from '../data/random.js';
import { type DataMatrix, entriesOf, isSparse, mean } from '../data/sparse.js';
import { type AbortSignalLike, type Engine, withRun } from '../engine.js';
import { BreakdownError } from '../errors.js';
import type { Program } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { randomFactors } from '../methods/fit.js';
import { nndsvd } from '../methods/nndsvd.js';
import { runStage } from '../methods/stage.js';
import { writeMatrix } from '../methods/write-matrix.js';
import { heldOutProgram } from '../programs/held-out.js';
import { nmfProgram } from '../programs/nmf.js';

/** Of every restart its factors, in the unit of the fit, and its relative error on what it has seen. */
export interface Fitted {
  A: Matrix[];
  S: Matrix[];
  errors: number[];
}

export interface FitSettings {
  seed: number;
  restarts: number;
  /** The number of the first restart; default 0. Restart r is the same in whatever range it is computed. */
  first?: number;
  maxIterations: number;
  tolerance: number;
  signal?: AbortSignalLike;
}

/** Most entries of the tensors that have an N×M matrix for each restart. More restarts than that are fitted in several batches. */
const mostEntries = 2 ** 26;

/** What a batch runs: tensors of a program, its sections, and what the host writes. `from` is the first restart of the batch. */
interface Batch {
  program: Program;
  A: Tensor;
  S: Tensor;
  cost: Tensor;
  step: string;
  measure: string;
  data: (from: number) => [Tensor, Float32Array | DataMatrix][];
  /** ‖·‖² of what a restart sees. */
  normOf: (restart: number) => number;
  start: { A: Float32Array; S: Float32Array };
}

/** Runs the restarts, `atOnce` in a batch; `batchOf` writes the program for so many. */
async function fitAll(engine: Engine, settings: FitSettings, atOnce: number, batchOf: (restarts: number) => Batch): Promise<Fitted> {
  const { restarts, tolerance, maxIterations, signal } = settings;
  const fitted: Fitted = { A: [], S: [], errors: [] };
  for (let from = 0; from < restarts; from += atOnce) {
    const count = Math.min(atOnce, restarts - from);
    const batch = batchOf(count);
    await withRun(engine, batch.program, async (run) => {
      for (const [tensor, content] of batch.data(from)) {
        if ('rows' in content) writeMatrix(run, tensor, content);
        else run.write(tensor, content);
      }
      for (const name of ['A', 'S'] as const) {
        const size = batch[name].rows * batch[name].cols;
        run.write(batch[name], batch.start[name].subarray(from * size, (from + count) * size));
      }
      const norm = Array.from({ length: count }, (_, r) => batch.normOf(from + r));
      const stage = { name: `rank ${batch.A.cols}`, step: batch.step, measure: batch.measure, cost: batch.cost, norm, maxIterations };
      const { ends } = await runStage(
        run,
        { ...stage, factors: () => Promise.resolve({ A: [], S: [] }) }, // nobody asks for them on the way
        { restarts: count, tolerance, stopping: 'objective', checkEvery: 10, started: performance.now(), signal },
      );
      const [A, S] = await run.sample([batch.A, batch.S]);
      for (let r = 0; r < count; r++) {
        fitted.A.push(restartOf(A, batch.A, r));
        fitted.S.push(restartOf(S, batch.S, r));
        fitted.errors.push(Math.sqrt(Math.max(ends[r].cost, 0) / norm[r]));
      }
    });
  }
  const broken = [...fitted.A, ...fitted.S].some(({ data }) => !data.every(Number.isFinite));
  if (broken) throw new BreakdownError('A fit of the survey has factors that are not finite; take another seed.');
  return fitted;
}

function restartOf(all: Float32Array | Float64Array, { rows, cols }: Tensor, restart: number): Matrix {
  return matrix(rows, cols, Float32Array.from(all.subarray(restart * rows * cols, (restart + 1) * rows * cols)));
}

/** |N(0,1)| · sqrt(mean / k) for A and S of every restart, from the streams `stream` and the next one. `means` are of what each sees. */
function randomStart(
  { rows, cols }: DataMatrix,
  k: number,
  means: readonly number[],
  settings: FitSettings,
  stream: number,
): Batch['start'] {
  const { seed, restarts, first = 0 } = settings;
  const all = { seed, restarts: first + restarts };
  const start = {
    A: randomFactors(rows, k, all, stream).subarray(first * rows * k),
    S: randomFactors(k, cols, all, stream + 1).subarray(first * k * cols),
  };
  for (const entries of [start.A, start.S]) {
    const size = entries.length / means.length;
    entries.forEach((x, at) => {
      entries[at] = x * Math.sqrt(means[Math.floor(at / size)] / k);
    });
  }
  return start;
}

/** Restarts of `nmf` with 'hals' on the same X from random starts, those that `nmf` has with the same seed. */
export function replicates(engine: Engine, X: DataMatrix, k: number, settings: FitSettings): Promise<Fitted> {
  const norm = squaredNorm(isSparse(X) ? X.values : X.data);
  const start = randomStart(X, k, new Array<number>(settings.restarts).fill(mean(X)), settings, 0);
  return fitAll(engine, settings, settings.restarts, (restarts) => {
    const t = nmfProgram(X.rows, X.cols, k, { restarts, solver: 'hals', weighted: false, csrEntries: entriesOf(X) });
    return { ...t, ...t.sections, data: () => [[t.X, X]], normOf: () => norm, start };
  });
}

/** The fits where each restart has entries hidden. */
interface Hiding {
  /** 1 where an entry is hidden from a restart, 0 where it is shown. */
  hiddenOf: (restart: number) => Float32Array;
  /** The start of a restart of rank k or more, of which the first k components count; undefined for a random one. */
  startOf?: (restart: number) => Start | undefined;
  /** The stream of the random numbers of A; the next one is that of S. */
  stream: number;
}

/** Factors of some rank that starts of smaller ones are cut from. */
export interface Start {
  A: Matrix;
  S: Matrix;
}

/**
 * The NNDSVD of X at a rank, where hidden entries are what the means of their row and column, of shown entries, make them. Its component j
 * depends on the singular triplet j alone, so it holds the start of every smaller rank.
 */
export function svdStart(engine: Engine, X: Matrix, k: number, hidden?: Float32Array): Promise<Start> {
  return nndsvd(engine, hidden ? filled(X, hidden) : X, k);
}

/** X with r_i c_j / m at its hidden entries: the means of row i, of column j, and of all that is shown. */
function filled(X: Matrix, hidden: Float32Array): Matrix {
  const { rows, cols, data } = X;
  const sums = [new Float64Array(rows), new Float64Array(cols), new Float64Array(1)];
  const counts = sums.map(({ length }) => new Float64Array(length));
  const placesOf = (at: number) => [Math.floor(at / cols), at % cols, 0];
  data.forEach((x, at) => {
    if (hidden[at] === 1) return;
    placesOf(at).forEach((place, of) => {
      sums[of][place] += x;
      counts[of][place]++;
    });
  });
  const mean = (of: number, place: number) => sums[of][place] / (counts[of][place] || 1);
  return {
    ...X,
    data: data.map((x, at) => {
      const [i, j] = placesOf(at);
      return hidden[at] === 1 ? (mean(0, i) * mean(1, j)) / (mean(2, 0) || 1) : x;
    }),
  };
}

/** Writes the first k components of a start over those of a restart. */
function writeStart(into: Batch['start'], { A, S }: Start, k: number, restart: number): void {
  for (let i = 0; i < A.rows; i++) {
    for (let j = 0; j < k; j++) into.A[(restart * A.rows + i) * k + j] = A.data[i * A.cols + j];
  }
  into.S.set(S.data.subarray(0, k * S.cols), restart * k * S.cols);
}

/** The same where each restart sees a part of X alone. */
export function heldOutFits(engine: Engine, X: Matrix, k: number, hiding: Hiding, settings: FitSettings): Promise<Fitted> {
  const { first = 0 } = settings;
  const hiddenOf = (restart: number) => hiding.hiddenOf(first + restart);
  const size = X.rows * X.cols;
  const shownOf = (restart: number) => {
    const hidden = hiddenOf(restart);
    return X.data.map((x, at) => (hidden[at] === 1 ? 0 : x));
  };
  const means = Array.from({ length: settings.restarts }, (_, restart) => {
    const count = hiddenOf(restart).reduce((sum, hidden) => sum + 1 - hidden, 0);
    return shownOf(restart).reduce((sum, x) => sum + x, 0) / count;
  });
  const start = randomStart(X, k, means, settings, hiding.stream);
  for (let restart = 0; restart < settings.restarts; restart++) {
    const given = hiding.startOf?.(first + restart);
    if (given) writeStart(start, given, k, restart);
  }
  return fitAll(engine, settings, atOnceOf(size), (restarts) => {
    const t = heldOutProgram(X.rows, X.cols, k, restarts);
    const all = (from: number, one: (restart: number) => Float32Array) => joined(restarts, size, (r) => one(from + r));
    return {
      ...t,
      step: 'step',
      measure: 'measure',
      data: (from) => [
        [t.shown, all(from, shownOf)],
        [t.hidden, all(from, hiddenOf)],
      ],
      normOf: (restart) => squaredNorm(shownOf(restart)),
      start,
    };
  });
}

/**
 * Fits of X whose entries are each multiplied by a number that is uniform on [1 − ε, 1 + ε), anew for every restart, all from one start:
 * what differs between them is the data alone. Entries that are `hidden` stay so.
 */
export function perturbedFits(
  engine: Engine,
  X: Matrix,
  k: number,
  { epsilon, start: given, hidden }: { epsilon: number; start: Start; hidden?: Float32Array },
  settings: FitSettings,
): Promise<Fitted> {
  const { first = 0 } = settings;
  const size = X.rows * X.cols;
  const start = { A: new Float32Array(settings.restarts * X.rows * k), S: new Float32Array(settings.restarts * k * X.cols) };
  for (let restart = 0; restart < settings.restarts; restart++) writeStart(start, given, k, restart);
  const perturbed = (restart: number) => {
    const { uniform } = random(settings.seed, { purpose: 'perturbation', restart: first + restart });
    return X.data.map((x) => x * (1 + epsilon * (2 * uniform() - 1)));
  };
  return fitAll(engine, settings, atOnceOf(size), (restarts) => {
    const data = (from: number) => joined(restarts, size, (r) => perturbed(from + r));
    const normOf = (restart: number) => squaredNorm(perturbed(restart));
    if (hidden) {
      const t = heldOutProgram(X.rows, X.cols, k, restarts);
      const write: Batch['data'] = (from) => [
        [t.shown, data(from)],
        [t.hidden, joined(restarts, size, () => hidden)],
      ];
      return { ...t, step: 'step', measure: 'measure', data: write, normOf, start };
    }
    const t = nmfProgram(X.rows, X.cols, k, { restarts, solver: 'hals', weighted: false, ownX: true });
    return { ...t, ...t.sections, data: (from) => [[t.X, data(from)]], normOf, start };
  });
}

const atOnceOf = (size: number) => Math.max(1, Math.floor(mostEntries / size));

/** One matrix after another. */
function joined(count: number, size: number, one: (index: number) => Float32Array): Float32Array {
  const all = new Float32Array(count * size);
  for (let i = 0; i < count; i++) all.set(one(i), i * size);
  return all;
}
