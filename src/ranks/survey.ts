/** What a survey of ranks takes, and what it finds. */
import { checkAtLeastZero, checkNonnegative, checkPositiveInteger, checkSeed, checkWeights, describe, maxRank } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { type DataMatrix, isSparse, stored } from '../data/sparse.js';
import type { AbortSignalLike } from '../engine.js';
import { InputError } from '../errors.js';
import type { BatchFits } from './batches.js';
import type { ConsensusFactors } from './consensus-factors.js';
import type { Stability } from './stability.js';

export interface RankOptions {
  /** The ranks to try, smallest first: integers from 1 up to min(N, M, 128). */
  ranks: readonly number[];
  /** Fits of each rank to all of X, from random starts; as many are shared by the masks, and as many have perturbed data. 4 or more; default 20. */
  restarts?: number;
  /** Masks that hide entries, each with restarts ÷ masks starts. Default 5; 0 leaves the held-out error out, 1 has no standard error. */
  masks?: number;
  /** The part of the entries that a mask hides. Default 0.1. */
  hidden?: number;
  /**
   * ε of the stability: entries are multiplied by numbers that are uniform on [1 − ε, 1 + ε). Default 0.015. 0 leaves the stability out.
   */
  perturbation?: number;
  /** W of zeros and ones, N×M: 0 marks a missing value, which no fit sees and no error counts. X must be dense. */
  weights?: Matrix;
  /** Seed of all random numbers. Default 0. */
  seed?: number;
  /** Most iterations of a fit. Default 300. */
  maxIterations?: number;
  /** As `tolerance` of a fit. Default 1e-4: what is compared is told apart long before a fit is at its minimum. */
  tolerance?: number;
  /** The components that `consensusFactors` counts as dense. Default 0.5. */
  densityThreshold?: number;
  /**
   * Computes the batches, all of them at once, for instance on other machines; default: one after the other on the engine. What is not a fit
   * (starts by singular vectors, consensus factors) is computed on the engine.
   */
  fits?: BatchFits;
  /** Called after every batch. */
  onProgress?: (progress: RankProgress) => unknown;
  /** Aborting rejects the survey with CancelledError. */
  signal?: AbortSignalLike;
}

export interface RankProgress {
  /** Batches that are done, and all of them. */
  done: number;
  of: number;
  /** The rank of the batch that ended. */
  rank: number;
}

/** The error at entries that a fit has not seen. */
export interface HeldOut {
  /** The mean over the masks of ‖H ∘ (X − AS)‖ / ‖H ∘ X‖. */
  error: number;
  /** Its standard error over the masks. */
  standardError: number;
  /** That of each mask, of the start with the least error on what is shown. */
  ofMasks: number[];
}

/** What a survey found of one rank. */
export interface RankResult {
  rank: number;
  /** ‖X − AS‖ / ‖X‖ of the best restart, and of each. */
  relativeError: number;
  restartErrors: number[];
  /** Null without masks. */
  heldOut: HeldOut | null;
  /** See `Consensus`; how far the restarts agree on which samples belong together. */
  cophenetic: number;
  dispersion: number;
  /** Null without perturbation. */
  stability: Stability | null;
}

export interface RankSurvey {
  /** One for each rank, in the order of `ranks`. */
  results: RankResult[];
  chosen: number;
  /** Why, in words. */
  reason: string;
  /** What the other measures say, and what a reader could miss: sentences. */
  notes: string[];
  /**
   * The consensus matrix of the chosen rank in the order of the linkage, the samples that its rows stand for, and the largest component of
   * each in the best restart.
   */
  consensus: { matrix: Matrix; samples: number[]; clusters: number[] };
  /** cNMF's factors of the chosen rank; null where too few components are dense. */
  factors: ConsensusFactors | null;
  /** The factors of the best restart at the chosen rank. */
  best: { A: Matrix; S: Matrix };
  settings: SurveySettings;
  elapsedMs: number;
}

export type SurveySettings = Required<Omit<RankOptions, 'ranks' | 'weights' | 'fits' | 'onProgress' | 'signal'>>;

const defaults: SurveySettings = {
  restarts: 20,
  masks: 5,
  hidden: 0.1,
  perturbation: 0.015,
  seed: 0,
  maxIterations: 300,
  tolerance: 1e-4,
  densityThreshold: 0.5,
};

/** The names of all options. */
export const rankOptionNames = ['ranks', 'weights', 'fits', 'onProgress', 'signal', ...Object.keys(defaults)];

/** cNMF's densities look at 30 % of the replicates, and so need four of them for one neighbour. */
const leastRestarts = 4;

/** The options with their defaults. Throws InputError, which names option and value, before anything is computed. */
export function surveySettings(X: DataMatrix, options: RankOptions): SurveySettings {
  checkNames('chooseRank', options, rankOptionNames);
  checkNonnegative(X);
  if (stored(X).every((x) => x === 0)) throw new InputError('Every entry of X is zero; there is nothing to factorize.');
  checkRankList(options.ranks, X.rows, X.cols);
  const given = Object.fromEntries(Object.entries(options).filter(([name, value]) => value !== undefined && Object.hasOwn(defaults, name)));
  const settings: SurveySettings = { ...defaults, ...given };
  const { restarts, masks, hidden, perturbation, seed, maxIterations, tolerance, densityThreshold } = settings;
  const refuse = (option: string, what: string) => {
    throw new InputError(`The option '${option}' is ${describe(settings[option as keyof SurveySettings])}, ${what}.`, { option });
  };
  checkPositiveInteger('restarts', restarts);
  if (restarts < leastRestarts) refuse('restarts', `but a consensus compares restarts with each other; give ${leastRestarts} or more`);
  if (!(Number.isSafeInteger(masks) && masks >= 0)) refuse('masks', 'but it must be an integer from 0 on');
  if (masks === 1) refuse('masks', 'and one mask has no standard error; give 2 or more, or 0 for no held-out error');
  if (masks > restarts) refuse('masks', `but there are ${restarts} restarts to share; give no more masks than restarts`);
  if (!(hidden > 0 && hidden < 1)) refuse('hidden', 'but the part that a mask hides is a number between 0 and 1, such as 0.1');
  if (!(perturbation >= 0 && perturbation < 1)) refuse('perturbation', 'but it must be a number from 0 up to 1, such as 0.015');
  if (!(tolerance >= 0 && tolerance < 1)) refuse('tolerance', 'but it must be a number from 0 up to 1');
  checkSeed(seed);
  checkPositiveInteger('maxIterations', maxIterations);
  checkAtLeastZero('densityThreshold', densityThreshold);
  if (options.weights !== undefined) checkZeroOne(options.weights, X);
  checkFormOf(X, settings);
  return settings;
}

function checkRankList(ranks: readonly number[], N: number, M: number): void {
  const refuse = (what: string) => {
    throw new InputError(`The option 'ranks' is ${describe(ranks)}, ${what}.`, { option: 'ranks' });
  };
  if (!Array.isArray(ranks) || ranks.length === 0) refuse('but it must be a list of ranks to try, such as [2, 3, 4]');
  ranks.forEach((rank, at) => {
    if (!Number.isSafeInteger(rank) || rank < 1) refuse(`but a rank is a positive integer, not ${describe(rank)}`);
    if (at > 0 && rank === ranks[at - 1]) refuse(`which has ${rank} twice; give each rank once`);
    if (at > 0 && rank < ranks[at - 1]) refuse(`which runs backwards, ${rank} after ${ranks[at - 1]}; give the smallest first`);
  });
  ranks.forEach((rank) => {
    if (rank > maxRank) refuse(`but ${rank} exceeds the largest rank supported, ${maxRank}`);
    if (rank > Math.min(N, M)) refuse(`but rank ${rank} is more than a ${N}×${M} matrix can use; the largest is ${Math.min(N, M)}`);
  });
}

function checkZeroOne(weights: Matrix, X: DataMatrix): void {
  checkWeights(weights, X);
  const other = weights.data.findIndex((w) => w !== 0 && w !== 1);
  if (other < 0) return;
  const [row, column] = [Math.floor(other / weights.cols), other % weights.cols];
  throw new InputError(
    `weights has the entry ${weights.data[other]} in row ${row}, column ${column} (counted from 0), but a survey takes zeros and ones alone.`,
    { option: 'weights', row, column },
  );
}

/** A sparse X with more entries than this, zeros counted, is not made dense. */
const mostDense = 2 ** 26;

function checkFormOf(X: DataMatrix, { masks, perturbation }: SurveySettings): void {
  if (!isSparse(X) || X.rows * X.cols <= mostDense) return;
  const option = masks > 0 ? 'masks' : 'perturbation';
  if (masks === 0 && perturbation === 0) return;
  throw new InputError(
    `The option '${option}' is ${masks > 0 ? masks : perturbation}, which needs a dense X, and the ${X.rows}×${X.cols} one is too large to be made dense; give 0 for masks and perturbation, and the restarts alone decide.`,
    { option },
  );
}
