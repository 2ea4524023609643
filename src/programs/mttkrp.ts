/**
 * Products of a tensor X (d₀ × … × d_{N−1}) with factor matrices F_n (d_n×R), as pieces of programs. X is a matrix of the program: all
 * modes but the last over its rows, the last over its columns, so no mode is ever unfolded. The matricised tensor times Khatri–Rao product
 *
 *     M_n = X_(n) (⊙_{m≠n} F_m),   M_n[i][r] = Σ X[…, i, …] Π_{m≠n} F_m[·][r]
 *
 * of all modes takes two passes over a dense X: X F_{N−1}, of which the other modes are contractions, and Xᵀ (F₀ ⊙ … ⊙ F_{N−2}). (Phan,
 * Tichavský, Cichocki: Fast Alternating LS Algorithms for High Order CANDECOMP/PARAFAC Tensor Factorizations, IEEE Trans. Signal Process.
 * 2013.)
 * Of an X in coordinates every mode is one sum over the stored entries.
 */
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';

/** F₀ ⊙ … ⊙ F_{N−2}: a row for each row of X. */
export function leadingProduct(p: ProgramBuilder, F: readonly Tensor[]): Tensor {
  return F.slice(0, -1).reduce((before, next) => p.khatriRao(before, next));
}

/**
 * Calls `update` with M_n of every mode in turn, and M_n is formed of the F that earlier calls have changed. The last call gets
 * F₀ ⊙ … ⊙ F_{N−2}, too, where X is dense.
 */
export function eachMode(
  p: ProgramBuilder,
  X: Tensor,
  F: readonly Tensor[],
  update: (mode: number, M: Tensor, leading?: Tensor) => void,
): void {
  if (X.form === 'coo') {
    for (let n = 0; n < F.length; n++) update(n, p.mttkrp(X, F, n));
    return;
  }
  const last = F.length - 1;
  // X without the modes after n. Their factors are changed after that of n only.
  const tails: Tensor[] = [];
  for (let n = last - 1; n >= 0; n--) tails[n] = n === last - 1 ? p.matmul(X, F[last]) : p.contract(tails[n + 1], F[n + 1], 'last');
  for (let n = 0; n < last; n++) {
    update(
      n,
      F.slice(0, n).reduce((M, before) => p.contract(M, before, 'first'), tails[n]),
    );
  }
  const leading = leadingProduct(p, F);
  update(last, p.matmul(T(X), leading), leading);
}

/** M_n of one mode, from the factors of the modes before it and of those after it. */
export function oneMode(p: ProgramBuilder, X: Tensor, before: readonly Tensor[], after: readonly Tensor[]): Tensor {
  if (X.form === 'coo') return p.mttkrp(X, [...before, undefined, ...after], before.length);
  if (after.length === 0)
    return p.matmul(
      T(X),
      before.reduce((product, next) => p.khatriRao(product, next)),
    );
  const tail = after.slice(0, -1).reduceRight((rest, next) => p.contract(rest, next, 'last'), p.matmul(X, after[after.length - 1]));
  return before.reduce((M, next) => p.contract(M, next, 'first'), tail);
}

/**
 * ‖X − [[F₀, …, F_{N−1}]]‖², from the entries of X. `leading` is F₀ ⊙ … ⊙ F_{N−2} and `grams` are all F_nᵀF_n, where they are at hand.
 *
 * Of an X in coordinates it is Σ_stored ((x − y)² − y²) + Σ ∘_n F_nᵀF_n, a difference of sums as large as ‖X‖²: exact to about the
 * rounding of f32 times that, and 0 where rounding would leave less.
 */
export function squaredError(
  p: ProgramBuilder,
  X: Tensor,
  F: readonly Tensor[],
  { leading, grams, into, fall }: { leading?: Tensor; grams?: readonly Tensor[]; into?: Tensor; fall?: number } = {},
): Tensor {
  if (X.form !== 'coo') return p.residualNorm(X, leading ?? leadingProduct(p, F), p.transpose(F[F.length - 1]), { into, fall });
  const ofF = (grams ?? F.map((f) => p.gram(f))).reduce((before, next) => p.hadamard(before, next));
  const error = p.combine(1, p.storedResidual(X, F), 1, p.reduce(ofF, 'sum'));
  return p.map('positive', [error], { into });
}

/** ∘_{m≠n} G_m of every n. */
export function otherModes(p: ProgramBuilder, grams: readonly Tensor[]): Tensor[] {
  return grams.map((_, n) => otherModesOf(p, grams, n));
}

/** ∘_{m≠n} G_m. With G_m = F_mᵀF_m it is the Gram matrix of ⊙_{m≠n} F_m. */
export function otherModesOf(p: ProgramBuilder, grams: readonly Tensor[], n: number): Tensor {
  return grams.filter((_, m) => m !== n).reduce((before, next) => p.hadamard(before, next));
}
