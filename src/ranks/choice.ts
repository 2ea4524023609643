/** The choice of a rank from what was measured of each. */
import type { RankResult } from './survey.js';

/** A component is stable from this silhouette on: the threshold of NMFk (`sill_thresh` of T-ELF). */
export const stableFrom = 0.8;

export interface RankChoice {
  chosen: number;
  reason: string;
  notes: string[];
}

/**
 * With masks: the smallest rank whose held-out error is within one standard error of the least one. Both are of differences between the two
 * ranks, mask by mask, since all ranks have the same masks: what makes one mask harder than another falls out. The rule is that of Breiman,
 * Friedman, Olshen & Stone, Classification and Regression Trees (1984), 3.4.3.
 *
 * Without: the largest rank all of whose components are stable, as NMFk chooses; where none is, or nothing was perturbed, the one with the
 * largest cophenetic correlation, and of equal ones the largest rank.
 */
export function choiceOf(results: readonly RankResult[]): RankChoice {
  const { rank: chosen, reason } = results.every(({ heldOut }) => heldOut !== null) ? byHeldOut(results) : byAgreement(results);
  const notes: string[] = [];
  const [first, last] = [results[0].rank, results[results.length - 1].rank];
  if (results.length > 1 && (chosen === first || chosen === last))
    notes.push(
      `Rank ${chosen} is the ${chosen === first ? 'smallest' : 'largest'} that was tried; try ${chosen === first ? 'smaller' : 'larger'} ones, too.`,
    );
  const opinion = stableRank(results);
  if (opinion !== undefined && opinion !== chosen)
    notes.push(
      opinion === null
        ? `By stability alone no rank would be chosen: none has a silhouette of ${stableFrom} in all components of A.`
        : `By stability alone it would be ${opinion}, the largest rank all of whose components have a silhouette of ${stableFrom} or more in A.`,
    );
  return { chosen, reason, notes };
}

/** The mean difference of held-out errors between a rank and another one, mask by mask, and the standard error of it. */
export function pairedDifference(of: readonly number[], from: readonly number[]): { mean: number; standardError: number } {
  return meanAndError(of.map((error, m) => error - from[m]));
}

export function meanAndError(values: readonly number[]): { mean: number; standardError: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);
  return { mean, standardError: Math.sqrt(variance / values.length) };
}

function byHeldOut(results: readonly RankResult[]): { rank: number; reason: string } {
  const errorOf = ({ heldOut }: RankResult) => heldOut!.error;
  const least = results.reduce((best, result) => (errorOf(result) < errorOf(best) ? result : best));
  const near = results.find((result) => {
    const { mean, standardError } = pairedDifference(result.heldOut!.ofMasks, least.heldOut!.ofMasks);
    return mean <= standardError;
  })!;
  const text = (result: RankResult) => errorOf(result).toPrecision(4);
  if (near === least)
    return {
      rank: near.rank,
      reason: `Rank ${near.rank} has the least held-out error, ${text(near)}, and no smaller rank is within one standard error of it.`,
    };
  return {
    rank: near.rank,
    reason: `Rank ${near.rank} is the smallest whose held-out error, ${text(near)}, is within one standard error of the least one, ${text(least)} of rank ${least.rank}.`,
  };
}

/** NMFk's choice; null where no rank is stable, undefined where stability was not measured. */
function stableRank(results: readonly RankResult[]): number | null | undefined {
  if (results.some(({ stability }) => stability === null)) return undefined;
  return results.findLast(({ stability }) => stability!.leastOfA >= stableFrom)?.rank ?? null;
}

function byAgreement(results: readonly RankResult[]): { rank: number; reason: string } {
  const stable = stableRank(results);
  if (typeof stable === 'number')
    return {
      rank: stable,
      reason: `Rank ${stable} is the largest all of whose components have a silhouette of ${stableFrom} or more in A.`,
    };
  const most = results.reduce((best, result) => (result.cophenetic >= best.cophenetic ? result : best));
  const why = stable === null ? `No rank has a silhouette of ${stableFrom} in all components of A; rank` : 'Rank';
  return { rank: most.rank, reason: `${why} ${most.rank} has the largest cophenetic correlation, ${most.cophenetic.toPrecision(4)}.` };
}
