/**
 * Deep NMF with a map p between layers, S pooled and activated, and multiplicative back-propagation. After Flenner & Hunter, "A deep
 * non-negative matrix factorization neural network" (2018), whose equations are not available to us. This is our variant of
 * their description, derived from the objective
 *
 *     E = μ₀‖X − A⁰S⁰‖² + Σ_{l≥1} μ_l ‖p(Sˡ⁻¹) − AˡSˡ‖²  [+ λ‖L∘(Y − BSᴸ)‖²],        p(S) = P f(S)
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import {
  coefficientSplit,
  dictionaryResidual,
  dictionarySplit,
  type Fit,
  naturalResidual,
  type Split,
  squared,
  updateBy,
} from './losses.js';
import { kktTensors, type LayerSections, layerSections } from './nmf.js';
import { forwardQ } from './q.js';
import { classifierState, type LabelTensors, labelInputs } from './ssnmf.js';

/** The map p from the S of one layer to the matrix that the next one factors: entrywise f, then pooling of neighbours. */
export interface Bridge {
  pooling: 'none' | 'average' | 'max';
  poolSize: number;
  /** Neighbouring rows of S (features), or neighbouring columns (samples). */
  poolOver: 'features' | 'samples';
  /** f(s) = s, s^power or log(1 + s). */
  activation: 'identity' | 'power' | 'log1p';
  power: number;
}

/** The least entry in powers, whose derivative need not be finite at 0. A smaller entry counts as this much. */
const floor = 1e-20;

/** Rows and columns of p(S) for an S of the given ones. */
export function pooledShape({ pooling, poolSize, poolOver }: Bridge, rows: number, cols: number): { rows: number; cols: number } {
  if (pooling === 'none') return { rows, cols };
  return poolOver === 'features' ? { rows: Math.ceil(rows / poolSize), cols } : { rows, cols: Math.ceil(cols / poolSize) };
}

/**
 * Inputs of one bridge: U holds ones where an entry is in a group, ⌈n/size⌉×n; P = diag(1/|group|) U averages. Dense, also over samples.
 */
export interface Groups {
  U: Tensor;
  P?: Tensor;
}

function groupInputs(p: ProgramBuilder, { pooling, poolSize, poolOver }: Bridge, layer: number, S: Tensor): Groups | undefined {
  if (pooling === 'none') return undefined;
  const n = poolOver === 'features' ? S.rows : S.cols;
  const groups = Math.ceil(n / poolSize);
  return { U: p.input(`U${layer}`, groups, n), P: pooling === 'average' ? p.input(`P${layer}`, groups, n) : undefined };
}

interface Passed {
  /** p(S). */
  value: Tensor;
  /** f'(S) ∘ PᵀR, the derivative of ½‖p(S)‖² when R = p(S); a max pool stays with the entries it chose at this S. */
  back(R: Tensor): Tensor;
  /** The S whose p is R: an average goes to every member of its group, a maximum to where it was, the others 0; then f⁻¹. */
  lift(R: Tensor): Tensor;
}

function passOn(p: ProgramBuilder, bridge: Bridge, S: Tensor, groups?: Groups): Passed {
  const { pooling, poolSize, poolOver, activation, power } = bridge;
  const F = activation === 'power' ? p.map('power', [S], { p: power, q: floor }) : activation === 'log1p' ? p.map('log1p', [S]) : S;
  /** R where its group is: UᵀR over rows, R U over columns. */
  const spread = (R: Tensor, by: Tensor, options: { hadamard?: Tensor } = {}) =>
    poolOver === 'features' ? p.matmul(T(by), R, options) : p.matmul(R, by, options);

  let value = F;
  let unpooled = (R: Tensor) => R;
  let lifted = unpooled;
  if (pooling === 'average') {
    const { U, P } = groups!;
    value = poolOver === 'features' ? p.matmul(P!, F) : p.matmul(F, T(P!));
    unpooled = (R) => spread(R, P!);
    lifted = (R) => spread(R, U);
  } else if (pooling === 'max') {
    const over = poolOver === 'features' ? p.maxPool(F, poolSize) : p.maxPool(p.transpose(F), poolSize);
    value = poolOver === 'features' ? over.pooled : p.transpose(over.pooled);
    const selector = poolOver === 'features' ? over.selector : p.transpose(over.selector);
    unpooled = (R) => spread(R, groups!.U, { hadamard: selector });
    lifted = unpooled;
  }

  let derivative: Tensor | undefined;
  return {
    value,
    back: (R) => {
      if (activation === 'identity') return unpooled(R);
      derivative ??= slope(p, bridge, S, F);
      return p.hadamard(derivative, unpooled(R));
    },
    lift: (R) => inverse(p, bridge, lifted(R)),
  };
}

/** f'(S) ≥ 0: power · s^(power − 1), and 1 / (1 + s) as e^−f. */
function slope(p: ProgramBuilder, { activation, power }: Bridge, S: Tensor, F: Tensor): Tensor {
  if (activation === 'log1p') return p.map('exp', [p.combine(-1, F, 0, F)]);
  const raised = p.map('power', [S], { p: power - 1, q: floor });
  return p.combine(power, raised, 0, raised);
}

/** f⁻¹(F): F^(1/power), and e^F − 1 by way of its logarithm, which is exact for small F too. */
function inverse(p: ProgramBuilder, { activation, power }: Bridge, F: Tensor): Tensor {
  if (activation === 'power') return p.map('power', [F], { p: 1 / power, q: floor });
  if (activation === 'log1p') return p.map('exp', [p.map('softplusInverse', [F], { p: floor })]);
  return F;
}

export interface DeepProgram {
  program: Program;
  X: Tensor;
  /** A⁰ N×k₀; Aˡ has as many rows as p(Sˡ⁻¹). */
  A: Tensor[];
  /** Sˡ k_l×M_l; M_l is M unless samples are pooled. */
  S: Tensor[];
  /** Of the bridge into each layer; none into layer 0. */
  groups: (Groups | undefined)[];
  labels?: LabelTensors;
  /** E, refreshed by 'measure'. */
  cost: Tensor;
  /** ‖X − A⁰ lift(A¹ lift(… AˡSˡ))‖², refreshed by 'errors'. */
  errors: Tensor[];
  /** lift(A¹ lift(… AˡSˡ)) of every depth, k₀×M, likewise; none where X̂ = A⁰A¹…AˡSˡ. */
  lifted?: Tensor[];
  kkt: [Tensor, Tensor][];
  /** Sections that fit one layer to the p of the one before, as a start, and the cost of each. */
  layers: LayerSections[];
  layerCost: Tensor[];
}

export interface DeepProgramOptions {
  restarts: number;
  /** Stored entries of a sparse X. */
  csrEntries?: number;
  bridge: Bridge;
  /** μ_l of every layer. */
  weights: readonly number[];
  supervision?: { classes: number; labelWeight: number };
}

/**
 * Sections: 'step' is one iteration. With Tˡ = p(Sˡ⁻¹), T⁰ = X, it updates all features, the classifier, and then the coefficients from
 * the last layer back to the first, each with the newest others:
 *
 *     Aˡ ← Aˡ ∘ [TˡSˡᵀ] / [AˡSˡSˡᵀ]
 *     Sˡ ← Sˡ ∘ ([μ_l AˡᵀTˡ + μ_{l+1} f'∘PᵀAˡ⁺¹Sˡ⁺¹] / [μ_l AˡᵀAˡSˡ + μ_{l+1} f'∘PᵀP f(Sˡ)])^γ
 *
 * and in the last layer λBᵀ(L∘Y) and λBᵀ(L∘(BS)) stand for the terms in μ_{l+1}. γ is 1/power where f is a power above 1, else 1: with
 * γ = 1 the update of s for (s^power − r)² would jump past r and back for ever. E never increases when p is linear.
 *
 * 'measure' E; 'errors' by layer; 'finish' KKT residuals; and for the start 'pass1', … with the sections of `layers`.
 */
export function deepProgram(N: number, M: number, ranks: readonly number[], options: DeepProgramOptions): DeepProgram {
  const { restarts, bridge, weights, supervision } = options;
  const last = ranks.length - 1;
  const p = programBuilder('deepNmf', { restarts });
  const { X, A, S, groups } = deepTensors(p, N, M, ranks, bridge, { csrEntries: options.csrEntries });
  const cost = p.state('cost', 1, 1);
  const kkt = A.map((_, l) => kktTensors(p, l));
  const errors = A.map((_, l) => p.state(`error${l}`, 1, 1));
  const labels = supervision && classifierState(p, labelInputs(p, supervision.classes, S[last].cols), last, ranks[last]);
  const labelFit: Fit | undefined = labels && { loss: squared, target: labels.Y, mask: labels.L, dictionary: labels.B };
  const gamma = bridge.activation === 'power' ? 1 / Math.max(1, bridge.power) : 1;

  /** p of every layer but the last, listed at the layer it is passed to. */
  const passAll = () => A.map((_, l) => (l === 0 ? undefined : passOn(p, bridge, S[l - 1], groups[l])));
  const fitOf = (l: number, passed: (Passed | undefined)[]): Fit => ({ loss: squared, target: passed[l]?.value ?? X, dictionary: A[l] });
  const coefficients = (l: number, passed: (Passed | undefined)[]): Split => {
    const own = coefficientSplit(p, fitOf(l, passed), S[l], weights[l]);
    if (l === last) return labelFit ? coefficientSplit(p, labelFit, S[l], supervision!.labelWeight, own) : own;
    const { value, back } = passed[l + 1]!;
    const below = p.matmul(A[l + 1], S[l + 1]);
    return {
      minus: p.combine(1, own.minus, weights[l + 1], back(below)),
      plus: p.combine(1, own.plus, weights[l + 1], back(value)),
    };
  };

  p.section('step', () => {
    const passed = passAll();
    const fits = A.map((_, l) => ({ fit: fitOf(l, passed), of: S[l] }));
    if (labelFit) fits.push({ fit: labelFit, of: S[last] });
    for (const { fit, of } of fits) updateBy(p, fit.dictionary, dictionarySplit(p, fit, of));
    for (let l = last; l >= 0; l--) updateBy(p, S[l], coefficients(l, passed), { power: l < last ? gamma : 1 });
  });
  p.section('measure', () => {
    const passed = passAll();
    const terms = A.map((_, l) => ({ weight: weights[l], value: squared.cost(p, fitOf(l, passed), S[l]) }));
    if (labelFit) terms.push({ weight: supervision!.labelWeight, value: squared.cost(p, labelFit, S[last], { into: labels!.loss }) });
    const [first, ...others] = terms;
    let total = p.combine(first.weight, first.value, 0, first.value);
    for (const { weight, value } of others) total = p.combine(1, total, weight, value);
    p.copy(total, cost);
  });
  const isProduct = bridge.pooling === 'none' && bridge.activation === 'identity';
  const lifted = isProduct ? undefined : S.map((s, l) => (l === 0 ? s : p.state(`lifted${l}`, ranks[0], M)));
  p.section('errors', () => {
    const passed = passAll();
    errors.forEach((into, l) => {
      let Z = S[l];
      for (let j = l; j > 0; j--) Z = passed[j]!.lift(p.matmul(A[j], Z));
      if (lifted && l > 0) p.copy(Z, lifted[l]);
      p.residualNorm(X, A[0], Z, { into });
    });
  });
  p.section('finish', () => {
    const passed = passAll();
    A.forEach((a, l) => {
      naturalResidual(p, p.gram(a), S[l], coefficients(l, passed), kkt[l][0]);
      dictionaryResidual(p, fitOf(l, passed), S[l], kkt[l][1]);
    });
  });

  const layerCost = A.map((_, l) => p.state(`cost${l}`, 1, 1));
  const layers = A.map((a, l) => {
    let target = X;
    if (l > 0) {
      const { rows, cols } = pooledShape(bridge, S[l - 1].rows, S[l - 1].cols);
      target = p.state(`T${l}`, rows, cols);
      p.section(`pass${l}`, () => p.copy(passOn(p, bridge, S[l - 1], groups[l]).value, target));
    }
    return layerSections(p, l, { X: target, A: a, S: S[l], cost: layerCost[l], kkt: kkt[l] }, 'mu');
  });
  return { program: p.build(), X, A, S, groups, labels, cost, errors, lifted, kkt, layers, layerCost };
}

function deepTensors(
  p: ProgramBuilder,
  N: number,
  M: number,
  ranks: readonly number[],
  bridge: Bridge,
  { given = false, csrEntries }: { given?: boolean; csrEntries?: number },
) {
  const X = given ? p.input('X', N, M, { csrEntries }) : p.data('X', N, M, { csrEntries });
  const A: Tensor[] = [];
  const S: Tensor[] = [];
  const groups: (Groups | undefined)[] = [];
  let target = { rows: N, cols: M };
  ranks.forEach((k, l) => {
    if (l > 0) target = pooledShape(bridge, S[l - 1].rows, S[l - 1].cols);
    groups.push(l === 0 ? undefined : groupInputs(p, bridge, l, S[l - 1]));
    A.push(given ? p.input(`A${l}`, target.rows, k) : p.state(`A${l}`, target.rows, k));
    S.push(p.state(`S${l}`, k, target.cols));
  });
  return { X, A, S, groups };
}

/** Sections 'layer0', 'layer1', …: S⁰ = q(X, A⁰), Sˡ = q(Tˡ, Aˡ) with Tˡ = p(Sˡ⁻¹) for given features. */
export function deepForwardProgram(N: number, M: number, ranks: readonly number[], bridge: Bridge, csrEntries?: number) {
  const p = programBuilder('deepNmfForward');
  const tensors = deepTensors(p, N, M, ranks, bridge, { given: true, csrEntries });
  const { X, A, S, groups } = tensors;
  const targets = A.map((a, l) => (l === 0 ? X : p.state(`T${l}`, a.rows, S[l].cols)));
  const rounds = S.map((s, l) => p.state(`rounds${l}`, 1, s.cols));
  A.forEach((a, l) => {
    p.section(`layer${l}`, () => {
      if (l > 0) p.copy(passOn(p, bridge, S[l - 1], groups[l]).value, targets[l]);
      forwardQ(p, targets[l], a, S[l], { warm: false, rounds: rounds[l] });
    });
  });
  return { program: p.build(), ...tensors, targets, rounds };
}
