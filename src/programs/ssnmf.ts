/**
 * (Semi-)supervised NMF as program sections: factors that fit X ≈ AS and labels Y ≈ BS at once, with multiplicative updates.
 * Haddock, Kassab, Li, Kryshchenko, Grotheer, Sizikova, Wang, Merkh, Madushani, Ahn, Needell, Leonard: Semi-supervised NMF models for
 * topic modeling in learning tasks, arXiv:2010.07956; model 3 is that of Lee, Yoo & Choi, IEEE Signal Processing Letters 2010.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import {
  coefficientSplit,
  dictionaryResidual,
  dictionarySplit,
  divergence,
  type Fit,
  type Loss,
  naturalResidual,
  type Ones,
  onesInputs,
  type Split,
  squared,
  updateBy,
} from './losses.js';
import type { LayerSections, LayerTensors } from './nmf.js';
import { type Penalty, type PenaltyShape, penalisedCost, penalisedSplit, penaltyInputs } from './penalties.js';
import { weightTensor } from './q.js';

/** The losses of X and of Y. */
export interface SsnmfLosses {
  data: Loss;
  labels: Loss | null;
}

/** The list of models. Users can choose every model that is added here. */
export const ssnmfModels = {
  1: { data: squared, labels: null },
  2: { data: divergence, labels: null },
  3: { data: squared, labels: squared },
  4: { data: squared, labels: divergence },
  5: { data: divergence, labels: squared },
  6: { data: divergence, labels: divergence },
} as const satisfies Record<number, SsnmfLosses>;

export type SsnmfModel = keyof typeof ssnmfModels;

export interface SupervisedTensors extends LayerTensors {
  /** Data mask, N×M of zeros and ones. */
  W?: Tensor;
  /** ‖W∘(X − AS)‖² for every model; 1×1, refreshed by 'finish'. */
  error: Tensor;
  labels?: LabelTensors;
}

/** Y and L are inputs that all layers share; every supervised layer has a B of its own. */
export interface LabelTensors {
  /** P×M one-hot; zero columns are unlabelled. */
  Y: Tensor;
  /** P×M label mask. */
  L: Tensor;
  /** P×k classifier. */
  B: Tensor;
  /** The label term without λ, 1×1. */
  loss: Tensor;
}

/** Inputs Y and L. */
export function labelInputs(p: ProgramBuilder, classes: number, M: number): { Y: Tensor; L: Tensor } {
  return { Y: p.input('Y', classes, M), L: p.input('L', classes, M) };
}

/** The classifier of layer l and the tensor its loss is measured into. */
export function classifierState(p: ProgramBuilder, inputs: { Y: Tensor; L: Tensor }, layer: number, k: number): LabelTensors {
  return { ...inputs, B: p.state(`B${layer}`, inputs.Y.rows, k), loss: p.state(`loss${layer}`, 1, 1) };
}

/**
 * Writes the sections that fit A, B and S by the losses of one model. One iteration updates A, then B, then S, each with the newest others:
 *
 *     A, B   D ← D ∘ minus / plus     of their own fit: dictionarySplit
 *     S      S ← S ∘ Σ minus / Σ plus  over the fits of X (once; twice in model 4) and of Y (λ times; 2λ in model 5)
 *
 * Halves of the squared loss stand for half its gradient, hence the 2 beside a divergence. Without a mask, models 1 and 3 never form AS.
 * Updates cannot leave exact zeros.
 */
export function supervisedSections(
  p: ProgramBuilder,
  layer: number,
  { X, A, S, W, cost, error, kkt, labels }: SupervisedTensors,
  { losses, labelWeight, ones }: { losses: SsnmfLosses; labelWeight: number; ones?: Ones },
): LayerSections {
  const names: LayerSections = { start: `start${layer}`, step: `step${layer}`, measure: `measure${layer}`, finish: `finish${layer}` };
  const WX = W ? p.state(`WX${layer}`, X.rows, X.cols, { shared: X.batch === 1 }) : X;
  const fitX: Fit = { loss: losses.data, target: WX, mask: W, dictionary: A, ones };
  const fitY: Fit | undefined =
    losses.labels && labels ? { loss: losses.labels, target: labels.Y, mask: labels.L, dictionary: labels.B } : undefined;

  const coefficients = (): Split => {
    if (!fitY) return coefficientSplit(p, fitX, S);
    // Of a factor that both gradients have, only the quotient matters.
    const common = Math.min(fitX.loss.factor, fitY.loss.factor);
    const ofX = coefficientSplit(p, fitX, S, fitX.loss.factor / common);
    return coefficientSplit(p, fitY, S, (fitY.loss.factor / common) * labelWeight, ofX);
  };

  p.section(names.start, () => {
    if (W) p.hadamard(W, X, { into: WX });
  });
  p.section(names.step, () => {
    for (const fit of fitY ? [fitX, fitY] : [fitX]) updateBy(p, fit.dictionary, dictionarySplit(p, fit, S), { power: fit.loss.power });
    // Losses with an exponent of their own are not among those that share S with labels.
    updateBy(p, S, coefficients(), { power: fitX.loss.power });
  });
  p.section(names.measure, () => {
    if (!fitY) p.copy(fitX.loss.cost(p, fitX, S), cost);
    else {
      p.copy(fitY.loss.cost(p, fitY, S), labels!.loss);
      p.combine(1, fitX.loss.cost(p, fitX, S), labelWeight, labels!.loss, { into: cost });
    }
  });
  p.section(names.finish, () => {
    p.residualNorm(WX, A, S, { into: error, W });
    naturalResidual(p, p.gram(A), S, coefficients(), kkt[0]);
    dictionaryResidual(p, fitX, S, kkt[1]);
  });
  return names;
}

export interface SsnmfProgram extends SupervisedTensors {
  program: Program;
  sections: LayerSections;
  /** Inputs that the host fills with ones, where the loss of X needs them. */
  ones?: Ones;
}

export interface SsnmfProgramOptions {
  restarts: number;
  model: SsnmfModel;
  /** λ; models 1 and 2 have none. */
  labelWeight?: number;
  /** P, the number of rows of Y; models 3 to 6. */
  classes?: number;
  /** With a data mask W. */
  masked: boolean;
  /** Stored entries of a sparse X: without mask, and models 1, 3 and 4 only, since a divergence forms AS. */
  csrEntries?: number;
}

/** Sections 'start0', 'step0' (one iteration), 'measure0' (objective), 'finish0' (error of the data, KKT residuals): supervisedSections. */
export function ssnmfProgram(N: number, M: number, k: number, options: SsnmfProgramOptions): SsnmfProgram {
  const { restarts, model, labelWeight = 1, classes, masked } = options;
  const p = programBuilder('ssnmf', { restarts });
  const losses = ssnmfModels[model];
  const X = p.data('X', N, M, { csrEntries: options.csrEntries });
  const tensors: SupervisedTensors = {
    X,
    W: masked ? weightTensor(p, X) : undefined,
    A: p.state('A0', N, k),
    S: p.state('S0', k, M),
    cost: p.state('cost', 1, 1),
    error: p.state('error', 1, 1),
    kkt: [p.state('kktS0', 1, 1), p.state('kktA0', 1, 1)],
    labels: losses.labels ? classifierState(p, labelInputs(p, classes!, M), 0, k) : undefined,
  };
  const ones = losses.data.ones && !masked ? onesInputs(p, N, M) : undefined;
  const sections = supervisedSections(p, 0, tensors, { losses, labelWeight, ones });
  return { program: p.build(), sections, ones, ...tensors };
}

export interface LossTransformProgram {
  program: Program;
  /** W²∘X, or X. */
  X: Tensor;
  /** W² and, beside it, X itself. */
  W?: Tensor;
  data?: Tensor;
  A: Tensor;
  S: Tensor;
  ones?: Ones;
  penalty?: Penalty;
  cost: Tensor;
}

export interface LossTransformOptions {
  masked?: boolean;
  csrEntries?: number;
  penalty?: PenaltyShape;
}

/**
 * S ← S ∘ ([Aᵀminus] / [Aᵀplus + λ₁ + λ₂ S])^γ for a fixed A, of the divergence S ← S ∘ [Aᵀ(X/(AS))] / [Aᵀ1]: argmin_{S ≥ 0} D(X ‖ AS),
 * which is convex in S. Sections 'step' and 'measure'.
 */
export function lossTransformProgram(
  N: number,
  M: number,
  k: number,
  loss: Loss,
  options: LossTransformOptions = {},
): LossTransformProgram {
  const { masked = false, csrEntries, penalty: shape } = options;
  const p = programBuilder('lossTransform');
  const X = p.input('X', N, M, { csrEntries });
  const A = p.input('A', N, k);
  const S = p.state('S', k, M);
  const cost = p.state('cost', 1, 1);
  const ones = loss.ones && !masked ? onesInputs(p, N, M) : undefined;
  const data = masked ? p.input('data', N, M) : undefined;
  const W = data && weightTensor(p, data);
  const penalty = shape && penaltyInputs(p, 'S', S, shape, false);
  const fit: Fit = { loss, target: X, mask: W, data, dictionary: A, ones };
  p.section('step', () => updateBy(p, S, penalisedSplit(p, 'S', S, coefficientSplit(p, fit, S), penalty), { power: loss.power }));
  p.section('measure', () => penalisedCost(p, loss.cost(p, fit, S), loss.factor, { A, S }, { S: penalty }, cost));
  return { program: p.build(), X, W, data, A, S, ones, penalty, cost };
}
