/** Sweeps of HALS against the reference: rows and columns, few and many unknowns, Gram matrices of their own, units that are not used. */
import type { Random } from '../../src/data/random.js';
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
}

const restarts = 3;
/** k²×count: the Gram matrices of `count` factors of which about half of the entries are zero, so that units overlap in part. */
function grams(r: Random, k: number, count: number, unused: readonly number[]): Float64Array {
  const G = new Float64Array(k * k * count);
  const depth = 10 * k; // keeps condition numbers below 100
  for (let c = 0; c < count; c++) {
    const factor = Float64Array.from({ length: depth * k }, (_, at) => (unused.includes(at % k) || r.uniform() < 0.5 ? 0 : r.uniform()));
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

function sweep({ k, items, of, perColumn = false, unused = [], indexed = false }: Shape): Case {
  const notes = [perColumn && 'a Gram matrix each', unused.length > 0 && `units ${unused} unused`, indexed && 'indexed'].filter(Boolean);
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
    { restarts, forced: indexed ? { spill: false } : undefined },
  );
}

export const hals: Case[] = [1, 2, 7, 16, 17, 40].flatMap((k) =>
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
);
