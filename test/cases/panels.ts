/**
 * Tensors larger than one binding. An engine that may bind a few KiB splits what others keep whole, so the same programs must give the
 * same values: within rounding where sums are cut, bit by bit where they are not.
 */
import { type Random, random } from '../../src/data/random.js';
import { control } from '../../src/graph/operations.js';
import { type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import { bindingLimit, planPanels } from '../../src/webgpu/panels/panels.js';
import { programs } from './programs.js';
import { ssnmf } from './ssnmf.js';
import { type Case, differential, type Entries, execute, expectClose, seedOf, signedEntries, uniformEntries } from './support.js';

/** A case on an engine that binds at most so many bytes. */
function within(bytes: number, { name, run, kernels }: Case): Case {
  const forced = { bindingBytes: bytes };
  return {
    name: `${name}, in bindings of ${bytes} bytes`,
    kernels: kernels && ((facts) => kernels({ ...facts, maxStorageBinding: bytes })),
    async run(stack) {
      const guarded = () => stack.guarded({ forced });
      await run.call(this, { ...stack, guarded, engine: await stack.engineWith({ forced }) });
    },
  };
}

interface Shape {
  rows: number;
  inner: number;
  cols: number;
}

const bytes = 10_240;

/** Of A, B and C that exceed 10 KiB some have panels of rows and some of columns, and each index is cut in one shape or another. */
const shapes: Shape[] = [
  { rows: 130, inner: 67, cols: 73 },
  { rows: 33, inner: 601, cols: 20 },
  { rows: 21, inner: 35, cols: 603 },
  { rows: 602, inner: 33, cols: 18 },
];

const both = [false, true];

function product(shape: Shape, transposeA: boolean, transposeB: boolean, epilogue: 'none' | 'add' | 'hadamard'): Case {
  const { rows, inner, cols } = shape;
  return differential(
    `product ${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'} ${rows}×${inner}×${cols} ${epilogue}`,
    (p, r) => {
      const A = p.input('A', transposeA ? inner : rows, transposeA ? rows : inner);
      const B = p.input('B', transposeB ? cols : inner, transposeB ? inner : cols, { batched: true });
      const E = p.input('E', rows, cols);
      const C = p.state('C', rows, cols);
      p.section('all', () => {
        p.matmul(transposeA ? T(A) : A, transposeB ? T(B) : B, {
          into: C,
          scale: 2,
          ...(epilogue === 'add' ? { add: E, addScale: -0.5 } : {}),
          ...(epilogue === 'hadamard' ? { hadamard: E } : {}),
        });
      });
      const values = new Map<Tensor, Entries>([A, B, E].map((t) => [t, signedEntries(r, t.rows * t.cols * t.batch)]));
      return { values, compare: [{ tensor: C, terms: inner + 2 }] };
    },
    { restarts: 2 },
  );
}

const products = shapes.flatMap((shape, n) =>
  both.flatMap((transposeA) =>
    both.map((transposeB, m) =>
      product(shape, transposeA, transposeB, (['none', 'add', 'hadamard'] as const)[(n + m + (transposeA ? 1 : 0)) % 3]),
    ),
  ),
);

/** The product is fused with the update that it is made for, and comes apart again where its sum is cut. */
function updating({ rows, inner, cols }: Shape): Case {
  return differential(
    `update by a product ${rows}×${inner}×${cols}`,
    (p, r) => {
      const A = p.input('A', rows, inner, { batched: true });
      const B = p.input('B', inner, cols);
      const E = p.input('E', rows, cols, { batched: true });
      const F = p.state('F', rows, cols);
      p.section('all', () => {
        p.multiplicativeUpdate(F, p.matmul(A, B), E);
      });
      const values = new Map<Tensor, Entries>([A, B, F].map((t) => [t, uniformEntries(r, t.rows * t.cols * t.batch)]));
      values.set(E, uniformEntries(r, rows * cols * 2).map((x) => x + 0.5) as Float32Array);
      return { values, compare: [{ tensor: F, terms: inner + 4 }] };
    },
    { restarts: 2 },
  );
}

/** One whose C is whole while its columns are cut, so that it goes through copies. */
const narrow: Shape = { rows: 4, inner: 33, cols: 602 };

/** Shapes that nobody chose, the same in every run. */
const ragged = Array.from({ length: 8 }, (_, n) => {
  const r = random(1000 + n);
  const shape = { rows: 1 + r.integer(120), inner: 1 + r.integer(120), cols: 1 + r.integer(120) };
  return product(shape, r.integer(2) === 1, r.integer(2) === 1, (['none', 'add', 'hadamard'] as const)[n % 3]);
});

const grams = [
  [261, 31, 'columns'],
  [31, 261, 'rows'],
  [31, 150, 'columns'],
  [150, 31, 'rows'],
].map(([rows, cols, of]) =>
  differential(
    `gram of ${of} ${rows}×${cols}`,
    (p, r) => {
      const A = p.input('A', Number(rows), Number(cols));
      const k = Number(of === 'columns' ? cols : rows);
      const G = p.state('G', k, k, { shared: true });
      p.section('all', () => p.gram(A, of as 'rows' | 'columns', { into: G }));
      return { values: new Map([[A, uniformEntries(r, A.rows * A.cols)]]), compare: [{ tensor: G, terms: (A.rows * A.cols) / k }] };
    },
    { restarts: 2 },
  ),
);

const sums = [
  [130, 67],
  [33, 301],
].flatMap(([N, M]) => [
  ...both.map((weighted) =>
    differential(
      `residual of ${N}×${M}${weighted ? ', weighted' : ''}`,
      (p, r) => {
        const values = new Map<Tensor, Entries>();
        const input = (label: string, rows: number, cols: number, batched: boolean) => {
          const tensor = p.input(label, rows, cols, { batched });
          values.set(tensor, uniformEntries(r, rows * cols * tensor.batch));
          return tensor;
        };
        const [X, A, Z, W] = [input('X', N, M, false), input('A', N, 5, true), input('Z', 5, M, true), input('W', N, M, false)];
        const out = p.state('out', 1, 1);
        p.section('all', () => p.residualNorm(X, A, Z, { into: out, ...(weighted ? { W } : {}) }));
        return { values, compare: [{ tensor: out, terms: 30 }] };
      },
      { restarts: 3 },
    ),
  ),
  differential(`sums and the maximum of ${N}×${M}`, (p, r) => {
    const X = p.input('X', N, M);
    const outs = (['sum', 'squares', 'maxAbs'] as const).map((of) => ({ of, out: p.state(of, 1, 1) }));
    p.section('all', () => {
      for (const { of, out } of outs) p.reduce(X, of, { into: out });
    });
    // Uniform numbers, so that the sum itself is the scale of its rounding.
    return {
      values: new Map([[X, uniformEntries(r, N * M)]]),
      compare: outs.map(({ out, of }) => ({ tensor: out, terms: of === 'maxAbs' ? 0 : 30 })),
    };
  }),
]);

type Inputs = (label: string, rows: number, cols: number, entries?: (r: Random, count: number) => Entries) => Tensor;

/** Operations that cut no sum: in panels they give the bits they give without. */
function exactly(
  name: string,
  limit: number,
  write: (p: ProgramBuilder, input: Inputs, state: Inputs) => Tensor[],
  { times = 1 }: { times?: number } = {},
): Case {
  return {
    name: `${name}, bit by bit in bindings of ${limit} bytes`,
    async run({ guarded }) {
      const r = random(seedOf(name));
      const p = programBuilder(name, { restarts: 2 });
      const values = new Map<Tensor, Entries>();
      const keep = (tensor: Tensor, entries: typeof uniformEntries = uniformEntries) => {
        values.set(tensor, entries(r, tensor.rows * tensor.cols * tensor.batch) as Float32Array);
        return tensor;
      };
      const compared = write(
        p,
        (label, rows, cols, entries) => keep(p.input(label, rows, cols), entries as typeof uniformEntries),
        (label, rows, cols, entries) => keep(p.state(label, rows, cols), entries as typeof uniformEntries),
      );
      const program = p.build();
      if (planPanels(program, bindingLimit({ maxStorageBinding: limit, maxBufferSize: limit })).size === 0)
        throw new Error('Nothing was split, so nothing was tested.');
      const [inPanels, plain] = await Promise.all([guarded({ forced: { bindingBytes: limit } }), guarded()]);
      const split = await execute(inPanels, program, values, compared, times);
      const whole = await execute(plain, program, values, compared, times);
      await inPanels.inspected();
      await plain.inspected();
      compared.forEach(({ name: label }, i) => {
        expectClose(label, split[i], whole[i], { terms: 0 });
      });
    },
  };
}

const controlEntries = () => {
  const row = (values: Record<number, number>) => Array.from({ length: control.length }, (_, i) => values[i] ?? 0);
  // In iteration 24 dead units are revived with hashed numbers, which must not know of panels.
  const shared = { [control.eta]: 0.5, [control.iteration]: 24 };
  return Float32Array.from([...row({ ...shared, [control.accepted]: 1 }), ...row(shared)]);
};

const entrywise = [
  [130, 67],
  [67, 301],
].map(([N, M]) =>
  exactly(`entrywise operations on ${N}×${M}`, 16_384, (p, input, state) => {
    const [X, Y, W] = ['X', 'Y', 'W'].map((label) => input(label, N, M));
    const c = state('control', 1, control.length, controlEntries);
    const y = input('y', 1, 1);
    const states = ['F', 'kept', 'A', 'V', 'B', 'first', 'second'].map((label) => state(label, N, M));
    const [F, kept, A, V, B, first, second] = states;
    const results = ['combined', 'product', 'mapped', 'shifted', 'copied'].map((label) => p.state(label, N, M, { shared: true }));
    const turned = p.state('turned', M, N, { shared: true });
    p.section('all', () => {
      p.combine(2, X, -0.5, Y, { into: results[0] });
      p.hadamard(X, Y, { into: results[1] });
      p.map('weightedProduct', [X, Y, W], { into: results[2] });
      p.shift(X, y, -2, { into: results[3] });
      p.copy(X, results[4]);
      p.transpose(X, { into: turned });
      p.multiplicativeUpdate(F, X, Y);
      p.keepAccepted(kept, X, c);
      p.momentumStep(A, V, X, { rate: 0.125, momentum: 0.9 });
      p.adamStep(B, [first, second], X, c, { rate: 0.01 });
    });
    return [...results, turned, ...states];
  }),
);

const tall = exactly('operations on the rows of 150×9', 10_240, (p, input, state) => {
  const dead = (r: Random, count: number) => uniformEntries(r, count).map((x, i) => (i % 20 === 10 ? 0 : x));
  const [A, D] = [state('A', 150, 9), input('D', 150, 9, signedEntries)];
  const Q = input('Q', 9, 9, dead);
  const M = input('M', 150, 150);
  const c = state('control', 1, control.length, controlEntries);
  const F = state('F', 150, 9);
  const stepped = p.state('stepped', 150, 9);
  const weighed = p.state('weighed', 150, 9, { shared: true });
  const pairs = p.state('pairs', 150, 81, { shared: true });
  p.section('all', () => {
    p.projectedStep(A, D, Q, c, { into: stepped, M, layer: 1 });
    p.metricScale(D, Q, { into: weighed, M });
    p.normalizeColumns(F, Q, { layer: 2 });
    p.rowProducts(D, { into: pairs });
  });
  return [stepped, weighed, F, pairs];
});

const taking = exactly(
  'mini-batches of 90×50',
  4096,
  (p, input, state) => {
    const X = input('X', 90, 50);
    const order = input('order', 1, 50, () => Float32Array.from({ length: 50 }, (_, i) => (7 * i) % 50));
    const c = state('control', 1, control.length, controlEntries);
    const out = p.state('out', 90, 13);
    p.section('all', () => {
      p.takeColumns(X, order, c, 13, { into: out });
      p.countIteration(p.reduce(order, 'sum'), c);
    });
    return [out];
  },
  { times: 3 },
);

const solving = both.map((perColumn) =>
  exactly(`solves of 300 columns${perColumn ? ', a Gram matrix for each' : ''}`, 4096, (p, input) => {
    const k = 4;
    const F = input('F', perColumn ? 7 : 9, k);
    const W = input('W', 7, 300);
    const B = input('B', k, 300);
    const g = input('g', k, 300, signedEntries);
    const S = p.state('S', k, 300, { shared: true });
    const outs = ['rounds', 'residual'].map((label) => p.state(label, 1, 300, { shared: true }));
    const beta = p.state('beta', k, 300, { shared: true });
    p.section('all', () => {
      // A product of few terms, none of which is cut.
      const G = perColumn ? p.matmul(T(p.rowProducts(F)), W) : p.gram(F);
      p.nnls(G, B, S, { warm: false, rounds: outs[0] });
      p.kktResidual(G, B, S, { into: outs[1] });
      p.maskedSolve(G, S, g, { into: beta });
    });
    return [S, ...outs, beta];
  }),
);

/** Two units of four are unused: what revives one must not depend on where panels begin. */
const sweeping = (['rows', 'columns'] as const).flatMap((of) =>
  both.map((perColumn) =>
    exactly(`sweeps of HALS over 300 ${of}${perColumn ? ', a Gram matrix for each' : ''}`, 4096, (p, input, state) => {
      const k = 4;
      const [rows, cols] = of === 'rows' ? [300, k] : [k, 300];
      const other = input('other', 7, k, (r, count) => uniformEntries(r, count).map((x, i) => (i % k < 2 ? x : 0)));
      const W = input('W', 7, 300);
      const B = input('B', rows, cols);
      const F = state('F', rows, cols);
      p.section('all', () => p.halsUpdate(F, perColumn ? p.matmul(T(p.rowProducts(other)), W) : p.gram(other), B, { of, layer: 1 }));
      return [F];
    }),
  ),
);

const columns = exactly('classes and pools of 300 columns', 4096, (p, input) => {
  const logits = input('logits', 5, 300, signedEntries);
  const Y = input('Y', 5, 300, () => Float32Array.from({ length: 1500 }, (_, i) => (Math.floor(i / 300) === i % 6 ? 1 : 0)));
  const outs = ['gradient', 'selector'].map((label) => p.state(label, 5, 300, { shared: true }));
  const loss = p.state('loss', 1, 300, { shared: true });
  const pooled = p.state('pooled', 3, 300, { shared: true });
  p.section('all', () => {
    const supervised = p.softmaxCrossEntropy(logits, Y);
    const pool = p.maxPool(logits, 2);
    p.copy(supervised.loss, loss);
    p.copy(supervised.gradient, outs[0]);
    p.copy(pool.pooled, pooled);
    p.copy(pool.selector, outs[1]);
  });
  return [...outs, loss, pooled];
});

/** Whole methods, against the reference in panels: X in 4 of them, and with weights every AS of every restart, too. */
const methods = [
  ...programs.filter(({ name }) => /^nmf|^hierarchical|^Neural NMF \[6,3\]/.test(name)),
  ...ssnmf.filter(({ name }) => /model [136]/.test(name)),
].map((one) => within(/weight|mask|model|never/.test(one.name) ? 10_240 : 4096, one));

export const panels: Case[] = [
  ...[...products, ...grams, ...sums].map((one) => within(bytes, one)),
  ...shapes.map((shape) => within(bytes, updating(shape))),
  ...[updating(narrow), product(narrow, false, false, 'hadamard'), product(narrow, true, true, 'add')].map((one) => within(20_480, one)),
  ...ragged.map((one) => within(16_384, one)),
  ...entrywise,
  tall,
  taking,
  ...solving,
  ...sweeping,
  columns,
  ...methods,
];
