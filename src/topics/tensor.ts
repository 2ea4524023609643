/** A hierarchy of topics of a tensor as people can read it: shares of topics and entries, and what the topics of a level are made of. */
import { type Matrix, multiply } from '../data/matrix.js';
import { times } from '../data/tensors.js';
import type { TensorLevel } from '../methods/tensor-levels.js';

/** What is shown, whichever method found it. */
export interface TensorHierarchy {
  /** The outer products first. */
  levels: readonly TensorLevel[];
  shape: readonly number[];
  /** By level and mode: a column for each topic, d_n×k; null for a mode without topics at that level. */
  columns: readonly (readonly (Matrix | null)[])[];
  /**
   * By level and mode: k×R, how much of each topic is in each component of the level. Null where the topics are the components themselves, and
   * for a mode without topics.
   */
  components: readonly (readonly (Matrix | null)[])[];
  /** By level and mode: the mass of every component in a mode that has no topics there; else null. */
  masses: readonly (readonly (readonly number[] | null)[])[];
  /** By level and mode: A of the step from the level before, r_{l−1}×r_l; null where there is none. */
  steps: readonly (readonly (Matrix | null)[])[];
}

export interface TensorTopics {
  levels: (TensorLevel & {
    /** How much of the level joins topics of one number in all modes. */
    joined: number;
    topics: TensorTopic[];
  })[];
  flows: TensorFlow[];
}

export interface TensorTopic {
  /** Counted from 0. */
  index: number;
  modes: TensorTopicMode[];
}

export interface TensorTopicMode {
  mode: number;
  /** The part of the level that goes through this topic of the mode; those of a level and mode sum to 1. */
  share: number;
  /** The entries with most of it, heaviest first; the shares of all entries sum to 1. */
  entries: { index: number; share: number }[];
}

/** What the topics of a level are made of, in one mode. */
export interface TensorFlow {
  /** Levels, counted from 0: the one whose topics are made, and the one whose topics they are made of. */
  of: number;
  from: number;
  mode: number;
  /** A row for each topic of `of`: the parts of it that are topics of `from`, of sum 1; of an empty topic 0. */
  shares: number[][];
}

/** A fit of `neuralNcp` or `ncp`, or hierarchical NMF of the factors, which has the same chains. */
export interface TensorChains {
  shape: readonly number[];
  levels: readonly TensorLevel[];
  factors: readonly Matrix[];
  A?: readonly (readonly Matrix[])[];
  S?: readonly (readonly Matrix[])[];
}

export function hierarchyOf({ shape, levels, factors, A = [], S = [] }: TensorChains): TensorHierarchy {
  const depth = levels.length - 1;
  const of = <T>(make: (l: number, n: number) => T): T[][] => Array.from({ length: depth + 1 }, (_, l) => shape.map((_, n) => make(l, n)));
  const has = (n: number) => (A[n] ?? []).length > 0;
  return {
    shape,
    levels,
    columns: of((l, n) => (l === 0 ? factors[n] : has(n) ? A[n].slice(0, l).reduce(multiply) : null)),
    components: of((l, n) => (l === 0 || !has(n) ? null : S[n][l - 1])),
    masses: of((l, n) => (l === 0 || has(n) ? null : massesOf(factors[n]))),
    steps: of((l, n) => (l > 1 && has(n) ? A[n][l - 1] : null)),
  };
}

/** Levels of outer products, each made of the ones before in one mode alone. */
export function hierarchyOfProducts(
  levels: readonly (TensorLevel & { factors: readonly Matrix[]; A?: Matrix })[],
  mode: number,
): TensorHierarchy {
  const modes = levels[0].factors;
  const none = levels.map(() => modes.map(() => null));
  return {
    shape: modes.map(({ rows }) => rows),
    levels: levels.map(({ rank, relativeError, modeBound, tuckerError }) => ({ rank, relativeError, modeBound, tuckerError })),
    columns: levels.map(({ factors }) => [...factors]),
    components: none,
    masses: none,
    steps: levels.map(({ A }) => modes.map((_, n) => (n === mode ? (A ?? null) : null))),
  };
}

/** Topics with their `count` heaviest entries in every mode, and what they are made of. */
export function tensorTopics(hierarchy: TensorHierarchy, count: number): TensorTopics {
  const { levels, shape, columns } = hierarchy;
  return {
    levels: levels.map((level, l) => {
      const { shares, joined } = sharesOf(hierarchy, l);
      const topics = Array.from({ length: level.rank }, (_, index) => ({
        index,
        modes: shape.flatMap((_, mode) => {
          const own = columns[l][mode];
          return own === null ? [] : [{ mode, share: shares[mode][index], entries: heaviest(own, index, count) }];
        }),
      }));
      return { ...level, joined, topics };
    }),
    flows: flowsOf(hierarchy),
  };
}

/**
 * The mass of a level is Σ over the entries of its tensor. Topic j_n of every mode n meets in the part
 * Σ_r ∏_n m_n[j_n] S_n[j_n][r] of it, with m the sums of the topics' columns.
 */
function sharesOf({ levels, shape, columns, components, masses }: TensorHierarchy, l: number): { shares: number[][]; joined: number } {
  const k = levels[l].rank;
  const parts = shape.map((_, n) => {
    const own = columns[l][n];
    if (own === null) return [masses[l][n]!];
    const m = massesOf(own);
    const S = components[l][n];
    // By topic the masses of its components.
    return m.map((mass, j) =>
      S === null ? m.map((_, r) => (r === j ? mass : 0)) : Array.from({ length: S.cols }, (_, r) => mass * S.data[j * S.cols + r]),
    );
  });
  const R = parts[0][0].length;
  const wholes = parts.map((topics) => Array.from({ length: R }, (_, r) => topics.reduce((sum, own) => sum + own[r], 0)));
  // Σ_r ∏_n of masses of the components.
  const sum = (of: (n: number) => readonly number[]) => {
    let all = 0;
    for (let r = 0; r < R; r++) all += shape.reduce((product, _, n) => product * of(n)[r], 1);
    return all;
  };
  const total = sum((n) => wholes[n]);
  const part = (mass: number) => (total > 0 ? mass / total : 0);
  const shares = parts.map((topics, n) => topics.map((own) => part(sum((m) => (m === n ? own : wholes[m])))));
  const together = Array.from({ length: k }, (_, j) => sum((n) => (columns[l][n] === null ? parts[n][0] : parts[n][j])));
  const joined = part(together.reduce((all, one) => all + one, 0));
  return { shares, joined };
}

function flowsOf({ levels, shape, columns, components, steps }: TensorHierarchy): TensorFlow[] {
  return levels.flatMap((_, l) =>
    shape.flatMap((_, mode): TensorFlow[] => {
      if (l === 0) return [];
      const step = steps[l][mode];
      const before = columns[l - 1][mode];
      // Column j of Aˡ says how much of each topic of the level before is in topic j.
      if (step && before) return [{ of: l, from: l - 1, mode, shares: partsOf(transposed(step), massesOf(before)) }];
      const S = components[l][mode];
      const own = columns[l][mode];
      // Column r of S⁰ says how much of each topic is in outer product r.
      if (l === 1 && S && own) return [{ of: 0, from: 1, mode, shares: partsOf(transposed(S), massesOf(own)) }];
      return [];
    }),
  );
}

/** Rows times masses, each of sum 1. */
function partsOf(rows: readonly number[][], masses: readonly number[]): number[][] {
  return rows.map((row) => {
    const parts = row.map((x, i) => x * masses[i]);
    const whole = parts.reduce((sum, x) => sum + x, 0);
    return parts.map((x) => (whole > 0 ? x / whole : 0));
  });
}

function transposed({ rows, cols, data }: Matrix): number[][] {
  return Array.from({ length: cols }, (_, j) => Array.from({ length: rows }, (_, i) => data[i * cols + j]));
}

/** The sum of every column. */
function massesOf({ cols, data }: Matrix): number[] {
  const sums = new Array<number>(cols).fill(0);
  for (let at = 0; at < data.length; at++) sums[at % cols] += data[at];
  return sums;
}

function heaviest({ rows, cols, data }: Matrix, column: number, count: number): { index: number; share: number }[] {
  const entries = Array.from({ length: rows }, (_, index) => ({ index, share: data[index * cols + column] }));
  const whole = entries.reduce((sum, { share }) => sum + share, 0);
  return entries
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share || a.index - b.index)
    .slice(0, count)
    .map(({ index, share }) => ({ index, share: share / whole }));
}

/** Names of modes and of their entries as far as they are known, else their numbers from 0. */
export function tensorNames(shape: readonly number[], modes: readonly { name?: string; entries?: readonly string[] }[] = []) {
  return {
    shape: times(shape),
    mode: (n: number) => modes[n]?.name ?? `mode ${n}`,
    entry: (n: number, i: number) => modes[n]?.entries?.[i] ?? `${i}`,
  };
}
