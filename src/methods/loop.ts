/** The loop of a stage as data: its end, and its state between two batches. */

/** The rule by which a restart has settled: see FitOptions. */
export const stoppings = ['objective', 'initialError', 'kkt', 'violation'] as const;

export type Stopping = (typeof stoppings)[number];

/** Why a fit ended; 'unknown' for a model that was read, and that no fit of orthant made. */
export type StopReason = 'tolerance' | 'maxIterations' | 'maxSeconds' | 'stopped' | 'exact' | 'unknown';

/** What the stopping rules measure, at the last check of a restart. Null where there was no such measure. */
export interface StopMeasures {
  /** The rule that was asked for: see FitOptions.stopping. */
  rule: Stopping;
  /** |change| of the objective between the last two checks, relative to its value, for each iteration between them. */
  relativeChange: number | null;
  /** Fall of the error between the last two checks, relative to the error at the first one. */
  initialErrorFall: number | null;
  /** KKT residual, relative to that of the start. Only with 'kkt', since it takes products that no other rule needs. */
  kktRatio: number | null;
  /** Σ |∇ᴾ| that the last iteration met, relative to that of the first one. Only with 'violation'; models of earlier versions lack it. */
  violationRatio?: number | null;
}

/** The end of a restart: it does not depend on the other restarts, but where time or a caller ended the whole fit. */
export interface End {
  /** Objective at the last check, NaN where there was none. */
  cost: number;
  /** Iterations that its factors have seen. */
  iterations: number;
  /** The iteration of the last check. */
  checked: number;
  stopReason: StopReason;
  measures?: StopMeasures;
}

export interface StageResult {
  /** One a restart. */
  ends: End[];
  /** Relative errors of every restart at each check. Those of a restart that has ended stay as they were. */
  checks: { iteration: number; errors: number[] }[];
}

/** An objective after a number of iterations. */
export interface Reading {
  iteration: number;
  cost: number;
  /** The KKT residual with the rule 'kkt', the sum of projected gradients with 'violation'. */
  kkt?: number;
}

/** A restart between two batches. */
export interface Course {
  readings: Reading[];
  /** Those that were measured in f64. */
  exactReadings: Reading[];
  end?: End;
}

/** The loop of a stage between two batches. */
export interface LoopState {
  iteration: number;
  /** One a restart. */
  courses: Course[];
  checks: StageResult['checks'];
  /** The objectives of the iteration that the device has reached, which the next check looks at. */
  pending?: number[];
  /** Their KKT residuals, with the rule 'kkt', or their sums of projected gradients with 'violation'. */
  pendingKkt?: number[];
}
