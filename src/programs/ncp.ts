/**
 * Nonnegative CP decomposition (PARAFAC): min ‖X − [[F₀, …, F_{N−1}]]‖² over F_n ≥ 0 (d_n×R), where
 * [[F₀, …, F_{N−1}]] = Σ_r F₀[·][r] ∘ … ∘ F_{N−1}[·][r] is a sum of R outer products.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { eachMode, otherModes, otherModesOf, squaredError } from './mttkrp.js';

export type NcpSolver = 'hals' | 'anls';

export const ncpSolvers: readonly NcpSolver[] = ['hals', 'anls'];

export interface NcpProgram {
  program: Program;
  X: Tensor;
  F: Tensor[];
  /** ‖X − [[F]]‖² of the last 'measure', 1×1. */
  cost: Tensor;
  /** Largest natural KKT residual of each factor, 1×1. */
  kkt: Tensor[];
  /** With 'anls': the factorizations that each row of the factors took in the last solve; negative where the budget did not suffice. */
  rounds?: Tensor[];
}

export interface NcpProgramOptions {
  restarts: number;
  solver: NcpSolver;
  tolerance?: number;
  /** Stored entries of an X in coordinates; default: X is dense. */
  cooEntries?: number;
}

/**
 * Sections: 'step' goes over the modes once, 'measure' has the cost, 'finish' the KKT residuals. With M_n of mttkrp.ts and
 * G = ∘_{m≠n} F_mᵀF_m a mode is nonnegative least squares with the normal equations F_n G = M_n:
 *
 * - 'hals': one sweep of coordinate descent over the columns of F_n (Cichocki & Phan, IEICE Trans. Fundamentals 2009).
 * - 'anls': F_nᵀ = argmin_{F ≥ 0}, exactly (Kim & Park, High-Performance Scientific Computing 2012).
 */
export function ncpProgram(
  shape: readonly number[],
  rank: number,
  { restarts, solver, tolerance, cooEntries }: NcpProgramOptions,
): NcpProgram {
  const p = programBuilder('ncp', { restarts });
  const X = p.dataTensor('X', shape, { cooEntries });
  const F = shape.map((size, n) => p.state(`F${n}`, size, rank));
  const cost = p.state('cost', 1, 1);
  const kkt = shape.map((_, n) => p.state(`kkt${n}`, 1, 1));
  const exact = solver === 'anls' ? F.map(({ rows }, n) => exactState(p, n, rank, rows)) : undefined;
  p.section('step', () => {
    const grams = F.map((f) => p.gram(f));
    eachMode(p, X, F, (n, M) => {
      const G = otherModesOf(p, grams, n);
      if (exact) {
        p.nnls(G, p.transpose(M), exact[n].Ft, { rounds: exact[n].rounds });
        p.transpose(exact[n].Ft, { into: F[n] });
        // The scale lies in the last factor. A component that fell to zero begins anew.
        if (n < F.length - 1) p.normalizeColumns(F[n], p.gram(F[n]), { layer: n });
      } else p.halsUpdate(F[n], G, M, { of: 'rows', layer: n });
      grams[n] = p.gram(F[n]);
    });
  });
  p.section('measure', () => squaredError(p, X, F, { into: cost, fall: tolerance || undefined }));
  p.section('finish', () => kktOfModes(p, X, F, kkt));
  return { program: p.build(), X, F, cost, kkt, rounds: exact?.map(({ rounds }) => rounds) };
}

function exactState(p: ProgramBuilder, n: number, rank: number, size: number): { Ft: Tensor; rounds: Tensor } {
  return { Ft: p.state(`Ft${n}`, rank, size), rounds: p.state(`rounds${n}`, 1, size) };
}

/** kkt_n ← the largest |min(F_n · scale, ∇)|, relative to the largest entry of M_n: 0 at a stationary point. */
export function kktOfModes(p: ProgramBuilder, X: Tensor, F: readonly Tensor[], kkt: readonly Tensor[]): void {
  const others = otherModes(
    p,
    F.map((f) => p.gram(f)),
  );
  eachMode(p, X, F, (n, M) => {
    p.reduce(p.kktResidual(others[n], p.transpose(M), p.transpose(F[n])), 'maxAbs', { into: kkt[n] });
  });
}
