// Engines that go in the middle of a fit while garbage is collected: see collected.test.ts. Needs --expose-gc.
import { withLoader } from '../../scripts/load-typescript.mjs';

await withLoader(async (load) => {
  const { loads } = await load('/test/soak/loads.ts');
  const { createEngine } = await load('/src/node.ts');
  const engine = await createEngine();
  const going = loads.find(({ name }) => name === 'an engine that goes in the middle of a fit');
  for (let round = 0; round < 8; round++) {
    const gone = going.run(engine, round);
    const collecting = setInterval(globalThis.gc, 20);
    await gone;
    clearInterval(collecting);
    globalThis.gc();
  }
  engine.dispose();
  console.log('eight engines');
});
