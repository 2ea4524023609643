/** The loop of every fit: a section is repeated until its objective settles. */
import type { Matrix } from '../data/matrix.js';
import type { Run } from '../engine.js';
import { BreakdownError, CancelledError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { FitOptions, Progress, Stopping } from './factorization.js';
import type { LoopState, Reading, StageResult, StopReason } from './loop.js';

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
  /** Squared norm of the fitted data, for the relative errors of this stage, one a restart. */
  norm: number[];
  /**
   * Whether `cost` is a difference of numbers as large as `norm`, as it is for a sparse X. Then its rounding is that of `norm`. Default
   * false: its rounding is that of the cost itself, or too small for the rule below to tell. Gram matrices stand for the residual of a
   * dense X only where they round it by less than half of `tolerance` (the `fall` of residualNorm), so even two checks that lie one
   * iteration apart show a fall at the tolerated rate.
   */
  cancels?: boolean;
  /** The objective of every restart as it stands now, in f64. */
  inF64?: () => Promise<number[]>;
  maxIterations: number;
  factors(restart: number): Promise<{ A: Matrix[]; S: Matrix[] }>;
  /** Where a checkpoint left the loop. */
  resumed?: LoopState;
  /** Called between batches. `loop` may be asked for, in order to keep it. */
  keep?: (loop: () => Promise<LoopState>) => Promise<void>;
}

/** Below this fraction of ‖X‖² the objective is what f32 factors leave of an exact fit. */
const exact = 1e-12;

/** Relative rounding of a sum of squares in f32: differences below it say nothing. */
const rounding = 2 ** -22;

/**
 * Repeats a stage in batches of `checkEvery` iterations. Objectives are read one check behind: while the host looks at those of the last
 * batch, the next one is queued already, so the device never waits. With the early stop the host looks first, from the start on, so that a
 * fit ends exactly where earlier implementations would end it.
 */
export async function runStage(run: Run, stage: Stage, settings: StageSettings): Promise<StageResult> {
  const { restarts, tolerance, stopping, checkEvery, started, deadline = Number.POSITIVE_INFINITY, onProgress, signal } = settings;
  const { resumed } = stage;
  const checks: StageResult['checks'] = [...(resumed?.checks ?? [])];
  const readings: Reading[] = [...(resumed?.readings ?? [])];
  const exactReadings: Reading[] = [...(resumed?.exactReadings ?? [])];
  let iteration = resumed?.iteration ?? 0;
  let costs = resumed?.costs ?? [];
  let queued: { iteration: number; values: Promise<ArrayLike<number>> } | undefined;
  const measured = () => {
    if (stage.measure) run.execute(stage.measure);
    const values = run.sample([stage.cost]).then(([cost]) => cost);
    values.catch(() => {}); // a failure surfaces where the value is awaited
    return { iteration, values };
  };
  const step = (times: number) => {
    if (typeof stage.step === 'string') run.execute(stage.step, times);
    else stage.step(times);
  };
  const loop = async (): Promise<LoopState> => {
    const pending = queued && Array.from(await queued.values);
    return { iteration, costs, readings: [...readings], exactReadings: [...exactReadings], checks: [...checks], pending };
  };
  const finish = (stopReason: StopReason): StageResult => ({ costs, iterations: iteration, stopReason, checks });
  const resolution = (cost: number, r: number) => rounding * (stage.cancels ? cost + stage.norm[r] : cost);
  /** Whether every restart has settled, judged in f64 where the device's rounding hides it. */
  const settled = async (): Promise<boolean> => {
    const rule = { resolution, maxIterations: stage.maxIterations, tolerance, finer: stage.inF64 !== undefined };
    const verdict = allSettled(readings, rule);
    if (verdict !== undefined || !stage.inF64) return verdict ?? false;
    if (exactReadings.at(-1)?.iteration !== iteration) exactReadings.push({ iteration, costs: await stage.inF64() });
    return allSettled(exactReadings, { ...rule, resolution: (cost) => 1e-14 * cost, finer: false }) ?? false;
  };
  const isExact = async (): Promise<boolean> => {
    const small = (values: readonly number[]) => values.every((cost, r) => cost <= exact * stage.norm[r]);
    if (!small(costs)) return false;
    return stage.inF64 ? small(await stage.inF64()) : !stage.cancels;
  };

  if (resumed) {
    if (typeof stage.step === 'function') stage.step(iteration, true);
    if (resumed.pending) queued = { iteration, values: Promise.resolve(resumed.pending) };
  } else if (stopping === 'initialError') queued = measured();
  while (iteration < stage.maxIterations || queued !== undefined) {
    if (signal?.aborted) throw new CancelledError('The fit was cancelled.', { cause: signal.reason });
    let next: typeof queued;
    if (iteration < stage.maxIterations && (stopping === 'objective' || queued === undefined)) {
      const times = Math.min(checkEvery, stage.maxIterations - iteration);
      step(times);
      iteration += times;
      next = measured();
    }
    if (queued !== undefined) {
      const { iteration: checked, values } = queued;
      const read = await values;
      const width = read.length / restarts;
      costs = Array.from({ length: restarts }, (_, r) => read[r * width + (stage.costAt ?? 0)]);
      readings.push({ iteration: checked, costs });
      refuseNonFinite(stage.name, costs, checked);
      const errors = costs.map((cost, r) => Math.sqrt(cost / stage.norm[r]));
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
      if (go === false) return finish('stopped');
      if (await isExact()) return finish('exact');
      if (performance.now() > deadline) return finish('maxSeconds');
      if (tolerance > 0 && (stopping === 'objective' ? await settled() : allSlow(readings, tolerance))) return finish('tolerance');
    }
    queued = next;
    await stage.keep?.(loop);
  }
  return finish('maxIterations');
}

function refuseNonFinite(stage: string, costs: readonly number[], iteration: number): void {
  const bad = costs.find((cost) => !Number.isFinite(cost));
  if (bad === undefined) return;
  throw new BreakdownError(
    `${stage}: the objective became ${bad} by iteration ${iteration}. Take another seed or smaller ranks; with an optimiser that has a rate, a lower rate.`,
  );
}

/**
 * See FitOptions.tolerance. A cost is compared with that of the check before. Where a fall at the tolerated rate is less than the rounding
 * of the cost, an earlier check decides from which it would be more. Undefined where there is none, or where `finer` costs can be had.
 */
function allSettled(readings: readonly Reading[], { resolution, maxIterations, tolerance, finer }: Settling): boolean | undefined {
  if (readings.length < 2) return false;
  const [previous, last] = readings.slice(-2);
  const best = Math.min(...last.costs);
  let known = true;
  for (let r = 0; r < last.costs.length; r++) {
    const cost = last.costs[r];
    if (cost === 0) {
      // Nothing is left, or rounding hides the rest.
      if (resolution(cost, r) > 0) known = false;
      continue;
    }
    const needed = resolution(cost, r) / (tolerance * cost);
    const tells = ({ iteration }: Reading) => last.iteration - iteration >= needed;
    const before = tells(previous) || finer ? previous : (readings.slice(0, -1).findLast(tells) ?? previous);
    const since = last.iteration - before.iteration;
    const fall = before.costs[r] - cost;
    // Rounding alone could not make a change seem larger than this.
    const blur = tells(before) ? 0 : resolution(cost, r);
    if (Math.abs(fall) > tolerance * cost * since + blur) {
      if (blur === 0 && cost > best && cost - (fall / since) * (maxIterations - last.iteration) > best) continue;
      return false;
    }
    if (blur > 0) known = false;
  }
  return known ? true : undefined;
}

interface Settling {
  /** The rounding of a cost. */
  resolution: (cost: number, restart: number) => number;
  maxIterations: number;
  tolerance: number;
  /** Whether costs with less rounding can be had. */
  finer: boolean;
}

/** See FitOptions.stopping. */
function allSlow(readings: readonly Reading[], tolerance: number): boolean {
  if (readings.length < 2) return false;
  const [before, now] = readings.slice(-2);
  return now.costs.every((cost, r) => Math.sqrt(before.costs[r]) - Math.sqrt(cost) < tolerance * Math.sqrt(readings[0].costs[r]));
}

/** Index of the smallest value, the first of equal ones. */
export function smallest(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] < values[best]) best = i;
  return best;
}
