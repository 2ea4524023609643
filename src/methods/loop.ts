/** The loop of a stage as data: its end, and its state between two batches. */

/** Why a fit ended; 'unknown' for a model that was read, and that no fit of orthant made. */
export type StopReason = 'tolerance' | 'maxIterations' | 'maxSeconds' | 'stopped' | 'exact' | 'unknown';

export interface StageResult {
  /** Objective of each restart at the last check. */
  costs: number[];
  iterations: number;
  stopReason: StopReason;
  /** Relative errors of every restart at each check. */
  checks: { iteration: number; errors: number[] }[];
}

/** Objectives of all restarts after a number of iterations. */
export interface Reading {
  iteration: number;
  costs: readonly number[];
}

/** The loop of a stage between two batches. */
export interface LoopState {
  iteration: number;
  /** Objective of each restart at the last check. */
  costs: number[];
  readings: Reading[];
  /** Those that were measured in f64. */
  exactReadings: Reading[];
  checks: StageResult['checks'];
  /** The objectives of the iteration that the device has reached, which the next check looks at. */
  pending?: number[];
}
