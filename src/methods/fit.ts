/** A fit under way, as every method uses it: starts, stages, measures and the result. */
import { type Matrix, matrix } from '../data/matrix.js';
import { random } from '../data/random.js';
import { isSparse } from '../data/sparse.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { DeviceLostError } from '../errors.js';
import type { Program } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { type Checkpoint, checkCheckpoint, restoreStates, takeCheckpoint } from './checkpoint.js';
import { squaredErrorOf, workOf } from './error.js';
import { exactColumns } from './exact-columns.js';
import { exactLayers } from './exact-layers.js';
import type { Model, Supervision } from './factorization.js';
import type { Frozen } from './frozen.js';
import type { LoopState, StageResult } from './loop.js';
import type { Problem, Settings } from './problem.js';
import { countNegative } from './q.js';
import { boundsOf, type Carrier, type Factors, inGivenUnit, refuseBroken, statedError } from './result.js';
import { runStage, type Stage, type StageProgress, smallest } from './stage.js';

/** `restarts` random factors one after another, each from the stream of its restart and the number of its tensor: |N(0,1)| · scale. */
export function randomFactors(
  rows: number,
  cols: number,
  { seed, restarts }: Pick<Settings, 'seed' | 'restarts'>,
  tensor: number,
  scale = 1,
): Float32Array {
  const size = rows * cols;
  const entries = new Float32Array(size * restarts);
  for (let restart = 0; restart < restarts; restart++) {
    const { normal } = random(seed, { purpose: 'start', restart, tensor });
    for (let i = 0; i < size; i++) entries[restart * size + i] = Math.abs(normal()) * scale;
  }
  return entries;
}

/** One restart's matrix out of a batch. */
export async function readFactor(run: Run, tensor: Tensor, restart: number): Promise<Matrix> {
  const all = await run.read(tensor);
  const size = tensor.rows * tensor.cols;
  const at = tensor.batch === 1 ? 0 : restart * size;
  return matrix(tensor.rows, tensor.cols, Float32Array.from(all.subarray(at, at + size)));
}

export async function readFactors(run: Run, A: readonly Tensor[], S: readonly Tensor[], restart: number): Promise<Factors> {
  const read = (tensors: readonly Tensor[]) => Promise.all(tensors.map((tensor) => readFactor(run, tensor, restart)));
  const [ofA, ofS] = await Promise.all([read(A), read(S)]);
  return { A: ofA, S: ofS };
}

/** The problem of a fit, and how its engine and its method take it. */
interface Fitted extends Problem {
  /**
   * The factor that takes the unit of X in the result. Default 'S', every S: terms that compare one layer with the next then have one unit
   * each. Where the scale of S has a meaning of its own, such as before a function that is not linear: 'A0', A⁰ alone, or 'A', every A.
   */
  carrier?: Carrier;
}

/** A stage as a method describes it. Fields that are left out are as in the whole fit. */
export interface FitStage extends Omit<Stage, 'norm' | 'maxIterations' | 'inF64'> {
  /** One number for all restarts, or one each; default ‖W ∘ X‖². */
  norm?: number | number[];
  maxIterations?: number;
  tolerance?: number;
  /** See Stage; default: whether X is sparse and its absent entries are zeros, unless the objective is 'of S'. */
  cancels?: boolean;
  /** Whether the stage only prepares another one. It may be cut short, so its settling says nothing of the fit. */
  start?: boolean;
  /**
   * The objective. 'error': ‖W ∘ (X − A⁰…AˡSˡ)‖² of the stage's factors, or a sum over levels, and nothing besides. 'of X' (default): it has a part that
   * depends on X. 'of S': it compares layers with each other.
   */
  objective?: 'error' | 'of X' | 'of S';
  /** With 'error' the weights of the errors of all levels. Default: 1 for the last, 0 for the others. */
  levels?: readonly number[];
  /** The objective of factors in f64, where it is another than the error. */
  objectiveInF64?: (factors: Factors) => number;
}

/** Values of each restart, by the names that their tensors were asked for. */
type Measured<T> = { [K in keyof T]: T[K] extends Tensor ? number[] : number[][] };

export interface Outcome<Own> {
  A: readonly Tensor[];
  S: readonly Tensor[];
  /** ‖X − A⁰…AˡSˡ‖² of every depth, one entry a restart each. */
  errors: number[][];
  /** The objective that decides between restarts. Default: the errors of the last layer. */
  objectives?: readonly number[];
  /** KKT residuals, one entry a restart each; the worst is told. */
  kkt: number[][];
  /** Factorizations per column of the last exact solves: see LayerSections.rounds. */
  rounds?: readonly Tensor[];
  /**
   * Where Sˡ = q(Sˡ⁻¹, Aˡ) in every layer: the λ₁ of each, a number or a tensor of one a restart; 0 where it is left out. With `simplex` one
   * layer, whose columns of S sum to one. With `differentiated` the fit followed gradients through these solves.
   */
  exact?: { l1?: readonly (number | Tensor)[]; simplex?: boolean; differentiated?: boolean };
  /** The rank whose SVD bound holds at every depth, null where none does; default `ranks`. */
  boundRanks?: readonly (number | null)[];
  /** Where something stands between the factors, the k₀×M matrix of every depth for which X ≈ A⁰ inner; null where there is none. */
  inner?: readonly Tensor[] | null;
  /** The method's own settings: see Model. */
  own: Own;
  /** What the result states beside the errors, of the restart that was kept and its factors in the unit of the fit. */
  stated?: (restart: number, factors: Factors) => Pick<Model, 'divergence' | 'objective'> & { kktResidual?: number };
  /** Reads the classifiers of the restart that was kept and scores them. */
  supervise?: (restart: number, factors: Factors) => Supervision | Promise<Supervision>;
}

export interface Fit {
  readonly run: Run;
  readonly settings: Settings;
  /** The exponent of the power of two by which the S of a result are multiplied; 0 where A takes the unit of X. */
  readonly unitOfS: number;
  /**
   * Writes a random start of every restart, |N(0,1)| · scale, which `change` may change before. Every number of a tensor gives another start.
   */
  writeRandom(tensor: Tensor, number: number, scale?: number, change?: (entries: Float32Array) => void): void;
  /** Repeats a section until its objective settles. Once a progress callback has stopped the fit, it does nothing. */
  stage(stage: FitStage): Promise<StageResult>;
  /** Executes sections and reads small tensors: the first entry of each restart. */
  measure<T extends Record<string, Tensor | readonly Tensor[]>>(sections: readonly string[], tensors: T): Promise<Measured<T>>;
  /** How a restart went, over all stages. */
  course(restart: number): Pick<Model, 'history' | 'iterations' | 'converged' | 'stopReason'>;
  /** Picks the best restart, reads its factors and puts the result together. */
  result<M extends string, Own>(method: M, outcome: Outcome<Own>): Promise<Model<M, Own>>;
}

/**
 * Prepares a program, hands its fit to `body` and disposes the run whatever happens. Where the engine replaces a lost device, the fit goes
 * on from its last checkpoint: `body` runs again, and stages that had ended are not repeated.
 */
export async function withFit<T>(engine: Engine, program: Program, fitted: Fitted, body: (fit: Fit) => Promise<T>): Promise<T> {
  const { settings } = fitted;
  const progress: Kept = { latest: settings.resume, lostDevices: 0 };
  for (let idle = 0; ; ) {
    const before = progress.latest;
    try {
      return await withRun(engine, program, (run) => body(createFit(run, { ...fitted, method: program.name, engine, progress })));
    } catch (error) {
      idle = progress.latest === before ? idle + 1 : 0;
      if (!(error instanceof DeviceLostError && engine.replacesDevice) || idle > mostIdleLosses) throw error;
      progress.lostDevices++;
    }
  }
}

/** Devices that may be lost one after the other before a fit reached a new checkpoint. */
const mostIdleLosses = 3;

/** Seconds between the checkpoints that a fit keeps for itself where its engine replaces a lost device. */
const ownCheckpoints = 10;

/** What outlives the runs of a fit. */
interface Kept {
  latest?: Checkpoint;
  lostDevices: number;
}

/** A problem with all that its fit needs to know. */
interface Running extends Fitted {
  method: string;
  engine: Engine;
  progress: Kept;
}

function createFit(run: Run, running: Running): Fit {
  const { X, missing, norm: normOfX, columns, unit, carrier = 'S', settings, method, fingerprint, progress } = running;
  const { restarts, ranks } = settings;
  const from = progress.latest;
  if (from) checkCheckpoint(from, method, fingerprint, run);
  const stages: Ended[] = [];
  const keep = checkpointKeeper(run, running, stages);
  return {
    run,
    settings,
    unitOfS: carrier === 'S' ? unit : 0,
    writeRandom(tensor, number, scale, change) {
      const entries = randomFactors(tensor.rows, tensor.cols, settings, number, scale);
      change?.(entries);
      run.write(tensor, entries);
    },
    async stage({ start = false, objective = 'of X', levels, ...given }) {
      const { name } = given;
      const done = from?.ended[stages.length];
      if (done) {
        stages.push({ name, start, result: done });
        return done;
      }
      const resumed = from?.ended.length === stages.length ? from.stage : undefined;
      if (resumed) restoreStates(run, from!);
      const norm = resumed?.norm ?? given.norm ?? normOfX;
      const norms = typeof norm === 'number' ? new Array<number>(restarts).fill(norm) : norm;
      const inF64 = async (asked: readonly number[]) => {
        const factors = await Promise.all(asked.map((r) => given.factors(r)));
        return factors.map(
          given.objectiveInF64 ??
            (({ A, S }) =>
              S.reduce((sum, ofLevel, l) => {
                const weight = levels ? levels[l] : l === S.length - 1 ? 1 : 0;
                return weight === 0 ? sum : sum + weight * squaredErrorOf(running, A.slice(0, l + 1), ofLevel);
              }, 0)),
        );
      };
      const judged = !columns && (objective === 'error' || given.objectiveInF64 !== undefined);
      // Another objective may look at every entry of AS, also of a sparse X.
      const workOfObjective = judged && !given.objectiveInF64 ? workOf(running, ranks[0]) : X.rows * X.cols * ranks[0];
      const stage: Stage = {
        ...given,
        norm: norms,
        maxIterations: given.maxIterations ?? settings.maxIterations,
        cancels: given.cancels ?? (isSparse(X) && !missing && objective !== 'of S'),
        inF64: judged ? inF64 : undefined,
        cheapInF64: judged && (given.cheapInF64 ?? workOfObjective <= quick),
        factors: async (restart) => inGivenUnit(await given.factors(restart), unit, carrier),
        resumed: resumed?.loop,
        keep: keep && ((loop, frozen) => keep(name, norms, loop, frozen)),
      };
      const over = stages.at(-1)?.result.ends.find(({ stopReason }) => stopReason === 'stopped' || stopReason === 'maxSeconds');
      const before = stages.reduce((sum, { result }) => sum + Math.max(...result.ends.map(({ iterations }) => iterations)), 0);
      const onProgress =
        settings.onProgress &&
        ((told: StageProgress) =>
          settings.onProgress!({ ...told, totalIterations: before + told.iteration, lostDevices: progress.lostDevices }));
      const result: StageResult = over
        ? { ends: norms.map(() => ({ cost: Number.NaN, iterations: 0, checked: 0, stopReason: over.stopReason })), checks: [] }
        : await runStage(run, stage, { ...settings, onProgress, tolerance: given.tolerance ?? settings.tolerance });
      stages.push({ name, start, result });
      return result;
    },
    async measure<T extends Record<string, Tensor | readonly Tensor[]>>(sections: readonly string[], tensors: T) {
      for (const section of sections) run.execute(section);
      const sampled = (await run.sample(Object.values(tensors).flat() as Tensor[])).map((values) => Array.from(values));
      let at = 0;
      const entries = Object.entries(tensors).map(([name, one]) => {
        if (!Array.isArray(one)) return [name, sampled[at++]];
        at += one.length;
        return [name, sampled.slice(at - one.length, at)];
      });
      return Object.fromEntries(entries) as Measured<T>;
    },
    course: (restart) => courseOf(stages, restart),
    result: (method, outcome) => resultOf(run, method, running, stages, outcome),
  };
}

/** Takes a checkpoint when it is time for one; undefined where nobody wants any. */
function checkpointKeeper(run: Run, { settings, method, fingerprint, engine, progress }: Running, stages: readonly Ended[]) {
  const wanted = settings.checkpoint?.seconds ?? Number.POSITIVE_INFINITY;
  const seconds = engine.replacesDevice ? Math.min(wanted, ownCheckpoints) : wanted;
  if (seconds === Number.POSITIVE_INFINITY) return undefined;
  let taken = performance.now();
  let saved = taken;
  return async (name: string, norm: number[], loop: () => Promise<LoopState>, frozen: Frozen): Promise<void> => {
    const now = performance.now();
    const early = now - taken < 1000 * seconds;
    if (run.agreed ? (await run.agreed(early ? 0 : 1)) === 0 : early) return;
    const ended = stages.map(({ result }) => result);
    const stage = { name, norm, loop: await loop() };
    progress.latest = await takeCheckpoint(run, frozen, { method, fingerprint, ended, stage, elapsedMs: now - settings.started });
    taken = now;
    if (!run.agreed && now - saved < 1000 * wanted) return;
    await settings.checkpoint?.save(progress.latest);
    saved = now;
  };
}

/** The most multiplications of an objective in f64 that takes no more than some 10 ms. */
const quick = 2 ** 23;

/** The last stage may be exact, that of one layer, and the whole fit is not: 'exact' is told up to this relative error. */
const exactError = 1e-6;

/** A stage that has ended. */
interface Ended {
  name: string;
  start: boolean;
  result: StageResult;
}

async function resultOf<M extends string, Own>(
  run: Run,
  method: M,
  running: Running,
  stages: readonly Ended[],
  outcome: Outcome<Own>,
): Promise<Model<M, Own>> {
  const { X, W, missing, seen, norm, columns, unit, carrier = 'S', settings } = running;
  const { ranks } = settings;
  const relative = outcome.errors.map((ofRestarts) => ofRestarts.map((squared) => Math.sqrt(squared / norm)));
  const whole = (x: number) => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x);
  const restartErrors = relative[relative.length - 1].map(whole);
  // An objective may stay finite where the factors did not.
  const restart = smallest(
    restartErrors.map((error, r) => (error < Number.POSITIVE_INFINITY ? whole(outcome.objectives?.[r] ?? error) : error)),
  );
  const found = await readFactors(run, outcome.A, columns ? [] : outcome.S, restart);
  const ofRounds = columns ? [] : (outcome.rounds ?? []);
  const rounds = (await Promise.all(ofRounds.map((tensor) => readFactor(run, tensor, restart)))).map(({ data }) => data);
  refuseBroken(method, found);
  const lambda = async (given: number | Tensor) => (typeof given === 'number' ? given : (await readFactor(run, given, restart)).data[0]);
  const l1 = await Promise.all((outcome.exact?.l1 ?? []).map(lambda));
  const byColumns =
    columns &&
    (await exactColumns(run, columns, {
      ...{ restart, A: found.A, S: outcome.S, rounds: outcome.rounds ?? [], l1: outcome.exact && l1 },
      unit: carrier === 'S' ? unit : 0,
      keep: outcome.supervise !== undefined,
    }));
  const again =
    byColumns ??
    (outcome.exact &&
      exactLayers(X, found.A, found.S, {
        ...{ l1, weights: W, missing, rounds, simplex: outcome.exact.simplex },
        halves: running.engine.halfInputs,
      }));
  const own = { A: found.A, S: again?.S ?? found.S };
  // Solved exactly S may vanish where 16 bits, or f32, had something left of it.
  if (again && !columns) refuseBroken(method, own);
  const factors = inGivenUnit(own, unit, carrier);
  const bounds = boundsOf(seen, settings.svdBound ? (outcome.boundRanks ?? ranks) : ranks.map(() => null));
  const inner = outcome.inner && (await Promise.all(outcome.inner.map((tensor) => readFactor(run, tensor, restart))));
  const layers = ranks.map((rank, l) => {
    const bound = bounds.values[l];
    const device = { error: relative[l][restart], stale: running.engine.halfInputs || again?.moved === true };
    const stated = inner ? { A: [own.A[0]], S: [inner[l]] } : { A: own.A.slice(0, l + 1), S: own.S.slice(0, l + 1) };
    const relativeError = byColumns
      ? byColumns.squared
        ? Math.sqrt(byColumns.squared[l] / norm)
        : device.error
      : outcome.inner === null
        ? device.error
        : statedError(running, stated, device, bound);
    // The factors themselves prove that no limit is above their error; an estimate can be.
    const svdBound = bound !== null && bounds.method === 'randomised' ? Math.min(bound, relativeError) : bound;
    return { rank, relativeError, svdBound };
  });
  const stated = outcome.stated?.(restart, own) ?? {};
  const last = layers[layers.length - 1];
  restartErrors[restart] = last.relativeError;
  const course = courseOf(stages, restart);
  return {
    method,
    ranks,
    ...factors,
    relativeError: last.relativeError,
    svdBound: last.svdBound,
    svdBoundMethod: bounds.method,
    ...stated,
    layers,
    kktResidual: stated.kktResidual ?? Math.max(...outcome.kkt.map((values) => values[restart])),
    unconverged: again?.unconverged ?? rounds.reduce((sum, values) => sum + countNegative(values), 0),
    illConditioned: again?.illConditioned ?? 0,
    illConditionedGradients: (outcome.exact?.differentiated && again?.untrusted) || 0,
    ...course,
    stopReason: course.stopReason === 'exact' && !(last.relativeError <= exactError) ? 'tolerance' : course.stopReason,
    stopping: stages[stages.length - 1].result.ends[restart].measures ?? null,
    restartErrors,
    restart,
    seed: settings.seed,
    settings: { maxIterations: settings.maxIterations, tolerance: settings.tolerance, ...outcome.own },
    supervision: (await outcome.supervise?.(restart, factors)) ?? null,
    elapsedMs: performance.now() - settings.started,
  };
}

function courseOf(stages: readonly Ended[], restart: number): ReturnType<Fit['course']> {
  const settled = ({ result: { ends } }: Ended) => ends[restart].stopReason === 'tolerance' || ends[restart].stopReason === 'exact';
  return {
    history: stages.flatMap(({ name, result }) =>
      result.checks
        .filter(({ iteration }) => iteration <= result.ends[restart].checked)
        .map(({ iteration, errors }) => ({ stage: name, iteration, relativeError: errors[restart] })),
    ),
    iterations: stages.reduce((sum, { result }) => sum + result.ends[restart].iterations, 0),
    converged: stages.filter(({ start }) => !start).every(settled),
    stopReason: stages[stages.length - 1].result.ends[restart].stopReason,
  };
}
