/** Least squares on the simplex, column by column, as pieces of programs: argmin ½‖W ∘ (X − AS)‖² over columns s ≥ 0 of S with Σ s = 1. */
import { type Program, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { weighData, weightsOf, weightTensor } from './q.js';

export interface SimplexProgram {
  program: Program;
  X: Tensor;
  W?: Tensor;
  A: Tensor;
  S: Tensor;
  /** AᵀA, without weights. */
  G?: Tensor;
  residual: Tensor;
  rounds: Tensor;
}

/** S once, with the KKT residual of every column. */
export function simplexProgram(
  N: number,
  M: number,
  k: number,
  { csrEntries, weighted = false }: { csrEntries?: number; weighted?: boolean } = {},
): SimplexProgram {
  const p = programBuilder('simplex');
  const X = p.input('X', N, M, { csrEntries });
  const A = p.input('A', N, k);
  const S = p.state('S', k, M);
  const G = weighted ? undefined : p.state('G', k, k);
  const W = weighted ? weightTensor(p, X) : undefined;
  const weights = W && weightsOf(p, X, W);
  const residual = p.state('residual', 1, M);
  const rounds = p.state('rounds', 1, M);
  p.section('solve', () => {
    if (weights) weighData(p, X, weights);
    const gram = weights ? p.matmul(T(p.rowProducts(A)), weights.W2) : p.gram(A, 'columns', { into: G });
    const B = p.matmul(T(A), weights ? weights.W2X : X);
    p.simplex(gram, B, S, { warm: false, rounds });
    p.kktResidual(gram, B, S, { simplex: true, into: residual });
  });
  return { program: p.build(), X, W, A, S, G, residual, rounds };
}
