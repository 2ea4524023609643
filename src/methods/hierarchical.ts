/**
 * Hierarchical NMF: X ≈ A⁰S⁰, then S⁰ ≈ A¹S¹, and so on, each layer fitted to the end before the next begins. Columns of A have unit
 * norm (their scale is in S), or the levels below scatter.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { kktTensors, type LayerSections, layerSections, type NmfSolver } from './nmf.js';

export interface Layers {
  X: Tensor;
  A: Tensor[];
  S: Tensor[];
}

/** The tensors of a multilayer factorization X ≈ A⁰A¹…AᴸSᴸ: A⁰ N×k₀, Aˡ k_{l−1}×k_l, Sˡ k_l×M. */
export function layerTensors(p: ProgramBuilder, N: number, M: number, ranks: readonly number[]): Layers {
  return {
    X: p.input('X', N, M),
    A: ranks.map((k, l) => p.state(`A${l}`, l === 0 ? N : ranks[l - 1], k)),
    S: ranks.map((k, l) => p.state(`S${l}`, k, M)),
  };
}

export interface SequentialFit {
  layers: LayerSections[];
  /** Cost of each layer's own problem, and the KKT residuals of its factors, all 1×1. */
  cost: Tensor[];
  kkt: [Tensor, Tensor][];
}

/** Sections that fit one layer after the other, each to the S of the one before. */
export function sequentialSections(p: ProgramBuilder, { X, A, S }: Layers, solver: NmfSolver): SequentialFit {
  const cost = A.map((_, l) => p.state(`cost${l}`, 1, 1));
  const kkt = A.map((_, l) => kktTensors(p, l));
  const layers = A.map((_, l) => layerSections(p, l, { X: l === 0 ? X : S[l - 1], A: A[l], S: S[l], cost: cost[l], kkt: kkt[l] }, solver));
  return { layers, cost, kkt };
}

/** Section 'errors': squared residual norms ‖X − A⁰A¹…AˡSˡ‖² of every depth, each a 1×1 state. */
export function errorSection(p: ProgramBuilder, { X, A, S }: Layers): Tensor[] {
  const errors = A.map((_, l) => p.state(`error${l}`, 1, 1));
  p.section('errors', () => {
    for (let l = 0; l < A.length; l++) {
      let Z = S[l];
      for (let j = l; j > 0; j--) Z = p.matmul(A[j], Z);
      p.residualNorm(X, A[0], Z, { into: errors[l] });
    }
  });
  return errors;
}

export interface HierarchicalProgram extends Layers, SequentialFit {
  program: Program;
  errors: Tensor[];
}

export function hierarchicalProgram(
  N: number,
  M: number,
  ranks: readonly number[],
  { restarts, solver }: { restarts: number; solver: NmfSolver },
): HierarchicalProgram {
  const p = programBuilder('hierarchicalNmf', { restarts });
  const layers = layerTensors(p, N, M, ranks);
  const fit = sequentialSections(p, layers, solver);
  const errors = errorSection(p, layers);
  return { program: p.build(), ...layers, ...fit, errors };
}
