/**
 * Hierarchical NMF: X ≈ A⁰S⁰, then S⁰ ≈ A¹S¹, and so on. Each layer is fitted to the end before the next begins. Columns of A have unit
 * norm, and their scale is in S; otherwise the deeper layers scatter.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { type Loss, type Ones, onesInputs, squared } from './losses.js';
import { kktTensors, type LayerSections, type LayerTensors, layerSections, type NmfSolver } from './nmf.js';
import { type Penalties, type PenaltyShape, penaltyInputs } from './penalties.js';
import { weightTensor } from './q.js';
import { classifierState, type LabelTensors, labelInputs, ssnmfModels, supervisedSections } from './ssnmf.js';

export interface Layers {
  X: Tensor;
  A: Tensor[];
  S: Tensor[];
}

/** The tensors of a multilayer factorization X ≈ A⁰A¹…AᴸSᴸ: A⁰ N×k₀, Aˡ k_{l−1}×k_l, Sˡ k_l×M; X is CSR where `csrEntries` are given. */
export function layerTensors(p: ProgramBuilder, N: number, M: number, ranks: readonly number[], csrEntries?: number): Layers {
  return {
    X: p.data('X', N, M, { csrEntries }),
    A: ranks.map((k, l) => p.state(`A${l}`, l === 0 ? N : ranks[l - 1], k)),
    S: ranks.map((k, l) => p.state(`S${l}`, k, M)),
  };
}

export interface SequentialFit {
  layers: LayerSections[];
  /** Cost of each layer's own problem, and the KKT residuals of its factors, all 1×1. */
  cost: Tensor[];
  kkt: [Tensor, Tensor][];
  /** The tensors that supervised layers add; Y and L are the same inputs in all of them. */
  classifiers: { layer: number; labels: LabelTensors }[];
  /** Whether a layer leaves the columns of its A at any norm: those of all solvers but 'anls', and all with `normalize` off. */
  scaled: boolean[];
  /** Of the layers whose loss needs them. */
  ones: Ones[];
  /** Of each layer. */
  penalties: Penalties[];
}

export interface SequentialOptions {
  /** Alternating least squares brings the columns of A to unit norm in every step; default true. */
  normalize?: boolean;
  supervision?: { classes: number; labelWeight: number; layers: readonly number[] };
  /** Weights on X, for the first layer. */
  W?: Tensor;
  /** Of the first layer: see LayerOptions. */
  support?: Tensor;
  /** Of every layer without labels; default: squared. */
  loss?: Loss;
  /** Of each layer without labels. */
  penalties?: readonly { A?: PenaltyShape; S?: PenaltyShape }[];
}

/** Sections that fit one layer after the other, each to the S of the one before; supervised layers by model 3 of supervised NMF. */
export function sequentialSections(
  p: ProgramBuilder,
  { X, A, S }: Layers,
  solver: NmfSolver | readonly NmfSolver[],
  { normalize = true, supervision, W, support, loss = squared, penalties: shapes = [] }: SequentialOptions = {},
): SequentialFit {
  const cost = A.map((_, l) => p.state(`cost${l}`, 1, 1));
  const kkt = A.map((_, l) => kktTensors(p, l));
  const inputs = supervision && labelInputs(p, supervision.classes, X.cols);
  const fit: SequentialFit = { layers: [], cost, kkt, classifiers: [], scaled: [], ones: [], penalties: [] };
  A.forEach((_, l) => {
    const tensors: LayerTensors = { X: l === 0 ? X : S[l - 1], A: A[l], S: S[l], cost: cost[l], kkt: kkt[l] };
    const own = typeof solver === 'string' ? solver : solver[l];
    const supervised = supervision?.layers.includes(l) ?? false;
    fit.scaled.push(supervised || own !== 'anls' || !normalize);
    if (supervised) {
      const labels = classifierState(p, inputs!, l, A[l].cols);
      fit.classifiers.push({ layer: l, labels });
      const error = p.state(`ownError${l}`, 1, 1);
      fit.layers.push(
        supervisedSections(p, l, { ...tensors, error, labels }, { losses: ssnmfModels[3], labelWeight: supervision!.labelWeight }),
      );
    } else {
      const weights = l === 0 ? W : undefined;
      const ones = loss.ones && !weights ? onesInputs(p, tensors.X.rows, tensors.X.cols, String(l)) : undefined;
      if (ones) fit.ones.push(ones);
      const grams = own !== 'mu' && weights !== undefined;
      const { A: ofA, S: ofS } = shapes[l] ?? {};
      const penalties: Penalties = {
        ...(ofA && { A: penaltyInputs(p, 'A', A[l], ofA, grams) }),
        ...(ofS && { S: penaltyInputs(p, 'S', S[l], ofS, grams) }),
      };
      fit.penalties.push(penalties);
      const first = l === 0 ? { W, support } : {};
      fit.layers.push(layerSections(p, l, tensors, own, { normalize, loss, ones, penalties, ...first }));
    }
  });
  return fit;
}

/** Section 'errors': squared residual norms ‖W ∘ (X − A⁰A¹…AˡSˡ)‖² of every depth, each a 1×1 state. */
export function errorSection(p: ProgramBuilder, { X, A, S }: Layers, W?: Tensor): Tensor[] {
  const errors = A.map((_, l) => p.state(`error${l}`, 1, 1));
  p.section('errors', () => {
    for (let l = 0; l < A.length; l++) {
      let Z = S[l];
      for (let j = l; j > 0; j--) Z = p.matmul(A[j], Z);
      p.residualNorm(X, A[0], Z, { into: errors[l], W });
    }
  });
  return errors;
}

export interface HierarchicalProgram extends Layers, SequentialFit {
  program: Program;
  W?: Tensor;
  errors: Tensor[];
}

export function hierarchicalProgram(
  N: number,
  M: number,
  ranks: readonly number[],
  {
    restarts,
    solver,
    csrEntries,
    weighted = false,
    ...options
  }: { restarts: number; solver: NmfSolver | readonly NmfSolver[]; csrEntries?: number; weighted?: boolean } & Omit<SequentialOptions, 'W'>,
): HierarchicalProgram {
  const p = programBuilder('hierarchicalNmf', { restarts });
  const layers = layerTensors(p, N, M, ranks, csrEntries);
  const W = weighted ? weightTensor(p, layers.X) : undefined;
  const fit = sequentialSections(p, layers, solver, { ...options, W });
  const errors = errorSection(p, layers, W);
  return { program: p.build(), ...layers, ...fit, W, errors };
}
