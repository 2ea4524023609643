/** One layer of NMF as program sections: min ‖W ∘ (X − AS)‖², or another loss with penalties, over A ≥ 0 (N×k) and S ≥ 0 (k×M). */
import type { Into } from '../graph/operations/definition.js';
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { graphPower } from './graph-penalty.js';
import { type HeldFactors, heldEquations, heldInputs, onlyFree, putBack, splitOfFree } from './held.js';
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
import {
  equationsAt,
  type Penalties,
  type Penalty,
  type PenaltyShape,
  penalisedCost,
  penalisedEquations,
  penalisedSplit,
  penaltyInputs,
} from './penalties.js';
import { type DataWeights, forwardQ, weighData, weightedResidual, weightsOf } from './q.js';
import { metBySolve, metBySweep, type Violation, violationStates } from './violation.js';

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
  /** N×k, 1 where A may have an entry and 0 where it stays 0; 'anls' only, and there as a start: what is cut off is no least squares. */
  support?: Tensor;
  /** Give A columns of unit norm, with the scale in S; 'anls' only. Default true; without it the scale stays about that of the start. */
  normalize?: boolean;
  /** Default: squared. Another one is for 'mu' alone. */
  loss?: Loss;
  /** For a loss that sums rows and columns, without W. */
  ones?: Ones;
  penalties?: Penalties;
  /** Where a step leaves what it met; 'hals' and 'anls' only, without W. */
  violation?: Violation;
  held?: HeldFactors;
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
 * 'anls', alternating exact nonnegative least squares (Kim & Park 2008):  Aᵀ ← q(Xᵀ, Sᵀ), columns of A to unit norm, S ← q(X, A). With
 * weights every row and column has a Gram matrix of its own: k²(N + M) entries more. With penalties and held components the scale of A has a
 * meaning, so its columns keep their norms. Beside a graph S is at the minimum of a majorizer (graph-penalty.ts).
 */
export function layerSections(
  p: ProgramBuilder,
  layer: number,
  { X, A, S, cost, error, kkt }: LayerTensors,
  solver: NmfSolver,
  { W, support, normalize = true, loss = squared, ones, penalties = {}, held = {}, violation }: LayerOptions = {},
): LayerSections {
  const names: LayerSections = { start: `start${layer}`, step: `step${layer}`, measure: `measure${layer}`, finish: `finish${layer}` };
  const weights = W && weightsOf(p, X, W, layer);
  const penalised = penalties.A !== undefined || penalties.S !== undefined;
  const fit: Fit = weights
    ? { loss, target: weights.W2X, mask: weights.W2, data: X, dictionary: A, ones }
    : { loss, target: X, dictionary: A, ones };
  if (solver === 'anls') {
    const options = { normalize: normalize && !penalised && !held.A && !held.S, support, penalties, held, violation };
    names.rounds = alternatingLeastSquares(p, layer, names, { X, A, S }, options, weights);
  } else if (solver === 'hals') coordinateSweeps(p, layer, names, { X, A, S }, { penalties, held, violation }, weights);
  else multiplicativeUpdates(p, names, fit, { X, S }, { penalties, held }, weights);
  p.section(names.measure, () => {
    const costOf = (options?: Into) => (loss === squared ? p.residualNorm(X, A, S, { W, ...options }) : loss.cost(p, fit, S, options));
    if (penalised) penalisedCost(p, costOf(), loss.factor, { A, S }, penalties, cost);
    else costOf({ into: cost });
  });
  p.section(names.finish, () => {
    if (error) p.residualNorm(X, A, S, { into: error, W });
    if (loss === squared) kktOfBoth(p, { X, A, S }, kkt, { penalties, held }, weights);
    // By stored entries it would take several times the memory of the fit; the host measures it (methods/objective.ts).
    else if (!byEntries(fit)) kktOfLoss(p, fit, S, kkt, { penalties, held });
  });
  return names;
}

type Factors = Pick<LayerTensors, 'X' | 'A' | 'S'>;

/** What stands beside the loss, and the components that are held. */
type Beside = Required<Pick<LayerOptions, 'penalties' | 'held'>>;

/** A solve of S, or of Aᵀ, for the normal equations with their penalties. */
function alternatingLeastSquares(
  p: ProgramBuilder,
  layer: number,
  names: LayerSections,
  { X, A, S }: Factors,
  { normalize, support, penalties, held, violation }: Pick<LayerOptions, 'normalize' | 'support' | 'violation'> & Beside,
  weights?: DataWeights,
): Tensor | undefined {
  const At = p.state(`At${layer}`, A.cols, A.rows);
  const rounds = held.S?.all ? undefined : p.state(`rounds${layer}`, 1, S.cols);
  const solveS = (options: { warm?: boolean; rounds?: Tensor }) => {
    if (held.S?.all) return;
    if (!penalties.S && !held.S) return void forwardQ(p, X, A, S, { ...options, weights });
    const { G, B } = freeEquationsOfS(p, { X, A, S }, { penalties, held }, weights);
    p.nnls(G, B, S, options);
    if (held.S) putBack(p, S, held.S, 'S');
  };
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
    if (normalize) p.normalizeColumns(A, p.gram(A), { layer });
    solveS({ warm: false });
  });
  p.section(names.step, () => {
    if (!held.A?.all) {
      const equations = weights
        ? { G: p.matmul(T(p.rowProducts(p.transpose(S))), T(weights.W2)), B: p.matmul(S, T(weights.W2X)) }
        : { G: p.gram(S, 'rows'), B: p.matmul(S, T(X)) };
      const penalised = penalisedEquations(p, equations, penalties.A, At);
      const product = () => productOfGiven(p, 'At', { F: held.A!.given, other: S, G: penalised.G }, penalties.A, weights);
      const { G, B } = held.A ? heldEquations(p, penalised, { product: product(), size: equations.B }, held.A, 'columns') : penalised;
      if (violation) metBySolve(p, { G, B }, p.transpose(A), violation.A);
      p.nnls(G, B, At);
      if (support) p.hadamard(p.transpose(At), support, { into: A });
      else p.transpose(At, { into: A });
      if (held.A) putBack(p, A, held.A, 'A');
      if (normalize) p.normalizeColumns(A, p.gram(A), { layer });
    }
    if (violation) metBySolve(p, penalisedEquations(p, equationsOfS(p, { X, A }), penalties.S, S), S, violation.S);
    solveS({ rounds });
  });
  return rounds;
}

/** The normal equations of S, with its penalties, of the rows that are not held. */
function freeEquationsOfS(
  p: ProgramBuilder,
  { X, A, S }: Factors,
  { penalties, held }: Beside,
  weights?: DataWeights,
): { G: Tensor; B: Tensor } {
  const equations = equationsOfS(p, { X, A }, weights);
  const penalised = penalisedEquations(p, equations, penalties.S, S);
  if (!held.S) return penalised;
  const product = productOfGiven(p, 'S', { F: held.S.given, other: A, G: penalised.G }, penalties.S, weights);
  return heldEquations(p, penalised, { product, size: equations.B }, held.S, 'columns');
}

/** The matrix G of penalised equations times the given entries F of A, Aᵀ or S; `other` is the other factor. */
function productOfGiven(
  p: ProgramBuilder,
  of: 'A' | 'At' | 'S',
  { F, other, G }: { F: Tensor; other: Tensor; G: Tensor },
  penalty: Penalty | undefined,
  weights?: DataWeights,
): Tensor {
  const times = (Q: Tensor, options?: { add: Tensor }) =>
    of === 'A' ? p.matmul(F, Q, options) : p.matmul(Q, of === 'S' ? F : T(F), options);
  if (!weights) return times(G);
  // Every row or column has a G of its own: W² ∘ (the given part of AS) stands for it.
  const part = of === 'S' ? p.matmul(other, F, { hadamard: weights.W2 }) : p.matmul(F, other, { hadamard: weights.W2 });
  const product = of === 'S' ? p.matmul(T(other), part) : of === 'A' ? p.matmul(part, T(other)) : p.matmul(other, T(part));
  const Q = penalty?.majorizer ?? penalty?.Q;
  return Q ? times(Q, { add: product }) : product;
}

/** AᵀA and AᵀX, or the same of every column with its weights. */
function equationsOfS(p: ProgramBuilder, { X, A }: Pick<LayerTensors, 'X' | 'A'>, weights?: DataWeights): { G: Tensor; B: Tensor } {
  if (!weights) return { G: p.gram(A), B: p.matmul(T(A), X) };
  return { G: p.matmul(T(p.rowProducts(A)), weights.W2), B: p.matmul(T(A), weights.W2X) };
}

function coordinateSweeps(
  p: ProgramBuilder,
  layer: number,
  names: LayerSections,
  { X, A, S }: Factors,
  { penalties, held, violation }: Beside & Pick<LayerOptions, 'violation'>,
  weights?: DataWeights,
): void {
  const sweep = (of: 'A' | 'S', F: Tensor, equations: { G: Tensor; B: Tensor }) => {
    const run = () => void p.halsUpdate(F, equations.G, equations.B, { of: of === 'A' ? 'rows' : 'columns', layer });
    if (violation) metBySweep(p, violation, of, F, equations, run);
    else run();
  };
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
  });
  p.section(names.step, () => {
    if (!held.A?.all) {
      const equations = weights
        ? { G: p.matmul(T(p.rowProducts(p.transpose(S))), T(weights.W2)), B: p.matmul(weights.W2X, T(S)) }
        : { G: p.gram(S, 'rows'), B: p.matmul(X, T(S)) };
      const penalised = penalisedEquations(p, equations, penalties.A, A);
      const product = () => productOfGiven(p, 'A', { F: held.A!.given, other: S, G: penalised.G }, penalties.A, weights);
      sweep('A', A, held.A ? heldEquations(p, penalised, { product: product(), size: equations.B }, held.A, 'rows') : penalised);
      if (held.A) putBack(p, A, held.A, 'A');
    }
    if (held.S?.all) return;
    sweep('S', S, freeEquationsOfS(p, { X, A, S }, { penalties, held }, weights));
    if (held.S) putBack(p, S, held.S, 'S');
  });
}

function multiplicativeUpdates(
  p: ProgramBuilder,
  names: LayerSections,
  fit: Fit,
  { X, S }: Pick<LayerTensors, 'X' | 'S'>,
  { penalties, held }: Beside,
  weights?: DataWeights,
): void {
  p.section(names.start, () => {
    if (weights) weighData(p, X, weights);
  });
  p.section(names.step, () => {
    for (const of of ['A', 'S'] as const) {
      const [F, penalty, kept] = [of === 'A' ? fit.dictionary : S, penalties[of], held[of]];
      if (kept?.all) continue;
      const power = penalty?.graph ? graphPower(fit.loss.degree) : fit.loss.power;
      if (byEntries(fit) && !penalty?.Q && !penalty?.graph) updateByEntries(p, of, fit, S, penalty?.l1);
      else updateBy(p, F, splitOf(p, of, fit, S, penalties), { power });
      if (kept) putBack(p, F, kept, of);
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
 * at a stationary point of ‖W ∘ (X − AS)‖² / 2 + penalties. Components that are held do not count.
 */
function kktOfBoth(
  p: ProgramBuilder,
  { X, A, S }: Factors,
  [ofS, ofA]: LayerTensors['kkt'],
  { penalties, held }: Beside,
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
  const s = equationsAt(p, { G: Gs, B: Bs }, penalties.S, S);
  const a = equationsAt(p, { G: Ga, B: Ba }, penalties.A, At);
  p.reduce(p.kktResidual(s.G, held.S ? onlyFree(p, s, S, held.S) : s.B, S), 'maxAbs', { into: ofS });
  p.reduce(p.kktResidual(a.G, held.A ? onlyFree(p, a, At, held.A) : a.B, At), 'maxAbs', { into: ofA });
}

/** The same of another loss, by the halves of its gradient. */
function kktOfLoss(p: ProgramBuilder, fit: Fit, S: Tensor, [ofS, ofA]: LayerTensors['kkt'], { penalties, held }: Beside): void {
  const free = (of: 'A' | 'S') => {
    const split = splitOf(p, of, fit, S, penalties);
    const kept = held[of];
    return kept ? splitOfFree(p, split, kept, of) : split;
  };
  naturalResidual(p, p.gram(fit.dictionary), S, free('S'), ofS);
  const { minus, plus } = free('A');
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
  violation?: Violation;
  held: HeldFactors;
}

export interface NmfProgramOptions {
  restarts: number;
  solver: NmfSolver;
  weighted: boolean;
  csrEntries?: number;
  /** Every restart has an X of its own, which is dense. Default: all share one. */
  ownX?: boolean;
  /** Default: squared. */
  loss?: Loss;
  penalties?: { A?: PenaltyShape; S?: PenaltyShape };
  /** Whether a step leaves the sum of projected gradients that it met. Default false. */
  violations?: boolean;
  /** How many columns of A, and rows of S, are held. */
  held?: { A: number; S: number };
}

export function nmfProgram(N: number, M: number, k: number, options: NmfProgramOptions): NmfProgram {
  const {
    restarts,
    solver,
    weighted,
    csrEntries,
    ownX = false,
    loss = squared,
    penalties: shapes = {},
    held: counts,
    violations,
  } = options;
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
  const own = solver !== 'mu' && weighted;
  const penalties: Penalties = {
    ...(shapes.A && { A: penaltyInputs(p, 'A', A, shapes.A, own) }),
    ...(shapes.S && { S: penaltyInputs(p, 'S', S, shapes.S, own) }),
  };
  const held: HeldFactors = {
    ...(counts?.A && { A: heldInputs(p, 'A', A, counts.A, own) }),
    ...(counts?.S && { S: heldInputs(p, 'S', S, counts.S, own) }),
  };
  const violation = violations ? violationStates(p, A, S, { sweeps: solver === 'hals' }) : undefined;
  const sections = layerSections(p, 0, tensors, solver, { W, loss, ones, penalties, held, violation });
  return { program: p.build(), sections, W, ones, penalties, held, violation, ...tensors };
}
