/**
 * The objective of Neural NMF and its gradient, as program pieces:
 *
 *     C = Σ_l w_l ‖W ∘ (X − A⁰…AˡSˡ)‖² + Σ_l e_l ‖W_l ∘ (Sˡ⁻¹ − AˡSˡ)‖² + Σ_c λ_c D_c(Y, B_c Sˡ⁽ᶜ⁾)
 *
 * with S⁻¹ = X, Sˡ = q(Sˡ⁻¹, Aˡ), weights W in the terms on X only, and D_c either ‖L ∘ (Y − BS)‖² or the cross-entropy of softmax(BS)
 * averaged over the labelled columns.
 */
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import { backwardQ, type DataWeights, forwardQ, type Solved, weightedResidual } from './q.js';

export interface CostWeights {
  /** w_l, the weight of each level's reconstruction ‖X − A⁰…AˡSˡ‖². */
  reconstruction: readonly number[];
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

  const q: Solved[] = [];
  for (let l = 0; l <= last; l++)
    q.push(forwardQ(p, l === 0 ? X : S[l - 1], A[l], S[l], { warm, l1: l1[l], weights: l === 0 ? mask : undefined }));
  const levels = levelsOf(p, A, S, reconstruction);

  // Direct gradients, dD[l] for Aˡ and dS[l] for Sˡ, of every term; those of A⁰ are X·plusXᵀ − A⁰·plusGram where X has no weights.
  const dD: (Tensor | undefined)[] = A.map(() => undefined);
  const dS: (Tensor | undefined)[] = A.map(() => undefined);
  const firstLayer: { scale: number; Z: Tensor }[] = [];
  const add = (list: (Tensor | undefined)[], l: number, scale: number, term: Tensor) => {
    const before = list[l];
    list[l] = before ? p.combine(1, before, scale, term) : scale === 1 ? term : p.combine(scale, term, 0, term);
  };

  const norms = reconstructionNorms(p, X, q[0], levels, fall);
  for (const [i, { level, weight, Z }] of levels.entries()) {
    costs.push({ weight, term: norms[i] });
    firstLayer.push({ scale: -2 * weight, Z: Z[0] });
    // Hˡ = (A⁰…Aˡ)ᵀ(X − A⁰Z⁰): the gradients are −2 Hˡ⁻¹(Zˡ)ᵀ for Aˡ and −2 Hˡ of the level for its S.
    let H = gradientInput(p, q[0], Z[0]);
    for (let l = 1; l <= level; l++) {
      add(dD, l, 1, p.matmul(H, T(Z[l]), { scale: -2 * weight }));
      H = p.matmul(T(A[l]), H, { name: `H${l}` });
    }
    add(dS, level, -2 * weight, H);
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
  return { cost: total(p, costs), D, ...metric(p, A, S, levels, q), classifiers };
}

/** One level whose reconstruction counts: Zʲ = Aʲ⁺¹…AˡSˡ for j = 0 … l, so that the reconstruction is A⁰Z⁰. */
interface Level {
  level: number;
  /** w_l. */
  weight: number;
  Z: Tensor[];
}

function levelsOf(p: ProgramBuilder, A: readonly Tensor[], S: readonly Tensor[], weights: readonly number[]): Level[] {
  return weights.flatMap((weight, level) => {
    if (weight === 0) return [];
    const Z = S.slice(0, level + 1);
    for (let j = level - 1; j >= 0; j--) Z[j] = p.matmul(A[j + 1], Z[j + 1], { name: level === A.length - 1 ? `Z${j}` : `Z${level}.${j}` });
    return { level, weight, Z };
  });
}

/**
 * ‖W ∘ (X − A⁰Z)‖² of every level. X is read for one of them, R = X − A⁰Z̄ of the first. The others follow from what k₀ rows hold:
 *
 *     ‖X − A⁰Z‖² = ‖R‖² − ⟨Z − Z̄, A⁰ᵀ(X − A⁰Z) + A⁰ᵀR⟩
 *
 * whose terms are of the size of the difference, so nothing cancels. With weights A⁰ᵀ(W² ∘ R) has no Gram form, and every level reads X.
 */
function reconstructionNorms(p: ProgramBuilder, X: Tensor, q: Solved, levels: readonly Level[], fall?: number): Tensor[] {
  const read = (Z: Tensor) => p.residualNorm(X, q.A, Z, { W: q.weights?.W, G: q.G, fall });
  if (q.weights) return levels.map(({ Z }) => read(Z[0]));
  const norms: Tensor[] = [];
  for (const { Z } of levels) {
    if (norms.length === 0) {
      norms.push(read(Z[0]));
      continue;
    }
    const near = levels[0].Z[0];
    const sides = p.combine(1, gradientInput(p, q, Z[0]), 1, gradientInput(p, q, near));
    const change = p.reduce(p.hadamard(p.combine(1, Z[0], -1, near), sides), 'sum');
    norms.push(p.combine(1, norms[0], -1, change));
  }
  return norms;
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
 * The diagonal of the Gauss–Newton Hessian: for reconstructions diag(ΨᵀΨ) ⊗ diag(Σ w ZZᵀ / Σ w) with Ψ = A⁰…Aˡ⁻¹, over the levels that Aˡ
 * is in; for pure energies diag(SSᵀ). It makes the step independent of how scale is spread between A and S.
 */
function metric(
  p: ProgramBuilder,
  A: readonly Tensor[],
  S: readonly Tensor[],
  levels: readonly Level[],
  q: readonly Solved[],
): Pick<CostAndGradient, 'Q' | 'M'> {
  if (levels.length === 0) return { Q: S.map((s) => p.gram(s, 'rows')), M: A.map(() => undefined) };
  const M: (Tensor | undefined)[] = [undefined];
  // With weights the first Gram matrix differs by column; the plain one serves as metric.
  for (let l = 1; l < A.length; l++) {
    if (l === 1) M.push(q[0].weights ? p.gram(A[0]) : q[0].G);
    else M.push(p.matmul(T(A[l - 1]), p.matmul(M[l - 1]!, A[l - 1])));
  }
  const sum = levels.reduce((before, { weight }) => before + weight, 0);
  const Q = A.map((_, l) => {
    const parts = levels.filter(({ level }) => level >= l).map(({ weight, Z }) => ({ weight: weight / sum, term: p.gram(Z[l], 'rows') }));
    return parts.length > 0 ? total(p, parts) : p.gram(S[l], 'rows');
  });
  return { Q, M };
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
