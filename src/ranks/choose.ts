/** The choice of a rank by many fits of each. */
import { checkPositiveInteger } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { random, shuffle } from '../data/random.js';
import { type DataMatrix, isSparse, stored, toDense } from '../data/sparse.js';
import { matrixTimesPowerOfTwo, powerOfTwoUnit } from '../data/unit.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { heldOutError } from '../methods/scores.js';
import { smallest } from '../methods/stage.js';
import { type Batch, type BatchData, fitBatch } from './batches.js';
import { choiceOf, meanAndError } from './choice.js';
import { consensus, largestComponents } from './consensus.js';
import { type ConsensusFactors, consensusFactors } from './consensus-factors.js';
import { type Fitted, type Start, svdStart } from './fits.js';
import { speckled } from './masks.js';
import { stability } from './stability.js';
import { type HeldOut, type RankOptions, type RankResult, type RankSurvey, type SurveySettings, surveySettings } from './survey.js';

/** Samples of a consensus matrix at most; of more as many are drawn. */
const mostSamples = 2000;

/**
 * Fits of every rank, and the rank that they speak for. Of each rank there are three batches, all by 'hals':
 *
 * - Restarts on X from random starts: their errors, and how far they agree (`consensus`).
 * - Restarts with speckled entries hidden, several masks with several starts each: the held-out error.
 * - Restarts on perturbed X from one start: the stability of the components (`stability`).
 *
 * The smallest rank within one standard error of the least held-out error is chosen; see `choiceOf` for the rule, and docs/methods.md.
 * The chosen rank also has its consensus matrix and the consensus factors of cNMF.
 *
 * @param X N×M data, columns are samples; entries ≥ 0, dense or sparse. For masks and perturbation a sparse X is made dense, up to 2²⁶ entries.
 * @throws InputError for ranks that are no rising list up to min(N, M, 128), fewer than 4 restarts, other bad options; as `nmf`.
 */
export async function chooseRank(engine: Engine, X: DataMatrix, options: RankOptions): Promise<RankSurvey> {
  const started = performance.now();
  const settings = surveySettings(X, options);
  const data = surveyed(X, settings, options.weights);
  const batches = 1 + Number(settings.masks > 0) + Number(settings.perturbation > 0);
  let done = 0;
  const samples = samplesOf(X.cols, settings.seed);
  const most = options.ranks[options.ranks.length - 1];
  const masks = settings.masks === 0 ? null : await masksOf(engine, data, most, settings);
  const start = settings.perturbation === 0 ? undefined : await svdStart(engine, data.dense!, most, data.missing);
  const given: BatchData = {
    X: data.X,
    dense: data.dense,
    missing: data.missing,
    masks: (masks ?? []).map(({ unseen, start }) => ({ unseen, start })),
    start,
  };
  const fits = options.fits ?? ((from: BatchData, batch: Batch) => fitBatch(engine, from, batch, options.signal));
  const surveyOf = async (rank: number): Promise<Seen> => {
    const batchOf = async (kind: Batch['kind']) => {
      const fitted = await fits(given, batchFor(kind, rank, settings));
      options.onProgress?.({ done: ++done, of: batches * options.ranks.length, rank });
      return fitted;
    };
    const kinds = ['replicates' as const, ...(masks ? (['masked'] as const) : []), ...(start ? (['perturbed'] as const) : [])];
    const of = Object.fromEntries(await inOrderOrAtOnce(kinds, options.fits !== undefined, async (kind) => [kind, await batchOf(kind)]));
    const fitted: Fitted = of.replicates;
    const heldOut = masks && heldOutOf(data.dense!, masks, of.masked, settings);
    const stable: Fitted | undefined = of.perturbed;
    const clusterings = fitted.A.map((A, r) => largestComponents(A, fitted.S[r], samples));
    const { cophenetic, dispersion } = consensus(clusterings);
    const result: RankResult = {
      rank,
      relativeError: fitted.errors[smallest(fitted.errors)],
      restartErrors: fitted.errors,
      heldOut,
      cophenetic,
      dispersion,
      stability: stable ? stability(stable.A.map((A, r) => ({ A, S: stable.S[r] }))) : null,
    };
    return { result, fitted, clusterings };
  };
  const seen = await inOrderOrAtOnce(options.ranks, options.fits !== undefined, surveyOf);
  const results = seen.map(({ result }) => result);
  const { chosen, reason, notes } = choiceOf(results);
  const { fitted, clusterings } = seen.find(({ result }) => result.rank === chosen)!;
  const { matrix, order } = consensus(clusterings);
  if (samples.length < X.cols) notes.push(`The consensus is of ${samples.length} of the ${X.cols} samples, drawn at random.`);
  const best = smallest(fitted.errors);
  return {
    results,
    chosen,
    reason,
    notes,
    consensus: {
      matrix: inOrder(matrix, order),
      samples: order.map((at) => samples[at]),
      clusters: order.map((at) => clusterings[best][at]),
    },
    factors: await factorsOf(engine, X, fitted, settings, options.weights, notes),
    best: { A: fitted.A[best], S: matrixTimesPowerOfTwo(fitted.S[best], data.unit) },
    settings,
    elapsedMs: performance.now() - started,
  };
}

/** The data of a survey in a unit of their own; dense where something needs it. */
interface Surveyed {
  X: DataMatrix;
  dense?: Matrix;
  /** 1 where a value is missing. */
  missing?: Float32Array;
  unit: number;
}

function surveyed(given: DataMatrix, { masks, perturbation }: SurveySettings, weights?: Matrix): Surveyed {
  const known = weights && !isSparse(given) ? { ...given, data: given.data.map((x, at) => x * weights.data[at]) } : given;
  const unit = powerOfTwoUnit(stored(known));
  const X = matrixTimesPowerOfTwo(known, -unit);
  const needed = masks > 0 || perturbation > 0 || weights !== undefined;
  return { X, dense: needed ? toDense(X) : undefined, missing: weights?.data.map((w) => 1 - w), unit };
}

/** Entries that a mask hides, what its fits do not see (with what is missing), and the start of one of them. */
interface Mask {
  held: Float32Array;
  unseen: Float32Array;
  start: Start;
}

async function masksOf(
  engine: Engine,
  { dense, missing }: Surveyed,
  rank: number,
  { masks, hidden: share, seed }: SurveySettings,
): Promise<Mask[]> {
  const X = dense!;
  const made: Mask[] = [];
  for (let mask = 0; mask < masks; mask++) {
    const held = speckled(X, share, { seed, mask, missing });
    if (!held.some((h, at) => h === 1 && X.data[at] > 0))
      throw new InputError(
        `The option 'hidden' is ${share}, but one of the masks hides no entry above 0 of X; give more, or 0 for masks.`,
        {
          option: 'hidden',
        },
      );
    const unseen = missing ? held.map((h, at) => Math.max(h, missing[at])) : held;
    made.push({ held, unseen, start: await svdStart(engine, X, rank, unseen) });
  }
  return made;
}

/** What a survey has seen of a rank. */
interface Seen {
  result: RankResult;
  fitted: Fitted;
  clusterings: Int32Array[];
}

/** One after the other, or all at once where they are computed elsewhere. */
async function inOrderOrAtOnce<T, R>(all: readonly T[], atOnce: boolean, work: (one: T) => Promise<R>): Promise<R[]> {
  if (atOnce) return Promise.all(all.map(work));
  const results: R[] = [];
  for (const one of all) results.push(await work(one));
  return results;
}

/** All restarts of a batch. The masks share theirs; each has as many. */
function batchFor(kind: Batch['kind'], rank: number, settings: SurveySettings): Batch {
  const { seed, restarts, masks, perturbation, maxIterations, tolerance } = settings;
  const startsOfMask = masks === 0 ? 0 : Math.ceil(restarts / masks);
  const common = { kind, rank, seed, first: 0, startsOfMask, epsilon: perturbation, maxIterations, tolerance };
  return { ...common, restarts: kind === 'masked' ? masks * startsOfMask : restarts };
}

/**
 * The held-out error of a rank: of each mask that of the start which fits best what is shown. The first start of each is by singular vectors,
 * for random ones alone may all end in poor minima.
 */
function heldOutOf(X: Matrix, masks: readonly Mask[], { A, S, errors }: Fitted, { restarts }: SurveySettings): HeldOut {
  const starts = Math.ceil(restarts / masks.length);
  const ofMasks = masks.map(({ held }, m) => {
    const best = m * starts + smallest(errors.slice(m * starts, (m + 1) * starts));
    return heldOutError(X, { A: A[best], S: S[best] }, { ...X, data: held });
  });
  const { mean, standardError } = meanAndError(ofMasks);
  return { error: mean, standardError, ofMasks };
}

/** All samples, or as many as a consensus can have, in their order. The same for every sweep and survey of a seed. */
export function samplesOf(count: number, seed: number): number[] {
  const all = Array.from({ length: count }, (_, m) => m);
  if (count <= mostSamples) return all;
  return shuffle(random(seed, { purpose: 'clusters', tensor: 1 }), all)
    .slice(0, mostSamples)
    .sort((a, b) => a - b);
}

function inOrder({ rows, cols, data }: Matrix, order: readonly number[]): Matrix {
  return { rows, cols, data: Float32Array.from(data, (_, at) => data[order[Math.floor(at / cols)] * cols + order[at % cols]]) };
}

async function factorsOf(
  engine: Engine,
  X: DataMatrix,
  { A }: Fitted,
  { densityThreshold, seed }: SurveySettings,
  weights: Matrix | undefined,
  notes: string[],
): Promise<ConsensusFactors | null> {
  try {
    return await consensusFactors(engine, X, A, { densityThreshold, seed, weights });
  } catch (error) {
    if (!(error instanceof InputError) || error.option !== 'densityThreshold') throw error;
    notes.push(`There are no consensus factors: ${error.message}`);
    return null;
  }
}

export interface LayerRanksOptions extends RankOptions {
  /**
   * Layers at most. Default 2. With 'auto' there are as many as the surveys speak for: a later layer tries the ranks up to that of the layer
   * before, and there is none where no smaller rank says more of S than zeros or than the whole of S. Rank 2 or less is the last.
   */
  layers?: number | 'auto';
  /** Called once a layer has been surveyed, with its sentences. */
  onLayer?: (layer: LayerChoice) => unknown;
}

/** What became of a layer. */
export interface LayerChoice {
  layer: number;
  /** Undefined where there is no such layer. */
  rank?: number;
  /** Why, in words. */
  reason: string;
}

/**
 * A rank for each layer of a hierarchical method: `chooseRank` on X, then on the S of the best restart at the rank that was chosen, its rows
 * in the scale that columns of A of unit length leave, and so on. A later layer tries the same ranks that are smaller than the rank before.
 * It ends at the layer before which no such rank is left; see `layers` for 'auto'.
 *
 * @returns `ranks` for `hierarchicalNmf` and the like, the survey of each layer, and with 'auto' also that of a layer which is not there.
 * `ending` says in words why there are no more layers; undefined where there are as many as were asked for.
 */
export async function chooseRanks(
  engine: Engine,
  X: DataMatrix,
  options: LayerRanksOptions,
): Promise<{ ranks: number[]; surveys: RankSurvey[]; ending?: string }> {
  const { layers = 2, onLayer, ...rest } = options;
  const auto = layers === 'auto';
  if (!auto) checkPositiveInteger('layers', layers);
  const most = auto ? Number.POSITIVE_INFINITY : layers;
  const surveys: RankSurvey[] = [];
  const chosen: number[] = [];
  let data = X;
  let ranks = rest.ranks;
  let own: RankOptions = rest;
  const ended = (ending: string) => ({ ranks: chosen, surveys, ending });
  while (surveys.length < most) {
    const layer = surveys.length;
    const before = chosen[layer - 1];
    if (layer > 0 && auto && before <= 2) return ended(`Rank ${before} is the last: ranks end at 2.`);
    if (layer > 0) ranks = ranks.filter((rank) => (auto ? rank <= before : rank < before) && rank <= data.cols);
    if (ranks.length === 0 || (auto && ranks[0] === before)) return ended(`No smaller rank was left to try for layer ${layer}.`);
    const survey = await chooseRank(engine, data, { ...own, ranks });
    surveys.push(survey);
    const without = auto && layer > 0 ? noLayer(survey, layer, before) : undefined;
    onLayer?.({ layer, rank: without === undefined ? survey.chosen : undefined, reason: without ?? survey.reason });
    if (without !== undefined) return ended(without);
    chosen.push(survey.chosen);
    data = scaledByColumns(survey.best.A, survey.best.S);
    own = { ...rest, weights: undefined }; // every entry of S is known
  }
  return { ranks: chosen, surveys };
}

/** Why there is no layer of a smaller rank, in words; undefined where there is one. */
function noLayer({ results, chosen }: RankSurvey, layer: number, before: number): string | undefined {
  const errors = results.flatMap(({ heldOut }) => (heldOut ? [heldOut.error] : []));
  const least = Math.min(...errors);
  const worse = errors.length > 0 && least >= 1;
  if (!worse && chosen < before) return undefined;
  const what = worse
    ? `zeros would be nearer to hidden entries of S of layer ${layer - 1} than any rank is, whose least error is ${least.toPrecision(4)}`
    : `of S of layer ${layer - 1} no rank below ${before} was chosen`;
  return `There is no layer ${layer}: ${what}. A smaller rank that keeps S would keep X, and would have been chosen before; a layer that is meant to lose something needs a rank that you give.`;
}

/** S with its rows times the lengths of the columns of A. */
function scaledByColumns(A: Matrix, S: Matrix): Matrix {
  const squares = new Float64Array(A.cols);
  A.data.forEach((a, at) => {
    squares[at % A.cols] += a * a;
  });
  return { ...S, data: S.data.map((s, at) => s * Math.sqrt(squares[Math.floor(at / S.cols)])) };
}
