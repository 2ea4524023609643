/**
 * The normal equations of one factor while the other is held:  GF = B with G = AᵀA and B = AᵀX for S, SSᵀ and SXᵀ for Aᵀ. With weights or missing
 * entries every row and column has a G of its own. What stands beside the squared error joins them: penalties, a graph, the volume of A, held components.
 */
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { type HeldFactors, heldEquations } from './held.js';
import { type Penalties, type Penalty, penalisedEquations } from './penalties.js';
import { type DataWeights, gramsOf, type Sight } from './q.js';
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
  sight: Sight;
  penalties: Penalties;
  held: HeldFactors;
  /** Columns of S sum to one. */
  simplex?: boolean;
  volume?: Volume;
}

/** AᵀA and AᵀX, or the same of every column with the weights or the entries that it sees. */
export function equationsOfS(p: ProgramBuilder, { X, A }: Pick<Factors, 'X' | 'A'>, sight: Sight): Equations {
  return { G: gramsOf(p, X, A, sight), B: p.matmul(T(A), sight.weights ? sight.weights.W2X : X) };
}

/** SSᵀ, or for every row of X the Gram matrix of the columns that it sees, k²×N. */
function gramsOfRows(p: ProgramBuilder, X: Tensor, S: Tensor, { weights, missing = false }: Sight): Tensor {
  if (!weights && !missing) return p.gram(S, 'rows');
  const products = T(p.rowProducts(p.transpose(S)));
  return weights ? p.matmul(products, T(weights.W2)) : p.matmul(products, T(X), { pattern: true });
}

/** The equations of S with all that stands beside the error, of the rows that are not held. */
export function freeEquationsOfS(p: ProgramBuilder, { X, A, S }: Factors, { penalties, held, sight }: Terms): Equations {
  const equations = equationsOfS(p, { X, A }, sight);
  const penalised = penalisedEquations(p, equations, penalties.S, S);
  if (!held.S) return penalised;
  const product = productOfGiven(p, 'S', { X, F: held.S.given, other: A, G: penalised.G }, penalties.S, sight);
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
  { penalties, held, volume, sight }: Terms,
): Equations {
  const target = sight.weights ? sight.weights.W2X : X;
  const equations = { G: gramsOfRows(p, X, S, sight), B: of === 'A' ? p.matmul(target, T(S)) : p.matmul(S, T(target)) };
  const penalty = withVolume(p, A, penalties.A, volume);
  const penalised = penalisedEquations(p, equations, penalty, F);
  if (!held.A) return penalised;
  const product = productOfGiven(p, of, { X, F: held.A.given, other: S, G: penalised.G }, penalty, sight);
  return heldEquations(p, penalised, { product, size: equations.B }, held.A, of === 'A' ? 'rows' : 'columns');
}

/** The matrix G of penalised equations times the given entries F of A, Aᵀ or S; `other` is the other factor. */
function productOfGiven(
  p: ProgramBuilder,
  of: 'A' | 'At' | 'S',
  { X, F, other, G }: { X: Tensor; F: Tensor; other: Tensor; G: Tensor },
  penalty: Penalty | undefined,
  { weights, missing }: Sight,
): Tensor {
  const times = (Q: Tensor, options?: { add: Tensor }) =>
    of === 'A' ? p.matmul(F, Q, options) : p.matmul(Q, of === 'S' ? F : T(F), options);
  if (!weights && !missing) return times(G);
  // Every row or column has a G of its own: W² ∘ (the given part of AS), or P ∘ of it, stands for it.
  const product = weights ? weighed(p, of, F, other, weights) : sampled(p, of, X, F, other);
  const Q = penalty?.majorizer ?? penalty?.Q;
  return Q ? times(Q, { add: product }) : product;
}

function weighed(p: ProgramBuilder, of: 'A' | 'At' | 'S', F: Tensor, other: Tensor, { W2 }: DataWeights): Tensor {
  if (of === 'S') return p.matmul(T(other), p.matmul(other, F, { hadamard: W2 }));
  const part = p.matmul(F, other, { hadamard: W2 });
  return of === 'A' ? p.matmul(part, T(other)) : p.matmul(other, T(part));
}

function sampled(p: ProgramBuilder, of: 'A' | 'At' | 'S', X: Tensor, F: Tensor, other: Tensor): Tensor {
  if (of === 'S') return p.sampledProduct(X, other, F, 'columns');
  const product = p.sampledProduct(X, F, other, 'rows');
  return of === 'A' ? product : p.transpose(product);
}
