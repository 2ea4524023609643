import { checkAtLeastZero, describe } from '../data/check.js';
import { type Matrix, matrix, multiply, squaredNorm } from '../data/matrix.js';
import { type Random, random, shuffle } from '../data/random.js';
import { type DataTensor, isSparseTensor } from '../data/tensors.js';
import { matrixTimesPowerOfTwo } from '../data/unit.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { CancelledError, InputError } from '../errors.js';
import { control } from '../graph/operations.js';
import type { Tensor } from '../graph/tensor.js';
import { type NeuralNcpProgram, neuralNcpProgram } from '../programs/neural-ncp.js';
import { exactLayers } from './exact-layers.js';
import { readFactor, withFit } from './fit.js';
import { levelOf, ncp, ncpOptions, refuseZero } from './ncp.js';
import { choice, data, layerNumbers, modeList, type OptionsOf, positiveInteger } from './options.js';
import { smallest } from './stage.js';
import { levelFactors, type NeuralNcpFactorization } from './tensor-levels.js';
import {
  checkLevels,
  checkStart,
  cooEntriesOf,
  isTensorStart,
  storedEntries,
  type TensorFitOptions,
  type TensorProblem,
  type TensorStart,
  tensorProblem,
  unitsOfModes,
  writeTensor,
} from './tensor-problem.js';

const options = {
  /** The topics of each level, [r₁, r₂, …]: none more than the one before, the first not more than `rank`. */
  ranks: data<readonly number[]>('topics of each level'),
  /**
   * The outer products that the levels stand on.
   *
   * - 'held' (default): those of `ncp` stay as they are, as published.
   * - 'learned': their factors learn along with the levels.
   */
  factors: choice(['held', 'learned'], 'whether the factors of ncp learn along', { default: 'held' }),
  /** w of ‖X − [[F]]‖² and w_l of every level, one number ≥ 0 for all or a list of them. Default 1. */
  weights: layerNumbers('weights of the levels, that of the factors first', { default: 1 }),
  /** The modes, counted from 0, that have a chain of topics; the others keep their factors at every level. Default: all. */
  modes: modeList('modes that have topics', { default: 'all' }),
  /**
   * Random chains of every restart: outer products are put into groups at random, the same in every mode, and groups into groups. Each chain
   * gets 150 iterations on the outer products alone, where X is not read, and the best goes on. Default 4.
   */
  chains: positiveInteger('random chains of a restart, of which the best goes on', { default: 4 }),
  /**
   * Factors to begin with: { factors }, d_n×R matrices such as a model of `ncp` has, in place of a fit of them; or { factors, A } with the
   * A_nˡ by mode and level, such as a model of `neuralNcp`, which so goes on. With A there is one restart.
   */
  start: data<TensorStart>('factors to begin with'),
  solver: ncpOptions.solver,
  starts: ncpOptions.starts,
  startIterations: ncpOptions.startIterations,
};

export interface NeuralNcpOptions extends TensorFitOptions, OptionsOf<typeof options> {
  ranks: readonly number[];
}

/**
 * Neural nonnegative CP decomposition: X ≈ [[F₀, …, F_{N−1}]] by `ncp`, and a chain of topics for every mode, S_n⁰ = q(F_n, A_n⁰),
 * S_nˡ = q(S_nˡ⁻¹, A_nˡ) with q(F, A) = argmin_{S ≥ 0} ‖F − AS‖². Level l of X is X_l = [[A₀⁰…A₀ˡS₀ˡ, …]]. All A_nˡ learn together on
 * Σ_l w_l ‖X − X_l‖² by projected gradient, differentiated exactly through every q.
 *
 * restarts defaults to 8, in one batch; they share the outer products, which are the best of 8 restarts of `ncp` with the same seed.
 * maxIterations defaults to 1000, tolerance to 1e-6.
 *
 * Vendrow, Haddock, Needell: Neural Nonnegative CP Decomposition for Hierarchical Tensor Analysis, Asilomar 2021; arXiv:2009.12708.
 *
 * @throws InputError for tensors of order 1 or above 6, negative, NaN or infinite entries, ranks that grow with depth or exceed a mode, bad
 * options; BreakdownError, LimitError.
 */
export async function neuralNcp(engine: Engine, X: DataTensor, given: NeuralNcpOptions): Promise<NeuralNcpFactorization> {
  const restarts = isTensorStart(given.start) && given.start.A ? 1 : 8;
  const problem = tensorProblem('neural-ncp', options, X, given, { restarts, maxIterations: 1000, tolerance: 1e-6 });
  const { rank, settings, unit, tensor } = problem;
  const { shape } = tensor;
  const { factors: learning = 'held', chains = 4 } = given;
  const held = learning === 'held';
  const { ranks, modes, weights } = levelsOf(given, rank, shape);

  const units = unitsOfModes(shape.length, unit);
  const program = { weights, held, modes };
  checkGiven(given.start, problem, ranks, modes);
  const { factors: givenF, A: givenA } = given.start ?? {};
  const begun = settings.resume
    ? undefined
    : (givenF ?? (await outerProducts(engine, X, given))).map((factor, n) => matrixTimesPowerOfTwo(factor, -units[n]));
  const started = givenA
    ? givenA.flat().map(({ data: entries }) => entries)
    : begun && (await goodChains(engine, problem, begun, ranks, { ...program, chains }));
  const t = neuralNcpProgram(shape, rank, ranks, {
    ...program,
    restarts: settings.restarts,
    tolerance: settings.tolerance,
    cooEntries: cooEntriesOf(tensor),
  });
  return withFit(engine, t.program, problem, async (fit) => {
    const { run } = fit;
    writeTensor(run, t.X!, tensor);
    if (begun && started) {
      t.F.forEach((f, n) => {
        run.write(f, begun[n].data);
      });
      t.A.flat().forEach((a, i) => {
        run.write(a, started[i]);
      });
    }
    begin(run, t);
    const { ends } = await fit.stage({
      name: 'all levels',
      step: 'step',
      cost: t.control,
      costAt: control.cost,
      cancels: isSparseTensor(tensor),
      norm: squaredNorm(storedEntries(tensor)) * (held ? weights.slice(1) : weights).reduce((sum, weight) => sum + weight, 0),
      factors: async (restart) => ({ A: await Promise.all(t.F.map((f) => readFactor(run, f, restart))), S: [] }),
    });
    const { errors, kkt } = await fit.measure(['finish', 'errors'], { errors: t.errors, kkt: t.kkt.flat() });
    const norm = squaredNorm(storedEntries(tensor));
    const counted = errors.map((own, l) => own.map((error) => (held && l === 0 ? 0 : weights[l] * error)));
    const objective = ends.map(({ cost }, r) => (Number.isNaN(cost) ? counted.reduce((sum, own) => sum + own[r], 0) : cost));
    const restartErrors = objective.map((own) => (Number.isFinite(own) ? Math.sqrt(own / norm) : Number.POSITIVE_INFINITY));
    const restart = smallest(restartErrors);
    const read = (tensors: readonly Tensor[]) => Promise.all(tensors.map((own) => readFactor(run, own, restart)));
    const [F, A, found] = await Promise.all([read(t.F), Promise.all(t.A.map(read)), Promise.all(t.S.map(read))]);
    const rounds = await Promise.all(t.rounds.map(read));
    const exact = F.map((factor, n) => exactLayers(factor, A[n], found[n], { rounds: rounds[n].map(({ data }) => data) }));
    const S = exact.map((own) => own.S);
    const total = (count: 'unconverged' | 'illConditioned' | 'untrusted') => exact.reduce((sum, own) => sum + own[count], 0);
    refuseZero('neural-ncp', F);
    const levels = [
      levelOf(problem, rank, F),
      ...ranks.map((own, l) => {
        const level = levelFactors({ factors: F, A, S }, l);
        refuseZero('neural-ncp', level);
        return levelOf(problem, own, level);
      }),
    ];
    const inUnit = (factor: Matrix, n: number) => matrixTimesPowerOfTwo(factor, units[n]);
    return {
      method: 'neural-ncp',
      shape,
      rank,
      ranks,
      factors: F.map(inUnit),
      A,
      S: S.map((own, n) => own.map((s) => inUnit(s, n))),
      relativeError: levels[0].relativeError,
      levels,
      ...fit.course(restart),
      kktResidual: Math.max(...kkt.map((own) => own[restart])),
      unconverged: total('unconverged'),
      illConditioned: total('illConditioned'),
      illConditionedGradients: total('untrusted'),
      restartErrors,
      restart,
      seed: settings.seed,
      settings: { maxIterations: settings.maxIterations, tolerance: settings.tolerance, factors: learning, weights, modes },
      elapsedMs: performance.now() - settings.started,
    };
  });
}

function begin(run: Run, t: NeuralNcpProgram): void {
  const initial = new Float32Array(control.length);
  initial[control.eta] = 0.5;
  initial[control.cost] = 3e38;
  run.write(t.control, initial);
  run.execute('start');
}

/** Throws InputError or ShapeError for a start that this fit cannot begin with. */
function checkGiven(start: unknown, { rank, settings, tensor }: TensorProblem, ranks: readonly number[], modes: readonly number[]): void {
  if (start === undefined) return;
  if (!isTensorStart(start))
    throw new InputError(`start must be { factors } or { factors, A }, not ${describe(start)}.`, { option: 'start' });
  const { shape } = tensor;
  checkStart(
    start.factors,
    'start.factors',
    shape.map((size) => [size, rank]),
  );
  if (start.A === undefined) return;
  if (!Array.isArray(start.A) || start.A.length !== shape.length)
    throw new InputError(`start.A must be a list of ${shape.length} lists, one for each mode, not ${describe(start.A)}.`, {
      option: 'start',
    });
  start.A.forEach((own, n) => {
    const shapes = modes.includes(n) ? ranks.map((k, l) => [l === 0 ? shape[n] : ranks[l - 1], k] as const) : [];
    checkStart(own, `start.A[${n}]`, shapes);
  });
  if (settings.restarts > 1)
    throw new InputError(`The option 'restarts' is ${settings.restarts}, but every one would begin with the same factors; leave it out.`, {
      option: 'restarts',
    });
}

/** The factors of `ncp`. */
async function outerProducts(engine: Engine, X: DataTensor, given: NeuralNcpOptions): Promise<Matrix[]> {
  const { rank, seed, solver, starts, startIterations, signal, maxSeconds, onProgress } = given;
  const { factors } = await ncp(engine, X, {
    rank,
    seed,
    solver,
    starts,
    startIterations,
    signal,
    maxSeconds,
    onProgress,
    restarts: 8,
    tolerance: 1e-7,
    bounds: false,
  });
  return factors;
}

/** Iterations by which random chains are judged. */
const judged = 150;

/** The A_nˡ of all restarts, mode by mode and level by level, each the best of `chains` random ones on the outer products alone. */
async function goodChains(
  engine: Engine,
  { rank, settings, tensor }: TensorProblem,
  F: readonly Matrix[],
  ranks: readonly number[],
  { chains, ...program }: { chains: number; weights: readonly number[]; held: boolean; modes: readonly number[] },
): Promise<Float32Array[]> {
  const { restarts, seed, signal } = settings;
  if (signal?.aborted) throw new CancelledError('The fit was cancelled.', { cause: signal.reason });
  // What the levels do to the factors is left to the fit.
  const all = program.weights.slice(1).some((weight) => weight > 0) ? program.weights : program.weights.map(() => 1);
  const t = neuralNcpProgram(tensor.shape, rank, ranks, {
    ...program,
    weights: all,
    held: true,
    restarts: restarts * chains,
    kruskal: true,
  });
  return withRun(engine, t.program, async (run) => {
    t.F.forEach((f, n) => {
      run.write(f, F[n].data);
    });
    const drawn = t.A.flat().map(({ rows, cols }) => new Float32Array(rows * cols * restarts * chains));
    for (let one = 0; one < restarts * chains; one++) {
      const r = random(seed, { purpose: 'chains', restart: Math.floor(one / chains), tensor: one % chains });
      randomChain(r, F, t.A).forEach((a, i) => {
        drawn[i].set(a.data, one * a.data.length);
      });
    }
    t.A.flat().forEach((a, i) => {
      run.write(a, drawn[i]);
    });
    begin(run, t);
    if (chains > 1) run.execute('step', judged);
    const costs = await run.read(t.control);
    const costOf = (one: number) => costs[one * control.length + control.cost];
    const best = Array.from(
      { length: restarts },
      (_, r) => r * chains + smallest(Array.from({ length: chains }, (_, c) => costOf(r * chains + c))),
    );
    return Promise.all(
      t.A.flat().map(async (a) => {
        const read = await run.read(a);
        const size = a.rows * a.cols;
        const kept = new Float32Array(size * restarts);
        best.forEach((one, r) => {
          kept.set(read.subarray(one * size, (one + 1) * size), r * size);
        });
        return kept;
      }),
    );
  });
}

/**
 * Random A_nˡ, mode by mode and level by level: Aˡ is 1 where an outer product (or a topic of the level before) is in a group, with the same
 * groups in all modes and a little of every other one, and A_n⁰ is F_n times that.
 */
function randomChain(r: Random, F: readonly Matrix[], A: readonly (readonly Tensor[])[]): Matrix[] {
  const depth = Math.max(...A.map((own) => own.length));
  const widths = [F[0].cols, ...A.find((own) => own.length > 0)!.map(({ cols }) => cols)];
  const groups = Array.from({ length: depth }, (_, l) => randomGroups(r, widths[l], widths[l + 1]));
  return A.flatMap((own, n) =>
    own.map(({ cols }, l) => {
      const entries = Float32Array.from({ length: widths[l] * cols }, (_, at) => {
        return (groups[l][Math.floor(at / cols)] === at % cols ? 1 : 0) + others * r.uniform();
      });
      const grouped = matrix(widths[l], cols, entries);
      return l === 0 ? multiply(F[n], grouped) : grouped;
    }),
  );
}

/** The most that a topic takes of an outer product that is not in its group. */
const others = 0.05;

/** A group from 0 to k − 1 for each of `count` things; every group has one. */
function randomGroups(r: Random, count: number, k: number): number[] {
  const groups = Array.from({ length: count }, (_, i) => (i < k ? i : r.integer(k)));
  return shuffle(r, groups);
}

export const neuralNcpOptions = options;

/** What the levels of a fit are, checked. Throws InputError for ranks, modes and weights that do not fit the shape, or each other. */
export function levelsOf(
  given: Pick<NeuralNcpOptions, 'ranks' | 'modes' | 'weights' | 'factors'>,
  rank: number,
  shape: readonly number[],
): { ranks: number[]; modes: number[]; weights: number[] } {
  const modes = modesOf(given.modes, shape.length);
  checkLevels(given.ranks, rank, shape, modes);
  const ranks = [...given.ranks];
  const weights = weightsOf(given.weights, ranks.length + 1);
  if (given.factors !== 'learned' && weights.slice(1).every((weight) => weight === 0)) throw everyZero();
  return { ranks, modes, weights };
}

function modesOf(given: readonly number[] | undefined, order: number): number[] {
  if (given === undefined) return Array.from({ length: order }, (_, n) => n);
  const beyond = given.find((n) => n >= order);
  if (beyond !== undefined)
    throw new InputError(`modes names mode ${beyond}, but X has the modes 0 to ${order - 1}; correct the list.`, { option: 'modes' });
  return [...given].sort((a, b) => a - b);
}

function weightsOf(given: number | readonly number[] = 1, count: number): number[] {
  const weights = typeof given === 'number' ? new Array<number>(count).fill(given) : [...given];
  if (weights.length !== count)
    throw new InputError(
      `weights has ${weights.length} numbers, ${describe(given)}, but ${count} are needed: one for the outer products and one for each level.`,
      { option: 'weights' },
    );
  weights.forEach((weight, l) => {
    checkAtLeastZero(`weights[${l}]`, weight);
  });
  if (weights.every((weight) => weight === 0)) throw everyZero();
  return weights;
}

function everyZero(): InputError {
  return new InputError('Every weight of a level is zero; at least one must be positive.', { option: 'weights' });
}
