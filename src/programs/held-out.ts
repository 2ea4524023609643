/**
 * NMF of the entries that are shown, where every restart hides others: min ‖(1 − H) ∘ (X − AS)‖² over A, S ≥ 0, H of zeros and ones.
 *
 * Hidden entries are filled in with what the factors say of them, X̃ = (1 − H) ∘ X + H ∘ (AS), and the factors are fitted to X̃. No step can
 * raise the objective: ‖X̃ − A'S'‖² is never below that of A'S', and equals it where A'S' = AS (majorisation; Srebro & Jaakkola, ICML 2003,
 * give it as EM). A step of HALS then takes one Gram matrix for all columns, and no k² for each, as weights do: see `layerSections`.
 */
import { type Program, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';

export interface HeldOutProgram {
  program: Program;
  /** (1 − H) ∘ X. Every restart has its own, and an H to it. */
  shown: Tensor;
  /** H, 1 where an entry is hidden and 0 where it is shown. */
  hidden: Tensor;
  A: Tensor;
  S: Tensor;
  /** ‖(1 − H) ∘ (X − AS)‖² of the last 'measure'. */
  cost: Tensor;
}

/** Sections: 'step' until the cost of 'measure' settles. */
export function heldOutProgram(N: number, M: number, k: number, restarts: number): HeldOutProgram {
  const p = programBuilder('heldOut', { restarts });
  const shown = p.input('shown', N, M, { batched: true });
  const hidden = p.input('hidden', N, M, { batched: true });
  const A = p.state('A0', N, k);
  const S = p.state('S0', k, M);
  const cost = p.state('cost', 1, 1);
  const filled = () => p.combine(1, shown, 1, p.matmul(A, S, { hadamard: hidden }));
  p.section('step', () => {
    const Xf = filled();
    p.halsUpdate(A, p.gram(S, 'rows'), p.matmul(Xf, T(S)), { of: 'rows' });
    p.halsUpdate(S, p.gram(A), p.matmul(T(A), Xf), { of: 'columns' });
  });
  p.section('measure', () => p.residualNorm(filled(), A, S, { into: cost }));
  return { program: p.build(), shown, hidden, A, S, cost };
}
