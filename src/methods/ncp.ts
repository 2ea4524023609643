import { describe } from '../data/check.js';
import { kruskalError } from '../data/kruskal.js';
import { type Matrix, squaredNorm } from '../data/matrix.js';
import { random } from '../data/random.js';
import { type DataTensor, entriesOfShape, isSparseTensor } from '../data/tensors.js';
import { modeBound, tuckerError } from '../data/tucker.js';
import { matrixTimesPowerOfTwo } from '../data/unit.js';
import { type Engine, withRun } from '../engine.js';
import { BreakdownError, CancelledError, InputError } from '../errors.js';
import { type NcpProgram, type NcpSolver, ncpProgram, ncpSolvers } from '../programs/ncp.js';
import { gramOf, inverseTrace, trustedInF32 } from './condition.js';
import { readFactor, withFit } from './fit.js';
import { choice, data, type OptionsOf, positiveInteger } from './options.js';
import { countNegative } from './q.js';
import { smallest } from './stage.js';
import type { NcpFactorization, TensorLevel } from './tensor-levels.js';
import {
  balanced,
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
import { type TensorSlices, transformTensor } from './transform-tensor.js';

const options = {
  /**
   * The solver.
   *
   * - 'hals' (default): one sweep of coordinate descent over each factor in turn.
   * - 'anls': each factor in turn exactly, by nonnegative least squares.
   */
  solver: choice(ncpSolvers, 'coordinate descent or exact least squares', { default: 'hals' }),
  /**
   * Random starts of every restart, half of them |N(0,1)| and half uniform. Each gets `startIterations`, and the best goes on. Default 16: a
   * sum of outer products has many poor optima, and most show early.
   */
  starts: positiveInteger('random starts of a restart, of which the best goes on', { default: 16 }),
  /**
   * Factors to begin with, { factors }: d_n×R matrices, one for each mode, of another package or of a model, which so goes on. Default: random.
   */
  start: data<TensorStart>('factors to begin with'),
  /** Iterations by which the starts are judged. Default 40. */
  startIterations: positiveInteger('iterations by which starts are judged', { default: 40 }),
};

export interface NcpOptions extends TensorFitOptions, OptionsOf<typeof options> {}

/**
 * Nonnegative CP decomposition (PARAFAC) of a tensor of two to six modes: min ‖X − Σ_r F₀[·][r] ∘ … ∘ F_{N−1}[·][r]‖² over F_n ≥ 0.
 *
 * The norm of a component is shared equally by its modes, and components are in the order of their norms. restarts defaults to 1,
 * maxIterations to 500, tolerance to 1e-6.
 *
 * Cichocki & Phan, IEICE Trans. Fundamentals 2009 (HALS); Kim & Park, High-Performance Scientific Computing 2012 (ANLS).
 *
 * @throws InputError for tensors of order 1 or above 6, negative, NaN or infinite entries, bad options; BreakdownError, LimitError.
 */
export async function ncp(engine: Engine, X: DataTensor, given: NcpOptions): Promise<NcpFactorization> {
  const { solver = 'hals' } = given;
  const problem = tensorProblem('ncp', options, X, given, { restarts: 1, maxIterations: 500, tolerance: 1e-6 });
  const { rank, settings, unit } = problem;
  const { shape } = problem.tensor;
  const units = unitsOfModes(shape.length, unit);
  const starts = settings.resume ? undefined : await startsOf(engine, problem, solver, given, units);
  const t = ncpProgram(shape, rank, {
    restarts: settings.restarts,
    solver,
    tolerance: settings.tolerance,
    cooEntries: cooEntriesOf(problem.tensor),
  });
  return withFit(engine, t.program, problem, async (fit) => {
    const { run } = fit;
    writeTensor(run, t.X, problem.tensor);
    if (starts)
      t.F.forEach((f, n) => {
        run.write(f, starts[n]);
      });
    await fit.stage({
      name: 'ncp',
      step: 'step',
      measure: 'measure',
      cost: t.cost,
      cancels: isSparseTensor(problem.tensor),
      objectiveInF64: ({ A }) => kruskalError(problem.tensor, A).error,
      factors: async (restart) => ({ A: await Promise.all(t.F.map((f) => readFactor(run, f, restart))), S: [] }),
    });
    const { cost, kkt } = await fit.measure(['measure', 'finish'], { cost: t.cost, kkt: t.kkt });
    const norm = squaredNorm(storedEntries(problem.tensor));
    const restartErrors = cost.map((own) => (Number.isNaN(own) ? Number.POSITIVE_INFINITY : Math.sqrt(own / norm)));
    const restart = smallest(restartErrors);
    const read = await Promise.all(t.F.map((f) => readFactor(run, f, restart)));
    const rounds = await Promise.all((t.rounds ?? []).map((own) => readFactor(run, own, restart)));
    const counts = rounds.map(({ data }) => countNegative(data));
    const last = solver === 'anls' ? await lastMode(engine, problem.tensor, read, counts[shape.length - 1] > 0) : undefined;
    const found = balanced(last ? [...read.slice(0, -1), last.weights] : read);
    refuseZero('ncp', found);
    const level = levelOf(problem, rank, found);
    return {
      method: 'ncp',
      shape,
      rank,
      factors: found.map((factor, n) => matrixTimesPowerOfTwo(factor, units[n])),
      relativeError: level.relativeError,
      levels: [level],
      ...fit.course(restart),
      kktResidual: Math.max(...kkt.map((own) => own[restart])),
      unconverged: (last ? [...counts.slice(0, -1), last.unconverged] : counts).reduce((sum, count) => sum + count, 0),
      illConditioned: last?.illConditioned ?? 0,
      illConditionedGradients: 0,
      restartErrors,
      restart,
      seed: settings.seed,
      settings: { maxIterations: settings.maxIterations, tolerance: settings.tolerance, solver },
      elapsedMs: performance.now() - settings.started,
    };
  });
}

export const ncpOptions = options;

/**
 * The factor of the last mode, which the last exact solve of alternating least squares found, solved again where f32 is not sure of it:
 * outer products of the other modes depend on each other, or some row has no solution. Undefined elsewhere.
 */
async function lastMode(engine: Engine, X: DataTensor, F: readonly Matrix[], unsolved: boolean): Promise<TensorSlices | undefined> {
  const rank = F[0].cols;
  const grams = F.slice(0, -1).map(gramOf);
  const G = grams[0].map((_, at) => grams.reduce((product, own) => product * own[at], 1));
  if (!unsolved && inverseTrace(G, rank) <= trustedInF32) return undefined;
  const [slices] = await transformTensor(engine, { method: 'ncp', shape: X.shape, rank, factors: F } as NcpFactorization, X, {
    mode: F.length - 1,
  });
  return slices;
}

/** A level with its error in f64 and its bounds. `factors` are in the unit of the fit. */
export function levelOf({ tensor, bounds }: TensorProblem, rank: number, factors: readonly Matrix[]): TensorLevel {
  const { error, norm } = kruskalError(tensor, factors);
  const relativeError = Math.sqrt(error / norm);
  return {
    rank,
    relativeError,
    modeBound: bounds ? modeBound(tensor, rank) : null,
    tuckerError: bounds ? tuckerError(tensor, rank) : null,
  };
}

export function refuseZero(method: string, factors: readonly Matrix[]): void {
  factors.forEach(({ data }, n) => {
    if (data.some((x) => x > 0) && data.every(Number.isFinite)) return;
    throw new BreakdownError(
      `${method}: the factor of mode ${n} of the best restart is ${data.every((x) => x === 0) ? 'zero' : 'not finite'}. Take another seed, more restarts or a smaller rank.`,
    );
  });
}

/** By mode the factors that all restarts begin with, one after another. */
async function startsOf(
  engine: Engine,
  problem: TensorProblem,
  solver: NcpSolver,
  given: NcpOptions,
  units: readonly number[],
): Promise<Float32Array[]> {
  const { start } = given;
  if (start === undefined) return goodStarts(engine, problem, solver, given);
  const { rank, settings, tensor } = problem;
  if (!isTensorStart(start)) throw new InputError(`start must be { factors }, not ${describe(start)}.`, { option: 'start' });
  checkStart(
    start.factors,
    'start.factors',
    tensor.shape.map((size) => [size, rank]),
  );
  if (settings.restarts > 1)
    throw new InputError(`The option 'restarts' is ${settings.restarts}, but every one would begin with the same factors; leave it out.`, {
      option: 'restarts',
    });
  return start.factors.map((factor, n) => matrixTimesPowerOfTwo(factor, -units[n]).data);
}

/** By mode the factors of all restarts, each the best of its random starts after a few iterations. */
async function goodStarts(
  engine: Engine,
  problem: TensorProblem,
  solver: NcpSolver,
  { starts = 16, startIterations = 40 }: OptionsOf<typeof options>,
): Promise<Float32Array[]> {
  const { rank, settings, tensor } = problem;
  const { shape } = tensor;
  const best = shape.map((size) => new Float32Array(size * rank * settings.restarts));
  const t = ncpProgram(shape, rank, { restarts: starts, solver, cooEntries: cooEntriesOf(tensor) });
  for (let restart = 0; restart < settings.restarts; restart++) {
    const begun = randomFactors(problem, starts, restart);
    const found = starts === 1 ? begun : await afterSomeSteps(engine, t, problem, begun, startIterations);
    found.forEach((factor, n) => {
      best[n].set(factor, restart * factor.length);
    });
  }
  return best;
}

/** The factors of the best of a batch of starts. */
async function afterSomeSteps(
  engine: Engine,
  t: NcpProgram,
  { tensor, settings }: TensorProblem,
  begun: readonly Float32Array[],
  iterations: number,
): Promise<Float32Array[]> {
  if (settings.signal?.aborted) throw new CancelledError('The fit was cancelled.', { cause: settings.signal.reason });
  return withRun(engine, t.program, async (run) => {
    writeTensor(run, t.X, tensor);
    t.F.forEach((f, n) => {
      run.write(f, begun[n]);
    });
    run.execute('step', iterations);
    run.execute('measure');
    const [cost] = await run.sample([t.cost]);
    const best = smallest(Array.from(cost, (own) => (Number.isNaN(own) ? Number.POSITIVE_INFINITY : own)));
    return Promise.all(t.F.map(async (f) => (await readFactor(run, f, best)).data));
  });
}

/** By mode `starts` factors one after another: |N(0,1)| and uniform in turn, of the size that makes their products about as large as X. */
function randomFactors({ tensor, rank, settings }: TensorProblem, starts: number, restart: number): Float32Array[] {
  const { shape } = tensor;
  const mean = storedEntries(tensor).reduce((sum, x) => sum + x, 0) / entriesOfShape(shape);
  const scale = (mean / rank) ** (1 / shape.length);
  return shape.map((size, n) => {
    const entries = new Float32Array(starts * size * rank);
    for (let start = 0; start < starts; start++) {
      const { normal, uniform } = random(settings.seed, { purpose: 'start', restart, tensor: start * shape.length + n });
      const draw = start % 2 === 0 ? () => Math.abs(normal()) : uniform;
      for (let i = 0; i < size * rank; i++) entries[start * size * rank + i] = scale * draw();
    }
    return entries;
  });
}
