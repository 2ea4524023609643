/** What a fit is asked for and what it returns: plain data, the same for every method. */

import type { Accuracy, Classifier } from '../data/labels.js';
import type { Matrix } from '../data/matrix.js';
import type { AbortSignalLike } from '../engine.js';

export interface FitOptions {
  /**
   * Columns of every A: one number for one layer, or [k₀, k₁, …]. Each from 1 to 128, none larger than the one before, k₀ ≤ min(N, M).
   */
  ranks: number | readonly number[];
  /** Seed of the random starts; default 0. The same seed on the same adapter gives bit-equal results. */
  seed?: number;
  /** Independent starts that run side by side in one batch; the one with the smallest final error is returned. Default 1. */
  restarts?: number;
  /** Most iterations of one stage. Defaults differ by method. */
  maxIterations?: number;
  /**
   * A restart has settled when its objective fell by no more than this fraction of its current value, per iteration, between two checks,
   * or when it could not reach the best one by maxIterations even at its present rate. Converged when all have. Defaults differ by
   * method; 0 runs maxIterations.
   */
  tolerance?: number;
  /**
   * 'objective' (default): see tolerance. 'initialError': a restart has settled when its error (the root of its objective) fell by less
   * than `tolerance` (default 1e-4) times its error at the start, between two checks. That is the early stop of earlier implementations:
   * it ends long before convergence, the sooner the worse the start, and is here to show what those did.
   */
  stopping?: Stopping;
  /** Iterations between two checks, recorded and submitted together; default 10. */
  checkEvery?: number;
  /** Compute the SVD bound (f64 on the CPU; exact while min(N, M) ≤ 2000, else a randomised estimate). Default true. */
  svdBound?: boolean;
  /** Called at every check, one check behind the device. Returning false ends the fit with what was reached. */
  onProgress?: (progress: Progress) => unknown;
  /** Aborting rejects the fit with CancelledError. */
  signal?: AbortSignalLike;
}

export interface Progress {
  /** What is being fitted, e.g. "layer 1 of 3" or "all layers". */
  stage: string;
  iteration: number;
  maxIterations: number;
  /** ‖X − X̂‖ / ‖X‖ of the best restart, of this stage's own objective. */
  relativeError: number;
  elapsedMs: number;
  /**
   * Reads the factors of the best restart. They are those of the batch that is queued already, up to `checkEvery` iterations after
   * `iteration`. Reading does not change the fit; the promise rejects if the fit ends first.
   */
  factors(): Promise<{ A: Matrix[]; S: Matrix[] }>;
}

/** The names of all options that every fit takes. */
export const fitOptionNames = Object.keys({
  ranks: true,
  seed: true,
  restarts: true,
  maxIterations: true,
  tolerance: true,
  stopping: true,
  checkEvery: true,
  svdBound: true,
  onProgress: true,
  signal: true,
} satisfies Record<keyof FitOptions, true>);

export type Stopping = 'objective' | 'initialError';

/** Error of X ≈ A⁰…AˡSˡ at one depth. */
export interface Layer {
  rank: number;
  /** ‖X − A⁰…AˡSˡ‖ / ‖X‖. */
  relativeError: number;
  /** The smallest relative error any factorization of this rank can have; null when it was switched off. */
  svdBound: number | null;
}

export type StopReason = 'tolerance' | 'maxIterations' | 'stopped' | 'exact';

/** What supervision adds to a factorization. */
export interface Supervision {
  classes: string[];
  classifiers: Classifier[];
  accuracy: Accuracy;
}

/** Settings that every model has. */
export interface CommonSettings {
  maxIterations: number;
  tolerance: number;
}

/** What a model says of the labels that it was fitted with. */
export interface LabelSettings {
  labelWeight?: number;
  /** Classes that `truth` named and no labelled sample had: they cannot be predicted. */
  classesWithoutLabel?: string[];
}

/** A fitted model: plain data, so that it can be posted to a worker or stored as it is. */
export interface Model<M extends string = string, Own = unknown> {
  method: M;
  ranks: number[];
  /** A[0] is N×k₀, A[l] is k_{l−1}×k_l; every entry ≥ 0. */
  A: Matrix[];
  /** S[l] is k_l×M; every entry ≥ 0. */
  S: Matrix[];
  /** Of the whole factorization: that of the last layer. */
  relativeError: number;
  /** Of the whole factorization; null when it was switched off. */
  svdBound: number | null;
  svdBoundMethod: 'exact' | 'randomised' | null;
  layers: Layer[];
  /**
   * How far the factors are from satisfying the KKT conditions, relative to the largest |AᵀX| of a column, worst case. For 'neural' of
   * every q (about 1e-7 always); for 'nmf' and 'hierarchical' of both factors of every layer, so it tells how converged they are.
   */
  kktResidual: number;
  /** Columns of S, over all layers, whose exact solve ran out of its iteration budget: their S is feasible, not optimal. 0 as a rule. */
  unconverged: number;
  /** Relative error of the best restart at each check. */
  history: { stage: string; iteration: number; relativeError: number }[];
  /** Iterations of all stages. */
  iterations: number;
  converged: boolean;
  stopReason: StopReason;
  /** Final relative error of each restart, and which one was kept. */
  restartErrors: number[];
  restart: number;
  seed: number;
  /** The method's own settings, as far as applying the model to new data needs them. */
  settings: CommonSettings & Own;
  /** Null without labels. */
  supervision: Supervision | null;
  elapsedMs: number;
}
