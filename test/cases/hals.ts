/**
 * Sweeps of HALS against the reference: rows and columns, few and many unknowns, Gram matrices of their own, units that are not used,
 * alone and at the end of the product that makes their B.
 */
import type { Random } from '../../src/data/random.js';
import { T } from '../../src/graph/tensor.js';
import type { Forced } from '../../src/webgpu/plan/planner.js';
import { type Case, differential, type Entries, uniformEntries } from './support.js';

interface Shape {
  k: number;
  items: number;
  of: 'rows' | 'columns';
  perColumn?: boolean;
  /** Units that the other factor does not use. */
  unused?: readonly number[];
  /** Keep to the kernel with indexed memory. */
  indexed?: boolean;
  /** A group of lanes for a few rows. */
  group?: boolean;
}

const restarts = 3;
/** k²×count: the Gram matrices of `count` factors of which about half of the entries are zero, so that units overlap in part. */
function grams(r: Random, k: number, count: number, unused: readonly number[]): Float64Array {
  const G = new Float64Array(k * k * count);
  const depth = 10 * k; // keeps condition numbers below 100
  for (let c = 0; c < count; c++) {
    const factor = factorOf(r, depth, k, unused);
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) {
        let sum = 0;
        for (let t = 0; t < depth; t++) sum += factor[t * k + i] * factor[t * k + j];
        G[(i * k + j) * count + c] = sum;
      }
    }
  }
  return G;
}

function sweep({ k, items, of, perColumn = false, unused = [], indexed = false, group = false }: Shape): Case {
  const notes = [
    perColumn && 'a Gram matrix each',
    unused.length > 0 && `units ${unused} unused`,
    indexed && 'indexed',
    group && 'in groups',
  ].filter(Boolean);
  return differential(
    `hals of ${items} ${of}, k = ${k}${notes.map((note) => `, ${note}`).join('')}`,
    (p, r) => {
      const [rows, cols] = of === 'rows' ? [items, k] : [k, items];
      const count = perColumn ? items : 1;
      const G = perColumn ? p.input('G', k * k, items, { batched: true }) : p.input('G', k, k, { batched: true });
      const B = p.input('B', rows, cols, { batched: true });
      const F = p.state('F', rows, cols);
      const g = Array.from({ length: restarts }, () => Array.from(grams(r, k, count, unused)));
      // b_j between −2 and 4 times g_jj, so that entries move by numbers of the size of 1 and some of them to zero.
      const b = uniformEntries(r, rows * cols * restarts).map((u, at) => {
        const inside = at % (rows * cols);
        const [j, item] = of === 'rows' ? [inside % k, Math.floor(inside / k)] : [Math.floor(inside / cols), inside % cols];
        return (6 * u - 2) * g[Math.floor(at / (rows * cols))][j * (k + 1) * count + (perColumn ? item : 0)];
      });
      const values = new Map<typeof G, Entries>([
        [G, Float32Array.from(g.flat())],
        [B, b],
        [F, uniformEntries(r, rows * cols * restarts)],
      ]);
      p.section('all', () => p.halsUpdate(F, G, B, { of, layer: 2 }));
      // A sweep never enlarges an error in the norm of G, whose condition is below 100 here: 10 times the roundings of k sums of k.
      return { values, compare: [{ tensor: F, terms: 100 * k * k, scale: 4 }] };
    },
    { restarts, forced: indexed ? { spill: false } : group ? { group } : undefined },
  );
}

function factorOf(r: Random, rows: number, k: number, unused: readonly number[]): Float64Array {
  return Float64Array.from({ length: rows * k }, (_, at) => (unused.includes(at % k) || r.uniform() < 0.5 ? 0 : r.uniform()));
}

/** A step of `hals` for one factor: its Gram matrix and B come from the other one and an X that all restarts share. */
function afterProduct(
  of: 'rows' | 'columns',
  k: number,
  { items = 41, forced, unused = [] }: { items?: number; forced?: Forced; unused?: readonly number[] } = {},
): Case {
  const notes = [forced && JSON.stringify(forced).replace(/["{}]/g, ''), unused.length > 0 && `units ${unused} unused`].filter(Boolean);
  return differential(
    `hals of ${of} after their product, k = ${k}${notes.map((note) => `, ${note}`).join('')}`,
    (p, r) => {
      const inner = 10 * k + 3;
      const shaped = (rows: number, cols: number) => (of === 'columns' ? ([rows, cols] as const) : ([cols, rows] as const));
      const other = p.input('other', ...shaped(inner, k), { batched: true });
      const X = p.input('X', ...shaped(inner, items));
      const F = p.state('F', ...shaped(k, items));
      const Q = p.state('Q', F.rows, F.rows);
      p.section('all', () => {
        if (of === 'columns') p.halsUpdate(F, p.gram(other), p.matmul(T(other), X), { of, layer: 2 });
        else p.halsUpdate(F, p.gram(other, 'rows'), p.matmul(X, T(other)), { of, layer: 2 });
        p.gram(F, 'rows', { into: Q }); // sums over the padding of F, too
      });
      const factors = Array.from({ length: restarts }, () => factorOf(r, inner, k, unused)).map((A) =>
        of === 'columns' ? A : A.map((_, at) => A[(at % inner) * k + Math.floor(at / inner)]),
      );
      const values = new Map<typeof F, Entries>([
        [other, Float32Array.from(factors.flatMap((entries) => Array.from(entries)))],
        // Between −2 and 6: entries move by numbers of the size of 1 and some of them to zero.
        [X, uniformEntries(r, inner * items).map((u) => 8 * u - 2)],
        [F, uniformEntries(r, k * items * restarts)],
      ]);
      // A sweep never enlarges an error in the norm of G: as above, with the rounding of B besides. Each product of two entries in Q doubles it.
      const terms = 100 * k * (k + inner);
      return {
        values,
        compare: [
          { tensor: F, terms, scale: 4 },
          { tensor: Q, terms, scale: 4 * 2 * 4 * F.cols },
        ],
      };
    },
    { restarts, forced },
  );
}

/** The kernels that a sweep can end, and those that leave it to a dispatch of its own: split, of other tiles, of too many unknowns. */
const afterProducts = (['rows', 'columns'] as const).flatMap((of) => {
  const quad = of === 'rows' ? 'quad-columns' : 'quad-rows';
  const blocks = (units: number, own: number): [number, number] => (of === 'rows' ? [own, units] : [units, own]);
  return [
    ...[1, 7, 9, 16, 17].map((k) => afterProduct(of, k)),
    ...(['register', quad] as const).flatMap((matmul) => [
      ...[1, 9, 16].map((k) => afterProduct(of, k, { forced: { matmul } })),
      afterProduct(of, 9, { forced: { matmul }, unused: [0, 4, 8] }),
    ]),
    afterProduct(of, 29, { items: 87, unused: [28] }),
    afterProduct(of, 9, { forced: { matmul: quad, blocks: blocks(3, 2) }, unused: [2] }),
    afterProduct(of, 9, { forced: { matmul: quad, splits: 3 } }),
    afterProduct(of, 9, { forced: { matmul: 'tiled' } }),
  ];
});

export const hals: Case[] = [
  ...[1, 2, 7, 16, 17, 40].flatMap((k) =>
    (['rows', 'columns'] as const).flatMap((of) => [
      sweep({ k, items: 33, of }),
      ...(k === 7 || k === 17
        ? [
            sweep({ k, items: 33, of, perColumn: true }),
            sweep({ k, items: 33, of, unused: [0, 4] }),
            sweep({ k, items: 33, of, perColumn: true, unused: [3] }),
          ]
        : []),
      ...(k === 7 ? [sweep({ k, items: 33, of, indexed: true })] : []),
    ]),
  ),
  ...(['rows', 'columns'] as const).flatMap((of) => [
    ...[1, 17, 65].map((k) => sweep({ k, items: 9, of, group: true })),
    sweep({ k: 10, items: 7, of, perColumn: true, unused: [3], group: true }),
    sweep({ k: 33, items: 6, of, unused: [0, 32], group: true }),
  ]),
  sweep({ k: 128, items: 3, of: 'columns', group: true }),
  ...afterProducts,
];
