/** One layer of NMF as program sections: min ‖W ∘ (X − AS)‖², or another loss with penalties, over A ≥ 0 (N×k) and S ≥ 0 (k×M). */
import type { Into } from '../graph/operations/definition.js';
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import {
  byEntries,
  coefficientSplit,
  dictionarySplit,
  type Fit,
  type Loss,
  naturalResidual,
  type Ones,
  onesInputs,
  type Split,
  squared,
  updateBy,
  updateByEntries,
} from './losses.js';
import { type Penalties, type PenaltyShape, penalisedCost, penalisedEquations, penalisedSplit, penaltyInputs } from './penalties.js';
import { type DataWeights, forwardQ, gramsOf, type Sight, weighData, weightedResidual, weightsOf } from './q.js';

export type NmfSolver = 'mu' | 'hals' | 'anls';

export const nmfSolvers: readonly NmfSolver[] = ['mu', 'hals', 'anls'];

/** Default of a fit's maxIterations: the cheaper an iteration, the more of them. */
export const mostIterations: Record<NmfSolver, number> = { mu: 2000, hals: 1000, anls: 500 };

export interface LayerTensors {
  X: Tensor;
  A: Tensor;
  S: Tensor;
  /** The objective of the last 'measure', 1×1: ‖W ∘ (X − AS)‖², or the cost of another loss, + `factor` times the penalties. */
  cost: Tensor;
  /** ‖W ∘ (X − AS)‖² of the last 'finish', 1×1, where the objective is another. */
  error?: Tensor;
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
  /** Whether the entries that a CSR X does not store are missing. The loss is the squared one then, and there is no W. */
  missing?: boolean;
  /** N×k, 1 where A may have an entry and 0 where it stays 0; 'anls' only, and there as a start: what is cut off is no least squares. */
  support?: Tensor;
  /** Give A columns of unit norm, with the scale in S; 'anls' only. Default true; without it the scale stays about that of the start. */
  normalize?: boolean;
  /** Default: squared. Another one is for 'mu' alone. */
  loss?: Loss;
  /** For a loss that sums rows and columns, without W. */
  ones?: Ones;
  penalties?: Penalties;
}

/**
 * Writes the sections that fit A and S to X into a program.
 *
 * 'mu', Lee & Seung (2001) with weights:  A ← A ∘ [(W²∘X)Sᵀ] / [(W²∘(AS))Sᵀ], then S likewise. Without W the denominators are
 * A(SSᵀ) and (AᵀA)S, and AS is never formed. An exact 0 stays 0. Other losses likewise, by their own halves and exponent (losses.ts).
 *
 * 'hals', hierarchical alternating least squares (Cichocki & Phan 2009): column by column of A, then row by row of S, each at its minimum
 * while all others are held,  A_j ← max(A_j + [(XSᵀ)_j − A(SSᵀ)_j] / (SSᵀ)_jj, 0). An iteration costs about as much as one of 'mu'.
 *
 * With `missing` P∘(AS) stands for AS, with P 1 where X is stored: at these entries alone it is formed.
 *
 * 'anls', alternating exact nonnegative least squares (Kim & Park 2008):  Aᵀ ← q(Xᵀ, Sᵀ), columns of A to unit norm, S ← q(X, A). With
 * weights or missing entries every row and column has a Gram matrix of its own: k²(N + M) entries more. With penalties the scale of A has a meaning, so its
 * columns keep their norms.
 */
export function layerSections(
  p: ProgramBuilder,
  layer: number,
  { X, A, S, cost, error, kkt }: LayerTensors,
  solver: NmfSolver,
  { W, missing = false, support, normalize = true, loss = squared, ones, penalties = {} }: LayerOptions = {},
): LayerSections {
  const names: LayerSections = { start: `start${layer}`, step: `step${layer}`, measure: `measure${layer}`, finish: `finish${layer}` };
  const weights = W && weightsOf(p, X, W, layer);
  const sight: Sight = { weights, missing };
  const penalised = penalties.A !== undefined || penalties.S !== undefined;
  const fit: Fit = weights
    ? { loss, target: weights.W2X, mask: weights.W2, data: X, dictionary: A, ones }
    : { loss, target: X, missing, dictionary: A, ones };
  if (solver === 'anls') {
    const options = { normalize: normalize && !penalised, support, penalties };
    names.rounds = alternatingLeastSquares(p, layer, names, { X, A, S }, options, sight);
  } else if (solver === 'hals') coordinateSweeps(p, layer, names, { X, A, S }, penalties, sight);
  else multiplicativeUpdates(p, names, fit, { X, S }, penalties, weights);
  p.section(names.measure, () => {
    const costOf = (options?: Into) =>
      loss === squared && !missing ? p.residualNorm(X, A, S, { W, ...options }) : loss.cost(p, fit, S, options);
    if (penalised) penalisedCost(p, costOf(), loss.factor, { A, S }, penalties, cost);
    else costOf({ into: cost });
  });
  p.section(names.finish, () => {
    if (error && missing) squared.cost(p, fit, S, { into: error });
    else if (error) p.residualNorm(X, A, S, { into: error, W });
    if (loss === squared) kktOfBoth(p, { X, A, S }, kkt, penalties, sight);
    // By stored entries it would take several times the memory of the fit; the host measures it (methods/objective.ts).
    else if (!byEntries(fit)) kktOfLoss(p, fit, S, kkt, penalties);
  });
  return names;
}

/** A solve of S, or of Aᵀ, for the normal equations with their penalties. */
function alternatingLeastSquares(
  p: ProgramBuilder,
  layer: number,
  names: LayerSections,
  { X, A, S }: Pick<LayerTensors, 'X' | 'A' | 'S'>,
  { normalize, support, penalties = {} }: Pick<LayerOptions, 'normalize' | 'support' | 'penalties'>,
  sight: Sight,
): Tensor {
  const { weights } = sight;
  const At = p.state(`At${layer}`, A.cols, A.rows);
  const rounds = p.state(`rounds${layer}`, 1, S.cols);
  const solveS = (options: { warm?: boolean; rounds?: Tensor }) => {
    if (!penalties.S) return void forwardQ(p, X, A, S, { ...options, ...sight });
    const { G, B } = penalisedEquations(p, equationsOfS(p, { X, A }, sight), penalties.S);
    p.nnls(G, B, S, options);
  };
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
    if (normalize) p.normalizeColumns(A, p.gram(A), { layer });
    solveS({ warm: false });
  });
  p.section(names.step, () => {
    const equations = { G: gramsOfRows(p, X, S, sight), B: p.matmul(S, T(weights ? weights.W2X : X)) };
    const { G, B } = penalisedEquations(p, equations, penalties.A);
    p.nnls(G, B, At);
    if (support) p.hadamard(p.transpose(At), support, { into: A });
    else p.transpose(At, { into: A });
    if (normalize) p.normalizeColumns(A, p.gram(A), { layer });
    solveS({ rounds });
  });
  return rounds;
}

/** AᵀA and AᵀX, or the same of every column with the weights or the entries that it sees. */
function equationsOfS(p: ProgramBuilder, { X, A }: Pick<LayerTensors, 'X' | 'A'>, sight: Sight): { G: Tensor; B: Tensor } {
  return { G: gramsOf(p, X, A, sight), B: p.matmul(T(A), sight.weights ? sight.weights.W2X : X) };
}

/** SSᵀ, or for every row of X the Gram matrix of the columns that it sees, k²×N. */
function gramsOfRows(p: ProgramBuilder, X: Tensor, S: Tensor, { weights, missing = false }: Sight): Tensor {
  if (!weights && !missing) return p.gram(S, 'rows');
  const products = T(p.rowProducts(p.transpose(S)));
  return weights ? p.matmul(products, T(weights.W2)) : p.matmul(products, T(X), { pattern: true });
}

function coordinateSweeps(
  p: ProgramBuilder,
  layer: number,
  names: LayerSections,
  { X, A, S }: Pick<LayerTensors, 'X' | 'A' | 'S'>,
  penalties: Penalties,
  sight: Sight,
): void {
  const { weights } = sight;
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
  });
  p.section(names.step, () => {
    const equationsOfA = { G: gramsOfRows(p, X, S, sight), B: p.matmul(weights ? weights.W2X : X, T(S)) };
    const ofA = penalisedEquations(p, equationsOfA, penalties.A);
    p.halsUpdate(A, ofA.G, ofA.B, { of: 'rows', layer });
    const ofS = penalisedEquations(p, equationsOfS(p, { X, A }, sight), penalties.S);
    p.halsUpdate(S, ofS.G, ofS.B, { of: 'columns', layer });
  });
}

function multiplicativeUpdates(
  p: ProgramBuilder,
  names: LayerSections,
  fit: Fit,
  { X, S }: Pick<LayerTensors, 'X' | 'S'>,
  penalties: Penalties,
  weights?: DataWeights,
): void {
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
  });
  const { power } = fit.loss;
  p.section(names.step, () => {
    for (const of of ['A', 'S'] as const) {
      if (byEntries(fit) && !penalties[of]?.Q) updateByEntries(p, of, fit, S, penalties[of]?.l1);
      else updateBy(p, of === 'A' ? fit.dictionary : S, splitOf(p, of, fit, S, penalties), { power });
    }
  });
}

/** The halves of the gradient of loss / factor + penalties in A or in S. */
function splitOf(p: ProgramBuilder, of: 'A' | 'S', fit: Fit, S: Tensor, penalties: Penalties): Split {
  if (of === 'A') return penalisedSplit(p, 'A', fit.dictionary, dictionarySplit(p, fit, S), penalties.A);
  return penalisedSplit(p, 'S', S, coefficientSplit(p, fit, S), penalties.S);
}

/**
 * kkt ← the largest natural residual |min(F_ij · scale, ∇_ij)| of S and of A, each relative to its largest |AᵀX| or |XSᵀ|: both are 0
 * at a stationary point of ‖W ∘ (X − AS)‖² / 2 + penalties.
 */
function kktOfBoth(
  p: ProgramBuilder,
  { X, A, S }: Pick<LayerTensors, 'X' | 'A' | 'S'>,
  [ofS, ofA]: LayerTensors['kkt'],
  penalties: Penalties,
  { weights, missing = false }: Sight,
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
  if (missing) {
    // Likewise: the products with P∘(AS) out, and those with AS in.
    Bs = p.matmul(Gs, S, { add: p.combine(1, Bs, -1, p.sampledProduct(X, A, S, 'columns')) });
    Ba = p.matmul(Ga, At, { add: p.combine(1, Ba, -1, p.transpose(p.sampledProduct(X, A, S, 'rows'))) });
  }
  const s = penalisedEquations(p, { G: Gs, B: Bs }, penalties.S);
  const a = penalisedEquations(p, { G: Ga, B: Ba }, penalties.A);
  p.reduce(p.kktResidual(s.G, s.B, S), 'maxAbs', { into: ofS });
  p.reduce(p.kktResidual(a.G, a.B, At), 'maxAbs', { into: ofA });
}

/** The same of another loss, by the halves of its gradient. */
function kktOfLoss(p: ProgramBuilder, fit: Fit, S: Tensor, [ofS, ofA]: LayerTensors['kkt'], penalties: Penalties): void {
  naturalResidual(p, p.gram(fit.dictionary), S, splitOf(p, 'S', fit, S, penalties), ofS);
  const { minus, plus } = splitOf(p, 'A', fit, S, penalties);
  const turned = { minus: p.transpose(minus), plus: p.transpose(plus) };
  naturalResidual(p, p.gram(S, 'rows'), p.transpose(fit.dictionary), turned, ofA);
}

export function kktTensors(p: ProgramBuilder, layer: number): [Tensor, Tensor] {
  return [p.state(`kktS${layer}`, 1, 1), p.state(`kktA${layer}`, 1, 1)];
}

export interface NmfProgram extends LayerTensors {
  program: Program;
  sections: LayerSections;
  W?: Tensor;
  ones?: Ones;
  penalties: Penalties;
}

export interface NmfProgramOptions {
  restarts: number;
  solver: NmfSolver;
  weighted: boolean;
  csrEntries?: number;
  /** Whether the entries that a CSR X does not store are missing; not weighted, and the squared loss. Default false. */
  missing?: boolean;
  /** Every restart has an X of its own, which is dense. Default: all share one. */
  ownX?: boolean;
  /** Default: squared. */
  loss?: Loss;
  penalties?: { A?: PenaltyShape; S?: PenaltyShape };
}

export function nmfProgram(N: number, M: number, k: number, options: NmfProgramOptions): NmfProgram {
  const { restarts, solver, weighted, csrEntries, missing = false, ownX = false, loss = squared, penalties: shapes = {} } = options;
  const p = programBuilder('nmf', { restarts });
  const X = ownX ? p.input('X', N, M, { batched: true }) : p.data('X', N, M, { csrEntries });
  const [A, S] = [p.state('A0', N, k), p.state('S0', k, M)];
  const another = loss !== squared || shapes.A !== undefined || shapes.S !== undefined;
  const tensors: LayerTensors = {
    X,
    A,
    S,
    cost: p.state('cost', 1, 1),
    kkt: kktTensors(p, 0),
    ...(another && { error: p.state('error', 1, 1) }),
  };
  const W = weighted ? p.input('W', N, M) : undefined;
  const ones = loss.ones && !weighted ? onesInputs(p, N, M) : undefined;
  const own = solver !== 'mu' && (weighted || missing);
  const penalties: Penalties = {
    ...(shapes.A && { A: penaltyInputs(p, 'A', A, shapes.A, own) }),
    ...(shapes.S && { S: penaltyInputs(p, 'S', S, shapes.S, own) }),
  };
  const sections = layerSections(p, 0, tensors, solver, { W, missing, loss, ones, penalties });
  return { program: p.build(), sections, W, ones, penalties, ...tensors };
}
