/** The loop of every fit: a section is repeated until its objective settles. */
import type { Matrix } from '../data/matrix.js';
import type { Run } from '../engine.js';
import { BreakdownError, CancelledError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { FitOptions, Stopping, StopReason } from './factorization.js';

/** The settings of a fit that the loop needs. */
export interface StageSettings {
  restarts: number;
  tolerance: number;
  stopping: Stopping;
  checkEvery: number;
  /** When the fit began, on the clock of `performance.now()`. */
  started: number;
  onProgress?: FitOptions['onProgress'];
  signal?: FitOptions['signal'];
}

/** One stage of a fit: a section that is repeated until its objective settles. */
export interface Stage {
  name: string;
  /** The section that is one iteration, or a function that queues a number of iterations. */
  step: string | ((times: number) => void);
  /** The section that refreshes `cost`, where `step` does not. */
  measure?: string;
  cost: Tensor;
  /** The place of the objective in each restart's row of `cost`. */
  costAt?: number;
  /** Squared norm of the fitted data, for the relative errors of this stage, one a restart. */
  norm: number[];
  maxIterations: number;
  factors(restart: number): Promise<{ A: Matrix[]; S: Matrix[] }>;
}

export interface StageResult {
  /** Objective of each restart at the last check. */
  costs: number[];
  iterations: number;
  stopReason: StopReason;
  /** Relative errors of every restart at each check. */
  checks: { iteration: number; errors: number[] }[];
}

/** Below this fraction of ‖X‖² the f32 objective is rounding noise. */
const exact = 1e-12;

/**
 * Repeats a stage in batches of `checkEvery` iterations. Objectives are read one check behind: while the host looks at those of the last
 * batch, the next one is queued already, so the device never waits. With the early stop the host looks first, from the start on, so that a
 * fit ends exactly where earlier implementations would end it.
 */
export async function runStage(run: Run, stage: Stage, settings: StageSettings): Promise<StageResult> {
  const { restarts, tolerance, stopping, checkEvery, started, onProgress, signal } = settings;
  const checks: StageResult['checks'] = [];
  let previous: number[] | undefined;
  let queued: { iteration: number; values: Promise<Float32Array | Float64Array> } | undefined;
  let iteration = 0;
  let costs: number[] = [];
  let initial: number[] | undefined;
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
  const finish = (stopReason: StopReason): StageResult => ({ costs, iterations: iteration, stopReason, checks });

  if (stopping === 'initialError') queued = measured();
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
      if (costs.some((cost) => !Number.isFinite(cost))) {
        throw new BreakdownError(
          `${stage.name}: the objective became ${costs.find((cost) => !Number.isFinite(cost))} by iteration ${checked}. Scale the data to a moderate range and fit again.`,
        );
      }
      const errors = costs.map((cost, r) => Math.sqrt(cost / stage.norm[r]));
      checks.push({ iteration: checked, errors });
      const best = smallest(errors);
      const go = onProgress?.({
        stage: stage.name,
        iteration: checked,
        maxIterations: stage.maxIterations,
        relativeError: errors[best],
        elapsedMs: performance.now() - started,
        factors: () => stage.factors(best),
      });
      if (go === false) return finish('stopped');
      if (costs.every((cost, r) => cost <= exact * stage.norm[r])) return finish('exact');
      const since = checked - (checks.at(-2)?.iteration ?? 0);
      initial ??= costs;
      const settled =
        stopping === 'objective'
          ? previous && allSettled(previous, costs, since, stage.maxIterations - checked, tolerance)
          : previous && allSlow(previous, costs, initial, tolerance);
      if (settled && tolerance > 0) return finish('tolerance');
      previous = costs;
    }
    queued = next;
  }
  return finish('maxIterations');
}

/** See FitOptions.tolerance. */
function allSettled(before: readonly number[], costs: readonly number[], since: number, left: number, tolerance: number): boolean {
  const best = Math.min(...costs);
  return costs.every((cost, r) => {
    const perIteration = (before[r] - cost) / since;
    return perIteration <= tolerance * cost || cost - perIteration * left > best;
  });
}

/** See FitOptions.stopping. */
function allSlow(before: readonly number[], costs: readonly number[], initial: readonly number[], tolerance: number): boolean {
  return costs.every((cost, r) => Math.sqrt(before[r]) - Math.sqrt(cost) < tolerance * Math.sqrt(initial[r]));
}

/** Index of the smallest value, the first of equal ones. */
export function smallest(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] < values[best]) best = i;
  return best;
}
