import { checkAtLeastZero, layerValues } from '../data/check.js';
import type { Targets } from '../data/labels.js';
import type { Matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { permutation, random } from '../data/random.js';
import { type DataMatrix, requireDense } from '../data/sparse.js';
import type { Engine, Run } from '../engine.js';
import { InputError } from '../errors.js';
import { control } from '../graph/operations.js';
import { type ClassifierSpec, lastLevel, type NeuralProgram, neuralProgram } from '../programs/neural.js';
import type { CostWeights } from '../programs/neural-cost.js';
import type { FitData } from './by-columns.js';
import { writeData } from './by-columns.js';
import type { MethodDefinition, ProgramShape, TransformOptions } from './definition.js';
import type { FitOptions, LabelSettings, Model } from './factorization.js';
import { readFactors, withFit } from './fit.js';
import { givenFactors } from './given.js';
import { checkGuide, guideColumns, guideOption, supportOf } from './guide.js';
import { fitSequentially } from './hierarchical.js';
import { type GivenOptimiser, type Optimiser, optimiserOf } from './optimiser.js';
import { choice, choiceOr, choiceOrLayerValues, layerList, layerNumbers, matrixLikeX, type OptionsOf, positiveInteger } from './options.js';
import { entriesIn, inOwnUnit, type Problem, problemOf } from './problem.js';
import { nnlsChain } from './q.js';
import { startOption } from './start.js';
import { checkSupervision, labelLayersOf, labelOptions, labelSettings, supervise } from './supervision.js';

/** Weights of the reconstruction, of the deepest level or of each, and of each layer's energy. */
export interface CostObject {
  reconstruction: number | readonly number[];
  energy?: number | readonly number[];
}

/** λ: the defaults are measured, see docs/defaults.md. */
const defaultLabelWeight = 1;

const options = {
  /**
   * The start.
   *
   * - 'hierarchical' (default): a short hierarchical NMF of each restart.
   * - 'random': |N(0,1)|.
   * - { A, B }, or a fitted model: the A of every layer. Every S follows from them. B is for labelLoss 'crossEntropy' (else it follows, too);
   *   left out it is 0. The optimiser begins anew.
   */
  start: startOption(['hierarchical', 'random'], 'layers fitted one by one, or random numbers', ['A', 'B']),
  /** Iterations per layer of the hierarchical start. Default 20. */
  startIterations: positiveInteger('iterations of the start', {
    default: 20,
    needs: { option: 'start', values: ['hierarchical'] },
  }),
  /**
   * The cost, beside labels.
   *
   * - 'levels' (default): Σ_l ‖X − A⁰…AˡSˡ‖², the errors of all levels.
   * - 'reconstruction': ‖X − A⁰…AᴸSᴸ‖², the error of the deepest level alone, as published. The levels above it drift.
   * - 'energy': Σ_l ‖Sˡ⁻¹ − AˡSˡ‖² with S⁻¹ = X. It ends with far larger reconstruction errors.
   * - A list of weights ≥ 0: Σ_l w_l ‖X − A⁰…AˡSˡ‖², one for each level.
   * - An object with weights ≥ 0: `reconstruction`, a number for the deepest level or a list of one for each, and `energy` for each layer.
   */
  cost: choiceOrLayerValues<CostObject>()(
    ['reconstruction', 'levels', 'energy'],
    'the error of the deepest level, of all levels, or of every layer alone; or the weight of each level',
    { default: 'levels' },
  ),
  /**
   * λ₁ ≥ 0 on the coefficients, one for all layers or a list of one each: Sˡ = argmin_{S ≥ 0} ½‖Sˡ⁻¹ − AˡS‖² + λ₁ Σ S.
   * Default 0.
   */
  l1: layerNumbers('penalty on S', { default: 0, placeholder: 'λ' }),
  /**
   * W ≥ 0, N×M, multiplies residuals of X entrywise. 0 marks a missing value, and so does NaN in X. Default: 1, and 0 where X is NaN.
   * It takes k₀²(N + M) entries more. X must be dense.
   */
  weights: matrixLikeX('a matrix of the same shape: 0 where a value is missing, else its weight'),
  /**
   * { columns, only }: N×g columns ≥ 0 that the first g columns of A⁰ start from, whatever their scale, in every restart.
   * `only: true` keeps the zeros of `columns` in A⁰.
   */
  guide: guideOption,
  // Labels add λ times the loss of a classifier B ≥ 0 on S to the objective. λ is 1 by default.
  ...labelOptions,
  /** The layers, counted from 0, whose S the classifiers read. Default: the last. */
  labelLayers: layerList('layers whose S is classified, such as 0,2', { default: 'the last', needs: { option: 'labels' } }),
  /**
   * The loss of a classifier.
   *
   * - 'squared' (default): ‖L ∘ (Y − BS)‖², with B exact at every step.
   * - 'crossEntropy': that of softmax(BS), mean over the labelled columns.
   */
  labelLoss: choice(['squared', 'crossEntropy'], 'loss of a prediction', { default: 'squared', needs: { option: 'labels' } }),
  /**
   * The unit of the losses that λ multiplies.
   *
   * - 'relative' (default): squared losses relative to ‖L ∘ Y‖² and cross-entropies as they are, against a reconstruction relative to ‖X‖².
   * - 'mean': means over entries, as in the authors' code.
   * - 'sum': plain sums.
   */
  normalization: choice(['relative', 'mean', 'sum'], 'unit of the label loss', { default: 'relative', needs: { option: 'labels' } }),
  /**
   * The step rule.
   *
   * - 'projected' (default): projected gradient with a step that the device controls. It is monotone and needs no tuning.
   * - 'momentum': momentum 0.9 and rate 0.05, in the same scale-free metric.
   * - 'adam': rate 0.01.
   *
   * The latter two keep every step and can run on mini-batches. An object sets other numbers: { name: 'adam', rate: 0.02 }.
   */
  optimiser: choiceOr<GivenOptimiser>()(['projected', 'momentum', 'adam'], 'step rule for the gradients', { default: 'projected' }),
  /**
   * Columns of a mini-batch, drawn without replacement from a shuffled order. Default: all columns.
   * Not with 'projected' or a sparse X.
   */
  batchColumns: positiveInteger('samples of a mini-batch', {
    default: 'all',
    needs: { option: 'optimiser', values: ['momentum', 'adam'] },
  }),
};

export interface NeuralOptions extends FitOptions, OptionsOf<typeof options> {}

export type NeuralFactorization = Model<
  'neural',
  LabelSettings & {
    start: 'hierarchical' | 'random' | 'given';
    startIterations: number;
    cost: Pick<CostWeights, 'reconstruction' | 'energy'>;
    /** Of each layer. */
    l1: number[];
    optimiser: Optimiser;
    labelLoss?: 'squared' | 'crossEntropy';
  }
>;

/**
 * Neural NMF: the coefficients are functions of the features, S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ) with q(X, A) = argmin_{S ≥ 0} ‖X − AS‖².
 * All A⁰ … Aᴸ learn together by projected gradient, differentiated exactly through every q. The objective is Σ_l ‖X − A⁰…AˡSˡ‖² by
 * default, with labels also the loss of classifiers. The default optimiser drops a step that would raise the objective, so it never increases.
 *
 * With weights, relativeError is ‖W ∘ (X − X̂)‖ / ‖W ∘ X‖ and svdBound is null: no closed bound is known.
 * With labels the restart with the smallest objective is kept, and `supervision` holds classes, classifiers and accuracy.
 * restarts defaults to 4, maxIterations to 1000, tolerance to 1e-5.
 *
 * Gao, Haddock, Molitor, Needell, Sadovnik, Will, Zhang: Neural Nonnegative Matrix Factorization for Hierarchical Multilayer Topic
 * Modeling, CAMSAP 2019; arXiv:2303.00058.
 *
 * @throws InputError for negative or infinite entries, NaN in all of a row or column, or in a sparse X, ranks that do not fit, bad options; BreakdownError, LimitError.
 */
export async function neuralNmf(givenEngine: Engine, givenX: FitData, options: NeuralOptions): Promise<NeuralFactorization> {
  const { start = 'hierarchical', startIterations = 20 } = options;
  const problem = problemOf(neuralMethod, givenX, options, { maxIterations: 1000, tolerance: 1e-5 });
  const { X, W, norm, unit, costUnit, settings } = problem;
  const engine = problem.columns?.over(givenEngine) ?? givenEngine;
  const { ranks } = settings;
  const optimiser = neuralOptimiser(options.optimiser);
  const { guide } = options;
  checkGuide(guide, X, ranks, start);
  checkBatch(options.batchColumns, X);
  const l1 = layerValues('l1', options.l1 ?? 0, ranks.length);
  const cost = costWeights(options.cost, ranks.length);
  const supervision = checkSupervision(options, problem, { weight: defaultLabelWeight });
  const classifiers = supervision
    ? classifierSpecs(options, { ...supervision.targets, labelWeight: supervision.labelWeight }, ranks, X, { norm, costUnit })
    : [];
  // ½‖W ∘ (X − A⁰S)‖² + λ₁ Σ S in other units; S has the unit of X in every layer.
  const ownL1 = l1.map((lambda, l) => inOwnUnit('l1', lambda, l === 0 ? 2 * costUnit - unit : unit));

  const t = neuralProgram(X.rows, X.cols, ranks, {
    restarts: settings.restarts,
    csrEntries: entriesIn(problem),
    start: typeof start === 'object' ? 'random' : start,
    cost: { ...cost, l1: ownL1 },
    weighted: W !== undefined,
    classifiers,
    supported: guide?.only,
    optimiser,
    batchColumns: options.batchColumns,
    tolerance: settings.tolerance,
  });
  const free = t.classifiers.filter(({ loss }) => loss === 'crossEntropy');
  const given = givenFactors(start, problem, {
    A: t.A,
    B: free.length > 0 ? free.map(({ B }) => B) : undefined,
    classes: supervision?.targets.classes,
    needsA: true,
  });
  return withFit(engine, t.program, problem, async (fit) => {
    const { run } = fit;
    writeInputs(run, t, problem, supervision?.targets);
    if (guide && t.support) run.write(t.support, supportOf(guide, ranks[0]));
    const changeStart = guide && ((entries: Float32Array) => guideColumns(entries, ranks[0], guide, 1));
    if (t.sequential) {
      await fitSequentially(fit, t, t.sequential, X, { maxIterations: startIterations, changeStart, start: true, norm, W });
    } else {
      writeData(run, t.X, X, t.W, W);
      t.A.forEach((tensor, l) => {
        if (given) run.write(tensor, given.A![l].data);
        else fit.writeRandom(tensor, l, 1, l === 0 ? changeStart : undefined);
      });
      given?.B?.forEach(({ data }, c) => {
        run.write(free[c].B, data);
      });
    }
    const initial = new Float32Array(control.length);
    initial[control.eta] = 0.5;
    initial[control.cost] = 3e38;
    run.write(t.control, initial);
    run.execute('start');
    const { ends } = await fit.stage({
      name: 'all layers',
      step: 'step',
      ...(t.objective ? { measure: 'measure', cost: t.objective } : { cost: t.control, costAt: control.cost }),
      // The root mean square of the levels, where there are several.
      norm: norm * (sum(cost.reconstruction) || 1),
      objective: supervision || sum(cost.energy) > 0 || options.batchColumns ? 'of X' : 'error',
      levels: cost.reconstruction,
      cheapInF64: false,
      factors: async (restart) => {
        run.execute('view');
        return readFactors(run, t.A, t.view, restart);
      },
    });
    const costs = ends.map(({ cost }) => cost);
    const { errors, kkt } = await fit.measure(['finish', 'errors'], { errors: t.errors, kkt: t.kkt });
    return fit.result('neural', {
      A: t.A,
      S: t.S,
      errors,
      // Without labels the objective of the deepest level alone is the last squared error itself.
      objectives: !(isPlain(cost) && !supervision) && !costs.some(Number.isNaN) ? costs : undefined,
      kkt,
      rounds: t.rounds,
      exact: { l1: ownL1, differentiated: true },
      boundRanks: W && ranks.map(() => null),
      own: {
        start: typeof start === 'object' ? 'given' : start,
        startIterations,
        cost,
        l1,
        optimiser,
        ...labelSettings(supervision),
        ...(supervision ? { labelLoss: classifiers[0].loss } : {}),
      },
      supervise: supervision && ((restart, { S }) => supervise(fit, supervision, t.classifiers, restart, S)),
    });
  });
}

/**
 * Sˡ (k_l×M') of every layer for new samples: S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), with the model's own λ₁.
 *
 * @param newX N×M', N as in the model's A[0].
 */
export async function transformNeural(
  engine: Engine,
  model: NeuralFactorization,
  newX: DataMatrix,
  { weights }: Pick<TransformOptions, 'weights'> = {},
): Promise<Matrix[]> {
  return nnlsChain(engine, newX, model.A, { l1: model.settings.l1, weights });
}

function writeInputs(run: Run, t: NeuralProgram, { settings }: Problem, targets?: Targets): void {
  if (t.order) {
    const M = t.order.cols;
    const order = new Float32Array(M * settings.restarts);
    for (let restart = 0; restart < settings.restarts; restart++)
      order.set(permutation(random(settings.seed, { purpose: 'columns', restart }), M), restart * M);
    run.write(t.order, order);
  }
  if (!targets) return;
  for (const { layer, Y, L, mask: labelled } of t.classifiers) {
    run.write(Y, targets.Y.data);
    run.write(L, targets.L.data);
    const k = settings.ranks[layer];
    run.write(
      labelled,
      Float32Array.from({ length: k * L.cols }, (_, at) => targets.L.data[at % L.cols]),
    );
  }
}

function classifierSpecs(
  { labelLayers, labelLoss = 'squared', normalization = 'relative' }: OptionsOf<typeof options>,
  { classes, labelled, labelWeight }: { classes: readonly string[]; labelled: number; labelWeight: number },
  ranks: readonly number[],
  { rows, cols }: { rows: number; cols: number },
  { norm, costUnit }: { norm: number; costUnit: number },
): ClassifierSpec[] {
  const squared = labelLoss === 'squared';
  // The objective's reconstruction is a plain sum, so the weight brings each loss to the same unit.
  const unit = {
    relative: squared ? norm / labelled : norm,
    mean: squared ? (rows * cols) / (classes.length * labelled) : rows * cols,
    sum: 1,
  }[normalization];
  const weight = inOwnUnit('labelWeight', labelWeight * unit, normalization === 'relative' ? 0 : 2 * costUnit);
  const spec = { loss: labelLoss, weight, classes: classes.length, labelled };
  return labelLayersOf(labelLayers, ranks).map((layer) => ({ layer, ...spec }));
}

function costWeights(cost: NeuralOptions['cost'] = 'levels', layers: number): Pick<CostWeights, 'reconstruction' | 'energy'> {
  const none = new Array<number>(layers).fill(0);
  const one = new Array<number>(layers).fill(1);
  if (cost === 'reconstruction') return { reconstruction: lastLevel(layers), energy: none };
  if (cost === 'levels') return { reconstruction: one, energy: none };
  if (cost === 'energy') return { reconstruction: none, energy: one };
  const listed = Array.isArray(cost);
  const { reconstruction: given, energy: own = 0 } = listed ? { reconstruction: cost as readonly number[] } : (cost as CostObject);
  if (!listed) checkNames('cost', cost, ['reconstruction', 'energy']);
  const energy = layerValues('cost.energy', own, layers);
  if (typeof given === 'number') checkAtLeastZero('cost.reconstruction', given);
  const reconstruction =
    typeof given === 'number'
      ? lastLevel(layers).map((weight) => weight * given)
      : layerValues(listed ? 'cost' : 'cost.reconstruction', given, layers);
  if ([...reconstruction, ...energy].every((weight) => weight === 0))
    throw new InputError('Every weight of cost is zero; at least one must be positive.', { option: 'cost' });
  return { reconstruction, energy };
}

const sum = (weights: readonly number[]) => weights.reduce((before, weight) => before + weight, 0);

/** Whether the deepest level alone counts. */
function isPlain({ reconstruction, energy }: Pick<CostWeights, 'reconstruction' | 'energy'>): boolean {
  return sum(energy) === 0 && reconstruction.slice(0, -1).every((weight) => weight === 0);
}

function neuralOptimiser(given: NeuralOptions['optimiser'] = 'projected'): Optimiser {
  return optimiserOf(given, { momentum: 0.05, adam: 0.01 }, ['projected', 'momentum', 'adam']);
}

function checkBatch(batchColumns: number | undefined, X: DataMatrix): void {
  if (batchColumns === undefined) return;
  if (batchColumns > X.cols)
    throw new InputError(`batchColumns is ${batchColumns}, but X has ${X.cols} columns.`, { option: 'batchColumns' });
  requireDense(X, "The option 'batchColumns'", 'leave it out so that every step sees all columns', 'batchColumns');
}

export const neuralMethod = {
  name: 'neural',
  summary: 'all layers by gradients through exact least squares',
  layers: 'many',
  restarts: 4,
  signed: { X: false, A: false },
  chained: true,
  options,
  applied: { l1: 0 },
  fit: neuralNmf,
  transform: transformNeural,
  program: ({ rows, cols, ranks, restarts, csrEntries, weighted, classes }: ProgramShape, own: OptionsOf<typeof options>) => {
    const { labelWeight = defaultLabelWeight, batchColumns } = own;
    const start = typeof own.start === 'object' ? 'random' : (own.start ?? 'hierarchical');
    const names = Array.from({ length: classes ?? 0 }, (_, c) => String(c));
    // As if every sample were labelled, and ‖X‖² were 1.
    const classifiers = classes
      ? classifierSpecs(own, { classes: names, labelled: cols, labelWeight }, ranks, { rows, cols }, { norm: 1, costUnit: 0 })
      : [];
    const cost = { ...costWeights(own.cost, ranks.length), l1: layerValues('l1', own.l1 ?? 0, ranks.length) };
    const optimiser = neuralOptimiser(own.optimiser);
    return neuralProgram(rows, cols, ranks, {
      restarts,
      csrEntries,
      start,
      cost,
      weighted,
      classifiers,
      supported: own.guide?.only,
      optimiser,
      batchColumns,
    }).program;
  },
} as const satisfies MethodDefinition;
