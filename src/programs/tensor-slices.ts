/**
 * New slices of a tensor along a mode n, by the levels of a model of the others: for every level
 *
 *     R = argmin_{R ≥ 0} ‖X_(n) − R S (⊙_{m≠n} P_m)ᵀ‖²,
 *
 * row by row nonnegative least squares with the Gram matrix S (∘_{m≠n} P_mᵀP_m) Sᵀ and the right side S M_nᵀ (M_n of mttkrp.ts).
 */
import { type Program, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { oneMode } from './mttkrp.js';

export interface TensorSlicesProgram {
  program: Program;
  X: Tensor;
  levels: {
    /** P_m of the other modes in their order, d_m×R. */
    P: Tensor[];
    /** k×R. */
    S: Tensor;
    /** The Gram matrix, k×k. */
    G: Tensor;
    /** Rᵀ, k×d_n. */
    Rt: Tensor;
    /** 1×d_n each: the KKT residual of every slice, and the factorizations of its solve, negative where they did not suffice. */
    residual: Tensor;
    rounds: Tensor;
  }[];
}

/** Section 'solve'. `topics` has the k of every level. With `cooEntries` X is sparse, and its slices are never formed. */
export function tensorSlicesProgram(
  shape: readonly number[],
  rank: number,
  mode: number,
  topics: readonly number[],
  { cooEntries }: { cooEntries?: number } = {},
): TensorSlicesProgram {
  const p = programBuilder('slices');
  const X = p.dataTensor('X', shape, { cooEntries });
  const others = shape.filter((_, m) => m !== mode);
  const levels = topics.map((k, l) => ({
    P: others.map((size, m) => p.input(`P${l}.${m}`, size, rank)),
    S: p.input(`S${l}`, k, rank),
    G: p.state(`G${l}`, k, k),
    Rt: p.state(`R${l}`, k, shape[mode]),
    residual: p.state(`residual${l}`, 1, shape[mode]),
    rounds: p.state(`rounds${l}`, 1, shape[mode]),
  }));
  p.section('solve', () => {
    for (const { P, S, G, Rt, residual, rounds } of levels) {
      const grams = P.map((own) => p.gram(own)).reduce((product, next) => p.hadamard(product, next));
      p.matmul(p.matmul(S, grams), T(S), { into: G });
      const B = p.matmul(S, T(oneMode(p, X, P.slice(0, mode), P.slice(mode))));
      p.nnls(G, B, Rt, { warm: false, rounds });
      p.kktResidual(G, B, Rt, { into: residual });
    }
  });
  return { program: p.build(), X, levels };
}
