import { checkNewSamples, checkNonnegative, checkPositiveInteger, describe, layerValues } from '../data/check.js';
import { type Matrix, matrix, squaredNorm } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { type DataMatrix, entriesOf, mean, requireDense, stored } from '../data/sparse.js';
import { matrixTimesPowerOfTwo, powerOfTwoUnit } from '../data/unit.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { lossOf, type UnfoldedProgram, type UnfoldedShape, unfoldedForwardProgram, unfoldedProgram } from '../programs/unfolded.js';
import type { MethodDefinition, ProgramShape } from './definition.js';
import type { FitOptions, Model } from './factorization.js';
import { type Fit, readFactors, withFit } from './fit.js';
import { givenFactors } from './given.js';
import { choice, count, data, layerNumbers, type OptionsOf, positiveInteger } from './options.js';
import { inOwnUnit, judgedBy, type Problem, problemOf } from './problem.js';
import { type StartFactors, startOption } from './start.js';
import { sizeOf } from './supervision.js';
import { writeMatrix } from './write-matrix.js';

export interface UnfoldedSource {
  /** Number of columns of W, and of rows of H, that are this source's. The first source has the first ones, and so on. */
  columns: number;
  /** Tˢ ≥ 0, N×M: the part of X that the source should have. */
  target: Matrix;
}

const options = {
  /** K, the number of layers: each is one update of H. Default 10. */
  layers: positiveInteger('number of updates that are layers', { default: 10, placeholder: 'K' }),
  /** C, the number of last layers that have a dictionary of their own: from 0 to K. Default 3. */
  untied: count('number of last layers with an A of their own', { default: 3, placeholder: 'C' }),
  /**
   * The divergence of the layers and of the reconstruction.
   *
   * - 2 (default): squared error.
   * - 1: Kullback–Leibler. It needs a dense X.
   */
  beta: choice([1, 2], '2: squared error, 1: Kullback–Leibler', { default: 2, placeholder: 'n' }),
  /** μ ≥ 0 in every denominator: an L1 penalty on H. Default 0. */
  l1: layerNumbers('penalty on S', { default: 0, placeholder: 'λ' }),
  /** T ≥ 0, N×M: the matrix that the reconstruction should match. Default X. */
  target: data<DataMatrix>('the matrix that the reconstruction should match', { default: 'X' }),
  /**
   * The output of the network.
   *
   * - 'reconstruction' (default): WH^K.
   * - 'ratioMask': (WˢHˢ)/(WH) ∘ X for each of `sources`. It needs a dense X.
   */
  output: data<'reconstruction' | 'ratioMask'>('the reconstruction, or a ratio mask for each source', { default: 'reconstruction' }),
  /** The sources of 'ratioMask', two or more. Their columns add up to the rank. */
  sources: data<readonly UnfoldedSource[]>('the sources of a ratio mask'),
  /** Iterations of the start, a plain NMF of X (alternating exact least squares) for every dictionary. Default 50. */
  startIterations: positiveInteger('iterations of the start', { default: 50, needs: { option: 'start', values: ['nmf'] } }),
  /**
   * The start of the dictionaries.
   *
   * - 'nmf' (default): a plain NMF of X.
   * - { A }, or a fitted model: one W for all, or a list of the distinct ones in the order of the result. Entries that are 0 stay 0.
   */
  start: startOption(['nmf'], 'a plain NMF of X', ['A']),
};

export interface UnfoldedOptions extends FitOptions, OptionsOf<typeof options> {}

export type UnfoldedFactorization = Model<
  'unfolded',
  {
    layers: number;
    untied: number;
    beta: 1 | 2;
    l1: number;
    /** Of each source; empty where the output is the reconstruction. */
    columns: number[];
    startIterations: number;
  }
>;

/**
 * Unfolded Deep NMF: K multiplicative updates H⁺ = H ∘ [WₖᵀX(WₖH)^{β−2}] / [Wₖᵀ(WₖH)^{β−1} + μ] from H⁰ = 1 are the layers of a network.
 * Their dictionaries W (N×k, ≥ 0) learn by multiplicative back-propagation, W ← W ∘ [∇]₋ / [∇]₊, on
 *
 *     'reconstruction':  ‖T − WH^K‖² (β = 2) or D(T ‖ WH^K) (β = 1)
 *     'ratioMask':       Σ_s ‖Tˢ − (WˢHˢ)/(WH^K) ∘ X‖²
 *
 * In the result A[0] is the dictionary of the output. With untied = 0 it is that of every layer. Otherwise A[1] is that of layers
 * 1 … K−C (absent when C = K), and those of the last C layers follow in order. S = [H^K].
 * Columns of W keep the norm that training gives them: with μ > 0 or from a fixed H⁰ their scale is part of the model.
 *
 * Every W starts as the plain NMF of X (alternating exact least squares, columns of unit norm). All its entries are lifted by 0.01/√N,
 * since an exact 0 would stay 0. `start` gives other ones, which are taken as they are.
 * relativeError is ‖T − WH^K‖/‖T‖, with the bound of T. For 'ratioMask' it is the root of the objective over Σ_s ‖Tˢ‖², without a bound.
 * Errors in `history` are roots of the objective, for β = 1 relative to Σ T.
 * The multiplicative step is not proven to descend through layers. It did in every run of ours.
 * maxIterations defaults to 500, tolerance to 1e-6.
 *
 * Le Roux, Hershey, Weninger: Deep NMF for Speech Separation, ICASSP 2015. The split of the gradients: programs/unfolded.ts.
 *
 * @throws InputError for negative, NaN or infinite entries, a rank that does not fit, bad options; BreakdownError, LimitError.
 */
export async function unfoldedNmf(engine: Engine, givenX: DataMatrix, options: UnfoldedOptions): Promise<UnfoldedFactorization> {
  const { startIterations = 50 } = options;
  const problem = problemOf(unfoldedMethod, givenX, options, { maxIterations: 500, tolerance: 1e-6 });
  const { X, unit, settings } = problem;
  const { ranks, restarts } = settings;
  const given = checkShape(givenX, ranks[0], options);
  const { beta, l1 } = given.shape;
  const shape = { ...given.shape, l1: inOwnUnit('l1', l1, lossOf(beta).degree * unit) };
  const target = options.target ? matrixTimesPowerOfTwo(options.target, -unit) : X;
  const sources = given.sources.map(({ columns, target }) => ({ columns, target: matrixTimesPowerOfTwo(target, -unit) }));
  const seen = sources.length > 0 ? stack(sources.map((source) => source.target)) : target;

  const sparse = { csrEntries: entriesOf(X), targetEntries: entriesOf(target) };
  const t = unfoldedProgram(X.rows, X.cols, { ...shape, ...sparse }, restarts);
  const begun = dictionariesOf(options.start, problem, t.W);
  // H starts from ones: every W takes the unit.
  return withFit(engine, t.program, { ...judgedBy(problem, target, seen), carrier: 'A' }, async (fit) => {
    const { run } = fit;
    writeFixed(run, t, X, shape);
    writeMatrix(run, t.target, target);
    writeSelections(
      run,
      t.sources.map(({ select }) => select),
      sources.map(({ columns }) => columns),
    );
    t.sources.forEach((tensors, s) => {
      run.write(tensors.target, sources[s].target.data);
    });
    if (begun) {
      t.W.forEach((tensor, i) => {
        run.write(tensor, begun[i].data);
      });
    } else await fitTied(fit, t, X, startIterations);
    // A step leaves the cost that it found, so there is none before the first.
    if (settings.stopping === 'initialError') run.execute('gradient');
    await fit.stage({
      name: 'all layers',
      step: 'step',
      cost: t.cost,
      norm: sources.length === 0 ? sizeOf(target, lossOf(beta)) : squaredNorm(stored(seen)),
      factors: (restart) => {
        run.execute('finish');
        return readFactors(run, t.W, [t.H], restart);
      },
    });
    const { error, kkt } = await fit.measure(['finish'], { error: t.error, kkt: t.kkt });
    return fit.result('unfolded', {
      A: t.W,
      S: [t.H],
      errors: [error],
      kkt: [kkt],
      boundRanks: sources.length > 0 ? [null] : undefined,
      inner: sources.length > 0 ? null : undefined,
      own: {
        layers: shape.layers,
        untied: shape.untied,
        beta,
        l1,
        columns: sources.map(({ columns }) => columns),
        startIterations,
      },
    });
  });
}

/** The given dictionaries in the unit of the fit, one for each tensor; undefined where none were given. */
function dictionariesOf(start: unknown, problem: Problem, W: readonly Tensor[]): Matrix[] | undefined {
  const one = typeof start === 'object' && start !== null && [(start as StartFactors).A].flat().length === 1;
  const given = givenFactors(start, problem, { A: one ? W.slice(0, 1) : W, carrier: 'A', needsA: true });
  return given && W.map((_, i) => given.A![one ? 0 : i]);
}

/** The start of every dictionary: a plain NMF of X, without zeros. */
async function fitTied(fit: Fit, t: UnfoldedProgram, X: DataMatrix, maxIterations: number): Promise<void> {
  const { run } = fit;
  const scale = Math.sqrt(mean(X) / t.W[0].cols);
  fit.writeRandom(t.W[0], 0, scale);
  fit.writeRandom(t.tied.S, 1, scale);
  run.execute(t.tied.sections.start);
  await fit.stage({
    name: 'tied dictionary',
    step: t.tied.sections.step,
    measure: t.tied.sections.measure,
    cost: t.tied.cost,
    norm: squaredNorm(stored(X)),
    maxIterations,
    start: true,
    factors: (restart) => readFactors(run, [t.W[0]], [t.tied.S], restart),
  });
  run.execute('unfold');
}

function shapeOf(rank: number, { layers = 10, untied = Math.min(3, layers), beta = 2, l1 = 0 }: OptionsOf<typeof options>): UnfoldedShape {
  if (untied > layers) throw new InputError(`untied must be an integer from 0 to layers = ${layers}, not ${untied}.`, { option: 'untied' });
  return { rank, layers, untied, beta, l1: layerValues('l1', l1, 1)[0], sources: 0 };
}

function checkShape(X: DataMatrix, rank: number, own: UnfoldedOptions): { shape: UnfoldedShape; sources: readonly UnfoldedSource[] } {
  const { output = 'reconstruction', target } = own;
  const shape = shapeOf(rank, own);
  const { beta } = shape;
  const loss = lossOf(beta);
  for (const given of target ? [X, target] : [X]) {
    if (beta === 1) requireDense(given, `beta ${beta}, which measures by ${loss.name},`, 'choose beta 2');
    if (output === 'ratioMask') requireDense(given, "output 'ratioMask'", "choose 'reconstruction'");
  }
  if (output !== 'reconstruction' && output !== 'ratioMask')
    throw new InputError(`output must be 'reconstruction' or 'ratioMask', not ${describe(output)}.`, { option: 'output' });
  const sources = own.sources ?? [];
  if (output === 'reconstruction' && sources.length > 0) throw new InputError("sources need output 'ratioMask'.", { option: 'sources' });
  if (output === 'ratioMask') {
    if (sources.length < 2)
      throw new InputError(`output 'ratioMask' needs two sources or more, not ${sources.length}.`, { option: 'sources' });
    if (target) throw new InputError("output 'ratioMask' takes a target with each source, none of its own.", { option: 'target' });
  }
  sources.forEach((source, s) => {
    checkNames(`sources[${s}]`, source, ['target', 'columns']);
  });
  const targets = sources.map((source, s) => [`sources[${s}].target`, source.target] as const);
  for (const [name, given] of target ? [['target', target] as const] : targets) {
    checkNonnegative(given, name);
    if (given.rows !== X.rows || given.cols !== X.cols)
      throw new ShapeError(`${name} is ${given.rows}×${given.cols}, but X is ${X.rows}×${X.cols}; they must agree.`);
  }
  if (target && stored(target).every((x) => x === 0))
    throw new InputError('Every entry of target is zero; there is nothing to learn.', { option: 'target' });
  if (targets.length > 0 && targets.every(([, { data }]) => data.every((x) => x === 0)))
    throw new InputError('The targets of all sources are zero; there is nothing to learn.', { option: 'sources' });
  sources.forEach(({ columns }, s) => {
    checkPositiveInteger(`sources[${s}].columns`, columns);
  });
  const columns = sources.reduce((sum, source) => sum + source.columns, 0);
  if (sources.length > 0 && columns !== rank)
    throw new InputError(`The sources have ${columns} columns together, but ranks is ${rank}; they must agree.`, { option: 'sources' });
  return { shape: { ...shape, sources: sources.length }, sources };
}

/** One matrix above the other. */
function stack(all: readonly Matrix[]): Matrix {
  const data = new Float32Array(all.reduce((sum, { data: own }) => sum + own.length, 0));
  let at = 0;
  for (const { data: own } of all) {
    data.set(own, at);
    at += own.length;
  }
  return matrix(data.length / all[0].cols, all[0].cols, data);
}

function writeFixed(run: Run, t: Pick<UnfoldedProgram, 'X' | 'H0' | 'ones'>, X: DataMatrix, { rank }: UnfoldedShape): void {
  writeMatrix(run, t.X, X);
  run.write(t.H0, new Float32Array(rank * X.cols).fill(1));
  run.write(t.ones.N, new Float32Array(X.rows).fill(1));
  run.write(t.ones.M, new Float32Array(X.cols).fill(1));
}

/** Each source's diagonal of ones over its own columns of W. */
function writeSelections(run: Run, selects: readonly Tensor[], columns: readonly number[]): void {
  let first = 0;
  selects.forEach((select, s) => {
    const diagonal = new Float32Array(select.rows * select.cols);
    for (let j = first; j < first + columns[s]; j++) diagonal[j * select.cols + j] = 1;
    first += columns[s];
    run.write(select, diagonal);
  });
}

/**
 * H = H^K (k×M′) of new samples, in a list of one: the forward pass, at the cost of K updates.
 *
 * @param newX N×M′, ≥ 0, N as in the model's A[0].
 * @throws ShapeError when the rows differ; InputError for negative, NaN or infinite entries.
 */
export async function transformUnfolded(engine: Engine, model: UnfoldedFactorization, newX: DataMatrix): Promise<Matrix[]> {
  return [(await forward(engine, model, newX, false)).H];
}

/**
 * The output of the network for new samples.
 * It is `reconstruction` = WH^K (N×M′), or for a ratio-mask model `masks`, the part (WˢHˢ)/(WH) ∘ X of every source (N×M′ each).
 *
 * @param newX N×M′, dense, ≥ 0, N as in the model's A[0].
 * @throws ShapeError when the rows differ; InputError for negative, NaN or infinite entries or a sparse newX.
 */
export async function reconstructUnfolded(
  engine: Engine,
  model: UnfoldedFactorization,
  newX: DataMatrix,
): Promise<{ reconstruction: Matrix | null; masks: Matrix[] | null }> {
  requireDense(newX, 'A reconstruction, which is dense,', 'use transformUnfolded for H alone');
  const { outputs } = await forward(engine, model, newX, true);
  return model.settings.columns.length > 0 ? { reconstruction: null, masks: outputs } : { reconstruction: outputs[0], masks: null };
}

async function forward(
  engine: Engine,
  { ranks, A, settings: { layers, untied, beta, l1, columns } }: UnfoldedFactorization,
  newX: DataMatrix,
  withOutputs: boolean,
): Promise<{ H: Matrix; outputs: Matrix[] }> {
  checkNewSamples(newX, A[0].rows);
  if (beta !== 1 && beta !== 2) throw new InputError(`The model's beta must be 2 or 1, not ${beta}.`);
  const loss = lossOf(beta);
  if (beta === 1) requireDense(newX, `A model of beta ${beta}, which measures by ${loss.name},`, 'fit it with beta 2');
  // H does not change where X and every W are divided by one number, and μ by its power.
  const unit = powerOfTwoUnit(stored(newX));
  const X = matrixTimesPowerOfTwo(newX, -unit);
  const ownL1 = inOwnUnit('l1', l1, loss.degree * unit);
  const shape = { rank: ranks[0], layers, untied, beta, l1: ownL1, sources: columns.length, csrEntries: entriesOf(newX) };
  const t = unfoldedForwardProgram(newX.rows, newX.cols, shape);
  return withRun(engine, t.program, async (run) => {
    writeFixed(run, t, X, shape);
    t.W.forEach((tensor, i) => {
      run.write(tensor, matrixTimesPowerOfTwo(A[i], -unit).data);
    });
    writeSelections(run, t.selects, columns);
    run.execute('forward');
    const [H, ...outputs] = (await readFactors(run, [], withOutputs ? [t.H, ...t.outputs] : [t.H], 0)).S;
    return { H, outputs: outputs.map((output) => matrixTimesPowerOfTwo(output, unit)) };
  });
}

export const unfoldedMethod = {
  name: 'unfolded',
  summary: 'the updates of S as layers of a network that learns A',
  layers: 'one',
  signed: { X: false, A: false },
  chained: false,
  options,
  applied: { layers: undefined, untied: undefined, beta: undefined, l1: 0, columns: [] },
  renamed: { sparsity: "'l1'" },
  fit: unfoldedNmf,
  transform: transformUnfolded,
  program: ({ rows, cols, ranks: [k], restarts, csrEntries }: ProgramShape, own: OptionsOf<typeof options>) =>
    unfoldedProgram(rows, cols, { ...shapeOf(k, own), csrEntries, targetEntries: csrEntries }, restarts).program,
} as const satisfies MethodDefinition;
