/**
 * Deep sparse coding networks (Sun, Nasrabadi, Tran: Supervised deep sparse coding networks, 2017, arXiv:1701.08349): every layer codes
 * the output of the layer before,
 *
 *     Sˡ = argmin_{S ≥ 0} ½‖Sˡ⁻¹ − DˡS‖² + λ_l 1ᵀS 1        column by column, S⁻¹ = X
 *
 * with dictionaries Dˡ that are free in sign (columns of norm ≤ 1) and codes that are not. Dˡ, λ_l and the classifier B learn together on
 *
 *     C = (w/M) ‖X − D⁰D¹…DᴸSᴸ‖² + (v/n) Σ_{labelled c} −log softmax(B Sᴸ)_{class(c), c}          n labelled columns
 *
 * by stochastic gradient, the gradient flowing exactly through every code.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { errorSection, type Layers, layerTensors } from './hierarchical.js';
import type { Optimiser } from './neural.js';

/** One layer's problem as the forward pass left it. */
export interface Coded {
  Y: Tensor;
  D: Tensor;
  S: Tensor;
  /** DᵀD, DᵀY and DᵀY − λ. */
  G: Tensor;
  DtY: Tensor;
  b: Tensor;
}

/** S ← argmin_{S ≥ 0} ½‖Y − DS‖² + λ 1ᵀS 1: the exact nonnegative least squares of G = DᵀD with DᵀY − λ for DᵀY. */
export function forwardCode(
  p: ProgramBuilder,
  Y: Tensor,
  { D, lambda }: { D: Tensor; lambda: Tensor },
  S: Tensor,
  options: { warm?: boolean; rounds?: Tensor } = {},
): Coded {
  const G = p.gram(D);
  const DtY = p.matmul(T(D), Y);
  const b = p.shift(DtY, lambda, -1);
  p.nnls(G, b, S, options);
  return { Y, D, S, G, DtY, b };
}

/**
 * Given dS = ∂C/∂S: on the support P of each column S_P = G_PP⁻¹ (D_PᵀY − λ), so with G_PP β_P = dS_P (β = 0 off P)
 *
 *     ∂C/∂Y = D β        ∂C/∂D = Y βᵀ − D (S βᵀ + β Sᵀ)        ∂C/∂λ = −1ᵀβ1
 */
export function backwardCode(
  p: ProgramBuilder,
  { Y, D, S, G }: Coded,
  dS: Tensor,
  { wantY }: { wantY: boolean },
): { dY?: Tensor; dD: Tensor; dLambda: Tensor } {
  const beta = p.maskedSolve(G, S, dS);
  const symmetric = p.matmul(beta, T(S), { add: p.matmul(S, T(beta)) });
  const dD = p.matmul(D, symmetric, { scale: -1, add: p.matmul(Y, T(beta)) });
  const total = p.reduce(beta, 'sum');
  return { dY: wantY ? p.matmul(D, beta) : undefined, dD, dLambda: p.combine(-1, total, 0, total) };
}

/** The parameters that learn: the dictionaries D, one λ a layer, and the classifier. */
interface Network {
  D: Tensor[];
  lambda: Tensor[];
  B?: Tensor;
}

/** C = reconstruction · ‖R‖² + entropy · Σ losses on the columns at hand. */
interface Weights {
  reconstruction: number;
  entropy: number;
}

interface Objective {
  cost: Tensor;
  /** R = X − D⁰Z⁰ with Zˡ = Dˡ⁺¹…DᴸSᴸ; absent where reconstruction has no weight, and of a sparse X, where it is dense. */
  R?: Tensor;
  Z: Tensor[];
  /** softmax(B Sᴸ) − Y on labelled columns, 0 elsewhere. */
  dLogits?: Tensor;
}

function objective(p: ProgramBuilder, X: Tensor, Y: Tensor | undefined, { D, B }: Network, S: Tensor[], weights: Weights): Objective {
  const last = S.length - 1;
  const Z = [...S];
  const costs: Tensor[] = [];
  let R: Tensor | undefined;
  if (weights.reconstruction > 0) {
    for (let l = last - 1; l >= 0; l--) Z[l] = p.matmul(D[l + 1], Z[l + 1], { name: `Z${l}` });
    if (X.form === 'dense') R = p.matmul(D[0], Z[0], { scale: -1, add: X, name: 'R' });
    const squares = R ? p.reduce(R, 'squares') : p.residualNorm(X, D[0], Z[0]);
    costs.push(p.combine(weights.reconstruction, squares, 0, squares));
  }
  let dLogits: Tensor | undefined;
  if (B && Y) {
    const { loss, gradient } = p.softmaxCrossEntropy(p.matmul(B, S[last], { name: 'logits' }), Y);
    const total = p.reduce(loss, 'sum');
    costs.push(p.combine(weights.entropy, total, 0, total));
    dLogits = gradient;
  }
  return { cost: costs.length === 2 ? p.combine(1, costs[0], 1, costs[1]) : costs[0], R, Z, dLogits };
}

/** ∂C/∂Dˡ, ∂C/∂λ_l and ∂C/∂B into the tensors of `into`. */
function gradients(
  p: ProgramBuilder,
  { D, B }: Network,
  coded: Coded[],
  { R, Z, dLogits }: Objective,
  { reconstruction, entropy }: Weights,
  into: Network,
): void {
  const last = D.length - 1;
  // Direct gradients: −2w Hˡ⁻¹(Zˡ)ᵀ in Dˡ with H⁻¹ = R, Hˡ = (Dˡ)ᵀHˡ⁻¹; −2w Hᴸ and Bᵀ dLogits in Sᴸ.
  const direct: Tensor[] = [];
  let H = R;
  if (!R && reconstruction > 0) {
    // R(Z⁰)ᵀ = X(Z⁰)ᵀ − D⁰Z⁰(Z⁰)ᵀ and H⁰ = (D⁰)ᵀX − (D⁰)ᵀD⁰Z⁰, neither of which needs R.
    const { Y: X, G, DtY } = coded[0];
    direct.push(
      p.matmul(D[0], p.gram(Z[0], 'rows'), { scale: 2 * reconstruction, add: p.matmul(X, T(Z[0])), addScale: -2 * reconstruction }),
    );
    H = p.matmul(G, Z[0], { scale: -1, add: DtY, name: 'H0' });
  }
  for (let l = direct.length; H && l <= last; l++) {
    direct.push(p.matmul(H, T(Z[l]), { scale: -2 * reconstruction }));
    H = p.matmul(T(D[l]), H, { name: `H${l}` });
  }
  let dS = H && p.combine(-2 * reconstruction, H, 0, H);
  if (B && dLogits) {
    p.matmul(dLogits, T(coded[last].S), { scale: entropy, into: into.B });
    dS = p.matmul(T(B), dLogits, { scale: entropy, add: dS });
  }
  for (let l = last; l >= 0; l--) {
    const { dY, dD, dLambda } = backwardCode(p, coded[l], dS!, { wantY: l > 0 });
    p.combine(1, dD, direct[l] ? 1 : 0, direct[l] ?? dD, { into: into.D[l] });
    p.copy(dLambda, into.lambda[l]);
    dS = dY;
  }
}

/** The optimisers that keep every step. */
export type LearningOptimiser = Exclude<Optimiser, { name: 'projected' }>;

export interface SparseCodingProgram extends Layers {
  program: Program;
  /** Counts iterations; `cost` is that of the last mini-batch, before its step. */
  control: Tensor;
  /** λ of each layer, 1×1. */
  lambda: Tensor[];
  B?: Tensor;
  /** One-hot labels P×M, a zero column where there is none. */
  Y?: Tensor;
  /** A permutation of the columns, 1×M, in which mini-batches are taken; only where they are smaller than X. */
  order?: Tensor;
  /** Permutations 1×M, one a layer and restart: its first columns are the start of Dˡ. None for the first layer of a sparse X. */
  startOrder: (Tensor | undefined)[];
  /** M×k₀ instead, of ones where a column of X is one of D⁰. */
  select?: Tensor;
  /** Gradients of the last step. */
  gradient: Network;
  /** C over all columns, by 'measure'. */
  cost: Tensor;
  errors: Tensor[];
  kkt: Tensor[];
  rounds: Tensor[];
}

/**
 * Sections: 'start' takes the first dictionaries from columns of the matrices that they code; 'step' is one iteration on a mini-batch
 * (columns of every Dˡ longer than 1 are shortened to 1 afterwards); 'measure' codes all columns and evaluates C; 'finish' measures the KKT
 * residuals of those codes; 'errors' the squared errors of every depth.
 */
export function sparseCodingProgram(
  N: number,
  M: number,
  ranks: readonly number[],
  options: {
    restarts: number;
    /** M for a sparse X. */
    batchColumns: number;
    /** Stored entries of a sparse X. */
    csrEntries?: number;
    /** The weight w. */
    reconstruction: number;
    /** `weight` is v, `labelled` n. */
    supervised?: { classes: number; labelled: number; weight: number };
    learnLambda: boolean;
    optimiser: LearningOptimiser;
  },
): SparseCodingProgram {
  const { restarts, batchColumns, csrEntries, reconstruction, supervised, learnLambda, optimiser } = options;
  const p = programBuilder('sparseCoding', { restarts });
  const layers = layerTensors(p, N, M, ranks, csrEntries);
  const { X, A: D, S } = layers;
  const control = p.controlState();
  const lambda = D.map((_, l) => p.state(`lambda${l}`, 1, 1));
  const B = supervised && p.state('B', supervised.classes, ranks[ranks.length - 1]);
  const Y = supervised && p.input('Y', supervised.classes, M);
  const order = batchColumns < M ? p.input('order', 1, M) : undefined;
  const select = csrEntries === undefined ? undefined : p.input('select', M, ranks[0], { batched: true });
  const startOrder = D.map((_, l) => (select && l === 0 ? undefined : p.input(`startOrder${l}`, 1, M, { batched: true })));
  const network: Network = { D, lambda, B };
  const entropy = supervised ? supervised.weight / supervised.labelled : 0;
  const like = (of: string, tensor: Tensor) => p.state(`${of}${tensor.name}`, tensor.rows, tensor.cols);
  const gradient: Network = { D: D.map((d) => like('d', d)), lambda: lambda.map((y) => like('d', y)), B: B && like('d', B) };
  const cost = p.state('cost', 1, 1);
  const kkt = D.map((_, l) => p.state(`kkt${l}`, 1, 1));
  const rounds = D.map((_, l) => p.state(`rounds${l}`, 1, M));

  /** Codes of every layer for the columns of `of`, from the supports in `codes`. */
  const forward = (of: Tensor, codes: Tensor[]) => {
    const coded: Coded[] = [];
    for (let l = 0; l < D.length; l++) coded.push(forwardCode(p, l === 0 ? of : codes[l - 1], { D: D[l], lambda: lambda[l] }, codes[l]));
    return coded;
  };

  p.section('start', () => {
    for (let l = 0; l < D.length; l++) {
      const order = startOrder[l];
      if (order) p.takeColumns(l === 0 ? X : S[l - 1], order, control, ranks[l], { into: D[l] });
      else p.matmul(X, select!, { into: D[l] });
      p.normalizeColumns(D[l], p.gram(D[l]), { layer: l });
      // A sample of zeros became random numbers, of any norm.
      p.normalizeColumns(D[l], p.gram(D[l]), { layer: l, cap: true });
      forwardCode(p, l === 0 ? X : S[l - 1], { D: D[l], lambda: lambda[l] }, S[l], { warm: false });
    }
  });

  const stepOf = stepper(p, optimiser, control);
  const steps = [
    ...D.map((d, l) => stepOf(d, gradient.D[l], true)),
    ...(learnLambda ? lambda.map((y, l) => stepOf(y, gradient.lambda[l], false)) : []),
    ...(B ? [stepOf(B, gradient.B!, true)] : []),
  ];

  p.section('step', () => {
    const take = (tensor: Tensor, name: string) => (order ? p.takeColumns(tensor, order, control, batchColumns, { name }) : tensor);
    const Xb = take(X, 'Xb');
    // The codes of the last 'measure' are the warm start of a mini-batch.
    const codes = S.map((s) => take(s, `${s.name}b`));
    const weights = { reconstruction: reconstruction / batchColumns, entropy: (entropy * M) / batchColumns };
    const coded = forward(Xb, codes);
    const reached = objective(p, Xb, Y && take(Y, 'Yb'), network, codes, weights);
    gradients(p, network, coded, reached, weights, gradient);
    for (const step of steps) step();
    D.forEach((d, l) => {
      p.normalizeColumns(d, p.gram(d), { layer: l, cap: true });
    });
    p.countIteration(reached.cost, control);
  });

  p.section('measure', () => {
    forward(X, S);
    const weights = { reconstruction: reconstruction / M, entropy };
    p.copy(objective(p, X, Y, network, S, weights).cost, cost);
  });
  p.section('finish', () => {
    for (let l = 0; l < D.length; l++) {
      const { G, b } = forwardCode(p, l === 0 ? X : S[l - 1], { D: D[l], lambda: lambda[l] }, S[l], { rounds: rounds[l] });
      p.reduce(p.kktResidual(G, b, S[l]), 'maxAbs', { into: kkt[l] });
    }
  });
  const errors = errorSection(p, layers);
  return { program: p.build(), ...layers, control, lambda, B, Y, order, startOrder, select, gradient, cost, errors, kkt, rounds };
}

/** Writes the optimiser's states for a parameter now, and returns the function that writes its step, for use in a section. */
function stepper(
  p: ProgramBuilder,
  optimiser: LearningOptimiser,
  control: Tensor,
): (parameter: Tensor, gradient: Tensor, free: boolean) => () => void {
  return (parameter, gradient, free) => {
    const memory = (of: string) => p.state(`${of}${parameter.name}`, parameter.rows, parameter.cols);
    if (optimiser.name === 'momentum') {
      const velocity = memory('velocity');
      const { momentum } = optimiser;
      // ∂C/∂λ is a sum over all codes: at the rate of the others one step can take λ beyond every code, where nothing is left to learn
      // from.
      const rate = free ? optimiser.rate : optimiser.rate / 100;
      return () => p.momentumStep(parameter, velocity, gradient, { rate, momentum, free });
    }
    const moments = [memory('first'), memory('second')] as const;
    return () => p.adamStep(parameter, moments, gradient, control, { rate: optimiser.rate, free });
  };
}
