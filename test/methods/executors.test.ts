/** A hundred iterations of every method on the published data: the device and the f64 reference end at the same objective. */
import { afterAll, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import type { Engine } from '../../src/engine.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());

const { X, labels: classes } = tableOne(2);
const labels = classes[4].map((label, c) => (c % 5 < 2 ? String(label) : ''));
const common = { seed: 3, restarts: 1, maxIterations: 100, tolerance: 0, svdBound: false };
const two = { ...common, ranks: [9, 4] };

const fits: Record<string, (engine: Engine) => Promise<Factorization>> = {
  'nmf mu': (e) => nmf(e, X, { ...common, ranks: 9, solver: 'mu' }),
  'nmf hals': (e) => nmf(e, X, { ...common, ranks: 9, solver: 'hals' }),
  'nmf anls': (e) => nmf(e, X, { ...common, ranks: 9 }),
  ...Object.fromEntries(
    ([1, 2, 3, 4, 5, 6] as const).map((model) => [
      `ssnmf ${model}`,
      (e: Engine) => ssnmf(e, X, { ...common, ranks: 9, model, ...(model > 2 ? { labels } : {}) }),
    ]),
  ),
  hierarchical: (e) => hierarchicalNmf(e, X, two),
  'hierarchical with labels': (e) => hierarchicalNmf(e, X, { ...two, labels }),
  deep: (e) => deepNmf(e, X, two),
  'deep, average pooling': (e) => deepNmf(e, X, { ...two, pooling: 'average' }),
  'deep-semi': (e) => deepSemiNmf(e, X, { ...two, pretrainIterations: 50 }),
  'unfolded, β = 2': (e) => unfoldedNmf(e, X, { ...common, ranks: 9, layers: 4, untied: 2 }),
  'unfolded, KL': (e) => unfoldedNmf(e, X, { ...common, ranks: 9, layers: 4, untied: 2, beta: 1 }),
  // Not with Adam, which moves entries whose gradient is all rounding by whole steps, and so parts from any other rounding by percents.
  'sparse coding': (e) => sparseCoding(e, X, { ...two, labels, optimiser: 'momentum' }),
  'neural, one layer': (e) => neuralNmf(e, X, { ...common, ranks: [9] }),
  'neural, two layers': (e) => neuralNmf(e, X, two),
  'neural, three layers': (e) => neuralNmf(e, X, { ...common, ranks: [9, 4, 2] }),
  'neural with labels': (e) => neuralNmf(e, X, { ...two, labels }),
};

test.each(Object.entries(fits))('%s', async (_name, factorize) => {
  started ??= createEngine();
  const ours = await factorize(await started);
  const truth = await factorize(createReferenceEngine());
  // What the last check saw is the objective itself, or the squared error where that is all of it.
  const objective = ({ history }: Factorization) => history[history.length - 1].relativeError ** 2;
  expect(Math.abs(objective(ours) / objective(truth) - 1)).toBeLessThan(1e-3);
});
