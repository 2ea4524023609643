/** Random fits from a seed: a method, options that fit together, and data with rows and columns that fits find hard. */
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { type DataMatrix, sparseFromDense } from '../../src/data/sparse.js';
import type { Method } from '../../src/methods/methods.js';

export interface RandomFit {
  seed: number;
  method: Method;
  /** Dense, as the check reads it. */
  X: Matrix;
  /** As the fit gets it. */
  given: DataMatrix;
  options: Record<string, unknown> & { ranks: number[]; weights?: Matrix };
  halfInputs: boolean;
  /** The disturbances of X in words. */
  traits: string[];
}

/** Uniform numbers of mulberry32 by Tommy Ettinger. */
function uniformsOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Dice {
  uniform(): number;
  /** An integer from `low` to `high`. */
  whole(low: number, high: number): number;
  pick<T>(values: readonly T[]): T;
  /** `value`, or undefined with probability 1 − p. */
  maybe<T>(p: number, value: () => T): T | undefined;
}

function diceOf(seed: number): Dice {
  const uniform = uniformsOf(seed);
  const whole = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1));
  return {
    uniform,
    whole,
    pick: (values) => values[whole(0, values.length - 1)],
    maybe: (p, value) => (uniform() < p ? value() : undefined),
  };
}

export const allMethods = [
  'nmf',
  'ssnmf',
  'hierarchical',
  'deep',
  'deep-semi',
  'unfolded',
  'sparse-coding',
  'neural',
] as const satisfies Method[];

/** The fit of a number; the methods take turns. */
export function randomFit(number: number): RandomFit {
  const dice = diceOf(Math.imul(number + 1, 0x9e3779b1));
  const method = allMethods[number % allMethods.length];
  const rows = dice.pick([1, 2, 3, dice.whole(4, 9), dice.whole(10, 19)]);
  const cols = dice.pick([1, 2, 3, dice.whole(4, 9), dice.whole(10, 19)]);
  const { X, traits } = dataOf(dice, rows, cols, (method === 'deep-semi' || method === 'sparse-coding') && dice.uniform() < 0.5);
  const most = Math.min(rows, cols);
  const first = dice.pick([1, most, dice.whole(1, most)]);
  const layers = ['nmf', 'ssnmf', 'unfolded'].includes(method) ? 1 : dice.whole(1, 3);
  const ranks = [first];
  while (ranks.length < layers) ranks.push(dice.pick([1, ranks.at(-1)!, dice.whole(1, ranks.at(-1)!)]));
  const sparse = dice.uniform() < 0.25;
  const scene = { dice, X, ranks, sparse, size: sizeOf(X), labels: labelsOf(dice, cols) };
  const { sparse: keepsSparse = sparse, ...own } = ownOptions[method](scene);
  return {
    seed: number,
    method,
    X,
    given: keepsSparse ? sparseFromDense(X) : X,
    options: withoutUndefined({ ranks, ...commonOptions(dice), ...own }) as RandomFit['options'],
    halfInputs: dice.uniform() < 0.3,
    traits: [...traits, keepsSparse ? 'sparse' : 'dense'],
  };
}

function withoutUndefined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function commonOptions({ pick, maybe, whole }: Dice): Record<string, unknown> {
  return {
    seed: whole(0, 999),
    restarts: pick([1, 1, 2, 3]),
    maxIterations: pick([1, 7, 30, 100]),
    tolerance: maybe(0.5, () => pick([0, 1e-3, 1e-6])),
    stopping: maybe(0.2, () => 'initialError'),
    checkEvery: maybe(0.5, () => pick([1, 3, 10])),
  };
}

/** The root of the mean square: X and options that are measured in its unit grow together. */
function sizeOf({ data }: Matrix): number {
  let [sum, count] = [0, 0];
  for (const x of data) if (x !== 0) [sum, count] = [sum + x * x, count + 1];
  return count === 0 ? 1 : Math.sqrt(sum / count);
}

function dataOf(dice: Dice, rows: number, cols: number, signed: boolean): { X: Matrix; traits: string[] } {
  const { uniform, whole, pick } = dice;
  const entries = (count: number) => Array.from({ length: count }, uniform);
  const kind = pick(['low rank', 'low rank and noise', 'uniform', 'counts']);
  const r = Math.min(rows, cols, 3);
  const [L, R] = [entries(rows * r), entries(r * cols)];
  const X = Array.from({ length: rows * cols }, (_, at) => {
    if (kind === 'uniform') return uniform();
    if (kind === 'counts') return Math.floor(-1.5 * Math.log(1 - uniform()));
    let x = kind === 'low rank' ? 0 : 0.3 * uniform();
    for (let t = 0; t < r; t++) x += L[Math.floor(at / cols) * r + t] * R[t * cols + (at % cols)];
    return x;
  });
  const traits = [`${rows}×${cols}`, kind];
  if (signed) {
    X.forEach((x, at) => {
      X[at] = uniform() < 0.4 ? -x : x;
    });
    traits.push('signed');
  }
  for (const side of ['row', 'column'] as const) {
    const [count, across] = side === 'row' ? [rows, cols] : [cols, rows];
    const place = (item: number, other: number) => (side === 'row' ? item * cols + other : other * cols + item);
    const change = (name: string, p: number, to: (x: number, other: number) => number) => {
      if (uniform() >= p) return;
      const item = whole(0, count - 1);
      for (let other = 0; other < across; other++) X[place(item, other)] = to(X[place(item, other)], other);
      traits.push(`${name} ${side} ${item}`);
    };
    change('zero', 0.2, () => 0);
    const twin = whole(0, count - 1);
    change(`duplicate of ${twin} in`, 0.2, (_, other) => X[place(twin, other)]);
    change('constant', 0.2, () => 0.7);
    const [huge, tiny] = [10 ** (2 + 13 * uniform()), 10 ** -(2 + 18 * uniform())];
    change(`${huge.toExponential(0)} times`, 0.15, (x) => x * huge);
    change(`${tiny.toExponential(0)} times`, 0.15, (x) => x * tiny);
  }
  const largest = X.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
  const exponent = uniform() < 0.5 ? 0 : Math.min(whole(-100, 100), Math.floor(100 - Math.log2(largest)));
  traits.push(`2^${exponent}`);
  return {
    X: matrix(
      rows,
      cols,
      Float32Array.from(X, (x) => x * 2 ** exponent),
    ),
    traits,
  };
}

interface Labelled {
  labels: (string | null)[];
  truth?: string[];
}

/** Two or three classes with a labelled sample each; undefined where there are too few samples. */
function labelsOf({ uniform, whole, maybe }: Dice, cols: number): Labelled | undefined {
  if (cols < 3) return undefined;
  const classes = whole(2, 3);
  const truth = Array.from({ length: cols }, (_, c) => 'abc'[c < classes ? c : whole(0, classes - 1)]);
  const labels = truth.map((label, c) => (c < classes || uniform() < 0.6 ? label : null));
  return { labels, truth: maybe(0.7, () => truth) };
}

interface Scene {
  dice: Dice;
  X: Matrix;
  ranks: number[];
  sparse: boolean;
  size: number;
  labels?: Labelled;
}

type Own = Record<string, unknown> & { sparse?: boolean };

/** Weights ≥ 0, or zeros and ones with a one in every row and column. */
function weightsOf({ uniform, pick }: Dice, { rows, cols }: Matrix, binary: boolean): Matrix {
  const unit = binary ? 1 : pick([1, 1, 2 ** -40, 2 ** 40]);
  const data = Float32Array.from({ length: rows * cols }, () => (uniform() < 0.25 ? 0 : binary ? 1 : unit * (0.5 + uniform())));
  for (let i = 0; i < Math.max(rows, cols); i++) data[(i % rows) * cols + (i % cols)] = unit;
  return matrix(rows, cols, data);
}

const ownOptions: Record<Method, (scene: Scene) => Own> = {
  nmf: ({ dice, X, sparse }) => ({
    solver: dice.maybe(0.8, () => dice.pick(['anls', 'hals', 'mu'])),
    weights: sparse ? undefined : dice.maybe(0.3, () => weightsOf(dice, X, false)),
  }),

  ssnmf({ dice, X, size, sparse, labels }) {
    const model = labels ? dice.whole(1, 6) : dice.whole(1, 2);
    const dense = [2, 5, 6].includes(model);
    const mass = X.data.length * (dense ? size : size ** 2);
    return {
      model,
      sparse: sparse && !dense,
      weights: sparse ? undefined : dice.maybe(0.3, () => weightsOf(dice, X, true)),
      ...(model > 2 ? { ...labels, labelWeight: dice.maybe(0.3, () => dice.pick([0, 0.01, 1]) * mass) } : {}),
    };
  },

  hierarchical({ dice, X, ranks, sparse, labels }) {
    const supervised = dice.maybe(0.3, () => labels);
    const solvers = ['anls', 'hals', 'mu'];
    const labelLayers = supervised && dice.maybe(0.5, () => [dice.whole(0, ranks.length - 1)]);
    const all = supervised && ranks.length === 1;
    return {
      solver: all ? undefined : dice.maybe(0.8, () => (dice.uniform() < 0.5 ? dice.pick(solvers) : ranks.map(() => dice.pick(solvers)))),
      normalize: dice.maybe(0.4, () => dice.pick([true, false])),
      ...supervised,
      labelLayers,
      // A first layer with labels takes none.
      weights:
        sparse || (supervised && (labelLayers ?? [ranks.length - 1]).includes(0))
          ? undefined
          : dice.maybe(0.25, () => weightsOf(dice, X, false)),
    };
  },

  deep({ dice, X, ranks, labels }) {
    const supervised = dice.maybe(0.3, () => labels);
    const bridged = ranks.length > 1;
    const pooling = bridged ? dice.pick(['none', 'none', 'average', 'max']) : undefined;
    const poolOver = pooling && pooling !== 'none' ? (supervised ? 'features' : dice.pick(['features', 'samples'])) : undefined;
    if (poolOver) shrinkRanks(ranks, X.cols, poolOver as 'features' | 'samples');
    const activation = bridged ? dice.pick(['identity', 'identity', 'power', 'log1p']) : undefined;
    const start = dice.pick(['hierarchical', 'random']);
    return {
      pooling,
      poolOver,
      activation,
      power: activation === 'power' ? dice.pick([0.5, 1.5]) : undefined,
      layerWeights: dice.maybe(0.3, () => ranks.map(() => 0.5 + dice.uniform())),
      start,
      startIterations: start === 'hierarchical' ? 20 : undefined,
      ...supervised,
    };
  },

  'deep-semi'({ dice, labels, sparse }) {
    const nonlinearity = dice.pick(['identity', 'identity', 'square', 'softplus', 'sigmoid', 'tanh']);
    return { nonlinearity, sparse: sparse && nonlinearity === 'identity', pretrainIterations: 30, ...dice.maybe(0.3, () => labels) };
  },

  unfolded({ dice, X, ranks, sparse, size }) {
    const beta = dice.pick([2, 2, 1]);
    const masks = ranks[0] > 1 && dice.uniform() < 0.3;
    const layers = dice.whole(1, 5);
    const part = () =>
      matrix(
        X.rows,
        X.cols,
        X.data.map((x) => x * dice.uniform()),
      );
    return {
      sparse: sparse && beta === 2 && !masks,
      beta,
      layers,
      untied: dice.whole(0, layers),
      startIterations: dice.pick([1, 10]),
      l1: dice.maybe(0.3, () => 0.1 * size ** beta),
      ...(masks
        ? {
            output: 'ratioMask',
            sources: [
              { columns: 1, target: part() },
              { columns: ranks[0] - 1, target: part() },
            ],
          }
        : { target: dice.maybe(0.2, part) }),
    };
  },

  'sparse-coding'({ dice, X, sparse, size, labels }) {
    const supervised = dice.maybe(0.4, () => labels);
    return {
      ...supervised,
      l1: dice.maybe(0.5, () => dice.pick([0, 0.01, 0.1]) * size),
      learnL1: dice.maybe(0.3, () => dice.pick([true, false])),
      reconstruction: supervised && dice.maybe(0.2, () => 0),
      optimiser: dice.maybe(0.5, () => dice.pick(['adam', 'momentum'])),
      batchColumns: sparse ? undefined : dice.maybe(0.3, () => dice.whole(1, X.cols)),
    };
  },

  neural({ dice, X, ranks, sparse, size, labels }) {
    const supervised = dice.maybe(0.4, () => labels);
    const optimiser = dice.pick(['projected', 'projected', 'momentum', 'adam']);
    const start = dice.pick(['hierarchical', 'random']);
    const labelLoss = supervised && dice.pick(['squared', 'crossEntropy']);
    const weights = sparse ? undefined : dice.maybe(0.25, () => weightsOf(dice, X, false));
    return {
      start,
      startIterations: start === 'hierarchical' ? 10 : undefined,
      cost: dice.maybe(0.4, () =>
        dice.pick(['energy', 'levels', ranks.map((_, l) => l + 1), { reconstruction: 1, energy: ranks.map(() => 0.5) }]),
      ),
      l1: dice.maybe(0.3, () => 0.01 * size * (weights ? sizeOf(weights) ** 2 : 1)),
      weights,
      ...supervised,
      labelLayers: supervised && dice.maybe(0.3, () => [dice.whole(0, ranks.length - 1)]),
      labelLoss,
      optimiser,
      batchColumns: sparse || optimiser === 'projected' ? undefined : dice.maybe(0.3, () => dice.whole(1, X.cols)),
    };
  },
};

/** Ranks that pooled matrices can have. */
function shrinkRanks(ranks: number[], cols: number, over: 'features' | 'samples'): void {
  let left = { rows: ranks[0], cols };
  for (let l = 1; l < ranks.length; l++) {
    left = over === 'features' ? { ...left, rows: Math.ceil(left.rows / 2) } : { ...left, cols: Math.ceil(left.cols / 2) };
    ranks[l] = Math.min(ranks[l], left.rows, left.cols);
    left = { rows: ranks[l], cols: left.cols };
  }
}

/** A fit in one line, for messages. */
export function inOneLine({ seed, method, options, halfInputs, traits }: RandomFit): string {
  const shown = Object.entries(options).map(([name, value]) => `${name} ${valueInShort(value)}`);
  return `fit ${seed}: ${method}, ${traits.join(', ')}${halfInputs ? ', half' : ''}; ${shown.join(', ')}`;
}

function valueInShort(value: unknown): string {
  const text = typeof value === 'object' && value !== null && 'data' in value ? 'matrix' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
