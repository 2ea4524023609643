/**
 * How far factors are from a minimum, as a sweep over them meets it: Σ |∇ᴾ|, with ∇ᴾ = ∇ where an entry is above 0 and min(∇, 0) where it is
 * 0. scikit-learn's solver 'cd' calls the sum over both factors the violation, and stops by it; the norm in its place is that of Lin, Neural
 * Computation 19 (2007).
 *
 * A sweep takes the unknowns in turn, so unknown j meets those before it as they have become and the others as they were:
 * ∇ = (G∘L) F⁺ + (G∘U) F − B with L below the diagonal, U the rest. An exact solve moves them at once: ∇ = GF − B.
 */
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';

export interface Violation {
  /** Of the last sweep over A and over S, 1×1 each. */
  A: Tensor;
  S: Tensor;
  /** For sweeps: k×k, 1 below the diagonal, and 1 on it and above; and the factors before their sweep. */
  sweep?: { below: Tensor; others: Tensor; before: { A: Tensor; S: Tensor } };
}

export function violationStates(p: ProgramBuilder, A: Tensor, S: Tensor, { sweeps }: { sweeps: boolean }): Violation {
  const k = A.cols;
  const sums = { A: p.state('violationA', 1, 1), S: p.state('violationS', 1, 1) };
  if (!sweeps) return sums;
  const before = { A: p.state('beforeA', A.rows, k), S: p.state('beforeS', k, S.cols) };
  return { ...sums, sweep: { below: p.input('below', k, k), others: p.input('others', k, k), before } };
}

/** Runs a sweep over F, with unknowns along its rows (A) or its columns (S), and writes what it met. */
export function metBySweep(
  p: ProgramBuilder,
  { A, S, sweep }: Violation,
  of: 'A' | 'S',
  F: Tensor,
  { G, B }: { G: Tensor; B: Tensor },
  run: () => void,
): void {
  const { below, others, before } = sweep!;
  const was = before[of];
  p.copy(F, was);
  run();
  const [L, U] = [p.hadamard(G, below), p.hadamard(G, others)];
  const fall = (X: Tensor, M: Tensor, add: Tensor) =>
    of === 'S' ? p.matmul(M, X, { scale: -1, add }) : p.matmul(X, T(M), { scale: -1, add });
  sumOf(p, was, fall(was, U, fall(F, L, B)), of === 'A' ? A : S);
}

/** Writes what an exact solve of min FᵀGF/2 − BᵀF, F ≥ 0, meets at F. */
export function metBySolve(p: ProgramBuilder, { G, B }: { G: Tensor; B: Tensor }, F: Tensor, into: Tensor): void {
  sumOf(p, F, p.matmul(G, F, { scale: -1, add: B }), into);
}

/** into ← Σ |∇ᴾ| for −∇ = `fall`: what an entry could rise by, and what one above 0 could fall by. */
function sumOf(p: ProgramBuilder, F: Tensor, fall: Tensor, into: Tensor): void {
  const positive = p.map('quotient', [F, F]);
  const down = p.hadamard(positive, p.map('negative', [fall]));
  p.reduce(p.combine(1, p.map('positive', [fall]), 1, down), 'sum', { into });
}
