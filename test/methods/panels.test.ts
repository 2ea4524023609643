/** Whole fits on an engine that may bind a few KiB end where those on the whole device end. */
import { afterAll, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import type { Engine } from '../../src/engine.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { createEngine } from '../../src/node/engine.js';

let started: Promise<{ whole: Engine; split: Engine }> | undefined;

async function start() {
  return { whole: await createEngine(), split: await createEngine({ forced: { bindingBytes: 10_240 } }) };
}

afterAll(async () => {
  const running = await started?.catch(() => undefined);
  running?.whole.dispose();
  running?.split.dispose();
});

const X = randomLowRank(150, 80, 5, { seed: 5, noise: 0.1 });
const W = { ...X, data: X.data.map((_, i) => (i % 7 === 0 ? 0 : 1)) };
const labels = Array.from({ length: X.cols }, (_, j) => (j % 4 === 3 ? null : `class ${j % 3}`));

const fits: [string, (engine: Engine) => Promise<Factorization>][] = [
  ['nmf by multiplicative updates', (engine) => nmf(engine, X, { ranks: 5, solver: 'mu', maxIterations: 30 })],
  ['nmf by exact solves', (engine) => nmf(engine, X, { ranks: 5, solver: 'anls', maxIterations: 30 })],
  ['weighted nmf', (engine) => nmf(engine, X, { ranks: 5, solver: 'mu', maxIterations: 30, weights: W })],
  ['Neural NMF', (engine) => neuralNmf(engine, X, { ranks: [6, 3], restarts: 1, start: 'random', maxIterations: 30 })],
  ['supervised nmf', (engine) => ssnmf(engine, X, { ranks: 5, labels, maxIterations: 30 })],
];

test.each(fits)('%s: X in panels gives the error that X in one buffer gives', async (_, fitOn) => {
  started ??= start();
  const { whole, split } = await started;
  const [inPanels, expected] = [await fitOn(split), await fitOn(whole)];
  // Errors differ by rounding, and by how far thirty iterations carry it: 5e-6 at most here, as two plans of one product differ.
  expect(Math.abs(inPanels.relativeError / expected.relativeError - 1)).toBeLessThan(1e-4);
  expect(inPanels.iterations).toBe(expected.iterations);
  expect(split.liveBuffers).toBe(0);
});
