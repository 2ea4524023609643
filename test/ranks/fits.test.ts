/** Masks, and fits of which every restart sees other entries or other data. */
import { expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import type { Engine } from '../../src/engine.js';
import { nmf } from '../../src/methods/nmf.js';
import { createEngine } from '../../src/node/engine.js';
import { heldOutProgram } from '../../src/programs/held-out.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { heldOutFits, perturbedFits, replicates, svdStart } from '../../src/ranks/fits.js';
import { speckled } from '../../src/ranks/masks.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const [N, M, k, R] = [13, 11, 3, 3];
const X = randomLowRank(N, M, 4, { seed: 5, noise: 0.2 });
const masks = Array.from({ length: R }, (_, mask) => speckled(X, 0.25, { seed: 2, mask }));
const settings = { seed: 1, restarts: R, maxIterations: 40, tolerance: 0 };

test('masks hide a share of the entries, never a whole row or column, and nothing that is missing', () => {
  const large = { rows: 120, cols: 90 };
  const mask = speckled(large, 0.1, { seed: 4, mask: 1 });
  const count = mask.reduce((sum, h) => sum + h, 0);
  // Binomial: five standard deviations of 10800 entries.
  expect(Math.abs(count - 1080)).toBeLessThan(5 * Math.sqrt(10800 * 0.09));
  expect(speckled(large, 0.1, { seed: 4, mask: 1 })).toEqual(mask);
  expect(speckled(large, 0.1, { seed: 4, mask: 2 })).not.toEqual(mask);
  const small = { rows: 4, cols: 3 };
  const missing = Float32Array.from({ length: 12 }, (_, at) => (at % 5 === 0 ? 1 : 0));
  for (let seed = 0; seed < 40; seed++) {
    const hidden = speckled(small, 0.7, { seed, mask: 0, missing });
    expect(hidden.some((h, at) => h === 1 && missing[at] === 1)).toBe(false);
    const seen = (at: number) => hidden[at] === 0 && missing[at] === 0;
    for (let i = 0; i < 4; i++)
      expect(
        [0, 1, 2].some((j) => seen(3 * i + j)),
        `seed ${seed}, row ${i}`,
      ).toBe(true);
    for (let j = 0; j < 3; j++)
      expect(
        [0, 1, 2, 3].some((i) => seen(3 * i + j)),
        `seed ${seed}, column ${j}`,
      ).toBe(true);
  }
});

/** Costs of every restart before and after each of some steps, and the factors. */
async function steps(engine: Engine, hidden: readonly Float32Array[], data: Matrix, count: number) {
  const t = heldOutProgram(N, M, k, hidden.length);
  using run = await engine.prepare(t.program);
  const { uniform } = random(9);
  const start = (size: number) => Float32Array.from({ length: size }, () => uniform());
  const [A0, S0] = [start(N * k), start(k * M)];
  const all = (one: (r: number) => ArrayLike<number>, size: number) => {
    const entries = new Float32Array(size * hidden.length);
    hidden.forEach((_, r) => {
      entries.set(Float32Array.from(one(r)), r * size);
    });
    return entries;
  };
  run.write(
    t.shown,
    all((r) => data.data.map((x, at) => (hidden[r][at] === 1 ? 0 : x)), N * M),
  );
  run.write(
    t.hidden,
    all((r) => hidden[r], N * M),
  );
  run.write(
    t.A,
    all(() => A0, N * k),
  );
  run.write(
    t.S,
    all(() => S0, k * M),
  );
  const costs: number[][] = [];
  for (let step = 0; step <= count; step++) {
    run.execute('measure');
    costs.push(Array.from((await run.sample([t.cost]))[0]));
    if (step < count) run.execute('step');
  }
  return { costs, A: await run.read(t.A), S: await run.read(t.S) };
}

test('the cost is that of the entries that are shown, and no step raises it', async () => {
  using engine = createReferenceEngine();
  const { costs, A, S } = await steps(engine, masks, X, 60);
  for (let step = 1; step < costs.length; step++)
    for (let r = 0; r < R; r++) expect(costs[step][r]).toBeLessThanOrEqual(costs[step - 1][r] * (1 + 1e-12));
  masks.forEach((mask, r) => {
    let wanted = 0;
    for (let at = 0; at < N * M; at++) {
      if (mask[at] === 1) continue;
      let residual = X.data[at];
      for (let j = 0; j < k; j++) residual -= A[(r * N + Math.floor(at / M)) * k + j] * S[(r * k + j) * M + (at % M)];
      wanted += residual ** 2;
    }
    expect(costs[60][r]).toBeCloseTo(wanted, 9);
  });
});

test('its limit is a stationary point of NMF with weights', async () => {
  using engine = createReferenceEngine();
  const { A, S } = await steps(engine, masks, X, 4000);
  for (const [r, mask] of masks.entries()) {
    const t = nmfProgram(N, M, k, { restarts: 1, solver: 'hals', weighted: true });
    using run = await engine.prepare(t.program);
    run.write(t.X, X.data);
    run.write(
      t.W!,
      mask.map((h) => 1 - h),
    );
    run.write(t.A, A.subarray(r * N * k, (r + 1) * N * k));
    run.write(t.S, S.subarray(r * k * M, (r + 1) * k * M));
    run.execute(t.sections.start);
    run.execute(t.sections.finish);
    const residuals = (await run.sample(t.kkt)).map(([kkt]) => kkt);
    for (const kkt of residuals) expect(kkt).toBeLessThan(1e-5);
  }
});

test('what is hidden has no influence, and no restart has any on another', async () => {
  using engine = createReferenceEngine();
  const { A } = await steps(engine, masks, X, 5);
  const other = { ...X, data: X.data.map((x, at) => (masks[1][at] === 1 ? 1e6 : x)) };
  const alone = await steps(engine, [masks[1]], other, 5);
  expect(Array.from(alone.A)).toEqual(Array.from(A.subarray(N * k, 2 * N * k)));
  // Starts and norms, too.
  const fitOf = (data: Matrix, hiddenOf: (r: number) => Float32Array, restarts: number) =>
    heldOutFits(engine, data, k, { hiddenOf, stream: 2 }, { ...settings, restarts });
  const [one, two] = await Promise.all([fitOf(X, () => masks[1], 2), fitOf(other, () => masks[1], 2)]);
  expect(two).toEqual(one);
  expect(await svdStart(engine, other, k, masks[1])).toEqual(await svdStart(engine, X, k, masks[1]));
});

test('the device and the reference agree', async () => {
  using engine = await createEngine({ prefer: 'software' });
  using reference = createReferenceEngine();
  const [onDevice, wanted] = [await steps(engine, masks, X, 6), await steps(reference, masks, X, 6)];
  // Six steps of f32 on entries of about 1.
  for (const name of ['A', 'S'] as const)
    wanted[name].forEach((x, i) => {
      expect(Math.abs(onDevice[name][i] - x)).toBeLessThan(1e-4 * (1 + Math.abs(x)));
    });
  wanted.costs.flat().forEach((cost, i) => {
    expect(Math.abs(onDevice.costs.flat()[i] - cost)).toBeLessThan(1e-3 * cost);
  });
});

test('replicates are the restarts of nmf with hals', async () => {
  using engine = createReferenceEngine();
  const { errors } = await replicates(engine, X, k, settings);
  // One power of two is the unit of nmf, and scales starts by a root of it; X here is of that unit already.
  const { restartErrors } = await nmf(engine, X, { ranks: k, solver: 'hals', restarts: R, seed: 1, maxIterations: 40, tolerance: 0 });
  errors.forEach((error, r) => {
    expect(error).toBeCloseTo(restartErrors[r], 4);
  });
});

test('perturbed fits begin alike and differ by their data; without perturbation they are equal', async () => {
  using engine = createReferenceEngine();
  const start = await svdStart(engine, X, k + 1);
  const same = await perturbedFits(engine, X, k, { epsilon: 0, start }, settings);
  expect(same.A[1]).toEqual(same.A[0]);
  const differing = await perturbedFits(engine, X, k, { epsilon: 0.02, start }, settings);
  expect(differing.A[1]).not.toEqual(differing.A[0]);
  // Entries change by 2 % at most, and so does the error by no more than that, but for the descent.
  for (const error of differing.errors) expect(Math.abs(error - same.errors[0])).toBeLessThan(0.02);
  const missing = Float32Array.from({ length: N * M }, (_, at) => (at % 7 === 0 ? 1 : 0));
  const seen = await perturbedFits(
    engine,
    matrix(
      N,
      M,
      X.data.map((x, at) => (missing[at] ? 0 : x)),
    ),
    k,
    { epsilon: 0, start, hidden: missing },
    settings,
  );
  const whole = await heldOutFits(engine, X, k, { hiddenOf: () => missing, startOf: () => start, stream: 0 }, settings);
  expect(seen.A).toEqual(whole.A);
});
