/**
 * Deep Semi-NMF: X ≈ Z₁Z₂…Z_mH_m with Z free in sign and H_m ≥ 0, and its non-linear form X ≈ Z₁ g(Z₂ g(… g(Z_mH_m))).
 * Trigeorgis, Bousmalis, Zafeiriou, Schuller: A Deep Semi-NMF Model for Learning Hidden Representations, ICML 2014; A Deep Matrix
 * Factorization Method for Learning Attribute Representations, IEEE TPAMI 2017. Semi-NMF: Ding, Li, Jordan, IEEE TPAMI 2010.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { type Curve, curves, type Nonlinearity } from './curves.js';
import { forwardQ } from './q.js';

/**
 * The label graph: W_ij = 1/n_c where samples i and j are both labelled with class c of n_c samples, so that every labelled sample has
 * degree 1, HW holds the class means and tr(H(D − W)Hᵀ) is the scatter of H within the classes.
 */
export interface LabelGraph {
  weight: number;
  /** P×M with W = YᵀY: one-hot rows divided by √n_c. */
  Y: Tensor;
  /** k×M, the diagonal of D in every row: 1 where the sample is labelled. */
  D: Tensor;
}

/** Z ← XH⁺ as Z + (X − ZH)Hᵀ(HHᵀ)⁻¹: the same in exact arithmetic, but only the correction is rounded, and no solve can raise ‖X − ZH‖. */
function leastSquares(p: ProgramBuilder, X: Tensor, Z: Tensor, H: Tensor): Tensor {
  const Q = p.gram(H, 'rows');
  const missing = p.matmul(H, T(X), { add: p.matmul(Q, T(Z)), addScale: -1 });
  return p.combine(1, Z, 1, p.transpose(solve(p, Q, missing)));
}

/** G⁻¹B for a symmetric positive definite G. Where row and column j of G are zero, row j of the result is. */
function solve(p: ProgramBuilder, G: Tensor, B: Tensor): Tensor {
  const size = p.combine(1, p.map('positive', [G]), 1, p.map('negative', [G]));
  return p.maskedSolve(G, p.matmul(size, p.map('affine', [B], { p: 0, q: 1 })), B);
}

/**
 * H ← H ∘ √((A⁺ + B⁻H + λHW) / (A⁻ + B⁺H + λHD)) with A = ΨᵀX, B = ΨᵀΨ and M^± = (|M| ± M)/2: never raises
 * ‖X − ΨH‖² + λ tr(H(D − W)Hᵀ). An entry that is exactly 0 stays so.
 */
function semiRule(p: ProgramBuilder, H: Tensor, A: Tensor, B: Tensor, graph?: LabelGraph): void {
  let numerator = p.matmul(p.map('negative', [B]), H, { add: p.map('positive', [A]) });
  let denominator = p.matmul(p.map('positive', [B]), H, { add: p.map('negative', [A]) });
  if (graph) {
    numerator = p.matmul(p.matmul(H, T(graph.Y)), graph.Y, { scale: graph.weight, add: numerator });
    denominator = p.combine(1, denominator, graph.weight, p.hadamard(H, graph.D));
  }
  p.multiplicativeUpdate(H, numerator, denominator, { power: 0.5 });
}

/** HD − HW (k×M): how far each labelled sample is from its class mean; 0 elsewhere. */
function offClassMean(p: ProgramBuilder, H: Tensor, graph: LabelGraph): Tensor {
  return p.matmul(p.matmul(H, T(graph.Y)), graph.Y, { scale: -1, add: p.hadamard(H, graph.D) });
}

/** ‖X − ZH‖² + λ tr(H(D − W)Hᵀ) into `cost`. The Laplacian is a projection, so its term is ‖HD − HW‖², without cancellation. */
function costInto(p: ProgramBuilder, cost: Tensor, X: Tensor, Z: Tensor, H: Tensor, last: Tensor, graph?: LabelGraph): void {
  if (!graph) {
    p.residualNorm(X, Z, H, { into: cost });
    return;
  }
  const scatter = p.reduce(offClassMean(p, last, graph), 'squares');
  p.combine(1, p.residualNorm(X, Z, H), graph.weight, scatter, { into: cost });
}

/** One iteration of Semi-NMF: Z ← XH⁺, then the rule of H. */
function semiNmfStep(p: ProgramBuilder, X: Tensor, Z: Tensor, H: Tensor, graph?: LabelGraph): void {
  p.copy(leastSquares(p, X, Z, H), Z);
  semiRule(p, H, p.matmul(T(Z), X), p.gram(Z), graph);
}

/**
 * One iteration over all layers: for i = 1 … m, with H̃_m = H_m, H̃_i = Z_{i+1}H̃_{i+1} and Ψ = Z₁…Z_{i−1},
 *
 *     Z_i ← Ψ⁺XH̃_i⁺,  then H_i by its rule with Ψ ← ΨZ_i
 *
 * The pseudo-inverses telescope. With K_i = Z_{i+1}…Z_m (full column rank) H̃_i⁺ = (K_iH_m)⁺ = H_m⁺K_i⁺, hence with F = XH_m⁺
 *
 *     Z₁ = F K₁⁺,  Ψ = Z₁…Z_{i−1} = F K_{i−1}⁺,  Ψ⁺ = K_{i−1}F⁺,  Z_i = K_{i−1}F⁺F K_i⁺ = K_{i−1}K_i⁺
 *
 * so only matrices of the last rank are inverted; the Gram matrices of Ψ and H̃_i themselves are singular where ranks shrink.
 */
function fineTune(p: ProgramBuilder, X: Tensor, Z: Tensor[], H: Tensor[], graph?: LabelGraph): void {
  const last = Z.length - 1;
  const K: Tensor[] = []; // K_last would be the identity
  for (let i = last - 1; i >= 0; i--) K[i] = i === last - 1 ? Z[last] : p.matmul(Z[i + 1], K[i + 1], { name: `K${i}` });
  const F = leastSquares(p, X, last === 0 ? Z[0] : p.matmul(Z[0], K[0]), H[last]);
  const FX = p.matmul(T(F), X);
  const FF = p.gram(F);
  // K_i⁺ = (K_iᵀK_i)⁻¹K_iᵀ
  const inverse = K.map((k) => solve(p, p.gram(k), p.transpose(k)));
  const next = Z.map((z, i) => {
    if (last === 0) return F;
    return i === last ? z : p.matmul(i === 0 ? F : K[i - 1], inverse[i]);
  });
  inverse.forEach((k, i) => {
    semiRule(p, H[i], p.matmul(T(k), FX), p.matmul(T(k), p.matmul(FF, k)));
  });
  semiRule(p, H[last], FX, FF, graph);
  next.forEach((z, i) => {
    if (z !== Z[i]) p.copy(z, Z[i]);
  });
}

export interface PretrainedLayer {
  /** The matrix that this layer is fitted to: X, H_{l−1} or g⁻¹(H_{l−1}). */
  X: Tensor;
  start: string;
  step: string;
  measure: string;
  cost: Tensor;
}

export interface Factors {
  X: Tensor;
  Z: Tensor[];
  H: Tensor[];
}

export interface DeepSemiProgram extends Factors {
  program: Program;
  pretrained: PretrainedLayer[];
  /** Objective of all layers, 1×1; of the non-linear form it is in `nonlinear.control`. */
  cost: Tensor;
  /** ‖X − Z₁…Z_lH_l‖² of every depth, 1×1; of the non-linear form, whose inner H are functions of the last, all the same. */
  errors: Tensor[];
  /** Natural KKT residual of H_m, 1×1. */
  kkt: Tensor;
  graph?: LabelGraph;
  nonlinear?: Descent;
}

/**
 * Sections pretrain0 … (`start`, `step`, `measure` of each layer), 'start' (non-linear form only), 'step' and 'measure' over all layers,
 * 'inner' (H of the layers before the last, non-linear form), 'errors', 'finish' (KKT residual). Only the linear form takes a sparse X.
 */
export function deepSemiProgram(
  N: number,
  M: number,
  ranks: readonly number[],
  options: { restarts: number; nonlinearity: Nonlinearity; labels?: { weight: number; classes: number }; csrEntries?: number },
): DeepSemiProgram {
  const { restarts, nonlinearity, labels, csrEntries } = options;
  const p = programBuilder('deepSemiNmf', { restarts });
  const X = p.data('X', N, M, { csrEntries });
  const Z = ranks.map((k, l) => p.state(`Z${l}`, l === 0 ? N : ranks[l - 1], k));
  const H = ranks.map((k, l) => p.state(`H${l}`, k, M));
  const last = ranks.length - 1;
  const graph = labels && { weight: labels.weight, Y: p.input('Y', labels.classes, M), D: p.input('D', ranks[last], M) };
  const pretrained = ranks.map((_, l) => pretraining(p, l, { X, Z, H }, nonlinearity, l === last ? graph : undefined));

  const errors = ranks.map((_, l) => p.state(`error${l}`, 1, 1));
  const kkt = p.state('kkt', 1, 1);
  if (nonlinearity !== 'identity') {
    const nonlinear = controlledDescent(p, X, Z, H[last], curves[nonlinearity], graph);
    finishNonlinear(p, { X, Z, H }, curves[nonlinearity], nonlinear.dH, errors, kkt);
    return { program: p.build(), X, Z, H, pretrained, cost: nonlinear.control, errors, kkt, graph, nonlinear };
  }

  const cost = p.state('cost', 1, 1);
  // Z₂…Z_lH_l
  const product = (l: number) => Z.slice(1, l + 1).reduceRight((inner, z) => p.matmul(z, inner), H[l]);
  p.section('step', () => fineTune(p, X, Z, H, graph));
  p.section('measure', () => costInto(p, cost, X, Z[0], product(last), H[last], graph));
  p.section('errors', () => {
    for (let l = 0; l <= last; l++) p.residualNorm(X, Z[0], product(l), { into: errors[l] });
  });
  p.section('finish', () => {
    const Psi = Z.reduce((left, z) => p.matmul(left, z));
    let B = p.matmul(T(Psi), X);
    // G H − B is half the gradient once the label graph's is in B.
    if (graph) B = p.combine(1, B, -graph.weight, offClassMean(p, H[last], graph));
    p.reduce(p.kktResidual(p.gram(Psi), B, H[last]), 'maxAbs', { into: kkt });
  });
  return { program: p.build(), X, Z, H, pretrained, cost, errors, kkt, graph };
}

/** Semi-NMF of X, or of g⁻¹(H_{l−1}) for a deeper layer. */
function pretraining(p: ProgramBuilder, l: number, { X, Z, H }: Factors, nonlinearity: Nonlinearity, graph?: LabelGraph): PretrainedLayer {
  const names = { start: `pretrainStart${l}`, step: `pretrain${l}`, measure: `pretrainMeasure${l}` };
  const cost = p.state(`pretrainCost${l}`, 1, 1);
  const curved = l > 0 && nonlinearity !== 'identity';
  const own = l === 0 ? X : curved ? p.state(`inverse${l}`, H[l - 1].rows, H[l - 1].cols) : H[l - 1];
  p.section(names.start, () => {
    if (curved) curves[nonlinearity].inverse(p, H[l - 1], own);
  });
  p.section(names.step, () => semiNmfStep(p, own, Z[l], H[l], graph));
  p.section(names.measure, () => costInto(p, cost, own, Z[l], H[l], H[l], graph));
  return { X: own, ...names, cost };
}

/** The joint descent of the non-linear form, its step size and cost in `control`, with the gradient at the accepted point. */
export interface Descent {
  control: Tensor;
  /** 8×1, to be written (1, 0, …, 0): picks η out of the control vector. */
  first: Tensor;
  dZ: Tensor[];
  dH: Tensor;
}

/** H̃_{i−1} = g(Y_i), Y_i = Z_iH̃_i, from H̃_m = H up. */
function forward(p: ProgramBuilder, Z: readonly Tensor[], H: Tensor, g: Curve): { Y: Tensor[]; inner: Tensor[] } {
  const Y: Tensor[] = [];
  const inner: Tensor[] = [];
  inner[Z.length - 1] = H;
  for (let i = Z.length - 1; i > 0; i--) {
    Y[i] = p.matmul(Z[i], inner[i]);
    inner[i - 1] = g.apply(p, Y[i]);
  }
  return { Y, inner };
}

/** C with its gradient D and metric V in the variables Z₁ … Z_m, H (or H alone). */
function costAndGradient(
  p: ProgramBuilder,
  X: Tensor,
  Z: readonly Tensor[],
  H: Tensor,
  g: Curve,
  { graph, learnZ }: { graph?: LabelGraph; learnZ: boolean },
): { cost: Tensor; D: Tensor[]; V: Tensor[] } {
  const { Y, inner } = forward(p, Z, H, g);
  const residual = p.matmul(Z[0], inner[0], { add: X, addScale: -1 });
  let cost = p.reduce(residual, 'squares');
  let dY = p.map('affine', [residual], { p: 2 });
  let w = p.map('affine', [X], { p: 0, q: 1 });
  const D: Tensor[] = [];
  const V: Tensor[] = [];
  Z.forEach((z, i) => {
    if (i > 0) {
      const derivative = g.derivative(p, Y[i], inner[i - 1]);
      dY = p.hadamard(dY, derivative);
      w = p.hadamard(w, p.hadamard(derivative, derivative));
    }
    if (learnZ) {
      D.push(p.matmul(dY, T(inner[i])));
      V.push(p.matmul(w, T(p.hadamard(inner[i], inner[i]))));
    }
    dY = p.matmul(T(z), dY);
    w = p.matmul(T(p.hadamard(z, z)), w);
  });
  if (graph) {
    const off = offClassMean(p, H, graph);
    cost = p.combine(1, cost, graph.weight, p.reduce(off, 'squares'));
    dY = p.combine(1, dY, 2 * graph.weight, off);
    w = p.combine(1, w, graph.weight, graph.D);
  }
  return { cost, D: [...D, dY], V: [...V, w] };
}

/**
 * Sections 'start' and 'step' of the projected gradient descent on
 *
 *     C = ‖X − Z₁H̃₁‖² + λ tr(H(D − W)Hᵀ),    H̃_m = H,  Y_i = Z_iH̃_i,  H̃_{i−1} = g(Y_i)
 *     Z_i ← Z_i − η ∂C/∂Z_i ⊘ 2V_i,    H ← max(H − η ∂C/∂H ⊘ 2V, 0)
 *
 * V is the diagonal of the Gauss–Newton Hessian without its cross terms, carried back like the gradient (Becker & LeCun 1989): w₁ = 1,
 * w_{i+1} = g′(Y_{i+1})² ∘ (Z_i∘Z_i)ᵀw_i, V_i = w_i(H̃_i∘H̃_i)ᵀ, damped by 1e-4 of its largest entry. η is controlled on the device: a
 * step that would raise C is dropped, so C never increases. Z is held where it is an input.
 */
function controlledDescent(p: ProgramBuilder, X: Tensor, Z: readonly Tensor[], H: Tensor, g: Curve, graph?: LabelGraph): Descent {
  const control = p.controlState();
  const first = p.input('first', control.cols, 1);
  const learnZ = Z[0].role === 'state';
  const variables = learnZ ? [...Z, H] : [H];
  const D = variables.map((x) => p.state(`d${x.name}`, x.rows, x.cols));
  const V = variables.map((x) => p.state(`v${x.name}`, x.rows, x.cols));
  const keep = (trial: { D: Tensor[]; V: Tensor[] }) => {
    variables.forEach((_, i) => {
      p.keepAccepted(D[i], trial.D[i], control);
      p.keepAccepted(V[i], trial.V[i], control);
    });
  };
  p.section('start', () => {
    const here = costAndGradient(p, X, Z, H, g, { graph, learnZ });
    p.acceptReject(here.cost, control, { grow: 1 });
    keep(here);
  });
  p.section('step', () => {
    const eta = p.matmul(control, first);
    const trials = variables.map((x, i) => {
      const damped = p.shift(V[i], p.reduce(V[i], 'maxAbs'), 1e-4);
      const rate = p.shift(p.map('affine', [x], { p: 0 }), eta, 0.5);
      const moved = p.combine(1, x, -1, p.hadamard(rate, p.map('quotient', [D[i], damped])));
      return x === H ? p.map('positive', [moved]) : moved;
    });
    const there = costAndGradient(p, X, learnZ ? trials.slice(0, -1) : Z, trials[trials.length - 1], g, { graph, learnZ });
    p.acceptReject(there.cost, control);
    variables.forEach((x, i) => {
      p.keepAccepted(x, trials[i], control);
    });
    keep(there);
  });
  return { control, first, dZ: D.slice(0, -1), dH: D[D.length - 1] };
}

/** H_{i−1} ← g(Z_iH_i) from the last H up. */
function innerLayers(p: ProgramBuilder, Z: readonly Tensor[], H: readonly Tensor[], g: Curve): void {
  for (let i = Z.length - 1; i > 0; i--) p.copy(g.apply(p, p.matmul(Z[i], H[i])), H[i - 1]);
}

/** Sections 'inner', 'errors' and 'finish' of the non-linear form. */
function finishNonlinear(p: ProgramBuilder, { X, Z, H }: Factors, g: Curve, dH: Tensor, errors: Tensor[], kkt: Tensor): void {
  const last = Z.length - 1;
  p.section('inner', () => innerLayers(p, Z, H, g));
  p.section('errors', () => {
    innerLayers(p, Z, H, g);
    for (const error of errors) p.residualNorm(X, Z[0], H[0], { into: error });
  });
  p.section('finish', () => {
    // With G only to scale, B = G H − ½ ∂C/∂H makes G H − B half the gradient.
    const G = p.gram(Z[last]);
    p.reduce(p.kktResidual(G, p.matmul(G, H[last], { add: dH, addScale: -0.5 }), H[last]), 'maxAbs', { into: kkt });
  });
}

export interface TransformProgram extends Factors {
  program: Program;
  descent: Descent;
}

/**
 * H for other columns with Z held, in the non-linear form: 'solve' gives H₁ = q(X, Z₁), H_l = q(g⁻¹(H_{l−1}), Z_l), from which 'start',
 * then 'step' descend in H_m alone; 'inner' fills the other H. (The linear form is q itself: H_l = q(X, Z₁…Z_l).)
 */
export function deepSemiTransformProgram(
  N: number,
  M: number,
  ranks: readonly number[],
  nonlinearity: Exclude<Nonlinearity, 'identity'>,
  csrEntries?: number,
): TransformProgram {
  const p = programBuilder('deepSemiTransform');
  const X = p.input('X', N, M, { csrEntries });
  const Z = ranks.map((k, l) => p.input(`Z${l}`, l === 0 ? N : ranks[l - 1], k));
  const H = ranks.map((k, l) => p.state(`H${l}`, k, M));
  const g = curves[nonlinearity];
  p.section('solve', () => {
    forwardQ(p, X, Z[0], H[0], { warm: false });
    for (let l = 1; l < H.length; l++) {
      const target = p.state(`inverse${l}`, H[l - 1].rows, M);
      g.inverse(p, H[l - 1], target);
      forwardQ(p, target, Z[l], H[l], { warm: false });
    }
  });
  const descent = controlledDescent(p, X, Z, H[H.length - 1], g);
  p.section('inner', () => innerLayers(p, Z, H, g));
  return { program: p.build(), X, Z, H, descent };
}
