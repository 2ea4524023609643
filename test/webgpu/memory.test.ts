/** Nothing grows over many fits: buffers, pipelines, and what JavaScript holds. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { nmf } from '../../src/methods/nmf.js';
import { createEngine } from '../../src/node/engine.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is still referenced, after a turn in which finalizers of GPU objects run. */
async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.memoryUsage().heapUsed;
}

test('a thousand fits leave no buffer, no further pipeline and no object behind', async () => {
  using engine = await createEngine();
  const X = randomLowRank(9, 7, 2, { seed: 1, noise: 0.1 });
  const fits = async (count: number, from: number) => {
    for (let seed = from; seed < from + count; seed++) {
      const { relativeError } = await nmf(engine, X, { ranks: 2, seed, maxIterations: 2, svdBound: false });
      if (!(relativeError < 1)) throw new Error(`Fit ${seed} has an error of ${relativeError}.`);
      if (engine.liveBuffers !== 0 || engine.liveBytes !== 0) throw new Error(`Fit ${seed} left ${engine.liveBuffers} buffers behind.`);
    }
  };
  await fits(100, 0);
  const pipelines = engine.compiledPipelines;
  const before = await heapUsed();
  await fits(900, 100);
  expect(engine.compiledPipelines).toBe(pipelines);
  // A run that were still referenced would hold its program and dispatches: tens of kilobytes a fit. V8 itself varies by half a megabyte.
  expect((await heapUsed()) - before).toBeLessThan(4 << 20);
});
