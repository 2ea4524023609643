/**
 * (Semi-)supervised NMF as program sections: factors that fit X ≈ AS and labels Y ≈ BS at once, with multiplicative updates.
 * Haddock, Kassab, Li, Kryshchenko, Grotheer, Sizikova, Wang, Merkh, Madushani, Ahn, Needell, Leonard: Semi-supervised NMF models for
 * topic modeling in learning tasks, arXiv:2010.07956; model 3 is that of Lee, Yoo & Choi, IEEE Signal Processing Letters 2010.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import type { LayerSections, LayerTensors } from './nmf.js';

export type SsnmfModel = 1 | 2 | 3 | 4 | 5 | 6;

/** How each model measures its fit of X and of Y, and how often the two terms stand in the update of S (½∇‖·‖² and ∇D are as they come). */
export const ssnmfModels = {
  1: { data: 'frobenius', labels: null, scaleData: 1, scaleLabels: 0 },
  2: { data: 'divergence', labels: null, scaleData: 1, scaleLabels: 0 },
  3: { data: 'frobenius', labels: 'frobenius', scaleData: 1, scaleLabels: 1 },
  4: { data: 'frobenius', labels: 'divergence', scaleData: 2, scaleLabels: 1 },
  5: { data: 'divergence', labels: 'frobenius', scaleData: 1, scaleLabels: 2 },
  6: { data: 'divergence', labels: 'divergence', scaleData: 1, scaleLabels: 1 },
} as const;

/** ε of every denominator; the one in multiplicativeUpdate is the same. */
const epsilon = 1e-10;

/** How well D S fits a target: ‖M∘Z − M∘(DS)‖² or D(M∘Z ‖ M∘DS). */
export interface Fit {
  measure: 'frobenius' | 'divergence';
  /** M∘Z. */
  target: Tensor;
  /** M of zeros and ones; all ones when left out. */
  mask?: Tensor;
  dictionary: Tensor;
}

/** A gradient split in parts ≥ 0: up to a common factor it is `plus` − `minus`, and the update multiplies by minus / plus. */
export interface Split {
  minus: Tensor;
  plus: Tensor;
}

/** Columns of ones, for the sums that stand where a mask would: 1Sᵀ and Aᵀ1 of the divergence. */
interface Ones {
  N: Tensor;
  M: Tensor;
}

/** ((M∘Z) / (M∘(DS)) ∘ M). */
function quotient(p: ProgramBuilder, { target, mask, dictionary }: Fit, S: Tensor): Tensor {
  return mask
    ? p.map('weightedQuotient', [target, p.matmul(dictionary, S, { hadamard: mask }), mask], { p: epsilon })
    : p.map('quotient', [target, p.matmul(dictionary, S)], { p: epsilon });
}

/**
 *     ‖·‖²:  minus (M∘Z)Sᵀ                 plus (M∘(DS))Sᵀ, without mask D(SSᵀ)
 *     D:     minus ((M∘Z)/(M∘(DS))∘M)Sᵀ    plus MSᵀ
 */
export function dictionarySplit(p: ProgramBuilder, fit: Fit, S: Tensor, ones?: Ones): Split {
  const { measure, target, mask, dictionary } = fit;
  if (measure === 'divergence') {
    const minus = p.matmul(quotient(p, fit, S), T(S));
    return { minus, plus: mask ? p.matmul(mask, T(S)) : p.matmul(ones!.N, p.matmul(T(ones!.M), T(S))) };
  }
  const minus = p.matmul(target, T(S));
  const plus = mask ? p.matmul(p.matmul(dictionary, S, { hadamard: mask }), T(S)) : p.matmul(dictionary, p.gram(S, 'rows'));
  return { minus, plus };
}

/**
 *     ‖·‖²:  minus Dᵀ(M∘Z)                 plus Dᵀ(M∘(DS)), without mask (DᵀD)S
 *     D:     minus Dᵀ((M∘Z)/(M∘(DS))∘M)    plus DᵀM
 *
 * each times `scale`, and added to what another fit contributes.
 */
export function coefficientSplit(p: ProgramBuilder, fit: Fit, S: Tensor, scale: number, ones?: Ones, other?: Split): Split {
  const { measure, target, mask, dictionary } = fit;
  const minus = { scale, add: other?.minus };
  const plus = { scale, add: other?.plus };
  if (measure === 'divergence') {
    return {
      minus: p.matmul(T(dictionary), quotient(p, fit, S), minus),
      plus: mask ? p.matmul(T(dictionary), mask, plus) : p.matmul(p.matmul(T(dictionary), ones!.N), T(ones!.M), plus),
    };
  }
  return {
    minus: p.matmul(T(dictionary), target, minus),
    plus: mask ? p.matmul(T(dictionary), p.matmul(dictionary, S, { hadamard: mask }), plus) : p.matmul(p.gram(dictionary), S, plus),
  };
}

/** ‖M∘Z − M∘(DS)‖² or D(M∘Z ‖ M∘DS), 1×1. Rounding can make a sum of divergences negative; it is kept at 0 then. */
function measured(p: ProgramBuilder, { measure, target, mask, dictionary }: Fit, S: Tensor): Tensor {
  // The target is masked already, and a mask of zeros and ones is its own square.
  if (measure === 'frobenius') return p.residualNorm(target, dictionary, S, { W: mask });
  const entries = p.map('divergence', [target, p.matmul(dictionary, S, mask ? { hadamard: mask } : {})], { p: epsilon });
  return p.map('positive', [p.reduce(entries, 'sum')]);
}

/**
 * Largest natural residual |min(g_jj f_j, ∇_j)| of any column of F ≥ 0 where ∇ = plus − minus. The operation takes a gradient as GF − b;
 * with b = GF − ∇ it serves any objective, and G only scales.
 */
export function naturalResidual(p: ProgramBuilder, G: Tensor, F: Tensor, { minus, plus }: Split, into: Tensor): void {
  const b = p.matmul(G, F, { add: p.combine(1, minus, -1, plus) });
  p.reduce(p.kktResidual(G, b, F), 'maxAbs', { into });
}

export interface SupervisedTensors extends LayerTensors {
  /** Data mask, N×M of zeros and ones. */
  W?: Tensor;
  /** ‖W∘(X − AS)‖², whatever the model measures; 1×1, refreshed by 'finish'. */
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
 * Writes the sections that fit A, B and S by one of the six models. One iteration updates A, then B, then S, each with the newest others:
 *
 *     A, B   D ← D ∘ minus / (plus + ε)     of their own fit: dictionarySplit
 *     S      S ← S ∘ Σ minus / (Σ plus + ε)  over the fits of X (once; twice in model 4) and of Y (λ times; 2λ in model 5)
 *
 * Without a mask, models 1 and 3 never form AS. Updates cannot leave exact zeros.
 */
export function supervisedSections(
  p: ProgramBuilder,
  layer: number,
  { X, A, S, W, cost, error, kkt, labels }: SupervisedTensors,
  { model, labelWeight, ones }: { model: SsnmfModel; labelWeight: number; ones?: Ones },
): LayerSections {
  const names: LayerSections = { start: `start${layer}`, step: `step${layer}`, measure: `measure${layer}`, finish: `finish${layer}` };
  const { data, labels: ofLabels, scaleData, scaleLabels } = ssnmfModels[model];
  const WX = W ? p.state(`WX${layer}`, X.rows, X.cols, { shared: X.batch === 1 }) : X;
  const fitX: Fit = { measure: data, target: WX, mask: W, dictionary: A };
  const fitY: Fit | undefined =
    ofLabels && labels ? { measure: ofLabels, target: labels.Y, mask: labels.L, dictionary: labels.B } : undefined;

  const coefficients = (): Split => {
    const ofX = coefficientSplit(p, fitX, S, scaleData, ones);
    return fitY ? coefficientSplit(p, fitY, S, scaleLabels * labelWeight, ones, ofX) : ofX;
  };

  p.section(names.start, () => {
    if (W) p.hadamard(W, X, { into: WX });
  });
  p.section(names.step, () => {
    for (const fit of fitY ? [fitX, fitY] : [fitX]) {
      const { minus, plus } = dictionarySplit(p, fit, S, ones);
      p.multiplicativeUpdate(fit.dictionary, minus, plus);
    }
    const { minus, plus } = coefficients();
    p.multiplicativeUpdate(S, minus, plus);
  });
  p.section(names.measure, () => {
    if (!fitY) p.copy(measured(p, fitX, S), cost);
    else {
      p.copy(measured(p, fitY, S), labels!.loss);
      p.combine(1, measured(p, fitX, S), labelWeight, labels!.loss, { into: cost });
    }
  });
  p.section(names.finish, () => {
    p.residualNorm(WX, A, S, { into: error, W });
    naturalResidual(p, p.gram(A), S, coefficients(), kkt[0]);
    const ofA = dictionarySplit(p, fitX, S, ones);
    naturalResidual(p, p.gram(S, 'rows'), p.transpose(A), { minus: p.transpose(ofA.minus), plus: p.transpose(ofA.plus) }, kkt[1]);
  });
  return names;
}

export interface SsnmfProgram extends SupervisedTensors {
  program: Program;
  sections: LayerSections;
  /** N×1 and M×1 inputs that the host fills with ones; only the divergence without mask needs them. */
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
  const supervised = ssnmfModels[model].labels !== null;
  const tensors: SupervisedTensors = {
    X: p.data('X', N, M, { csrEntries: options.csrEntries }),
    W: masked ? p.input('W', N, M) : undefined,
    A: p.state('A0', N, k),
    S: p.state('S0', k, M),
    cost: p.state('cost', 1, 1),
    error: p.state('error', 1, 1),
    kkt: [p.state('kktS0', 1, 1), p.state('kktA0', 1, 1)],
    labels: supervised ? classifierState(p, labelInputs(p, classes!, M), 0, k) : undefined,
  };
  const ones = ssnmfModels[model].data === 'divergence' && !masked ? { N: p.input('onesN', N, 1), M: p.input('onesM', M, 1) } : undefined;
  const sections = supervisedSections(p, 0, tensors, { model, labelWeight, ones });
  return { program: p.build(), sections, ones, ...tensors };
}

export interface DivergenceTransformProgram {
  program: Program;
  X: Tensor;
  A: Tensor;
  S: Tensor;
  ones: Ones;
  cost: Tensor;
}

/** S ← S ∘ [Aᵀ(X/(AS))] / [Aᵀ1] for a fixed A: argmin_{S ≥ 0} D(X ‖ AS), which is convex in S. Sections 'step' and 'measure'. */
export function divergenceTransformProgram(N: number, M: number, k: number): DivergenceTransformProgram {
  const p = programBuilder('ssnmfTransform');
  const X = p.input('X', N, M);
  const A = p.input('A', N, k);
  const S = p.state('S', k, M);
  const cost = p.state('cost', 1, 1);
  const ones = { N: p.input('onesN', N, 1), M: p.input('onesM', M, 1) };
  const fit: Fit = { measure: 'divergence', target: X, dictionary: A };
  p.section('step', () => {
    const { minus, plus } = coefficientSplit(p, fit, S, 1, ones);
    p.multiplicativeUpdate(S, minus, plus);
  });
  p.section('measure', () => p.copy(measured(p, fit, S), cost));
  return { program: p.build(), X, A, S, ones, cost };
}
