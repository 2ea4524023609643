/**
 * Unfolded Deep NMF: K multiplicative updates of H, from a fixed H⁰ > 0, are the layers of a network whose dictionaries W learn by
 * multiplicative back-propagation. Le Roux, Hershey, Weninger: Deep NMF for Speech Separation, ICASSP 2015.
 *
 *     layer:   H⁺ = H ∘ [W_kᵀ(X ∘ (W_kH)^{β−2})] / [W_kᵀ(W_kH)^{β−1} + μ],   β = 2 or 1
 *     output:  W H^K, or of every source s the part (WˢHˢ)/(WH) ∘ X
 *     training: W ← W ∘ [∇]₋ / [∇]₊
 *
 * Everywhere a gradient is carried as P − Q with P, Q ≥ 0: `plus` and `minus`.
 */
import { type Program, type ProgramBuilder, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import {
  coefficientSplit,
  dictionarySplit,
  divergence,
  type Loss,
  type Ones,
  onesInputs,
  type Split,
  squared,
  updateBy,
} from './losses.js';
import { kktTensors, type LayerSections, layerSections } from './nmf.js';

/** The tensors of a layer that its backward pass needs. */
interface Pass {
  H: Tensor;
  next: Tensor;
  /** Numerator and denominator of the update: H⁺ = H ∘ a / d. */
  a: Tensor;
  d: Tensor;
  /** X/V and X/V², V = WH (β = 1 only). */
  ratio?: Tensor;
  curvature?: Tensor;
}

/** Data, and the vectors of ones that sums over rows and columns are products with. */
interface Fixed {
  X: Tensor;
  ones: Ones;
  mu: number;
}

/** A dictionary W with the products that its layers share. */
interface Dictionary {
  W: Tensor;
  forward(H: Tensor): Pass;
  /** ∂E/∂H from ∂E/∂H⁺; the layer's part of ∂E/∂W is kept until `gradient` adds all up. */
  backward(pass: Pass, output: Split, wantH: boolean): Split | undefined;
  gradient(): Split;
}

function add(p: ProgramBuilder, X: Tensor | undefined, Y: Tensor): Tensor {
  return X ? p.combine(1, X, 1, Y) : Y;
}

const over = (p: ProgramBuilder, x: Tensor, y: Tensor) => p.map('quotient', [x, y]);
const withPenalty = (p: ProgramBuilder, X: Tensor, mu: number) => (mu > 0 ? p.map('affine', [X], { p: 1, q: mu }) : X);

/**
 * β = 2. With a = WᵀX, G = WᵀW, d = GH + μ, u = P∘H/d and t = P∘H⁺/d (u^Q, t^Q likewise from Q):
 *
 *     [∇W]₊ = X(u^P)ᵀ + W(H t^Qᵀ + t^Q Hᵀ),   [∇W]₋ = X(u^Q)ᵀ + W(H t^Pᵀ + t^P Hᵀ)
 *     P′ = P∘a/d + G t^Q,   Q′ = Q∘a/d + G t^P
 */
function squaredLayers(p: ProgramBuilder, { X, mu }: Fixed, W: Tensor): Dictionary {
  const a = p.matmul(T(W), X);
  const G = p.gram(W);
  // Sums over the layers that share W, so that X and W enter once.
  const u: Partial<Split> = {};
  const outer: Partial<Split> = {};
  return {
    W,
    forward(H) {
      const d = withPenalty(p, p.matmul(G, H), mu);
      return { H, next: p.hadamard(H, over(p, a, d)), a, d };
    },
    backward({ H, next, d }, { plus, minus }, wantH) {
      const t: Partial<Split> = {};
      for (const [side, part] of [['plus', plus] as const, ['minus', minus] as const]) {
        const scaled = over(p, part, d);
        u[side] = add(p, u[side], p.hadamard(scaled, H));
        t[side] = p.hadamard(scaled, next);
        const half = p.matmul(H, T(t[side]), outer[side] ? { add: outer[side] } : {});
        outer[side] = p.matmul(t[side], T(H), { add: half });
      }
      if (!wantH) return undefined;
      const rate = over(p, a, d);
      return {
        plus: p.matmul(G, t.minus!, { add: p.hadamard(plus, rate) }),
        minus: p.matmul(G, t.plus!, { add: p.hadamard(minus, rate) }),
      };
    },
    gradient: () => ({
      plus: p.matmul(W, outer.minus!, { add: p.matmul(X, T(u.plus!)) }),
      minus: p.matmul(W, outer.plus!, { add: p.matmul(X, T(u.minus!)) }),
    }),
  };
}

/**
 * β = 1. With V = WH, R = X/V, C = X/V², a = WᵀR, d = Wᵀ1 + μ, u and t as above (δR = −C ∘ δV):
 *
 *     [∇W]₊ = R(u^P)ᵀ + (C∘(W u^Q))Hᵀ + 1(t^Q 1)ᵀ,   [∇W]₋ = R(u^Q)ᵀ + (C∘(W u^P))Hᵀ + 1(t^P 1)ᵀ
 *     P′ = P∘a/d + Wᵀ(C∘(W u^Q)),   Q′ = Q∘a/d + Wᵀ(C∘(W u^P))
 */
function divergenceLayers(p: ProgramBuilder, { X, ones, mu }: Fixed, W: Tensor): Dictionary {
  const d = withPenalty(p, p.matmul(p.matmul(T(W), ones.N), T(ones.M)), mu);
  const sum: Partial<Split> = {};
  const t: Partial<Split> = {};
  return {
    W,
    forward(H) {
      const V = p.matmul(W, H);
      const ratio = over(p, X, V);
      const a = p.matmul(T(W), ratio);
      return { H, next: p.hadamard(H, over(p, a, d)), a, d, ratio, curvature: over(p, ratio, V) };
    },
    backward({ H, next, a, ratio, curvature }, { plus, minus }, wantH) {
      const bent: Partial<Split> = {};
      for (const [side, part] of [['plus', plus] as const, ['minus', minus] as const]) {
        const scaled = over(p, part, d);
        const u = p.hadamard(scaled, H);
        t[side] = add(p, t[side], p.hadamard(scaled, next));
        bent[side] = p.matmul(W, u, { hadamard: curvature! });
        sum[side] = p.matmul(ratio!, T(u), sum[side] ? { add: sum[side] } : {});
      }
      sum.plus = p.matmul(bent.minus!, T(H), { add: sum.plus! });
      sum.minus = p.matmul(bent.plus!, T(H), { add: sum.minus! });
      if (!wantH) return undefined;
      const rate = over(p, a, d);
      return {
        plus: p.matmul(T(W), bent.minus!, { add: p.hadamard(plus, rate) }),
        minus: p.matmul(T(W), bent.plus!, { add: p.hadamard(minus, rate) }),
      };
    },
    gradient: () => ({
      plus: p.matmul(ones.N, T(p.matmul(t.minus!, ones.M)), { add: sum.plus! }),
      minus: p.matmul(ones.N, T(p.matmul(t.plus!, ones.M)), { add: sum.minus! }),
    }),
  };
}

/** E with its gradient in the output dictionary and in H^K. */
interface Output {
  cost: Tensor;
  W: Split;
  H: Split;
}

/** The loss of the reconstruction, and the layers that descend on the loss of X by one update each. */
const betas = {
  2: { loss: squared, layers: squaredLayers },
  1: { loss: divergence, layers: divergenceLayers },
} as const;

export const lossOf = (beta: 1 | 2): Loss => betas[beta].loss;

/** E = ‖T − WH‖² or D(T ‖ WH). */
function reconstructionOutput(p: ProgramBuilder, target: Tensor, W: Tensor, H: Tensor, beta: 1 | 2, { ones }: Fixed): Output {
  const { loss } = betas[beta];
  const fit = { loss, target, dictionary: W, ones };
  return { cost: loss.cost(p, fit, H), W: dictionarySplit(p, fit, H, loss.factor), H: coefficientSplit(p, fit, H, loss.factor) };
}

/** Source s: its target Tˢ, and the k×k diagonal of 0 and 1 that selects its columns of W (rows of H). */
export interface SourceTensors {
  target: Tensor;
  select: Tensor;
}

/** Fˢ = Yˢ/V ∘ X with Yˢ = WˢHˢ, V = WH. */
function ratioMasks(p: ProgramBuilder, X: Tensor, W: Tensor, H: Tensor, selects: readonly Tensor[]) {
  const V = p.matmul(W, H);
  const gain = over(p, X, V);
  return selects.map((select) => {
    const own = p.matmul(select, H);
    const Y = p.matmul(W, own);
    return { own, share: over(p, Y, V), part: p.hadamard(Y, gain), gain };
  });
}

/**
 * E = Σ_s ‖Tˢ − Fˢ‖². ∂E/∂Yˢ = X/V ∘ (eˢ − Σ_r eʳ∘Yʳ/V) with e = 2(F − T), so split with F, T ≥ 0:
 *
 *     [∂E/∂Yˢ]₊ = 2X/V ∘ (Fˢ + Σ_r Tʳ∘Yʳ/V),   [∂E/∂Yˢ]₋ = 2X/V ∘ (Tˢ + Σ_r Fʳ∘Yʳ/V)
 */
function ratioMaskOutput(p: ProgramBuilder, X: Tensor, W: Tensor, H: Tensor, sources: readonly SourceTensors[]): Output {
  const masks = ratioMasks(
    p,
    X,
    W,
    H,
    sources.map(({ select }) => select),
  );
  let cost: Tensor | undefined;
  const common: Partial<Split> = {};
  masks.forEach(({ share, part }, s) => {
    const { target } = sources[s];
    cost = add(p, cost, p.reduce(p.combine(1, target, -1, part), 'squares'));
    common.plus = add(p, common.plus, p.hadamard(target, share));
    common.minus = add(p, common.minus, p.hadamard(part, share));
  });
  const ofW: Partial<Split> = {};
  const ofH: Partial<Split> = {};
  masks.forEach(({ own, part, gain }, s) => {
    const { target, select } = sources[s];
    for (const [side, direct] of [['plus', part] as const, ['minus', target] as const]) {
      const dY = p.hadamard(gain, p.combine(2, direct, 2, common[side]!));
      ofW[side] = p.matmul(dY, T(own), ofW[side] ? { add: ofW[side] } : {});
      ofH[side] = p.matmul(select, p.matmul(T(W), dY), ofH[side] ? { add: ofH[side] } : {});
    }
  });
  return { cost: cost!, W: ofW as Split, H: ofH as Split };
}

export interface UnfoldedProgram {
  program: Program;
  X: Tensor;
  target: Tensor;
  sources: SourceTensors[];
  H0: Tensor;
  ones: Ones;
  /** The distinct dictionaries: that of the output first, then those of the layers in order (see dictionaryOfLayers). */
  W: Tensor[];
  /** H^K. */
  H: Tensor;
  /** [∇W]₊ and [∇W]₋ of each dictionary as section 'gradient' (or the last 'step') leaves them. */
  gradients: Split[];
  cost: Tensor;
  /** ‖T − WH^K‖², or Σ_s ‖Tˢ − Fˢ‖². */
  error: Tensor;
  /** Natural KKT residual of H^K in ‖T − WH‖². */
  kkt: Tensor;
  /** Plain NMF of X: the start of every dictionary. */
  tied: { S: Tensor; sections: LayerSections; cost: Tensor };
}

export interface UnfoldedShape {
  rank: number;
  layers: number;
  untied: number;
  beta: 1 | 2;
  l1: number;
  /** Number of sources of the ratio mask; 0 for the reconstruction. */
  sources: number;
  /** Stored entries of X and of the target where they are sparse: with β = 2 and the reconstruction only, all else forms WH. */
  csrEntries?: number;
  targetEntries?: number;
}

/**
 * The number of the dictionary that each layer uses. 0 is that of the output. With C = 0 all layers use it. Otherwise layers 1 … K−C share
 * number 1, and each of the last C has its own after that.
 */
export function dictionaryOfLayers(K: number, C: number): number[] {
  const first = C < K ? 2 : 1;
  return Array.from({ length: K }, (_, k) => (C === 0 ? 0 : k < K - C ? 1 : first + k - (K - C)));
}

/** H^K from H⁰: the passes, with the dictionaries that made them. */
function unfold(p: ProgramBuilder, fixed: Fixed, W: readonly Tensor[], H0: Tensor, { layers, untied, beta }: UnfoldedShape) {
  const dictionaries = W.map((w, i) => {
    const used = i > 0 || untied === 0;
    return used ? betas[beta].layers(p, fixed, w) : undefined;
  });
  const of = dictionaryOfLayers(layers, untied);
  const passes: Pass[] = [];
  for (const i of of) passes.push(dictionaries[i]!.forward(passes.at(-1)?.next ?? H0));
  return { dictionaries, of, passes, H: passes[passes.length - 1].next };
}

/** Sections 'step' (gradient, then W ← W∘[∇]₋/[∇]₊), 'gradient', 'finish', those of the tied start, and 'unfold', which ends it. */
export function unfoldedProgram(N: number, M: number, shape: UnfoldedShape, restarts: number): UnfoldedProgram {
  const { rank: k, layers, untied, beta, l1 } = shape;
  const p = programBuilder('unfoldedNmf', { restarts });
  const X = p.data('X', N, M, { csrEntries: shape.csrEntries });
  const target = p.input('T', N, M, { csrEntries: shape.targetEntries });
  const sources = Array.from({ length: shape.sources }, (_, s) => ({
    target: p.input(`T${s}`, N, M),
    select: p.input(`select${s}`, k, k),
  }));
  const H0 = p.input('H0', k, M);
  const ones = onesInputs(p, N, M);
  const fixed: Fixed = { X, ones, mu: l1 };
  const count = 1 + Math.max(...dictionaryOfLayers(layers, untied));
  const W = Array.from({ length: count }, (_, i) => p.state(`W${i}`, N, k));
  const H = p.state('H', k, M);
  const gradients = W.map((_, i) => ({ plus: p.state(`plus${i}`, N, k), minus: p.state(`minus${i}`, N, k) }));
  const [cost, error, kkt] = ['cost', 'error', 'kkt'].map((name) => p.state(name, 1, 1));

  const S = p.state('S', k, M);
  const tiedCost = p.state('tiedCost', 1, 1);
  const sections = layerSections(p, 0, { X, A: W[0], S, cost: tiedCost, kkt: kktTensors(p, 0) }, 'anls');
  p.section('unfold', () => {
    // Exact solves leave zeros, which a multiplicative update could not leave again: all entries move up a little.
    const positive = p.map('affine', [W[0]], { p: 1, q: 1e-2 / Math.sqrt(N) });
    for (const w of W) p.copy(positive, w);
  });

  const gradient = () => {
    const { dictionaries, of, passes, H: output } = unfold(p, fixed, W, H0, shape);
    const E =
      sources.length > 0 ? ratioMaskOutput(p, X, W[0], output, sources) : reconstructionOutput(p, target, W[0], output, beta, fixed);
    p.copy(E.cost, cost);
    let dH: Split | undefined = E.H;
    for (let l = layers - 1; l >= 0; l--) dH = dictionaries[of[l]]!.backward(passes[l], dH!, l > 0);
    W.forEach((_, i) => {
      const inner = dictionaries[i]?.gradient();
      for (const side of ['plus', 'minus'] as const) {
        const parts = [...(i === 0 ? [E.W[side]] : []), ...(inner ? [inner[side]] : [])];
        p.copy(
          parts.reduce((sum, part) => p.combine(1, sum, 1, part)),
          gradients[i][side],
        );
      }
    });
  };
  p.section('gradient', gradient);
  p.section('step', () => {
    gradient();
    W.forEach((w, i) => {
      updateBy(p, w, gradients[i]);
    });
  });
  p.section('finish', () => {
    const { H: output } = unfold(p, fixed, W, H0, shape);
    p.copy(output, H);
    if (sources.length > 0) p.copy(ratioMaskOutput(p, X, W[0], output, sources).cost, error);
    else p.residualNorm(target, W[0], output, { into: error });
    p.reduce(p.kktResidual(p.gram(W[0]), p.matmul(T(W[0]), target), output), 'maxAbs', { into: kkt });
  });
  return { program: p.build(), X, target, sources, H0, ones, W, H, gradients, cost, error, kkt, tied: { S, sections, cost: tiedCost } };
}

export interface UnfoldedForward extends Pick<UnfoldedProgram, 'program' | 'X' | 'H0' | 'ones' | 'W' | 'H'> {
  selects: Tensor[];
  /** WH^K, or Fˢ of every source; none for a sparse X, which they would be dense beside. */
  outputs: Tensor[];
}

/** Section 'forward': the K layers on other columns, and their output. */
export function unfoldedForwardProgram(N: number, M: number, shape: UnfoldedShape): UnfoldedForward {
  const p = programBuilder('unfoldedForward');
  const X = p.input('X', N, M, { csrEntries: shape.csrEntries });
  const H0 = p.input('H0', shape.rank, M);
  const ones = onesInputs(p, N, M);
  const count = 1 + Math.max(...dictionaryOfLayers(shape.layers, shape.untied));
  const W = Array.from({ length: count }, (_, i) => p.input(`W${i}`, N, shape.rank));
  const selects = Array.from({ length: shape.sources }, (_, s) => p.input(`select${s}`, shape.rank, shape.rank));
  const H = p.state('H', shape.rank, M);
  const outputCount = X.form === 'csr' ? 0 : Math.max(1, shape.sources);
  const outputs = Array.from({ length: outputCount }, (_, s) => p.state(`output${s}`, N, M));
  p.section('forward', () => {
    p.copy(unfold(p, { X, ones, mu: shape.l1 }, W, H0, shape).H, H);
    if (outputs.length === 0) return;
    if (selects.length === 0) p.matmul(W[0], H, { into: outputs[0] });
    else
      ratioMasks(p, X, W[0], H, selects).forEach(({ part }, s) => {
        p.copy(part, outputs[s]);
      });
  });
  return { program: p.build(), X, H0, ones, W, H, selects, outputs };
}
