/** The batches of a survey in parts. */
import { expect, test } from 'vitest';
import type { Matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type DataMatrix, sparseFromDense } from '../../src/data/sparse.js';
import { createEngine } from '../../src/node.js';
import { type Batch, type BatchData, fitBatch } from '../../src/ranks/batches.js';
import { chooseRank } from '../../src/ranks/choose.js';
import type { Fitted } from '../../src/ranks/fits.js';
import type { RankSurvey } from '../../src/ranks/survey.js';

const seed = Date.now() % 2 ** 32;
const { uniform, integer } = random(seed);

function someMatrix(): Matrix {
  const [rows, cols] = [9 + 2 * integer(4), 11 + 2 * integer(4)];
  return { rows, cols, data: Float32Array.from({ length: rows * cols }, () => (uniform() < 0.2 ? 0 : uniform())) };
}

/** A provider that cuts batches at random places. */
const inParts =
  (engine: Parameters<typeof fitBatch>[0], seen: Batch[]) =>
  async (data: BatchData, batch: Batch): Promise<Fitted> => {
    seen.push(batch);
    const fitted: Fitted = { A: [], S: [], errors: [] };
    for (let first = 0; first < batch.restarts; ) {
      const restarts = Math.min(1 + integer(3), batch.restarts - first);
      const part = await fitBatch(engine, data, { ...batch, first, restarts });
      for (const name of ['A', 'S', 'errors'] as const) (fitted[name] as unknown[]).push(...part[name]);
      first += restarts;
    }
    return fitted;
  };

test.each(['cpu', 'software'] as const)('a survey in parts is the survey to the last bit, on %s', async (prefer) => {
  const engine = await createEngine({ prefer });
  const dense = someMatrix();
  const weights = { ...dense, data: dense.data.map(() => (uniform() < 0.1 ? 0 : 1)) };
  const cases: [string, DataMatrix, Matrix | undefined][] = [
    ['dense', dense, undefined],
    ['missing', dense, weights],
    ['sparse', sparseFromDense(dense), undefined],
  ];
  try {
    for (const [name, X, weights] of cases) {
      const options = { ranks: [2, 3], restarts: 5, masks: 2, maxIterations: 30, seed: integer(1000), weights };
      const seen: Batch[] = [];
      const whole = await chooseRank(engine, X, options);
      // The reference has no queue of its own: parts of two batches at once would meet in it.
      let last: Promise<unknown> = Promise.resolve();
      const provider = inParts(engine, seen);
      const fits = (data: BatchData, batch: Batch) => {
        const own = last.then(() => provider(data, batch));
        last = own;
        return own;
      };
      const parts = await chooseRank(engine, X, { ...options, fits });
      const timeless = ({ elapsedMs: _, ...rest }: RankSurvey) => rest;
      expect(timeless(parts), `${name}, ${X.rows}×${X.cols}, seed ${seed}`).toEqual(timeless(whole));
      expect(seen.map(({ kind, rank }) => `${kind} ${rank}`).sort()).toEqual([
        'masked 2',
        'masked 3',
        'perturbed 2',
        'perturbed 3',
        'replicates 2',
        'replicates 3',
      ]);
    }
  } finally {
    engine.dispose();
  }
});
