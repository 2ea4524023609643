/**
 * Neural NMF (Gao, Haddock, Molitor, Needell, Sadovnik, Will, Zhang; CAMSAP 2019, arXiv:2303.00058). The feature matrices A⁰ … Aᴸ are
 * the only free variables: S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ). All Aˡ learn together on the objective of neural-cost.ts, by default
 *
 *     C = ‖X − A⁰A¹ … AᴸSᴸ‖²
 *
 * by projected gradient, the gradient flowing through every q exactly.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { acceptStart, controlledStep, type Evaluated, type Variable, variable } from './controlled-step.js';
import { errorSection, type Layers, layerTensors, type SequentialFit, sequentialSections } from './hierarchical.js';
import { type ClassifierTensors, type CostWeights, costAndGradient, fitClassifier, type Terms } from './neural-cost.js';
import { forwardQ, weighData, weightsOf, weightTensor } from './q.js';

/**
 * The step rules. 'projected': projected gradient whose step is controlled on the device (all columns only). 'momentum': rate and momentum
 * in the same diagonal metric. 'adam': Adam (Kingma & Ba) on the plain gradient.
 */
export type Optimiser = { name: 'projected' } | { name: 'momentum'; rate: number; momentum: number } | { name: 'adam'; rate: number };

export interface ClassifierSpec {
  layer: number;
  loss: 'squared' | 'crossEntropy';
  weight: number;
  classes: number;
  labelled: number;
}

export interface NeuralProgramOptions {
  restarts: number;
  /** Stored entries of a sparse X: it has no weights and no mini-batches then. */
  csrEntries?: number;
  start: 'hierarchical' | 'random';
  cost?: Partial<CostWeights>;
  /** X has weights W: an input of its own. */
  weighted?: boolean;
  classifiers?: readonly ClassifierSpec[];
  /** Entries of A⁰ outside a support stay 0: an input of its own, 1 in the support. */
  supported?: boolean;
  optimiser?: Optimiser;
  /** Columns of a mini-batch; left out, every step sees all. Not with 'projected'. */
  batchColumns?: number;
  /** The relative fall of C in a step that ends a fit: changes as small are seen. At 0 all are that f32 shows. Default 1e-5. */
  tolerance?: number;
}

/** The default weights: the deepest reconstruction alone. */
export function lastLevel(layers: number): number[] {
  return Array.from({ length: layers }, (_, l) => (l === layers - 1 ? 1 : 0));
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
  classifiers: ClassifierTensors[];
  W?: Tensor;
  /** N×k₀ */
  support?: Tensor;
  /** 1×M permutation of the columns that mini-batches walk through. */
  order?: Tensor;
  /** With momentum and Adam: C of all columns as 'measure' leaves it. */
  objective?: Tensor;
  /** Sections that start from hierarchical NMF. */
  sequential?: SequentialFit;
}

/**
 * Sections: 'start' evaluates the given A; 'step' is one iteration, with 'projected' that of controlled-step.ts; 'finish' makes S exact for
 * the accepted A and measures the KKT residuals.
 */
export function neuralProgram(N: number, M: number, ranks: readonly number[], options: NeuralProgramOptions): NeuralProgram {
  const { restarts, start, weighted = false, optimiser = { name: 'projected' }, tolerance = 1e-5 } = options;
  const p = programBuilder('neuralNmf', { restarts });
  const layers = layerTensors(p, N, M, ranks, options.csrEntries);
  const { X, A, S } = layers;
  const weights: CostWeights = {
    reconstruction: options.cost?.reconstruction ?? lastLevel(ranks.length),
    energy: options.cost?.energy ?? ranks.map(() => 0),
    l1: options.cost?.l1 ?? ranks.map(() => 0),
  };
  const control = p.controlState();
  const classifiers = (options.classifiers ?? []).map((spec, c) => classifierTensors(p, spec, c, ranks, M));
  const W = weighted ? weightTensor(p, X) : undefined;
  const mask = W && weightsOf(p, X, W);
  const support = options.supported ? p.input('support', N, ranks[0]) : undefined;
  const terms: Terms = { X, mask, weights, classifiers, fall: tolerance || undefined };
  const variables = [...A, ...classifiers.filter(({ loss }) => loss === 'crossEntropy').map(({ B }) => B)].map((value, i) =>
    variable(p, value, i, { rowMetric: i > 0 && i < ranks.length }),
  );

  const sequential = start === 'hierarchical' ? sequentialSections(p, layers, 'anls', { W, support }) : undefined;
  p.section('start', () => {
    if (mask) weighData(p, X, mask);
    acceptStart(p, variables, evaluate(p, terms, A, S, false), control);
  });
  const descent = optimiser.name === 'projected' ? undefined : freeDescent(p, options, optimiser, terms, A, S, variables, control, support);
  if (!descent) {
    p.section('step', () => {
      const evaluateAt = (trialOf: (value: Tensor) => Tensor) => {
        const free = terms.classifiers.map((own) => (own.loss === 'crossEntropy' ? { ...own, B: trialOf(own.B) } : own));
        return evaluate(p, { ...terms, classifiers: free }, A.map(trialOf), S, true);
      };
      // The metric is diagonal, so cutting to the support is its projection, too.
      controlledStep(p, variables, control, evaluateAt, (trial, i) => (support && i === 0 ? p.hadamard(trial, support) : trial));
    });
  }

  const rounds = A.map((_, l) => p.state(`roundsOf${l}`, 1, M));
  const kkt = A.map((_, l) => p.state(`kkt${l}`, 1, 1));
  p.section('finish', () => {
    for (let l = 0; l < A.length; l++) {
      const { G, B } = solveLayer(p, terms, A, S, l, { rounds: rounds[l] });
      p.reduce(p.kktResidual(G, B, S[l]), 'maxAbs', { into: kkt[l] });
    }
    for (const { loss, layer, Y, mask: labelled, B } of classifiers) if (loss === 'squared') fitClassifier(p, S[layer], Y, labelled, B);
  });
  const view = S.map((s, l) => p.state(`view${l}`, s.rows, s.cols));
  p.section('view', () => {
    // Cold: what is seen must not depend on how often one has looked.
    for (let l = 0; l < A.length; l++) solveLayer(p, terms, A, view, l, { warm: false });
  });
  const errors = errorSection(p, layers, W);
  const D = variables.slice(0, A.length).map((own) => own.D);
  return { program: p.build(), ...layers, control, D, errors, view, kkt, rounds, classifiers, W, support, ...descent, sequential };
}

function classifierTensors(p: ProgramBuilder, spec: ClassifierSpec, c: number, ranks: readonly number[], M: number): ClassifierTensors {
  const { layer, loss, weight, classes, labelled } = spec;
  const k = ranks[layer];
  const input = (label: string, rows: number) => p.input(`${label}${c}`, rows, M);
  return {
    layer,
    loss,
    weight,
    labelled,
    Y: input('Y', classes),
    L: input('L', classes),
    mask: input('labelled', k),
    B: p.state(`B${c}`, classes, k),
  };
}

function solveLayer(
  p: ProgramBuilder,
  { X, mask, weights }: Terms,
  A: readonly Tensor[],
  S: readonly Tensor[],
  l: number,
  options: { rounds?: Tensor; warm?: boolean } = {},
) {
  return forwardQ(p, l === 0 ? X : S[l - 1], A[l], S[l], { ...options, l1: weights.l1[l], weights: l === 0 ? mask : undefined });
}

function evaluate(p: ProgramBuilder, terms: Terms, A: readonly Tensor[], S: readonly Tensor[], warm: boolean): Evaluated {
  const { cost, D, Q, M, classifiers } = costAndGradient(p, terms, A, S, warm);
  return { cost, gradients: [...D.map((own, l) => ({ D: own, Q: Q[l], M: M[l] })), ...classifiers] };
}

/** 'step' and 'measure' of the optimisers that keep every step, on all columns or on mini-batches. */
function freeDescent(
  p: ProgramBuilder,
  { batchColumns }: NeuralProgramOptions,
  optimiser: Exclude<Optimiser, { name: 'projected' }>,
  terms: Terms,
  A: readonly Tensor[],
  S: readonly Tensor[],
  variables: readonly Variable[],
  control: Tensor,
  support?: Tensor,
): { objective: Tensor; order?: Tensor } {
  const objective = p.state('objective', 1, 1);
  const order = batchColumns ? p.input('order', 1, terms.X.cols, { batched: true }) : undefined;
  const first = variables.map(({ value }) => p.state(`${value.name}first`, value.rows, value.cols));
  const second = optimiser.name === 'adam' ? variables.map(({ value }) => p.state(`${value.name}second`, value.rows, value.cols)) : [];
  const batchS = batchColumns ? S.map((s, l) => p.state(`batchS${l}`, s.rows, batchColumns)) : S;
  p.section('step', () => {
    const seen = batchColumns && order ? batchOf(p, terms, order, control, batchColumns) : terms;
    // A mini-batch meets other columns every time: there is nothing to start warm from.
    const { cost, gradients } = evaluate(p, seen, A, batchS, !batchColumns);
    variables.forEach(({ value }, i) => {
      const { D, Q, M } = gradients[i];
      if (optimiser.name === 'adam') p.adamStep(value, [first[i], second[i]], D, control, { rate: optimiser.rate });
      else p.momentumStep(value, first[i], p.metricScale(D, Q, { M }), { rate: optimiser.rate, momentum: optimiser.momentum });
    });
    if (support) p.copy(p.hadamard(A[0], support), A[0]);
    p.countIteration(cost, control);
  });
  p.section('measure', () => {
    p.copy(costAndGradient(p, terms, A, S, true).cost, objective);
  });
  return { objective, order };
}

/** The same terms on the columns of one mini-batch. */
function batchOf(p: ProgramBuilder, terms: Terms, order: Tensor, control: Tensor, count: number): Terms {
  const take = (tensor: Tensor) => p.takeColumns(tensor, order, control, count);
  const { X, mask, classifiers } = terms;
  return {
    ...terms,
    X: take(X),
    mask: mask && { W: take(mask.W), W2: take(mask.W2), W2X: take(mask.W2X) },
    classifiers: classifiers.map((own) => ({
      ...own,
      Y: take(own.Y),
      L: take(own.L),
      mask: take(own.mask),
      labelled: Math.max(1, (own.labelled * count) / X.cols),
    })),
  };
}
