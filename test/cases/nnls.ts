/** q against its definition: KKT conditions computed in f64 from A, X and S alone, the support of another algorithm, and its VJP. */

import { type Matrix, matrix } from '../../src/data/matrix.js';
import { type Random, random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { programBuilder } from '../../src/graph/program.js';
import { countNegative, largest, nnlsVjp, nnls as solve } from '../../src/methods/q.js';
import { forwardQ } from '../../src/programs/q.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Case, expectAtMost, expectClose, seedOf, signedEntries, uniformEntries } from './support.js';

interface Problem {
  X: Matrix;
  A: Matrix;
}

const tolerance = 1e-5;

/**
 * The largest violation of a KKT condition of ½‖X − AS‖² + λ₁ Σ S in any column, relative to the column's largest |AᵀX − λ₁|: strict, in
 * f64, from A, X, S alone.
 */
export function strictKkt({ X, A }: Problem, S: Matrix, l1 = 0): number {
  let worst = 0;
  for (let c = 0; c < X.cols; c++) {
    const r = Float64Array.from({ length: X.rows }, (_, i) => {
      let sum = X.data[i * X.cols + c];
      for (let j = 0; j < A.cols; j++) sum -= A.data[i * A.cols + j] * S.data[j * S.cols + c];
      return sum;
    });
    let scale = 0;
    let violation = 0;
    for (let j = 0; j < A.cols; j++) {
      let w = -l1;
      let b = -l1;
      for (let i = 0; i < A.rows; i++) {
        w += A.data[i * A.cols + j] * r[i];
        b += A.data[i * A.cols + j] * X.data[i * X.cols + c];
      }
      const s = S.data[j * S.cols + c];
      if (s < 0 || Number.isNaN(s)) return Number.POSITIVE_INFINITY;
      violation = Math.max(violation, s > 0 ? Math.abs(w) : w);
      scale = Math.max(scale, Math.abs(b));
    }
    worst = Math.max(worst, scale > 0 ? violation / scale : violation);
  }
  return worst;
}

/** X = AS + noise with about half of S zero, so that supports are neither full nor empty. */
function wellConditioned(r: Random, N: number, M: number, k: number): Problem {
  const A = matrix(N, k, uniformEntries(r, N * k));
  const X = matrix(N, M);
  for (let c = 0; c < M; c++) {
    for (let j = 0; j < k; j++) {
      const s = r.uniform() < 0.5 ? r.uniform() : 0;
      if (s > 0) for (let i = 0; i < N; i++) X.data[i * M + c] += A.data[i * k + j] * s;
    }
    for (let i = 0; i < N; i++) X.data[i * M + c] += r.uniform();
  }
  return { X, A };
}

/** Columns of A that differ from their neighbour by a part in a thousand: the Gram matrix has a condition number near 1e7. */
function illConditioned(r: Random, N: number, M: number, k: number): Problem {
  const { X, A } = wellConditioned(r, N, M, k);
  for (let i = 0; i < N; i++) for (let j = 1; j < k; j += 2) A.data[i * k + j] = A.data[i * k + j - 1] + 1e-3 * A.data[i * k + j];
  return { X, A };
}

function duplicateColumns(r: Random, N: number, M: number, k: number): Problem {
  const { X, A } = wellConditioned(r, N, M, k);
  for (let i = 0; i < N; i++) for (let j = 1; j < k; j += 2) A.data[i * k + j] = A.data[i * k + j - 1];
  return { X, A };
}

/** Columns of A that are sums of k / 4 others: pivoting begins with supports of which three quarters depend on the rest. */
function dependentColumns(r: Random, N: number, M: number, k: number): Problem {
  const rank = Math.ceil(k / 4);
  const basis = uniformEntries(r, N * rank);
  const A = matrix(N, k);
  for (let t = 0; t < rank; t++) {
    for (let j = 0; j < k; j++) {
      const share = r.uniform();
      for (let i = 0; i < N; i++) A.data[i * k + j] += basis[i * rank + t] * share;
    }
  }
  return { X: matrix(N, M, uniformEntries(r, N * M)), A };
}

/** Free in sign, with more columns than rows: supports are limited by the rank, and pivoting can go round in circles. */
function freeSign(r: Random, N: number, M: number, k: number): Problem {
  return { X: matrix(N, M, signedEntries(r, N * M)), A: matrix(N, k, signedEntries(r, N * k)) };
}

function zeroColumns(r: Random, N: number, M: number, k: number): Problem {
  const { X, A } = wellConditioned(r, N, M, k);
  for (let i = 0; i < N; i++) {
    A.data[i * k] = 0;
    X.data[i * M] = 0;
  }
  return { X, A };
}

/** Norms of columns that span a factor of a thousand, in X and in A. */
function badlyScaled(r: Random, N: number, M: number, k: number): Problem {
  const { X, A } = wellConditioned(r, N, M, k);
  const ofX = Float64Array.from({ length: M }, () => 10 ** (6 * r.uniform() - 3));
  const ofA = Float64Array.from({ length: k }, () => 10 ** (0.8 * r.uniform()));
  for (let i = 0; i < N; i++) {
    for (let c = 0; c < M; c++) X.data[i * M + c] *= ofX[c];
    for (let j = 0; j < k; j++) A.data[i * k + j] *= ofA[j];
  }
  return { X, A };
}

function kktCase(
  name: string,
  make: (r: Random, N: number, M: number, k: number) => Problem,
  N: number,
  M: number,
  k: number,
  {
    support = false,
    spill = false,
    group = false,
    once = false,
    pivots,
  }: { support?: boolean; spill?: boolean; group?: boolean; once?: boolean; pivots?: number } = {},
): Case {
  const kernel = `${spill ? ', factor in a buffer' : ''}${group ? ', in groups' : ''}`;
  return {
    name: `nnls ${name} N = ${N}, M = ${M}, k = ${k}${kernel}${pivots === undefined ? '' : ', by the active set'}`,
    once,
    async run({ engine: plain, engineWith }) {
      const seed = seedOf(this.name);
      const problem = make(random(seed), N, M, k);
      const forced = {
        ...(spill && { spill, spillBytes: 8 * 4 * k * (k + 1) }),
        ...(group && { group }),
        ...(pivots !== undefined && { pivots }),
      };
      const engine = Object.keys(forced).length > 0 ? await engineWith({ forced }) : plain;
      const { S, kktResidual, unconverged, support: mask } = await solve(engine, problem.X, problem.A);
      expectAtMost(`columns that hit the budget (seed ${seed})`, unconverged, 0);
      expectAtMost(`KKT residual in f64 (seed ${seed})`, strictKkt(problem, S), tolerance);
      expectAtMost(`KKT residual as reported (seed ${seed})`, kktResidual, tolerance);
      for (let i = 0; i < mask.length; i++)
        if ((mask[i] === 1) !== S.data[i] > 0) throw new Error(`support[${i}] is ${mask[i]} where S is ${S.data[i]}`);
      if (support) await compareSupport(problem, S, seed);
    },
  };
}

async function compareSupport({ X, A }: Problem, S: Matrix, seed: number): Promise<void> {
  using reference = createReferenceEngine();
  const truth = (await solve(reference, X, A)).S;
  for (let c = 0; c < S.cols; c++) {
    let largest = 0;
    for (let j = 0; j < S.rows; j++) largest = Math.max(largest, truth.data[j * S.cols + c]);
    for (let j = 0; j < S.rows; j++) {
      const ours = S.data[j * S.cols + c];
      const theirs = truth.data[j * S.cols + c];
      if (ours > 0 !== theirs > 0)
        expectAtMost(`an entry on only one support, column ${c}, row ${j} (seed ${seed})`, Math.max(ours, theirs), 1e-4 * largest);
    }
  }
}

/**
 * With λ₁ of the size of AᵀX itself, dense and sparse, small and large k: the conditions of the penalised problem hold, which a λ₁ of the
 * other sign, or of another size, breaks by its own size. Where λ₁ exceeds all of AᵀX, S is zero.
 */
const penalised = [5, 17, 33].flatMap((k) =>
  [false, true].map(
    (sparse): Case => ({
      name: `nnls with λ₁, ${sparse ? 'sparse' : 'dense'} X, k = ${k}`,
      async run({ engine }) {
        const seed = seedOf(this.name);
        const problem = wellConditioned(random(seed), 61, 23, k);
        const X = sparse ? sparseFromDense(problem.X) : problem.X;
        const l1 = 6;
        const { S, kktResidual, unconverged } = await solve(engine, X, problem.A, { l1 });
        expectAtMost(`columns that hit the budget (seed ${seed})`, unconverged, 0);
        expectAtMost(`KKT residual in f64 (seed ${seed})`, strictKkt(problem, S, l1), tolerance);
        expectAtMost(`KKT residual as reported (seed ${seed})`, kktResidual, tolerance);
        if (!(strictKkt(problem, S, -l1) > 1e3 * tolerance)) throw new Error('λ₁ is too small to tell its sign.');
        const none = await solve(engine, X, problem.A, { l1: 1e4 });
        if (none.S.data.some((s) => s !== 0)) throw new Error('S is not zero where λ₁ exceeds every entry of AᵀX.');
      },
    }),
  ),
);

const oddShapes = [
  kktCase('well-conditioned', wellConditioned, 5, 3, 1, { support: true }),
  kktCase('well-conditioned', wellConditioned, 31, 1, 7, { support: true }),
  kktCase('well-conditioned', wellConditioned, 87, 91, 9, { support: true }),
  kktCase('well-conditioned', wellConditioned, 67, 259, 16, { support: true }),
  kktCase('well-conditioned', wellConditioned, 71, 45, 17, { support: true }),
  kktCase('well-conditioned', wellConditioned, 71, 301, 21, { support: true, once: true }),
  kktCase('well-conditioned', wellConditioned, 101, 259, 32, { support: true, once: true }),
  kktCase('well-conditioned', wellConditioned, 127, 101, 33, { support: true }),
  kktCase('well-conditioned', wellConditioned, 257, 67, 64, { support: true }),
  kktCase('well-conditioned', wellConditioned, 515, 37, 128, { support: true }),
  kktCase('well-conditioned', wellConditioned, 9, 70_001, 4),
];

const hard = [7, 17, 33].flatMap((k) => [
  kktCase('ill-conditioned', illConditioned, 97, 61, k),
  kktCase('with duplicate columns', duplicateColumns, 97, 61, k),
  kktCase('with a zero column and zero data', zeroColumns, 97, 61, k, { support: true }),
  kktCase('badly scaled', badlyScaled, 97, 61, k),
  kktCase('more unknowns than data', wellConditioned, k - 2, 13, k),
  kktCase('free in sign', freeSign, 2 * k, 45, k, { support: true }),
]);

/** With dependent columns of both signs f32 Gram matrices cannot always tell the support; then the reported residual must say so. */
const dependent: Case = {
  name: 'nnls free in sign with more unknowns than data: what is left is reported',
  async run({ engine }) {
    for (const k of [7, 17, 33]) {
      const seed = seedOf(`${this.name} ${k}`);
      const problem = freeSign(random(seed), Math.ceil(0.6 * k), 45, k);
      const { S, kktResidual } = await solve(engine, problem.X, problem.A);
      // Reported from the f32 Gram matrix, whose own rounding is a few units of 1e-6 here.
      expectAtMost(
        `KKT residual in f64 against the reported one, k = ${k} (seed ${seed})`,
        strictKkt(problem, S),
        1.01 * kktResidual + tolerance,
      );
    }
  },
};

/** Pivoting gives up after one round, so that most columns go through the fallback. */
const fallback = [7, 16, 17].flatMap((k) => [
  kktCase('well-conditioned', wellConditioned, 97, 61, k, { support: true, pivots: 1 }),
  kktCase('ill-conditioned', illConditioned, 97, 61, k, { pivots: 1 }),
  kktCase('free in sign', freeSign, 2 * k, 45, k, { support: true, pivots: 1 }),
]);

const lowRank = [8, 9, 21, 40].map((k) => kktCase('with a rank of k / 4', dependentColumns, k + 29, 47, k));

const spilled = [kktCase('well-conditioned', wellConditioned, 87, 91, 9, { support: true, spill: true })];

const grouped = [
  kktCase('well-conditioned', wellConditioned, 87, 21, 9, { support: true, group: true }),
  kktCase('ill-conditioned', illConditioned, 97, 13, 17, { pivots: 1, group: true }),
  kktCase('with a rank of k / 4', dependentColumns, 50, 9, 21, { group: true }),
  kktCase('free in sign', freeSign, 40, 9, 33, { pivots: 1, group: true }),
];

const allZero: Case = {
  name: 'nnls of an all-zero X and of an all-zero A',
  async run({ engine }) {
    const A = matrix(6, 3, uniformEntries(random(1), 18));
    for (const [X, D] of [
      [matrix(6, 5), A],
      [matrix(6, 5, uniformEntries(random(2), 30)), matrix(6, 3)],
    ] as const) {
      const { S, kktResidual, unconverged } = await solve(engine, X, D);
      if (S.data.some((s) => s !== 0)) throw new Error('S is not zero');
      expectAtMost('KKT residual', kktResidual, 0);
      expectAtMost('unconverged', unconverged, 0);
    }
  },
};

/** What f32 cannot hold is no result: it is refused. A and X are far apart, and as small and as large as f32 allows. */
const overflow: Case[] = [1, 5, 20, 40].map((k) => ({
  name: `nnls whose solution f32 cannot hold, k = ${k}`,
  async run({ engine }) {
    const r = random(seedOf(this.name));
    const A = uniformEntries(r, 50 * k).map((a) => 1e-10 * (a + 0.1));
    const X = uniformEntries(r, 150).map((x) => 1e30 * (x + 0.1));
    const refused = await solve(engine, matrix(50, 3, X), matrix(50, k, A)).then(
      () => false,
      (error) => error instanceof InputError,
    );
    if (!refused) throw new Error('an S beyond f32 was not refused');
  },
}));

function vjpCase(N: number, M: number, k: number): Case {
  return {
    name: `nnlsVjp N = ${N}, M = ${M}, k = ${k}`,
    async run({ engine }) {
      const seed = seedOf(this.name);
      const r = random(seed);
      const { X, A } = wellConditioned(r, N, M, k);
      using reference = createReferenceEngine();
      // The reference's S on both sides: supports agree, so this is away from kinks by construction.
      const { S } = await solve(reference, X, A);
      const gradS = matrix(k, M, signedEntries(r, k * M));
      const actual = await nnlsVjp(engine, { X, A, S }, gradS);
      const expected = await nnlsVjp(reference, { X, A, S }, gradS);
      for (const name of ['gradX', 'gradA'] as const) {
        const error = relativeDifference(actual[name], expected[name]);
        expectAtMost(`relative error of ${name} (seed ${seed})`, error, 1e-3);
      }
    },
  };
}

function relativeDifference(actual: Matrix, expected: Matrix): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.data.length; i++) {
    difference += (actual.data[i] - expected.data[i]) ** 2;
    norm += expected.data[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

const gradients = [
  vjpCase(5, 3, 1),
  vjpCase(31, 9, 7),
  vjpCase(87, 91, 9),
  vjpCase(67, 259, 16),
  vjpCase(71, 133, 17),
  vjpCase(127, 101, 33),
  vjpCase(257, 67, 64),
  vjpCase(515, 37, 128),
];

/**
 * The device alone: dependent columns leave the support, in the solve and in the masked solve alike. With g = B the masked solve on the
 * support of S is S again.
 */
const droppedCases = (
  [
    [5, 9, 'free in sign'],
    [20, 33, 'free in sign'],
    [33, 64, 'free in sign'],
    [97, 7, 'with duplicate columns'],
    [97, 17, 'with duplicate columns'],
    [97, 40, 'with duplicate columns'],
    [20, 33, 'free in sign', 'in groups'],
    [97, 17, 'with duplicate columns', 'in groups'],
  ] as const
).map(
  ([N, k, kind, groups]): Case => ({
    name: `nnls drops what depends on the rest, ${kind}, N = ${N}, k = ${k}${groups ? `, ${groups}` : ''}`,
    once: k === 64,
    async run({ engine: plain, engineWith }) {
      const engine = groups ? await engineWith({ forced: { group: true } }) : plain;
      const seed = seedOf(this.name);
      const M = groups ? 21 : 61;
      const { X, A } = (kind === 'free in sign' ? freeSign : duplicateColumns)(random(seed), N, M, k);
      const p = programBuilder('dropped');
      const [x, a] = [p.input('X', N, M), p.input('A', N, k)];
      const [S, rounds, beta, residual] = [p.state('S', k, M), p.state('rounds', 1, M), p.state('beta', k, M), p.state('residual', 1, M)];
      p.section('all', () => {
        const { G, B } = forwardQ(p, x, a, S, { warm: false, rounds });
        p.kktResidual(G, B, S, { into: residual });
        p.maskedSolve(G, S, B, { into: beta });
      });
      using run = await engine.prepare(p.build());
      run.write(x, X.data);
      run.write(a, A.data);
      run.execute('all');
      const [s, used, back, left] = await run.sample([S, rounds, beta, residual]);
      // A support can be too ill-conditioned to be solved on in f32; that is said. A gradient is taken for rounding up to 1e-3 of max |b_i| / √g_ii.
      const settled = left.filter((_, c) => used[c] > 0);
      expectAtMost(`the KKT residual of columns that settled (seed ${seed})`, largest(settled), 3e-3);
      expectAtMost(`columns that did not settle (seed ${seed})`, countNegative(used), kind === 'free in sign' ? 0.1 * M : 0);
      const { kktResidual, unconverged } = await solve(engine, X, A, { polish: true });
      expectAtMost(`the KKT residual in f64 (seed ${seed})`, kktResidual, tolerance);
      expectAtMost(`columns that f64 did not settle, either (seed ${seed})`, unconverged, 0);
      if (!s.every(Number.isFinite)) throw new Error(`S has an entry that is not finite (seed ${seed})`);
      // Of two equal columns the later one leaves.
      const twins = s.some((value, at) => Math.floor(at / M) % 2 === 1 && value > 0 && s[at - M] > 0);
      if (kind !== 'free in sign' && twins) throw new Error(`two equal columns are in one support (seed ${seed})`);
      for (let at = 0; at < s.length; at++) {
        if (s[at] > 0 !== (back[at] !== 0))
          throw new Error(`entry ${at} is ${s[at]} in S and ${back[at]} in the masked solve (seed ${seed})`);
      }
    },
  }),
);

/** A column whose data lie off the features, beside ordinary ones: what is left of its S weighs nothing. The others count as ever. */
const vanishing: Case = {
  name: 'kktResidual of a column that vanishes beside the others, and of one that is wrong',
  async run({ engine }) {
    const p = programBuilder('vanishing');
    const [G, B, S] = [p.input('G', 2, 2), p.input('B', 2, 4), p.input('S', 2, 4)];
    const out = p.state('out', 1, 4);
    p.section('all', () => p.kktResidual(G, B, S, { into: out }));
    using run = await engine.prepare(p.build());
    run.write(G, [1, 0, 0, 4]);
    // Solved; vanishing, with an S three times too large; small and wrong by half; wrong by a tenth.
    run.write(B, [3, 2 ** -40, 2 ** -9, 3, 8, 0, 0, 8]);
    run.write(S, [3, 3 * 2 ** -40, 2 ** -10, 3, 2, 0, 0, 1.8]);
    run.execute('all');
    const [found] = await run.sample([out]);
    const expected = [0, (2 * 2 ** -40) / (8 * 2 ** -12), 0.5, 0.8 / 8];
    expectClose('the residuals', found, expected, { terms: 2, scale: 1 });
    expectAtMost('that of the solved column', found[0], 0);
    if (!(Math.abs(found[1] - expected[1]) <= 1e-6 * expected[1]))
      throw new Error(`the vanishing column has ${found[1]}, not ${expected[1]}`);
  },
};

/** Where B is zero everywhere there is nothing to be relative to: a residual is what it is, and zero where S is zero. */
const ofNothing: Case = {
  name: 'kktResidual where B is zero everywhere',
  async run({ engine }) {
    const p = programBuilder('of nothing');
    const [G, B, S] = [p.input('G', 2, 2), p.input('B', 2, 5), p.input('S', 2, 5)];
    const out = p.state('out', 1, 5);
    p.section('all', () => p.kktResidual(G, B, S, { into: out }));
    for (const own of [engine, createReferenceEngine()]) {
      using run = await own.prepare(p.build());
      run.write(G, [1, 0, 0, 4]);
      run.write(B, new Float32Array(10));
      run.write(S, [0, 1, 0, 0, 2, 0, 0, 0.5, 0, 2]);
      run.execute('all');
      const [found] = await run.sample([out]);
      if (found.join() !== '0,1,2,0,8') throw new Error(`The residuals of ${own.kind} are ${found.join()}, not 0,1,2,0,8.`);
    }
  },
};

export const nnls: Case[] = [
  ...oddShapes,
  ...hard,
  ...fallback,
  ...lowRank,
  ...spilled,
  ...grouped,
  ...penalised,
  dependent,
  allZero,
  ...overflow,
  ...gradients,
  ...droppedCases,
  vanishing,
  ofNothing,
];
