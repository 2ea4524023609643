/** The stopping rules end a fit at the first check that meets them, and the result says what each measured there. */
import { expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import type { Matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { nmf } from '../../src/methods/nmf.js';
import { modelFiles, modelFromFiles } from '../../src/models/files.js';
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
