import { checkNewSamples, layerValues } from '../data/check.js';
import type { Targets } from '../data/labels.js';
import { type Matrix, matrix, scaled, squaredNorm } from '../data/matrix.js';
import { permutation, random } from '../data/random.js';
import { type DataMatrix, entriesOf, isSparse, requireDense, stored } from '../data/sparse.js';
import type { Engine, Run } from '../engine.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { type LearningOptimiser, type SparseCodingProgram, sparseCodingProgram } from '../programs/sparse-coding.js';
import type { MethodDefinition, ProgramShape } from './definition.js';
import type { FitOptions, LabelSettings, Model, Supervision } from './factorization.js';
import { readFactor, readFactors, withFit } from './fit.js';
import { type Given, givenFactors } from './given.js';
import { type GivenOptimiser, optimiserOf } from './optimiser.js';
import { atLeastZero, choiceOr, flag, layerNumbers, type OptionsOf, positiveInteger } from './options.js';
import { inOwnUnit, judgedBy, problemOf, type Settings } from './problem.js';
import { nnlsChain } from './q.js';
import { startOption } from './start.js';
import { checkSupervision, labelOptions, labelSettings, supervise } from './supervision.js';
import { writeMatrix } from './write-matrix.js';

const options = {
  ...labelOptions,
  /**
   * Start of λ ≥ 0, in the units of X: one for all layers, or a list of one each.
   * Default 0.02 times the root mean square norm of X's columns.
   */
  l1: layerNumbers('penalty on S to begin with, in units of X', {
    default: '0.02 of a column’s norm',
    placeholder: 'λ',
  }),
  /**
   * Whether λ learns, too; it is kept ≥ 0. Default true with labels, else false.
   * Reconstruction alone would only ever shrink λ.
   */
  learnL1: flag('let the penalty learn, too', { default: 'with labels alone' }),
  /**
   * w ≥ 0, the weight of the reconstruction. Default 1.
   * With labels, 0 is the published network, which learns the classes alone.
   */
  reconstruction: atLeastZero('weight of the reconstruction', { default: 1, placeholder: 'w' }),
  /**
   * The step rule: 'adam' (default; rate 0.01) or 'momentum' (momentum 0.9, rate 0.005), or one of them with its numbers.
   * Rates are for columns of X of norm 1; the fit scales them so.
   * The rate of momentum has to be found by trial: dictionaries of similar columns make gradients large.
   */
  optimiser: choiceOr<Exclude<GivenOptimiser, { name: 'projected' }>>()(['momentum', 'adam'], 'step rule for the gradients', {
    default: 'adam',
  }),
  /**
   * Columns of a mini-batch. Default all of them up to 1024 columns, else 256.
   * A sparse X takes all of its columns.
   */
  batchColumns: positiveInteger('samples of a mini-batch', { default: 'all, of more than 1024 samples 256' }),
  /**
   * The start of the dictionaries.
   *
   * - 'samples' (default): columns, taken at random, of the matrix that each one codes.
   * - { A, B }, or a fitted model: the dictionaries, columns longer than 1 shortened to 1. B that is left out is small and random. A model
   *   of this method gives its λ, too, unless there is `l1`. The optimiser begins anew.
   */
  start: startOption(['samples'], 'columns of the data', ['A', 'B']),
};

export interface SparseCodingOptions extends FitOptions, OptionsOf<typeof options> {}

export type SparseCodingFactorization = Model<
  'sparse-coding',
  LabelSettings & {
    /** λ of each layer as learned. */
    l1: number[];
    learnL1: boolean;
    reconstruction: number;
    optimiser: LearningOptimiser;
    batchColumns: number;
  }
>;

/**
 * Deep sparse coding network: Sˡ = argmin_{S ≥ 0} ½‖Sˡ⁻¹ − AˡS‖² + λ_l 1ᵀS 1 with S⁻¹ = X.
 * Dictionaries Aˡ (N×k₀, k_{l−1}×k_l) are free in sign with columns of norm ≤ 1. Codes Sˡ (k_l×M) are ≥ 0. With labels there is a
 * classifier B (P×k_L) free in sign. All Aˡ, λ_l and B learn together on
 *
 *     w ‖X − A⁰…AᴸSᴸ‖² / ‖X‖² + v · mean over labelled columns of −log softmax(B Sᴸ)        (w `reconstruction`, v `labelWeight`, by default 1)
 *
 * by Adam or momentum over mini-batches of columns, differentiated exactly through every code. X may have negative entries.
 *
 * The fit divides X by the root mean square norm of its columns, so that rates and defaults fit data of any scale. Codes and λ are scaled
 * back (codes of cX with cλ are c times those of X with λ), B the other way. The learned λ is in `settings.l1`.
 *
 * Starts, unless `start` gives them: dictionaries are columns, taken at random, of the matrix that they code. Where labels are known, classes take turns.
 * The restart with the smallest final objective is kept.
 * maxIterations defaults to 1000 (at least 20 passes over X). tolerance defaults to 0: a stochastic descent has a fixed number of steps.
 *
 * Sun, Nasrabadi, Tran: Supervised deep sparse coding networks, 2017, arXiv:1701.08349.
 *
 * @throws InputError for NaN or infinite entries, ranks that do not fit, bad options or labels; BreakdownError, LimitError.
 */
export async function sparseCoding(engine: Engine, givenX: DataMatrix, options: SparseCodingOptions): Promise<SparseCodingFactorization> {
  const { reconstruction = 1 } = options;
  const batchColumns = options.batchColumns ?? (givenX.cols <= 1024 || isSparse(givenX) ? givenX.cols : 256);
  const epoch = Math.ceil(givenX.cols / batchColumns) || 1;
  const problem = problemOf(sparseCodingMethod, givenX, options, {
    maxIterations: Math.max(1000, 20 * epoch),
    tolerance: 0,
    checkEvery: Math.max(10, epoch),
  });
  const { X, unit, settings } = problem;
  if (batchColumns > X.cols)
    throw new InputError(`batchColumns is ${batchColumns}, but X has only ${X.cols} columns.`, { option: 'batchColumns' });
  if (batchColumns < X.cols)
    requireDense(X, "The option 'batchColumns'", 'leave it out so that every step sees all columns', 'batchColumns');
  const supervision = checkSupervision(options, problem, { weight: 1 });
  const learnL1 = options.learnL1 ?? supervision !== undefined;
  if (reconstruction === 0 && !(supervision && supervision.labelWeight > 0))
    throw new InputError('reconstruction is 0 and no label weighs anything: there is nothing to learn from.', { option: 'reconstruction' });
  const optimiser = learningOptimiser(options.optimiser ?? 'adam');

  const scale = Math.sqrt(squaredNorm(stored(X)) / X.cols);
  const unitX = isSparse(X) ? { ...X, values: X.values.map((x) => x / scale) } : divided(X, scale);
  const { ranks, restarts } = settings;
  const lambda = startOfLambda(options.l1 ?? learnedL1(options.start), ranks.length, unit, scale);
  const targets = supervision?.targets;
  const supervised = supervision && {
    classes: supervision.targets.classes.length,
    labelled: supervision.targets.labelled,
    weight: supervision.labelWeight,
  };
  const settled = { restarts, batchColumns, csrEntries: entriesOf(X), reconstruction, supervised, learnLambda: learnL1, optimiser };
  const t = sparseCodingProgram(X.rows, X.cols, ranks, settled);
  const given = givenFactors(options.start, problem, {
    A: t.A,
    B: t.B && [t.B],
    classes: targets?.classes,
    signed: true,
    needsA: true,
  });
  return withFit(engine, t.program, judgedBy(problem, unitX), async (fit) => {
    const { run } = fit;
    writeMatrix(run, t.X, unitX);
    writeStarts(run, t, targets, lambda, settings);
    if (given) beginWith(run, t, given, scale);
    else run.execute('start');
    await fit.stage({
      name: 'all layers',
      step: t.order ? inEpochs(run, t.order, batchColumns, settings.seed) : 'step',
      measure: 'measure',
      cost: t.cost,
      norm: 1,
      factors: async (restart) => rescale(await readFactors(run, t.A, t.S, restart), scale),
    });
    const { objective, errors, kkt } = await fit.measure(['measure', 'finish', 'errors'], {
      objective: t.cost,
      errors: t.errors,
      kkt: t.kkt,
    });
    const fitted = await fit.result('sparse-coding', {
      A: t.A,
      S: t.S,
      errors,
      objectives: objective,
      kkt,
      rounds: t.rounds,
      exact: { l1: t.lambda, differentiated: true },
      own: { learnL1, reconstruction, optimiser, batchColumns, ...labelSettings(supervision) },
      supervise: supervision && ((restart, { S }) => supervise(fit, supervision, [{ layer: ranks.length - 1, B: t.B! }], restart, S)),
    });
    const learned = await Promise.all(t.lambda.map((tensor) => readFactor(run, tensor, fitted.restart)));
    const settled = { ...fitted.settings, l1: learned.map(({ data }) => data[0] * scale * 2 ** unit) };
    return { ...rescale(fitted, scale), settings: settled, supervision: fitted.supervision && inUnitsOfX(fitted.supervision, scale) };
  });
}

/** Rates for columns of X of norm 1. */
function learningOptimiser(given: 'momentum' | 'adam' | Exclude<GivenOptimiser, { name: 'projected' }>): LearningOptimiser {
  return optimiserOf(given, { momentum: 0.005, adam: 0.01 }, ['momentum', 'adam']);
}

/** λ of each layer, in units of the scaled X. */
function startOfLambda(given: SparseCodingOptions['l1'], layers: number, unit: number, scale: number): number[] {
  if (given === undefined) return new Array<number>(layers).fill(0.02);
  return layerValues('l1', given, layers).map((value) => inOwnUnit('l1', value, unit) / scale);
}

function writeStarts(run: Run, t: SparseCodingProgram, targets: Targets | undefined, lambda: number[], settings: Settings): void {
  const { restarts, seed } = settings;
  const M = t.X.cols;
  const numbers = Array.from({ length: restarts }, (_, restart) => restart);
  t.startOrder.forEach((tensor, l) => {
    const orders = new Float32Array(restarts * M);
    for (const restart of numbers) {
      const order = permutation(random(seed, { purpose: 'columns', restart, tensor: l }), M);
      orders.set(inTurns(order, targets?.indices), restart * M);
    }
    if (tensor) run.write(tensor, orders);
    else run.write(t.select!, selection(orders, t.select!, restarts));
  });
  t.lambda.forEach((tensor, l) => {
    run.write(tensor, new Float32Array(restarts).fill(lambda[l]));
  });
  if (targets) {
    const { rows, cols } = t.B!;
    run.write(t.Y!, targets.Y.data);
    // Small, so that every class starts about as likely, and not equal, so that restarts differ.
    const startOfB = (restart: number) => {
      const { normal } = random(seed, { purpose: 'classifier', restart });
      return Array.from({ length: rows * cols }, () => 0.1 * normal());
    };
    run.write(t.B!, Float32Array.from(numbers.flatMap(startOfB)));
  }
}

/** Writes given dictionaries and the classifier, which reads codes of the scaled X, and codes X. */
function beginWith(run: Run, t: SparseCodingProgram, { A, B }: Given, scale: number): void {
  t.A.forEach((tensor, l) => {
    run.write(tensor, withinUnitNorm(A![l]).data);
  });
  if (B) run.write(t.B!, scaled(B[0], scale).data);
  run.execute('measure');
}

/** Columns longer than 1 shortened to 1. Those that are 1 but for rounding stay as they are. */
function withinUnitNorm({ rows, cols, data }: Matrix): Matrix {
  const squares = new Float64Array(cols);
  data.forEach((x, at) => {
    squares[at % cols] += x * x;
  });
  const factors = squares.map((square) => (square > 1 + 1e-5 ? 1 / Math.sqrt(square) : 1));
  return matrix(
    rows,
    cols,
    data.map((x, at) => x * factors[at % cols]),
  );
}

/** λ of each layer that a given model of this method has learned. */
function learnedL1(start: SparseCodingOptions['start']): SparseCodingOptions['l1'] {
  if (typeof start !== 'object' || !('method' in start) || start.method !== 'sparse-coding') return undefined;
  return (start as SparseCodingFactorization).settings.l1;
}

/** Of every restart M×k, column j with its one in row order[j]: X times that are the first k columns of X in that order. */
function selection(orders: Float32Array, { rows: M, cols: k }: Tensor, restarts: number): Float32Array {
  const ones = new Float32Array(restarts * M * k);
  for (let restart = 0; restart < restarts; restart++)
    for (let j = 0; j < k; j++) ones[(restart * M + orders[restart * M + j]) * k + j] = 1;
  return ones;
}

/** The same order, but classes take turns as long as they last; columns without a label count as a class. */
function inTurns(order: Float32Array, indices?: Int32Array): Float32Array {
  if (!indices) return order;
  const seen = new Map<number, number>();
  const turns = Array.from(order, (column) => {
    const turn = seen.get(indices[column]) ?? 0;
    seen.set(indices[column], turn + 1);
    return { column, turn };
  });
  return Float32Array.from(turns.sort((a, b) => a.turn - b.turn).map(({ column }) => column));
}

/**
 * Steps over mini-batches, with a fresh permutation of the columns before every pass over them. Writes are queued in order with the steps.
 */
function inEpochs(run: Run, order: Tensor, batchColumns: number, seed: number): (times: number, skip?: boolean) => void {
  const r = random(seed, { purpose: 'epochs' });
  let left = 0;
  return (times, skip = false) => {
    for (let todo = times; todo > 0; ) {
      if (left === 0) {
        run.write(order, permutation(r, order.cols));
        left = Math.ceil(order.cols / batchColumns);
      }
      const now = Math.min(todo, left);
      if (!skip) run.execute('step', now);
      left -= now;
      todo -= now;
    }
  };
}

function rescale<F extends { S: Matrix[] }>(factors: F, scale: number): F {
  return { ...factors, S: factors.S.map((S) => scaled(S, scale)) };
}

/** The classifier for codes in the units of X, which it reads. */
function inUnitsOfX(supervision: Supervision, scale: number): Supervision {
  return { ...supervision, classifiers: supervision.classifiers.map(({ layer, B }) => ({ layer, B: divided(B, scale) })) };
}

function divided({ rows, cols, data }: Matrix, scale: number): Matrix {
  return matrix(
    rows,
    cols,
    data.map((x) => x / scale),
  );
}

/**
 * Sˡ (k_l×M') of new samples: their codes by the model's dictionaries and λ, exactly.
 *
 * @param newX N×M', any sign, N as in the model's A[0].
 * @throws ShapeError when the rows differ; InputError for entries that are not finite.
 */
export async function transformSparseCoding(engine: Engine, model: SparseCodingFactorization, newX: DataMatrix): Promise<Matrix[]> {
  const { l1 } = model.settings;
  if (!Array.isArray(l1) || l1.length !== model.A.length || !l1.every((value) => Number.isFinite(value) && value >= 0))
    throw new InputError(`A sparse coding model needs settings.l1, a number ≥ 0 for each of its ${model.A.length} layers.`);
  checkNewSamples(newX, model.A[0].rows, { signed: true });
  return nnlsChain(engine, newX, model.A, { l1 });
}

export const sparseCodingMethod = {
  name: 'sparse-coding',
  summary: 'a network of sparse codes, A free in sign; takes negative data',
  layers: 'many',
  signed: { X: true, A: true },
  chained: true,
  options,
  applied: { l1: undefined },
  renamed: { lambda: "'l1'", learnLambda: "'learnL1'", rate: "a part of 'optimiser', such as { name: 'adam', rate: 0.02 }" },
  fit: sparseCoding,
  transform: transformSparseCoding,
  program: ({ rows, cols, ranks, restarts, csrEntries, classes }: ProgramShape, own: OptionsOf<typeof options>) => {
    const { reconstruction = 1, learnL1 = classes !== undefined } = own;
    const batchColumns = own.batchColumns ?? (cols <= 1024 || csrEntries !== undefined ? cols : 256);
    const supervised = classes ? { classes, labelled: cols, weight: own.labelWeight ?? 1 } : undefined;
    const optimiser = learningOptimiser(own.optimiser ?? 'adam');
    const settled = { restarts, batchColumns, csrEntries, reconstruction, supervised, learnLambda: learnL1, optimiser };
    return sparseCodingProgram(rows, cols, ranks, settled).program;
  },
} as const satisfies MethodDefinition;
