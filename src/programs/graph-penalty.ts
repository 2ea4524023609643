/**
 * A graph of neighbouring samples as a penalty of S:
 *
 *     ½ tr(S L Sᵀ) = ¼ Σ_ij w_ij ‖s_i − s_j‖²        with L = D − W, W ≥ 0 symmetric, D the diagonal of its row sums
 *
 * Cai, He, Han & Huang, Graph Regularized Nonnegative Matrix Factorization for Data Representation, IEEE TPAMI 33(8), 2011. Its gradient in S
 * is SL = SD − SW. The term couples the columns of S. For solvers that take each column by itself a majorizer stands for it: with cI ⪰ L
 *
 *     ½ tr(SLSᵀ) ≤ ½ tr(S₀LS₀ᵀ) + ⟨S₀L, S − S₀⟩ + (c/2) ‖S − S₀‖²
 *
 * so that GS = B becomes (G + cI) S = B + S₀(cI − L), whose right side stays ≥ 0 for c ≥ max d. The weight of the penalty is in W, D and c.
 */
import type { ProgramBuilder } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';

export interface GraphPenalty {
  /** W, M×M, in compressed rows. */
  W: Tensor;
  /** D and cI − D, diagonal matrices in compressed rows. */
  D: Tensor;
  rest?: Tensor;
}

/** What a program needs to know of a graph before any number is written. */
export interface GraphShape {
  /** The number of stored entries of W. */
  entries: number;
  /** Whether a majorizer stands for the term in the solver. */
  majorized: boolean;
}

export function graphInputs(p: ProgramBuilder, S: Tensor, { entries, majorized }: GraphShape): GraphPenalty {
  const M = S.cols;
  const diagonal = (label: string) => p.input(`${label}${S.name}`, M, M, { csrEntries: M });
  return {
    W: p.input(`neighbours${S.name}`, M, M, { csrEntries: entries }),
    D: diagonal('degrees'),
    ...(majorized && { rest: diagonal('restOfDegrees') }),
  };
}

/** B + S(cI − L). */
export function majorizedRight(p: ProgramBuilder, B: Tensor, S: Tensor, { W, rest }: GraphPenalty): Tensor {
  return p.matmul(S, W, { add: p.matmul(S, rest!, { add: B }) });
}

/** F − SL. */
export function lessGradient(p: ProgramBuilder, F: Tensor, S: Tensor, { W, D }: GraphPenalty): Tensor {
  return p.matmul(S, D, { scale: -1, add: p.matmul(S, W, { add: F }) });
}

/** ½ tr(SLSᵀ), 1×1. */
export function halfTrace(p: ProgramBuilder, S: Tensor, { W, D }: GraphPenalty): Tensor {
  const SL = p.matmul(S, W, { scale: -1, add: p.matmul(S, D) });
  return p.map('affine', [p.reduce(p.hadamard(S, SL), 'sum')], { p: 0.5 });
}

/**
 * The exponent with which updates of S never raise a loss of degree β that has the term beside it. A majorizer by powers of s has those from
 * `least` to `most`: of the loss β − 1 or 1 to β or 1, of sWs its logarithm (0), of sDs the square (Yang & Oja, IEEE Trans. Neural Networks
 * 22(12), 2011). For β = 2 it is 1: the update is a step S − ∇/K with the diagonal K = AᵀAS/S + D, and 2K is not less than the Hessian
 * AᵀA + L, since AᵀAS/S − AᵀA and D + W are not negative.
 */
export function graphPower(beta: number): number {
  if (beta === 2) return 1;
  const [least, most] = [Math.min(beta - 1, 0), Math.max(beta, 2)];
  return 1 / (most - least);
}
