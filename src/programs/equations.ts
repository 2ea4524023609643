/**
 * The normal equations of one factor while the other is held:  GF = B with G = AᵀA and B = AᵀX for S, SSᵀ and SXᵀ for Aᵀ. With weights every
 * row and column has a G of its own. What stands beside the squared error joins them: penalties, a graph, the volume of A, held components.
 */
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { type HeldFactors, heldEquations } from './held.js';
import { type Penalties, type Penalty, penalisedEquations } from './penalties.js';
import type { DataWeights } from './q.js';
import { type Volume, withVolume } from './volume.js';

export interface Factors {
  X: Tensor;
  A: Tensor;
  S: Tensor;
}

export interface Equations {
  G: Tensor;
  B: Tensor;
}

/** What beside X, A and S the updates of both factors read. */
export interface Terms {
  weights?: DataWeights;
  penalties: Penalties;
  held: HeldFactors;
  /** Columns of S sum to one. */
  simplex?: boolean;
  volume?: Volume;
}

/** AᵀA and AᵀX, or the same of every column with its weights. */
export function equationsOfS(p: ProgramBuilder, { X, A }: Pick<Factors, 'X' | 'A'>, weights?: DataWeights): Equations {
  if (!weights) return { G: p.gram(A), B: p.matmul(T(A), X) };
  return { G: p.matmul(T(p.rowProducts(A)), weights.W2), B: p.matmul(T(A), weights.W2X) };
}

/** The equations of S with all that stands beside the error, of the rows that are not held. */
export function freeEquationsOfS(p: ProgramBuilder, { X, A, S }: Factors, { penalties, held, weights }: Terms): Equations {
  const equations = equationsOfS(p, { X, A }, weights);
  const penalised = penalisedEquations(p, equations, penalties.S, S);
  if (!held.S) return penalised;
  const product = productOfGiven(p, 'S', { F: held.S.given, other: A, G: penalised.G }, penalties.S, weights);
  return heldEquations(p, penalised, { product, size: equations.B }, held.S, 'columns');
}

/**
 * The equations of A with all that stands beside the error, of the columns that are not held: with unknowns along its rows ('A', N×k, for
 * sweeps), or along the columns of Aᵀ ('At', k×N, for solves). `F` is A, or the Aᵀ that the solve begins with.
 */
export function freeEquationsOfA(
  p: ProgramBuilder,
  of: 'A' | 'At',
  { X, A, S }: Factors,
  F: Tensor,
  { penalties, held, volume, weights }: Terms,
): Equations {
  const G = weights ? p.matmul(T(p.rowProducts(p.transpose(S))), T(weights.W2)) : p.gram(S, 'rows');
  const target = weights ? weights.W2X : X;
  const equations = { G, B: of === 'A' ? p.matmul(target, T(S)) : p.matmul(S, T(target)) };
  const penalty = withVolume(p, A, penalties.A, volume);
  const penalised = penalisedEquations(p, equations, penalty, F);
  if (!held.A) return penalised;
  const product = productOfGiven(p, of, { F: held.A.given, other: S, G: penalised.G }, penalty, weights);
  return heldEquations(p, penalised, { product, size: equations.B }, held.A, of === 'A' ? 'rows' : 'columns');
}

/** The matrix G of penalised equations times the given entries F of A, Aᵀ or S; `other` is the other factor. */
function productOfGiven(
  p: ProgramBuilder,
  of: 'A' | 'At' | 'S',
  { F, other, G }: { F: Tensor; other: Tensor; G: Tensor },
  penalty: Penalty | undefined,
  weights?: DataWeights,
): Tensor {
  const times = (Q: Tensor, options?: { add: Tensor }) =>
    of === 'A' ? p.matmul(F, Q, options) : p.matmul(Q, of === 'S' ? F : T(F), options);
  if (!weights) return times(G);
  // Every row or column has a G of its own: W² ∘ (the given part of AS) stands for it.
  const part = of === 'S' ? p.matmul(other, F, { hadamard: weights.W2 }) : p.matmul(F, other, { hadamard: weights.W2 });
  const product = of === 'S' ? p.matmul(T(other), part) : of === 'A' ? p.matmul(part, T(other)) : p.matmul(other, T(part));
  const Q = penalty?.majorizer ?? penalty?.Q;
  return Q ? times(Q, { add: product }) : product;
}
