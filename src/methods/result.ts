/** The end of a fit: the best restart, its errors and bounds, and the refusal of results that are none. */
import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import { svdBounds } from '../data/svd-bound.js';
import { matrixTimesPowerOfTwo } from '../data/unit.js';
import { BreakdownError } from '../errors.js';
import { relativeErrorOf, workOf } from './error.js';
import type { Model } from './factorization.js';
import type { Problem } from './problem.js';

export interface Factors {
  A: Matrix[];
  S: Matrix[];
}

/** The factors that take the unit of X in a result: every S, A⁰ alone, or every A. */
export type Carrier = 'S' | 'A0' | 'A';

/** The factors for X as it was given. Throws BreakdownError where f32 cannot hold them. */
export function inGivenUnit({ A, S }: Factors, unit: number, carrier: Carrier): Factors {
  const moved = (factor: Matrix) => {
    if (factor.data.length === 0) return factor; // its samples went elsewhere
    const given = matrixTimesPowerOfTwo(factor, unit);
    const most = largestOf(given);
    if (most < Number.POSITIVE_INFINITY && most >= smallestScale) return given;
    const [way, power] = most < smallestScale ? ['small', 100] : ['large', -100];
    throw new BreakdownError(
      `Entries of X are so ${way}, about 2^${unit}, that single precision cannot hold the factors. Give the fit X in another unit, such as 2^${power} X.`,
    );
  };
  if (carrier === 'S') return { A, S: S.map(moved) };
  return { A: A.map((factor, l) => (carrier === 'A' || l === 0 ? moved(factor) : factor)), S };
}

/** A factor whose largest entry is below this has lost bits to f32's smallest numbers. */
const smallestScale = 2 ** -120;

function largestOf({ data }: Matrix): number {
  let most = 0;
  for (const x of data) most = Math.max(most, Math.abs(x));
  return most;
}

/** Throws BreakdownError for a factor, in the unit of the fit, that vanished or is not finite. */
export function refuseBroken(method: string, { A, S }: Factors): void {
  for (const [name, factors] of [
    ['A', A],
    ['S', S],
  ] as const) {
    factors.forEach((factor, l) => {
      const bad = factor.data.find((x) => !Number.isFinite(x));
      if (bad !== undefined)
        throw new BreakdownError(
          `${method}: ${name}[${l}] of the best restart holds ${bad}. Take another seed, more restarts or smaller ranks; with an optimiser that has a rate, a lower rate or another optimiser; with labels, a smaller labelWeight.`,
        );
      if (largestOf(factor) >= vanished) return;
      throw new BreakdownError(
        `${method}: every entry of ${name}[${l}] became zero in the best restart. Take another seed, more restarts or smaller ranks; with a penalty on S (l1), a smaller one.`,
      );
    });
  }
}

/** A factor with no larger entry is zero but for rounding: in the unit of the fit X has entries of about 1. */
const vanished = 2 ** -100;

/** The most multiplications by which an error is measured in f64 without being asked for: a fraction of a second. */
export const cheap = 2 ** 27;

/** Measured errors below this are as small as what f32 sums of a sparse X can hide. */
const near = 0.03;

/**
 * ‖X − A⁰…AˡSˡ‖ / ‖X‖ of the last depth of some factors, measured again in f64 where that is cheap, or where the number that the device
 * found is not to be trusted: it is near its rounding, or below the bound, or `stale`: the device saw X in 16 bits, or S was solved again.
 */
export function statedError(problem: Problem, { A, S }: Factors, device: { error: number; stale: boolean }, bound: number | null): number {
  const work = workOf(problem, A[0].cols);
  const doubtful = device.stale || device.error < near || device.error < (bound ?? 0) * (1 + 1e-4);
  return work <= cheap || doubtful ? relativeErrorOf(problem, A, S[S.length - 1]) : device.error;
}

/** The SVD bound of every rank that is not null. */
export function boundsOf(X: DataMatrix, ranks: readonly (number | null)[]): { values: (number | null)[]; method: Model['svdBoundMethod'] } {
  const bounded = ranks.filter((rank) => rank !== null);
  if (bounded.length === 0) return { values: [...ranks] as null[], method: null };
  const { values, method } = svdBounds(X, bounded);
  const next = values.values();
  return { values: ranks.map((rank) => (rank === null ? null : next.next().value!)), method };
}
