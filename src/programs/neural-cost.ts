/**
 * The objective of Neural NMF and its gradient, as program pieces:
 *
 *     C = w ‖W ∘ (X − A⁰Z⁰)‖² + Σ_l e_l ‖W_l ∘ (Sˡ⁻¹ − AˡSˡ)‖² + Σ_c λ_c D_c(Y, B_c Sˡ⁽ᶜ⁾)
 *
 * with S⁻¹ = X, Sˡ = q(Sˡ⁻¹, Aˡ), Zˡ = Aˡ⁺¹…AᴸSᴸ, weights W in the terms on X only, and D_c either ‖L ∘ (Y − BS)‖² or the cross-entropy
 * of softmax(BS) averaged over the labelled columns.
 */
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { backwardQ, type DataWeights, forwardQ, type Solved, weightedResidual } from './q.js';

export interface CostWeights {
  /** w, the weight of the reconstruction ‖X − A⁰…AᴸSᴸ‖². */
  reconstruction: number;
  /** e_l, the weight of each layer's own residual ‖Sˡ⁻¹ − AˡSˡ‖². */
  energy: readonly number[];
  /** λ₁ of each layer: Sˡ = argmin_{S ≥ 0} ½‖Sˡ⁻¹ − AˡS‖² + λ₁ Σ S. */
  l1: readonly number[];
}

export interface ClassifierTensors {
  layer: number;
  loss: 'squared' | 'crossEntropy';
  /** λ in the unit of the normalisation. */
  weight: number;
  /** P×M one-hot, zero columns where a sample has no label. */
  Y: Tensor;
  /** Ones in labelled columns: P×M, and once more with the rows of S. */
  L: Tensor;
  mask: Tensor;
  labelled: number;
  /** P×k. A free variable with cross-entropy; with the squared loss q(·) of S, so nothing has to flow through it. */
  B: Tensor;
}

export interface Terms {
  X: Tensor;
  /** Weights W on the entries of X. */
  mask?: DataWeights;
  weights: CostWeights;
  classifiers: readonly ClassifierTensors[];
  /** The least relative change of C that has to be seen. Default: as little as f32 shows. */
  fall?: number;
}

export interface CostAndGradient {
  /** C, 1×1. */
  cost: Tensor;
  /** ∂C/∂Aˡ. */
  D: Tensor[];
  /** Q_l with the energy of each unit of layer l on its diagonal, M_l with the weights of its outputs (absent: the identity). */
  Q: Tensor[];
  M: (Tensor | undefined)[];
  /** ∂C/∂B and its metric, for each classifier with cross-entropy. */
  classifiers: { D: Tensor; Q: Tensor }[];
}

/** C and its gradient at A (and B), with S ← the exact coefficients of every layer. */
export function costAndGradient(
  p: ProgramBuilder,
  terms: Terms,
  A: readonly Tensor[],
  S: readonly Tensor[],
  warm: boolean,
): CostAndGradient {
  const { X, mask, weights, fall } = terms;
  const { reconstruction, energy, l1 } = weights;
  const last = A.length - 1;
  const costs: { weight: number; term: Tensor }[] = [];

  // Forward: Sˡ = q(Sˡ⁻¹, Aˡ), and Zˡ = Aˡ⁺¹…AᴸSᴸ, so that the reconstruction is A⁰Z⁰.
  const q: Solved[] = [];
  for (let l = 0; l <= last; l++)
    q.push(forwardQ(p, l === 0 ? X : S[l - 1], A[l], S[l], { warm, l1: l1[l], weights: l === 0 ? mask : undefined }));
  const Z = [...S];
  for (let l = last - 1; l >= 0; l--) Z[l] = p.matmul(A[l + 1], Z[l + 1], { name: `Z${l}` });

  // Direct gradients, dD[l] for Aˡ and dS[l] for Sˡ, of every term; those of A⁰ are X·plusXᵀ − A⁰·plusGram where X has no weights.
  const dD: (Tensor | undefined)[] = A.map(() => undefined);
  const dS: (Tensor | undefined)[] = A.map(() => undefined);
  const firstLayer: { scale: number; Z: Tensor }[] = [];
  const add = (list: (Tensor | undefined)[], l: number, scale: number, term: Tensor) => {
    const before = list[l];
    list[l] = before ? p.combine(1, before, scale, term) : scale === 1 ? term : p.combine(scale, term, 0, term);
  };

  if (reconstruction > 0) {
    costs.push({ weight: reconstruction, term: p.residualNorm(X, A[0], Z[0], { W: mask?.W, G: q[0].G, fall }) });
    firstLayer.push({ scale: -2 * reconstruction, Z: Z[0] });
    // Hˡ = (A⁰…Aˡ)ᵀ(X − A⁰Z⁰): the gradients are −2 Hˡ⁻¹(Zˡ)ᵀ for Aˡ and −2 Hᴸ for Sᴸ.
    let H = gradientInput(p, q[0], Z[0]);
    for (let l = 1; l <= last; l++) {
      add(dD, l, 1, p.matmul(H, T(Z[l]), { scale: -2 * reconstruction }));
      H = p.matmul(T(A[l]), H, { name: `H${l}` });
    }
    add(dS, last, -2 * reconstruction, H);
  }
  for (let l = 0; l <= last; l++) {
    if (!energy[l]) continue;
    const input = l === 0 ? X : S[l - 1];
    costs.push({ weight: energy[l], term: p.residualNorm(input, A[l], S[l], { W: l === 0 ? mask?.W : undefined, G: q[l].G, fall }) });
    add(dS, l, -2 * energy[l], gradientInput(p, q[l], S[l]));
    if (l === 0) {
      firstLayer.push({ scale: -2 * energy[0], Z: S[0] });
      continue;
    }
    const R = p.combine(1, S[l - 1], -1, p.matmul(A[l], S[l]));
    add(dD, l, 1, p.matmul(R, T(S[l]), { scale: -2 * energy[l] }));
    add(dS, l - 1, 2 * energy[l], R);
  }
  const classifiers: { D: Tensor; Q: Tensor }[] = [];
  for (const classifier of terms.classifiers) {
    const { term, inS, inB } = supervise(p, classifier, S[classifier.layer]);
    costs.push({ weight: classifier.weight, term });
    add(dS, classifier.layer, classifier.weight, inS);
    if (inB) classifiers.push(inB);
  }

  // Backward through every q, from Sᴸ down to X.
  const D: Tensor[] = [];
  for (let l = last; l >= 0; l--) {
    const gradient = dS[l] ?? p.combine(0, S[l], 0, S[l]);
    if (l === 0) {
      D[0] = firstLayerGradient(p, q[0], gradient, firstLayer);
      break;
    }
    const { dX, dA } = backwardQ(p, q[l], gradient);
    D[l] = dD[l] ? p.combine(1, dA, 1, dD[l]!) : dA;
    add(dS, l - 1, 1, dX!);
  }
  return { cost: total(p, costs), D, ...metric(p, A, S, Z, q, weights), classifiers };
}

/** Aᵀ(W² ∘ (X − AZ)) for the layer that q solved; without weights from the Gram matrix, so that X is not read again. */
function gradientInput(p: ProgramBuilder, { A, G, AtX, weights }: Solved, Z: Tensor): Tensor {
  if (weights) return p.matmul(T(A), weightedResidual(p, weights, A, Z));
  return p.matmul(G, Z, { scale: -1, add: AtX });
}

/** ∂C/∂A⁰: through q⁰, and the direct part Σ scale (W² ∘ (X − A⁰Z))Zᵀ, in one pass over X where it has no weights. */
function firstLayerGradient(p: ProgramBuilder, q: Solved, dS: Tensor, direct: { scale: number; Z: Tensor }[]): Tensor {
  const { A, weights } = q;
  if (weights) {
    let { dA } = backwardQ(p, q, dS, { wantX: false });
    for (const { scale, Z } of direct) dA = p.matmul(weightedResidual(p, weights, A, Z), T(Z), { scale, add: dA });
    return dA;
  }
  if (direct.length === 0) return backwardQ(p, q, dS, { wantX: false }).dA;
  const [first, ...others] = direct;
  let plusX = { scale: first.scale, tensor: first.Z };
  let plusGram = { scale: first.scale, tensor: p.gram(first.Z, 'rows') };
  for (const { scale, Z } of others) {
    plusX = { scale: 1, tensor: p.combine(plusX.scale, plusX.tensor, scale, Z) };
    plusGram = { scale: 1, tensor: p.combine(plusGram.scale, plusGram.tensor, scale, p.gram(Z, 'rows')) };
  }
  return backwardQ(p, q, dS, { wantX: false, plusX, plusGram }).dA;
}

/** A classifier's loss, its gradient in S and, where B is free, in B with its metric. */
function supervise(
  p: ProgramBuilder,
  { loss, Y, L, mask, labelled, B }: ClassifierTensors,
  S: Tensor,
): { term: Tensor; inS: Tensor; inB?: { D: Tensor; Q: Tensor } } {
  if (loss === 'squared') {
    fitClassifier(p, S, Y, mask, B);
    const R = p.combine(1, Y, -1, p.matmul(B, S, { hadamard: L }));
    return { term: p.reduce(R, 'squares'), inS: p.matmul(T(B), R, { scale: -2 }) };
  }
  const { loss: ofColumns, gradient } = p.softmaxCrossEntropy(p.matmul(B, S), Y);
  const mean = 1 / labelled;
  const ofLoss = p.reduce(ofColumns, 'sum');
  // The Hessian in B is at most ¼ SSᵀ / labelled, so D / (2 diag Q) with Q = SSᵀ and D eight times the scaled gradient is a safe step.
  return {
    term: p.combine(mean, ofLoss, 0, ofLoss),
    inS: p.matmul(T(B), gradient, { scale: mean }),
    inB: { D: p.matmul(gradient, T(S), { scale: 8 }), Q: p.gram(S, 'rows') },
  };
}

/** B ← argmin_{B ≥ 0} ‖L ∘ (Y − BS)‖², exactly: Bᵀ = q of the labelled columns. */
export function fitClassifier(p: ProgramBuilder, S: Tensor, Y: Tensor, mask: Tensor, B: Tensor): void {
  const labelledS = p.hadamard(S, mask);
  const Bt = p.transpose(B);
  p.nnls(p.matmul(labelledS, T(S)), p.matmul(S, T(Y)), Bt);
  p.transpose(Bt, { into: B });
}

/**
 * The diagonal of the Gauss–Newton Hessian: for the reconstruction diag(ΨᵀΨ) ⊗ diag(ZZᵀ) with Ψ = A⁰…Aˡ⁻¹, for pure energies
 * diag(SSᵀ). It makes the step independent of how scale is spread between A and S.
 */
function metric(
  p: ProgramBuilder,
  A: readonly Tensor[],
  S: readonly Tensor[],
  Z: readonly Tensor[],
  q: readonly Solved[],
  { reconstruction }: CostWeights,
): Pick<CostAndGradient, 'Q' | 'M'> {
  if (reconstruction === 0) return { Q: S.map((s) => p.gram(s, 'rows')), M: A.map(() => undefined) };
  const M: (Tensor | undefined)[] = [undefined];
  // With weights the first Gram matrix differs by column; the plain one serves as metric.
  for (let l = 1; l < A.length; l++) {
    if (l === 1) M.push(q[0].weights ? p.gram(A[0]) : q[0].G);
    else M.push(p.matmul(T(A[l - 1]), p.matmul(M[l - 1]!, A[l - 1])));
  }
  return { Q: Z.map((z) => p.gram(z, 'rows')), M };
}

function total(p: ProgramBuilder, costs: { weight: number; term: Tensor }[]): Tensor {
  let sum = costs[0].term;
  let weight = costs[0].weight;
  for (const { weight: next, term } of costs.slice(1)) {
    sum = p.combine(weight, sum, next, term);
    weight = 1;
  }
  return weight === 1 ? sum : p.combine(weight, sum, 0, sum);
}
