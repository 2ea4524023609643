/**
 * Digits of S that no KKT residual from a Gram matrix sees: S against Householder's QR in f64 on its own support, with the signs of the
 * gradient checked from A itself. Neither uses normal equations.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { type Random, random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { timesPowerOfTwo } from '../../src/data/unit.js';
import { type Engine, withRun } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { exactLayers } from '../../src/methods/exact-layers.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls, nnlsVjp } from '../../src/methods/q.js';
import { transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { qGradientProgram } from '../../src/programs/q.js';

let started: Promise<Engine> | undefined;
const software = () => {
  started ??= createEngine();
  return started;
};
afterAll(async () => (await started)?.dispose());

/** Columns that share one direction, up to 1 / condition; X = AS + noise. */
function problem(r: Random, condition: number, { N = 41, M = 23, k = 5, noise = 1e-3, signed = false } = {}) {
  const entry = () => (signed ? r.normal() : r.uniform());
  const common = Float64Array.from({ length: N }, entry);
  const A = matrix(N, k);
  for (let n = 0; n < N; n++) for (let j = 0; j < k; j++) A.data[n * k + j] = common[n] + entry() / condition;
  const X = matrix(N, M);
  for (let c = 0; c < M; c++) {
    const s = Array.from({ length: k }, () => (r.uniform() < 0.7 ? r.uniform() : 0));
    for (let n = 0; n < N; n++) {
      let x = (noise * entry()) / condition;
      for (let j = 0; j < k; j++) x += A.data[n * k + j] * s[j];
      X.data[n * M + c] = x;
    }
  }
  return { X, A };
}

/** min ‖x − A_P s‖ by Householder's QR. */
function leastSquares(A: Matrix, P: readonly number[], x: Float64Array): Float64Array {
  const p = P.length;
  const Q = P.map((j) => Float64Array.from({ length: A.rows }, (_, n) => A.data[n * A.cols + j]));
  const right = x.slice();
  for (let i = 0; i < p; i++) {
    const v = Q[i].map((q, n) => (n < i ? 0 : q));
    const norm = Math.hypot(...v);
    v[i] += v[i] < 0 ? -norm : norm;
    const squares = v.reduce((sum, q) => sum + q * q, 0);
    for (const column of [...Q.slice(i), right]) {
      const share = (2 * v.reduce((sum, q, n) => sum + q * column[n], 0)) / squares;
      for (let n = i; n < A.rows; n++) column[n] -= share * v[n];
    }
  }
  const s = new Float64Array(p);
  for (let i = p - 1; i >= 0; i--) {
    let sum = right[i];
    for (let t = i + 1; t < p; t++) sum -= Q[t][i] * s[t];
    s[i] = sum / Q[i][i];
  }
  return s;
}

/** β with (A_PᵀA_P) β = g, that is A_P⁺ A_P⁺ᵀ g: the columns of the pseudoinverse are the solutions of unit vectors. */
function normalSolution(A: Matrix, P: readonly number[], g: (j: number) => number): Float64Array {
  const pseudoinverse = Array.from({ length: A.rows }, (_, n) => {
    const e = new Float64Array(A.rows);
    e[n] = 1;
    return leastSquares(A, P, e);
  });
  const along = pseudoinverse.map((column) => column.reduce((sum, x, i) => sum + x * g(P[i]), 0));
  return Float64Array.from(P, (_, i) => pseudoinverse.reduce((sum, column, n) => sum + column[i] * along[n], 0));
}

/** The largest ‖s − truth‖ / ‖truth‖, and the largest gain of an unknown off the support, relative to ‖a‖‖x‖. */
function errorOf({ X, A }: { X: Matrix; A: Matrix }, S: ArrayLike<number>): { error: number; sign: number } {
  const [k, M] = [A.cols, X.cols];
  let error = 0;
  let sign = 0;
  for (let c = 0; c < M; c++) {
    const x = Float64Array.from({ length: X.rows }, (_, n) => X.data[n * M + c]);
    const P = Array.from({ length: k }, (_, j) => j).filter((j) => S[j * M + c] > 0);
    const truth = leastSquares(A, P, x);
    const norm = Math.hypot(...truth);
    error = Math.max(error, Math.hypot(...truth.map((s, i) => s - S[P[i] * M + c])) / (norm || 1)); // 0 of 0 where S is 0
    const residual = x.map((value, n) => P.reduce((left, j, i) => left - A.data[n * k + j] * truth[i], value));
    const size = Math.hypot(...x);
    for (let j = 0; j < k; j++) {
      if (P.includes(j)) continue;
      const a = Float64Array.from({ length: A.rows }, (_, n) => A.data[n * k + j]);
      sign = Math.max(sign, a.reduce((sum, value, n) => sum + value * residual[n], 0) / (Math.hypot(...a) * size));
    }
  }
  return { error, sign };
}

const conditions = [1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

describe.each([false, true])('features free in sign: %s', (signed) => {
  test.each(conditions)('S is that of f64 at a spread of 1/%d', async (condition) => {
    const engine = await software();
    const given = problem(random(condition), condition, { signed });
    for (const X of [given.X, sparseFromDense(given.X)]) {
      const { S, unconverged, illConditioned, kktResidual } = await nnls(engine, X, given.A);
      const { error, sign } = errorOf(given, S.data);
      // f64 itself, with QR: κ 2⁻⁵³ and the square of κ times the residual's share, far below.
      expect(error).toBeLessThan(1e-3);
      expect(sign).toBeLessThan(1e-5);
      expect(unconverged).toBe(0);
      expect(kktResidual).toBeLessThan(1e-5);
      // The condition is a few times 1 / spread; 2⁻²⁴ of it is 1e-3 at 17,000.
      if (condition <= 1e3) expect(illConditioned).toBe(0);
      if (condition >= 1e5) expect(illConditioned).toBeGreaterThan(0);
    }
  });
});

test('the transform of every method with exact solves has the digits that nnls has', async () => {
  const engine = await software();
  const r = random(31);
  const given = problem(r, 1e3, { noise: 1e-2 });
  const B = matrix(5, 2, [1, 0, 1, 1, 0, 1, 0.5, 0, 0, 2]);
  const model = (method: string, settings: object) => ({ method, A: [given.A, B], ranks: [5, 2], settings }) as unknown as Factorization;
  const models = [
    model('hierarchical', {}),
    model('neural', { l1: [0, 0] }),
    model('sparse-coding', { l1: [0, 0] }),
    model('deep', { pooling: 'none', activation: 'identity' }),
    { ...model('nmf', {}), A: [given.A], ranks: [5] },
    { ...model('ssnmf', { model: 1 }), A: [given.A], ranks: [5] },
    { ...model('deep-semi', { nonlinearity: 'identity' }), A: [given.A], ranks: [5] },
  ] as Factorization[];
  for (const one of models) {
    const S = await transform(engine, one, given.X);
    expect(errorOf(given, S[0].data).error, one.method).toBeLessThan(1e-3);
    if (S.length > 1) expect(errorOf({ X: S[0], A: B }, S[1].data).error, one.method).toBeLessThan(1e-3);
  }
});

test('exactLayers mends what a device left, layer after layer, and leaves the rest as it is', () => {
  const r = random(3);
  const given = problem(r, 1e3, { noise: 1e-2 });
  const B = matrix(5, 2, [1, 0, 1, 1, 0, 1, 0.5, 0, 0, 2]);
  const wrong = matrix(
    5,
    23,
    Float32Array.from({ length: 115 }, () => r.uniform()),
  );
  const under = matrix(
    2,
    23,
    Float32Array.from({ length: 46 }, () => r.uniform()),
  );
  const { S, moved, unconverged, illConditioned, untrusted } = exactLayers(given.X, [given.A, B], [wrong, under]);
  expect([moved, unconverged, illConditioned]).toEqual([true, 0, 0]);
  // Columns of S with one positive entry alone are sure.
  const several = Array.from({ length: 23 }, (_, c) => c).filter(
    (c) => Array.from({ length: 5 }, (_, j) => S[0].data[j * 23 + c]).filter((s) => s > 0).length > 1,
  );
  expect(untrusted).toBe(several.length);
  expect(errorOf(given, S[0].data).error).toBeLessThan(1e-6);
  // The second layer is well-conditioned; it is solved again since the first one moved.
  expect(errorOf({ X: S[0], A: B }, S[1].data).error).toBeLessThan(1e-6);
  const again = exactLayers(S[0], [B], [S[1]]);
  expect(again.S[0]).toBe(S[1]);
  expect(again.moved).toBe(false);
  const unsettled = exactLayers(S[0], [B], [under], { rounds: [Float32Array.from({ length: 23 }, () => -1)] });
  expect(errorOf({ X: S[0], A: B }, unsettled.S[0].data).error).toBeLessThan(1e-6);
});

test('exactLayers with weights solves every column with its own', () => {
  const r = random(8);
  const { X, A } = problem(r, 1e3, { M: 1 });
  const W = matrix(
    41,
    1,
    Float32Array.from({ length: 41 }, () => (r.uniform() < 0.2 ? 0 : 2 * r.uniform())),
  );
  const { S } = exactLayers(X, [A], [matrix(5, 1, new Float32Array(5).fill(1))], { weights: W });
  const weigh = (Y: Matrix) =>
    ({ ...Y, data: Float64Array.from(Y.data, (y, at) => y * W.data[Math.floor(at / Y.cols)]) }) as unknown as Matrix;
  const { error, sign } = errorOf({ X: weigh(X), A: weigh(A) }, S[0].data);
  expect(error).toBeLessThan(1e-6);
  expect(sign).toBeLessThan(1e-7);
});

test.each([
  [1e6, 0],
  [1e8, 1],
  [1e12, 2],
])('signed features of condition %d: never worse than S = 0', async (condition, seed) => {
  const engine = await software();
  const [N, k, M] = [30, 8, 40];
  const r = random(seed);
  const orthonormal = (rows: number) => {
    const columns: Float64Array[] = [];
    while (columns.length < k) {
      const v = Float64Array.from({ length: rows }, () => r.normal());
      for (let pass = 0; pass < 2; pass++)
        for (const u of columns) {
          const share = u.reduce((sum, q, n) => sum + q * v[n], 0);
          for (let n = 0; n < rows; n++) v[n] -= share * u[n];
        }
      const norm = Math.hypot(...v);
      columns.push(v.map((q) => q / norm));
    }
    return columns;
  };
  const [U, V] = [orthonormal(N), orthonormal(k)];
  const A = matrix(N, k);
  for (let t = 0; t < k; t++)
    for (let n = 0; n < N; n++) for (let j = 0; j < k; j++) A.data[n * k + j] += U[t][n] * condition ** (-t / (k - 1)) * V[t][j];
  const X = matrix(
    N,
    M,
    Float32Array.from({ length: N * M }, () => r.normal()),
  );
  const { S, kktResidual, unconverged } = await nnls(engine, X, A);
  for (let c = 0; c < M; c++) {
    let [at, zero] = [0, 0];
    for (let n = 0; n < N; n++) {
      let left = X.data[n * M + c];
      zero += left * left;
      for (let j = 0; j < k; j++) left -= A.data[n * k + j] * S.data[j * M + c];
      at += left * left;
    }
    expect(at, `column ${c}`).toBeLessThanOrEqual(zero);
  }
  // Rounding S to f32 alone moves AS by more than the tolerance here, and that is said. The S of f64 meets the conditions.
  expect(unconverged > 0).toBe(kktResidual > 1e-5);
  const { unconverged: inF64, kktResidual: left } = await nnls(engine, X, A, { polish: true });
  expect([inF64, left < 1e-5]).toEqual([0, true]);
});

test('units of X and A, columns of A apart, change nothing but the scale of S', async () => {
  const engine = await software();
  const { X, A } = problem(random(11), 3, { noise: 0.5 });
  const plain = await nnls(engine, X, A);
  for (const [ofX, ofA] of [
    [-100, 0],
    [0, 66],
    [0, -70],
    [90, 80],
    [-60, -60],
  ]) {
    const columns = Array.from({ length: 5 }, (_, j) => ofA + 3 * j);
    const scaledA = { ...A, data: A.data.map((a, at) => a * 2 ** columns[at % 5]) };
    const scaled = await nnls(engine, { ...X, data: timesPowerOfTwo(X.data, ofX) }, scaledA);
    expect(scaled.kktResidual).toBe(plain.kktResidual);
    plain.S.data.forEach((s, at) => {
      expect(scaled.S.data[at]).toBe(Math.fround(s * 2 ** (ofX - columns[Math.floor(at / 23)])));
    });
    const withL1 = await nnls(engine, X, A, { l1: 0.3 });
    const scaledL1 = await nnls(
      engine,
      { ...X, data: timesPowerOfTwo(X.data, ofX) },
      { ...A, data: timesPowerOfTwo(A.data, ofA) },
      {
        l1: 0.3 * 2 ** (ofX + ofA),
      },
    );
    expect(scaledL1.S.data).toEqual(timesPowerOfTwo(withL1.S.data, ofX - ofA));
  }
});

test('a penalty takes what the formula says from every unknown', async () => {
  const engine = await software();
  // Columns that do not meet: s_j = max(a_jᵀx − λ, 0) / a_jᵀa_j.
  const A = matrix(3, 2, [1, 0, 2, 0, 0, 4]);
  const X = matrix(3, 3, [1, 0.1, 0, 3, 0.2, 1, 2, 5, 0.01]);
  for (const polish of [false, true]) {
    const { S, kktResidual } = await nnls(engine, X, A, { l1: 0.6, polish });
    const expected = [7 - 0.6, 0, 2 - 0.6, 8 - 0.6, 20 - 0.6, 0].map((b, at) => b / (at < 3 ? 5 : 16)).map((s) => Math.max(s, 0));
    S.data.forEach((s, at) => {
      expect(Math.abs(s - expected[at])).toBeLessThan(1e-6);
    });
    expect(kktResidual).toBeLessThan(1e-6);
  }
});

test('an S beyond f32 is refused, not infinite and not 0', async () => {
  const engine = await software();
  const { X, A } = problem(random(12), 3);
  for (const [ofX, ofA] of [
    [100, -100],
    [-80, 80],
  ])
    for (const polish of [false, true])
      await expect(
        nnls(engine, { ...X, data: timesPowerOfTwo(X.data, ofX) }, { ...A, data: timesPowerOfTwo(A.data, ofA) }, { polish }),
      ).rejects.toThrow(InputError);
});

test('a gradient beyond f32 is refused', async () => {
  const engine = await software();
  const { X, A } = problem(random(13), 3, { M: 3 });
  const small = { ...A, data: timesPowerOfTwo(A.data, -60) };
  const S = (await nnls(engine, X, small)).S;
  const gradS = matrix(5, 3, new Float32Array(15).fill(1e20));
  await expect(nnlsVjp(engine, { X, A: small, S }, gradS)).rejects.toThrow(InputError);
});

test('the gradient of q where features are nearly dependent, against differences of QR', async () => {
  const engine = await software();
  const r = random(21);
  for (const condition of [1e1, 1e3, 1e4]) {
    const { X, A } = problem(r, condition, { M: 3, noise: 1e-2 });
    const { S } = await nnls(engine, X, A);
    const gradS = matrix(
      5,
      3,
      Float32Array.from({ length: 15 }, () => r.normal()),
    );
    const { gradX } = await nnlsVjp(engine, { X, A, S }, gradS);
    // S is linear in X on its support, so ∂C/∂x_n is the C of the unit vector e_n.
    let [difference, norm] = [0, 0];
    for (let c = 0; c < 3; c++) {
      const P = Array.from({ length: 5 }, (_, j) => j).filter((j) => S.data[j * 3 + c] > 0);
      for (let n = 0; n < 41; n++) {
        const e = new Float64Array(41);
        e[n] = 1;
        const derivative = leastSquares(A, P, e).reduce((sum, s, i) => sum + s * gradS.data[P[i] * 3 + c], 0);
        difference += (derivative - gradX.data[n * 3 + c]) ** 2;
        norm += derivative ** 2;
      }
    }
    // β is rounded to f32, and Aβ cancels up to 1 / condition of it.
    expect(Math.sqrt(difference / norm), `spread 1/${condition}`).toBeLessThan(condition * 2 ** -22);
  }
});

test('gradients within a fit have three digits, or are counted', async () => {
  const engine = await software();
  const r = random(77);
  let [sure, unsure] = [0, 0];
  for (const spread of [1, 3, 10, 30, 100, 1000]) {
    for (let trial = 0; trial < 4; trial++) {
      const k = 3 + r.integer(6);
      const { X, A } = problem(r, spread, { k, M: 9, noise: 1e-2 });
      const { S } = await nnls(engine, X, A);
      const gradS = Float32Array.from({ length: k * 9 }, () => r.normal());
      const { program, ...t } = qGradientProgram(41, 9, k);
      const [device] = await withRun(engine, program, (run) => {
        run.write(t.X, X.data);
        run.write(t.A, A.data);
        run.write(t.S, S.data);
        run.write(t.dS, gradS);
        run.execute('solve');
        return run.sample([t.beta]);
      });
      const units = Array.from({ length: k }, (_, j) => Math.hypot(...Array.from({ length: 41 }, (_, n) => A.data[n * k + j])));
      for (let c = 0; c < 9; c++) {
        const P = Array.from({ length: k }, (_, j) => j).filter((j) => S.data[j * 9 + c] > 0);
        const truth = normalSolution(A, P, (j) => gradS[j * 9 + c]);
        const size = Math.hypot(...truth.map((b, i) => b * units[P[i]]));
        const error = Math.hypot(...truth.map((b, i) => (b - device[P[i] * 9 + c]) * units[P[i]])) / (size || 1);
        const column = { ...X, cols: 1, data: Float32Array.from({ length: 41 }, (_, n) => X.data[n * 9 + c]) };
        const own = matrix(
          k,
          1,
          Float32Array.from({ length: k }, (_, j) => S.data[j * 9 + c]),
        );
        const { untrusted } = exactLayers(column, [A], [own]);
        if (untrusted === 0) {
          sure++;
          expect(error, `spread 1/${spread}, trial ${trial}, column ${c}`).toBeLessThan(1e-3);
        } else unsure++;
      }
    }
  }
  // Neither says yes to everything.
  expect(sure).toBeGreaterThan(40);
  expect(unsure).toBeGreaterThan(40);
});

test('a fit says of how many columns its gradients have lost digits', async () => {
  const engine = await software();
  const { X, A } = problem(random(5), 300, { noise: 1e-2 });
  const B = matrix(5, 2, [1, 0, 1, 1, 0, 1, 0.5, 0, 0, 2]);
  const apart = matrix(
    41,
    5,
    Float32Array.from({ length: 205 }, (_, at) => (Math.floor(at / 5) % 5 === at % 5 ? 1 : 0.01)),
  );
  for (const [first, counted] of [
    [A, true],
    [apart, false],
  ] as const) {
    const fitted = await neuralNmf(engine, X, { ranks: [5, 2], start: { A: [first, B] }, maxIterations: 1, tolerance: 0, restarts: 1 });
    expect(fitted.illConditionedGradients > 0).toBe(counted);
    expect(fitted.illConditioned).toBe(0);
    const coded = await nmf(engine, X, { ranks: 5, solver: 'anls', maxIterations: 1, tolerance: 0 });
    expect(coded.illConditionedGradients).toBe(0);
  }
});
