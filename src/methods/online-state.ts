/** What an online factorization begins with: its options checked, and the sums that stand for earlier columns. */
import { checkNonnegative, checkPositiveInteger, checkRanks, checkSeed, describe } from '../data/check.js';
import { type Matrix, matrix, product } from '../data/matrix.js';
import { mean } from '../data/sparse.js';
import { columnsTimesPowersOfTwo, columnUnits, rowsTimesPowersOfTwo, timesPowerOfTwo } from '../data/unit.js';
import { InputError, ShapeError } from '../errors.js';
import { type OnlineUpdate, onlineUpdates } from '../programs/online.js';
import type { Batch } from './batches.js';
import { randomFactors } from './fit.js';
import { choice } from './options.js';
import { ranksOf } from './problem.js';
import { partsOf, ranksOfStart, refusal, type StartFactors } from './start.js';

export { onlineUpdates };

export interface OnlineOptions {
  /** The rank: an integer from 1 to min(N, 128), or a list of one. Left out, it is that of `start` or `resume`. */
  ranks?: number | readonly number[];
  /** Columns that are computed at a time. Default 1024. The device holds about batchColumns · (N + 4k) + 5 N k numbers, and no more. */
  batchColumns?: number;
  /**
   * What the sums over earlier columns keep: a number above 0 and up to 1. Default 0.7. 1 forgets nothing.
   * A batch of m columns multiplies them by forgetting^(m / samples).
   */
  forgetting?: number;
  /**
   * The columns in which the sums fall to `forgetting`. Default: `batchColumns`, so that every whole batch forgets. Where the number of columns
   * is known, give it. `onlineNmf` knows that of an array of matrices, and that of every source once it has gone through it.
   */
  samples?: number;
  /**
   * The rule of A.
   *
   * - 'hals' (default): coordinate descent on the sums, which are those of ‖X − AS‖² itself. It has no step size, and every batch brings A
   *   close to the minimum for all S so far.
   * - 'mu': the quotient of two sums, as MiniBatchNMF of scikit-learn has it. It takes many more columns.
   */
  update?: OnlineUpdate;
  /** Seed of the random start: an integer from 0 to 2³² − 1. Default 0. */
  seed?: number;
  /**
   * What to continue: a fitted model of one layer, or its factors { A, S }. With S the sums begin with those of AS, so that A keeps what it
   * was fitted to; with A alone they begin empty, and the first batches move A freely.
   */
  start?: StartFactors;
  /** The state of another one, which goes on to the same bits. Its rank, update and seed hold; they and `start` cannot be given beside it. */
  resume?: OnlineState;
}

/** All that is kept of the columns so far, as plain data that structuredClone and workers take. */
export interface OnlineState {
  update: OnlineUpdate;
  seed: number;
  /** A, sums and squares are of X / 2^unit. */
  unit: number;
  /** N×k. */
  A: Matrix;
  /** P (k×k) and Q (N×k); with 'mu' also the numerator and the denominator of A (N×k). */
  sums: Matrix[];
  seen: Seen;
}

/** Counts over columns. */
export interface Seen {
  columns: number;
  batches: number;
  /** Σ ‖X − AS‖² of the columns as they arrived, before A learned from them. */
  squaredError: number;
  /** Σ ‖X‖² */
  squaredNorm: number;
  /** Columns whose exact solve ran out of its budget. 0 as a rule. */
  unconverged: number;
}

export const nothingSeen = (): Seen => ({ columns: 0, batches: 0, squaredError: 0, squaredNorm: 0, unconverged: 0 });

/** Checked options with their defaults, and what was given to begin with. */
export interface Beginning {
  rows: number;
  rank: number;
  batchColumns: number;
  forgetting: number;
  samples: number;
  update: OnlineUpdate;
  seed: number;
  given?: { A: Matrix; S?: Matrix };
  resume?: OnlineState;
}

export const onlineOptionNames = ['ranks', 'batchColumns', 'forgetting', 'samples', 'update', 'seed', 'start', 'resume'];

const updateRule = choice(onlineUpdates, 'the rule of A');

/** The options about batches and memory, checked, with their defaults. */
export function memoryOf({ batchColumns = 1024, forgetting = 0.7, samples = batchColumns }: OnlineOptions) {
  checkPositiveInteger('batchColumns', batchColumns);
  checkPositiveInteger('samples', samples);
  if (!(typeof forgetting === 'number' && forgetting > 0 && forgetting <= 1))
    throw new InputError(`forgetting must be a number above 0 and up to 1, not ${describe(forgetting)}; 1 forgets nothing.`, {
      option: 'forgetting',
    });
  return { batchColumns, forgetting, samples };
}

/** Throws InputError for options that are wrong, or that contradict each other. */
export function beginningOf(options: OnlineOptions & { rows?: number }): Beginning {
  const memory = memoryOf(options);
  const { start, resume } = options;
  if (resume !== undefined) return { ...memory, ...resumed(resume, options) };
  const { update = 'hals', seed = 0 } = options;
  updateRule.check('update', update);
  checkSeed(seed);
  const given = start === undefined ? undefined : givenStart(start);
  const rows = options.rows ?? given?.A.rows;
  checkPositiveInteger('rows', rows as number);
  if (given && given.A.rows !== rows)
    throw new ShapeError(`start.A has ${given.A.rows} rows, but the columns have ${rows}; give factors of the same features.`, {
      option: 'start',
    });
  const ranks = ranksOf('online NMF', 'one', ranksOfStart(options.ranks, start, 'one'));
  checkRanks(ranks, rows!, rows!);
  return { ...memory, rows: rows!, rank: ranks[0], update, seed, given };
}

function resumed(resume: OnlineState, options: OnlineOptions & { rows?: number }) {
  for (const name of ['ranks', 'update', 'seed', 'start'] as const)
    if (options[name] !== undefined)
      throw new InputError(`The option '${name}' is given beside 'resume', whose state has its own; leave one of them out.`, {
        option: name,
      });
  const { A, sums, update, seed, unit, seen } = resume ?? {};
  const shapes = A && update && [[A.cols, A.cols], ...new Array<number[]>(update === 'mu' ? 3 : 1).fill([A.rows, A.cols])];
  const fits =
    shapes && sums?.length === shapes.length && sums.every(({ rows, cols }, i) => rows === shapes[i][0] && cols === shapes[i][1]);
  if (!fits || !seen || !Number.isInteger(unit))
    throw new InputError(`resume must be what state() of an online factorization returned, not ${describe(resume)}.`, { option: 'resume' });
  if (options.rows !== undefined && options.rows !== A.rows)
    throw new ShapeError(`resume has ${A.rows} rows, but the columns have ${options.rows}; they need the same features.`, {
      option: 'resume',
    });
  return { rows: A.rows, rank: A.cols, update, seed, resume };
}

function givenStart(start: StartFactors): { A: Matrix; S?: Matrix } {
  if (typeof start !== 'object' || start === null)
    throw new InputError(`start must be a fitted model or factors { A, S }, not ${describe(start)}.`, { option: 'start' });
  const { A: [A] = [], S: [S] = [], ranks } = partsOf(start);
  if (A === undefined) throw refusal(' has no A, from which an online factorization begins; give it');
  if (ranks && ranks.length > 1) throw refusal(` is a model of ${ranks.length} layers; give { A } of its first layer`);
  checkNonnegative(A, 'start.A', 'start');
  const empty = columnUnitsOf(A).indexOf(undefined);
  if (empty >= 0) throw refusal(`A is zero in all of column ${empty} (counted from 0); give it an entry, or take a smaller rank`);
  if (S === undefined) return { A };
  checkNonnegative(S, 'start.S', 'start');
  if (S.rows !== A.cols)
    throw new ShapeError(`start.S has ${S.rows} rows, but start.A ${A.cols} columns; both are the rank.`, { option: 'start' });
  return { A, S };
}

/** The unit of every column, undefined for one of zeros. */
function columnUnitsOf(A: Matrix): (number | undefined)[] {
  const used = new Uint8Array(A.cols);
  A.data.forEach((a, at) => {
    if (a > 0) used[at % A.cols] = 1;
  });
  return columnUnits(A).map((unit, j) => (used[j] ? unit : undefined));
}

/** The entries of A and of the sums before the first batch, which is in the unit of the fit. */
export function firstEntries({ rows: N, rank: k, update, seed, given }: Beginning, { X, count }: Batch, unit: number) {
  if (given) {
    const units = columnUnits(given.A);
    const A = columnsTimesPowersOfTwo(
      given.A,
      units.map((e) => -e),
    );
    const S = given.S && { ...given.S, data: timesPowerOfTwo(rowsTimesPowersOfTwo(given.S, units), -unit) };
    return { A: A.data, sums: sumsOf(A, S, update) };
  }
  // The columns that fill up a batch are no columns.
  const scale = Math.sqrt((mean(X) * (X.cols / count)) / k);
  const A = matrix(N, k, randomFactors(N, k, { seed, restarts: 1 }, 0, scale));
  return { A: A.data, sums: sumsOf(A, undefined, update) };
}

/** The sums of the data AS, for which A is a minimum; without S those of no data. */
function sumsOf(A: Matrix, S: Matrix | undefined, update: OnlineUpdate): ArrayLike<number>[] {
  const [N, k] = [A.rows, A.cols];
  const P = new Float64Array(k * k);
  if (S)
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++) for (let c = 0; c < S.cols; c++) P[i * k + j] += S.data[i * S.cols + c] * S.data[j * S.cols + c];
  const Q = product(A, { rows: k, cols: k, data: P });
  if (update === 'hals') return [P, Q];
  // scikit-learn begins with A / 1, which counts as little as one column.
  if (!S) return [P, Q, A.data, new Float64Array(N * k).fill(1)];
  return [P, Q, Q.map((q, at) => q * A.data[at]), Q];
}
