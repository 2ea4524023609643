import { checkNonnegative, describe } from '../data/check.js';
import { kruskal, kruskalError } from '../data/kruskal.js';
import { type Matrix, matrix, multiply } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { checkNonnegativeTensor, type DataTensor } from '../data/tensors.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { type NcpOptions, ncp } from './ncp.js';
import { checkLevels } from './tensor-problem.js';

const passedOn = ['solver', 'starts', 'startIterations', 'seed', 'restarts', 'maxIterations', 'tolerance', 'checkEvery', 'signal'] as const;

/** Those of `ncp` that fit the tensor of a level. */
export interface HntfOptions extends Pick<NcpOptions, (typeof passedOn)[number]> {
  /** The outer products of each level: none more than the one before, or than R. */
  ranks: readonly number[];
  /** The hierarchical mode, counted from 0. HNTF-1, -2 and -3 are the modes 0, 1 and 2. Default 0. */
  mode?: number;
}

export interface HntfLevel {
  rank: number;
  /** Of every mode, d_n×r_l: A⁰A¹…Aˡ of the hierarchical one. */
  factors: Matrix[];
  /** Aˡ, r_{l−1}×r_l: how the outer products of the level before make up those of this one. Not of the first level. */
  A?: Matrix;
  /** ‖X − [[factors]]‖ / ‖X‖. */
  relativeError: number;
}

/**
 * Hierarchical nonnegative tensor factorization, as Neural NCPD was compared with it: with A the factor of one mode and D the others, the
 * next level is a nonnegative CP decomposition of the tensor in which the identity stands for A,
 *
 *     [[I, D₁ˡ⁻¹, D₂ˡ⁻¹, …]] ≈ [[Aˡ, D₁ˡ, D₂ˡ, …]] of rank r_l,   and level l of X is [[A⁰A¹…Aˡ, D₁ˡ, D₂ˡ, …]].
 *
 * X serves only to state errors. Cichocki, Zdunek & Amari, ICA 2007 (LNCS 4666), as Vendrow, Haddock & Needell read it (docs/tensors.md).
 *
 * @param factors a nonnegative CP decomposition of X, a d_n×R matrix for each mode.
 * @returns [[F₀, …]] itself, then a level for each of `ranks`.
 * @throws InputError for negative, NaN or infinite entries, ranks that increase or exceed R, bad options; ShapeError for factors that do not
 * fit each other or X; BreakdownError, LimitError, CancelledError.
 */
export async function hntf(engine: Engine, X: DataTensor, factors: readonly Matrix[], options: HntfOptions): Promise<HntfLevel[]> {
  checkNames('hntf', options, [...passedOn, 'ranks', 'mode']);
  checkNonnegativeTensor(X);
  const errorOf = (F: readonly Matrix[]) => {
    const { error, norm } = kruskalError(X, F);
    return norm > 0 ? Math.sqrt(error / norm) : 0;
  };
  const levels: HntfLevel[] = [{ rank: factors[0]?.cols, factors: [...factors], relativeError: errorOf(factors) }];
  factors.forEach((F, n) => {
    checkNonnegative(F, `factors[${n}]`);
  });
  const { ranks, mode = 0, ...own } = options;
  if (!(Number.isInteger(mode) && mode >= 0 && mode < factors.length))
    throw new InputError(`mode must be an integer from 0 to ${factors.length - 1}, not ${describe(mode)}.`, { option: 'mode' });
  checkLevels(ranks, factors[0].cols, [], []);
  for (const rank of ranks) {
    const before = levels[levels.length - 1];
    const R = before.rank;
    const identity = matrix(
      R,
      R,
      Float32Array.from({ length: R * R }, (_, at) => (at % (R + 1) === 0 ? 1 : 0)),
    );
    const above = before.factors.map((factor, n) => (n === mode ? identity : factor));
    const next = await ncp(engine, kruskal(above), { ...own, rank, bounds: false });
    const product = next.factors.map((factor, n) => (n === mode ? multiply(before.factors[mode], factor) : factor));
    levels.push({ rank, factors: product, A: next.factors[mode], relativeError: errorOf(product) });
  }
  return levels;
}
