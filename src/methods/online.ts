/** NMF of columns that come in blocks: a model that learns from each and keeps none. */
import { checkPositive, checkPositiveInteger } from '../data/check.js';
import { type Matrix, matrix, squaredNorm } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import type { DataMatrix } from '../data/sparse.js';
import { powerOfTwoUnit, rangeFault } from '../data/unit.js';
import { type AbortSignalLike, type Disposes, disposeKey, type Engine } from '../engine.js';
import { BreakdownError, CancelledError, DisposedError, InputError } from '../errors.js';
import { onlineProgram } from '../programs/online.js';
import { type Batch, batchesOf, type ColumnSource, checkBlock, checkSource, closed, emptyBatch, filled, isUsedUp } from './batches.js';
import { readFactor } from './fit.js';
import type { StopMeasures, StopReason } from './loop.js';
import type { NmfFactorization } from './nmf.js';
import {
  type Beginning,
  beginningOf,
  firstEntries,
  memoryOf,
  nothingSeen,
  type OnlineOptions,
  type OnlineState,
  onlineOptionNames,
  type Seen,
} from './online-state.js';
import { penaltySettings } from './penalties.js';
import { countNegative } from './q.js';
import { refuseBroken } from './result.js';
import { simplexSettings } from './volume.js';

/** What one call of partialFit saw. */
export interface BlockFit {
  columns: number;
  /** ‖X − AS‖ / ‖X‖ of these columns as they arrived, before A learned from them; 0 where all of them are zero. */
  relativeError: number;
}

/** A factorization that learns from columns as they come. */
export interface Online extends Disposes {
  /** N. */
  readonly rows: number;
  readonly rank: number;
  /**
   * Learns from the columns of a block, N×m, dense or sparse, in batches of `batchColumns`; the last may be shorter. None is kept. A call
   * may be made before the one before has ended: blocks count in the order of the calls. Columns of zeros teach nothing.
   *
   * @throws InputError for entries that are negative, not finite, or of another size than those of the first batch by so much that f32 cannot
   * hold both; ShapeError for a block of other rows; BreakdownError, DisposedError, DeviceLostError.
   */
  partialFit(block: DataMatrix): Promise<BlockFit>;
  /**
   * The model so far, of method 'nmf' without samples: `transform` gives the S of any columns. relativeError is that of all columns as they
   * arrived, kktResidual that of A for the sums, `iterations` the number of batches. Throws InputError while every column was zero.
   */
  model(): Promise<NmfFactorization>;
  /** All that is kept of the columns so far, for `resume`. Throws InputError while every column was zero. */
  state(): Promise<OnlineState>;
  dispose(): void;
}

/** Alternations on the first batch of a random start: A is chance until then, and later batches pass by once. */
const firstAlternations = 50;

/**
 * A factorization X ≈ AS, A ≥ 0 (N×k) and S ≥ 0, of columns that are never together. What is kept of them is A, P = Σ SSᵀ (k×k) and
 * Q = Σ XSᵀ (N×k), in which older columns count less (`forgetting`). For each batch S = q(X, A) exactly, then A by the rule `update`.
 *
 * Mairal, Bach, Ponce & Sapiro, JMLR 2010 ('hals'); Lefèvre, Bach & Févotte, WASPAA 2011 ('mu'). Formulas: docs/methods.md.
 *
 * A lost device takes the state with it: keep `state()` from time to time where that matters.
 *
 * @param options See OnlineOptions. `rows` is N; left out, it is that of `start` or `resume`.
 * @throws InputError for bad options; LimitError.
 */
export async function createOnline(engine: Engine, options: OnlineOptions & { rows?: number }): Promise<Online> {
  checkNames('createOnline', options, ['rows', ...onlineOptionNames], { rank: "'ranks'" });
  const learner = await learnerOf(engine, beginningOf(options));
  const { rows, rank, samples, batchColumns } = learner.from;
  let blocks = 0;
  return {
    rows,
    rank,
    async partialFit(block) {
      checkBlock(block, rows, `Block ${blocks++}`);
      const batch = emptyBatch(rows, batchColumns);
      const learned = Array.from(filled(batch, block), (full) => learner.learn(full, samples).seen);
      if (batch.count > 0) learned.push(learner.learn(closed(batch), samples).seen);
      const seen = total(await Promise.all(learned));
      return { columns: seen.columns, relativeError: relativeErrorOf(seen) };
    },
    model: learner.model,
    state: learner.state,
    dispose: learner.dispose,
    [disposeKey]: learner.dispose,
  };
}

/** What a run of onlineNmf tells after each batch. */
export interface OnlineProgress {
  /** From 1. */
  pass: number;
  /** Batches and columns of this pass so far. */
  batch: number;
  columns: number;
  /** ‖X − AS‖ / ‖X‖ of the batch as it arrived. */
  relativeError: number;
  elapsedMs: number;
}

export interface OnlineNmfOptions extends OnlineOptions {
  /** How often to go through the source at most; default 1. More needs a source that can be read again, as an array can and a generator cannot. */
  passes?: number;
  /**
   * The passes end once the squared error of a pass fell by no more than this fraction of it: a number from 0 up to 1. Default 1e-4; 0 makes
   * all passes.
   */
  tolerance?: number;
  /** Called at the end of every pass with all that is kept of the columns, for `resume`. The fit waits for a promise that it returns. */
  onState?: (state: OnlineState) => unknown;
  /** Called after each batch, one batch behind the device. Returning false ends the fit. */
  onProgress?: (progress: OnlineProgress) => unknown;
  /** Aborting rejects the fit with CancelledError. */
  signal?: AbortSignalLike;
  /** The fit ends after the first batch past this many seconds. Default: no limit. */
  maxSeconds?: number;
}

/**
 * NMF of the columns of a source, N×m matrices of any m, dense or sparse: an array, a generator, an async one, a stream. They are cut into
 * batches of `batchColumns`, so the whole of X is never in memory, on the host or the device. The next batch is read while one is computed.
 * See createOnline for what is computed.
 *
 * The model is of method 'nmf' without samples: `transform` gives the S of any columns. Its relativeError is that of the last pass, of each
 * column as it arrived, before A learned from it. Its `history` has an entry for each pass, `iterations` counts batches.
 *
 * @throws InputError for a source without columns or of zeros, for bad blocks and bad options; ShapeError for blocks of different rows;
 * CancelledError, BreakdownError, LimitError, DeviceLostError.
 */
export async function onlineNmf(engine: Engine, source: ColumnSource, options: OnlineNmfOptions): Promise<NmfFactorization> {
  checkSource(source);
  checkNames('onlineNmf', options, [...onlineOptionNames, ...loopOptionNames], { rank: "'ranks'" });
  const { batchColumns } = memoryOf(options);
  const { passes = 1, tolerance = 1e-4, maxSeconds, onProgress, onState, signal, ...own } = options;
  checkPositiveInteger('passes', passes);
  if (maxSeconds !== undefined) checkPositive('maxSeconds', maxSeconds);
  if (!(tolerance >= 0 && tolerance < 1))
    throw new InputError(`tolerance must be a number from 0 up to 1, not ${tolerance}.`, { option: 'tolerance' });
  if (passes > 1 && isUsedUp(source)) throw usedUp(passes);
  let samples = options.samples ?? (Array.isArray(source) ? source.reduce((sum, { cols }) => sum + cols, 0) || batchColumns : batchColumns);
  let learner: Learner | undefined;
  const learnerFor = async (rows: number) => (learner ??= await learnerOf(engine, beginningOf({ ...own, rows })));
  const history: NmfFactorization['history'] = [];
  let stopReason: StopReason | undefined;
  let stopping: StopMeasures | null = null;
  let last = nothingSeen();
  const watch = watcherOf({ onProgress, signal, maxSeconds }, performance.now());
  try {
    for (let number = 1; number <= passes && stopReason === undefined; number++) {
      const batches = batchesOf(source, batchColumns, learner?.from.rows);
      const { pass, ending } = await passOver(
        batches,
        async (batch) => (await learnerFor(batch.X.rows)).learn(batch, samples),
        watch(number),
      );
      if (pass.columns === 0 && ending === undefined) throw number > 1 ? usedUp(passes) : new InputError('The source has no columns.');
      const fall = number > 1 ? (last.squaredError - pass.squaredError) / pass.squaredError : null;
      stopping = fall === null ? null : { rule: 'objective', relativeChange: Math.abs(fall), initialErrorFall: null, kktRatio: null };
      const slow = fall !== null && fall <= tolerance;
      stopReason = ending ?? (tolerance > 0 && slow ? 'tolerance' : undefined);
      last = pass;
      history.push({ stage: `pass ${number}`, iteration: pass.batches, relativeError: relativeErrorOf(pass) });
      samples = options.samples ?? pass.columns;
      await onState?.(await learner!.state());
    }
    const model = await learner!.model(); // a source without columns was refused
    const relativeError = relativeErrorOf(last);
    return {
      ...model,
      ...errorsOf(model.ranks, relativeError),
      history,
      converged: stopReason === 'tolerance',
      stopReason: stopReason ?? 'maxIterations',
      stopping,
      settings: { ...model.settings, maxIterations: passes, tolerance },
    };
  } finally {
    learner?.dispose();
  }
}

const loopOptionNames = ['passes', 'tolerance', 'onState', 'onProgress', 'signal', 'maxSeconds'];

type Watching = Pick<OnlineNmfOptions, 'onProgress' | 'signal' | 'maxSeconds'>;

type Watch = (batch: Seen, pass: Seen) => Promise<StopReason | undefined>;

/** What looks at every batch, and says why a fit ends after it, if it does. */
function watcherOf({ onProgress, signal, maxSeconds = Number.POSITIVE_INFINITY }: Watching, began: number) {
  return (number: number): Watch =>
    async (batch, pass) => {
      if (signal?.aborted) throw new CancelledError('The fit was cancelled.', { cause: signal.reason });
      const elapsedMs = performance.now() - began;
      const progress = { pass: number, batch: pass.batches, columns: pass.columns, relativeError: relativeErrorOf(batch), elapsedMs };
      if ((await onProgress?.(progress)) === false) return 'stopped';
      return elapsedMs > 1000 * maxSeconds ? 'maxSeconds' : undefined;
    };
}

/** Once through the batches. A batch is looked at when the next one is queued, so that the device has work while that one is read. */
async function passOver(batches: AsyncIterable<Batch>, learn: (batch: Batch) => Promise<Queued>, watch: Watch) {
  const pass = nothingSeen();
  let before: Queued | undefined;
  const look = async () => {
    if (!before) return undefined;
    const batch = await before.seen;
    Object.assign(pass, total([pass, batch]));
    return watch(batch, pass);
  };
  for await (const batch of batches) {
    const queued = await learn(batch);
    const ending = await look();
    before = queued;
    if (ending === undefined) continue;
    Object.assign(pass, total([pass, await queued.seen]));
    return { pass, ending };
  }
  return { pass, ending: await look() };
}

/** Columns of a batch that the device has in its queue. */
interface Queued {
  seen: Promise<Seen>;
}

interface Learner {
  from: Beginning;
  /** Queues a batch, which may change afterwards. */
  learn(batch: Batch, samples: number): Queued;
  state(): Promise<OnlineState>;
  model(): Promise<NmfFactorization>;
  dispose(): void;
}

/** The program of an online factorization on a device, with what was given to begin with. */
async function learnerOf(engine: Engine, from: Beginning): Promise<Learner> {
  const { rows, rank, batchColumns, forgetting, update, seed, resume } = from;
  const t = onlineProgram(rows, batchColumns, rank, update);
  const run = await engine.prepare(t.program);
  const began = performance.now();
  let seen = resume?.seen ?? nothingSeen();
  let unit = resume?.unit;
  let share = Number.NaN;
  let latest: Promise<unknown> = Promise.resolve();
  let disposed = false;
  const refuseDisposed = () => {
    if (disposed) throw new DisposedError('This online factorization was disposed; create another one.');
  };
  const begin = (entries: { A: ArrayLike<number>; sums: readonly ArrayLike<number>[] }) => {
    run.write(t.A, entries.A);
    t.sums.forEach((tensor, i) => {
      run.write(tensor, entries.sums[i]);
    });
  };
  if (resume) begin({ A: resume.A.data, sums: resume.sums.map(({ data }) => data) });
  const keepShare = (wanted: number) => {
    if (wanted === share) return;
    share = wanted;
    run.write(
      t.forget,
      Float32Array.from({ length: rank * rank }, (_, at) => (at % (rank + 1) === 0 ? share : 0)),
    );
  };
  const queue = (batch: Batch, samples: number): Promise<Seen> => {
    const first = unit === undefined;
    unit ??= powerOfTwoUnit(batch.X.data);
    const X = inUnit(batch.X, unit);
    const norm = squaredNorm(X.data);
    run.write(t.X, X.data);
    keepShare(forgetting ** (batch.count / samples));
    if (first) {
      begin(firstEntries(from, { X, count: batch.count }, unit));
      for (let alternation = 0; alternation < (from.given ? 0 : firstAlternations); alternation++) {
        run.execute('arrive');
        run.execute('learn');
      }
    }
    run.execute('arrive');
    const sampled = run.sample([t.cost, t.rounds]);
    run.execute('learn');
    run.execute('keep');
    return sampled.then(([[squaredError], rounds]) => {
      if (!Number.isFinite(squaredError))
        throw new BreakdownError(`online: the error of a batch became ${squaredError}. Take another seed or a smaller rank.`);
      return { columns: batch.count, batches: 1, squaredError, squaredNorm: norm, unconverged: countNegative(rounds) };
    });
  };
  const state = async (): Promise<OnlineState> => {
    refuseDisposed();
    await latest;
    if (unit === undefined) throw new InputError('Every column so far was zero, or there was none; there is nothing to factorize.');
    const [A, ...sums] = await Promise.all([t.A, ...t.sums].map((tensor) => readFactor(run, tensor, 0)));
    return { update, seed, unit, A, sums, seen };
  };
  return {
    from,
    state,
    learn(batch, samples) {
      refuseDisposed();
      const { count } = batch;
      const nothing = batch.X.data.every((x) => x === 0);
      const queued = nothing ? Promise.resolve({ ...nothingSeen(), columns: count }) : queue({ ...batch }, samples);
      const counted = Promise.all([queued, latest]).then(([own]) => {
        seen = total([seen, own]);
        return own;
      });
      counted.catch(() => {}); // it surfaces where it is awaited
      latest = counted;
      return { seen: counted };
    },
    async model() {
      const { A, seen } = await state();
      refuseBroken('online', { A: [A], S: [] });
      run.execute('measure');
      const [[kktResidual]] = await run.sample([t.kkt]);
      const relativeError = relativeErrorOf(seen);
      return {
        method: 'nmf',
        ranks: [rank],
        A: [A],
        S: [matrix(rank, 0)],
        ...errorsOf([rank], relativeError),
        svdBound: null,
        svdBoundMethod: null,
        kktResidual,
        unconverged: seen.unconverged,
        illConditioned: 0,
        illConditionedGradients: 0,
        history: [],
        iterations: seen.batches,
        converged: false,
        stopReason: 'stopped',
        stopping: null,
        restart: 0,
        seed,
        settings: {
          maxIterations: 1,
          tolerance: 0,
          solver: update,
          loss: 'frobenius',
          absent: 'zero',
          ...penaltySettings({}),
          ...simplexSettings({}),
        },
        supervision: null,
        elapsedMs: performance.now() - began,
      };
    },
    dispose() {
      disposed = true;
      run.dispose();
    },
  };
}

const errorsOf = ([rank]: readonly number[], relativeError: number) => ({
  relativeError,
  layers: [{ rank, relativeError, svdBound: null }],
  restartErrors: [relativeError],
});

const relativeErrorOf = ({ squaredError, squaredNorm }: Seen) => (squaredNorm === 0 ? 0 : Math.sqrt(squaredError / squaredNorm));

function total(parts: readonly Seen[]): Seen {
  const sum = nothingSeen();
  for (const part of parts) for (const name of Object.keys(sum) as (keyof Seen)[]) sum[name] += part[name];
  return sum;
}

/** X / 2^unit. Throws InputError where f32 does not hold it. */
function inUnit({ rows, cols, data }: Matrix, unit: number): Matrix {
  const fault = rangeFault(data, -unit);
  if (fault)
    throw new InputError(
      `A batch has entries so ${fault === 'overflow' ? 'large' : 'small'} beside those of the first, about 2^${unit}, that single precision cannot hold both; scale the columns.`,
    );
  const factor = 2 ** -unit;
  return matrix(
    rows,
    cols,
    data.map((x) => x * factor),
  );
}

function usedUp(passes: number): InputError {
  return new InputError(
    `The option 'passes' is ${passes}, but the source can be read once only, as generators and streams can; give an array or another object that begins anew each time that it is iterated.`,
    { option: 'passes' },
  );
}
