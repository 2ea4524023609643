/**
 * Neural NMF (Gao, Haddock, Molitor, Needell, Sadovnik, Will, Zhang; CAMSAP 2019, arXiv:2303.00058): the feature matrices A⁰ … Aᴸ are
 * the only free variables, S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), and all Aˡ learn together on
 *
 *     C = ‖X − A⁰A¹ … AᴸSᴸ‖²
 *
 * by projected gradient, the gradient flowing through every q exactly.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { errorSection, type Layers, layerTensors, type SequentialFit, sequentialSections } from './hierarchical.js';
import { backwardQ, forwardQ, type Solved } from './q.js';

/** The point of the descent that was last accepted: factors, gradient, and the diagonal metric of the next step. */
interface Point {
  A: Tensor[];
  /** ∂C/∂Aˡ. */
  D: Tensor[];
  /** Q_l = Zˡ(Zˡ)ᵀ with Zˡ = Aˡ⁺¹…AᴸSᴸ: its diagonal is the energy that passes through each unit of layer l. */
  Q: Tensor[];
  /** M_l = ΨᵀΨ with Ψ = A⁰…Aˡ⁻¹; layer 0 has none (it is the identity). */
  M: (Tensor | undefined)[];
}

/** C and ∂C/∂Aˡ at A, with S ← the exact coefficients of every layer. */
function costAndGradient(p: ProgramBuilder, X: Tensor, A: Tensor[], S: Tensor[], warm: boolean): { cost: Tensor; point: Point } {
  const last = A.length - 1;

  // Forward: Sˡ = q(Sˡ⁻¹, Aˡ), and Zˡ = Aˡ⁺¹…AᴸSᴸ, so that the reconstruction is A⁰Z⁰.
  const q: Solved[] = [];
  for (let l = 0; l <= last; l++) q.push(forwardQ(p, l === 0 ? X : S[l - 1], A[l], S[l], { warm }));
  const Z = [...S];
  for (let l = last - 1; l >= 0; l--) Z[l] = p.matmul(A[l + 1], Z[l + 1], { name: `Z${l}` });
  const cost = p.residualNorm(X, A[0], Z[0], { name: 'trialCost' });
  const Q = Z.map((Zl) => p.gram(Zl, 'rows'));

  // Hˡ = (A⁰…Aˡ)ᵀ(X − A⁰Z⁰); the reconstruction's own gradients are −2 Hˡ⁻¹(Zˡ)ᵀ for Aˡ and −2 Hᴸ for Sᴸ.
  const H = [p.matmul(q[0].G, Z[0], { scale: -1, add: q[0].B, name: 'H0' })];
  for (let l = 1; l <= last; l++) H.push(p.matmul(T(A[l]), H[l - 1], { name: `H${l}` }));

  // Backward through every q, from Sᴸ down to X.
  const D: Tensor[] = [];
  let dS = p.combine(-2, H[last], 0, H[last]);
  for (let l = last; l > 0; l--) {
    const direct = p.matmul(H[l - 1], T(Z[l]), { scale: -2 });
    const { dX, dA } = backwardQ(p, q[l], dS);
    D[l] = p.combine(1, dA, 1, direct);
    dS = dX!;
  }
  // For A⁰ the direct part −2 (X − A⁰Z⁰)(Z⁰)ᵀ shares the one pass over X.
  D[0] = backwardQ(p, q[0], dS, { wantX: false, plusX: { scale: -2, tensor: Z[0] }, plusGram: { scale: -2, tensor: Q[0] } }).dA;

  const M: (Tensor | undefined)[] = [undefined];
  for (let l = 1; l <= last; l++) M.push(l === 1 ? q[0].G : p.matmul(T(A[l - 1]), p.matmul(M[l - 1]!, A[l - 1])));
  return { cost, point: { A, D, Q, M } };
}

function keepAccepted(p: ProgramBuilder, current: Point, trial: Point, control: Tensor): void {
  current.A.forEach((_, l) => {
    if (trial.A[l] !== current.A[l]) p.keepAccepted(current.A[l], trial.A[l], control);
    p.keepAccepted(current.D[l], trial.D[l], control);
    p.keepAccepted(current.Q[l], trial.Q[l], control);
    if (current.M[l]) p.keepAccepted(current.M[l]!, trial.M[l]!, control);
  });
}

export interface NeuralProgram extends Layers {
  program: Program;
  /** η, accepted cost and counts of each restart: see `control` in graph/operations. */
  control: Tensor;
  D: Tensor[];
  errors: Tensor[];
  /** Sˡ for the accepted A as 'view' leaves them: looking at a fit must not change the warm starts of its next step. */
  view: Tensor[];
  /** Largest KKT residual of each layer's Sˡ, 1×1. */
  kkt: Tensor[];
  /** Factorizations each column of the last exact solve took, 1×M a layer; negative where the budget did not suffice. */
  rounds: Tensor[];
  /** Sections that start from hierarchical NMF. */
  sequential?: SequentialFit;
}

/**
 * Sections: 'start' evaluates the given A; 'step' is one iteration,
 *
 *     Aˡ' = max(Aˡ − η ∂C/∂Aˡ ⊘ 2 diag(M_l) diag(Q_l)ᵀ, 0)      (entrywise division: the scale-free diagonal metric)
 *     keep A' and let η grow if C(A') ≤ C(A), else drop it and halve η
 *
 * with every decision on the device; 'finish' makes S exact for the accepted A and measures the KKT residuals.
 */
export function neuralProgram(
  N: number,
  M: number,
  ranks: readonly number[],
  { restarts, start }: { restarts: number; start: 'hierarchical' | 'random' },
): NeuralProgram {
  const p = programBuilder('neuralNmf', { restarts });
  const layers = layerTensors(p, N, M, ranks);
  const { X, A, S } = layers;
  const control = p.controlState();
  const current: Point = {
    A,
    D: A.map((a, l) => p.state(`D${l}`, a.rows, a.cols)),
    Q: A.map((a, l) => p.state(`Q${l}`, a.cols, a.cols)),
    M: A.map((a, l) => (l === 0 ? undefined : p.state(`M${l}`, a.rows, a.rows))),
  };
  const rounds = A.map((_, l) => p.state(`roundsOf${l}`, 1, M));
  const kkt = A.map((_, l) => p.state(`kkt${l}`, 1, 1));
  const sequential = start === 'hierarchical' ? sequentialSections(p, layers, 'anls') : undefined;

  p.section('start', () => {
    const { cost, point } = costAndGradient(p, X, A, S, false);
    p.acceptReject(cost, control, { grow: 1 });
    keepAccepted(p, current, point, control);
  });
  p.section('step', () => {
    const trialA = A.map((a, l) => p.projectedStep(a, current.D[l], current.Q[l], control, { M: current.M[l], layer: l, name: `A${l}'` }));
    const { cost, point } = costAndGradient(p, X, trialA, S, true);
    p.acceptReject(cost, control);
    keepAccepted(p, current, point, control);
  });
  p.section('finish', () => {
    for (let l = 0; l < A.length; l++) {
      const { G, B } = forwardQ(p, l === 0 ? X : S[l - 1], A[l], S[l], { rounds: rounds[l] });
      p.reduce(p.kktResidual(G, B, S[l]), 'maxAbs', { into: kkt[l] });
    }
  });
  const view = S.map((s, l) => p.state(`view${l}`, s.rows, s.cols));
  p.section('view', () => {
    for (let l = 0; l < A.length; l++) forwardQ(p, l === 0 ? X : view[l - 1], A[l], view[l]);
  });
  const errors = errorSection(p, layers);
  return { program: p.build(), ...layers, control, D: current.D, errors, view, kkt, rounds, sequential };
}
