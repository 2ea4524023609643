/** Models of tensors, and their levels. */
import { type Matrix, multiply } from '../data/matrix.js';
import type { NcpSolver } from '../programs/ncp.js';
import type { Model } from './factorization.js';

/** Error of X ≈ X_l at one level, beside its bounds. */
export interface TensorLevel {
  /** The number of topics of each mode. */
  rank: number;
  /** ‖X − X_l‖ / ‖X‖. */
  relativeError: number;
  /** No tensor whose modes have this rank can be nearer: the largest SVD tail of an unfolding of X. Null where it was not asked for. */
  modeBound: number | null;
  /** The error of a Tucker decomposition of this rank, free in sign, by HOOI: in practice the limit. Null as above. */
  tuckerError: number | null;
}

/** What the models of tensors have in common. A model is plain data. */
export interface TensorModel<M extends string = string, Own = unknown>
  extends Pick<
    Model,
    | 'history'
    | 'iterations'
    | 'converged'
    | 'stopReason'
    | 'kktResidual'
    | 'unconverged'
    | 'illConditioned'
    | 'illConditionedGradients'
    | 'restart'
    | 'seed'
    | 'elapsedMs'
  > {
  method: M;
  /** The sizes of the modes. */
  shape: number[];
  rank: number;
  /** F_n, d_n×R ≥ 0: X ≈ Σ_r F₀[·][r] ∘ … ∘ F_{N−1}[·][r]. */
  factors: Matrix[];
  /** ‖X − X̂‖ / ‖X‖ of the factors, which are the first of the levels. */
  relativeError: number;
  levels: TensorLevel[];
  /** The root of each restart's objective relative to ‖X‖². */
  restartErrors: number[];
  settings: { maxIterations: number; tolerance: number } & Own;
  /** Names of the entries of every mode: set by whoever knows them, kept with the model. */
  modes?: { name?: string; entries?: readonly string[] }[];
}

export type NcpFactorization = TensorModel<'ncp', { solver: NcpSolver }>;

export interface NeuralNcpFactorization
  extends TensorModel<'neural-ncp', { factors: 'held' | 'learned'; weights: number[]; modes: number[] }> {
  /** The topics of each level. */
  ranks: number[];
  /** By mode and level: A_n⁰ is d_n×r₁, A_nˡ r_l×r_{l+1}. No levels where the mode has no chain. */
  A: Matrix[][];
  /** r_{l+1}×R: S_n⁰ = q(F_n, A_n⁰), S_nˡ = q(S_nˡ⁻¹, A_nˡ). */
  S: Matrix[][];
}

/** The factors of level l of a model, d_n×R each: A_n⁰…A_nˡS_nˡ, and F_n where a mode has no chain. The level of −1 is that of the F_n. */
export function levelFactors({ factors, A, S }: Pick<NeuralNcpFactorization, 'factors' | 'A' | 'S'>, level: number): Matrix[] {
  return factors.map((factor, n) => {
    if (level < 0 || A[n].length === 0) return factor;
    return A[n].slice(0, level + 1).reduceRight((Z, a) => multiply(a, Z), S[n][level]);
  });
}
