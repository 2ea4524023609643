/**
 * Every operation against the reference, with whatever is drawn, on an engine whose memory is watched. A few draws by default, always the
 * same; `ORTHANT_DRAWS=500 npx vitest run test/properties` makes more, from another start each time. What fails is shrunk and printed with
 * its seed; `found` keeps such draws for ever.
 */
import fc from 'fast-check';
import { afterAll, describe, test } from 'vitest';
import { requestDawnAdapter } from '../../src/node/dawn.js';
import { requestDevice } from '../../src/webgpu/device/device.js';
import { createGuards } from '../cases/guard.js';
import { differential, type Stack } from '../cases/support.js';
import { type Drawn, type DrawnKind, drawn, forcedOf, properties, written } from './operations.js';

/** Draws that failed once. */
const found: { kind: DrawnKind; draw: Drawn }[] = [];

const draws = Number(process.env.ORTHANT_DRAWS ?? 5);

let started: ReturnType<typeof start> | undefined;

async function start() {
  const dawn = await requestDawnAdapter();
  const device = await requestDevice(dawn.adapter);
  return { dawn, device, stack: { device, guarded: createGuards(device).engine } as Stack };
}

afterAll(async () => {
  const running = await started?.catch(() => undefined);
  running?.device.destroy();
  running?.dawn.release();
});

async function holds(kind: DrawnKind, draw: Drawn): Promise<void> {
  started ??= start();
  const { stack } = await started;
  const { restarts, seed } = draw;
  await differential(kind, written(kind, draw), { restarts, seed, forced: forcedOf(kind, draw) }).run(stack);
}

describe('every operation on dense tensors, whatever is drawn', () => {
  test.each(Object.keys(properties) as DrawnKind[])('%s', async (kind) => {
    const fixed = process.env.ORTHANT_DRAWS === undefined ? { seed: 1 } : {};
    await fc.assert(
      fc.asyncProperty(drawn, (draw) => holds(kind, draw)),
      { numRuns: draws, ...fixed },
    );
  });
});

describe('what failed once', () => {
  test.each([...found.keys()])('draw %i', (i) => holds(found[i].kind, found[i].draw));
  test('every draw is of an operation that there is', () => {
    if (found.some(({ kind }) => !(kind in properties))) throw new Error('An operation is gone; its draws can go, too.');
  });
});
