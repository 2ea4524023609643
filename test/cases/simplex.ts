/**
 * Least squares on the simplex against its definition: the best of all supports in f64 for few unknowns, KKT conditions in f64 from A, X and
 * S alone for more, and the kernels against the reference on problems whose solution and condition are known.
 */
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { type Random, random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { programBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { nnls } from '../../src/methods/q.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import type { Forced } from '../../src/webgpu/plan/planner.js';
import { dominant, type Shape, termsOf } from './solves.js';
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

interface Problem {
  X: Matrix;
  A: Matrix;
  W?: Matrix;
}

/** f64 columns of W ∘ A and W ∘ X, weights 1 where there are none. */
function weighted({ X, A, W }: Problem, c: number): { D: Float64Array; x: Float64Array } {
  const weight = (n: number) => W?.data[n * X.cols + c] ?? 1;
  const D = Float64Array.from(A.data, (a, at) => weight(Math.floor(at / A.cols)) * a);
  const x = Float64Array.from({ length: X.rows }, (_, n) => (weight(n) === 0 ? 0 : weight(n) * X.data[n * X.cols + c]));
  return { D, x };
}

/** ½‖W ∘ (x − As)‖² of one column, in f64. */
function costOf(problem: Problem, c: number, s: ArrayLike<number>): number {
  const k = problem.A.cols;
  const { D, x } = weighted(problem, c);
  return x.reduce((sum, target, n) => {
    let r = target;
    for (let j = 0; j < k; j++) r -= D[n * k + j] * s[j];
    return sum + (r * r) / 2;
  }, 0);
}

/**
 * The largest violation of the KKT conditions of any column, relative to the larger of its largest |b_j| and ‖a_j‖²: s ≥ 0, Σ s = 1,
 * w − μ = 0 where s > 0 and ≤ 0 elsewhere, w = Aᵀ(x − As), μ = sᵀw. Strict, in f64, from A, X, W and S alone.
 */
export function simplexKkt(problem: Problem, S: Matrix): number {
  const { A } = problem;
  const k = A.cols;
  let worst = 0;
  for (let c = 0; c < S.cols; c++) {
    const { D, x } = weighted(problem, c);
    const s = Float64Array.from({ length: k }, (_, j) => S.data[j * S.cols + c]);
    if (!s.every((one) => one >= 0)) return Number.POSITIVE_INFINITY;
    const r = x.map((target, n) => s.reduce((rest, one, j) => rest - D[n * k + j] * one, target));
    let size = Number.MIN_VALUE;
    const w = s.map((_, j) => {
      let [gain, b, norm] = [0, 0, 0];
      for (let n = 0; n < x.length; n++) {
        gain += D[n * k + j] * r[n];
        b += D[n * k + j] * x[n];
        norm += D[n * k + j] ** 2;
      }
      size = Math.max(size, Math.abs(b), norm);
      return gain;
    });
    const mu = w.reduce((sum, gain, j) => sum + s[j] * gain, 0);
    w.forEach((gain, j) => {
      worst = Math.max(worst, (s[j] > 0 ? Math.abs(gain - mu) : gain - mu) / size);
    });
  }
  return worst;
}

/** max |1 − Σ s| of any column, in f64. */
export function sumError({ rows, cols, data }: Matrix): number {
  let worst = 0;
  for (let c = 0; c < cols; c++) {
    let sum = 0;
    for (let j = 0; j < rows; j++) sum += data[j * cols + c];
    worst = Math.max(worst, Math.abs(1 - sum));
  }
  return worst;
}

/** The least cost over all supports, each solved by Gauss elimination of its KKT system; supports without a solution s ≥ 0 are none. */
function bruteForce(problem: Problem, c: number): { cost: number; s: Float64Array } {
  const k = problem.A.cols;
  const { D, x } = weighted(problem, c);
  let best = { cost: Number.POSITIVE_INFINITY, s: new Float64Array(k) };
  for (let support = 1; support < 2 ** k; support++) {
    const P = Array.from({ length: k }, (_, j) => j).filter((j) => (support >> j) & 1);
    const p = P.length;
    // [G_PP 1; 1ᵀ 0] [s; μ] = [b_P; 1]
    const rows = Array.from({ length: p + 1 }, (_, i) =>
      Float64Array.from({ length: p + 2 }, (_, j) => {
        const product = (one: (n: number) => number) => x.reduce((sum, _, n) => sum + D[n * k + P[i]] * one(n), 0);
        if (i === p) return j === p ? 0 : 1;
        if (j === p) return 1;
        return j === p + 1 ? product((n) => x[n]) : product((n) => D[n * k + P[j]]);
      }),
    );
    const solution = eliminate(rows);
    if (!solution) continue;
    const s = new Float64Array(k);
    P.forEach((j, i) => {
      s[j] = solution[i];
    });
    if (!s.every((one) => one >= 0)) continue;
    const cost = costOf(problem, c, s);
    if (cost < best.cost) best = { cost, s };
  }
  return best;
}

/** The solution of [M | r], with row exchanges; undefined for a singular M. */
function eliminate(rows: Float64Array[]): Float64Array | undefined {
  const n = rows.length;
  const largest = rows.reduce((most, row) => row.reduce((m, x) => Math.max(m, Math.abs(x)), most), 0);
  for (let t = 0; t < n; t++) {
    let pivot = t;
    for (let i = t + 1; i < n; i++) if (Math.abs(rows[i][t]) > Math.abs(rows[pivot][t])) pivot = i;
    if (!(Math.abs(rows[pivot][t]) > 1e-13 * largest)) return undefined;
    [rows[t], rows[pivot]] = [rows[pivot], rows[t]];
    for (let i = 0; i < n; i++) {
      if (i === t) continue;
      const factor = rows[i][t] / rows[t][t];
      for (let j = t; j <= n; j++) rows[i][j] -= factor * rows[t][j];
    }
  }
  return Float64Array.from({ length: n }, (_, t) => rows[t][n] / rows[t][t]);
}

type Make = (r: Random, N: number, M: number, k: number) => Problem;

/** Mixtures with an abundance of zero in about half of the places, and noise: supports are neither full nor single. */
const mixtures: Make = (r, N, M, k) => {
  const A = matrix(N, k, uniformEntries(r, N * k));
  const X = matrix(N, M);
  for (let c = 0; c < M; c++) {
    const s = Float64Array.from({ length: k }, () => (r.uniform() < 0.5 ? r.uniform() : 0));
    s[r.integer(k)] += 0.1;
    const sum = s.reduce((total, x) => total + x, 0);
    for (let i = 0; i < N; i++) {
      for (let j = 0; j < k; j++) X.data[i * M + c] += (A.data[i * k + j] * s[j]) / sum;
      X.data[i * M + c] += 0.3 * (r.uniform() - 0.5);
    }
  }
  return { X, A };
};

const freeSign: Make = (r, N, M, k) => ({ X: matrix(N, M, signedEntries(r, N * M)), A: matrix(N, k, signedEntries(r, N * k)) });

/** Far outside: x is a thousand times as long as the columns of A, so that most solutions are corners. */
const outside: Make = (r, N, M, k) => ({
  X: matrix(
    N,
    M,
    signedEntries(r, N * M).map((x) => 1000 * x),
  ),
  A: matrix(N, k, uniformEntries(r, N * k)),
});

const zeros: Make = (r, N, M, k) => {
  const problem = mixtures(r, N, M, k);
  for (let i = 0; i < N; i++) {
    problem.A.data[i * k] = 0;
    problem.X.data[i * M] = 0;
  }
  return problem;
};

const duplicates: Make = (r, N, M, k) => {
  const problem = mixtures(r, N, M, k);
  for (let i = 0; i < N; i++) for (let j = 1; j < k; j += 2) problem.A.data[i * k + j] = problem.A.data[i * k + j - 1];
  return problem;
};

/** Spectra that share a large offset: the differences between columns are a hundredth of them. */
const alike: Make = (r, N, M, k) => {
  const problem = mixtures(r, N, M, k);
  const moved = ({ rows, cols, data }: Matrix) =>
    matrix(
      rows,
      cols,
      data.map((x) => 100 + x),
    );
  return { X: moved(problem.X), A: moved(problem.A) };
};

/** NaN in X, and weights between 0 and 2. */
const missing: Make = (r, N, M, k) => {
  const problem = mixtures(r, N, M, k);
  const W = matrix(
    N,
    M,
    Float32Array.from({ length: N * M }, () => (r.uniform() < 0.2 ? 0 : 2 * r.uniform())),
  );
  for (let c = 0; c < M; c++) W.data[c] = 1;
  W.data.forEach((w, at) => {
    if (w === 0) problem.X.data[at] = r.uniform() < 0.5 ? Number.NaN : 1e30;
  });
  return { ...problem, W };
};

const makes = { mixtures, freeSign, outside, zeros, duplicates, alike, missing };

const tolerance = 1e-5;

function simplexCase(
  name: keyof typeof makes,
  N: number,
  M: number,
  k: number,
  options: { forced?: Forced; sparse?: true; polish?: true } = {},
): Case {
  const { forced, sparse, polish } = options;
  return {
    name: `simplex ${name} N = ${N}, M = ${M}, k = ${k}${forced ? `, ${JSON.stringify(forced)}` : ''}${sparse ? ', sparse' : ''}${polish ? ', polished' : ''}`,
    async run({ engine: plain, engineWith }) {
      const engine = forced ? await engineWith({ forced }) : plain;
      const seed = seedOf(this.name);
      const problem = makes[name](random(seed), N, M, k);
      const X = sparse ? sparseFromDense(problem.X) : problem.X;
      const given = { simplex: true, ...(problem.W && { weights: problem.W }), ...(polish && { polish }) };
      const { S, kktResidual, unconverged } = await nnls(engine, X, problem.A, given);
      expectAtMost(`|1 − Σ s| (seed ${seed})`, sumError(S), k * 2 ** -23);
      expectAtMost(`columns without a solution (seed ${seed})`, unconverged, 0);
      expectAtMost(`KKT residual as reported (seed ${seed})`, kktResidual, polish ? 1e-13 : tolerance);
      expectAtMost(`KKT residual in f64 (seed ${seed})`, simplexKkt(problem, S), tolerance);
      if (k > 6) return;
      for (let c = 0; c < M; c++) {
        const best = bruteForce(problem, c);
        const s = Float64Array.from({ length: k }, (_, j) => S.data[j * M + c]);
        // The cost of a point that is off by the rounding of f32 in s, beside the scale of the terms.
        const size = costOf(problem, c, new Float64Array(k)) + costOf({ ...problem, X: matrix(N, M) }, c, new Float64Array(k).fill(1));
        expectAtMost(`cost above the best support, column ${c} (seed ${seed})`, costOf(problem, c, s) - best.cost, 1e-6 * size);
      }
    },
  };
}

const small = (Object.keys(makes) as (keyof typeof makes)[]).flatMap((name) => [
  simplexCase(name, 11, 9, 5),
  simplexCase(name, 5, 7, 6, { forced: { pivots: 1 } }),
  simplexCase(name, 11, 9, 5, { forced: { group: true } }),
  simplexCase(name, 5, 7, 6, { forced: { group: true, pivots: 1 } }),
]);

const larger = [
  simplexCase('mixtures', 5, 3, 1),
  simplexCase('mixtures', 2, 5, 2),
  simplexCase('mixtures', 67, 131, 16),
  simplexCase('mixtures', 101, 23, 33),
  simplexCase('mixtures', 201, 13, 128),
  simplexCase('mixtures', 31, 23, 9, { forced: { spill: true, spillBytes: 7 * 4 * 45 } }),
  simplexCase('mixtures', 31, 23, 9, { sparse: true }),
  simplexCase('mixtures', 31, 23, 9, { polish: true }),
  simplexCase('missing', 41, 11, 9, { polish: true }),
  simplexCase('duplicates', 41, 23, 17),
  simplexCase('alike', 41, 23, 17),
  simplexCase('freeSign', 12, 23, 17),
  simplexCase('zeros', 41, 23, 33, { forced: { pivots: 1 } }),
  simplexCase('mixtures', 67, 31, 16, { forced: { group: true } }),
  simplexCase('duplicates', 41, 23, 17, { forced: { group: true } }),
  simplexCase('freeSign', 12, 23, 17, { forced: { group: true } }),
  simplexCase('zeros', 41, 13, 33, { forced: { group: true, pivots: 1 } }),
];

/** Problems for each restart: s on the simplex with entries of at least 0.1 / k, and B = G s + μ − w with a w ≥ 0 that is not near 0 off the support. */
export function simplexProblemOf(r: Random, { k, cols, restarts = 1, perColumn = false }: Shape) {
  const [G, B]: [number[], number[]] = [[], []];
  for (let restart = 0; restart < restarts; restart++) {
    const count = perColumn ? cols : 1;
    const g = dominant(r, k, count);
    const b = new Float32Array(k * cols);
    for (let c = 0; c < cols; c++) {
      const s = Float64Array.from({ length: k }, () => (r.uniform() < 0.5 ? 0.2 + r.uniform() : 0));
      s[r.integer(k)] += 0.2;
      const sum = s.reduce((total, x) => total + x, 0);
      const mu = 2 * r.uniform() - 1;
      for (let i = 0; i < k; i++) {
        let value = mu - (s[i] > 0 ? 0 : 0.1 + r.uniform());
        for (let j = 0; j < k; j++) value += (g[(i * k + j) * count + (perColumn ? c : 0)] * s[j]) / sum;
        b[i * cols + c] = value;
      }
    }
    G.push(...g);
    B.push(...b);
  }
  return { G: Float32Array.from(G), B: Float32Array.from(B) };
}

const shapes: Shape[] = [
  { k: 1, cols: 1 },
  { k: 3, cols: 5, restarts: 3, warm: true },
  { k: 7, cols: 33, restarts: 3, perColumn: true },
  { k: 9, cols: 13, restarts: 3, forced: { spill: true, spillBytes: 7 * 4 * 45 } },
  { k: 17, cols: 9, restarts: 2, warm: true },
  { k: 33, cols: 6, restarts: 2 },
  { k: 7, cols: 33, restarts: 2, forced: { pivots: 1 } },
  { k: 40, cols: 3, forced: { pivots: 1 } },
  { k: 1, cols: 3, restarts: 2, forced: { group: true } },
  { k: 5, cols: 6, restarts: 3, warm: true, forced: { group: true } },
  { k: 7, cols: 33, restarts: 2, perColumn: true, forced: { group: true } },
  { k: 17, cols: 9, restarts: 2, forced: { group: true } },
  { k: 40, cols: 3, forced: { group: true, pivots: 1 } },
  // The last columns of the factor lie in the scratch buffer. Three of four columns take a dispatch, so the last one has lanes past the end.
  { k: 128, cols: 2, forced: { group: true, spillBytes: 62_500 } },
];

const differentials = shapes.map((shape) => {
  const { k, cols, restarts = 1, perColumn = false, forced, warm = false } = shape;
  const name = `simplex solve k = ${k}, ${cols} columns ×${restarts}${perColumn ? ', a Gram matrix each' : ''}${warm ? ', warm' : ''}${forced ? `, ${JSON.stringify(forced)}` : ''}`;
  const given = simplexProblemOf(random(seedOf(name)), shape);
  return differential(
    name,
    (p, r) => {
      const G = p.input('G', perColumn ? k * k : k, perColumn ? cols : k, { batched: true });
      const B = p.input('B', k, cols, { batched: true });
      const S = p.state('S', k, cols);
      const R = p.input('R', k, cols, { batched: true });
      const residual = p.state('residual', 1, cols);
      const padding = p.state('padding', 1, 1);
      p.section('all', () => {
        p.simplex(G, B, S, { warm });
        p.reduce(S, 'squares', { into: padding });
        p.kktResidual(G, B, R, { simplex: true, into: residual });
      });
      const start = uniformEntries(r, k * cols * restarts).map((u) => (u < 0.5 ? 0 : u));
      const values = new Map<Tensor, Entries>([
        [G, given.G],
        [B, given.B],
        [S, start],
        [R, uniformEntries(r, k * cols * restarts)],
      ]);
      return {
        values,
        compare: [
          { tensor: S, terms: termsOf(k), scale: 1.1 },
          { tensor: padding, terms: termsOf(k) * cols, scale: cols },
          // h and ν are sums of k terms with Σ s up to k, G up to 2.5 in its rows; ν again of k.
          { tensor: residual, terms: k * k + k, scale: 4 * k },
        ],
      };
    },
    { restarts, forced },
  );
});

const determinants = (
  [
    { k: 1, restarts: 3 },
    { k: 7, restarts: 5 },
    { k: 9, restarts: 5, forced: { spill: true, spillBytes: 3 * 4 * 45 } },
    { k: 40, restarts: 2 },
    { k: 9, restarts: 5, forced: { group: true } },
    { k: 17, restarts: 3, forced: { group: true } },
    { k: 101, restarts: 2, forced: { group: true, spillBytes: 19_000 } },
  ] as { k: number; restarts: number; forced?: Forced }[]
).map(({ k, restarts, forced }) =>
  differential(
    `logDet k = ${k} ×${restarts}${forced ? `, ${JSON.stringify(forced)}` : ''}`,
    (p, r) => {
      const G = p.input('G', k, k, { batched: true });
      const out = p.state('out', 1, 1);
      p.section('all', () => p.logDet(G, { into: out }));
      const values = new Map<Tensor, Entries>([
        [G, Float32Array.from(Array.from({ length: restarts }, () => [...dominant(r, k, 1)]).flat(), (g) => 3 * g)],
      ]);
      // k logarithms of pivots between 1.5 and 4.5, each off by the rounding of its k terms.
      return { values, compare: [{ tensor: out, terms: k * k, scale: Math.log(4.5) * k }] };
    },
    { restarts, forced },
  ),
);

/** Rounds count up and are positive where a column settles; from the support of the solution one factorization is enough. */
const counted = [{}, { spill: true }, { group: true }].map(
  (forced): Case => ({
    name: `a simplex solve counts its rounds ${JSON.stringify(forced)}`,
    async run({ guarded }) {
      const shape = { k: 9, cols: 13, restarts: 2 };
      const problem = simplexProblemOf(random(seedOf(this.name)), shape);
      const p = programBuilder(this.name, { restarts: 2 });
      const [g, b] = [p.input('G', 9, 9, { batched: true }), p.input('B', 9, 13, { batched: true })];
      const S = p.state('S', 9, 13);
      const [cold, warm] = [p.state('cold', 1, 13), p.state('warm', 1, 13)];
      p.section('all', () => {
        p.simplex(g, b, S, { warm: false, rounds: cold });
        p.simplex(g, b, S, { warm: true, rounds: warm });
      });
      const engine = await guarded({ forced });
      const values = new Map<Tensor, Entries>([
        [g, problem.G],
        [b, problem.B],
      ]);
      const [first, second] = await execute(engine, p.build(), values, [cold, warm]);
      await engine.inspected();
      // A column with nine unknowns, of which half are in the solution, takes more than one round from all of them.
      if (!first.every((one) => one >= 1) || first.every((one) => one === 1)) throw new Error(`Cold, the columns took ${first} rounds.`);
      if (second.some((one) => one !== 1)) throw new Error(`From the solution the columns took ${second} rounds.`);
      // Unknowns leave together: one by one the columns of most zeros would take more rounds than they have zeros.
      if (Math.max(...first) > 6) throw new Error(`Cold, a column took ${Math.max(...first)} rounds.`);
    },
  }),
);

/** Columns that depend on others have a pivot of nothing but rounding, which the determinant leaves out. */
const singular: Case[] = [{}, { spill: true }, { group: true }].map((forced) => ({
  name: `logDet of two equal columns ${JSON.stringify(forced)}`,
  async run({ guarded }) {
    const p = programBuilder(this.name);
    const G = p.input('G', 9, 9);
    const out = p.state('out', 1, 1);
    p.section('all', () => p.logDet(G, { into: out }));
    const engine = await guarded({ forced });
    const large = 2 ** 26;
    const entries = Float32Array.from({ length: 81 }, (_, at) => ([0, 1, 9, 10].includes(at) ? large : Number(at % 10 === 0)));
    const [[found]] = await execute(engine, p.build(), new Map<Tensor, Entries>([[G, entries]]), [out]);
    await engine.inspected();
    expectAtMost(`log det − log 2²⁶`, Math.abs(found - Math.log(large)), 1e-5);
  },
}));

/** Where b is larger than every entry of G, it is what a residual is relative to. */
const ofLargeB: Case = {
  name: 'kktResidual on the simplex where B is large',
  async run({ engine }) {
    const p = programBuilder('large B');
    const [G, B, S] = [p.input('G', 2, 2), p.input('B', 2, 3), p.input('S', 2, 3)];
    const out = p.state('out', 1, 3);
    p.section('all', () => p.kktResidual(G, B, S, { simplex: true, into: out }));
    for (const own of [engine, createReferenceEngine()]) {
      using run = await own.prepare(p.build());
      run.write(G, [1, 0, 0, 1]);
      // At s = (1, 0) the gradient is (1 − 16, −b₂): solved for b₂ ≤ 15, off by 1 for 16, by 17 for 32, which is the larger b there.
      run.write(B, [16, 16, 16, 15, 16, 32]);
      run.write(S, [1, 1, 1, 0, 0, 0]);
      run.execute('all');
      const [found] = await run.sample([out]);
      expectClose(`the residuals of ${own.kind}`, found, [0, 1 / 16, 17 / 32], { terms: 2, scale: 1 });
    }
  },
};

export const simplex: Case[] = [...small, ...larger, ...differentials, ...counted, ...determinants, ...singular, ofLargeB];
