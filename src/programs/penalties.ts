/**
 * Penalties of a factor F of X ≈ AS, beside D(X ‖ AS). For A they are
 *
 *     λ₁ Σ A + ½ ⟨Q, AᵀA⟩        with a symmetric Q ≥ 0, k×k: λ₂ I for the squared norm, μ (11ᵀ − I) for columns that share no rows
 *
 * and for S likewise, with SSᵀ in place of AᵀA. Normal equations GF = B of F become (G + Q) F = B − λ₁, and the half `plus` of a gradient
 * takes λ₁ + AQ. S may have a graph of neighbouring samples beside them (graph-penalty.ts). Weights of the penalties are in the unit of the
 * fit.
 */
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { type GraphPenalty, type GraphShape, graphInputs, halfTrace, lessGradient, majorizedRight } from './graph-penalty.js';
import type { Split } from './losses.js';

export interface Penalty {
  l1: number;
  /** Q, which the host writes. */
  Q?: Tensor;
  /** Q as one column, k²×1, and a column of ones, one for each row of A or column of S: for Gram matrices of their own. */
  columnOfQ?: Tensor;
  ones?: Tensor;
  /** Of S alone. */
  graph?: GraphPenalty;
  /** Q + cI, which stands for Q in solves and sweeps beside a graph; so it does in columnOfQ. */
  majorizer?: Tensor;
}

export interface Penalties {
  A?: Penalty;
  S?: Penalty;
}

/** Of one factor, but for a graph: λ₁ Σ F + ½ λ₂ ‖F‖² + μ Σ_{s<t} f_sᵀf_t. */
export interface PenaltyWeights {
  l1: number;
  l2: number;
  orthogonal?: number;
}

/** What a program needs to know of the penalty of a factor before any number is written. */
export interface PenaltyShape {
  l1: number;
  /** Whether there is a Q. */
  quadratic: boolean;
  graph?: GraphShape;
}

/** The inputs of a penalty of A ('A', N×k) or of S ('S', k×M). */
export function penaltyInputs(
  p: ProgramBuilder,
  of: 'A' | 'S',
  F: Tensor,
  { l1, quadratic, graph: shape }: PenaltyShape,
  weighted: boolean,
): Penalty {
  const graph = shape && { graph: graphInputs(p, F, shape) };
  if (!quadratic) return { l1, ...graph };
  const [k, items] = of === 'A' ? [F.cols, F.rows] : [F.rows, F.cols];
  const Q = p.input(`Q${F.name}`, k, k);
  if (!weighted) return { l1, Q, ...graph, ...(shape?.majorized && { majorizer: p.input(`majorizer${F.name}`, k, k) }) };
  return { l1, Q, ...graph, columnOfQ: p.input(`columnOfQ${F.name}`, k * k, 1), ones: p.input(`onesOf${F.name}`, items, 1) };
}

/** G + Q and B − λ₁, for one G or one of each item; beside a graph those of its majorizer at F. */
export function penalisedEquations(
  p: ProgramBuilder,
  { G, B }: { G: Tensor; B: Tensor },
  penalty: Penalty | undefined,
  F: Tensor,
): { G: Tensor; B: Tensor } {
  if (!penalty) return { G, B };
  const { Q, columnOfQ, ones, graph, majorizer = Q } = penalty;
  const own = G.rows === G.cols && Q && Q.rows === G.rows;
  const right = lessL1(p, B, penalty);
  return {
    G: !Q ? G : own ? p.combine(1, G, 1, majorizer!) : p.matmul(columnOfQ!, T(ones!), { add: G }),
    B: graph ? majorizedRight(p, right, F, graph) : right,
  };
}

/** G + Q and B − λ₁ with one G, so that GF − B is the gradient at F. */
export function equationsAt(
  p: ProgramBuilder,
  { G, B }: { G: Tensor; B: Tensor },
  penalty: Penalty | undefined,
  F: Tensor,
): { G: Tensor; B: Tensor } {
  if (!penalty) return { G, B };
  const { Q, graph } = penalty;
  const right = lessL1(p, B, penalty);
  return { G: Q ? p.combine(1, G, 1, Q) : G, B: graph ? lessGradient(p, right, F, graph) : right };
}

function lessL1(p: ProgramBuilder, B: Tensor, { l1 }: Penalty): Tensor {
  return l1 === 0 ? B : p.map('affine', [B], { p: 1, q: -l1 });
}

/** The halves of a gradient: `plus` with λ₁ + AQ, or λ₁ + QS; beside a graph SD joins `plus`, and SW `minus`. */
export function penalisedSplit(p: ProgramBuilder, of: 'A' | 'S', F: Tensor, { minus, plus }: Split, penalty?: Penalty): Split {
  if (!penalty) return { minus, plus };
  const { l1, Q, graph } = penalty;
  const withL1 = l1 === 0 ? plus : p.map('affine', [plus], { p: 1, q: l1 });
  const withQ = !Q ? withL1 : of === 'A' ? p.matmul(F, Q, { add: withL1 }) : p.matmul(Q, F, { add: withL1 });
  if (!graph) return { minus, plus: withQ };
  return { minus: p.matmul(F, graph.W, { add: minus }), plus: p.matmul(F, graph.D, { add: withQ }) };
}

/** cost + scale · (the penalties of A and S), all 1×1, into `into`. */
export function penalisedCost(
  p: ProgramBuilder,
  cost: Tensor,
  scale: number,
  { A, S }: { A: Tensor; S: Tensor },
  penalties: Penalties,
  into: Tensor,
): void {
  const terms: [number, Tensor][] = [];
  for (const of of ['A', 'S'] as const) {
    const [F, penalty] = [of === 'A' ? A : S, penalties[of]];
    if (!penalty) continue;
    if (penalty.l1 > 0) terms.push([penalty.l1, p.reduce(F, 'sum')]);
    if (penalty.Q) terms.push([0.5, p.reduce(p.hadamard(penalty.Q, p.gram(F, of === 'A' ? 'columns' : 'rows')), 'sum')]);
    if (penalty.graph) terms.push([1, halfTrace(p, F, penalty.graph)]);
  }
  let total = cost;
  terms.forEach(([weight, term], i) => {
    total = p.combine(1, total, scale * weight, term, i === terms.length - 1 ? { into } : {});
  });
  if (terms.length === 0) p.copy(cost, into);
}
