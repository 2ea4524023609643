import { T, type Tensor } from '../../src/graph/tensor.js';
import type { MatmulAlgorithm } from '../../src/webgpu/plan/planner.js';
import { type Case, differential, type Entries, signedEntries, uniformEntries } from './support.js';

interface Shape {
  rows: number;
  inner: number;
  cols: number;
}

const shapes: Shape[] = [
  { rows: 1, inner: 1, cols: 1 },
  { rows: 7, inner: 3, cols: 5 },
  { rows: 9, inner: 87, cols: 90 },
  { rows: 17, inner: 33, cols: 65 },
  { rows: 130, inner: 66, cols: 67 },
];

function product(
  shape: Shape,
  transposeA: boolean,
  transposeB: boolean,
  algorithm: MatmulAlgorithm,
  options: {
    splits?: number;
    restarts?: number;
    epilogue?: 'add' | 'hadamard';
    /** Blocks of a tile. */
    blocks?: [number, number];
    /** The operand that all restarts share. */
    shared?: 'A' | 'B';
    /** Operands that the restarts share are the data of a fit, whose rows have a pitch of their own on hardware. */
    data?: boolean;
    /** They are stored as 16-bit floats. */
    half?: boolean;
  } = {},
): Case {
  const { rows, inner, cols } = shape;
  const { splits = 1, restarts = 1, epilogue, blocks, shared = 'A', half = false, data = half } = options;
  const name = `matmul ${algorithm}${blocks ? ` ${blocks.join('×')}` : ''}${shared === 'B' ? ' shared B' : ''} ${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'} ${rows}×${inner}×${cols}${splits > 1 ? ` splits ${splits}` : ''}${restarts > 1 ? ` restarts ${restarts}` : ''}${epilogue ? ` ${epilogue}` : ''}${half ? ' halves' : data ? ' of data' : ''}`;
  return differential(
    name,
    (p, r) => {
      const values = new Map<Tensor, Entries>();
      // One operand is shared, the other differs between restarts: both ways of reading a batch in one product.
      // Only data of a fit are stored in a way of their own, and all restarts share them.
      const operand = (label: 'A' | 'B', r: number, c: number) =>
        data && (restarts === 1 || shared === label) ? p.data(label, r, c) : p.input(label, r, c, { batched: shared !== label });
      const A = operand('A', transposeA ? inner : rows, transposeA ? rows : inner);
      const B = operand('B', transposeB ? cols : inner, transposeB ? inner : cols);
      // A factor of each restart, or an addend of all.
      const E = p.input('E', rows, cols, { batched: epilogue === 'hadamard' });
      values.set(A, signedEntries(r, rows * inner * A.batch));
      values.set(B, signedEntries(r, inner * cols * B.batch));
      values.set(E, signedEntries(r, rows * cols * E.batch));
      const C = p.state('C', rows, cols);
      p.section('all', () => {
        p.matmul(transposeA ? T(A) : A, transposeB ? T(B) : B, {
          into: C,
          ...(epilogue === 'add' ? { add: E, addScale: -0.5, scale: 2 } : {}),
          ...(epilogue === 'hadamard' ? { hadamard: E } : {}),
        });
      });
      return { values, compare: [{ tensor: C, terms: inner + 1 }] };
    },
    { restarts, forced: { matmul: algorithm, splits, blocks }, halfInputs: half },
  );
}

const both = [false, true];
const plain = shapes.flatMap((shape) =>
  both.flatMap((transposeA) => both.map((transposeB) => product(shape, transposeA, transposeB, 'register'))),
);
// Kernels with barriers take a software adapter half a second to compile, so the tiled variant gets fewer shapes, all of them ragged.
const tiled = both.flatMap((transposeA) =>
  both.map((transposeB) => product({ rows: 130, inner: 67, cols: 73 }, transposeA, transposeB, 'tiled')),
);
/**
 * The tiles that hardware takes by the role of a product, none of which divides its shape, and a tile with 2×2 blocks an invocation. Barriers
 * are slow to compile, so most run on one stack. */
const staged = [
  product({ rows: 9, inner: 87, cols: 150 }, true, false, 'tiled', { restarts: 3, shared: 'B' }),
  product({ rows: 34, inner: 200, cols: 135 }, true, false, 'tiled', { splits: 3, epilogue: 'add' }),
  product({ rows: 87, inner: 90, cols: 9 }, false, true, 'tiled', { restarts: 2, splits: 2, epilogue: 'hadamard' }),
  product({ rows: 70, inner: 77, cols: 50 }, false, true, 'tiled'),
  product({ rows: 18, inner: 70, cols: 90 }, false, true, 'tiled', { restarts: 2, shared: 'B' }),
  product({ rows: 5, inner: 5, cols: 150 }, false, false, 'tiled', { restarts: 2, epilogue: 'add' }),
  product({ rows: 150, inner: 9, cols: 9 }, false, false, 'tiled'),
  product({ rows: 130, inner: 33, cols: 140 }, true, false, 'tiled', { blocks: [32, 32] }),
  product({ rows: 1, inner: 1, cols: 1 }, false, false, 'tiled', { blocks: [1, 1], restarts: 2 }),
].map((own, i) => ({ ...own, once: i > 2 }));
const variants = (['register', 'tiled'] as const).flatMap((algorithm) => [
  product({ rows: 6, inner: 333, cols: 11 }, true, false, algorithm, { splits: 4, restarts: 3 }),
  product({ rows: 66, inner: 101, cols: 70 }, false, false, algorithm, { restarts: 2, epilogue: 'add' }),
  product({ rows: 5, inner: 200, cols: 9 }, false, true, algorithm, { splits: 3, restarts: 2, epilogue: 'hadamard' }),
]);

/** An update fused into its numerator: X Sᵀ (or a product of that form) divided by a denominator near zero, where ε and E both tell. */
function updating(algorithm: MatmulAlgorithm, splits: number): Case {
  const [rows, inner, cols] = [37, 203, 11];
  return differential(
    `matmul ${algorithm} that updates, splits ${splits}`,
    (p, r) => {
      const X = p.input('X', rows, inner);
      const S = p.input('S', cols, inner, { batched: true });
      const E = p.input('E', rows, cols, { batched: true });
      const F = p.state('F', rows, cols);
      const values = new Map<Tensor, Entries>();
      for (const tensor of [X, S, E, F]) values.set(tensor, uniformEntries(r, tensor.rows * tensor.cols * tensor.batch));
      p.section('all', () => p.multiplicativeUpdate(F, p.matmul(X, T(S)), E));
      // Entries of E near zero make large quotients: the rounding of those is what counts.
      return { values, compare: [{ tensor: F, terms: inner + 3 }] };
    },
    { restarts: 2, forced: { matmul: algorithm, splits } },
  );
}

const updates = [
  updating('register', 1),
  updating('register', 4),
  updating('quad-rows', 1),
  updating('quad-columns', 2),
  updating('tiled', 1),
  updating('tiled', 3),
];

function gram(rows: number, cols: number, of: 'columns' | 'rows', splits?: number, algorithm?: MatmulAlgorithm): Case {
  return differential(
    `gram of ${of} ${rows}×${cols} ${algorithm ?? 'planned'}${splits ? ` splits ${splits}` : ''}`,
    (p, r) => {
      const A = p.input('A', rows, cols, { batched: true });
      const k = of === 'columns' ? cols : rows;
      const G = p.state('G', k, k);
      p.section('all', () => p.gram(A, of, { into: G }));
      return {
        values: new Map([[A, uniformEntries(r, rows * cols * 2)]]),
        compare: [{ tensor: G, terms: of === 'columns' ? rows : cols }],
      };
    },
    { restarts: 2, forced: { ...(algorithm ? { matmul: algorithm } : {}), ...(splits ? { splits } : {}) } },
  );
}

/**
 * Small products that share dispatches, as on hardware: products that add a product (two terms), that add a tensor, Gram matrices, sums
 * without a product, with tensors that the restarts share, in every orientation.
 */
function together(transposeA: boolean, transposeB: boolean, { rows, inner, cols }: Shape): Case {
  return differential(
    `matmul together ${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'} ${rows}×${inner}×${cols}`,
    (p, r) => {
      const values = new Map<Tensor, Entries>();
      const input = (label: string, [n, m]: readonly [number, number], batched: boolean) => {
        const tensor = p.input(label, n, m, { batched });
        values.set(tensor, signedEntries(r, n * m * tensor.batch));
        return tensor;
      };
      const sizeOf = (n: number, m: number, turned: boolean) => (turned ? ([m, n] as const) : ([n, m] as const));
      const A = input('A', sizeOf(rows, inner, transposeA), true);
      const B = input('B', sizeOf(inner, cols, transposeB), false);
      const D = input('D', sizeOf(rows, inner + 5, transposeB), false);
      const F = input('F', sizeOf(inner + 5, cols, transposeA), true);
      const E = input('E', [rows, cols], false);
      const [sum, added, gram, combined] = (
        [
          ['sum', rows, cols],
          ['added', rows, cols],
          ['gram', A.cols, A.cols],
          ['combined', rows, cols],
        ] as const
      ).map(([label, n, m]) => p.state(label, n, m));
      const last = p.state('last', rows, rows, { shared: true });
      const turned = (tensor: Tensor, transpose: boolean) => (transpose ? T(tensor) : tensor);
      p.section('all', () => {
        const first = p.matmul(turned(A, transposeA), turned(B, transposeB), { scale: 2, add: E, addScale: -0.5 });
        p.matmul(turned(D, transposeB), turned(F, transposeA), { scale: -1, add: first, addScale: 0.25, into: sum });
        p.matmul(turned(A, transposeA), turned(B, transposeB), { scale: -3, add: E, into: added });
        p.gram(A, 'columns', { into: gram });
        p.combine(1.5, sum, -1, E, { into: combined });
        p.matmul(E, T(E), { into: last });
      });
      const terms = 2 * inner + 9;
      const products = [sum, added, combined].map((tensor) => ({ tensor, terms }));
      return { values, compare: [...products, { tensor: gram, terms: A.rows }, { tensor: last, terms: cols }] };
    },
    { restarts: 3, forced: { together: true } },
  );
}

/** Sums and maxima that one workgroup folds: partly idle, and with several entries an invocation. */
function folded(of: 'sum' | 'squares' | 'maxAbs', rows: number, cols: number): Case {
  return differential(
    `reduce ${of} together ${rows}×${cols}`,
    (p, r) => {
      const X = p.input('X', rows, cols, { batched: true });
      const out = p.state('out', 1, 1);
      p.section('all', () => p.reduce(X, of, { into: out }));
      const values = (of === 'sum' ? uniformEntries : signedEntries)(r, rows * cols * 3);
      return { values: new Map([[X, values]]), compare: [{ tensor: out, terms: of === 'maxAbs' ? 0 : rows * cols }] };
    },
    { restarts: 3, forced: { together: true } },
  );
}

const joined = [
  ...both.flatMap((transposeA) =>
    both.flatMap((transposeB) => [
      together(transposeA, transposeB, { rows: 7, inner: 13, cols: 5 }),
      together(transposeA, transposeB, { rows: 9, inner: 30, cols: 18 }),
    ]),
  ),
  together(false, true, { rows: 1, inner: 1, cols: 1 }),
  folded('sum', 67, 5),
  folded('squares', 33, 90),
  folded('maxAbs', 35, 61),
  folded('sum', 127, 127),
];

/** Tiles such as the planner of a software adapter chooses, with shared sides that divide nothing here. */
const tiles: { algorithm: MatmulAlgorithm; blocks: [number, number] }[] = [
  { algorithm: 'register', blocks: [2, 2] },
  { algorithm: 'quad-rows', blocks: [3, 1] },
  { algorithm: 'quad-rows', blocks: [4, 2] },
  { algorithm: 'quad-columns', blocks: [1, 4] },
  { algorithm: 'quad-columns', blocks: [2, 5] },
  { algorithm: 'quad-rows', blocks: [7, 2] },
  { algorithm: 'quad-columns', blocks: [1, 1] },
];
const blocked = tiles.flatMap(({ algorithm, blocks }) => [
  ...both.flatMap((transposeA) =>
    both.map((transposeB) => product({ rows: 21, inner: 39, cols: 75 }, transposeA, transposeB, algorithm, { blocks })),
  ),
  product({ rows: 9, inner: 87, cols: 90 }, true, false, algorithm, { blocks, restarts: 5, shared: 'B' }),
  product({ rows: 87, inner: 90, cols: 9 }, false, true, algorithm, { blocks, restarts: 5 }),
  product({ rows: 1, inner: 2, cols: 1 }, false, false, algorithm, { blocks, restarts: 2 }),
  product({ rows: 3, inner: 9, cols: 5 }, true, false, algorithm, { blocks, restarts: 9, shared: 'B' }),
  product({ rows: 5, inner: 9, cols: 3 }, false, true, algorithm, { blocks, restarts: 9 }),
  product({ rows: 17, inner: 203, cols: 10 }, true, false, algorithm, { blocks, restarts: 3, splits: 4, epilogue: 'add' }),
  product({ rows: 34, inner: 50, cols: 6 }, false, true, algorithm, { blocks, restarts: 2, shared: 'B', epilogue: 'hadamard' }),
]);

/** Rows that hardware pads to whole lines of 128 bytes, none of which they fill: of 32 entries, or of 64 halves. */
const pitched = [
  ...both.flatMap((half) => [
    product({ rows: 9, inner: 47, cols: half ? 261 : 133 }, true, false, 'tiled', { restarts: 2, shared: 'B', data: true, half }),
    product({ rows: 67, inner: half ? 259 : 131, cols: 9 }, false, true, 'tiled', { data: true, half }),
  ]),
  ...both.map((half) =>
    differential(
      `residual norm of data${half ? ' in halves' : ''}, tiled`,
      (p, r) => {
        const cols = half ? 263 : 135;
        const [X, A, Z] = [p.data('X', 37, cols), p.state('A', 37, 5), p.state('Z', 5, cols)];
        const out = p.state('out', 1, 1);
        p.section('all', () => p.residualNorm(X, A, Z, { into: out }));
        const values = new Map<Tensor, Entries>(
          [X, A, Z].map((tensor) => [tensor, uniformEntries(r, tensor.rows * tensor.cols * tensor.batch)]),
        );
        return { values, compare: [{ tensor: out, terms: 37 * cols }] };
      },
      { restarts: 2, forced: { matmul: 'tiled' }, halfInputs: half },
    ),
  ),
].map((own, i) => ({ ...own, once: i > 1 }));

/** Rows of an odd number of vec4, so that the eight entries of a vec4 of words straddle them. */
const halves = [
  ...both.flatMap((transposeA) =>
    both.map((transposeB) => product({ rows: 21, inner: 39, cols: 75 }, transposeA, transposeB, 'register', { half: true })),
  ),
  product({ rows: 9, inner: 87, cols: 91 }, true, false, 'quad-rows', { blocks: [3, 2], restarts: 3, shared: 'B', half: true }),
  product({ rows: 87, inner: 90, cols: 9 }, false, true, 'quad-columns', { blocks: [2, 3], restarts: 3, epilogue: 'hadamard', half: true }),
  product({ rows: 66, inner: 101, cols: 70 }, true, true, 'tiled', { restarts: 2, splits: 2, half: true }),
  product({ rows: 9, inner: 47, cols: 131 }, true, false, 'tiled', { restarts: 2, shared: 'B', half: true }),
  product({ rows: 67, inner: 91, cols: 9 }, false, true, 'tiled', { half: true }),
  ...(['register', 'quad-rows', 'quad-columns', 'tiled'] as const).map((matmul) =>
    differential(
      `residual norm of halves, ${matmul}`,
      (p, r) => {
        const [X, A, Z] = [p.data('X', 41, 51), p.state('A', 41, 5), p.state('Z', 5, 51)];
        const out = p.state('out', 1, 1);
        p.section('all', () => p.residualNorm(X, A, Z, { into: out }));
        const values = new Map<Tensor, Entries>(
          [X, A, Z].map((tensor) => [tensor, uniformEntries(r, tensor.rows * tensor.cols * tensor.batch)]),
        );
        return { values, compare: [{ tensor: out, terms: 41 * 51 }] };
      },
      { restarts: 2, forced: { matmul }, halfInputs: true },
    ),
  ),
];

/** Sums of squares that workgroups add up, with weights; restarts, and more tiles than one along both sides. */
const weighted = differential(
  'weighted residual norm tiled',
  (p, r) => {
    const [X, W] = [p.input('X', 70, 139), p.input('W', 70, 139)];
    const [A, Z] = [p.input('A', 70, 11, { batched: true }), p.input('Z', 11, 139, { batched: true })];
    const out = p.state('out', 1, 1);
    p.section('all', () => p.residualNorm(X, A, Z, { into: out, W }));
    const values = new Map<Tensor, Entries>(
      [X, W, A, Z].map((tensor) => [tensor, uniformEntries(r, tensor.rows * tensor.cols * tensor.batch)]),
    );
    return { values, compare: [{ tensor: out, terms: 70 * 139 }] };
  },
  { restarts: 2, forced: { matmul: 'tiled' } },
);

const grams = [1, 7, 16, 17, 33, 64, 128].flatMap((k) => [
  gram(261, k, 'columns', undefined, 'register'),
  gram(k, 1031, 'rows', 8, 'register'),
  gram(261, k, 'columns', undefined),
]);

/** A product wider than 65,535 columns, where a dispatch dimension could overflow. */
const wide = product({ rows: 4, inner: 5, cols: 70_001 }, false, false, 'register');

export const matmul: Case[] = [
  ...plain,
  ...tiled,
  ...staged,
  weighted,
  ...blocked,
  ...updates,
  ...halves,
  ...pitched,
  ...variants,
  ...grams,
  ...joined,
  gram(515, 67, 'columns', 5, 'tiled'),
  gram(261, 7, 'columns', 3, 'tiled'),
  gram(33, 261, 'rows', undefined, 'tiled'),
  wide,
];
