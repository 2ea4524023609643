/**
 * The operations that `elementwise` leaves out. Where a built-in function of WGSL is involved, bounds follow the accuracy the language
 * demands of a device (https://www.w3.org/TR/WGSL/#floating-point-accuracy), 1 ULP of a number v being up to |v| 2⁻²³:
 *
 *     x / y       2.5 ULP                   log(x)   2⁻²¹ absolute on [0.5, 2], else 3 ULP
 *     exp(x)      3 + 2|x| ULP              tanh(x)  1e-5 absolute, or that of sinh / cosh by exp
 *     exp2(x)     3 + 2|x| ULP              atanh(x) that of log((1 + x) / (1 − x)) / 2
 *     pow(x, y)   that of exp2(y log2(x))
 *
 * A comment at each case says how its bound adds up. SwiftShader stays well below all of them.
 */
import type { Random } from '../../src/data/random.js';
import { control, type MapFunction, mapFunctions } from '../../src/graph/operations.js';
import type { ProgramBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { type Case, differential, type Entries, signedEntries, uniformEntries, unit } from './support.js';

/** 2⁻²³: an ULP of a number from 1 up to 2. */
const ulp = 2 * unit;

type Compared = { tensor: Tensor; terms: number; scale?: number };

/** |actual − expected| ≤ bound, in the terms of expectClose. */
const within = (tensor: Tensor, bound: number): Compared => ({ tensor, terms: 1, scale: bound / (8 * unit) });
const exactly = (tensor: Tensor): Compared => ({ tensor, terms: 0 });

const restarts = 3;

/** What a case needs of the builder: inputs and states with what they hold. */
function given(p: ProgramBuilder) {
  const values = new Map<Tensor, Entries>();
  const keep = (tensor: Tensor, entries: ArrayLike<number>) => {
    values.set(tensor, Float32Array.from(entries));
    return tensor;
  };
  return {
    values,
    input: (name: string, rows: number, cols: number, entries: ArrayLike<number>) =>
      keep(p.input(name, rows, cols, { batched: entries.length > rows * cols }), entries),
    state: (name: string, rows: number, cols: number, entries?: ArrayLike<number>) => {
      const tensor = p.state(name, rows, cols);
      return entries ? keep(tensor, entries) : tensor;
    },
  };
}

const shapes = [
  [1, 1],
  [7, 33],
  [5, 129],
] as const;

const uniform = (low: number, high: number) => (r: Random, count: number) => uniformEntries(r, count).map((x) => low + (high - low) * x);
const normal = signedEntries;

/** x, y and w; the constants; and the bound, in ULP of 1. */
interface Mapped {
  fn: MapFunction;
  p?: number;
  q?: number;
  of: ((r: Random, count: number) => Float32Array)[];
  ulps: number;
  note?: string;
}

const maps: Mapped[] = [
  { fn: 'affine', p: 1.5, q: -0.25, of: [uniform(-5, 5)], ulps: 8 }, // two roundings of numbers up to 8
  // y log2(x) is off by |y| max(4, 3 |log2 x|) ULP, which ln 2 turns into a relative error, and exp2 adds 3 + 2 |y log2(x)|.
  { fn: 'power', p: 0.5, q: 1e-3, of: [uniform(-0.5, 2)], ulps: 1.5 * 25 },
  { fn: 'power', p: -1.5, q: 0.1, of: [uniform(-0.5, 2)], ulps: 32 * 25 },
  { fn: 'power', p: 2, q: 0, of: [uniform(0.5, 2)], ulps: 4 * 13 },
  { fn: 'positive', of: [normal], ulps: 0 },
  { fn: 'negative', of: [normal], ulps: 0 },
  // log of 1 to 2: 4; its argument: e^−|x| (3 + 2|x|) ≤ 4, and 1 for the sum; adding max(x, 0) ≤ 5 rounds by 2.
  { fn: 'softplus', of: [uniform(-5, 5)], ulps: 12 },
  // 1 − e^−x is off by 4 ULP, relative to x ≥ 0.05 that is 80; log up to 3: 9; the sum rounds by 2.
  { fn: 'softplusInverse', p: 0.05, of: [uniform(-1, 5)], ulps: 92 },
  // Below 1e-3 a series, off by x²/6 < 2 ULP; log of 1e-6: 3 ULP of 16, and two roundings of that.
  { fn: 'softplusInverse', p: 1e-6, of: [uniform(-1e-4, 9e-4)], ulps: 70, note: 'near 0' },
  // e^−x is off by 3 + 2|x|, of which s (1 − s) < 1 remains; 2.5 for the quotient, 1 for the sum.
  { fn: 'sigmoid', of: [uniform(-8, 8)], ulps: 5 },
  // The quotient: 3; log up to 4.6: 14; and 1 − s = p where 1 − p was rounded to f32: 0.25 / p = 25.
  { fn: 'sigmoidInverse', p: 0.01, of: [uniform(-0.1, 1.1)], ulps: 45 },
  { fn: 'tanh', p: 1.7159, q: 2 / 3, of: [uniform(-4, 4)], ulps: (1.8 * 1e-5) / ulp }, // 1e-5 p, and a little for the products
  // x / p: 3, over 1 − 0.95: 60; half of that, and half of log's 3 × 3.7; all over q = 2/3; the last quotient: 7.
  { fn: 'tanhInverse', p: 1.7159, q: 2 / 3, of: [uniform(-1.63, 1.63)], ulps: 64 },
  // Kept within 1 − 1e-6, of which f32 rounds 0.25 ULP away: 3e-2 of 1e-6, so half of that in atanh.
  { fn: 'tanhInverse', p: 1, q: 1, of: [uniform(1, 3)], ulps: 0.015 / ulp, note: 'out of range' },
  { fn: 'log1p', of: [uniform(0, 5)], ulps: 8 }, // log up to 1.8: 6; the sum: 1
  { fn: 'exp', of: [uniform(-4, 3)], ulps: 2 ** 5 * 9 }, // up to 20, at x = 3
  { fn: 'quotient', of: [normal, uniform(0.125, 2)], ulps: 64 * 4 }, // |x| up to 5, over 1/8
  { fn: 'quotient', of: [nothing, zeros(uniform(0.125, 2))], ulps: 0, note: '0 / 0 = 0' },
  // −1e30 where y = 0, with an error of 5 ULP of that.
  { fn: 'quotient', of: [uniform(-2, -1), zeros(uniform(0.125, 2))], ulps: 5e30, note: 'by 0' },
  { fn: 'weightedProduct', of: [normal, normal, uniform(0, 1)], ulps: 32 },
  // x times (3.5 for the quotient, 3 × 3.7 for its log), x ≤ 2; 6 for the products and sums of numbers up to 8.
  { fn: 'divergence', of: [zeros(uniform(0, 2)), uniform(0.05, 2)], ulps: 36 },
  // Up to 5e-9, with 10 ULP of that and what the f64 formula leaves.
  { fn: 'divergence', of: [uniform(1, 1.0001), uniform(1, 1.0001)], ulps: 1e-7, note: 'of near' },
  { fn: 'divergence', of: [uniform(1, 1.2), uniform(1, 1.2)], ulps: 10 * 0.02 + 4, note: 'around the switch of formulas' },
  // x log 1e30, 69 x: the quotient, log and product are off by 10 ULP of 138.
  { fn: 'divergence', of: [uniform(1, 2), zeros(uniform(0.05, 2))], ulps: 36 + 138 * 10, note: 'from 0' },
  // β = −1: size y^−1 ≤ 8, d ≤ 16 and r^−1 ≤ 16 for r from 1/16 to 16: the parts are up to 16 of an ULP each, their logarithms 3 × 2.8 more.
  ...[-1, -0.5, 0, 0.25].map(
    (beta): Mapped => ({ fn: 'betaDivergence', p: beta, q: 2 ** -30, of: [uniform(0.125, 2), uniform(0.125, 2)], ulps: 8 * 16 * 30 }),
  ),
  // y^β ≤ 8, r ≤ 16 to the power of β at most.
  ...[0.5, 0.9, 1, 1.0001, 1.5, 2, 2.5, 3].map(
    (beta): Mapped => ({
      fn: 'betaDivergence',
      p: beta,
      q: 2 ** -30,
      of: [zeros(uniform(0.125, 2)), uniform(0.125, 2)],
      ulps: 8 * 16 * 30,
    }),
  ),
  // The series: 10 ULP of a result below 2e-2, and what it leaves out, d⁶.
  ...[-1, 0, 0.5, 1, 1.5, 3].map(
    (beta): Mapped => ({ fn: 'betaDivergence', p: beta, q: 2 ** -30, of: [uniform(1, 1.1), uniform(1, 1.1)], ulps: 8, note: 'of near' }),
  ),
  { fn: 'betaDivergence', p: 0, q: 0.25, of: [zeros(uniform(0.25, 2)), zeros(uniform(0.25, 2))], ulps: 8 * 16 * 30, note: 'below q' },
];

function nothing(_r: Random, count: number) {
  return new Float32Array(count);
}

/** Every fifth entry zero. */
function zeros(make: (r: Random, count: number) => Float32Array) {
  return (r: Random, count: number) => make(r, count).map((x, i) => (i % 5 === 0 ? 0 : x));
}

const mapped = maps.flatMap(({ fn, p: P = 0, q: Q = 0, of, ulps, note }) =>
  shapes.map(([rows, cols]) =>
    differential(
      `map ${fn} ${mapFunctions[fn].formula}, p = ${P}, q = ${Q}${note ? `, ${note}` : ''}, ${rows}×${cols}`,
      (p, r) => {
        const { values, input, state } = given(p);
        // The second of two tensors is shared by the restarts.
        const tensors = of.map((make, i) =>
          input('xyw'[i], rows, cols, make(r, (i === 1 && of.length === 2 ? 1 : restarts) * rows * cols)),
        );
        const out = state('out', rows, cols);
        p.section('all', () => p.map(fn, tensors, { p: P, q: Q, into: out }));
        return { values, compare: [within(out, ulps * ulp)] };
      },
      { restarts },
    ),
  ),
);

const covered = new Set(maps.map(({ fn }) => fn));
const everyFunction: Case = {
  name: 'every function of map has a case',
  async run() {
    const missing = Object.keys(mapFunctions).filter((fn) => !covered.has(fn as MapFunction));
    if (missing.length > 0) throw new Error(`no case for ${missing.join(', ')}`);
  },
};

const shifts = shapes.map(([rows, cols]) =>
  differential(
    `shift ${rows}×${cols} by a number of each restart`,
    (p, r) => {
      const { values, input, state } = given(p);
      const X = input('X', rows, cols, normal(r, rows * cols));
      const y = input('y', 1, 1, normal(r, restarts));
      const out = state('out', rows, cols);
      p.section('all', () => p.shift(X, y, -1.5, { into: out }));
      return { values, compare: [{ tensor: out, terms: 2, scale: 8 }] };
    },
    { restarts },
  ),
);

const crossEntropies = (
  [
    [2, 1, 0],
    [5, 33, 0],
    [17, 66, 0],
    // Beyond the reach of exp, on both sides.
    [5, 33, 400],
    [5, 33, -400],
  ] as const
).map(([P, M, offset]) =>
  differential(
    `softmax cross-entropy of ${P} classes, ${M} columns, some without a label${offset === 0 ? '' : `, logits near ${offset}`}`,
    (p, r) => {
      const { values, input, state } = given(p);
      const logits = input('logits', P, M, uniform(offset - 30, offset + 30)(r, restarts * P * M));
      // Every restart has labels of its own where there are 17 classes. No fit has that; the operation allows it.
      const labels = P === 17 ? restarts : 1;
      const classes = Array.from({ length: labels * M }, (_, c) => (c % 3 === 2 ? -1 : r.integer(P)));
      const one = (i: number) => classes[Math.floor(i / (P * M)) * M + (i % M)] === Math.floor(i / M) % P;
      const Y = input(
        'Y',
        P,
        M,
        Array.from({ length: labels * P * M }, (_, i) => (one(i) ? 1 : 0)),
      );
      const loss = state('loss', 1, M);
      const gradient = state('gradient', P, M);
      p.section('all', () => {
        const both = p.softmaxCrossEntropy(logits, Y);
        p.copy(both.loss, loss);
        p.copy(both.gradient, gradient);
      });
      // log Σ e^(z − largest): 3 for each of P terms below 1, 1 for each sum, 9 for the log; logSum and z − logSum round numbers below
      // 64 by 16 and 32, and logSum one below 512 by 128. The gradient is e to that, below 1, with 3 more for exp.
      const bound = (4 * P + 9 + (offset === 0 ? 48 : 160)) * ulp;
      return { values, compare: [within(loss, bound), within(gradient, bound + 3 * ulp)] };
    },
    { restarts },
  ),
);

const pools = [1, 2, 3, 9].map((size) =>
  differential(
    `max pool of ${size} neighbouring rows, with ties`,
    (p, r) => {
      const { values, input, state } = given(p);
      const S = input(
        'S',
        7,
        33,
        normal(r, restarts * 231).map((x) => Math.round(2 * x)),
      );
      const pooled = state('pooled', Math.ceil(7 / size), 33);
      const selector = state('selector', 7, 33);
      p.section('all', () => {
        const both = p.maxPool(S, size);
        p.copy(both.pooled, pooled);
        p.copy(both.selector, selector);
      });
      return { values, compare: [exactly(pooled), exactly(selector)] };
    },
    { restarts },
  ),
);

/** Control rows of the restarts, their iterations apart. */
const controlRows = (...iterations: number[]) =>
  iterations.flatMap((iteration) => Array.from({ length: control.length }, (_, i) => (i === control.iteration ? iteration : 0)));

/** A permutation of 0 … M − 1 for each of `count` restarts. */
function permutations(r: Random, M: number, count: number): number[] {
  return Array.from({ length: count }, () => {
    const order = Array.from({ length: M }, (_, i) => i);
    for (let i = M - 1; i > 0; i--) {
      const j = r.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }).flat();
}

const taking = (
  [
    [7, 3],
    [33, 33],
    [66, 1],
    [13, 8],
  ] as const
).flatMap(([M, count]) =>
  [1, restarts].map((orders) =>
    differential(
      `take ${count} of ${M} columns, wrapping around, ${orders === 1 ? 'one order' : 'an order for each restart'}`,
      (p, r) => {
        const { values, input, state } = given(p);
        const X = input('X', 5, M, normal(r, 5 * M));
        const order = input('order', 1, M, permutations(r, M, orders));
        const c = state('control', 1, control.length, controlRows(0, 2, 1000));
        const cost = input('cost', 1, 1, [1]);
        const all = Array.from({ length: 3 }, (_, i) => state(`batch${i}`, 5, count));
        p.section('all', () => {
          for (const into of all) {
            p.takeColumns(X, order, c, count, { into });
            p.countIteration(cost, c);
          }
        });
        return { values, compare: [...all.map(exactly), exactly(c)] };
      },
      { restarts },
    ),
  ),
);

const stepping = [false, true].flatMap((free) => [
  differential(
    `three momentum steps${free ? ', free in sign' : ''}`,
    (p, r) => {
      const { values, input, state } = given(p);
      const A = state('A', 7, 33, uniform(0, 1)(r, restarts * 231));
      const V = state('V', 7, 33, normal(r, restarts * 231));
      const D = input('D', 7, 33, normal(r, restarts * 231));
      p.section('all', () => p.momentumStep(A, V, D, { rate: 0.125, momentum: 0.9, free }));
      return { values, compare: [A, V].map((tensor) => ({ tensor, terms: 4 })) };
    },
    { restarts, times: 3 },
  ),
  differential(
    `three steps of Adam${free ? ', free in sign' : ''}`,
    (p, r) => {
      const { values, input, state } = given(p);
      const size = restarts * 231;
      const A = state('A', 7, 33, uniform(0, 0.02)(r, size));
      const first = state('first', 7, 33, new Float32Array(size));
      const second = state('second', 7, 33, new Float32Array(size));
      const D = input('D', 7, 33, zeros(normal)(r, size));
      const cost = input('cost', 1, 1, [0.5]);
      const c = state('control', 1, control.length, controlRows(0, 0, 500));
      p.section('all', () => {
        // As large as the roots of the moments, so that it counts.
        p.adamStep(A, [first, second], D, c, { rate: 0.01, free, ...(free && { epsilon: 0.5 }) });
        p.countIteration(cost, c);
      });
      // pow(0.999, t) is off by t · 4 ln 2 + 3 ULP: of 1 − 0.999^t, about t/1000, that is 6e3 ULP at t = 1 and less later; half of it
      // remains under the root. Steps are at most the rate (twice that for restart 2, whose correction is that of old moments).
      const ofSteps = 3 * 2 * 0.01 * 3e3 * ulp;
      // 1 − 0.9 and 1 − 0.999 of constants rounded to f32: 0.25 / 0.1 and 0.25 / 0.001 ULP relative, of moments up to 2 and 0.1.
      return { values, compare: [within(A, ofSteps), within(first, 2 * 8 * ulp), within(second, 0.1 * 400 * ulp), exactly(c)] };
    },
    { restarts, times: 3 },
  ),
]);

const counting = differential(
  'count iterations and keep the cost',
  (p) => {
    const { values, input, state } = given(p);
    const cost = input('cost', 1, 1, [0.25, 3, -1]);
    const c = state('control', 1, control.length, controlRows(0, 7, 9_999_999));
    p.section('all', () => p.countIteration(cost, c));
    return { values, compare: [exactly(c)] };
  },
  { restarts, times: 5 },
);

const roots = shapes.map(([rows, cols]) =>
  differential(
    `multiplicative update with power 0.5, ${rows}×${cols}`,
    (p, r) => {
      const { values, input, state } = given(p);
      const size = restarts * rows * cols;
      const F = state('F', rows, cols, zeros(uniform(0, 1))(r, size));
      const numerator = input('numerator', rows, cols, zeros(uniform(0.1, 1))(r, size));
      const denominator = input('denominator', rows, cols, zeros(uniform(0.1, 1))(r, size));
      p.section('all', () => p.multiplicativeUpdate(F, numerator, denominator, { power: 0.5 }));
      // Values below 4. The quotient: 3, halved by the root; pow: 0.5 · 3 · 3.4 · ln 2 and 3 + 2 · 1.7; a product.
      return { values, compare: [within(F, 4 * 13 * ulp)] };
    },
    { restarts },
  ),
);

const capping = [
  [1, 1],
  [13, 9],
  [5, 33],
].map(([rows, cols]) =>
  differential(
    `shorten columns longer than 1, ${rows}×${cols}`,
    (p, r) => {
      const { values, state } = given(p);
      // Norms from 0 (a column that must stay zero) to about 3.
      const scales = Array.from({ length: restarts * cols }, (_, j) => (j % 4 === 3 ? 0 : (2.5 * r.uniform()) / Math.sqrt(rows)));
      const F = state(
        'F',
        rows,
        cols,
        normal(r, restarts * rows * cols).map((x, i) => x * scales[Math.floor(i / (rows * cols)) * cols + (i % cols)]),
      );
      const norms = state('G', cols, cols);
      p.section('all', () => {
        const G = p.gram(F);
        p.normalizeColumns(F, G, { cap: true });
        p.copy(G, norms);
      });
      return {
        values,
        compare: [
          { tensor: F, terms: rows + 8 },
          { tensor: norms, terms: rows },
        ],
      };
    },
    { restarts },
  ),
);

const pairs = [1, 3, 6].map((k) =>
  differential(
    `products of the entries of a row, k = ${k}`,
    (p, r) => {
      const { values, input, state } = given(p);
      const A = input('A', 13, k, normal(r, restarts * 13 * k));
      const out = state('out', 13, k * k);
      p.section('all', () => p.rowProducts(A, { into: out }));
      return { values, compare: [{ tensor: out, terms: 1 }] };
    },
    { restarts },
  ),
);

const directions = [false, true].map((rowMetric) =>
  differential(
    `direction of a step in its metric${rowMetric ? ', of rows too' : ''}, a unit and a row unused`,
    (p, r) => {
      const { values, input, state } = given(p);
      const [N, k] = [13, 6];
      const diagonal = (size: number, unused: number) =>
        uniform(0.5, 1.5)(r, restarts * size * size).map((x, i) => (i % (size * size) === unused * (size + 1) ? 0 : x));
      const D = input('D', N, k, normal(r, restarts * N * k));
      const Q = input('Q', k, k, diagonal(k, 2));
      const M = input('M', N, N, diagonal(N, 4));
      const out = state('out', N, k);
      p.section('all', () => p.metricScale(D, Q, { into: out, ...(rowMetric ? { M } : {}) }));
      return { values, compare: [{ tensor: out, terms: 6 }] };
    },
    { restarts },
  ),
);

export const vocabulary: Case[] = [
  everyFunction,
  ...mapped,
  ...shifts,
  ...crossEntropies,
  ...pools,
  ...taking,
  ...stepping,
  counting,
  ...roots,
  ...capping,
  ...pairs,
  ...directions,
];
