import { checkNonnegative } from '../data/check.js';
import { kruskalError } from '../data/kruskal.js';
import { type Matrix, matrix, multiply } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { checkNonnegativeTensor, type DataTensor } from '../data/tensors.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { type HierarchicalFactorization, type HierarchicalOptions, hierarchicalNmf } from './hierarchical.js';

const passedOn = [
  'ranks',
  'solver',
  'normalize',
  'seed',
  'restarts',
  'maxIterations',
  'tolerance',
  'stopping',
  'checkEvery',
  'onProgress',
  'signal',
] as const satisfies readonly (keyof HierarchicalOptions)[];

/** Those of `hierarchicalNmf` that fit a factor without labels; every mode gets the same ones, the seed, too. */
export interface HncpdOptions extends Omit<Pick<HierarchicalOptions, (typeof passedOn)[number]>, 'ranks'> {
  /** The topics of each level: none more than the one before, R, or the size of a mode. */
  ranks: number | readonly number[];
  /**
   * Whether the norm of every component is first spread evenly over its columns in all modes. Default true.
   * [[F₀, …]] does not say where it lies, but the errors of levels depend on it. The published method takes the factors as they are.
   */
  balance?: boolean;
}

export interface HncpdLevel {
  rank: number;
  /** A_n⁰…A_nˡS_nˡ of every mode, d_n×R. */
  factors: Matrix[];
  /** ‖X − [[factors]]‖ / ‖X‖. */
  relativeError: number;
}

export interface Hncpd {
  /** Hierarchical NMF of every factor: `modes[n].A[l]` and `modes[n].S[l]`. */
  modes: HierarchicalFactorization[];
  /** [[F₀, …]] itself, whose rank is R, then a level for each of `ranks`. */
  levels: HncpdLevel[];
}

/**
 * Standard hierarchical nonnegative CP decomposition: every factor F_n (d_n×R) of X ≈ [[F₀, …, F_{N−1}]] is factorized on its own,
 * F_n ≈ A_n⁰S_n⁰, then S_n⁰ ≈ A_n¹S_n¹, …, and level l is [[A₀⁰…A₀ˡS₀ˡ, …]]. X serves only to state errors. It is what Neural NCPD was
 * compared with (Vendrow, Haddock & Needell, arXiv 2009.12708; docs/tensors.md).
 *
 * `balance: false, normalize: false, solver: 'mu', maxIterations: 300, stopping: 'initialError'` is the published setting.
 *
 * @param X d₀×…×d_{N−1}, ≥ 0, dense or sparse.
 * @param factors a nonnegative CP decomposition of X, a d_n×R matrix for each mode.
 * @throws InputError for negative, NaN or infinite entries, ranks that increase or exceed R or the size of a mode, bad options; ShapeError
 * for factors that do not fit each other or X; BreakdownError, LimitError, CancelledError.
 */
export async function hncpd(engine: Engine, X: DataTensor, factors: readonly Matrix[], options: HncpdOptions): Promise<Hncpd> {
  checkNames('hncpd', options, [...passedOn, 'balance']);
  checkNonnegativeTensor(X);
  const errorOf = (F: readonly Matrix[]) => {
    const { error, norm } = kruskalError(X, F);
    return norm > 0 ? Math.sqrt(error / norm) : 0;
  };
  const relativeError = errorOf(factors); // and checks that they fit
  factors.forEach((F, n) => {
    checkNonnegative(F, `factors[${n}]`);
  });
  const { balance = true, ...own } = options;
  const ranks = typeof own.ranks === 'number' ? [own.ranks] : own.ranks;
  checkModes(ranks, factors);

  const modes: HierarchicalFactorization[] = [];
  for (const F of balance ? balanced(factors) : factors) modes.push(await hierarchicalNmf(engine, F, { ...own, svdBound: false }));
  const levels = ranks.map((rank, l) => {
    const product = modes.map(({ A, S }) => A.slice(0, l + 1).reduceRight((inner, factor) => multiply(factor, inner), S[l]));
    return { rank, factors: product, relativeError: errorOf(product) };
  });
  return { modes, levels: [{ rank: factors[0].cols, factors: [...factors], relativeError }, ...levels] };
}

/** Throws InputError for a rank that a mode has no room for. `hierarchicalNmf` checks the rest. */
function checkModes(ranks: readonly number[], factors: readonly Matrix[]): void {
  if (!Array.isArray(ranks)) return;
  factors.forEach(({ rows, cols }, n) => {
    if (ranks[0] > Math.min(rows, cols))
      throw new InputError(
        `Rank ${ranks[0]} is more than mode ${n} can use, whose factor is ${rows}×${cols}; choose at most ${Math.min(rows, cols)}.`,
        { option: 'ranks' },
      );
  });
}

/** The same sum of outer products, with the columns of a component of the same norm in every mode. */
function balanced(factors: readonly Matrix[]): Matrix[] {
  const { cols: R } = factors[0];
  const norms = factors.map(({ data }) => {
    const squares = new Float64Array(R);
    for (let at = 0; at < data.length; at++) squares[at % R] += data[at] * data[at];
    return squares.map(Math.sqrt);
  });
  const even = Float64Array.from({ length: R }, (_, r) => norms.reduce((product, own) => product * own[r] ** (1 / factors.length), 1));
  return factors.map(({ rows, data }, n) =>
    matrix(
      rows,
      R,
      data.map((x, at) => (even[at % R] > 0 ? x * (even[at % R] / norms[n][at % R]) : 0)),
    ),
  );
}
