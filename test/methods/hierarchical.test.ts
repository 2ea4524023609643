/** Hierarchical NMF beyond what every fit promises: solvers of each layer, scale, labels, and the early stop. */
import { expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { InputError } from '../../src/errors.js';
import { type HierarchicalOptions, hierarchicalNmf, transformHierarchical } from '../../src/methods/hierarchical.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const { X, labels } = tableOne(1);

/** In f64 on the reference: what is tested here is the model, not the kernels. */
function factorize(options: Partial<HierarchicalOptions>) {
  using reference = createReferenceEngine();
  return hierarchicalNmf(reference, X, { ranks: [9, 4], svdBound: false, ...options });
}

function columnNorms({ rows, cols, data }: { rows: number; cols: number; data: Float32Array }): number[] {
  return Array.from({ length: cols }, (_, j) => Math.hypot(...Array.from({ length: rows }, (__, i) => data[i * cols + j])));
}

test.each(['mu', 'hals', 'anls', ['anls', 'mu'], ['mu', 'hals']] as const)(
  'solver %j brings the columns of A to unit norm',
  async (solver) => {
    const { A, settings } = await factorize({ solver, maxIterations: 20 });
    for (const norm of A.flatMap(columnNorms)) expect(norm).toBeCloseTo(1, 5);
    expect(settings).toMatchObject({ solver, normalize: true });
  },
);

test.each(['mu', 'anls'] as const)('without normalisation %s leaves them at any norm, and the product fits as well', async (solver) => {
  const off = await factorize({ solver, normalize: false, ranks: [9], maxIterations: 30 });
  const on = await factorize({ solver, ranks: [9], maxIterations: 30 });
  expect(Math.max(...columnNorms(off.A[0]).map((norm) => Math.abs(norm - 1)))).toBeGreaterThan(0.1);
  if (solver === 'mu') expect(Math.abs(off.relativeError / on.relativeError - 1)).toBeLessThan(1e-5);
  else expect(off.relativeError).toBeLessThan(0.2);
});

test('moving the scale changes neither AS nor BS', async () => {
  const options = { labels: labels[9], ranks: [9], maxIterations: 25 };
  const [on, off] = [await factorize(options), await factorize({ ...options, normalize: false })];
  expect(on.relativeError).toBeCloseTo(off.relativeError, 6);
  const score = ({ S, supervision }: typeof on, i: number, c: number) => {
    const { B } = supervision!.classifiers[0];
    let sum = 0;
    for (let j = 0; j < 9; j++) sum += B.data[i * 9 + j] * S[0].data[j * 90 + c];
    return sum;
  };
  for (let i = 0; i < 9; i++) for (let c = 0; c < 90; c++) expect(Math.abs(score(on, i, c) - score(off, i, c))).toBeLessThan(1e-4);
});

test('labels on the last layer: Table 1 data', async () => {
  const fitted = await factorize({ labels: labels[4], maxIterations: 200, restarts: 2 });
  expect(fitted.supervision!.classifiers.map(({ layer, B }) => [layer, B.rows, B.cols])).toEqual([[1, 4, 4]]);
  expect(fitted.supervision!.accuracy).toMatchObject({ unlabelled: null });
  expect(fitted.supervision!.accuracy.labelled).toBeGreaterThanOrEqual(0.95);
  expect(fitted.settings).toMatchObject({ labelLayers: [1], labelWeight: expect.any(Number) });
  const S = await transformHierarchical(createReferenceEngine(), fitted, X);
  expect(S.map(({ rows, cols }) => [rows, cols])).toEqual([
    [9, 90],
    [4, 90],
  ]);
});

test('labels on several layers make a classifier each', async () => {
  const fitted = await factorize({ labels: labels[4], labelLayers: [1, 0], maxIterations: 10 });
  expect(fitted.supervision!.classifiers.map(({ layer, B }) => [layer, B.cols])).toEqual([
    [0, 9],
    [1, 4],
  ]);
});

test('the early stop ends where the error falls by less than 1e-4 of the initial one between checks, long before convergence', async () => {
  const early = await factorize({ solver: 'mu', ranks: [9], stopping: 'initialError' });
  expect(early.history[0].iteration).toBe(0);
  const errors = early.history.map(({ relativeError }) => relativeError);
  const falls = errors.slice(1).map((error, i) => (errors[i] - error) / errors[0]);
  expect(falls.pop()).toBeLessThan(1e-4);
  for (const fall of falls) expect(fall).toBeGreaterThanOrEqual(1e-4);
  expect(early.stopReason).toBe('tolerance');
  // Not one batch further: the error returned is the last one in the history.
  expect(Math.abs(early.relativeError / errors[errors.length - 1] - 1)).toBeLessThan(1e-5);
  const longer = await factorize({ solver: 'mu', ranks: [9], maxIterations: 2 * early.iterations, tolerance: 0 });
  expect(longer.relativeError).toBeLessThan(early.relativeError);
});

test.each<[string, Partial<HierarchicalOptions>, RegExp]>([
  ['an unknown solver', { solver: 'als' as 'mu' }, /solver must be/],
  ['one solver too few', { solver: ['mu'] }, /1 solvers for 2 layers/],
  ['layers without labels', { labelLayers: [0] }, /without labels/],
  ['a layer that is none', { labels: labels[4], labelLayers: [2] }, /layer 2, but the layers are 0 to 1/],
  ['no supervised layer', { labels: labels[4], labelLayers: [] }, /labelLayers/],
  ['too few labels', { labels: [1, 2] }, /2 labels for 90/],
  ['a negative λ', { labels: labels[4], labelWeight: -1 }, /labelWeight/],
  ['a normalize that is no boolean', { normalize: 1 as unknown as boolean }, /normalize/],
])('%s is refused', async (_name, options, message) => {
  const attempt = factorize(options);
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});

test.each(['kullback-leibler', 0.5] as const)('by the loss %s, every layer goes down to a stationary point of its own', async (loss) => {
  const positive = { ...X, data: X.data.map((x) => x + 0.1) };
  using reference = createReferenceEngine();
  const options: HierarchicalOptions = { ranks: [5, 2], loss, svdBound: false, tolerance: 0 };
  const [few, many] = [20, 1200].map((maxIterations) => hierarchicalNmf(reference, positive, { ...options, maxIterations }));
  const [early, late] = [await few, await many];
  expect(late.settings).toMatchObject({ loss, solver: 'mu' });
  expect(late.kktResidual).toBeLessThan(0.2 * early.kktResidual);
  for (const norm of late.A.flatMap(columnNorms)) expect(norm).toBeCloseTo(1, 5);
  // The divergence of the whole product, by its formula.
  const [A, B] = late.A;
  let total = 0;
  positive.data.forEach((x, at) => {
    const [i, j] = [Math.floor(at / X.cols), at % X.cols];
    let v = 0;
    for (let t = 0; t < 5; t++) for (let u = 0; u < 2; u++) v += A.data[i * 5 + t] * B.data[t * 2 + u] * late.S[1].data[u * X.cols + j];
    total += loss === 0.5 ? -4 * (Math.sqrt(x) - Math.sqrt(v) / 2 - x / (2 * Math.sqrt(v))) : x * Math.log(x / v) - x + v;
  });
  expect(late.divergence! / total).toBeCloseTo(1, 4);
  const S = await transformHierarchical(reference, late, positive, { tolerance: 1e-9 });
  expect(S.map(({ rows }) => rows)).toEqual([5, 2]);
});

test('a loss beside labels or another solver is refused', async () => {
  await expect(factorize({ loss: 'kullback-leibler', labels: labels[4] })).rejects.toThrow(
    /^loss 'kullback-leibler' does not go with labels/,
  );
  await expect(factorize({ loss: 0.5, solver: ['mu', 'hals'] })).rejects.toThrow(
    /^loss 0.5 goes with multiplicative updates alone, but solver is 'hals'/,
  );
});
