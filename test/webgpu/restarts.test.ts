/** Plans make the sums of a restart in the same order, whatever the number of restarts. */
import { describe, expect, test } from 'vitest';
import { programFor } from '../../src/index.js';
import { type Method, methodOf, methods, methodsWith } from '../../src/methods/methods.js';
import { ncpProgram } from '../../src/programs/ncp.js';
import type { Dispatch } from '../../src/webgpu/lower/dispatch.js';
import { lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import { planMatmul, planSweep } from '../../src/webgpu/plan/plan-products.js';
import type { AdapterFacts } from '../../src/webgpu/plan/planner.js';

/** No binding is too small: a tensor that needs panels for all of its restarts does so by its size, which has to count them. */
const limits = {
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding: 2 ** 40,
  maxBufferSize: 2 ** 40,
  maxWorkgroupStorage: 16_384,
  maxInvocationsPerWorkgroup: 256,
};

const adapters: Record<string, AdapterFacts> = {
  hardware: { ...limits, software: false, subgroups: true },
  'hardware with 32 KiB and 1024 invocations': {
    ...limits,
    software: false,
    subgroups: true,
    maxWorkgroupStorage: 32_768,
    maxInvocationsPerWorkgroup: 1024,
  },
  'hardware without subgroups, 16-bit inputs': { ...limits, software: false, subgroups: false, halfInputs: true },
  SwiftShader: { ...limits, software: true, subgroups: true },
  llvmpipe: { ...limits, software: true, subgroups: false, llvmpipe: true },
};

/** What only says where restarts lie and how many invocations there are; of quads also the tiles over all restarts. */
const places = /^(RESTARTS|GRID|WORKGROUP|BATCH|LANES|FIRST(_\d)?|\w+_BATCH)$/;
const placesOfQuads = /^(GROUPS|ROW_BLOCKS|COL_BLOCKS)$/;

/** What the bits of one restart hang on. A solve whose columns take turns in scratch memory is one dispatch here. */
function essence(dispatches: readonly Dispatch[]): string[] {
  const lines = dispatches.map(({ kernel, constants }) => {
    const kept = Object.entries(constants).filter(
      ([name]) => !places.test(name) && !(kernel.startsWith('matmul/quad') && placesOfQuads.test(name)),
    );
    return `${kernel} ${kept.map(([name, value]) => `${name}=${value}`).join(' ')}`;
  });
  return lines.filter((line, i) => !(line.startsWith('nnls/') && line === lines[i - 1]));
}

const shapes: [rows: number, cols: number, ranks: number[]][] = [
  [7, 9, [3, 2]],
  [87, 90, [24, 4]],
  [700, 260, [33, 12]],
  [3000, 2000, [64, 20]],
];

const forms = (method: Method) => [
  {},
  { nonZeros: 500 },
  ...(methodsWith('weights').includes(method) ? [{ weighted: true }] : []),
  ...(methodsWith('labels').includes(method) ? [{ classes: 3 }] : []),
];

describe.each(Object.entries(adapters))('on %s', (_adapter, facts) => {
  test.each(Object.keys(methods) as Method[])('%s', (method) => {
    const solvers = methodsWith('solver').includes(method) ? ['mu', 'hals', 'anls'] : [undefined];
    for (const [rows, cols, ranks] of shapes) {
      for (const form of forms(method)) {
        for (const solver of solvers) {
          if (solver && 'classes' in form) continue;
          const plan = (restarts: number) => {
            const own = methodOf(method).layers === 'one' ? ranks[0] : ranks;
            const program = programFor(method, { rows, cols, ranks: own, restarts, ...form, ...(solver ? { solver } : {}) } as never);
            const { sections } = lowerProgram(program, facts);
            return [...sections]
              .map(([section, steps]) => [section, ...essence(steps.flatMap(({ dispatches }) => dispatches))].join('\n'))
              .join('\n');
          };
          const alone = plan(1);
          for (const restarts of [3, 40]) {
            const what = `${restarts} restarts, ${rows}×${cols}, ${JSON.stringify(form)}, ${solver}`;
            expect(plan(restarts) === alone || plan(restarts), what).toBe(true);
          }
        }
      }
    }
  });
});

test.each(Object.entries(adapters))('a tensor in coordinates on %s', (_adapter, facts) => {
  for (const [shape, rank, cooEntries] of [
    [[7, 9, 5], 3, 100],
    [[300, 1, 2000, 20], 17, 50_000],
  ] as const) {
    const plan = (restarts: number) => {
      const { sections } = lowerProgram(ncpProgram(shape, rank, { restarts, solver: 'hals', cooEntries }).program, facts);
      return essence([...sections.values()].flat().flatMap(({ dispatches }) => dispatches));
    };
    for (const restarts of [3, 40]) expect(plan(restarts)).toEqual(plan(1));
  }
});

test('products of any shape have one tile, one number of parts and one answer about sweeps', () => {
  let state = 20;
  const below = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  for (let n = 0; n < 400; n++) {
    const size = () => 1 + below(4 ** (1 + below(6)));
    const shape = { rows: size(), cols: size(), inner: size(), transposeA: below(2) === 0, transposeB: below(2) === 0 };
    for (const facts of Object.values(adapters)) {
      const choices = [1, 2, 7, 64].map((batch) => {
        const own = { ...shape, batch, sharedB: below(2) === 0, sharedA: batch === 1 };
        const order = (plan: ReturnType<typeof planSweep>) => {
          if (!plan) return 'none';
          const { algorithm, blocksA, blocksB, splits, chunk } = plan;
          return [algorithm, blocksA, blocksB, splits, chunk, plan.layout.sizes.DEPTH, plan.layout.sizes.LAYERS].join(' ');
        };
        return [planMatmul(own, facts), planMatmul(own, facts, { splits: 1 }, true), planSweep(own, 'columns', facts)]
          .map(order)
          .join('; ');
      });
      expect(new Set(choices).size, `${JSON.stringify(shape)}: ${choices.join(' | ')}`).toBe(1);
    }
  }
});
