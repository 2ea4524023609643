/**
 * q(X, A) = argmin_{S ≥ 0} ‖X − AS‖², column-wise nonnegative least squares, and its derivative, as pieces of programs.
 * Gao, Haddock, Molitor, Needell, Sadovnik, Will, Zhang: Neural Nonnegative Matrix Factorization, CAMSAP 2019, arXiv:2303.00058.
 */
import type { Into } from '../graph/operations/definition.js';
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';

/** Weights on the entries of X: W itself, its squares, and W² ∘ X, formed once. */
export interface DataWeights {
  W: Tensor;
  W2: Tensor;
  W2X: Tensor;
}

/**
 * W, N×M: written by the host, or made by the section 'seen' of an X whose missing values are marked (data/missing.ts): 0 there, 1 elsewhere.
 */
export function weightTensor(p: ProgramBuilder, X: Tensor): Tensor {
  const W = p.state('W', X.rows, X.cols, { shared: true });
  p.section('seen', () => p.seen(X, { into: W }));
  return W;
}

/** The states that hold W² and W² ∘ X; `weighData` fills them. */
export function weightsOf(p: ProgramBuilder, X: Tensor, W: Tensor, layer = 0): DataWeights {
  const state = (label: string) => p.state(`${label}${layer === 0 ? '' : layer}`, X.rows, X.cols, { shared: X.batch === 1 });
  return { W, W2: state('W2'), W2X: state('W2X') };
}

export function weighData(p: ProgramBuilder, X: Tensor, { W, W2, W2X }: DataWeights): void {
  p.hadamard(W, W, { into: W2 });
  p.map('weightedProduct', [W, X, W], { into: W2X });
}

export interface Solved {
  X: Tensor;
  A: Tensor;
  S: Tensor;
  /** AᵀA, or the Gram matrix of every column, k²×M: see `gramsOf`. */
  G: Tensor;
  /** The right side of the solve: Aᵀ(W² ∘ X) − λ₁. G and B are formed once: the solve, its KKT test and the backward pass all need them. */
  B: Tensor;
  /** Aᵀ(W² ∘ X). */
  AtX: Tensor;
  weights?: DataWeights;
}

export interface ForwardOptions {
  /** Start from the support of the S that is there (default), or of every unknown whose (AᵀX)ᵢ is positive. */
  warm?: boolean;
  rounds?: Tensor;
  /** λ₁ of ½‖X − AS‖² + λ₁ Σ S; default 0. */
  l1?: number;
  weights?: DataWeights;
  /** Whether the entries that a CSR X does not store are missing. Not with weights. */
  missing?: boolean;
  /** The state that keeps AᵀA; where all columns share it only. */
  G?: Tensor;
}

/** What of X a fit sees: W ∘ X, the stored entries of a CSR X alone (`missing`), or all of it. */
export interface Sight {
  weights?: DataWeights;
  missing?: boolean;
}

/** AᵀA, or for every column of X the Gram matrix Aᵀ diag(w²) A of the rows that it sees, k²×M. */
export function gramsOf(p: ProgramBuilder, X: Tensor, A: Tensor, { weights, missing = false }: Sight, options: Into = {}): Tensor {
  if (weights) return p.matmul(T(p.rowProducts(A)), weights.W2);
  return missing ? p.matmul(T(p.rowProducts(A)), X, { pattern: true }) : p.gram(A, 'columns', options);
}

/** S ← q(X, A) = argmin_{S ≥ 0} ½‖W ∘ (X − AS)‖² + λ₁ Σ S. */
export function forwardQ(p: ProgramBuilder, X: Tensor, A: Tensor, S: Tensor, options: ForwardOptions = {}): Solved {
  const { l1 = 0, weights, missing, G: into, ...solve } = options;
  const G = gramsOf(p, X, A, { weights, missing }, { into });
  const AtX = p.matmul(T(A), weights ? weights.W2X : X);
  const B = l1 === 0 ? AtX : p.map('affine', [AtX], { p: 1, q: -l1 });
  p.nnls(G, B, S, solve);
  return { X, A, S, G, B, AtX, weights };
}

/** W² ∘ (X − AZ). */
export function weightedResidual(p: ProgramBuilder, { W2, W2X }: DataWeights, A: Tensor, Z: Tensor): Tensor {
  return p.combine(-1, p.matmul(A, Z, { hadamard: W2 }), 1, W2X);
}

export interface BackwardOptions {
  /** Also return ∂C/∂X; default true. Not with weights. */
  wantX?: boolean;
  plusX?: { scale: number; tensor: Tensor };
  plusGram?: { scale: number; tensor: Tensor };
  into?: Tensor;
}

/**
 * Given dS = ∂C/∂S, the vector–Jacobian product of q. On the support P of each column G_PP β_P = dS_P, and then
 *
 *     ∂C/∂X = A β        ∂C/∂A = X βᵀ − A (S βᵀ + β Sᵀ)
 *
 * so that all but the masked solves is matrix products, and X enters once. `plusX` (k×M) joins β in the product with X, `plusGram`
 * (k×k) the one with A, so that a caller's direct gradient X·plusXᵀ − A·plusGram costs no second pass over X. With weights
 *
 *     ∂C/∂A = (W² ∘ (X − AS)) βᵀ − (W² ∘ (Aβ)) Sᵀ
 */
export function backwardQ(
  p: ProgramBuilder,
  { X, A, S, G, weights }: Pick<Solved, 'X' | 'A' | 'S' | 'G' | 'weights'>,
  dS: Tensor,
  { wantX = true, plusX, plusGram, into }: BackwardOptions = {},
): { dX?: Tensor; dA: Tensor } {
  const beta = p.maskedSolve(G, S, dS);
  if (weights) {
    const ofResidual = p.matmul(weightedResidual(p, weights, A, S), T(beta));
    return { dA: p.matmul(p.matmul(A, beta, { hadamard: weights.W2 }), T(S), { scale: -1, add: ofResidual, into }) };
  }
  const inner = p.matmul(S, T(beta), plusGram ? { add: plusGram.tensor, addScale: plusGram.scale } : {});
  const symmetric = p.matmul(beta, T(S), { add: inner });
  const V = plusX ? p.combine(1, beta, plusX.scale, plusX.tensor) : beta;
  const dA = p.matmul(A, symmetric, { scale: -1, add: p.matmul(X, T(V)), into });
  return { dX: wantX ? p.matmul(A, beta) : undefined, dA };
}

export interface QProgram {
  program: Program;
  X: Tensor;
  W?: Tensor;
  A: Tensor;
  S: Tensor;
  /** AᵀA, whose pivots tell how far S can be trusted. Not with weights or missing entries, where each column has its own. */
  G?: Tensor;
  residual: Tensor;
  rounds: Tensor;
}

/** S ← q(X, A) once, with the KKT residual of every column. */
export function qProgram(
  N: number,
  M: number,
  k: number,
  {
    l1 = 0,
    csrEntries,
    weighted = false,
    missing = false,
  }: { l1?: number; csrEntries?: number; weighted?: boolean; missing?: boolean } = {},
): QProgram {
  const p = programBuilder('nnls');
  const X = p.input('X', N, M, { csrEntries });
  const A = p.input('A', N, k);
  const S = p.state('S', k, M);
  const G = weighted || missing ? undefined : p.state('G', k, k);
  const W = weighted ? weightTensor(p, X) : undefined;
  const weights = W && weightsOf(p, X, W);
  const residual = p.state('residual', 1, M);
  const rounds = p.state('rounds', 1, M);
  p.section('solve', () => {
    if (weights) weighData(p, X, weights);
    const solved = forwardQ(p, X, A, S, { warm: false, rounds, l1, weights, missing, G });
    p.kktResidual(solved.G, solved.B, S, { into: residual });
  });
  return { program: p.build(), X, W, A, S, G, residual, rounds };
}

export interface QGradientProgram {
  program: Program;
  X: Tensor;
  A: Tensor;
  S: Tensor;
  dS: Tensor;
  G: Tensor;
  beta: Tensor;
  dX: Tensor;
  dA: Tensor;
}

/** The vector–Jacobian product of q at a given solution S: 'solve' has β, 'products' the rest, so that β can be bettered in between. */
export function qGradientProgram(N: number, M: number, k: number): QGradientProgram {
  const p = programBuilder('nnlsVjp');
  const X = p.input('X', N, M);
  const A = p.input('A', N, k);
  const S = p.input('S', k, M);
  const dS = p.input('dS', k, M);
  const G = p.state('G', k, k);
  const beta = p.state('beta', k, M);
  const dX = p.state('dX', N, M);
  const dA = p.state('dA', N, k);
  p.section('solve', () => {
    p.gram(A, 'columns', { into: G });
    p.maskedSolve(G, S, dS, { into: beta });
  });
  p.section('products', () => productsOfBeta(p, { X, A, S }, beta, { dX, dA }));
  return { program: p.build(), X, A, S, dS, G, beta, dX, dA };
}

/** ∂C/∂X and ∂C/∂A by the residual X − AS: it loses no digits to X where X is nearly met. */
function productsOfBeta(
  p: ProgramBuilder,
  { X, A, S }: Pick<Solved, 'X' | 'A' | 'S'>,
  beta: Tensor,
  { dX, dA }: { dX: Tensor; dA: Tensor },
): void {
  p.matmul(A, beta, { into: dX });
  const residual = p.matmul(A, S, { scale: -1, add: X });
  p.matmul(A, p.matmul(beta, T(S)), { scale: -1, add: p.matmul(residual, T(beta)), into: dA });
}
