// Engines that go in the middle of a fit while garbage is collected: see collected.test.ts. Needs --expose-gc.
import { withLoader } from '../../scripts/load-typescript.mjs';

await withLoader(async (load) => {
  const { createEngine, nmf, randomLowRank } = await load('/src/node.ts');
  const X = randomLowRank(45, 90, 5, { seed: 1 });
  for (let round = 0; round < 8; round++) {
    const engine = await createEngine();
    const collecting = setInterval(globalThis.gc, 5);
    const options = { ranks: 5, maxIterations: 100_000, tolerance: 0, onProgress: () => engine.dispose() };
    await nmf(engine, X, options).then(
      () => {
        throw new Error('The fit went on without its engine.');
      },
      () => {},
    );
    clearInterval(collecting);
    globalThis.gc();
  }
  console.log('eight engines');
});
