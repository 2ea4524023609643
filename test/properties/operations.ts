/** For every operation: what may be drawn of shapes, restarts, scales, masks and options, and how far a device may be from the reference. */
import fc from 'fast-check';
import type { Random } from '../../src/data/random.js';
import type { SparseTensor } from '../../src/data/tensors.js';
import { control, type MapFunction, mapFunctions, type OperationKind } from '../../src/graph/operations.js';
import type { ProgramBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import type { Forced } from '../../src/webgpu/plan/planner.js';
import { simplexProblemOf } from '../cases/simplex.js';
import { dominant, problemOf, termsOf } from '../cases/solves.js';
import { type Entries, signedEntries, uniformEntries, type Written } from '../cases/support.js';
import { drawnTensor } from '../support/tensors.js';

export interface Drawn {
  restarts: number;
  rows: number;
  cols: number;
  inner: number;
  /** Unknowns: few values, for each is another kernel to compile. */
  k: number;
  /** Entries are multiplied by a power of two. */
  exponent: number;
  /** The second operand is the same for all restarts. */
  shared: boolean;
  flags: readonly [boolean, boolean, boolean];
  /** Chooses among the options of an operation. */
  option: number;
  seed: number;
}

export const drawn: fc.Arbitrary<Drawn> = fc.record({
  restarts: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 1, max: 40 }),
  cols: fc.integer({ min: 1, max: 70 }),
  inner: fc.integer({ min: 1, max: 80 }),
  k: fc.constantFrom(1, 2, 3, 6, 17, 33),
  exponent: fc.integer({ min: -20, max: 20 }),
  shared: fc.boolean(),
  flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  option: fc.nat(11),
  seed: fc.nat(),
});

/** Writes one operation and what it is given. */
type Property = (p: ProgramBuilder, r: Random, drawn: Drawn, have: Have) => Written['compare'];

interface Have {
  /** An operand for each restart, or for all. Entries are signed unless `make` says otherwise. */
  input(label: string, rows: number, cols: number, options?: { shared?: boolean; make?: Make; scale?: number }): Tensor;
  state(label: string, rows: number, cols: number, options?: { make?: Make; scale?: number }): Tensor;
  /** A tensor in coordinates with about as many entries, for all restarts. */
  tensor(label: string, shape: readonly number[], entries: number, scale?: number): Tensor;
  /** A state that only the operation writes. */
  out(label: string, rows: number, cols: number, inputs: readonly Tensor[]): Tensor;
}

type Make = (r: Random, count: number) => ArrayLike<number>;

const positive: Make = (r, count) => uniformEntries(r, count).map((x) => 0.1 + x);
const masked: Make = (r, count) => Float32Array.from({ length: count }, () => (r.uniform() < 0.3 ? 0 : 0.1 + r.uniform()));
const holes: Make = (r, count) => Float32Array.from({ length: count }, () => [-0, 0, r.normal()][Math.floor(3 * r.uniform())]);
const ones: Make = (r, count) => Float32Array.from({ length: count }, () => Math.round(r.uniform()));
/** Signed entries are below this in all draws that a test ever makes. */
const tail = 6;

/** Control rows with numbers of their own for each restart. */
function controls(values: Partial<Record<keyof typeof control, (r: Random) => number>>): Make {
  return (r, count) =>
    Float32Array.from({ length: count }, (_, at) => {
      const name = (Object.keys(control) as (keyof typeof control)[]).find((one) => control[one] === at % control.length);
      return (name && values[name]?.(r)) ?? 0;
    });
}

const near = (tensor: Tensor, terms: number, scale?: number) => [{ tensor, terms, ...(scale === undefined ? {} : { scale }) }];
const simpleMaps = ['affine', 'positive', 'negative', 'weightedProduct'] as const satisfies MapFunction[];

/** Two to six modes of odd and even sizes, one of them 1. */
function modes(rows: number, option: number): number[] {
  return Array.from({ length: 2 + (option % 5) }, (_, n) => (n === option % 3 ? 1 + (rows % 9) : 1 + ((rows + 3 * n) % 6)));
}

/** Operations that go by the stored entries of X have differential cases of their own, test/cases/sparse.ts. */
export type DrawnKind = Exclude<
  OperationKind,
  | 'quotientProduct'
  | 'quotientUpdate'
  | 'divergenceAtEntries'
  | 'sampledProduct'
  | 'residualAtEntries'
  | 'poweredProduct'
  | 'betaDivergenceAtEntries'
>;

export const properties: Record<DrawnKind, Property> = {
  combine(p, _r, { rows, cols, shared, exponent }, { input, out }) {
    const scale = 2 ** exponent;
    const [X, Y] = [input('X', rows, cols, { scale }), input('Y', rows, cols, { shared, scale })];
    return near(p.combine(2, X, -0.75, Y, { into: out('out', rows, cols, [X, Y]) }), 2, 3 * tail * scale);
  },

  hadamard(p, _r, { rows, cols, shared, exponent }, { input, out }) {
    const [X, Y] = [input('X', rows, cols, { scale: 2 ** exponent }), input('Y', rows, cols, { shared })];
    return near(p.hadamard(X, Y, { into: out('out', rows, cols, [X, Y]) }), 1);
  },

  seen(p, _r, { rows, cols, shared }, { input, out }) {
    const X = input('X', rows, cols, { make: holes, shared });
    return near(p.seen(X, { into: out('out', rows, cols, [X]) }), 0);
  },

  copy(p, _r, { rows, cols, exponent }, { input, out }) {
    const X = input('X', rows, cols, { scale: 2 ** exponent });
    const to = out('out', rows, cols, [X]);
    p.copy(X, to);
    return near(to, 0);
  },

  allReduce(p, _r, { rows, cols, shared, option }, { input, out }) {
    const X = input('X', rows, cols, { shared });
    return near(p.allReduce(X, option % 2 === 0 ? 'sum' : 'max', { into: out('out', rows, cols, [X]) }), 0);
  },

  map(p, _r, { rows, cols, exponent, option }, { input, out }) {
    const fn = simpleMaps[option % simpleMaps.length];
    const makes: (Make | undefined)[] = [undefined, masked, ones];
    const tensors = makes
      .slice(0, mapFunctions[fn].arity)
      .map((make, i) => input('xyw'[i], rows, cols, i === 0 ? { scale: 2 ** exponent } : { make }));
    // Sums and products of two terms of the size of x.
    const scale = 2 ** exponent * tail * 8 + 1;
    return near(p.map(fn, tensors, { p: 0.125, q: 0.25, into: out('out', rows, cols, tensors) }), 1, scale);
  },

  shift(p, _r, { rows, cols, exponent }, { input, out }) {
    const scale = 2 ** exponent;
    const [X, y] = [input('X', rows, cols, { scale }), input('y', 1, 1, { scale })];
    return near(p.shift(X, y, -1.5, { into: out('out', rows, cols, [X, y]) }), 2, 3 * tail * scale);
  },

  transpose(p, _r, { rows, cols, exponent }, { input, out }) {
    const X = input('X', rows, cols, { scale: 2 ** exponent });
    return near(p.transpose(X, { into: out('out', cols, rows, [X]) }), 0);
  },

  rowProducts(p, _r, { rows, k, exponent }, { input, out }) {
    const A = input('A', rows, k, { scale: 2 ** exponent });
    return near(p.rowProducts(A, { into: out('out', rows, k * k, [A]) }), 1);
  },

  khatriRao(p, _r, { rows, inner, k, exponent, shared }, { input, out }) {
    const [A, B] = [input('A', rows, k, { scale: 2 ** exponent }), input('B', inner, k, { shared })];
    return near(p.khatriRao(A, B, { into: out('out', rows * inner, k, [A, B]) }), 1);
  },

  powerProduct(p, _r, { rows, inner, k, shared, option }, { input, out }) {
    const [L, D] = [input('L', rows, k, { make: positive }), input('D', inner, k, { shared, make: positive })];
    const exponent = [-1.5, -0.5, 0.5, 1.5][option % 4];
    // A power carries the rounding of k terms, and that of a logarithm below 8.
    return near(p.powerProduct(L, D, { p: exponent, q: 2 ** -30, into: out('out', rows, k, [L, D]) }), 8 * (k + inner));
  },

  contract(p, _r, { rows, inner, k, exponent, shared, flags: [first] }, { input, out }) {
    const [X, F] = [input('X', rows * inner, k, { shared }), input('F', inner, k, { scale: 2 ** exponent })];
    const into = out('out', rows, k, [X, F]);
    return near(p.contract(X, F, first ? 'first' : 'last', { into }), inner, tail * tail * 2 ** exponent);
  },

  mttkrp(p, _r, { rows, inner, k, exponent, shared, option }, { input, tensor, out }) {
    const shape = modes(rows, option);
    const X = tensor('X', shape, inner, 2 ** exponent);
    const F = shape.map((size, n) => input(`F${n}`, size, k, { shared: shared && n === 0 }));
    const mode = option % shape.length;
    const into = out('out', shape[mode], k, [X, ...F.filter((_, m) => m !== mode)]);
    return near(p.mttkrp(X, F, mode, { into }), X.entries + shape.length, tail ** shape.length * 2 ** exponent);
  },

  storedResidual(p, _r, { rows, inner, k, shared, option }, { input, tensor, out }) {
    const shape = modes(rows, option);
    const X = tensor('X', shape, inner);
    const F = shape.map((size, n) => input(`F${n}`, size, k, { shared: shared && n === 0, scale: 0.25 }));
    const scale = (tail + k * (tail / 4) ** shape.length) ** 2;
    return near(
      p.storedResidual(X, F, { into: out('out', 1, 1, [X, ...F]) }),
      X.entries + k + shape.length,
      scale * Math.sqrt(X.entries + 1),
    );
  },

  takeColumns(p, _r, { rows, cols, option, shared }, { input, state, out }) {
    const X = input('X', rows, cols, { shared });
    // Any list of columns will do.
    const order = input('order', 1, cols, { make: (r, count) => Float32Array.from({ length: count }, () => r.integer(cols)) });
    const c = state('control', 1, control.length, { make: controls({ iteration: (r) => r.integer(1000) }) });
    const count = 1 + (option % cols);
    return near(p.takeColumns(X, order, c, count, { into: out('out', rows, count, [X, order, c]) }), 0);
  },

  matmul(p, _r, { rows, cols, inner, shared, flags: [transposeA, transposeB], option, exponent }, { input, out }) {
    const scale = 2 ** exponent;
    const A = input('A', transposeA ? inner : rows, transposeA ? rows : inner, { scale });
    const B = input('B', transposeB ? cols : inner, transposeB ? inner : cols, { shared });
    const E = input('E', rows, cols, { shared: true, scale: option % 3 === 1 ? scale : 1 });
    const epilogue = [{}, { add: E, addScale: -0.5 }, { hadamard: E }][option % 3];
    const into = out('C', rows, cols, [A, B]);
    p.matmul(transposeA ? T(A) : A, transposeB ? T(B) : B, { into, ...epilogue });
    return near(into, inner + 2, (inner * tail + 1) * tail ** 2 * scale);
  },

  gram(p, _r, { k, inner, flags: [ofRows], exponent }, { input, out }) {
    const A = input('A', ofRows ? k : inner, ofRows ? inner : k, { scale: 2 ** exponent });
    return near(p.gram(A, ofRows ? 'rows' : 'columns', { into: out('G', k, k, [A]) }), inner);
  },

  residualNorm(p, _r, { rows, cols, inner, flags: [weighted], exponent }, { input, out }) {
    const scale = 2 ** exponent;
    const k = 1 + (inner % 20);
    const X = input('X', rows, cols, { shared: true, scale });
    const [A, Z] = [input('A', rows, k, { scale }), input('Z', k, cols)];
    const W = input('W', rows, cols, { shared: true, make: ones });
    const into = out('out', 1, 1, [X, A, Z]);
    p.residualNorm(X, A, Z, { into, ...(weighted ? { W } : {}) });
    // Squares of entries that are sums of k + 1 terms, added up.
    return near(into, rows * cols + 4 * (k + 1), rows * cols * (tail + k * tail ** 2) ** 2 * scale ** 2);
  },

  nnls(p, r, { k, cols, restarts, flags: [perColumn, warm] }, { input, state }) {
    const { G, B } = problemOf(r, { k, cols, restarts, perColumn });
    const S = state('S', k, cols, { make: masked });
    p.nnls(input('G', perColumn ? k * k : k, perColumn ? cols : k, { make: () => G }), input('B', k, cols, { make: () => B }), S, { warm });
    return near(S, termsOf(k), 1.1);
  },

  kktResidual(p, r, { k, cols, restarts, flags: [perColumn] }, { input, out }) {
    const problem = problemOf(r, { k, cols, restarts, perColumn });
    const G = input('G', perColumn ? k * k : k, perColumn ? cols : k, { make: () => problem.G });
    const [B, S] = [input('B', k, cols, { make: () => problem.B }), input('S', k, cols, { make: masked })];
    // Gs and b are below 5 here; the residual is relative to the largest b, at least 0.1.
    return near(p.kktResidual(G, B, S, { into: out('out', 1, cols, [G, B, S]) }), k + 4, 50);
  },

  maskedSolve(p, r, { k, cols, restarts, flags: [perColumn] }, { input, out }) {
    const { G: g } = problemOf(r, { k, cols, restarts, perColumn });
    const G = input('G', perColumn ? k * k : k, perColumn ? cols : k, { make: () => g });
    const [S, right] = [input('S', k, cols, { make: masked }), input('g', k, cols)];
    return near(p.maskedSolve(G, S, right, { into: out('beta', k, cols, [G, S, right]) }), termsOf(k), 2 * tail);
  },

  simplex(p, r, { k, cols, restarts, flags: [perColumn, warm] }, { input, state }) {
    const { G, B } = simplexProblemOf(r, { k, cols, restarts, perColumn });
    const S = state('S', k, cols, { make: masked });
    p.simplex(input('G', perColumn ? k * k : k, perColumn ? cols : k, { make: () => G }), input('B', k, cols, { make: () => B }), S, {
      warm,
    });
    return near(S, termsOf(k), 1.1);
  },

  logDet(p, r, { k, restarts }, { input, out }) {
    const make: Make = () => Float32Array.from(Array.from({ length: restarts }, () => [...dominant(r, k, 1)]).flat(), (g) => 3 * g);
    const G = input('G', k, k, { make });
    return near(p.logDet(G, { into: out('out', 1, 1, [G]) }), k * k, Math.log(4.5) * k);
  },

  reduce(p, _r, { rows, cols, exponent, option }, { input, out }) {
    const of = (['sum', 'squares', 'maxAbs'] as const)[option % 3];
    const X = input('X', rows, cols, { scale: 2 ** exponent, make: of === 'sum' ? positive : undefined });
    return near(p.reduce(X, of, { into: out('out', 1, 1, [X]) }), of === 'maxAbs' ? 0 : rows * cols);
  },

  softmaxCrossEntropy(p, _r, { rows, cols, option }, { input, out }) {
    const logits = input('logits', rows, cols, { scale: [1, 10, 200][option % 3] });
    const Y = input('Y', rows, cols, {
      shared: true,
      make: (r, count) => {
        const classes = Array.from({ length: cols }, () => r.integer(rows + 1));
        return Float32Array.from({ length: count }, (_, i) => (classes[i % cols] === Math.floor(i / cols) ? 1 : 0));
      },
    });
    const both = p.softmaxCrossEntropy(logits, Y);
    const loss = out('loss', 1, cols, [logits, Y]);
    const gradient = out('gradient', rows, cols, [logits, Y]);
    p.copy(both.loss, loss);
    p.copy(both.gradient, gradient);
    // As in test/cases/vocabulary: a few units for each class, and the rounding of logits up to 1200 and of their differences.
    const units = (4 * rows + 9 + 4 * 1200) / 4;
    return [...near(loss, 1, units), ...near(gradient, 1, units)];
  },

  maxPool(p, _r, { rows, cols, option }, { input, out }) {
    const S = input('S', rows, cols, { make: (r, count) => signedEntries(r, count).map((x) => Math.round(2 * x)) });
    const size = 1 + (option % rows);
    const both = p.maxPool(S, size);
    const pooled = out('pooled', Math.ceil(rows / size), cols, [S]);
    const selector = out('selector', rows, cols, [S]);
    p.copy(both.pooled, pooled);
    p.copy(both.selector, selector);
    return [...near(pooled, 0), ...near(selector, 0)];
  },

  multiplicativeUpdate(p, _r, { rows, cols, exponent }, { input, state }) {
    const F = state('F', rows, cols, { make: masked });
    const scale = 2 ** exponent;
    p.multiplicativeUpdate(
      F,
      input('numerator', rows, cols, { make: masked, scale }),
      input('denominator', rows, cols, { make: positive, scale }),
    );
    return near(F, 4);
  },

  halsUpdate(p, r, { k, cols, restarts, flags: [ofRows, perColumn] }, { input, state }) {
    const shape = ofRows ? ([cols, k] as const) : ([k, cols] as const);
    const count = perColumn ? cols : 1;
    const g = Array.from({ length: restarts }, () => Array.from(dominant(r, k, count))).flat();
    const G = input('G', perColumn ? k * k : k, perColumn ? cols : k, { make: () => g });
    const F = state('F', ...shape, { make: masked });
    p.halsUpdate(F, G, input('B', ...shape), { of: ofRows ? 'rows' : 'columns', layer: 1 });
    // Rounding of a sum of k + 1 terms below 2 tail, which reaches later entries by at most half of it.
    return near(F, 4 * (k + 1), 2 * tail);
  },

  projectedStep(p, _r, { rows, cols, flags: [rowMetric, reviving] }, { input, state, out }) {
    const k = 1 + (cols % 20);
    const [A, D] = [input('A', rows, k, { make: masked }), input('D', rows, k)];
    const Q = input('Q', k, k, { make: masked });
    const M = input('M', rows, rows, { make: positive });
    const c = state('control', 1, control.length, {
      make: controls({ eta: (r) => 0.1 + r.uniform(), iteration: () => (reviving ? 24 : 3) }),
    });
    const into = out('out', rows, k, [A, D, Q, c, M]);
    p.projectedStep(A, D, Q, c, { into, layer: 1, ...(rowMetric ? { M } : {}) });
    return near(into, 6, (1 + 1.1 * tail) / (2 * 0.1 * 0.1));
  },

  metricScale(p, _r, { rows, cols, flags: [rowMetric], exponent }, { input, out }) {
    const k = 1 + (cols % 20);
    const [D, Q] = [input('D', rows, k, { scale: 2 ** exponent }), input('Q', k, k, { make: masked })];
    const M = input('M', rows, rows, { make: masked });
    const into = out('out', rows, k, [D, Q, M]);
    p.metricScale(D, Q, { into, ...(rowMetric ? { M } : {}) });
    return near(into, 6);
  },

  acceptReject(p, _r, _drawn, { input, state }) {
    const c = state('control', 1, control.length, {
      make: controls({ eta: (r) => 2 ** (40 * r.uniform() - 20), cost: (r) => r.uniform(), iteration: (r) => r.integer(1000) }),
    });
    p.acceptReject(input('cost', 1, 1, { make: positive }), c);
    return near(c, 2);
  },

  keepAccepted(p, _r, { rows, cols }, { input, state }) {
    const c = state('control', 1, control.length, { make: controls({ accepted: (r) => r.integer(2) }) });
    const kept = ['one', 'two', 'three', 'four'].map((label, i) => {
      const of = state(label, rows + i, cols);
      p.keepAccepted(of, input(`trial ${label}`, rows + i, cols), c);
      return of;
    });
    return kept.flatMap((tensor) => near(tensor, 0));
  },

  momentumStep(p, _r, { rows, cols, flags: [free] }, { input, state }) {
    const [A, V] = [state('A', rows, cols, { make: masked }), state('V', rows, cols)];
    p.momentumStep(A, V, input('D', rows, cols), { rate: 0.125, momentum: 0.9, free });
    return [...near(A, 4, 2 * tail), ...near(V, 4, 2 * tail)];
  },

  adamStep(p, _r, { rows, cols, flags: [free] }, { input, state }) {
    // A second moment of at least 0.1 under first ones up to 1.1: m̂ / √v̂ stays below 6, a step below 0.06.
    const [A, first] = ['A', 'first'].map((label) => state(label, rows, cols, { make: masked }));
    const second = state('second', rows, cols, { make: positive });
    const c = state('control', 1, control.length, { make: controls({ iteration: (r) => 100 + r.integer(900) }) });
    p.adamStep(A, [first, second], input('D', rows, cols), c, { rate: 0.01, free });
    // 0.999^t is off by 10 units, which is 100 of 1 − 0.999^100; 1 − 0.999 of a constant that was rounded by 250, of 0.001 d².
    return [...near(A, 1, 1.1 + 0.06 * 100), ...near(first, 8, tail), ...near(second, 1, 2 + 250 * 0.001 * tail ** 2)];
  },

  countIteration(p, _r, _drawn, { input, state }) {
    const c = state('control', 1, control.length, { make: controls({ iteration: (r) => r.integer(1e6) }) });
    p.countIteration(input('cost', 1, 1), c);
    return near(c, 0);
  },

  normalizeColumns(p, _r, { rows, cols, flags: [cap] }, { input, state }) {
    const k = 1 + (cols % 20);
    const F = state('F', rows, k);
    p.normalizeColumns(F, input('G', k, k, { make: masked }), { layer: 2, cap });
    return near(F, 4, tail / Math.sqrt(0.1));
  },
};

/** Choices of kernels that an operation may be forced to. */
export function forcedOf(kind: DrawnKind, { option, k }: Drawn): Forced | undefined {
  if (kind === 'matmul' || kind === 'gram') {
    const matmul = [undefined, 'register', 'quad-rows', 'quad-columns'] as const;
    return { matmul: matmul[option % 4], ...(option > 5 ? { splits: 3 } : {}) };
  }
  const solves: readonly OperationKind[] = ['nnls', 'maskedSolve', 'simplex', 'logDet', 'halsUpdate'];
  if (!solves.includes(kind)) return undefined;
  return ([undefined, { spill: false }, { spill: true, spillBytes: 8 * k * (k + 1) }, { pivots: 1 }, { group: true }] as const)[option % 5];
}

/** The program of a draw and what it is given, as a differential case writes it. */
export function written(kind: DrawnKind, one: Drawn) {
  return (p: ProgramBuilder, r: Random): Written => {
    const values = new Map<Tensor, Entries | SparseTensor>();
    const fill = (tensor: Tensor, { make = signedEntries, scale = 1 }: { make?: Make; scale?: number } = {}) => {
      values.set(
        tensor,
        Float32Array.from(make(r, tensor.rows * tensor.cols * tensor.batch), (x) => scale * x),
      );
      return tensor;
    };
    const have: Have = {
      input: (label, rows, cols, { shared = false, ...how } = {}) => fill(p.input(label, rows, cols, { batched: !shared }), how),
      tensor(label, shape, count, scale = 1) {
        const X = drawnTensor(r, { shape, entries: count });
        const of = p.dataTensor(label, shape, { cooEntries: X.values.length });
        values.set(of, { ...X, values: X.values.map((x) => scale * x) });
        return of;
      },
      state: (label, rows, cols, how) => fill(p.state(label, rows, cols), how),
      out: (label, rows, cols, inputs) => p.state(label, rows, cols, { shared: inputs.every(({ batch }) => batch === 1) }),
    };
    let compare: Written['compare'] = [];
    p.section('all', () => {
      compare = properties[kind](p, r, one, have);
    });
    return { values, compare };
  };
}
