/** Nonnegative matrix factorization of columns that come in batches: A and sums over all earlier columns are all that is kept. */
import { type Program, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { forwardQ } from './q.js';

export type OnlineUpdate = 'hals' | 'mu';

export const onlineUpdates: readonly OnlineUpdate[] = ['hals', 'mu'];

/** Sweeps over A for each batch. Beside the products with X they cost nothing. */
const sweeps = 4;

export interface OnlineProgram {
  program: Program;
  /** N×m, one batch; columns of zeros fill up a shorter one. They have S = 0, and add nothing to any sum. */
  X: Tensor;
  /** ρ I, k×k: what is kept of the sums. */
  forget: Tensor;
  A: Tensor;
  S: Tensor;
  /** P = Σ ρ… SSᵀ (k×k) and Q = Σ ρ… XSᵀ (N×k); with 'mu' also the numerator and the denominator of A (N×k each). */
  sums: Tensor[];
  /** ‖X − AS‖² of the batch as it arrived, 1×1. */
  cost: Tensor;
  /** Factorizations that each column's solve took, negative where the budget did not suffice, 1×m. */
  rounds: Tensor;
  /** The natural KKT residual of A for P and Q, 1×1. */
  kkt: Tensor;
}

/**
 * One batch X is 'arrive', 'learn', 'keep':
 *
 *     arrive    S ← q(X, A), cost ← ‖X − AS‖²
 *     learn     P⁺ ← ρP + SSᵀ, Q⁺ ← ρQ + XSᵀ, then A by the rule of `update`
 *     keep      P ← P⁺, Q ← Q⁺
 *
 * so that 'arrive' and 'learn' can be repeated on a batch that counts once.
 *
 * 'hals': sweeps of coordinate descent on tr(AᵀA P⁺) − 2 tr(AᵀQ⁺), the sum of ‖x − As‖² over all columns with the S that they had
 * (Mairal, Bach, Ponce & Sapiro, JMLR 2010, algorithms 1 and 2; without a penalty A needs no bound on its columns).
 *
 * 'mu': numerator ← ρ numerator + A ∘ XSᵀ, denominator ← ρ denominator + A SSᵀ, A ← numerator / denominator (Lefèvre, Bach & Févotte,
 * WASPAA 2011; MiniBatchNMF of scikit-learn).
 *
 * ρ is a matrix, and not a constant, since batches of different lengths forget differently: the code of the kernels has no place for it.
 */
export function onlineProgram(N: number, m: number, k: number, update: OnlineUpdate): OnlineProgram {
  const p = programBuilder('online');
  const X = p.data('X', N, m);
  const forget = p.input('forget', k, k);
  const A = p.state('A0', N, k);
  const S = p.state('S0', k, m);
  const [cost, rounds, kkt] = [p.state('cost', 1, 1), p.state('rounds', 1, m), p.state('kkt', 1, 1)];
  const pair = (label: string, rows: number) => [p.state(label, rows, k), p.state(`${label}Next`, rows, k)];
  const [P, nextP] = pair('P', k);
  const [Q, nextQ] = pair('Q', N);
  const [numerator, nextNumerator] = update === 'mu' ? pair('numerator', N) : [];
  const [denominator, nextDenominator] = update === 'mu' ? pair('denominator', N) : [];
  p.section('arrive', () => {
    forwardQ(p, X, A, S, { warm: false, rounds });
    p.residualNorm(X, A, S, { into: cost });
  });
  p.section('learn', () => {
    const [SSt, XSt] = [p.gram(S, 'rows'), p.matmul(X, T(S))];
    p.matmul(P, forget, { add: SSt, into: nextP });
    p.matmul(Q, forget, { add: XSt, into: nextQ });
    if (update === 'mu') {
      p.matmul(numerator, forget, { add: p.hadamard(A, XSt), into: nextNumerator });
      p.matmul(denominator, forget, { add: p.matmul(A, SSt), into: nextDenominator });
      p.map('quotient', [nextNumerator, nextDenominator], { into: A });
    } else for (let sweep = 0; sweep < sweeps; sweep++) p.halsUpdate(A, nextP, nextQ, { of: 'rows' });
  });
  p.section('keep', () => {
    p.copy(nextP, P);
    p.copy(nextQ, Q);
    if (update !== 'mu') return;
    p.copy(nextNumerator, numerator);
    p.copy(nextDenominator, denominator);
  });
  p.section('measure', () => p.reduce(p.kktResidual(P, p.transpose(Q), p.transpose(A)), 'maxAbs', { into: kkt }));
  const sums = update === 'mu' ? [P, Q, numerator, denominator] : [P, Q];
  return { program: p.build(), X, forget, A, S, sums, cost, rounds, kkt };
}
