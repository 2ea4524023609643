import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, entriesOf, stored } from '../data/sparse.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { hierarchicalProgram, type Layers, type SequentialFit } from '../methods/hierarchical.js';
import { mostIterations, type NmfSolver, nmfSolvers } from '../methods/nmf.js';
import {
  checkFit,
  type Factorization,
  type FitOptions,
  finishFit,
  randomFactors,
  readFactors,
  runStage,
  type Settings,
  type StageResult,
  squaredNorm,
  writeMatrix,
} from './fit.js';
import { nnls } from './q.js';
import { checkNewSamples } from './ssnmf.js';
import { checkSupervision, type LabelOptions, labelSettings, type SupervisionSettings, supervise } from './supervision.js';

export interface HierarchicalOptions extends FitOptions, LabelOptions {
  /** [k₀, k₁, …]: each from 1 to 128, none larger than the one before, k₀ ≤ min(N, M). */
  ranks: readonly number[];
  /** 'anls' (default, exact), 'hals' (coordinate descent) or 'mu' (multiplicative updates), for all layers or a list of one each; supervised layers use model 3 of ssnmf. */
  solver?: NmfSolver | readonly NmfSolver[];
  /** Columns of every Aˡ to unit norm, their scale into Sˡ, before the next layer is fitted to it. Default true; off, the deeper layers scatter. */
  normalize?: boolean;
  /** Layers (from 0) that also fit the labels; default the last. */
  supervisedLayers?: readonly number[];
}

/**
 * Hierarchical NMF: X ≈ A⁰S⁰, then S⁰ ≈ A¹S¹, …, each layer fitted to the end before the next, so X ≈ A⁰A¹…AˡSˡ at every depth.
 * Topics of layer l in data space are the columns of A⁰…Aˡ; Aˡ itself maps subtopics to supertopics.
 *
 * With labels, a supervised layer minimises ‖Sˡ⁻¹ − AˡSˡ‖² + λ‖L∘(Y − BˡSˡ)‖² over Aˡ, Bˡ, Sˡ ≥ 0 (ssNMF model 3, multiplicative
 * updates); the layers before it know nothing of the labels. Accuracy is that of the last classifier. The restart that is returned has
 * the smallest ‖X − A⁰…AᴸSᴸ‖² + λ Σ ‖L∘(Y − BˡSˡ)‖².
 *
 * Starts: |N(0,1)|. maxIterations (default 500 a layer, 1000 with 'hals', 2000 with multiplicative updates) and tolerance (1e-6) hold for each layer, and
 * so does `stopping`. settings holds { solver, normalize } and with labels { labelWeight, supervisedLayers }.
 *
 * @throws InputError for negative, NaN or infinite entries, ranks that do not fit, labels that do not fit or agree, λ < 0, bad options;
 * ShapeError; BreakdownError, LimitError.
 */
export async function hierarchicalNmf(engine: Engine, X: DataMatrix, options: HierarchicalOptions): Promise<Factorization> {
  const started = performance.now();
  const { ranks, solver = 'anls', normalize = true } = options;
  const settings = checkFit(X, ranks, options, { maxIterations: 2000, tolerance: 1e-6 });
  checkSolvers(solver, ranks);
  if (typeof normalize !== 'boolean') throw new InputError(`normalize must be true or false, not ${JSON.stringify(normalize)}.`);
  const supervision = checkSupervision(options, X);
  const supervisedLayers = checkSupervisedLayers(options.supervisedLayers, ranks, supervision);

  const t = hierarchicalProgram(X.rows, X.cols, ranks, {
    restarts: settings.restarts,
    csrEntries: entriesOf(X),
    solver,
    normalize,
    supervision: supervision && {
      classes: supervision.targets.classes.length,
      labelWeight: supervision.labelWeight,
      layers: supervisedLayers,
    },
  });
  const solverOf = (l: number) => (supervisedLayers.includes(l) ? 'mu' : typeof solver === 'string' ? solver : solver[l]);
  const maxIterations = ranks.map((_, l) => options.maxIterations ?? mostIterations[solverOf(l)]);
  return withRun(engine, t.program, async (run) => {
    const stages = await fitSequentially(run, t, t, X, settings, { started, maxIterations, normalize, supervision });
    run.execute('errors');
    for (const { measure, finish } of t.layers) {
      run.execute(measure);
      run.execute(finish);
    }
    const losses = t.classifiers.map(({ labels }) => labels.loss);
    const sampled = (await run.sample([...t.errors, ...t.kkt.flat(), ...losses])).map((values) => Array.from(values));
    const squaredErrors = sampled.slice(0, ranks.length);
    const kkts = sampled.slice(ranks.length, 3 * ranks.length);
    const lossOf = (restart: number) => sampled.slice(3 * ranks.length).reduce((sum, loss) => sum + loss[restart], 0);
    const objective = squaredErrors[ranks.length - 1].map((squared, r) => squared + (supervision?.labelWeight ?? 0) * lossOf(r));
    const classifiers = t.classifiers.map(({ layer, labels }) => ({ layer, B: labels.B }));
    return finishFit(run, t.A, t.S, {
      method: 'hierarchical',
      X,
      ranks,
      settings,
      squaredErrors,
      objectives: objective,
      stages,
      kkt: objective.map((_, r) => Math.max(...kkts.map((values) => values[r]))),
      rounds: t.layers.flatMap(({ rounds: own }) => (own ? [own] : [])),
      started,
      own: { solver, normalize, ...labelSettings(supervision), ...(supervision ? { supervisedLayers } : {}) },
      supervise: supervision && ((restart, { S }) => supervise(run, supervision, classifiers, restart, S)),
    });
  });
}

/**
 * Sˡ ≥ 0 of every layer for unseen samples with the features of a fitted model: S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), exactly.
 *
 * @throws InputError for negative, NaN or infinite entries; ShapeError where newX has not as many rows as A⁰.
 */
export async function transformHierarchical(engine: Engine, model: Pick<Factorization, 'A'>, newX: DataMatrix): Promise<Matrix[]> {
  checkNewSamples(newX, model.A[0]);
  const S: Matrix[] = [];
  for (const A of model.A) S.push((await nnls(engine, S.at(-1) ?? newX, A)).S);
  return S;
}

export interface SequentialRun {
  started: number;
  /** Of every layer, or one number for all. */
  maxIterations: number | readonly number[];
  /** Bring the columns of A to unit norm after each layer that left them at any; default true. */
  normalize?: boolean;
  supervision?: SupervisionSettings;
}

/** Fits the layers of a program one after another from random starts; also the warm start of Neural NMF. */
export async function fitSequentially(
  run: Run,
  { X: dataTensor, A, S }: Layers,
  { layers, cost, scaled, classifiers }: SequentialFit,
  X: DataMatrix,
  settings: Settings,
  { started, maxIterations, normalize = true, supervision }: SequentialRun,
): Promise<{ name: string; result: StageResult }[]> {
  writeMatrix(run, dataTensor, X);
  A.forEach((tensor, l) => {
    run.write(tensor, randomFactors(tensor.rows, tensor.cols, settings, 2 * l));
    run.write(S[l], randomFactors(S[l].rows, S[l].cols, settings, 2 * l + 1));
  });
  for (const { layer, labels } of classifiers) {
    run.write(labels.Y, supervision!.targets.Y.data);
    run.write(labels.L, supervision!.targets.L.data);
    run.write(labels.B, randomFactors(labels.B.rows, labels.B.cols, settings, 2 * A.length + layer));
  }
  const stages: { name: string; result: StageResult }[] = [];
  let norm = new Array<number>(settings.restarts).fill(squaredNorm(stored(X)));
  for (let l = 0; l < A.length; l++) {
    const name = `layer ${l + 1} of ${A.length}`;
    run.execute(layers[l].start);
    const factors = (restart: number) => readFactors(run, A.slice(0, l + 1), S.slice(0, l + 1), restart);
    const most = typeof maxIterations === 'number' ? maxIterations : maxIterations[l];
    const stage = { name, step: layers[l].step, measure: layers[l].measure, cost: cost[l], norm, maxIterations: most, factors };
    const result = await runStage(run, stage, settings, started);
    stages.push({ name, result });
    const B = classifiers.find(({ layer }) => layer === l)?.labels.B;
    if (normalize && scaled[l]) await moveScale(run, A[l], S[l], B);
    if (l + 1 === A.length) break;
    // The next layer's errors are relative to this layer's S.
    const all = await run.read(S[l]);
    const size = S[l].rows * S[l].cols;
    norm = norm.map((_, restart) => squaredNorm(all.subarray(restart * size, (restart + 1) * size)) || 1);
  }
  return stages;
}

/** Columns of A to unit norm, their scale into the rows of S and out of the columns of B: neither AS nor BS changes. On the host, once a layer. */
export async function moveScale(run: Run, A: Tensor, S: Tensor, B?: Tensor): Promise<void> {
  const [a, s] = await Promise.all([run.read(A), run.read(S)]);
  const b = B && (await run.read(B));
  const scaleColumns = ({ rows, cols }: Tensor, data: Float32Array | Float64Array, restart: number, column: number, by: number) => {
    for (let i = 0; i < rows; i++) data[(restart * rows + i) * cols + column] *= by;
  };
  for (let restart = 0; restart < A.batch; restart++) {
    for (let j = 0; j < A.cols; j++) {
      let squares = 0;
      for (let i = 0; i < A.rows; i++) squares += a[(restart * A.rows + i) * A.cols + j] ** 2;
      if (squares === 0) continue; // a unit that only the classifier uses keeps its scale
      const norm = Math.sqrt(squares);
      scaleColumns(A, a, restart, j, 1 / norm);
      if (B && b) scaleColumns(B, b, restart, j, 1 / norm);
      const row = (restart * S.rows + j) * S.cols;
      for (let c = 0; c < S.cols; c++) s[row + c] *= norm;
    }
  }
  run.write(A, a);
  run.write(S, s);
  if (B && b) run.write(B, b);
}

function checkSolvers(solver: NmfSolver | readonly NmfSolver[], ranks: readonly number[]): void {
  const solvers: readonly unknown[] = typeof solver === 'string' ? [solver] : solver;
  if (!Array.isArray(solvers) || solvers.some((one) => !nmfSolvers.includes(one as NmfSolver)))
    throw new InputError(`solver must be 'mu', 'hals' or 'anls', or a list of them, not ${JSON.stringify(solver)}.`);
  if (typeof solver !== 'string' && solvers.length !== ranks.length)
    throw new InputError(`There are ${solvers.length} solvers for ${ranks.length} layers; give one for all, or one each.`);
}

function checkSupervisedLayers(
  layers: readonly number[] | undefined,
  ranks: readonly number[],
  supervision: SupervisionSettings | undefined,
): number[] {
  if (!supervision) {
    if (layers) throw new InputError('supervisedLayers was given without labels.');
    return [];
  }
  const sorted = [...new Set(layers ?? [ranks.length - 1])].sort((a, b) => a - b);
  const fits = (l: number) => Number.isInteger(l) && l >= 0 && l < ranks.length;
  if (sorted.length === 0 || !sorted.every(fits))
    throw new InputError(`supervisedLayers must list layers from 0 to ${ranks.length - 1}, not [${sorted.join(', ')}].`);
  return sorted;
}
