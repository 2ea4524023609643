/** The published experiment (Table 1): Neural NMF beside hierarchical and deep NMF, with none, some and all of the labels. */
import { checkPositiveInteger } from '../data/check.js';
import { tableOne } from '../data/generate.js';
import { type Matrix, multiply } from '../data/matrix.js';
import { median } from '../data/median.js';
import { random } from '../data/random.js';
import { svdBounds } from '../data/svd-bound.js';
import type { AbortSignalLike, Engine } from '../engine.js';
import { deepNmf } from '../methods/deep.js';
import type { FitOptions } from '../methods/factorization.js';
import { hierarchicalNmf } from '../methods/hierarchical.js';
import type { Factorization } from '../methods/methods.js';
import { neuralNmf } from '../methods/neural.js';

export const supervisions = ['none', 'semi', 'full'] as const;
export const depths = [1, 2, 3] as const;
export const comparedMethods = ['hierarchical', 'deep', 'neural'] as const;

export type TableSupervision = (typeof supervisions)[number];
export type Depth = (typeof depths)[number];
export type ComparedMethod = (typeof comparedMethods)[number];
export type CellStopping = 'converged' | 'early';

export const tableRanks = [9, 4, 2] as const;

/** Share of the columns that carry a label in the semi-supervised rows. */
const labelledShare = 0.4;

/**
 * Most iterations of a stage: more than the best restart takes to settle, and few enough not to wait long for others that creep.
 * Only deep NMF need not settle. With one layer its multiplicative updates still creep (by less than 0.5 % from here on); with more its
 * objective has no minimum, since it falls for ever as scale moves from S⁰ to A⁰, and ten times as many iterations change its errors by
 * less than 0.5 %, up or down.
 */
export function mostIterations(method: ComparedMethod, layers: Depth): number {
  if (method === 'hierarchical') return 5000;
  return method === 'deep' && layers === 1 ? 3000 : 1000;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Where a cell stands. */
export interface Place {
  supervision: TableSupervision;
  layers: Depth;
  method: ComparedMethod;
  stopping: CellStopping;
}

export interface Cell extends Place {
  /** ‖X − A⁰…AᴸSᴸ‖ / ‖X‖. */
  error: Spread;
  /** Share of all columns whose class is predicted; null without labels. */
  accuracy: Spread | null;
  /** The same on the columns that were fitted without their label; null but for 'semi'. */
  unlabelledAccuracy: Spread | null;
  published: { error: number; accuracy: number | null };
}

/** The smallest relative error that a factorization of `rank` can have. */
export interface DepthBound {
  layers: Depth;
  rank: number;
  median: number;
  perSeed: number[];
}

/** The content of table1.json. */
export interface TableOneResult {
  /** How many: 0, 1, …, seeds − 1. */
  seeds: number;
  svdBounds: DepthBound[];
  cells: Cell[];
}

/** One fit. */
export interface TableOneRun extends Place {
  seed: number;
  error: number;
  /** error ÷ SVD bound of that seed's data. */
  ratio: number;
  accuracy: number | null;
  unlabelledAccuracy: number | null;
  /** It ended by its stopping rule, not by the limit of iterations. */
  converged: boolean;
  iterations: number;
}

/** X of seed 0, and its approximations by the layers of unsupervised three-layer Neural NMF. */
export interface TableOneExample {
  X: Matrix;
  labels: number[];
  /** A⁰S⁰, A⁰A¹S¹, A⁰A¹A²S². */
  products: { product: Matrix; relativeError: number; svdBound: number | null }[];
}

export interface TableOneOptions {
  /** Each is a draw of the data, of the labelled columns and of the starts. */
  seeds: number;
  /** Starts of every fit that is run to convergence; the one with the smallest objective is kept. */
  restarts: number;
  /** Most iterations of a stage, for a quick look; by default enough to settle. */
  maxIterations?: number;
  /** Called before each fit, and at the end without `next`. */
  onRun?: (done: number, total: number, next?: Place & { seed: number }) => void;
  signal?: AbortSignalLike;
}

/** The published table: relative errors, and accuracies where there are labels, with one, two and three layers. */
export const published: Record<TableSupervision, Record<ComparedMethod, { error: number[]; accuracy?: number[] }>> = {
  none: {
    hierarchical: { error: [0.053, 0.399, 0.86] },
    deep: { error: [0.031, 0.414, 0.838] },
    neural: { error: [0.029, 0.31, 0.492] },
  },
  semi: {
    hierarchical: { error: [0.049, 0.374, 0.676], accuracy: [0.933, 0.926, 0.93] },
    deep: { error: [0.031, 0.394, 0.733], accuracy: [0.947, 0.911, 0.93] },
    neural: { error: [0.042, 0.305, 0.496], accuracy: [1, 1, 0.99] },
  },
  full: {
    hierarchical: { error: [0.052, 0.311, 0.495], accuracy: [0.96, 0.984, 1] },
    deep: { error: [0.042, 0.31, 0.494], accuracy: [0.962, 0.984, 1] },
    neural: { error: [0.042, 0.307, 0.498], accuracy: [1, 1, 1] },
  },
};

/** The 45 cells in the order of the table: 27 run to convergence, and the 18 of the baselines stopped early. */
const plan: readonly Place[] = supervisions.flatMap((supervision) =>
  depths.flatMap((layers) =>
    comparedMethods.flatMap((method) => {
      const stoppings: CellStopping[] = method === 'neural' ? ['converged'] : ['converged', 'early'];
      return stoppings.map((stopping) => ({ supervision, layers, method, stopping }));
    }),
  ),
);

/** Data of one seed. */
export interface TableOneDraw {
  seed: number;
  X: Matrix;
  /** The group of each column, by their number: 9, 4 or 2. */
  labels: Record<9 | 4 | 2, number[]>;
  /** Which columns carry a label in the semi-supervised rows. */
  labelled: boolean[];
  /** The SVD bound of each depth. */
  bounds: number[];
}

export function drawTableOne(seed: number): TableOneDraw {
  const { X, labels } = tableOne(seed);
  return { seed, X, labels, labelled: drawLabelled(labels[9], labelledShare, seed), bounds: svdBounds(X, tableRanks).values };
}

/** One fit of the table. Nothing but the draw, the place and the options decides it. */
export async function fitTableOne(
  engine: Engine,
  { seed, X, labels, labelled, bounds }: TableOneDraw,
  { supervision, layers, method, stopping }: Place,
  { restarts, maxIterations, signal }: Pick<TableOneOptions, 'restarts' | 'maxIterations' | 'signal'>,
): Promise<{ run: TableOneRun; model: Factorization }> {
  const truth = labels[tableRanks[layers - 1]].map(String);
  const options = {
    ranks: tableRanks.slice(0, layers),
    seed,
    maxIterations: maxIterations ?? mostIterations(method, layers),
    signal,
    svdBound: false,
    ...(stopping === 'early' ? ({ restarts: 1, stopping: 'initialError' } as const) : { restarts }),
    ...(supervision === 'full' ? { labels: truth } : {}),
    ...(supervision === 'semi' ? { labels: truth.map((label, c) => (labelled[c] ? label : '')), truth } : {}),
  };
  const model = await fits[method](engine, X, options, stopping);
  const run = {
    ...{ seed, supervision, layers, method, stopping },
    error: model.relativeError,
    ratio: model.relativeError / bounds[layers - 1],
    ...accuracies(model, labelled, supervision),
    converged: model.converged,
    iterations: model.iterations,
  };
  return { run, model };
}

/**
 * Runs the experiment. Data, labelled columns and starts of run s come from seed s. A converged fit has `restarts` starts, of
 * which the smallest objective is kept, the same number for every method. An early fit is that of earlier code: multiplicative
 * updates from one start, until the error falls by less than 1e-4 of its first value between two checks, ten iterations apart.
 *
 * @throws InputError for seeds or restarts that are no positive integers; CancelledError; BreakdownError, LimitError.
 */
export async function runTableOne(
  engine: Engine,
  { seeds, onRun, ...options }: TableOneOptions,
): Promise<{ table: TableOneResult; draws: TableOneDraw[]; runs: TableOneRun[]; models: Factorization[]; example: TableOneExample }> {
  checkPositiveInteger('seeds', seeds);
  const draws = Array.from({ length: seeds }, (_, seed) => drawTableOne(seed));
  const runs: TableOneRun[] = [];
  const models: Factorization[] = [];
  for (const draw of draws) {
    for (const place of plan) {
      onRun?.(runs.length, seeds * plan.length, { ...place, seed: draw.seed });
      const { run, model } = await fitTableOne(engine, draw, place, options);
      runs.push(run);
      models.push(model);
    }
  }
  onRun?.(runs.length, runs.length, undefined);
  const shown = models[runs.findIndex(({ supervision, layers, method }) => supervision === 'none' && layers === 3 && method === 'neural')];
  const [{ X, labels, bounds }] = draws;
  const example = { X, labels: labels[9], products: productsOf(shown, bounds) };
  const ofSeeds = draws.map((draw) => draw.bounds);
  return { table: summarizeRuns(runs, ofSeeds), draws, runs, models, example };
}

type Fit = (
  engine: Engine,
  X: Matrix,
  options: FitOptions & { ranks: readonly number[]; labels?: readonly string[]; truth?: readonly string[] },
  stopping: CellStopping,
) => Promise<Factorization>;

const fits: Record<ComparedMethod, Fit> = {
  // The early stop belongs to multiplicative updates; exact least squares is all but done when it strikes.
  hierarchical: (engine, X, options, stopping) => {
    const classified = options.labels && options.ranks.length === 1; // by multiplicative updates in any case
    return hierarchicalNmf(engine, X, { ...options, solver: classified ? undefined : stopping === 'early' ? 'mu' : 'anls' });
  },
  deep: (engine, X, options) => deepNmf(engine, X, options),
  // The published cost and its label weight; the defaults are others since.
  neural: (engine, X, options) =>
    neuralNmf(engine, X, { ...options, cost: 'reconstruction', ...(options.labels ? { labelWeight: 0.1 } : {}) }),
};

/**
 * Which columns carry a label: `share` of them, rounded, drawn at random without replacement, and drawn again until every class has one
 * (a class without any could not be predicted, whatever the method).
 */
export function drawLabelled(classes: readonly number[], share: number, seed: number): boolean[] {
  const count = Math.round(share * classes.length);
  const wanted = new Set(classes).size;
  if (count < wanted) throw new RangeError(`${count} labelled columns cannot cover ${wanted} classes`);
  const r = random(seed ^ 0x51ab3d7f); // apart from the stream of the data's noise
  for (;;) {
    const order = classes.map((_, c) => c);
    for (let c = 0; c < count; c++) {
      const other = c + r.integer(order.length - c);
      [order[c], order[other]] = [order[other], order[c]];
    }
    const drawn = order.slice(0, count);
    if (new Set(drawn.map((c) => classes[c])).size < wanted) continue;
    const labelled = new Set(drawn);
    return classes.map((_, c) => labelled.has(c));
  }
}

/** The parts of all columns, and of those that were fitted without their label, whose class is predicted. */
export function accuracies(model: Factorization, labelled: readonly boolean[], supervision: TableSupervision) {
  const { accuracy } = model.supervision ?? {};
  if (!accuracy) return { accuracy: null, unlabelledAccuracy: null };
  if (supervision === 'full' || accuracy.unlabelled === null) return { accuracy: accuracy.labelled, unlabelledAccuracy: null };
  const count = labelled.filter(Boolean).length;
  const right = accuracy.labelled * count + accuracy.unlabelled * (labelled.length - count);
  return { accuracy: Math.round(right) / labelled.length, unlabelledAccuracy: accuracy.unlabelled };
}

function productsOf({ A, S, layers }: Factorization, bounds: readonly number[]): TableOneExample['products'] {
  let features: Matrix | undefined;
  return A.map((factor, l) => {
    features = features ? multiply(features, factor) : factor;
    return { product: multiply(features, S[l]), relativeError: layers[l].relativeError, svdBound: bounds[l] };
  });
}

/** `bounds[seed][l]` is the bound of layer l. */
function summarizeRuns(runs: readonly TableOneRun[], bounds: readonly number[][]): TableOneResult {
  return {
    seeds: bounds.length,
    svdBounds: depths.map((layers) => {
      const perSeed = bounds.map((ofSeed) => ofSeed[layers - 1]);
      return { layers, rank: tableRanks[layers - 1], median: median(perSeed), perSeed };
    }),
    cells: plan.map((cell) => {
      const own = runsOf(runs, cell);
      const { error, accuracy } = published[cell.supervision][cell.method];
      return {
        ...cell,
        error: spread(own.map((run) => run.error))!,
        accuracy: spread(own.map((run) => run.accuracy)),
        unlabelledAccuracy: spread(own.map((run) => run.unlabelledAccuracy)),
        published: { error: error[cell.layers - 1], accuracy: accuracy?.[cell.layers - 1] ?? null },
      };
    }),
  };
}

export function runsOf(runs: readonly TableOneRun[], cell: Place): TableOneRun[] {
  return runs.filter(
    ({ supervision, layers, method, stopping }) =>
      supervision === cell.supervision && layers === cell.layers && method === cell.method && stopping === cell.stopping,
  );
}

function spread(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : { median: median(known), min: Math.min(...known), max: Math.max(...known) };
}

/** Errors this close to each other, relatively, are called equal. */
export const sameError = 1e-3;

export type Measure = 'error' | 'accuracy' | 'unlabelledAccuracy';

/** How Neural NMF stands against another figure of the same row: 'worse' is a loss of Neural NMF. */
export interface Standing {
  supervision: TableSupervision;
  layers: Depth;
  measure: Measure;
  neural: number;
  other: number;
  outcome: 'better' | 'equal' | 'worse';
}

/** Medians of Neural NMF against those of every other cell of the same row. Errors within 0.1 % of each other count as equal. */
export function againstBaselines(cells: readonly Cell[]): (Standing & { method: ComparedMethod; stopping: CellStopping })[] {
  return cells.flatMap((cell) => {
    if (cell.method === 'neural') return [];
    const { supervision, layers, method, stopping } = cell;
    const neural = neuralOf(cells, supervision, layers);
    return (['error', 'accuracy', 'unlabelledAccuracy'] as const).flatMap((measure) => {
      const [ours, theirs] = [neural[measure], cell[measure]];
      if (!ours || !theirs) return [];
      const same = measure === 'error' ? sameError * theirs.median : 1e-9;
      return [{ ...stand(measure, supervision, layers, ours.median, theirs.median, same), method, stopping }];
    });
  });
}

/** Medians of Neural NMF against its published figures, which have three decimals: within half of the last one is equal. */
export function againstPublished(cells: readonly Cell[]): Standing[] {
  return cells
    .filter(({ method }) => method === 'neural')
    .flatMap(({ supervision, layers, error, accuracy, published: own }) => [
      stand('error', supervision, layers, error.median, own.error, 5e-4),
      ...(accuracy && own.accuracy !== null ? [stand('accuracy', supervision, layers, accuracy.median, own.accuracy, 5e-4)] : []),
    ]);
}

export function neuralOf(cells: readonly Cell[], supervision: TableSupervision, layers: Depth): Cell {
  return cells.find((cell) => cell.method === 'neural' && cell.supervision === supervision && cell.layers === layers)!;
}

function stand(measure: Measure, supervision: TableSupervision, layers: Depth, neural: number, other: number, same: number): Standing {
  const gain = measure === 'error' ? other - neural : neural - other;
  return { supervision, layers, measure, neural, other, outcome: Math.abs(gain) <= same ? 'equal' : gain > 0 ? 'better' : 'worse' };
}
