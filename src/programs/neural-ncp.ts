/**
 * Neural nonnegative CP decomposition (Vendrow, Haddock, Needell: Neural Nonnegative CP Decomposition for Hierarchical Tensor Analysis,
 * Asilomar 2021; arXiv:2009.12708). Every mode n of X ≈ [[F₀, …, F_{N−1}]] has a chain of its own,
 *
 *     S_n⁰ = q(F_n, A_n⁰),   S_nˡ = q(S_nˡ⁻¹, A_nˡ),   q(F, A) = argmin_{S ≥ 0} ‖F − AS‖²,
 *
 * and level l of X is X_l = [[A₀⁰…A₀ˡS₀ˡ, …, A_{N−1}⁰…A_{N−1}ˡS_{N−1}ˡ]]. All A_nˡ, and the F_n if they are not held, learn together on
 *
 *     C = w ‖X − [[F]]‖² + Σ_l w_l ‖X − X_l‖²
 *
 * by projected gradient, the gradient flowing through every q exactly.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { acceptStart, controlledStep, type Evaluated, type Gradient, variable } from './controlled-step.js';
import { eachMode, otherModes, squaredError } from './mttkrp.js';
import { backwardQ, forwardQ, type Solved } from './q.js';

export interface NeuralNcpProgramOptions {
  restarts: number;
  /** w of [[F]] and w_l of every level. */
  weights: readonly number[];
  /** Whether the F_n stay as they are given. */
  held: boolean;
  /** The modes that have a chain; default all. The factors of the others are F_n at every level. */
  modes?: readonly number[];
  /**
   * X is [[F]] of held factors: then C is made of k×k matrices alone. It serves to find good starts. Rounding hides a difference of
   * 2⁻²² ‖X‖².
   */
  kruskal?: boolean;
  tolerance?: number;
  /** Stored entries of an X in coordinates; default: X is dense. */
  cooEntries?: number;
}

export interface NeuralNcpProgram {
  program: Program;
  /** Not with `kruskal`. */
  X?: Tensor;
  F: Tensor[];
  /** By mode and level: A_n⁰ is d_n×r₁, A_nˡ r_l×r_{l+1}. None where the mode has no chain. */
  A: Tensor[][];
  /** r_{l+1}×R. */
  S: Tensor[][];
  /** The free variables, each with ∂C/∂ it at the accepted point. */
  free: { value: Tensor; D: Tensor }[];
  /** η, accepted cost and counts of each restart: see `control` in graph/operations. */
  control: Tensor;
  /** ‖X − [[F]]‖² and ‖X − X_l‖² as 'errors' leaves them, 1×1 each. */
  errors: Tensor[];
  /** By mode and level: the largest KKT residual of S as 'finish' leaves it, 1×1; and the factorizations of each column, 1×R. */
  kkt: Tensor[][];
  rounds: Tensor[][];
}

/** ∂C/∂F_n, of every mode, and its part C. */
interface Part {
  cost: Tensor;
  /** 2w ([[P]]_(n) − X_(n)) (⊙_{m≠n} P_m): the gradient in the factors P of a level. */
  D: Tensor[];
  /** ∘_{m≠n} P_mᵀP_m: its Hessian is 2w this ⊗ the identity. */
  others: Tensor[];
}

/** What the gradient of a part needs of the data. */
type Data = { X: Tensor } | { kruskal: readonly Tensor[] };

/** Sections: 'start' evaluates the given A and F; 'step' is that of controlled-step.ts; 'finish' makes S exact; 'errors' measures. */
export function neuralNcpProgram(
  shape: readonly number[],
  rank: number,
  ranks: readonly number[],
  { restarts, weights, held, modes, kruskal = false, tolerance = 1e-5, cooEntries }: NeuralNcpProgramOptions,
): NeuralNcpProgram {
  const p = programBuilder('neuralNcp', { restarts });
  const X = kruskal ? undefined : p.dataTensor('X', shape, { cooEntries });
  const F = shape.map((size, n) => p.state(`F${n}`, size, rank));
  const byLevel = <V>(make: (n: number, l: number) => V): V[][] =>
    shape.map((_, n) => (modes === undefined || modes.includes(n) ? ranks.map((_, l) => make(n, l)) : []));
  const A = byLevel((n, l) => p.state(`A${n}.${l}`, l === 0 ? shape[n] : ranks[l - 1], ranks[l]));
  const S = byLevel((n, l) => p.state(`S${n}.${l}`, ranks[l], rank));
  const control = p.controlState();
  const data: Data = X ? { X } : { kruskal: F };
  const free = [...(held ? [] : F), ...A.flat()];
  const variables = free.map((value, i) => variable(p, value, i, { rowMetric: A.some((own) => own.indexOf(value) > 0) }));

  const evaluate = (trialOf: (value: Tensor) => Tensor, warm: boolean): Evaluated => {
    const trial = { F: held ? F : F.map(trialOf), A: A.map((own) => own.map(trialOf)), S };
    const { cost, ofF, ofA } = costAndGradient(p, data, trial, ranks.length, { weights, held, warm, fall: tolerance || undefined });
    return { cost, gradients: [...ofF, ...ofA.flat()] };
  };
  p.section('start', () =>
    acceptStart(
      p,
      variables,
      evaluate((value) => value, false),
      control,
    ),
  );
  p.section('step', () => controlledStep(p, variables, control, (trialOf) => evaluate(trialOf, true)));

  const rounds = byLevel((n, l) => p.state(`rounds${n}.${l}`, 1, rank));
  const kkt = byLevel((n, l) => p.state(`kkt${n}.${l}`, 1, 1));
  p.section('finish', () => {
    S.forEach((own, n) => {
      own.forEach((s, l) => {
        const { G, B } = forwardQ(p, l === 0 ? F[n] : own[l - 1], A[n][l], s, { rounds: rounds[n][l] });
        p.reduce(p.kktResidual(G, B, s), 'maxAbs', { into: kkt[n][l] });
      });
    });
  });
  const errors = [-1, ...ranks.keys()].map((l) => p.state(`error${l + 1}`, 1, 1));
  if (X) {
    p.section('errors', () => {
      for (let l = -1; l < ranks.length; l++) squaredError(p, X, levelFactors(p, { F, A, S }, l)[0], { into: errors[l + 1] });
    });
  }
  return { program: p.build(), X, F, A, S, free: variables, control, errors, kkt, rounds };
}

interface Chains {
  F: readonly Tensor[];
  A: readonly (readonly Tensor[])[];
  S: readonly (readonly Tensor[])[];
}

/** Zʲ_n = A_nʲ…A_nˡS_nˡ by j and mode for level l, so that Z⁰_n are its factors. For l = −1 and for modes without a chain those are F_n. */
function levelFactors(p: ProgramBuilder, { F, A, S }: Chains, l: number): Tensor[][] {
  if (l < 0) return [[...F]];
  const chained = (n: number) => A[n].length > 0;
  const Z: Tensor[][] = [];
  Z[l + 1] = F.map((f, n) => (chained(n) ? S[n][l] : f));
  for (let j = l; j >= 0; j--) Z[j] = F.map((f, n) => (chained(n) ? p.matmul(A[n][j], Z[j + 1][n]) : f));
  return Z;
}

/** C and its gradient, with S ← the exact coefficients of every chain. */
function costAndGradient(
  p: ProgramBuilder,
  data: Data,
  chains: Chains,
  depth: number,
  { weights, held, warm, fall }: { weights: readonly number[]; held: boolean; warm: boolean; fall?: number },
): { cost: Tensor; ofF: Gradient[]; ofA: Gradient[][] } {
  const { F, A, S } = chains;
  const q: Solved[][] = A.map((own, n) => own.map((a, l) => forwardQ(p, l === 0 ? F[n] : S[n][l - 1], a, S[n][l], { warm })));
  const sum = (before: Tensor | undefined, next: Tensor) => (before ? p.combine(1, before, 1, next) : next);
  let cost: Tensor | undefined;
  const dF: (Tensor | undefined)[] = F.map(() => undefined);
  const QF: (Tensor | undefined)[] = F.map(() => undefined);
  const dA: (Tensor | undefined)[][] = A.map((own) => own.map(() => undefined));
  const dS: (Tensor | undefined)[][] = A.map((own) => own.map(() => undefined));
  const Q: (Tensor | undefined)[][] = A.map((own) => own.map(() => undefined));

  // Held factors have an error that nothing changes.
  for (let l = held ? 0 : -1; l < depth; l++) {
    const weight = weights[l + 1];
    if (weight === 0) continue;
    const Z = levelFactors(p, chains, l);
    const part = partOf(p, data, Z[0], { weight, fall });
    cost = sum(cost, part.cost);
    F.forEach((_, n) => {
      if (l < 0 || A[n].length === 0) {
        dF[n] = sum(dF[n], part.D[n]);
        QF[n] = QF[n] ? p.combine(1, QF[n], weight, part.others[n]) : p.combine(weight, part.others[n], 0, part.others[n]);
        return;
      }
      let back = part.D[n]; // Ψᵀ D with Ψ = A⁰…Aʲ⁻¹
      for (let j = 0; j <= l; j++) {
        const Zj = Z[j + 1][n];
        dA[n][j] = p.matmul(back, T(Zj), dA[n][j] ? { add: dA[n][j] } : {});
        Q[n][j] = p.matmul(p.matmul(Zj, part.others[n], { scale: weight }), T(Zj), Q[n][j] ? { add: Q[n][j] } : {});
        back = p.matmul(T(A[n][j]), back);
      }
      dS[n][l] = sum(dS[n][l], back);
    });
  }

  // Backward through every q of every mode.
  const ofA = A.map((own, n) => {
    const gradients: Gradient[] = [];
    for (let l = own.length - 1; l >= 0; l--) {
      const from = dS[n][l] ?? p.combine(0, S[n][l], 0, S[n][l]);
      const { dX, dA: through } = backwardQ(p, q[n][l], from, { wantX: l > 0 || !held });
      if (l > 0) dS[n][l - 1] = sum(dS[n][l - 1], dX!);
      else if (!held) dF[n] = sum(dF[n], dX!);
      gradients[l] = { D: sum(dA[n][l], through), Q: Q[n][l] ?? p.gram(S[n][l], 'rows') };
    }
    // ΨᵀΨ, the metric of the rows.
    let M: Tensor | undefined;
    own.forEach((_, l) => {
      if (l === 1) M = q[n][0].G;
      else if (l > 1) M = p.matmul(T(own[l - 1]), p.matmul(M!, own[l - 1]));
      gradients[l].M = M;
    });
    return gradients;
  });
  const ofF = held ? [] : F.map((f, n) => ({ D: dF[n]!, Q: QF[n] ?? p.gram(f) }));
  return { cost: cost!, ofF, ofA };
}

/** w ‖X − [[P]]‖² and its gradient in P. */
function partOf(p: ProgramBuilder, data: Data, P: readonly Tensor[], { weight, fall }: { weight: number; fall?: number }): Part {
  const grams = P.map((f) => p.gram(f));
  const others = otherModes(p, grams);
  const gradient = (n: number, M: Tensor) => p.matmul(P[n], others[n], { scale: 2 * weight, add: M, addScale: -2 * weight });
  if ('kruskal' in data) return kruskalPart(p, data.kruskal, P, { weight, grams, others, gradient });
  const D: Tensor[] = [];
  let leading = undefined as Tensor | undefined;
  eachMode(p, data.X, P, (n, M, product) => {
    D[n] = gradient(n, M);
    leading = product;
  });
  const error = squaredError(p, data.X, P, { leading, grams, fall });
  return { cost: p.combine(weight, error, 0, error), D, others };
}

/** For X = [[F]]: ‖X − [[P]]‖² = Σ ∘ FᵀF − 2 Σ ∘ FᵀP + Σ ∘ PᵀP, and M_n = F_n ∘_{m≠n} F_mᵀP_m. */
function kruskalPart(
  p: ProgramBuilder,
  F: readonly Tensor[],
  P: readonly Tensor[],
  own: { weight: number; grams: readonly Tensor[]; others: Tensor[]; gradient: (n: number, M: Tensor) => Tensor },
): Part {
  const { weight, grams, others, gradient } = own;
  const total = (matrices: readonly Tensor[]) =>
    p.reduce(
      matrices.reduce((before, next) => p.hadamard(before, next)),
      'sum',
    );
  const crossed = F.map((f, n) => p.matmul(T(f), P[n]));
  const ofP = p.combine(-2, total(crossed), 1, total(grams));
  const error = p.combine(1, total(F.map((f) => p.gram(f))), 1, ofP);
  const D = otherModes(p, crossed).map((C, n) => gradient(n, p.matmul(F[n], C)));
  return { cost: p.map('affine', [p.map('positive', [error])], { p: weight, q: 0 }), D, others };
}
