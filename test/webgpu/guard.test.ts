/** Every kernel is run by a differential case whose memory is watched: see test/cases/guard.ts. */
import { expect, test } from 'vitest';
import { shaders } from '../../src/webgpu/shaders.generated.js';
import { suites } from '../cases/index.js';
import { adapters } from '../plans/dump.js';

/** A look at the compiler, run on every device before anything else: test/webgpu/probe.test.ts. */
const elsewhere = ['probe/count-rounds'];

test('no kernel is left out', () => {
  const guarded = new Set(
    Object.values(suites)
      .flat()
      .flatMap(({ kernels }) => kernels?.(adapters.software) ?? []),
  );
  const left = Object.keys(shaders).filter((kernel) => !guarded.has(kernel) && !elsewhere.includes(kernel));
  expect(left).toEqual([]);
});
