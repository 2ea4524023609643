/**
 * q(X, A) = argmin_{S ≥ 0} ‖X − AS‖², column-wise nonnegative least squares, and its derivative, as pieces of programs.
 * Gao, Haddock, Molitor, Needell, Sadovnik, Will, Zhang: Neural Nonnegative Matrix Factorization, CAMSAP 2019, arXiv:2303.00058.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';

export interface Solved {
  X: Tensor;
  A: Tensor;
  S: Tensor;
  /** AᵀA and AᵀX, formed once: the solve, its KKT test and the backward pass all need them. */
  G: Tensor;
  B: Tensor;
}

/** S ← q(X, A), started from the support of what S holds when `warm`. */
export function forwardQ(p: ProgramBuilder, X: Tensor, A: Tensor, S: Tensor, options: { warm?: boolean; rounds?: Tensor } = {}): Solved {
  const G = p.gram(A);
  const B = p.matmul(T(A), X);
  p.nnls(G, B, S, options);
  return { X, A, S, G, B };
}

/**
 * Given dS = ∂C/∂S, the vector–Jacobian product of q. On the support P of each column G_PP β_P = dS_P, and then
 *
 *     ∂C/∂X = A β        ∂C/∂A = X βᵀ − A (S βᵀ + β Sᵀ)
 *
 * so that all but the masked solves is matrix products, and X enters once. `plusX` (k×M) joins β in the product with X, `plusGram`
 * (k×k) the one with A, so that a caller's direct gradient X·plusXᵀ − A·plusGram costs no second pass over X.
 */
export function backwardQ(
  p: ProgramBuilder,
  { X, A, S, G }: Pick<Solved, 'X' | 'A' | 'S' | 'G'>,
  dS: Tensor,
  {
    wantX = true,
    plusX,
    plusGram,
    into,
  }: { wantX?: boolean; plusX?: { scale: number; tensor: Tensor }; plusGram?: { scale: number; tensor: Tensor }; into?: Tensor } = {},
): { dX?: Tensor; dA: Tensor } {
  const beta = p.maskedSolve(G, S, dS);
  const inner = p.matmul(S, T(beta), plusGram ? { add: plusGram.tensor, addScale: plusGram.scale } : {});
  const symmetric = p.matmul(beta, T(S), { add: inner });
  const V = plusX ? p.combine(1, beta, plusX.scale, plusX.tensor) : beta;
  const dA = p.matmul(A, symmetric, { scale: -1, add: p.matmul(X, T(V)), into });
  return { dX: wantX ? p.matmul(A, beta) : undefined, dA };
}

export interface QProgram {
  program: Program;
  X: Tensor;
  A: Tensor;
  S: Tensor;
  residual: Tensor;
  rounds: Tensor;
}

/** S ← q(X, A) once, with the KKT residual of every column. */
export function qProgram(N: number, M: number, k: number): QProgram {
  const p = programBuilder('nnls');
  const X = p.input('X', N, M);
  const A = p.input('A', N, k);
  const S = p.state('S', k, M);
  const residual = p.state('residual', 1, M);
  const rounds = p.state('rounds', 1, M);
  p.section('solve', () => {
    const { G, B } = forwardQ(p, X, A, S, { warm: false, rounds });
    p.kktResidual(G, B, S, { into: residual });
  });
  return { program: p.build(), X, A, S, residual, rounds };
}

export interface QGradientProgram {
  program: Program;
  X: Tensor;
  A: Tensor;
  S: Tensor;
  dS: Tensor;
  dX: Tensor;
  dA: Tensor;
}

/** The vector–Jacobian product of q at a given solution S. */
export function qGradientProgram(N: number, M: number, k: number): QGradientProgram {
  const p = programBuilder('nnlsVjp');
  const X = p.input('X', N, M);
  const A = p.input('A', N, k);
  const S = p.input('S', k, M);
  const dS = p.input('dS', k, M);
  const gradX = p.state('dX', N, M);
  const gradA = p.state('dA', N, k);
  p.section('backward', () => {
    const { dX } = backwardQ(p, { X, A, S, G: p.gram(A) }, dS, { into: gradA });
    p.copy(dX!, gradX);
  });
  return { program: p.build(), X, A, S, dS, dX: gradX, dA: gradA };
}
