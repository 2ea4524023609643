/** The options of a fit and its result: plain data, the same for every method. */
import type { Accuracy, Classifier } from '../data/labels.js';
import type { Matrix } from '../data/matrix.js';
import type { AbortSignalLike } from '../engine.js';
import type { Checkpoint } from './checkpoint.js';
import type { StopMeasures, Stopping, StopReason } from './loop.js';

export interface FitOptions {
  /**
   * The columns of every A: one number for one layer, or a list [k₀, k₁, …].
   * Each is an integer from 1 to 128. None is larger than the one before, and k₀ ≤ min(N, M).
   * Left out, they are those of the factors that `start` gives. Without such factors every fit needs them.
   */
  ranks?: number | readonly number[];
  /**
   * Seed of the random starts: an integer from 0 to 2³² − 1. Default 0.
   * The same seed on the same adapter gives bit-equal results. The random numbers are the same on every machine.
   */
  seed?: number;
  /**
   * Number of independent starts, which run side by side in one batch. Default 4 for 'neural', 1 for the other methods.
   * The one with the smallest final objective is returned. Restart r of a seed is the same to the last bit, whatever their number.
   * A start that is the same in all of them (factors, 'nndsvd', 'nndsvda') takes no more than 1.
   */
  restarts?: number;
  /** Most iterations of one stage. The default differs by method. */
  maxIterations?: number;
  /**
   * When a restart has settled: a number from 0 up to 1, a fraction per iteration. The default differs by method.
   * Between two checks its objective fell by no more than this fraction of its current value per iteration.
   * Each restart ends there, with the factors that it has then. The fit ends with the last of them. 0 runs maxIterations.
   */
  tolerance?: number;
  /**
   * The quantity that `tolerance` refers to.
   *
   * - 'objective' (default): the objective, see `tolerance`.
   * - 'initialError': the error (the root of the objective) at the start. A restart has settled when its error fell by less than
   *   `tolerance` (default 1e-4) times its first error between two checks.
   *
   * - 'kkt': the KKT residual of both factors (`kktResidual`). A restart has settled when it is at most `tolerance` (default 1e-4) times that
   *   of its start. Only 'nmf' has this rule.
   *
   * - 'violation': Σ |∇ᴾ|, the projected gradients of both factors that one iteration meets. A restart has settled when it is at most
   *   `tolerance` (default 1e-4) times that of its first iteration. 'nmf' has it with the solvers 'hals' and 'anls', without weights. With
   *   'hals' it is the rule of scikit-learn's solver 'cd', and with `checkEvery: 1` a fit ends at the same iteration.
   *
   * 'initialError' is scikit-learn's rule for its solver 'mu', and the early stop of earlier implementations. It ends long before convergence, the sooner the worse the start.
   */
  stopping?: Stopping;
  /** Iterations between two checks, recorded and submitted together. Default 10. */
  checkEvery?: number;
  /**
   * Whether to compute the SVD bound, in f64 on the CPU. Default true.
   * It is exact while min(N, M) ≤ 2000, else a randomised estimate.
   */
  svdBound?: boolean;
  /**
   * Called at every check, one check behind the device.
   * Returning false ends the fit with the factors reached so far.
   */
  onProgress?: (progress: Progress) => unknown;
  /** Aborting rejects the fit with CancelledError. */
  signal?: AbortSignalLike;
  /**
   * The fit ends at the first check after this many seconds, with the factors reached so far and the stopReason 'maxSeconds'.
   * Default: no limit.
   */
  maxSeconds?: number;
  /**
   * Called with a checkpoint every `seconds`, between two checks. The fit waits for a promise that it returns.
   * A fit with `resume`, and the same data and options, goes on from there to the same bits.
   */
  checkpoint?: { seconds: number; save: (checkpoint: Checkpoint) => unknown };
  /** A checkpoint of the same fit. maxIterations and maxSeconds may differ. */
  resume?: Checkpoint;
}

export interface Progress {
  /** The name of the stage, such as "layer 1 of 3" or "all layers". */
  stage: string;
  /** Iterations of this stage. A new stage begins at 0. */
  iteration: number;
  maxIterations: number;
  /** Iterations of all stages. It falls only where a lost device was replaced: see `lostDevices`. */
  totalIterations: number;
  /** How many devices were lost so far. After each the fit goes on from its last checkpoint. */
  lostDevices: number;
  /**
   * The root of this stage's objective relative to what the stage fits: ‖X − X̂‖ / ‖X‖, or the same of a layer's S. Of the best restart.
   * Where the errors of several levels count, it is the root of their mean square.
   */
  relativeError: number;
  elapsedMs: number;
  /**
   * Reads the factors of the best restart.
   * They are those of the batch that is queued already, up to `checkEvery` iterations after `iteration`.
   * Reading does not change the fit. The promise rejects if the fit ends first.
   * A restart that has ended goes on here until all have; its result is from its end.
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
  maxSeconds: true,
  checkpoint: true,
  resume: true,
} satisfies Record<keyof FitOptions, true>);

/** Error of X ≈ A⁰…AˡSˡ at one depth. */
export interface Layer {
  rank: number;
  /** ‖X − A⁰…AˡSˡ‖ / ‖X‖. */
  relativeError: number;
  /** The smallest relative error that any factorization of this rank can have; null when it was switched off. */
  svdBound: number | null;
}

/** The part of a model that labels add. */
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

/** The part of the settings that labels add. */
export interface LabelSettings {
  labelWeight?: number;
  /** Classes that `truth` names and no labelled sample has. They cannot be predicted. */
  classesWithoutLabel?: string[];
}

/** A fitted model. It is plain data, so it can be posted to a worker or stored as it is. */
export interface Model<M extends string = string, Own = unknown> {
  method: M;
  ranks: number[];
  /** A[0] is N×k₀, A[l] is k_{l−1}×k_l. Every entry is ≥ 0 unless the method says otherwise. */
  A: Matrix[];
  /** S[l] is k_l×M. Every entry is ≥ 0. */
  S: Matrix[];
  /** ‖X − X̂‖ / ‖X‖ of the whole factorization, which is that of the last layer. */
  relativeError: number;
  /** The SVD bound of the whole factorization; null when it was switched off or none is known. */
  svdBound: number | null;
  svdBoundMethod: 'exact' | 'randomised' | null;
  /**
   * D(X ‖ AS), where the loss is another than ‖X − AS‖² or has penalties beside it: that of the loss, Σ W² ∘ d(x ‖ as). Of the squared error
   * it is ‖W ∘ (X − AS)‖² / 2.
   */
  divergence?: number;
  /** What such a fit minimised: `divergence` and the penalties. */
  objective?: number;
  layers: Layer[];
  /**
   * Distance of the factors from the KKT conditions, relative to the largest |AᵀX| of a column, worst case.
   * For 'neural' it is that of every q, about 1e-7 always.
   * For 'nmf' and 'hierarchical' it is that of both factors of every layer, so it tells how far they have converged.
   */
  kktResidual: number;
  /**
   * Columns of S, over all layers, whose exact solve ran out of its iteration budget. 0 as a rule.
   * Their S is feasible, not optimal.
   */
  unconverged: number;
  /**
   * Columns of S, over all layers, that hang on digits which f32 does not hold, since columns of A depend on each other, or of which it
   * holds nothing beside other columns. See NnlsResult; 0 where no S is an exact solve.
   */
  illConditioned: number;
  /**
   * Columns of S, over all layers, through which gradients were computed in f32 and may be off by more than a thousandth at the end of the
   * fit: columns of A on their support depend on each other. Every step is judged by its cost, so no result is wrong; the fit may have ended
   * early. 0 for methods that do not differentiate an exact solve.
   */
  illConditionedGradients: number;
  /** Relative error of the best restart at each check: see Progress. */
  history: { stage: string; iteration: number; relativeError: number }[];
  /** Iterations of all stages, of the restart that was kept. */
  iterations: number;
  /** Whether the restart that was kept has settled. */
  converged: boolean;
  /**
   * 'exact' where the relative error is 1e-6 at most. A last layer that is exact alone ends with 'tolerance'. 'unknown' in a model that was
   * read and made elsewhere.
   */
  stopReason: StopReason;
  /**
   * What all stopping rules measured at the end of the last stage, beside `iterations`, `elapsedMs` and `kktResidual`. Null where no check
   * was made, and in a model that does not say.
   */
  stopping: StopMeasures | null;
  /**
   * Final relative error of each restart; Infinity for one that broke down. That of the kept one is of the returned factors, in f64; the others
   * are of the factors as the device has them, before S is solved again in f64.
   */
  restartErrors: number[];
  /** The number of the restart that was kept. */
  restart: number;
  seed: number;
  /** The settings of the method that applying the model to new data needs. */
  settings: CommonSettings & Own;
  /** Null without labels. */
  supervision: Supervision | null;
  elapsedMs: number;
  /** Names of the rows of A[0], one each: set by whoever knows them, kept with the model. A fit sets none. */
  features?: readonly string[];
  /** Names of the samples, the columns of S, one each: set by whoever knows them, kept with the model. A fit sets none. */
  samples?: readonly string[];
}
