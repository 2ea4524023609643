/** One layer of NMF as program sections: min ‖W ∘ (X − AS)‖² over A ≥ 0 (N×k) and S ≥ 0 (k×M). */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { coefficientSplit, dictionarySplit, type Fit, squared, updateBy } from './losses.js';
import { type DataWeights, forwardQ, weighData, weightedResidual, weightsOf } from './q.js';

export type NmfSolver = 'mu' | 'hals' | 'anls';

export const nmfSolvers: readonly NmfSolver[] = ['mu', 'hals', 'anls'];

/** Default of a fit's maxIterations: the cheaper an iteration, the more of them. */
export const mostIterations: Record<NmfSolver, number> = { mu: 2000, hals: 1000, anls: 500 };

export interface LayerTensors {
  X: Tensor;
  A: Tensor;
  S: Tensor;
  /** ‖W ∘ (X − AS)‖² of the last 'measure', 1×1. */
  cost: Tensor;
  /** Largest natural KKT residual of S and of A, each 1×1; see kktOfBoth. */
  kkt: [ofS: Tensor, ofA: Tensor];
}

/** Names of the sections that fit one layer: run `start` once, then `step` until the cost of `measure` settles. */
export interface LayerSections {
  /** Factorizations each column of the last exact solve for S took, 1×M; negative where the budget did not suffice. Not with 'mu'. */
  rounds?: Tensor;
  start: string;
  step: string;
  measure: string;
  finish: string;
}

export interface LayerOptions {
  /** Weights on the entries of X. */
  W?: Tensor;
  /** N×k, 1 where A may have an entry and 0 where it stays 0; 'anls' only, and there as a start: what is cut off is no least squares. */
  support?: Tensor;
  /** Give A columns of unit norm, with the scale in S; 'anls' only. Default true; without it the scale stays about that of the start. */
  normalize?: boolean;
}

/**
 * Writes the sections that fit A and S to X into a program.
 *
 * 'mu', Lee & Seung (2001) with weights:  A ← A ∘ [(W²∘X)Sᵀ] / [(W²∘(AS))Sᵀ], then S likewise. Without W the denominators are
 * A(SSᵀ) and (AᵀA)S, and AS is never formed. An exact 0 stays 0.
 *
 * 'hals', hierarchical alternating least squares (Cichocki & Phan 2009): column by column of A, then row by row of S, each at its minimum
 * while all others are held,  A_j ← max(A_j + [(XSᵀ)_j − A(SSᵀ)_j] / (SSᵀ)_jj, 0). An iteration costs about as much as one of 'mu'.
 *
 * 'anls', alternating exact nonnegative least squares (Kim & Park 2008):  Aᵀ ← q(Xᵀ, Sᵀ), columns of A to unit norm, S ← q(X, A). With
 * weights every row and column has a Gram matrix of its own: k²(N + M) entries more.
 */
export function layerSections(
  p: ProgramBuilder,
  layer: number,
  { X, A, S, cost, kkt }: LayerTensors,
  solver: NmfSolver,
  { W, support, normalize = true }: LayerOptions = {},
): LayerSections {
  const names: LayerSections = { start: `start${layer}`, step: `step${layer}`, measure: `measure${layer}`, finish: `finish${layer}` };
  const weights = W && weightsOf(p, X, W, layer);
  if (solver === 'anls') names.rounds = alternatingLeastSquares(p, layer, names, { X, A, S }, { normalize, support }, weights);
  else if (solver === 'hals') coordinateSweeps(p, layer, names, { X, A, S }, weights);
  else multiplicativeUpdates(p, names, { X, A, S }, weights);
  p.section(names.measure, () => p.residualNorm(X, A, S, { into: cost, W }));
  p.section(names.finish, () => kktOfBoth(p, { X, A, S }, kkt, weights));
  return names;
}

function alternatingLeastSquares(
  p: ProgramBuilder,
  layer: number,
  names: LayerSections,
  { X, A, S }: Pick<LayerTensors, 'X' | 'A' | 'S'>,
  { normalize, support }: Pick<LayerOptions, 'normalize' | 'support'>,
  weights?: DataWeights,
): Tensor {
  const At = p.state(`At${layer}`, A.cols, A.rows);
  const rounds = p.state(`rounds${layer}`, 1, S.cols);
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
    if (normalize) p.normalizeColumns(A, p.gram(A), { layer });
    forwardQ(p, X, A, S, { warm: false, weights });
  });
  p.section(names.step, () => {
    if (weights) p.nnls(p.matmul(T(p.rowProducts(p.transpose(S))), T(weights.W2)), p.matmul(S, T(weights.W2X)), At);
    else p.nnls(p.gram(S, 'rows'), p.matmul(S, T(X)), At);
    if (support) p.hadamard(p.transpose(At), support, { into: A });
    else p.transpose(At, { into: A });
    if (normalize) p.normalizeColumns(A, p.gram(A), { layer });
    forwardQ(p, X, A, S, { rounds, weights });
  });
  return rounds;
}

function coordinateSweeps(
  p: ProgramBuilder,
  layer: number,
  names: LayerSections,
  { X, A, S }: Pick<LayerTensors, 'X' | 'A' | 'S'>,
  weights?: DataWeights,
): void {
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
  });
  p.section(names.step, () => {
    if (weights) {
      const { W2, W2X } = weights;
      p.halsUpdate(A, p.matmul(T(p.rowProducts(p.transpose(S))), T(W2)), p.matmul(W2X, T(S)), { of: 'rows', layer });
      p.halsUpdate(S, p.matmul(T(p.rowProducts(A)), W2), p.matmul(T(A), W2X), { of: 'columns', layer });
    } else {
      p.halsUpdate(A, p.gram(S, 'rows'), p.matmul(X, T(S)), { of: 'rows', layer });
      p.halsUpdate(S, p.gram(A), p.matmul(T(A), X), { of: 'columns', layer });
    }
  });
}

function multiplicativeUpdates(
  p: ProgramBuilder,
  names: LayerSections,
  { X, A, S }: Pick<LayerTensors, 'X' | 'A' | 'S'>,
  weights?: DataWeights,
): void {
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
  });
  const fit: Fit = { loss: squared, target: weights ? weights.W2X : X, mask: weights?.W2, dictionary: A };
  p.section(names.step, () => {
    updateBy(p, A, dictionarySplit(p, fit, S));
    updateBy(p, S, coefficientSplit(p, fit, S));
  });
}

/**
 * kkt ← the largest natural residual |min(F_ij · scale, ∇_ij)| of S and of A, each relative to its largest |AᵀX| or |XSᵀ|: both are 0
 * at a stationary point of ‖W ∘ (X − AS)‖².
 */
function kktOfBoth(
  p: ProgramBuilder,
  { X, A, S }: Pick<LayerTensors, 'X' | 'A' | 'S'>,
  [ofS, ofA]: LayerTensors['kkt'],
  weights?: DataWeights,
): void {
  const At = p.transpose(A);
  const Gs = p.gram(A);
  const Ga = p.gram(S, 'rows');
  let Bs: Tensor;
  let Ba: Tensor;
  if (weights) {
    // With B = Aᵀ(W²∘(X − AS)) + (AᵀA)S the residual B − GS is the weighted gradient.
    const R = weightedResidual(p, weights, A, S);
    Bs = p.matmul(Gs, S, { add: p.matmul(T(A), R) });
    Ba = p.matmul(Ga, At, { add: p.matmul(S, T(R)) });
  } else {
    Bs = p.matmul(T(A), X);
    Ba = p.matmul(S, T(X));
  }
  p.reduce(p.kktResidual(Gs, Bs, S), 'maxAbs', { into: ofS });
  p.reduce(p.kktResidual(Ga, Ba, At), 'maxAbs', { into: ofA });
}

export function kktTensors(p: ProgramBuilder, layer: number): [Tensor, Tensor] {
  return [p.state(`kktS${layer}`, 1, 1), p.state(`kktA${layer}`, 1, 1)];
}

export interface NmfProgram extends LayerTensors {
  program: Program;
  sections: LayerSections;
  W?: Tensor;
}

export interface NmfProgramOptions {
  restarts: number;
  solver: NmfSolver;
  weighted: boolean;
  csrEntries?: number;
  /** Every restart has an X of its own, which is dense. Default: all share one. */
  ownX?: boolean;
}

export function nmfProgram(
  N: number,
  M: number,
  k: number,
  { restarts, solver, weighted, csrEntries, ownX = false }: NmfProgramOptions,
): NmfProgram {
  const p = programBuilder('nmf', { restarts });
  const tensors: LayerTensors = {
    X: ownX ? p.input('X', N, M, { batched: true }) : p.data('X', N, M, { csrEntries }),
    A: p.state('A0', N, k),
    S: p.state('S0', k, M),
    cost: p.state('cost', 1, 1),
    kkt: kktTensors(p, 0),
  };
  const W = weighted ? p.input('W', N, M) : undefined;
  const sections = layerSections(p, 0, tensors, solver, { W });
  return { program: p.build(), sections, W, ...tensors };
}
