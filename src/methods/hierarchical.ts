import { checkNewSamples } from '../data/check.js';
import { type Matrix, matrix } from '../data/matrix.js';
import { type DataMatrix, entriesOf, stored } from '../data/sparse.js';
import type { Engine, Run } from '../engine.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { hierarchicalProgram, type Layers, type SequentialFit } from '../programs/hierarchical.js';
import { betaLoss, type Loss, squared } from '../programs/losses.js';
import { mostIterations, type NmfSolver, nmfSolvers } from '../programs/nmf.js';
import { writeData } from './by-columns.js';
import type { MethodDefinition, ProgramShape, TransformOptions } from './definition.js';
import type { FitOptions, LabelSettings, Model } from './factorization.js';
import { type Fit, type FitStage, readFactors, withFit } from './fit.js';
import { completed, givenFactors, layerEntries } from './given.js';
import {
  betaOf,
  checkDataOfLoss,
  checkSolverOfLoss,
  divergenceInF64,
  type LossName,
  lossOption,
  sizeOfLoss,
  wordsOf,
  writeOnes,
} from './loss.js';
import { type NndsvdStart, nndsvdEntries, nndsvdStarts, type StartEntries } from './nndsvd.js';
import { penalisedChain, statedOfLayers } from './objective.js';
import { choices, flag, layerList, matrixLikeX, type OptionsOf } from './options.js';
import {
  checkBesidePenalties,
  checkPenalties,
  isPenalised,
  type PenaltyOptions,
  penaltiesInF64,
  penaltiesOfLayers,
  penaltyOptions,
  penaltySettings,
  penaltyShapes,
  writePenalties,
} from './penalties.js';
import { problemOf } from './problem.js';
import type { Factors } from './result.js';
import { moveScale } from './scale.js';
import { startOption } from './start.js';
import {
  checkSupervision,
  labelLayersOf,
  labelOptions,
  labelSettings,
  refuseWeighedLabels,
  type SupervisionSettings,
  supervise,
} from './supervision.js';

const options = {
  /**
   * The solver of each layer: one for all, or a list of one each.
   *
   * - 'anls' (default): alternating exact nonnegative least squares.
   * - 'hals': coordinate descent.
   * - 'mu': multiplicative updates, the default with a loss other than 'frobenius', and of the first layer with weights or NaN.
   *
   * Classified layers use model 3 of ssnmf, whatever the solver.
   */
  solver: choices(nmfSolvers, 'multiplicative updates, coordinate descent or exact least squares', {
    default: 'anls, with another loss mu, with weights mu in the first layer, with orthogonalA hals',
  }),
  /**
   * The measure of X against A⁰S⁰, and of each S against the next layer's product: see `nmf`. Another than 'frobenius' is for multiplicative
   * updates, and for fits without labels.
   */
  loss: lossOption,
  /** The penalties of every layer, which is a fit of k_{l−1} features (N in the first) and M samples: see `nmf`. Not with labels. */
  ...penaltyOptions,
  /** W ≥ 0, N×M, multiplies residuals of the first layer entrywise, and those of every error: see `nmf`. The first layer then takes no labels. */
  weights: matrixLikeX('a matrix of the same shape: 0 where a value is missing, else its weight'),
  /**
   * Whether columns of every Aˡ get unit norm before the next layer is fitted. Default true, and false with penalties, to which the scale of A
   * matters. Their scale moves into Sˡ. Without it, and without penalties, the deeper layers scatter.
   */
  normalize: flag('bring columns of every A to unit norm before the next layer is fitted', { default: true }),
  ...labelOptions,
  /** The layers, counted from 0, whose S also fits the labels. Default: the last. */
  labelLayers: layerList('layers whose S is classified, such as 0,2', { default: 'the last', needs: { option: 'labels' } }),
  /**
   * The start of every layer.
   *
   * - 'random' (default): |N(0,1)|.
   * - 'nndsvd', 'nndsvda', 'nndsvdar': from the singular vectors of X, and of each S for the next layer; see `nmf`. Multiplicative updates
   *   keep the zeros of 'nndsvd'.
   * - { A, S, B }, or a fitted model: lists of one for each layer. S that is left out is Sˡ = q(Sˡ⁻¹, Aˡ), A likewise; see `nmf`. B that is
   *   left out is random.
   */
  start: startOption(['random', ...nndsvdStarts], 'random numbers, or the singular vectors of X and of each S', ['A', 'S', 'B']),
};

export interface HierarchicalOptions extends FitOptions, OptionsOf<typeof options> {}

export type HierarchicalFactorization = Model<
  'hierarchical',
  LabelSettings &
    Partial<PenaltyOptions> & {
      solver: NmfSolver | readonly NmfSolver[];
      loss: LossName | number;
      normalize: boolean;
      labelLayers?: number[];
    }
>;

/**
 * Hierarchical NMF: X ≈ A⁰S⁰, then S⁰ ≈ A¹S¹, …, so X ≈ A⁰A¹…AˡSˡ at every depth. Each layer is fitted to the end before the next.
 *
 * Topics of layer l in data space are the columns of A⁰…Aˡ. Aˡ itself maps subtopics to supertopics.
 *
 * With labels, a classified layer minimises ‖Sˡ⁻¹ − AˡSˡ‖² + λ‖L∘(Y − BˡSˡ)‖² over Aˡ, Bˡ, Sˡ ≥ 0 (ssNMF model 3, multiplicative updates).
 * The layers before it know nothing of the labels. Accuracy is that of the last classifier.
 * The restart with the smallest ‖X − A⁰…AᴸSᴸ‖² + λ Σ ‖L∘(Y − BˡSˡ)‖² is returned.
 *
 * Starts are |N(0,1)|, or what `start` says.
 * With another `loss` every layer minimises it, `divergence` is that of X from A⁰…AᴸSᴸ, and the smallest error still decides between restarts.
 * maxIterations defaults to 500 a layer, 1000 with 'hals', 2000 with 'mu'; tolerance to 1e-6. Both hold for each layer, and so does
 * `stopping`. settings holds { solver, loss, normalize }, with penalties those, and with labels { labelWeight, labelLayers }.
 * With penalties `divergence` is that of X from A⁰…AᴸSᴸ. `objective` is left out, since each layer has its own.
 * NaN in X is a missing value: its weight is 0. With weights errors are ‖W ∘ (X − A⁰…AˡSˡ)‖ / ‖W ∘ X‖, and svdBound is null.
 *
 * @throws InputError for negative or infinite entries, ranks that do not fit, labels that do not fit or agree, λ < 0, bad options;
 * ShapeError; BreakdownError, LimitError.
 */
export async function hierarchicalNmf(
  engine: Engine,
  givenX: DataMatrix,
  options: HierarchicalOptions,
): Promise<HierarchicalFactorization> {
  const { loss: named = 'frobenius', normalize = !isPenalised(options), start = 'random' } = options;
  const problem = problemOf(hierarchicalMethod, givenX, options, { maxIterations: 2000, tolerance: 1e-6 });
  const { X, W, settings } = problem;
  const { ranks } = settings;
  const solver = options.solver ?? solverFor(options, ranks, W !== undefined);
  if (typeof solver !== 'string' && solver.length !== ranks.length)
    throw new InputError(`There are ${solver.length} solvers for ${ranks.length} layers; give one for all, or one each.`, {
      option: 'solver',
    });
  const beta = betaOf(named);
  const loss = betaLoss(beta);
  checkDataOfLoss(beta, X, W);
  const penalties = penaltiesOfLayers(options, { ...problem, ranks }, beta);
  const supervision = checkSupervision(options, problem);
  const labelLayers = supervision ? labelLayersOf(options.labelLayers, ranks) : [];
  if (W) refuseWeighedLabels(labelLayers);

  const solverOf = (l: number) => (labelLayers.includes(l) ? 'mu' : typeof solver === 'string' ? solver : solver[l]);
  const t = hierarchicalProgram(X.rows, X.cols, ranks, {
    restarts: settings.restarts,
    csrEntries: entriesOf(X),
    solver,
    weighted: W !== undefined,
    normalize,
    loss,
    penalties: penalties?.map((own, l) => penaltyShapes(own, solverOf(l))),
    supervision: supervision && {
      classes: supervision.targets.classes.length,
      labelWeight: supervision.labelWeight,
      layers: labelLayers,
    },
  });
  const maxIterations = ranks.map((_, l) => options.maxIterations ?? mostIterations[solverOf(l)]);
  const given = givenFactors(start, problem, {
    A: t.A,
    S: t.S,
    B: t.classifiers.length > 0 ? t.classifiers.map(({ labels }) => labels.B) : undefined,
    classes: supervision?.targets.classes,
  });
  const begun = given
    ? layerEntries(await completed(engine, problem, given, (l) => solverOf(l) === 'mu'))
    : typeof start === 'string' && start !== 'random'
      ? [await nndsvdEntries(engine, [X], ranks[0], start, { settings, stream: 0 })]
      : undefined;
  return withFit(engine, t.program, problem, async (fit) => {
    const { run } = fit;
    const begin =
      begun &&
      (async (l: number) =>
        begun[l] ?? nndsvdEntries(engine, await read(fit.run, t.S[l - 1]), ranks[l], start as NndsvdStart, { settings, stream: 2 * l }));
    const plain = loss === squared && !penalties;
    const objectiveInF64 = ({ A: [A], S: [S] }: Factors) =>
      loss.factor * (divergenceInF64(problem, A, S, beta) + (penalties ? penaltiesInF64(penalties[0], A, S) : 0));
    t.penalties.forEach((own, l) => {
      if (penalties) writePenalties(run, own, penalties[l], solverOf(l));
    });
    const sequence = { maxIterations, normalize, supervision, begin, B: given?.B, loss, W };
    await fitSequentially(fit, t, t, X, { ...sequence, ...(!plain && { objectiveInF64 }) });
    const finish = t.layers.flatMap((layer) => [layer.measure, layer.finish]);
    const { errors, kkt, losses } = await fit.measure(['errors', ...finish], {
      errors: t.errors,
      kkt: t.kkt.flat(),
      losses: t.classifiers.map(({ labels }) => labels.loss),
    });
    const lossOf = (restart: number) => losses.reduce((sum, loss) => sum + loss[restart], 0);
    const classifiers = t.classifiers.map(({ layer, labels }) => ({ layer, B: labels.B }));
    return fit.result('hierarchical', {
      A: t.A,
      S: t.S,
      errors,
      objectives: errors[ranks.length - 1].map((squared, r) => squared + (supervision?.labelWeight ?? 0) * lossOf(r)),
      kkt,
      rounds: t.layers.flatMap(({ rounds }) => (rounds ? [rounds] : [])),
      exact: ranks.every((_, l) => solverOf(l) === 'anls') && !options.l2S ? { l1: penalties?.map(({ S }) => S?.l1 ?? 0) } : undefined,
      boundRanks: W && ranks.map(() => null),
      stated: plain
        ? undefined
        : (restart, factors) =>
            statedOfLayers(
              problem,
              { beta, penalties },
              factors,
              kkt.map((values) => values[restart]),
            ),
      own: {
        solver,
        loss: named,
        normalize,
        ...penaltySettings(options),
        ...labelSettings(supervision),
        ...(supervision ? { labelLayers } : {}),
      },
      supervise: supervision && ((restart, { S }) => supervise(fit, supervision, classifiers, restart, S)),
    });
  });
}

/** The default: of the first layer with weights 'mu', else one for all layers. */
function solverFor({ loss, orthogonalA = 0 }: HierarchicalOptions, ranks: readonly number[], weighted: boolean): NmfSolver | NmfSolver[] {
  if (betaOf(loss) !== 2) return 'mu';
  const usual = orthogonalA > 0 ? 'hals' : 'anls';
  return weighted ? ranks.map((_, l) => (l === 0 ? 'mu' : usual)) : usual;
}

/**
 * Sˡ ≥ 0 (k_l×M') of every layer for new samples with the features of a fitted model: S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), exactly. With
 * another loss than 'frobenius' each S minimises that, by multiplicative updates; with penalties of S those, too. Weights are those of newX.
 *
 * @param newX N×M', ≥ 0, N as in the model's A[0].
 * @throws InputError for negative, NaN or infinite entries; ShapeError where newX has not as many rows as A⁰.
 */
export async function transformHierarchical(
  engine: Engine,
  model: Pick<Model, 'A'> & { settings?: object },
  newX: DataMatrix,
  options: TransformOptions = {},
): Promise<Matrix[]> {
  checkNewSamples(newX, model.A[0].rows);
  const { loss, l1S, l2S } = (model.settings ?? {}) as PenaltyOptions & { loss?: LossName | number };
  checkDataOfLoss(betaOf(loss), newX, options.weights, 'newX');
  return penalisedChain(engine, newX, model.A, { loss, l1S, l2S, ...options });
}

export interface SequentialRun {
  /** Of every layer, or one number for all layers. */
  maxIterations: number | readonly number[];
  /** Whether columns of A get unit norm after each layer whose solver leaves them at any norm. Default true. */
  normalize?: boolean;
  supervision?: SupervisionSettings;
  /** The start of a layer, once the layers before it are fitted. Default: random. */
  begin?: (layer: number) => Promise<StartEntries>;
  /** The start of each classifier. Default: random. */
  B?: readonly Matrix[];
  /** Changes the random A⁰ of the restarts. */
  changeStart?: (entries: Float32Array) => void;
  /** Whether the fit is the start of another one: see FitStage. */
  start?: boolean;
  /** Of every layer without labels; default: squared. */
  loss?: Loss;
  /** ‖W ∘ X‖², where the loss is squared and it is known; default: from X and W. */
  norm?: number;
  /** Of the first layer, whose errors are then relative to Σ W² size(x). */
  W?: Matrix;
  /** The first layer's cost by another loss, or with penalties, in f64. */
  objectiveInF64?: FitStage['objectiveInF64'];
}

/** Fits the layers of a program one after another from random starts; also the warm start of Neural NMF. */
export async function fitSequentially(
  fit: Fit,
  { X: dataTensor, W: weightTensor, A, S }: Layers & { W?: Tensor },
  { layers, cost, scaled, classifiers, ones }: SequentialFit,
  X: DataMatrix,
  {
    maxIterations,
    normalize = true,
    supervision,
    begin,
    B: givenB,
    changeStart,
    start,
    loss = squared,
    norm: normOfX,
    W,
    objectiveInF64,
  }: SequentialRun,
): Promise<void> {
  const { run, settings } = fit;
  writeData(run, dataTensor, X, weightTensor, W);
  for (const one of ones) writeOnes(run, one);
  if (!begin)
    A.forEach((tensor, l) => {
      fit.writeRandom(tensor, 2 * l, 1, l === 0 ? changeStart : undefined);
      fit.writeRandom(S[l], 2 * l + 1);
    });
  for (const [c, { layer, labels }] of classifiers.entries()) {
    run.write(labels.Y, supervision!.targets.Y.data);
    run.write(labels.L, supervision!.targets.L.data);
    if (givenB) run.write(labels.B, givenB[c].data);
    else fit.writeRandom(labels.B, 2 * A.length + layer);
  }
  const sizeOf = (entries: Iterable<number>) => {
    let sum = 0;
    for (const x of entries) sum += loss.size(x);
    return sum;
  };
  let norm = new Array<number>(settings.restarts).fill(normOfX ?? (W ? sizeOfLoss({ X, W }, loss) : sizeOf(stored(X))));
  for (let l = 0; l < A.length; l++) {
    if (begin) {
      const entries = await begin(l);
      run.write(A[l], entries.A);
      run.write(S[l], entries.S);
    }
    run.execute(layers[l].start);
    await fit.stage({
      name: `layer ${l + 1} of ${A.length}`,
      step: layers[l].step,
      measure: layers[l].measure,
      cost: cost[l],
      norm,
      maxIterations: typeof maxIterations === 'number' ? maxIterations : maxIterations[l],
      start,
      objective: l > 0 ? 'of S' : objectiveInF64 || classifiers.some(({ layer }) => layer === 0) ? 'of X' : 'error',
      ...(l === 0 && objectiveInF64 && { objectiveInF64 }),
      factors: (restart) => readFactors(run, A.slice(0, l + 1), S.slice(0, l + 1), restart),
    });
    const B = classifiers.find(({ layer }) => layer === l)?.labels.B;
    if (normalize && scaled[l]) await moveScale(run, A[l], S[l], B);
    if (l + 1 === A.length) break;
    // The next layer's errors are relative to this layer's S.
    const all = await run.read(S[l]);
    const size = S[l].rows * S[l].cols;
    norm = norm.map((_, restart) => sizeOf(all.subarray(restart * size, (restart + 1) * size)) || 1);
  }
}

/** A state of every restart. */
async function read(run: Run, tensor: Tensor): Promise<Matrix[]> {
  const { rows, cols, batch } = tensor;
  const all = await run.read(tensor);
  return Array.from({ length: batch }, (_, r) =>
    matrix(rows, cols, Float32Array.from(all.subarray(r * rows * cols, (r + 1) * rows * cols))),
  );
}

export const hierarchicalMethod = {
  name: 'hierarchical',
  summary: 'NMF of X, then of its S, and so on, one layer after the other',
  layers: 'many',
  signed: { X: false, A: false },
  chained: true,
  options,
  renamed: { supervisedLayers: "'labelLayers'" },
  applied: { loss: 'frobenius', l1S: 0, l2S: 0 },
  checkBeside(given, ranks, nameOf) {
    const { solver, loss, labels, labelLayers = [], normalize } = given;
    checkSolverOfLoss({ loss, solver }, nameOf);
    checkPenalties(given, nameOf);
    checkBesidePenalties(given as PenaltyOptions, { labels, normalize }, nameOf);
    if (labels !== undefined && betaOf(loss as LossName | number | undefined) !== 2)
      throw new InputError(
        `${nameOf('loss')} ${wordsOf(betaOf(loss as LossName | number))} does not go with ${nameOf('labels')}, whose layers are measured by 'frobenius'; leave one of them out, or choose a model of ssnmf.`,
        { option: 'loss' },
      );
    const classified = (labelLayers as readonly number[]).length || 1;
    if (solver !== undefined && labels !== undefined && classified === ranks.length)
      throw new InputError(
        `${nameOf('solver')} does nothing where all layers have labels: those are fitted by multiplicative updates; leave it out.`,
        { option: 'solver' },
      );
  },
  fit: hierarchicalNmf,
  transform: transformHierarchical,
  program: ({ rows, cols, ranks, restarts, csrEntries, weighted, classes }: ProgramShape, own: OptionsOf<typeof options>) => {
    const layers = classes ? labelLayersOf(own.labelLayers, ranks) : [];
    const supervision = classes ? { classes, labelWeight: own.labelWeight ?? 1, layers } : undefined;
    const { loss, solver = solverFor(own, ranks, weighted), normalize = !isPenalised(own) } = own;
    // The weights of a fit are in its own unit, which only the data tell.
    const penalties = penaltiesOfLayers(own, { X: { rows, cols }, unit: 0, costUnit: 0, ranks }, betaOf(loss))?.map((one, l) =>
      penaltyShapes(one, typeof solver === 'string' ? solver : solver[l]),
    );
    const options = { restarts, solver, normalize, csrEntries, weighted, supervision, penalties, loss: betaLoss(betaOf(loss)) };
    return hierarchicalProgram(rows, cols, ranks, options).program;
  },
} as const satisfies MethodDefinition;
