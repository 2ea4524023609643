/**
 * Losses: measures of how well V = DS with D, S ≥ 0 fits data Z seen through a mask M. A loss is one object. The multiplicative updates of
 * every method read it.
 *
 *     squared      Σ M ∘ (Z − V)²
 *     divergence   Σ M ∘ (Z log(Z/V) − Z + V), Kullback & Leibler's
 *     betaLoss(β)  Σ M ∘ (Z^β + (β − 1) V^β − β Z V^{β−1}) / (β(β − 1)); at β = 0 Itakura & Saito's, Σ M ∘ (Z/V − log(Z/V) − 1)
 *
 * Its gradient in V is factor · (plus − minus), with both halves ≥ 0. Hence the gradient is factor · (plus − minus)Sᵀ in D and
 * factor · Dᵀ(plus − minus) in S. An update multiplies D or S by its half of minus and divides it by its half of plus. Where V is 0 its
 * powers are those of a small number.
 */
import type { Into } from '../graph/operations/definition.js';
import type { ProgramBuilder } from '../graph/program.js';
import { type Operand, T, type Tensor } from '../graph/tensor.js';

export interface Loss {
  /** Stands in messages: X is measured by … */
  name: string;
  /** The power of c by which the cost of cZ against cV exceeds that of Z against V. */
  degree: number;
  /** Size of one entry of the data. Costs are relative to the sum over all. */
  size(z: number): number;
  /** Whether it forms matrices of the size of the data, so that X cannot be sparse. */
  dense: boolean;
  /** Whether a fit without mask needs vectors of ones, for sums over rows and columns. */
  ones: boolean;
  /** The cost, 1×1. */
  cost(p: ProgramBuilder, fit: Fit, S: Tensor, options?: Into): Tensor;
  /** The number beside (plus − minus) in the gradient. */
  factor: number;
  /** The exponent of minus / plus with which an update never raises the cost; default 1. */
  power?: number;
  minus(p: ProgramBuilder, fit: Fit, S: Tensor): Half;
  plus(p: ProgramBuilder, fit: Fit, S: Tensor): Half;
}

/**
 * A matrix of the size of the data, or two thin factors of it whose product is never formed, or Z / V or V at the entries that a sparse Z
 * stores, and 0 elsewhere.
 */
export type Half = Tensor | { left: Tensor; right: Operand } | { quotientOf: Tensor } | { sampledAt: Tensor } | Powered;

/** V^p of all entries, or Z ∘ V^p of a sparse Z, with no entry of V below q: never formed, whatever its product with D or S is. */
export interface Powered {
  of?: Tensor;
  p: number;
  q: number;
}

/** The approximation of a target by DS. */
export interface Fit {
  loss: Loss;
  /** M∘Z. */
  target: Tensor;
  /** M ≥ 0; all ones when left out. */
  mask?: Tensor;
  /** Whether M is 1 where a sparse target stores an entry, and 0 elsewhere. */
  missing?: boolean;
  /** Z, where M may be more than zeros and ones: costs but the squared one need it. Default: `target`. */
  data?: Tensor;
  /** D. */
  dictionary: Tensor;
  ones?: Ones;
}

/** Columns of ones, N×1 and M×1. */
export interface Ones {
  N: Tensor;
  M: Tensor;
}

/** The inputs of ones, which the host fills. */
export function onesInputs(p: ProgramBuilder, N: number, M: number, label = ''): Ones {
  return { N: p.input(`onesN${label}`, N, 1), M: p.input(`onesM${label}`, M, 1) };
}

export const squared: Loss = {
  name: 'squared error',
  degree: 2,
  size: (z) => z * z,
  dense: false,
  ones: false,
  // The target is masked already, and a mask of zeros and ones is its own square.
  cost: (p, { target, mask, missing, dictionary }, S, options) =>
    missing ? p.residualAtEntries(target, dictionary, S, options) : p.residualNorm(target, dictionary, S, { W: mask, ...options }),
  factor: 2,
  minus: (_p, { target }) => target,
  plus(p, { target, mask, missing, dictionary }, S) {
    if (missing) return { sampledAt: target };
    return mask ? p.matmul(dictionary, S, { hadamard: mask }) : { left: dictionary, right: S };
  },
};

/** Σ M ∘ f(Z, V) for an entrywise f. What is hidden has a finite f, and counts 0. */
function sumOf(
  p: ProgramBuilder,
  fn: 'divergence' | 'betaDivergence',
  { target, mask, data = target, dictionary }: Fit,
  S: Tensor,
  options?: Into,
  constants: { p?: number; q?: number } = {},
): Tensor {
  const entries = p.map(fn, [data, p.matmul(dictionary, S)], constants);
  // Rounding can make a sum of divergences negative.
  return p.map('positive', [p.reduce(mask ? p.hadamard(mask, entries) : entries, 'sum')], options);
}

export const divergence: Loss = {
  name: 'divergence',
  degree: 1,
  size: (z) => z,
  dense: false,
  ones: true,
  cost(p, fit, S, options) {
    const { target, dictionary, ones } = fit;
    if (target.form === 'dense') return sumOf(p, 'divergence', fit, S, options);
    // Σ V = (1ᵀD)(S1), so V is formed at the stored entries of Z alone.
    const sum = p.matmul(p.matmul(T(ones!.N), dictionary), p.matmul(S, ones!.M));
    return p.map('positive', [p.combine(1, p.divergenceAtEntries(target, dictionary, S), 1, sum)], options);
  },
  factor: 1,
  // M∘Z / V, where 0 / 0 = 0.
  minus: (p, { target, dictionary }, S) =>
    target.form === 'dense' ? p.map('quotient', [target, p.matmul(dictionary, S)]) : { quotientOf: target },
  plus: (_p, { mask, ones }) => mask ?? { left: ones!.N, right: T(ones!.M) },
};

/** Entries of V count as this at least before a power is taken of them; entries of X are about 1. */
const least = 2 ** -30;

/** The loss of β: one of the two above where it is theirs. Févotte & Idier, Neural Computation 23(9), 2011. */
export function betaLoss(beta: number): Loss {
  if (beta === 2) return squared;
  if (beta === 1) return divergence;
  const constants = { p: beta, q: least };
  const powerOf = (p: ProgramBuilder, { dictionary }: Fit, S: Tensor, exponent: number) =>
    p.map('power', [p.matmul(dictionary, S)], { p: exponent, q: least });
  return {
    name: beta === 0 ? 'Itakura–Saito divergence' : `β-divergence of ${beta}`,
    degree: beta,
    size: (z) => (z > 0 ? z ** beta : 0),
    // Zeros are infinitely far from any V then.
    dense: beta <= 0,
    ones: false,
    cost(p, fit, S, options) {
      const { target, dictionary } = fit;
      if (target.form === 'dense' || beta <= 0) return sumOf(p, 'betaDivergence', fit, S, options, constants);
      // That of V from zeros is Σ V^β / β = ⟨D, V^{β−1} Sᵀ⟩ / β.
      const ofAll = p.reduce(p.hadamard(dictionary, p.powerProduct(dictionary, p.transpose(S), { p: beta - 1, q: least })), 'sum');
      return p.map('positive', [p.combine(1, p.betaDivergenceAtEntries(target, dictionary, S, constants), 1 / beta, ofAll)], options);
    },
    factor: 1,
    power: beta < 1 ? 1 / (2 - beta) : beta > 2 ? 1 / (beta - 1) : 1,
    minus: (p, fit, S) =>
      fit.target.form === 'dense' || beta <= 0
        ? p.hadamard(fit.target, powerOf(p, fit, S, beta - 2))
        : { of: fit.target, p: beta - 2, q: least },
    plus(p, fit, S) {
      if (fit.target.form !== 'dense' && beta > 0) return { p: beta - 1, q: least };
      const plus = powerOf(p, fit, S, beta - 1);
      return fit.mask ? p.hadamard(fit.mask, plus) : plus;
    },
  };
}

/** A gradient split in parts ≥ 0: up to a common factor it is `plus` − `minus`, and the update multiplies by minus / plus. */
export interface Split {
  minus: Tensor;
  plus: Tensor;
}

/** The halves of the gradient in D, minus·Sᵀ and plus·Sᵀ, each times `scale`. */
export function dictionarySplit(p: ProgramBuilder, fit: Fit, S: Tensor, scale = 1): Split {
  const times = (half: Half) => {
    if ('quotientOf' in half) return withScale(p, p.quotientProduct(half.quotientOf, fit.dictionary, S, 'rows'), scale);
    if ('sampledAt' in half) return withScale(p, p.sampledProduct(half.sampledAt, fit.dictionary, S, 'rows'), scale);
    if ('q' in half) {
      const product = half.of
        ? p.poweredProduct(half.of, fit.dictionary, S, { of: 'rows', p: half.p, q: half.q })
        : p.powerProduct(fit.dictionary, p.transpose(S), { p: half.p, q: half.q });
      return withScale(p, product, scale);
    }
    if (!('left' in half)) return p.matmul(half, T(S), { scale });
    return p.matmul(half.left, half.right === S ? p.gram(S, 'rows') : p.matmul(half.right, T(S)), { scale });
  };
  const { loss } = fit;
  return { minus: times(loss.minus(p, fit, S)), plus: times(loss.plus(p, fit, S)) };
}

/** The halves of the gradient in S, Dᵀminus and Dᵀplus, each times `scale` and added to those of another fit. */
export function coefficientSplit(p: ProgramBuilder, fit: Fit, S: Tensor, scale = 1, other?: Split): Split {
  const { loss, dictionary: D } = fit;
  const times = (half: Half, add?: Tensor) => {
    if ('quotientOf' in half) return withScale(p, p.quotientProduct(half.quotientOf, D, S, 'columns'), scale, add);
    if ('sampledAt' in half) return withScale(p, p.sampledProduct(half.sampledAt, D, S, 'columns'), scale, add);
    if ('q' in half) {
      const product = half.of
        ? p.poweredProduct(half.of, D, S, { of: 'columns', p: half.p, q: half.q })
        : p.transpose(p.powerProduct(p.transpose(S), D, { p: half.p, q: half.q }));
      return withScale(p, product, scale, add);
    }
    if (!('left' in half)) return p.matmul(T(D), half, { scale, add });
    return p.matmul(half.left === D ? p.gram(D) : p.matmul(T(D), half.left), half.right, { scale, add });
  };
  return { minus: times(loss.minus(p, fit, S), other?.minus), plus: times(loss.plus(p, fit, S), other?.plus) };
}

/** Whether updates of this fit go by the stored entries of a sparse target, with sums of the other factor below. */
export function byEntries({ loss, target }: Fit): boolean {
  return loss === divergence && target.form === 'csr';
}

/** A ← A ∘ [(X/(AS)) Sᵀ] / (S1 + λ₁), or the same of S, for a sparse X: nothing of the size of X or of the factor is formed. */
export function updateByEntries(p: ProgramBuilder, of: 'A' | 'S', { target: X, dictionary: A, ones }: Fit, S: Tensor, l1 = 0): void {
  const sums = of === 'A' ? p.matmul(T(ones!.M), T(S)) : p.matmul(T(ones!.N), A);
  const d = l1 === 0 ? sums : p.map('affine', [sums], { p: 1, q: l1 });
  if (of === 'A') p.quotientUpdate(A, X, S, d, 'rows');
  else p.quotientUpdate(S, X, A, d, 'columns');
}

/** scale · F + add. */
function withScale(p: ProgramBuilder, F: Tensor, scale: number, add?: Tensor): Tensor {
  if (add) return p.combine(scale, F, 1, add);
  return scale === 1 ? F : p.map('affine', [F], { p: scale });
}

/** F ← F ∘ (minus / plus)^power: leaves no exact zero. */
export function updateBy(p: ProgramBuilder, F: Tensor, { minus, plus }: Split, options?: { power?: number }): void {
  p.multiplicativeUpdate(F, minus, plus, options);
}

/**
 * Largest natural residual |min(g_jj f_j, ∇_j)| of any column of F ≥ 0 where ∇ = plus − minus. The operation takes a gradient as GF − b;
 * with b = GF − ∇ it serves any objective, and G only scales.
 */
export function naturalResidual(p: ProgramBuilder, G: Tensor, F: Tensor, { minus, plus }: Split, into: Tensor): void {
  const b = p.matmul(G, F, { add: p.combine(1, minus, -1, plus) });
  p.reduce(p.kktResidual(G, b, F), 'maxAbs', { into });
}

/** The same of D in the objective of one fit, the unknowns of a row of D together. */
export function dictionaryResidual(p: ProgramBuilder, fit: Fit, S: Tensor, into: Tensor): void {
  const { minus, plus } = dictionarySplit(p, fit, S);
  naturalResidual(p, p.gram(S, 'rows'), p.transpose(fit.dictionary), { minus: p.transpose(minus), plus: p.transpose(plus) }, into);
}
