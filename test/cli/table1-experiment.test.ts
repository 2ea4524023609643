/** The published experiment's data (methods: README), against the bound no factorization can beat: the truncated SVD. */
import { afterAll, describe, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import type { Engine } from '../../src/engine.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { createEngine } from '../../src/node/engine.js';

let engine: Promise<Engine> | undefined;
afterAll(async () => (await engine)?.dispose());

describe.each([0, 2, 4])('seed %i', (seed) => {
  test.each([[[9]], [[9, 4]], [[9, 4, 2]]])('Neural NMF %j, best of 8 restarts, comes within 0.5 %% of the SVD bound', async (ranks) => {
    engine ??= createEngine();
    const { X } = tableOne(seed);
    const model = await neuralNmf(await engine, X, { ranks, seed, restarts: 8, maxIterations: 250 });
    expectNonnegative(model);
    expect(model.svdBoundMethod).toBe('exact');
    expect(model.relativeError).toBeLessThanOrEqual(1.005 * model.svdBound!);
    expect(model.relativeError).toBeGreaterThanOrEqual(model.svdBound! * (1 - 1e-5));
    expect(model.kktResidual).toBeLessThan(1e-5);
  });
});

function expectNonnegative({ A, S }: Factorization): void {
  for (const { data } of [...A, ...S]) for (const x of data) if (!(x >= 0)) throw new Error(`an entry is ${x}`);
}
