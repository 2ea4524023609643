/** The published experiment, in the worker: one method on the data of one seed. */
import { transfer } from 'comlink';
import {
  deepNmf,
  type Engine,
  type Factorization,
  type FitOptions,
  hierarchicalNmf,
  type Matrix,
  neuralNmf,
  type StopReason,
} from 'orthant';
import {
  accuracies,
  type ComparedMethod,
  type Depth,
  drawTableOne,
  mostIterations,
  type TableOneDraw,
  type TableSupervision,
  tableRanks,
} from '../../src/cli/table1-experiment.js';
import { type Check, type Factors, type FitEvent, runFit } from './fits.js';
import { product } from './product.js';

export type { ComparedMethod, Depth, TableSupervision };

/** What is fitted. Restarts of one seed begin with the same random numbers in all three methods. */
export interface PaperPlace {
  seed: number;
  layers: Depth;
  supervision: TableSupervision;
  method: ComparedMethod;
  /** Whether Neural NMF is judged by every level or by the deepest alone. */
  judged: 'levels' | 'last';
  restarts: number;
  /** Whether Neural NMF begins with the factors that it has reached, of the same seed and levels. */
  goOn?: boolean;
}

/** A⁰…AˡSˡ with its relative error. */
export interface Level {
  relativeError: number;
  reconstruction: Matrix;
}

export interface PaperResult {
  levels: Level[];
  /** The share of all columns whose class is predicted; null without labels. */
  accuracy: number | null;
  iterations: number;
  stopReason: StopReason;
}

let draw: TableOneDraw | undefined;
/** The factors that Neural NMF has reached. */
let reached: { seed: number; layers: Depth; A: Matrix[] } | undefined;

export async function fitPaper(
  place: PaperPlace,
  id: number,
  hear: (event: FitEvent) => void,
  show: (levels: Level[], check: Check) => void,
): Promise<PaperResult> {
  if (draw?.seed !== place.seed) draw = drawTableOne(place.seed);
  const { X, labelled } = draw;
  const model = await runFit((engine, hooks) => fitOf(engine, draw!, place, hooks), {
    id,
    hear,
    draw: (factors, check) => {
      const levels = levelsOf(X, factors);
      show(moved(levels), check);
    },
  });
  if (place.method === 'neural') reached = { seed: place.seed, layers: place.layers, A: model.A as Matrix[] };
  const { iterations, stopReason } = model;
  const { accuracy } = accuracies(model, labelled, place.supervision);
  return { levels: moved(levelsOf(X, model)), accuracy, iterations, stopReason };
}

function fitOf(engine: Engine, { X, labels, labelled }: TableOneDraw, place: PaperPlace, hooks: FitOptions): Promise<Factorization> {
  const { seed, layers, supervision, method, judged, restarts } = place;
  const truth = labels[tableRanks[layers - 1]].map(String);
  const options = {
    ...hooks,
    ranks: tableRanks.slice(0, layers),
    seed,
    restarts,
    maxIterations: mostIterations(method, layers),
    svdBound: false,
    ...(supervision === 'full' ? { labels: truth } : {}),
    ...(supervision === 'semi' ? { labels: truth.map((label, c) => (labelled[c] ? label : '')), truth } : {}),
  };
  if (method === 'hierarchical') return hierarchicalNmf(engine, X, options);
  if (method === 'deep') return deepNmf(engine, X, options);
  const cost = judged === 'levels' ? ('levels' as const) : ('reconstruction' as const);
  if (!place.goOn) return neuralNmf(engine, X, { ...options, cost });
  if (reached?.seed !== seed || reached.layers !== layers)
    throw new Error('There are no factors of this seed and these levels to go on from; start a fit.');
  return neuralNmf(engine, X, { ...options, cost, start: { A: reached.A }, restarts: 1 });
}

/** Levels whose entries move to the page instead of being copied. */
const moved = (levels: Level[]) =>
  transfer(
    levels,
    levels.map(({ reconstruction }) => reconstruction.data.buffer),
  );

function levelsOf(X: Matrix, { A, S }: Factors): Level[] {
  let features = A[0];
  return S.map((coefficients, l) => {
    if (l > 0) features = product(features, A[l]);
    const reconstruction = product(features, coefficients);
    return { reconstruction, relativeError: relativeError(X, reconstruction) };
  });
}

function relativeError(X: Matrix, reconstruction: Matrix): number {
  let [error, norm] = [0, 0];
  for (let i = 0; i < X.data.length; i++) {
    error += (X.data[i] - reconstruction.data[i]) ** 2;
    norm += X.data[i] ** 2;
  }
  return Math.sqrt(error / norm);
}
