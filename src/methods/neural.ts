import { checkAtLeastZero, checkPositive, checkPositiveInteger, layerValues, seenThrough } from '../data/check.js';
import type { Labels, Targets } from '../data/labels.js';
import type { Matrix } from '../data/matrix.js';
import { permutation, random } from '../data/random.js';
import { type DataMatrix, entriesOf, requireDense, stored } from '../data/sparse.js';
import type { Engine, Run } from '../engine.js';
import { InputError } from '../errors.js';
import { control } from '../graph/operations.js';
import { type ClassifierSpec, type NeuralProgram, neuralProgram, type Optimiser } from '../programs/neural.js';
import type { CostWeights } from '../programs/neural-cost.js';
import type { Factorization, FitOptions } from './factorization.js';
import { checkFit, readFactors, type Settings, squaredNorm, withFit, writeMatrix } from './fit.js';
import { fitSequentially } from './hierarchical.js';
import { nnls } from './q.js';
import { checkSupervision, labelSettings, type SupervisionSettings, supervise } from './supervision.js';

export interface NeuralOptions extends FitOptions {
  /** [k₀, k₁, …]: each from 1 to 128, none larger than the one before, k₀ ≤ min(N, M). */
  ranks: readonly number[];
  /** 'hierarchical' (default): from a short hierarchical NMF of each restart. 'random': from |N(0,1)|. */
  start?: 'hierarchical' | 'random';
  /** Iterations per layer of the hierarchical start; default 20. */
  startIterations?: number;
  /**
   * 'reconstruction' (default): ‖X − A⁰…AᴸSᴸ‖². 'energy': Σ_l ‖Sˡ⁻¹ − AˡSˡ‖² with S⁻¹ = X, which ends with far larger reconstruction
   * errors. Or weights of both, energy per layer.
   */
  cost?: 'reconstruction' | 'energy' | { reconstruction: number; energy: readonly number[] };
  /** λ₁ ≥ 0 on the coefficients, one for all layers or one each: Sˡ = argmin_{S ≥ 0} ½‖Sˡ⁻¹ − AˡS‖² + λ₁ Σ S. Default 0. */
  l1?: number | readonly number[];
  /** W ≥ 0, N×M, multiplies residuals of X entrywise: 0 marks a missing value. Takes k₀²(N + M) entries more, and a dense X. */
  mask?: Matrix;
  /** One label a sample, empty where it is unknown: adds λ times the loss of a classifier B ≥ 0 on S to the objective. */
  labels?: Labels;
  /** Labels of every sample, only to score the predictions on those that `labels` leaves out. */
  truth?: Labels;
  /** Which layers' S the classifiers read; default the last. */
  labelLayers?: readonly number[];
  /** 'squared' (default): ‖L ∘ (Y − BS)‖², B exact at every step. 'crossEntropy': of softmax(BS), mean over the labelled columns. */
  labelLoss?: 'squared' | 'crossEntropy';
  /** λ ≥ 0; default 0.1: on the published data errors stay within 1.5 % of the SVD bound and every label is predicted. */
  labelWeight?: number;
  /**
   * What λ multiplies. 'relative' (default): squared losses relative to ‖L ∘ Y‖² and cross-entropies as they are, against a
   * reconstruction relative to ‖X‖². 'mean': means over entries, as in the authors' code. 'sum': plain sums.
   */
  normalization?: 'relative' | 'mean' | 'sum';
  /**
   * 'projected' (default): projected gradient with a step controlled on the device, monotone, needs no tuning. 'momentum' (rate 0.05,
   * momentum 0.9, in the same scale-free metric) and 'adam' (rate 0.01) keep every step and can run on mini-batches.
   */
  optimiser?: 'projected' | 'momentum' | 'adam' | Optimiser;
  /** Columns of a mini-batch, drawn without replacement from a shuffled order. Default: all columns. Not with 'projected' or a sparse X. */
  batchColumns?: number;
}

/**
 * Neural NMF: the coefficients are functions of the features, S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ) with q(X, A) = argmin_{S ≥ 0} ‖X − AS‖²,
 * and all A⁰ … Aᴸ learn together by projected gradient, differentiated exactly through every q; by default on ‖X − A⁰…AᴸSᴸ‖², with
 * labels also on the loss of classifiers. With the default optimiser a step that would raise the objective is dropped on the device, so
 * the objective never increases.
 *
 * maxIterations defaults to 1000, tolerance to 1e-5 an iteration. Gao, Haddock, Molitor, Needell, Sadovnik, Will, Zhang: Neural
 * Nonnegative Matrix Factorization for Hierarchical Multilayer Topic Modeling, CAMSAP 2019; arXiv:2303.00058.
 *
 * With a mask, relativeError is ‖W ∘ (X − X̂)‖ / ‖W ∘ X‖ and svdBound is null: no closed bound is known. With labels the restart with
 * the smallest objective is kept, and `supervision` holds classes, classifiers and accuracy.
 *
 * @throws InputError for negative, NaN or infinite entries, ranks that do not fit, bad options; BreakdownError, LimitError.
 */
export async function neuralNmf(engine: Engine, X: DataMatrix, options: NeuralOptions): Promise<Factorization> {
  const { ranks, mask, start = 'hierarchical', startIterations = 20 } = options;
  const settings = checkFit(X, ranks, options, { maxIterations: 1000, tolerance: 1e-5 });
  checkStart(start, startIterations);
  const seen = seenThrough(mask, X);
  const optimiser = optimiserOf(options.optimiser ?? 'projected');
  checkBatch(options.batchColumns, optimiser, X);
  const l1 = layerValues('l1', options.l1 ?? 0, ranks.length);
  const cost = costWeights(options.cost ?? 'reconstruction', ranks.length);
  const norm = squaredNorm(stored(seen));
  const supervision = checkSupervision(options, X, { weight: 0.1 });
  if (!supervision && (options.labelLayers ?? options.labelLoss) !== undefined)
    throw new InputError('labelLayers and labelLoss need labels.');
  const classifiers = supervision ? classifierSpecs(options, supervision, ranks, X, norm) : [];

  const t = neuralProgram(X.rows, X.cols, ranks, {
    restarts: settings.restarts,
    csrEntries: entriesOf(X),
    start,
    cost: { ...cost, l1 },
    weighted: mask !== undefined,
    classifiers,
    optimiser,
    batchColumns: options.batchColumns,
  });
  return withFit(engine, t.program, { method: 'neural', X: seen, ranks, settings }, async (fit) => {
    const { run } = fit;
    writeInputs(run, t, { mask, targets: supervision?.targets, settings, ranks });
    if (t.sequential) {
      await fitSequentially(fit, t, t.sequential, X, { maxIterations: startIterations, start: true });
    } else {
      writeMatrix(run, t.X, X);
      t.A.forEach((tensor, l) => {
        fit.writeRandom(tensor, l);
      });
    }
    const initial = new Float32Array(control.length);
    initial[control.eta] = 0.5;
    initial[control.cost] = 3e38;
    run.write(t.control, initial);
    run.execute('start');
    const { costs } = await fit.stage({
      name: 'all layers',
      step: 'step',
      ...(t.objective ? { measure: 'measure', cost: t.objective } : { cost: t.control, costAt: control.cost }),
      factors: async (restart) => {
        run.execute('view');
        return readFactors(run, t.A, t.view, restart);
      },
    });
    const { errors, kkt } = await fit.measure(['finish', 'errors'], { errors: t.errors, kkt: t.kkt });
    return fit.result({
      A: t.A,
      S: t.S,
      errors,
      // Without labels and with the plain cost the objective is the last squared error itself.
      objectives: (supervision || options.cost) && costs.length > 0 ? costs : undefined,
      kkt,
      rounds: t.rounds,
      boundRanks: mask && ranks.map(() => null),
      own: {
        start,
        startIterations,
        cost,
        l1,
        optimiser,
        ...labelSettings(supervision),
        ...(supervision ? { labelLoss: classifiers[0].loss } : {}),
      },
      supervise: supervision && ((restart, { S }) => supervise(run, supervision, t.classifiers, restart, S)),
    });
  });
}

/** Every Sˡ of unseen columns: S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), with the model's own λ₁. newX has the rows of X and any number of columns. */
export async function transformNeural(engine: Engine, model: Factorization, newX: DataMatrix): Promise<Matrix[]> {
  const l1 = (model.settings.l1 as number[] | undefined) ?? model.ranks.map(() => 0);
  const S: Matrix[] = [];
  for (let l = 0; l < model.A.length; l++) S.push((await nnls(engine, S[l - 1] ?? newX, model.A[l], { l1: l1[l] })).S);
  return S;
}

function writeInputs(
  run: Run,
  t: NeuralProgram,
  { mask, targets, settings, ranks }: { mask?: Matrix; targets?: Targets; settings: Settings; ranks: readonly number[] },
): void {
  if (mask) run.write(t.W!, mask.data);
  if (t.order) {
    const M = t.order.cols;
    const order = new Float32Array(M * settings.restarts);
    for (let r = 0; r < settings.restarts; r++) order.set(permutation(random(settings.seed ^ Math.imul(r + 1, 0x9e3779b1)), M), r * M);
    run.write(t.order, order);
  }
  if (!targets) return;
  for (const { layer, Y, L, mask: labelled } of t.classifiers) {
    run.write(Y, targets.Y.data);
    run.write(L, targets.L.data);
    const k = ranks[layer];
    run.write(
      labelled,
      Float32Array.from({ length: k * L.cols }, (_, at) => targets.L.data[at % L.cols]),
    );
  }
}

function classifierSpecs(
  options: NeuralOptions,
  { targets, labelWeight }: SupervisionSettings,
  ranks: readonly number[],
  X: DataMatrix,
  norm: number,
): ClassifierSpec[] {
  const { labelLayers = [ranks.length - 1], labelLoss = 'squared', normalization = 'relative' } = options;
  if (labelLoss !== 'squared' && labelLoss !== 'crossEntropy')
    throw new InputError(`labelLoss must be 'squared' or 'crossEntropy', not ${JSON.stringify(labelLoss)}.`);
  if (new Set(labelLayers).size !== labelLayers.length)
    throw new InputError(`labelLayers [${labelLayers.join(', ')}] names a layer twice.`);
  for (const layer of labelLayers) {
    if (!Number.isInteger(layer) || layer < 0 || layer >= ranks.length)
      throw new InputError(`labelLayers names layer ${layer}, but the layers are 0 to ${ranks.length - 1}.`);
  }
  const { classes, labelled } = targets;
  const squared = labelLoss === 'squared';
  // The objective's reconstruction is a plain sum, so the weight brings each loss to the same unit.
  const unit = {
    relative: squared ? norm / labelled : norm,
    mean: squared ? (X.rows * X.cols) / (classes.length * labelled) : X.rows * X.cols,
    sum: 1,
  }[normalization];
  if (unit === undefined) throw new InputError(`normalization must be 'relative', 'mean' or 'sum', not ${JSON.stringify(normalization)}.`);
  return labelLayers.map((layer) => ({ layer, loss: labelLoss, weight: labelWeight * unit, classes: classes.length, labelled }));
}

function costWeights(cost: NonNullable<NeuralOptions['cost']>, layers: number): Pick<CostWeights, 'reconstruction' | 'energy'> {
  if (cost === 'reconstruction') return { reconstruction: 1, energy: new Array<number>(layers).fill(0) };
  if (cost === 'energy') return { reconstruction: 0, energy: new Array<number>(layers).fill(1) };
  if (typeof cost !== 'object')
    throw new InputError(`cost must be 'reconstruction', 'energy' or weights of both, not ${JSON.stringify(cost)}.`);
  const energy = layerValues('cost.energy', cost.energy, layers);
  const { reconstruction } = cost;
  checkAtLeastZero('cost.reconstruction', reconstruction);
  if (reconstruction === 0 && energy.every((weight) => weight === 0))
    throw new InputError('Every weight of cost is zero; at least one must be positive.');
  return { reconstruction, energy };
}

function optimiserOf(given: NonNullable<NeuralOptions['optimiser']>): Optimiser {
  const optimiser =
    typeof given === 'object'
      ? given
      : (
          {
            projected: { name: 'projected' },
            momentum: { name: 'momentum', rate: 0.05, momentum: 0.9 },
            adam: { name: 'adam', rate: 0.01 },
          } as const
        )[given];
  if (!optimiser || !['projected', 'momentum', 'adam'].includes(optimiser.name)) {
    throw new InputError(`optimiser must be 'projected', 'momentum' or 'adam', not ${JSON.stringify(given)}.`);
  }
  if (optimiser.name !== 'projected') checkPositive('optimiser.rate', optimiser.rate);
  if (optimiser.name === 'momentum' && !(optimiser.momentum >= 0 && optimiser.momentum < 1)) {
    throw new InputError(`optimiser.momentum must be from 0 up to 1, not ${optimiser.momentum}.`);
  }
  return optimiser;
}

function checkStart(start: string, startIterations: number): void {
  if (start !== 'hierarchical' && start !== 'random')
    throw new InputError(`start must be 'hierarchical' or 'random', not ${JSON.stringify(start)}.`);
  checkPositiveInteger('startIterations', startIterations);
}

function checkBatch(batchColumns: number | undefined, optimiser: Optimiser, X: DataMatrix): void {
  if (batchColumns === undefined) return;
  checkPositiveInteger('batchColumns', batchColumns);
  if (batchColumns > X.cols) throw new InputError(`batchColumns is ${batchColumns}, but X has ${X.cols} columns.`);
  if (optimiser.name === 'projected')
    throw new InputError("The optimiser 'projected' compares objectives of all columns; use 'momentum' or 'adam' with batchColumns.");
  requireDense(X, "The option 'batchColumns'", 'leave it out so that every step sees all columns');
}
