/** One layer of NMF as program sections: min ‖W ∘ (X − AS)‖², or another loss with penalties, over A ≥ 0 (N×k) and S ≥ 0 (k×M). */
import type { Into } from '../graph/operations/definition.js';
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { equationsOfS, type Factors, freeEquationsOfA, freeEquationsOfS, type Terms } from './equations.js';
import { graphPower } from './graph-penalty.js';
import { type HeldFactors, heldInputs, onlyFree, putBack, splitOfFree } from './held.js';
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
  type PenaltyShape,
  penalisedCost,
  penalisedEquations,
  penalisedSplit,
  penaltyInputs,
} from './penalties.js';
import { forwardQ, type Sight, weighData, weightedResidual, weightsOf, weightTensor } from './q.js';
import { metBySolve, metBySweep, type Violation, violationStates } from './violation.js';
import { costWithVolume, type Volume, type VolumeShape, volumeInputs, withVolume } from './volume.js';

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
  /** Where a step leaves what it met; 'hals' and 'anls' only, without W. */
  violation?: Violation;
  held?: HeldFactors;
  /** Columns of S sum to one; not with 'mu'. */
  simplex?: boolean;
  /** With `simplex`: the volume of A. */
  volume?: Volume;
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
 * weights or missing entries every row and column has a Gram matrix of its own: k²(N + M) entries more. With penalties and held components the scale of A has a
 * meaning, so its columns keep their norms. Beside a graph S is at the minimum of a majorizer (graph-penalty.ts).
 *
 * With `simplex` S ← argmin ‖X − AS‖² over columns s ≥ 0 with Σ s = 1, exactly, in 'anls' and in 'hals'; they differ in the step of A, whose
 * columns keep their norms. The volume of A counts in that step by its tangent (volume.ts).
 */
export function layerSections(
  p: ProgramBuilder,
  layer: number,
  { X, A, S, cost, error, kkt }: LayerTensors,
  solver: NmfSolver,
  {
    W,
    missing = false,
    support,
    normalize = true,
    loss = squared,
    ones,
    penalties = {},
    held = {},
    violation,
    simplex = false,
    volume,
  }: LayerOptions = {},
): LayerSections {
  const names: LayerSections = { start: `start${layer}`, step: `step${layer}`, measure: `measure${layer}`, finish: `finish${layer}` };
  const weights = W && weightsOf(p, X, W, layer);
  const penalised = penalties.A !== undefined || penalties.S !== undefined || volume !== undefined;
  const sight: Sight = { weights, missing };
  const terms: Terms = { sight, penalties, held, simplex, volume };
  const fit: Fit = weights
    ? { loss, target: weights.W2X, mask: weights.W2, data: X, dictionary: A, ones }
    : { loss, target: X, missing, dictionary: A, ones };
  if (solver === 'anls') {
    const options = { normalize: normalize && !penalised && !held.A && !held.S && !simplex, support, violation };
    names.rounds = alternatingLeastSquares(p, layer, names, { X, A, S }, options, terms);
  } else if (solver === 'hals') coordinateSweeps(p, layer, names, { X, A, S }, terms, violation);
  else multiplicativeUpdates(p, names, fit, { X, S }, terms);
  p.section(names.measure, () => {
    const costOf = (options?: Into) =>
      loss === squared && !missing ? p.residualNorm(X, A, S, { W, ...options }) : loss.cost(p, fit, S, options);
    const withPenalties = () => (volume ? costWithVolume(p, costOf(), loss.factor, A, volume) : costOf());
    if (penalised) penalisedCost(p, withPenalties(), loss.factor, { A, S }, penalties, cost);
    else costOf({ into: cost });
  });
  p.section(names.finish, () => {
    if (error && missing) squared.cost(p, fit, S, { into: error });
    else if (error) p.residualNorm(X, A, S, { into: error, W });
    if (loss === squared) kktOfBoth(p, { X, A, S }, kkt, terms);
    // By stored entries it would take several times the memory of the fit; the host measures it (methods/objective.ts).
    else if (!byEntries(fit)) kktOfLoss(p, fit, S, kkt, terms);
  });
  return names;
}

function alternatingLeastSquares(
  p: ProgramBuilder,
  layer: number,
  names: LayerSections,
  { X, A, S }: Factors,
  { normalize, support, violation }: Pick<LayerOptions, 'normalize' | 'support' | 'violation'>,
  terms: Terms,
): Tensor | undefined {
  const { penalties, held, simplex, sight } = terms;
  const At = p.state(`At${layer}`, A.cols, A.rows);
  const rounds = held.S?.all ? undefined : p.state(`rounds${layer}`, 1, S.cols);
  const solveS = (options: { warm?: boolean; rounds?: Tensor }) => {
    if (held.S?.all) return;
    if (simplex) return solveOnSimplex(p, { X, A, S }, terms, options);
    if (!penalties.S && !held.S) return void forwardQ(p, X, A, S, { ...options, ...sight });
    const { G, B } = freeEquationsOfS(p, { X, A, S }, terms);
    p.nnls(G, B, S, options);
    if (held.S) putBack(p, S, held.S, 'S');
  };
  p.section(names.start, () => {
    if (sight.weights) weighData(p, X, sight.weights);
    if (normalize) p.normalizeColumns(A, p.gram(A), { layer });
    solveS({ warm: false });
  });
  p.section(names.step, () => {
    if (!held.A?.all) {
      const { G, B } = freeEquationsOfA(p, 'At', { X, A, S }, At, terms);
      if (violation) metBySolve(p, { G, B }, p.transpose(A), violation.A);
      p.nnls(G, B, At);
      if (support) p.hadamard(p.transpose(At), support, { into: A });
      else p.transpose(At, { into: A });
      if (held.A) putBack(p, A, held.A, 'A');
      if (normalize) p.normalizeColumns(A, p.gram(A), { layer });
    }
    if (violation) metBySolve(p, penalisedEquations(p, equationsOfS(p, { X, A }, sight), penalties.S, S), S, violation.S);
    solveS({ rounds });
  });
  return rounds;
}

/** S ← argmin ½‖W ∘ (X − AS)‖² + penalties over columns that sum to one. */
function solveOnSimplex(p: ProgramBuilder, factors: Factors, terms: Terms, options: { warm?: boolean; rounds?: Tensor }): void {
  const { G, B } = freeEquationsOfS(p, factors, terms);
  p.simplex(G, B, factors.S, options);
}

function coordinateSweeps(
  p: ProgramBuilder,
  layer: number,
  names: LayerSections,
  { X, A, S }: Factors,
  terms: Terms,
  violation: Violation | undefined,
): void {
  const { held, simplex, sight } = terms;
  const rounds = simplex ? p.state(`rounds${layer}`, 1, S.cols) : undefined;
  names.rounds = rounds;
  const sweep = (of: 'A' | 'S', F: Tensor, equations: { G: Tensor; B: Tensor }) => {
    const run = () => void p.halsUpdate(F, equations.G, equations.B, { of: of === 'A' ? 'rows' : 'columns', layer });
    if (violation) metBySweep(p, violation, of, F, equations, run);
    else run();
    if (held[of]) putBack(p, F, held[of], of);
  };
  p.section(names.start, () => {
    if (sight.weights) weighData(p, X, sight.weights);
    if (simplex) solveOnSimplex(p, { X, A, S }, terms, { warm: false });
  });
  p.section(names.step, () => {
    if (!held.A?.all) sweep('A', A, freeEquationsOfA(p, 'A', { X, A, S }, A, terms));
    if (simplex) return solveOnSimplex(p, { X, A, S }, terms, { rounds });
    if (!held.S?.all) sweep('S', S, freeEquationsOfS(p, { X, A, S }, terms));
  });
}

function multiplicativeUpdates(
  p: ProgramBuilder,
  names: LayerSections,
  fit: Fit,
  { X, S }: Pick<LayerTensors, 'X' | 'S'>,
  { penalties, held, sight }: Terms,
): void {
  p.section(names.start, () => {
    if (sight.weights) weighData(p, X, sight.weights);
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
 * at a stationary point of ‖W ∘ (X − AS)‖² / 2 + penalties, S on the simplex if it has to be. Components that are held do not count.
 */
function kktOfBoth(
  p: ProgramBuilder,
  { X, A, S }: Factors,
  [ofS, ofA]: LayerTensors['kkt'],
  { penalties, held, simplex, volume, sight: { weights, missing = false } }: Terms,
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
  const s = equationsAt(p, { G: Gs, B: Bs }, penalties.S, S);
  const a = equationsAt(p, { G: Ga, B: Ba }, withVolume(p, A, penalties.A, volume), At);
  p.reduce(p.kktResidual(s.G, held.S ? onlyFree(p, s, S, held.S) : s.B, S, { simplex }), 'maxAbs', { into: ofS });
  p.reduce(p.kktResidual(a.G, held.A ? onlyFree(p, a, At, held.A) : a.B, At), 'maxAbs', { into: ofA });
}

/** The same of another loss, by the halves of its gradient. */
function kktOfLoss(p: ProgramBuilder, fit: Fit, S: Tensor, [ofS, ofA]: LayerTensors['kkt'], { penalties, held }: Terms): void {
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
  volume?: Volume;
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
  /** Whether a step leaves the sum of projected gradients that it met. Default false. */
  violations?: boolean;
  /** How many columns of A, and rows of S, are held. */
  held?: { A: number; S: number };
  /** See LayerOptions. */
  simplex?: boolean;
  volume?: VolumeShape;
}

export function nmfProgram(N: number, M: number, k: number, options: NmfProgramOptions): NmfProgram {
  const {
    restarts,
    solver,
    weighted,
    csrEntries,
    missing = false,
    ownX = false,
    loss = squared,
    penalties: shapes = {},
    held: counts,
    violations,
    simplex,
  } = options;
  const p = programBuilder('nmf', { restarts });
  const X = ownX ? p.input('X', N, M, { batched: true }) : p.data('X', N, M, { csrEntries });
  const [A, S] = [p.state('A0', N, k), p.state('S0', k, M)];
  const another = loss !== squared || shapes.A !== undefined || shapes.S !== undefined || options.volume !== undefined;
  const tensors: LayerTensors = {
    X,
    A,
    S,
    cost: p.state('cost', 1, 1),
    kkt: kktTensors(p, 0),
    ...(another && { error: p.state('error', 1, 1) }),
  };
  const W = weighted ? weightTensor(p, X) : undefined;
  const ones = loss.ones && !weighted ? onesInputs(p, N, M) : undefined;
  const own = solver !== 'mu' && (weighted || missing);
  const penalties: Penalties = {
    ...(shapes.A && { A: penaltyInputs(p, 'A', A, shapes.A, own) }),
    ...(shapes.S && { S: penaltyInputs(p, 'S', S, shapes.S, own) }),
  };
  const held: HeldFactors = {
    ...(counts?.A && { A: heldInputs(p, 'A', A, counts.A, own) }),
    ...(counts?.S && { S: heldInputs(p, 'S', S, counts.S, own) }),
  };
  const violation = violations ? violationStates(p, A, S, { sweeps: solver === 'hals' }) : undefined;
  const volume = options.volume && volumeInputs(p, A, options.volume, own);
  const sections = layerSections(p, 0, tensors, solver, { W, missing, loss, ones, penalties, held, violation, simplex, volume });
  return { program: p.build(), sections, W, ones, penalties, held, violation, volume, ...tensors };
}
