/**
 * The batched solves against the reference, on Gram matrices whose condition is known: entries off the diagonal add up to at most half of
 * it in every row, so ‖G_PP⁻¹‖∞ ≤ 2 on every support P and ‖G‖∞ ≤ 2.5. The solution of a column is known, too: B = G s − w for an s ≥ 0 and
 * a w ≥ 0 of which at each place one is zero and the other is not near it. That s is the only point that meets the KKT conditions.
 */
import { type Random, random } from '../../src/data/random.js';
import { programBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import type { Forced } from '../../src/webgpu/plan/planner.js';
import {
  type Case,
  differential,
  type Entries,
  execute,
  expectAtMost,
  expectClose,
  seedOf,
  signedEntries,
  uniformEntries,
} from './support.js';

export interface Shape {
  k: number;
  cols: number;
  restarts?: number;
  /** Every column has a Gram matrix of its own. */
  perColumn?: boolean;
  forced?: Forced;
  warm?: boolean;
}

/** k²×count: symmetric, 1 to 1.5 on the diagonal, and off it at most 0.5 / k. */
export function dominant(r: Random, k: number, count: number): Float32Array {
  const G = new Float32Array(k * k * count);
  for (let c = 0; c < count; c++) {
    for (let i = 0; i < k; i++) {
      for (let j = 0; j <= i; j++) {
        const g = i === j ? 1 + 0.5 * r.uniform() : (r.uniform() - 0.5) / k;
        for (const [row, col] of [
          [i, j],
          [j, i],
        ])
          G[(row * k + col) * count + c] = g;
      }
    }
  }
  return G;
}

/** A rounded factorization and two substitutions, times the condition 5 of G: relative to the largest entry. */
export const termsOf = (k: number) => 25 * (k + 8);

interface Problem {
  G: Float32Array;
  B: Float32Array;
  /** The solution that B was made from. */
  S: Float32Array;
}

/** One problem for each restart, one after another. */
export function problemOf(r: Random, { k, cols, restarts = 1, perColumn = false }: Shape): Problem {
  const [G, B, S]: [number[], number[], number[]] = [[], [], []];
  for (let restart = 0; restart < restarts; restart++) {
    const count = perColumn ? cols : 1;
    const g = dominant(r, k, count);
    const s = Float32Array.from({ length: k * cols }, () => (r.uniform() < 0.5 ? 0.1 + r.uniform() : 0));
    const b = Float32Array.from({ length: k * cols }, (_, at) => {
      const [i, c] = [Math.floor(at / cols), at % cols];
      let sum = s[at] > 0 ? 0 : -0.1 - r.uniform();
      for (let j = 0; j < k; j++) sum += g[(i * k + j) * count + (perColumn ? c : 0)] * s[j * cols + c];
      return sum;
    });
    G.push(...g);
    B.push(...b);
    S.push(...s);
  }
  return { G: Float32Array.from(G), B: Float32Array.from(B), S: Float32Array.from(S) };
}

function nameOf({ k, cols, restarts = 1, perColumn, forced, warm }: Shape): string {
  const notes = [perColumn && 'a Gram matrix each', warm && 'warm', forced && JSON.stringify(forced).replace(/["{}]/g, '')];
  return [`k = ${k}, ${cols} columns ×${restarts}`, ...notes.filter(Boolean)].join(', ');
}

/** Groups of lanes, few columns: the barriers of many lanes are slow on software adapters. */
const groups = (
  [
    { k: 1, cols: 3 },
    { k: 5, cols: 9, restarts: 3, warm: true },
    { k: 10, cols: 7, restarts: 2, perColumn: true },
    { k: 16, cols: 5, restarts: 2 },
    { k: 17, cols: 5, restarts: 2, warm: true },
    { k: 33, cols: 3 },
    { k: 50, cols: 3, perColumn: true },
    { k: 64, cols: 2, warm: true },
    { k: 65, cols: 2 },
    { k: 100, cols: 2, warm: true },
    // The last columns of the factor lie in the scratch buffer, and one column takes a dispatch.
    { k: 128, cols: 2, spillBytes: 20_000 },
    { k: 7, cols: 9, restarts: 2, pivots: 1 },
    { k: 40, cols: 2, pivots: 1 },
  ] satisfies (Shape & Forced)[]
).map(({ pivots, spillBytes, ...shape }: Shape & Forced): Shape => {
  const budgets = { ...(pivots && { pivots }), ...(spillBytes && { spillBytes }) };
  return { ...shape, forced: { group: true, ...budgets } };
});

const shapes: Shape[] = [
  { k: 1, cols: 1 },
  { k: 3, cols: 5, restarts: 3, warm: true },
  { k: 7, cols: 33, restarts: 3, perColumn: true },
  { k: 9, cols: 33, forced: { spill: false }, warm: true },
  { k: 9, cols: 13, restarts: 3, perColumn: true, forced: { spill: false } },
  // Few columns at a time, so that a solve takes several dispatches.
  { k: 9, cols: 13, restarts: 3, forced: { spill: true, spillBytes: 7 * 4 * 45 } },
  { k: 17, cols: 9, restarts: 2, warm: true },
  { k: 33, cols: 6, restarts: 2 },
  { k: 7, cols: 33, restarts: 2, forced: { pivots: 1 } },
  { k: 9, cols: 33, restarts: 2, forced: { pivots: 1, spill: false } },
  ...groups,
];

const differentials = shapes.map((shape) => {
  const { k, cols, restarts = 1, perColumn = false, forced, warm = false } = shape;
  const name = `solve ${nameOf(shape)}`;
  const given = problemOf(random(seedOf(name)), shape);
  return differential(
    name,
    (p, r) => {
      const G = p.input('G', perColumn ? k * k : k, perColumn ? cols : k, { batched: true });
      const B = p.input('B', k, cols, { batched: true });
      const S = p.state('S', k, cols);
      p.section('all', () => void p.nnls(G, B, S, { warm }));
      const start = uniformEntries(r, k * cols * restarts).map((u) => (u < 0.5 ? 0 : u));
      const values = new Map<Tensor, Entries>([
        [G, given.G],
        [B, given.B],
        [S, start],
      ]);
      return { values, compare: [{ tensor: S, terms: termsOf(k), scale: 1.1 }] };
    },
    { restarts, forced },
  );
});

const residuals = shapes.map((shape) => {
  const { k, cols, restarts = 1, perColumn = false, forced } = shape;
  const name = `KKT residual and masked solve ${nameOf(shape)}`;
  const given = problemOf(random(seedOf(name)), shape);
  return differential(
    name,
    (p, r) => {
      const G = p.input('G', perColumn ? k * k : k, perColumn ? cols : k, { batched: true });
      const [B, S, g] = ['B', 'S', 'g'].map((label) => p.input(label, k, cols, { batched: true }));
      const residual = p.state('residual', 1, cols);
      const beta = p.state('beta', k, cols);
      p.section('all', () => {
        p.kktResidual(G, B, S, { into: residual });
        p.maskedSolve(G, S, g, { into: beta });
      });
      // Away from the solution, so that there is a residual.
      const off = given.S.map((s) => (s > 0 ? s + r.uniform() : 0));
      const values = new Map<Tensor, Entries>([
        [G, given.G],
        [B, given.B],
        [S, off],
        [g, signedEntries(r, k * cols * restarts)],
      ]);
      return {
        values,
        compare: [
          { tensor: residual, terms: k + 4 },
          { tensor: beta, terms: termsOf(k), scale: 2 * 5 }, // ‖G_PP⁻¹‖∞ times normal numbers
        ],
      };
    },
    { restarts, forced },
  );
});

/** The solution is the one that the problem was made from, whatever the reference says. */
const known: Case[] = [3, 9, 17, 33].map((k) => ({
  name: `solve of a known solution, k = ${k}`,
  async run({ guarded }) {
    const shape = { k, cols: 21 };
    const { G, B, S: truth } = problemOf(random(seedOf(this.name)), shape);
    const p = programBuilder(this.name);
    const [g, b, S] = [p.input('G', k, k), p.input('B', k, 21), p.state('S', k, 21)];
    p.section('all', () => void p.nnls(g, b, S, { warm: false }));
    const engine = await guarded();
    const values = new Map<Tensor, Entries>([
      [g, G],
      [b, B],
    ]);
    const [found] = await execute(engine, p.build(), values, [S]);
    await engine.inspected();
    // B is rounded to f32, by half a unit of numbers up to 4.
    expectClose('S', found, truth, { terms: 4 * termsOf(k), scale: 1.1 });
    truth.forEach((s, i) => {
      if (found[i] > 0 !== s > 0) throw new Error(`S[${i}] is ${found[i]} where the solution has ${s}.`);
    });
  },
}));

/**
 * Two columns so much alike that a pivot is 2⁻¹² of its diagonal entry are no dependent ones: both unknowns stay. All numbers are exact in
 * f32; the solution is off by its rounding times the condition of G, 2¹⁴.
 */
const alike: Case[] = [{}, { spill: false }, { spill: true }, { group: true }].map((forced) => ({
  name: `columns almost alike stay in a support ${JSON.stringify(forced)}`,
  async run({ guarded }) {
    const k = 9;
    const near = 1 - 2 ** -13;
    const G = Float32Array.from({ length: k * k }, (_, at) => (at === 1 || at === k ? near : Number(at % (k + 1) === 0)));
    const truth = Float32Array.from({ length: k }, (_, j) => [0.25, 0.5, 0.25][j] ?? 0);
    const b = Float32Array.from(truth, (_, i) => truth.reduce((sum, x, j) => sum + G[i * k + j] * x, truth[i] > 0 ? 0 : -1));
    const p = programBuilder(this.name);
    const [g, B, M] = [p.input('G', k, k), p.input('B', k, 1), p.input('M', k, 1)];
    const [S, beta, onSimplex] = [p.state('S', k, 1), p.state('beta', k, 1), p.state('on simplex', k, 1)];
    p.section('all', () => {
      p.nnls(g, B, S, { warm: false });
      p.maskedSolve(g, M, B, { into: beta });
      p.simplex(g, B, onSimplex, { warm: false });
    });
    const engine = await guarded({ forced });
    const values = new Map<Tensor, Entries>([
      [g, G],
      [B, b],
      [M, truth],
    ]);
    const found = await execute(engine, p.build(), values, [S, beta, onSimplex]);
    await engine.inspected();
    for (const [n, name] of ['S', 'β', 'S on the simplex'].entries()) {
      for (let j = 0; j < k; j++) expectAtMost(`${name}[${j}] − ${truth[j]}`, Math.abs(found[n][j] - truth[j]), 2 ** -10);
    }
  },
}));

/**
 * Block principal pivoting on the host, in f64, with Gaussian elimination: the number of rounds until no index breaks a condition, or
 * undefined if that does not come. With `rule` it is as finite as Kim & Park 2011 say: while exchanging all such indices does not help, only
 * the last of them is exchanged.
 */
function pivotingRounds(G: readonly number[], b: readonly number[], rule: boolean): number | undefined {
  const k = b.length;
  let passive = b.map((entry) => entry > 0);
  let fewest = k + 1;
  let tries = 3;
  for (let round = 1; round <= 1000; round++) {
    const x = solveOn(passive, G, b);
    const broken = passive.map((inside, j) =>
      inside ? x[j] <= 0 : b[j] - x.reduce((sum, entry, i) => sum + G[j * k + i] * entry, 0) > 1e-9,
    );
    const count = broken.filter(Boolean).length;
    if (count === 0) return round;
    const all = count < fewest || tries > 0 || !rule;
    tries = count < fewest ? 3 : Math.max(tries - 1, 0);
    fewest = Math.min(fewest, count);
    passive = passive.map((inside, j) => (broken[j] && (all || j === broken.lastIndexOf(true)) ? !inside : inside));
  }
  return undefined;
}

/** x with G_PP x_P = b_P and 0 elsewhere. */
function solveOn(passive: readonly boolean[], G: readonly number[], b: readonly number[]): number[] {
  const k = b.length;
  const M = b.map((entry, i) => [...b.map((_, j) => (passive[i] && passive[j] ? G[i * k + j] : Number(i === j))), passive[i] ? entry : 0]);
  for (let pivot = 0; pivot < k; pivot++) {
    for (let i = 0; i < k; i++) {
      if (i === pivot) continue;
      const factor = M[i][pivot] / M[pivot][pivot];
      for (let j = pivot; j <= k; j++) M[i][j] -= factor * M[pivot][j];
    }
  }
  return M.map((row, i) => row[k] / row[i]);
}

/** Small integers, so that f32 loses nothing of G and b, and nothing is near a border. Found by trying. */
const circling: { G: number[]; b: number[] } = {
  G: [127.5, 105, 131, 152, 169, 105, 130.5, 61, 147, 159, 131, 61, 212.5, 139, 182, 152, 147, 139, 205.5, 198, 169, 159, 182, 198, 304.5],
  b: [143, 104, 179, 169, 204],
};

/** A budget of rounds that pivoting must not use up: without the rule it would, however large it is. */
const budget = 60;

const rules = Object.entries({ 'in registers': {}, 'in indexed memory': { spill: false }, 'in groups': { group: true } }).map(
  ([where, forced]): Case => ({
    name: `pivoting that would go round in circles ends, ${where}`,
    async run({ guarded }) {
      const { G, b } = circling;
      const k = b.length;
      if (pivotingRounds(G, b, false) !== undefined) throw new Error('Without the rule it ends, too, so nothing is tested.');
      const expected = pivotingRounds(G, b, true);
      if (expected === undefined || expected >= budget / 2) throw new Error(`With the rule it takes ${expected} rounds.`);
      const p = programBuilder(this.name);
      const [g, B, S, rounds] = [p.input('G', k, k), p.input('B', k, 5), p.state('S', k, 5), p.state('rounds', 1, 5)];
      p.section('all', () => void p.nnls(g, B, S, { warm: false, rounds }));
      const engine = await guarded({ forced: { pivots: budget, ...forced } });
      const values = new Map<Tensor, Entries>([
        [g, Float32Array.from(G)],
        // Five columns, of which powers of two are multiples.
        [B, Float32Array.from({ length: 5 * k }, (_, at) => b[Math.floor(at / 5)] * 2 ** (at % 5))],
      ]);
      const [used] = await execute(engine, p.build(), values, [rounds]);
      await engine.inspected();
      for (const one of used) {
        if (!(one > 0)) throw new Error(`A column did not settle (${one} rounds).`);
        expectAtMost('rounds', one, budget - 1);
      }
    },
  }),
);

/**
 * From the support of the solution one factorization finds it and nothing is exchanged: a warm start at the solution, and a cold one where B
 * is negative and S is zero, take one round each.
 */
const atOnce = [{}, { spill: false }, { spill: true }, { group: true }].flatMap((forced) =>
  [true, false].map(
    (warm): Case => ({
      name: `a ${warm ? 'warm start at the solution' : 'negative B'} takes one round ${JSON.stringify(forced)}`,
      async run({ guarded }) {
        const shape = { k: 9, cols: 13 };
        const problem = problemOf(random(seedOf(this.name)), shape);
        const p = programBuilder(this.name);
        const [g, b, S, rounds] = [p.input('G', 9, 9), p.input('B', 9, 13), p.state('S', 9, 13), p.state('rounds', 1, 13)];
        p.section('all', () => void p.nnls(g, b, S, { warm, rounds }));
        const engine = await guarded({ forced });
        const values = new Map<Tensor, Entries>([
          [g, problem.G],
          [b, warm ? problem.B : problem.B.map((entry) => -Math.abs(entry))],
          [S, warm ? problem.S : problem.S.map(() => 1)],
        ]);
        const [used, found] = await execute(engine, p.build(), values, [rounds, S]);
        await engine.inspected();
        if (used.some((one) => one !== 1)) throw new Error(`The columns took ${used} rounds.`);
        if (!warm && found.some((s) => s !== 0)) throw new Error('S is not zero.');
      },
    }),
  ),
);

export const solves: Case[] = [...differentials, ...residuals, ...known, ...alike, ...rules, ...atOnce];
