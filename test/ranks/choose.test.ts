/** The choice of a rank: planted ones, the rule, the measures by hand, and what is refused. */
import { describe, expect, test } from 'vitest';
import { planted } from '../../bench/ranks/planted.js';
import { tableOne } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { CancelledError, InputError } from '../../src/errors.js';
import { choiceOf } from '../../src/ranks/choice.js';
import { chooseRank, chooseRanks, type LayerChoice } from '../../src/ranks/choose.js';
import { consensus, largestComponents } from '../../src/ranks/consensus.js';
import { stability } from '../../src/ranks/stability.js';
import type { RankOptions, RankResult } from '../../src/ranks/survey.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

test.each([2, 4])('rank %i is found where it was planted, with noise of a tenth', async (rank) => {
  using engine = createReferenceEngine();
  const X = planted(40, 35, rank, { noise: 0.1, zeros: 0.4, seed: rank });
  const {
    chosen,
    reason,
    results,
    factors,
    consensus: found,
    best,
  } = await chooseRank(engine, X, { ranks: [1, 2, 3, 4, 5], restarts: 6, masks: 3 });
  expect(chosen).toBe(rank);
  expect(reason).toContain(`Rank ${rank}`);
  expect(results.map(({ restartErrors }) => restartErrors.length)).toEqual([6, 6, 6, 6, 6]);
  expect(results.map(({ heldOut }) => heldOut!.ofMasks.length)).toEqual([3, 3, 3, 3, 3]);
  // No fit is better where it was not fitted, at the rank that was planted.
  const { relativeError, heldOut } = results[rank - 1];
  expect(heldOut!.error).toBeGreaterThan(relativeError);
  expect(factors!.relativeError).toBeLessThan(1.2 * relativeError);
  expect([factors!.A.cols, best.S.rows, found.matrix.rows, found.samples.length]).toEqual([rank, rank, 35, 35]);
});

test('the data of Table 1 have rank 9', async () => {
  using engine = createReferenceEngine();
  const { chosen } = await chooseRank(engine, tableOne(3).X, {
    ranks: [8, 9, 10],
    restarts: 4,
    masks: 3,
    perturbation: 0,
    maxIterations: 100,
  });
  expect(chosen).toBe(9);
});

test('missing values count nowhere, a unit changes nothing, and the same seed gives the same', async () => {
  using engine = createReferenceEngine();
  const X = planted(20, 18, 2, { noise: 0.1, zeros: 0.3, seed: 1 });
  const weights = matrix(
    20,
    18,
    Array.from({ length: 360 }, (_, at) => (at % 11 === 0 ? 0 : 1)),
  );
  const other = { ...X, data: X.data.map((x, at) => (at % 11 === 0 ? 999 : x)) };
  const options: RankOptions = { ranks: [1, 2, 3], restarts: 4, masks: 2, maxIterations: 60 };
  const [one, two] = [await chooseRank(engine, X, { ...options, weights }), await chooseRank(engine, other, { ...options, weights })];
  expect({ ...two, elapsedMs: 0 }).toEqual({ ...one, elapsedMs: 0 });
  const times = { ...X, data: X.data.map((x) => x * 1024) };
  const [plain, scaled] = [await chooseRank(engine, X, options), await chooseRank(engine, times, options)];
  expect(scaled.results).toEqual(plain.results);
  expect((await chooseRank(engine, X, { ...options, seed: 1 })).results).not.toEqual(plain.results);
});

test('a sparse X is surveyed as it is without masks and perturbation, and as a dense one with them', async () => {
  using engine = createReferenceEngine();
  const X = planted(20, 18, 2, { noise: 0.05, zeros: 0.6, seed: 2 });
  const options: RankOptions = { ranks: [1, 2, 3], restarts: 4, masks: 2, maxIterations: 40 };
  const [dense, sparse] = [await chooseRank(engine, X, options), await chooseRank(engine, sparseFromDense(X), options)];
  expect(sparse.results.map(({ heldOut }) => heldOut)).toEqual(dense.results.map(({ heldOut }) => heldOut));
  const alone = await chooseRank(engine, sparseFromDense(X), { ...options, masks: 0, perturbation: 0 });
  expect(alone.results.every(({ heldOut, stability }) => heldOut === null && stability === null)).toBe(true);
  alone.results.forEach(({ relativeError }, i) => {
    expect(relativeError).toBeCloseTo(dense.results[i].relativeError, 5);
  });
  expect(alone.reason).toContain('cophenetic');
});

test('layers have ranks that fall', async () => {
  using engine = createReferenceEngine();
  const X = planted(24, 30, 3, { noise: 0.05, zeros: 0.4, seed: 3 });
  const told: number[] = [];
  const { ranks, surveys } = await chooseRanks(engine, X, {
    ranks: [1, 2, 3, 4],
    layers: 3,
    restarts: 4,
    masks: 2,
    perturbation: 0,
    onProgress: ({ done }) => told.push(done),
  });
  expect(ranks[0]).toBe(3);
  expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
  expect(new Set(ranks).size).toBe(ranks.length);
  expect(surveys[1].results.map(({ rank }) => rank)).toEqual([1, 2]);
  expect(told.slice(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test("'auto' ends where S has no smaller rank: on Table 1 at 9, whose 4 and 2 groups lose what S has", async () => {
  using engine = createReferenceEngine();
  const told: LayerChoice[] = [];
  const { ranks, surveys, ending } = await chooseRanks(engine, tableOne(3).X, {
    ranks: [4, 8, 9, 10],
    layers: 'auto',
    restarts: 4,
    masks: 3,
    perturbation: 0,
    maxIterations: 100,
    onLayer: (layer) => told.push(layer),
  });
  expect(ranks).toEqual([9]);
  expect(told.map(({ layer, rank }) => [layer, rank])).toEqual([
    [0, 9],
    [1, undefined],
  ]);
  expect(ending).toMatch(/^There is no layer 1: .*a layer that is meant to lose something needs a rank that you give/);
  expect(told[1].reason).toBe(ending);
  // All ranks of S up to its own were tried: its own is chosen, or each is worse than zeros, whose error is 1.
  expect(surveys[1].results.map(({ rank }) => rank)).toEqual([4, 8, 9]);
  const least = Math.min(...surveys[1].results.map(({ heldOut }) => heldOut!.error));
  expect(surveys[1].chosen === 9 || least >= 1).toBe(true);
  if (least >= 1) expect(ending).toMatch(/zeros would be nearer to hidden entries of S of layer 0/);
});

test("'auto' goes on where hidden entries of S are told by a smaller rank, and ends at rank 2", async () => {
  using engine = createReferenceEngine();
  const A = planted(30, 4, 4, { noise: 0, zeros: 0.6, seed: 5 });
  // Rows of S are one profile of the samples with a little of their own: rank 1 tells most of each.
  const { uniform } = random(9);
  const profile = Array.from({ length: 40 }, () => 0.2 + uniform());
  const S = Array.from({ length: 4 * 40 }, (_, at) => profile[at % 40] * (0.8 + 0.4 * uniform()));
  const X = matrix(30, 40);
  for (let i = 0; i < 30; i++)
    for (let c = 0; c < 40; c++) for (let j = 0; j < 4; j++) X.data[i * 40 + c] += A.data[i * 4 + j] * S[j * 40 + c];
  const options = { ranks: [1, 2, 3, 4, 5], restarts: 4, masks: 2, perturbation: 0, maxIterations: 200 };
  const { ranks, surveys, ending } = await chooseRanks(engine, X, { ...options, layers: 'auto' });
  expect(ranks.length).toBe(2);
  expect(ranks[0]).toBeGreaterThan(2);
  expect(ranks[1]).toBeLessThanOrEqual(2);
  expect(surveys[1].results.at(-1)!.rank).toBe(ranks[0]);
  expect(ending).toBe(`Rank ${ranks[1]} is the last: ranks end at 2.`);
  await expect(chooseRanks(engine, X, { ...options, layers: 'many' as 'auto' })).rejects.toThrow(/layers/);
});

test('an aborted survey ends', async () => {
  using engine = createReferenceEngine();
  const aborting = new AbortController();
  const X = planted(12, 10, 2, { noise: 0.1, zeros: 0, seed: 0 });
  const work = chooseRank(engine, X, {
    ranks: [1, 2, 3],
    restarts: 4,
    masks: 2,
    signal: aborting.signal,
    onProgress: () => aborting.abort(),
  });
  await expect(work).rejects.toThrow(CancelledError);
});

describe('the rule', () => {
  const result = (rank: number, ofMasks: number[] | null, more: { cophenetic?: number; least?: number } = {}): RankResult => ({
    rank,
    relativeError: 1 / rank,
    restartErrors: [1 / rank],
    heldOut: ofMasks && { error: ofMasks.reduce((sum, x) => sum + x, 0) / ofMasks.length, standardError: 0, ofMasks },
    cophenetic: more.cophenetic ?? 1,
    dispersion: 1,
    stability: more.least === undefined ? null : { ofA: [], ofS: [], meanOfA: 1, meanOfS: 1, leastOfA: more.least, leastOfS: 1 },
  });

  test('the smallest rank within a standard error of the paired differences', () => {
    // Masks differ by far more than ranks: unpaired, 2 would be within a standard error of 3.
    const least = [0.1, 0.2, 0.3];
    const apart = choiceOf([result(2, [0.11, 0.212, 0.311]), result(3, least), result(4, [0.105, 0.203, 0.304])]);
    expect(apart).toMatchObject({ chosen: 3, notes: [] });
    expect(apart.reason).toContain('least held-out error');
    // Differences 0.03, −0.01, −0.01: mean 0.0033, standard error 0.0133.
    const near = choiceOf([result(2, [0.13, 0.19, 0.29]), result(3, least), result(4, [0.2, 0.3, 0.4])]);
    expect(near.chosen).toBe(2);
    expect(near.reason).toContain('within one standard error of the least one, 0.2000 of rank 3');
    expect(near.notes).toEqual(['Rank 2 is the smallest that was tried; try smaller ones, too.']);
  });

  test('without masks the largest stable rank, then the cophenetic correlation', () => {
    const stable = [result(2, null, { least: 0.99 }), result(3, null, { least: 0.85 }), result(4, null, { least: 0.3 })];
    expect(choiceOf(stable).chosen).toBe(3);
    const none = choiceOf([result(2, null, { least: 0.5, cophenetic: 0.9 }), result(3, null, { least: 0.4, cophenetic: 0.99 })]);
    expect(none.chosen).toBe(3);
    expect(none.reason).toContain('No rank has a silhouette of 0.8');
    const other = choiceOf([
      result(2, [0.2, 0.2], { least: 1 }),
      result(3, [0.1, 0.1], { least: 0.1 }),
      result(4, [0.3, 0.3], { least: 0.1 }),
    ]);
    expect(other.chosen).toBe(3);
    expect(other.notes[0]).toContain('By stability alone it would be 2');
  });
});

test('consensus, cophenetic correlation and dispersion by hand', () => {
  // Two of three restarts join 0 and 1; all join 2 and 3.
  const found = consensus([
    [0, 0, 1, 1],
    [5, 5, 2, 2],
    [0, 1, 2, 2],
  ]);
  const third = Math.fround(2 / 3);
  expect(Array.from(found.matrix.data)).toEqual([1, third, 0, 0, third, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1]);
  // 4 (c − ½)² is 1 but for the two entries of 2/3, where it is 1/9.
  expect(found.dispersion).toBeCloseTo((14 + 2 / 9) / 16, 12);
  // Average linkage joins at 0, 1/3 and 1: the heights are the distances.
  expect(found.cophenetic).toBeCloseTo(1, 12);
  expect(
    consensus([
      [0, 0],
      [1, 1],
    ]),
  ).toMatchObject({ cophenetic: 1, dispersion: 1 });
  expect(() => consensus([[0, 1]])).toThrow('A consensus needs two clusterings at least, but one was given.');
  expect(() => consensus([[0, 1], [0]])).toThrow('Clustering 1 has 1 samples, but clustering 0 has 2');
});

test('the cluster of a sample does not depend on how A and S share scale', () => {
  const of = (by: number) => largestComponents(matrix(2, 2, [3 * by, 1, by, 1]), matrix(2, 3, [1 / by, 0.2 / by, 0, 1, 1, 0]), [0, 1, 2]);
  expect(Array.from(of(1))).toEqual([0, 1, 0]);
  expect(of(64)).toEqual(of(1));
});

test('components are matched whatever their order and scale, and one that differs is not stable', () => {
  const { uniform, integer } = random(6);
  const base = Array.from({ length: 12 * 3 }, (_, at) => (Math.floor(at / 12) === at % 3 ? 1 : 0.1) * uniform());
  const fits = Array.from({ length: 5 }, () => {
    const turn = integer(3);
    const from = (j: number) => (j + turn) % 3;
    const noisy = (x: number) => x * (1 + 0.01 * uniform());
    const A = matrix(
      12,
      3,
      Array.from({ length: 36 }, (_, at) => (1 + from(at % 3)) * noisy(base[at - (at % 3) + from(at % 3)])),
    );
    // Rows 0 and 1 of S as columns of `base`; row 2 is new in every fit.
    const S = matrix(
      3,
      12,
      Array.from({ length: 36 }, (_, at) => {
        const [j, m] = [from(Math.floor(at / 12)), at % 12];
        return j === 2 ? uniform() : noisy(base[m * 3 + j]);
      }),
    );
    return { A, S };
  });
  const found = stability(fits);
  expect(found.leastOfA).toBeGreaterThan(0.95);
  expect(found.ofS.filter((silhouette) => silhouette > 0.8)).toHaveLength(2);
  expect(found.leastOfS).toBeLessThan(0.6);
  expect(
    stability(
      fits.map(({ A, S }): { A: Matrix; S: Matrix } => ({
        A: { rows: 36, cols: 1, data: A.data },
        S: { rows: 1, cols: 36, data: S.data },
      })),
    ),
  ).toMatchObject({ ofA: [1] });
});

const halves = matrix(12, 10, new Array(120).fill(0.5));

test.each([
  [{ ranks: [15, 2] }, 'ranks', "The option 'ranks' is [15, 2], which runs backwards, 2 after 15; give the smallest first."],
  [{ ranks: [2, 3, 3] }, 'ranks', 'which has 3 twice; give each rank once.'],
  [{ ranks: [2, 12] }, 'ranks', 'but rank 12 is more than a 12×10 matrix can use; the largest is 10.'],
  [{ ranks: [] }, 'ranks', 'but it must be a list of ranks to try'],
  [{ ranks: [0, 1] }, 'ranks', 'but a rank is a positive integer, not 0'],
  [{ ranks: [2.5] }, 'ranks', 'not 2.5'],
  [{ ranks: [2, 200] }, 'ranks', 'but 200 exceeds the largest rank supported, 128'],
  [
    { ranks: [2], restarts: 1 },
    'restarts',
    "The option 'restarts' is 1, but a consensus compares restarts with each other; give 4 or more.",
  ],
  [{ ranks: [2], masks: 1 }, 'masks', 'one mask has no standard error'],
  [{ ranks: [2], masks: 9, restarts: 8 }, 'masks', "The option 'masks' is 9, but there are 8 restarts"],
  [{ ranks: [2], hidden: 1 }, 'hidden', "The option 'hidden' is 1,"],
  [{ ranks: [2], perturbation: -0.1 }, 'perturbation', "The option 'perturbation' is -0.1,"],
  [{ ranks: [2], hidden: 1e-9 }, 'hidden', 'one of the masks hides no entry above 0'],
  [{ ranks: [2], tolerance: 2 }, 'tolerance', "The option 'tolerance' is 2,"],
  [{ ranks: [2], weights: halves }, 'weights', 'weights has the entry 0.5 in row 0, column 0'],
  [{ rank: 3 }, 'rank', "chooseRank has no option 'rank'. Did you mean 'ranks'?"],
])('bad input %#', async (options, option, message) => {
  using engine = createReferenceEngine();
  const X = planted(12, 10, 2, { noise: 0.1, zeros: 0, seed: 0 });
  const work = chooseRank(engine, X, options as unknown as RankOptions);
  await expect(work).rejects.toThrow(message);
  await expect(work).rejects.toThrow(InputError);
  await expect(work).rejects.toMatchObject({ option });
});
