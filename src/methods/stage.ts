/** The loop of every fit: a section is repeated until its objective settles. */
import type { Matrix } from '../data/matrix.js';
import type { Run } from '../engine.js';
import { BreakdownError, CancelledError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { FitOptions, Progress } from './factorization.js';
import { type Frozen, frozenOf } from './frozen.js';
import type { Course, LoopState, StageResult, Stopping, StopReason } from './loop.js';
import { hasSettled, isSlow, isStationary, measuresOf } from './settling.js';

/** The settings of a fit that the loop needs. */
export interface StageSettings {
  restarts: number;
  tolerance: number;
  stopping: Stopping;
  checkEvery: number;
  /** When the fit began, on the clock of `performance.now()`. */
  started: number;
  /** When it has to end, on the same clock. */
  deadline?: number;
  onProgress?: (progress: StageProgress) => unknown;
  signal?: FitOptions['signal'];
}

/** What a check may end with by a clock or a caller, the weightiest last. */
const calls = { on: 0, deadline: 1, stopped: 2, cancelled: 3 } as const;

/** Progress as a stage knows it. */
export type StageProgress = Omit<Progress, 'totalIterations' | 'lostDevices'>;

/** One stage of a fit: a section that is repeated until its objective settles. */
export interface Stage {
  name: string;
  /**
   * The section that is one iteration, or a function that queues a number of iterations. With `skip` the function only counts them: they
   * were executed before a checkpoint.
   */
  step: string | ((times: number, skip?: boolean) => void);
  /** The section that refreshes `cost`, where `step` does not. */
  measure?: string;
  cost: Tensor;
  /** The place of the objective in each restart's row of `cost`. */
  costAt?: number;
  /** KKT residuals of its factors, each 1×1, and the section that refreshes them. The rule 'kkt' needs them. */
  kkt?: { section: string; tensors: readonly Tensor[] };
  /** The sums of projected gradients that the last iteration met, each 1×1, and what each counts. The rule 'violation' needs them. */
  violation?: readonly { sum: Tensor; weight: number }[];
  /** Squared norm of the fitted data, for the relative errors of this stage, one a restart. */
  norm: number[];
  /**
   * Whether `cost` is a difference of numbers as large as `norm`, as it is for a sparse X. Then its rounding is that of `norm`. Default
   * false: its rounding is that of the cost itself, or too small for the rule below to tell. Gram matrices stand for the residual of a
   * dense X only where they round it by less than half of `tolerance` (the `fall` of residualNorm), so even two checks that lie one
   * iteration apart show a fall at the tolerated rate.
   */
  cancels?: boolean;
  /** The objectives of these restarts as they stand now, in f64. */
  inF64?: (restarts: readonly number[]) => Promise<number[]>;
  /** Whether that takes milliseconds. Then it decides about every end. */
  cheapInF64?: boolean;
  maxIterations: number;
  factors(restart: number): Promise<{ A: Matrix[]; S: Matrix[] }>;
  /** Where a checkpoint left the loop. */
  resumed?: LoopState;
  /** Called between batches. `loop` may be asked for, in order to keep it beside the states, those of ended restarts as `frozen` has them. */
  keep?: (loop: () => Promise<LoopState>, frozen: Frozen) => Promise<void>;
}

/** What a check reads: the objectives, and one KKT residual (or sum of projected gradients) a restart where the rule asks for them. */
interface Values {
  costs: ArrayLike<number>;
  kkt?: number[];
}

/** Below this fraction of ‖X‖² the objective is what f32 factors leave of an exact fit. */
const exact = 1e-12;

/** Relative rounding of a sum of squares in f32: differences below it say nothing. */
const rounding = 2 ** -22;

/**
 * Repeats a stage in batches of `checkEvery` iterations. Objectives are read one check behind: while the host looks at those of the last
 * batch, the next one is queued already, so the device never waits. With the other rules the host looks first, from the start on, so that a
 * fit ends exactly at the check that they ask about. With 'violation' the first check comes after one iteration, which the others compare with.
 *
 * Every restart ends by its own objective, with the factors that it has then, so it is the same beside any number of others.
 */
export async function runStage(run: Run, stage: Stage, settings: StageSettings): Promise<StageResult> {
  const { restarts, tolerance, stopping, checkEvery, started, deadline = Number.POSITIVE_INFINITY, onProgress, signal } = settings;
  const { resumed, norm } = stage;
  const checks: StageResult['checks'] = [...(resumed?.checks ?? [])];
  const courses = Array.from({ length: restarts }, (_, r) => copyOf(resumed?.courses[r]));
  const frozen = frozenOf(run);
  const isOpen = (r: number) => courses[r].end === undefined;
  const openOnes = () => courses.map((_, r) => r).filter(isOpen);
  let iteration = resumed?.iteration ?? 0;
  const kkt = stopping === 'kkt' ? stage.kkt : undefined;
  const violation = stopping === 'violation' ? (stage.violation ?? []) : [];
  const residuals = kkt?.tensors ?? violation.map(({ sum }) => sum);
  const residualOf = (values: readonly number[]) =>
    kkt ? Math.max(...values) : values.reduce((sum, x, i) => sum + violation[i].weight * x, 0);
  const cancelled = () => new CancelledError('The fit was cancelled.', { cause: signal?.reason });
  let queued: { iteration: number; values: Promise<Values> } | undefined;
  const measured = () => {
    if (stage.measure) run.execute(stage.measure);
    if (kkt) run.execute(kkt.section);
    const values = run.sample([stage.cost, ...residuals]).then(([costs, ...read]) => ({
      costs,
      kkt: read.length === 0 ? undefined : Array.from(read[0], (_, r) => residualOf(read.map((of) => of[r]))),
    }));
    values.catch(() => {}); // a failure surfaces where the value is awaited
    return { iteration, values };
  };
  const step = (times: number) => {
    if (typeof stage.step === 'string') run.execute(stage.step, times);
    else stage.step(times);
  };
  const loop = async (): Promise<LoopState> => {
    const { costs, kkt: pendingKkt } = (await queued?.values) ?? {};
    return { iteration, courses: courses.map(copyOf), checks: [...checks], pending: costs && Array.from(costs), pendingKkt };
  };
  const end = (r: number, stopReason: StopReason) => {
    const { cost, iteration: checked } = courses[r].readings.at(-1) ?? { cost: Number.NaN, iteration: 0 };
    courses[r].end = { cost, iterations: iteration, checked, stopReason, measures: measuresOf(stopping, courses[r].readings) };
  };
  /** The restarts that are left end with this reason. */
  const finish = async (stopReason: StopReason): Promise<StageResult> => {
    await frozen.thaw();
    for (const r of openOnes()) end(r, stopReason);
    return { ends: courses.map((course) => course.end!), checks };
  };
  const { settled, isExact } = judgeOf(stage, tolerance);
  const slows = (r: number) => {
    if (stopping === 'objective') return settled(courses[r], r, iteration);
    return (stopping === 'initialError' ? isSlow : isStationary)(courses[r].readings, tolerance);
  };

  if (resumed) {
    if (typeof stage.step === 'function') stage.step(iteration, true);
    if (resumed.pending) queued = { iteration, values: Promise.resolve({ costs: resumed.pending, kkt: resumed.pendingKkt }) };
    const ended = courses.map((_, r) => r).filter((r) => !isOpen(r));
    if (ended.length > 0) await frozen.freeze(ended);
  } else if (stopping !== 'objective' && stopping !== 'violation') queued = measured();
  while (iteration < stage.maxIterations || queued !== undefined) {
    if (!run.agreed && signal?.aborted) throw cancelled();
    let next: typeof queued;
    if (iteration < stage.maxIterations && (stopping === 'objective' || queued === undefined)) {
      const every = stopping !== 'violation' ? checkEvery : iteration === 0 ? 1 : checkEvery - (iteration % checkEvery);
      const times = Math.min(every, stage.maxIterations - iteration);
      step(times);
      iteration += times;
      next = measured();
    }
    if (queued !== undefined) {
      const { iteration: checked, values } = queued;
      const { costs: read, kkt: met } = await values;
      const width = read.length / restarts;
      const left = openOnes();
      for (const r of left) courses[r].readings.push({ iteration: checked, cost: read[r * width + (stage.costAt ?? 0)], kkt: met?.[r] });
      const costs = courses.map(({ readings }) => readings.at(-1)!.cost);
      refuseNonFinite(stage.name, costs, checked);
      // A cost from Gram matrices that is all rounding may be below zero.
      const errors = costs.map((cost, r) => Math.sqrt(Math.max(cost, 0) / norm[r]));
      checks.push({ iteration: checked, errors });
      const best = smallest(errors);
      const go = await onProgress?.({
        stage: stage.name,
        iteration: checked,
        maxIterations: stage.maxIterations,
        relativeError: errors[best],
        elapsedMs: performance.now() - started,
        factors: () => {
          const reading = stage.factors(best);
          reading.catch(() => {}); // nobody has to await it
          return reading;
        },
      });
      const call = await callOf(run, { aborted: signal?.aborted, stopped: go === false, late: performance.now() > deadline });
      if (call === calls.cancelled) throw cancelled();
      if (call === calls.stopped) return finish('stopped');
      for (const r of left) if (await isExact(courses[r], r)) end(r, 'exact');
      if (call === calls.deadline) return finish('maxSeconds');
      if (tolerance > 0) for (const r of left) if (isOpen(r) && (await slows(r))) end(r, 'tolerance');
      if (!courses.some((_, r) => isOpen(r))) return finish('tolerance');
      const ended = left.filter((r) => !isOpen(r));
      if (ended.length > 0) await frozen.freeze(ended);
    }
    queued = next;
    await stage.keep?.(loop, frozen);
  }
  return finish('maxIterations');
}

/** What of the objective alone ends a restart. */
function judgeOf({ inF64, cheapInF64, cancels, norm }: Stage, tolerance: number) {
  const f64Of = async (r: number) => (await inF64!([r]))[0];
  return {
    /** Whether a restart has settled, judged in f64 where the device's rounding hides it. The device is at `iteration`. */
    async settled({ readings, exactReadings }: Course, r: number, iteration: number): Promise<boolean> {
      const resolution = (cost: number) => rounding * (cancels ? cost + norm[r] : cost);
      const judged = { resolution, tolerance, finer: inF64 !== undefined };
      const verdict = hasSettled(readings, { ...judged, cheap: cheapInF64 });
      if (verdict !== undefined || !judged.finer) return verdict ?? false;
      if (exactReadings.at(-1)?.iteration !== iteration) exactReadings.push({ iteration, cost: await f64Of(r) });
      // The device is a check ahead of the reading at hand, which has its f64 if the check before was in doubt as well.
      const both = readings.slice(-2).flatMap((at) => exactReadings.find(({ iteration }) => iteration === at.iteration) ?? []);
      if (both.length < 2) return hasSettled(readings, judged) ?? false;
      return hasSettled(both, { resolution: (cost) => 1e-14 * cost, tolerance, finer: false }) ?? false;
    },
    async isExact({ readings }: Course, r: number): Promise<boolean> {
      const small = (cost: number) => cost <= exact * norm[r];
      if (!small(readings.at(-1)!.cost)) return false;
      return inF64 ? small(await f64Of(r)) : !cancels;
    },
  };
}

/** The weightiest call of any process. */
async function callOf(run: Run, { aborted, stopped, late }: { aborted?: boolean; stopped: boolean; late: boolean }): Promise<number> {
  const own = aborted ? calls.cancelled : stopped ? calls.stopped : late ? calls.deadline : calls.on;
  return run.agreed ? run.agreed(own) : own;
}

function copyOf({ readings, exactReadings, end }: Course = { readings: [], exactReadings: [] }): Course {
  return { readings: [...readings], exactReadings: [...exactReadings], end };
}

function refuseNonFinite(stage: string, costs: readonly number[], iteration: number): void {
  const bad = costs.find((cost) => !Number.isFinite(cost));
  if (bad === undefined) return;
  throw new BreakdownError(
    `${stage}: the objective became ${bad} by iteration ${iteration}. Take another seed or smaller ranks; with an optimiser that has a rate, a lower rate.`,
  );
}

/** Index of the smallest value, the first of equal ones. */
export function smallest(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] < values[best]) best = i;
  return best;
}
