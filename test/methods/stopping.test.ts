/** The stopping rules end a fit at the first check that meets them, and the result says what each measured there. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import type { Checkpoint } from '../../src/methods/checkpoint.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { nmf } from '../../src/methods/nmf.js';
import { modelFiles, modelFromFiles } from '../../src/models/files.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const X = randomLowRank(12, 15, 3, { seed: 4, noise: 1 });
const start = { A: randomLowRank(12, 3, 3, { seed: 5 }), S: randomLowRank(3, 15, 3, { seed: 6 }) };
const common = { ranks: 3, svdBound: false, start };

const entry = ({ cols, data }: Matrix, i: number, j: number) => data[i * cols + j];
const turned = (M: Matrix): Matrix => ({
  rows: M.cols,
  cols: M.rows,
  data: Float32Array.from(M.data, (_, at) => entry(M, at % M.rows, Math.floor(at / M.rows))),
});

/** The largest |min(g_jj s_j, (Gs − b)_j)| / max |b| of a column of S, G = AᵀA and b = Aᵀx, in plain loops. */
function residualOf(X: Matrix, A: Matrix, S: Matrix): number {
  const sum = (term: (i: number) => number) => Array.from({ length: X.rows }, (_, i) => term(i)).reduce((a, b) => a + b, 0);
  const units = Array.from({ length: A.cols }, (_, j) => j);
  let worst = 0;
  for (let c = 0; c < X.cols; c++) {
    const b = units.map((j) => sum((i) => entry(A, i, j) * entry(X, i, c)));
    const slack = units.map((j) => {
      const Gs = units.map((l) => sum((i) => entry(A, i, j) * entry(A, i, l)) * entry(S, l, c)).reduce((a, x) => a + x, 0);
      return Math.abs(Math.min(sum((i) => entry(A, i, j) ** 2) * entry(S, j, c), Gs - b[j]));
    });
    worst = Math.max(worst, Math.max(...slack) / Math.max(...b));
  }
  return worst;
}

const ofBoth = (A: Matrix, S: Matrix) => Math.max(residualOf(X, A, S), residualOf(turned(X), turned(S), turned(A)));

test.each(['hals', 'mu'] as const)("'kkt' ends '%s' at the first check with a residual of so much of the start's", async (solver) => {
  using engine = createReferenceEngine();
  const options = { ...common, solver, stopping: 'kkt', tolerance: 1e-3, checkEvery: 5 } as const;
  const { A, S, stopReason, stopping, iterations, kktResidual } = await nmf(engine, X, options);
  const ratio = ofBoth(A[0], S[0]) / ofBoth(start.A, start.S);
  expect(stopReason).toBe('tolerance');
  expect(ratio).toBeLessThanOrEqual(1e-3 + 1e-5);
  // Factors are rounded to f32, which moves a residual by about 1e-7 of the largest |b|.
  expect(Math.abs(stopping!.kktRatio! - ratio)).toBeLessThan(1e-5);
  expect(Math.abs(kktResidual - ofBoth(A[0], S[0]))).toBeLessThan(1e-6);
  const before = await nmf(engine, X, { ...options, maxIterations: iterations - 5 });
  expect(before.stopReason).toBe('maxIterations');
  expect(ofBoth(before.A[0], before.S[0]) / ofBoth(start.A, start.S)).toBeGreaterThan(1e-3);
});

test("'kkt' ends 'anls', each restart by its own residual; 1e-4 by default", async () => {
  using engine = createReferenceEngine();
  const options = { ranks: 3, svdBound: false, seed: 1, stopping: 'kkt' } as const;
  const model = await nmf(engine, X, { ...options, restarts: 3 });
  expect([model.stopReason, model.settings.tolerance, model.stopping!.rule]).toEqual(['tolerance', 1e-4, 'kkt']);
  expect(model.stopping!.kktRatio!).toBeLessThanOrEqual(1e-4);
  const alone = await nmf(engine, X, options);
  expect((await nmf(engine, X, { ...options, restarts: 2 })).restartErrors[0]).toBe(alone.restartErrors[0]);
});

test('the result says what every rule measured at the end, and files keep it', async () => {
  using engine = createReferenceEngine();
  const model = await nmf(engine, X, { ...common, solver: 'hals', stopping: 'initialError', tolerance: 1e-3 });
  const errors = model.history.map(({ relativeError }) => relativeError);
  const [before, last] = errors.slice(-2);
  const { rule, relativeChange, initialErrorFall, kktRatio } = model.stopping!;
  expect([rule, kktRatio]).toEqual(['initialError', null]);
  expect(initialErrorFall! / ((before - last) / errors[0])).toBeCloseTo(1, 6);
  expect(relativeChange! / ((before ** 2 - last ** 2) / last ** 2 / 10)).toBeCloseTo(1, 6);
  expect(initialErrorFall).toBeLessThan(1e-3);
  const settled = await nmf(engine, X, { ...common, solver: 'hals', tolerance: 1e-4 });
  expect(settled.stopping!.relativeChange!).toBeLessThanOrEqual(1e-4);
  const files = modelFiles(model);
  const read = await modelFromFiles((name) => Promise.resolve(Buffer.from(files[name] as string)));
  expect(read.stopping).toEqual(model.stopping);
});

test("a method without the rule 'kkt' refuses it", async () => {
  using engine = createReferenceEngine();
  const fit = hierarchicalNmf(engine, X, { ranks: [3, 2], stopping: 'kkt' });
  await expect(fit).rejects.toThrow(InputError);
  await expect(fit).rejects.toThrow(/'stopping' is 'kkt', which hierarchical does not have/);
});

describe("'violation'", () => {
  const here = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
  const { rows, cols, k, V, W0, H0 } = here('./sklearn-nmf.json');
  const golden: { tol: number; alpha_W: number; alpha_H: number; n_iter: number; error: number }[] = here('./sklearn-violation.json').cases;
  const data = matrix(rows, cols, V);
  const given = { start: { A: matrix(rows, k, W0), S: matrix(k, cols, H0) }, ranks: k, svdBound: false, solver: 'hals' } as const;
  const rule = { stopping: 'violation', checkEvery: 1, maxIterations: 5000 } as const;

  test.each(golden)('ends with scikit-learn at tol $tol, alpha $alpha_W and $alpha_H: $n_iter iterations', async (wanted) => {
    using engine = createReferenceEngine();
    const [a, s] = [wanted.alpha_W / 2, wanted.alpha_H / 2];
    const penalties = a > 0 ? { l1A: a, l2A: a, l1S: s, l2S: s } : {};
    const model = await nmf(engine, data, { ...given, ...rule, ...penalties, tolerance: wanted.tol });
    expect([model.iterations, model.stopReason, model.stopping!.rule]).toEqual([wanted.n_iter, 'tolerance', 'violation']);
    expect(model.stopping!.violationRatio!).toBeLessThanOrEqual(wanted.tol);
    expect(model.stopping!.kktRatio).toBeNull();
    // V, W0 and H0 have six decimals there and are f32 here.
    expect(Math.abs((model.relativeError * Math.hypot(...V)) / wanted.error - 1)).toBeLessThan(1e-5);
  });

  test('is a difference that every check tells, on the device and for a sparse X, from the first iteration on', async () => {
    using engine = await createEngine();
    for (const X of [data, sparseFromDense(data)]) {
      const model = await nmf(engine, X, { ...given, ...rule, checkEvery: 10, tolerance: 1e-2 });
      // 27 iterations with a check at each: see the golden numbers.
      expect([model.iterations, model.history[0].iteration, model.history[1].iteration]).toEqual([30, 1, 10]);
    }
  });

  test("ends 'anls' by what each solve meets: the gradient at the factors before it", async () => {
    using engine = createReferenceEngine();
    const options = { ...given, solver: 'anls', l2A: 0.01, l2S: 0.01, stopping: 'violation', checkEvery: 1 } as const;
    // The gradient in plain loops: of A at (A, S), then of S at (A⁺, S).
    const projected = (F: Matrix, X: Matrix, D: Matrix, l2: number) => {
      let sum = 0;
      for (let c = 0; c < X.cols; c++)
        for (let j = 0; j < D.cols; j++) {
          let slope = l2 * entry(F, j, c);
          for (let i = 0; i < X.rows; i++) {
            let fit = -entry(X, i, c);
            for (let l = 0; l < D.cols; l++) fit += entry(D, i, l) * entry(F, l, c);
            slope += entry(D, i, j) * fit;
          }
          sum += entry(F, j, c) > 0 ? Math.abs(slope) : Math.max(-slope, 0);
        }
      return sum;
    };
    const two = async (iterations: number) => {
      const before = await nmf(engine, data, { ...options, tolerance: 0, maxIterations: iterations });
      const after = await nmf(engine, data, { ...options, tolerance: 0, maxIterations: iterations + 1 });
      const [A, S] = [before.A[0], before.S[0]];
      const ofA = projected(turned(A), turned(data), turned(S), 0.01 * cols);
      return { sum: ofA + projected(S, data, after.A[0], 0.01 * rows), ratio: after.stopping!.violationRatio! };
    };
    const [second, fourth] = [await two(1), await two(3)];
    expect(Math.abs(fourth.sum / second.sum / (fourth.ratio / second.ratio) - 1)).toBeLessThan(1e-3);
  });

  test.each([
    ['mu', { solver: 'mu' }, /'violation', which 'mu' does not meet.*'kkt', or the solver 'hals'/],
    [
      'weights',
      { solver: 'hals', weights: matrix(12, 15, new Array(180).fill(1)) },
      /'violation', which has no sum .* weights.*choose 'kkt'/,
    ],
  ] as const)('is refused with %s', async (_, options, message) => {
    using engine = createReferenceEngine();
    const error = await nmf(engine, X, { ranks: 3, stopping: 'violation', ...options }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect([error.option, error.message]).toEqual(['stopping', expect.stringMatching(message)]);
  });

  test('goes on from a checkpoint to the same end, and is kept in files', async () => {
    using engine = createReferenceEngine();
    const options = { ...given, ...rule, tolerance: 1e-2 };
    let checkpoint: Checkpoint | undefined;
    const save = (kept: Checkpoint) => {
      checkpoint = kept;
    };
    const whole = await nmf(engine, data, options);
    await nmf(engine, data, { ...options, maxIterations: 12, checkpoint: { seconds: 1e-9, save } });
    const resumed = await nmf(engine, data, { ...options, resume: checkpoint });
    expect(resumed.iterations).toBe(whole.iterations);
    const files = modelFiles(whole);
    const read = await modelFromFiles((name) => Promise.resolve(Buffer.from(files[name] as string)));
    expect(read.stopping).toEqual(whole.stopping);
  });
});
