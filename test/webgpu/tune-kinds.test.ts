/** Every kind of work that a tuning times: its race, its choices on this adapter and on that of a GPU, and plans that obey them. */
import { describe, expect, test } from 'vitest';
import type { Choices, Problem, Run, TunedKind, TuningEntry } from '../../src/engine.js';
import { type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import { T } from '../../src/graph/tensor.js';
import { adapterFacts } from '../../src/webgpu/device/device.js';
import { createMemory } from '../../src/webgpu/device/memory.js';
import { createPipelines } from '../../src/webgpu/device/pipelines.js';
import { prepareRun } from '../../src/webgpu/device/run.js';
import { dispatchesOf, lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import type { AdapterFacts } from '../../src/webgpu/plan/planner.js';
import { planText } from '../../src/webgpu/plan-text.js';
import { choiceText } from '../../src/webgpu/tune/choices.js';
import { only, tunedBy } from '../../src/webgpu/tune/classes.js';
import { classesOf } from '../../src/webgpu/tune/problems.js';
import { fastest, type Track } from '../../src/webgpu/tune/race.js';
import { lendDevice } from '../support/devices.js';

const software: AdapterFacts = {
  software: true,
  subgroups: true,
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding: 1 << 27,
  maxBufferSize: 1 << 28,
  maxWorkgroupStorage: 16_384,
  maxInvocationsPerWorkgroup: 256,
};
const hardware = { ...software, software: false };

describe('the race', () => {
  /** Choices of known milliseconds; those in `wrong` come to wrong results. `drift` makes later measurements slower, for all alike. */
  const track = (ms: readonly number[], wrong: readonly number[] = [], drift = 0): Track => {
    let measured = 0;
    return {
      isRight: async (at) => !wrong.includes(at),
      time: async (at, times) => times * ms[at] * (1 + drift * measured++),
      mostAtOnce: () => 100,
    };
  };
  const all = (ms: readonly number[]) => ms.map((_, at) => at);

  test.each([
    ['the fastest wins', [3, 2, 1, 2.5], [], 2],
    ['slow ones too', [300, 90, 200], [], 1],
    ['the untuned choice stays where it is as good', [1, 0.97, 2], [], 0],
    ['a wrong one never wins', [3, 2, 1], [2], 1],
    ['a wrong untuned choice never stays', [1, 2, 3], [0], 1],
    ['a wrong untuned choice and a wrong fast one', [1, 2, 3], [0, 1], 2],
  ])('%s', async (_, ms, wrong, chosen) => {
    const verdict = await fastest(all(ms), track(ms, wrong), 5);
    expect(verdict?.chosen).toBe(chosen);
    for (const [at, median] of verdict!.ms) {
      expect(wrong).not.toContain(at);
      expect(median).toBeCloseTo(ms[at], 9);
    }
  });

  test('rounds take turns, so a machine that slows down does not decide', async () => {
    const ms = [1, 0.7, 1.2];
    expect((await fastest(all(ms), track(ms, [], 0.01), 5))?.chosen).toBe(1);
  });

  test('where none is right, none is chosen', async () => {
    expect(await fastest([0, 1], track([1, 2], [0, 1]), 3)).toBeUndefined();
  });
});

describe('the choices', () => {
  /** Facts of this device, with those given in their place, and a run of all choices for a class. */
  async function contextOf(given: Partial<AdapterFacts>) {
    const device = await lendDevice();
    const facts = adapterFacts(device, device.adapterInfo, { facts: given });
    return { device, facts, memory: createMemory(device, facts), pipelines: createPipelines(device, 'built-in'), check() {} };
  }

  /** The run with the first and last number that it reads a thousandth off, and one more: zeros are off, too. */
  const spoiled = (run: Run): Run => ({
    ...run,
    async read(tensor) {
      const entries = await run.read(tensor);
      for (const at of [0, entries.length - 1]) entries[at] = 1.001 * entries[at] + 1e-3;
      return entries;
    },
  });

  test.each<[string, Partial<AdapterFacts>, Problem]>([
    ['this adapter', {}, { rows: 21, cols: 30, rank: 5, restarts: 2 }],
    ['this adapter, sparse', {}, { rows: 70, cols: 90, rank: 6, density: 0.2 }],
    ['a GPU', { software: false, maxInvocationsPerWorkgroup: 64 }, { rows: 21, cols: 30, rank: 17, restarts: 3 }],
    ['a GPU, few unknowns', { software: false, maxInvocationsPerWorkgroup: 64 }, { rows: 90, cols: 70, rank: 3, density: 0.9 }],
  ])('on %s are all right, and a wrong result is found', async (_, given, problem) => {
    const context = await contextOf(given);
    const kinds = new Map<TunedKind, string[]>();
    for (const own of classesOf([problem]).filter(({ kind }) => kind !== 'product')) {
      const choices = own.choices(context.facts);
      const texts = choices.map((choice) => choiceText(own.kind, choice));
      expect(new Set(texts).size, texts.join()).toBe(texts.length);
      kinds.set(own.kind, [...(kinds.get(own.kind) ?? []), ...texts]);
      const trial = own.trial(choices.length);
      const forced = (section: string) => ({ tuned: only(own.kind, choices[Number(section)]) });
      const run = await prepareRun({ ...context, forced }, trial.program, () => {});
      try {
        trial.write(run);
        for (const [at, text] of texts.entries()) {
          expect(await trial.isRight(run, String(at)), `${own.name} ${text}`).toBe(true);
          expect(await trial.isRight(spoiled(run), String(at)), `${own.name} ${text}, spoiled`).toBe(false);
        }
      } finally {
        run.dispose();
      }
    }
    const solves = kinds.get('solve')!.join();
    for (const kernel of problem.rank === 17 ? ['private', 'buffer', 'group'] : ['registers', 'private', 'buffer'])
      expect(solves).toContain(kernel);
    expect(solves.includes('group')).toBe(!context.facts.software);
    expect(kinds.has('sparse')).toBe(problem.density !== undefined);
  });

  test('are only what the limits allow', () => {
    const texts = (facts: AdapterFacts, rank: number) =>
      classesOf([{ rows: 200, cols: 200, rank, density: 0.1 }]).flatMap(({ kind, name, choices }) =>
        choices(facts).map((choice) => `${name}: ${choiceText(kind, choice)}`),
      );
    const narrow = texts({ ...hardware, maxInvocationsPerWorkgroup: 64 }, 100).join('\n');
    expect(narrow).not.toMatch(/by (128|256)|solve.*group|: registers|solve.*private/);
    expect(texts({ ...hardware, maxWorkgroupStorage: 512 }, 20).join('\n')).not.toMatch(/solve.*group/);
    expect(texts({ ...software, llvmpipe: true }, 17).join('\n')).not.toMatch(/registers/);
    expect(texts(hardware, 17).join('\n')).not.toMatch(/solve.*registers/); // compilers of GPUs spill
  });
});

describe('plans obey a tuning', () => {
  const programOf = (write: (p: ProgramBuilder) => void) => {
    const p = programBuilder('tuned');
    p.section('step', () => write(p));
    return p.build();
  };
  const work: Record<TunedKind, ReturnType<typeof programOf>> = {
    product: programOf((p) => p.matmul(T(p.input('A', 300, 10)), p.input('X', 300, 200), { into: p.state('C', 10, 200) })),
    solve: programOf((p) => p.nnls(p.state('G', 20, 20), p.state('B', 20, 200), p.state('S', 20, 200))),
    sweep: programOf((p) => p.halsUpdate(p.state('F', 300, 12), p.state('G', 12, 12), p.state('B', 300, 12), { of: 'rows' })),
    swept: programOf((p) => {
      const B = p.matmul(T(p.state('A', 300, 10)), p.input('X', 300, 200));
      p.halsUpdate(p.state('S', 10, 200), p.state('G', 10, 10), B, { of: 'columns' });
    }),
    sparse: programOf((p) => {
      p.matmul(p.input('X', 300, 200, { csrEntries: 3000 }), p.state('D', 200, 10), { into: p.state('C', 300, 10) });
    }),
  };
  const classes: Record<TunedKind, string> = {
    product: 'AᵀB 16×1024×256',
    solve: 'solve 32×256',
    sweep: 'sweep of rows 1024×16',
    swept: 'AᵀB then sweep 16×1024×256',
    sparse: 'sparse XD 1024×16, 16 a line',
  };
  const by = (kind: TunedKind, chosen: Choices[TunedKind], facts: AdapterFacts, name = classes[kind]): AdapterFacts => {
    const entry = { kind, class: name, chosen, default: chosen, ms: {} } as TuningEntry;
    return { ...facts, tuned: tunedBy({ entries: [entry] }, facts) };
  };
  const plan = (kind: TunedKind, facts: AdapterFacts) => planText(work[kind], facts);

  test.each<[TunedKind, Choices[TunedKind], AdapterFacts, RegExp]>([
    ['product', { algorithm: 'register', blocksA: 2, blocksB: 2, splits: 2 }, software, /matmul\/register 8×8 in 2 parts/],
    ['product', { algorithm: 'quad-rows', blocksA: 2, blocksB: 1, splits: 1 }, hardware, /matmul\/quad-rows 8×4 /],
    ['solve', { kernel: 'registers', workgroup: 64 }, software, /nnls\/solve-registers +4 workgroups/],
    ['solve', { kernel: 'buffer', workgroup: 50 }, software, /nnls\/solve +4 workgroups/],
    ['solve', { kernel: 'private', workgroup: 256 }, hardware, /nnls\/solve +1 workgroup$/m],
    ['solve', { kernel: 'group', workgroup: 128 }, hardware, /nnls\/solve-group +50 workgroups/],
    ['sweep', { kernel: 'private', workgroup: 64 }, software, /update\/hals +5 workgroups/],
    ['sweep', { kernel: 'group', workgroup: 16 }, hardware, /update\/hals-group +75 workgroups/],
    ['swept', { kernel: 'apart', blocks: 0 }, software, /matmul\/\S+ .*\n.*\n +update\/hals-registers/],
    ['swept', { kernel: 'quad', blocks: 1 }, software, /1 dispatch\n.*\n +matmul\/quad-rows 12×4 /],
    ['swept', { kernel: 'register', blocks: 1 }, hardware, /1 dispatch\n.*\n +matmul\/register 12×4 /],
    ['sparse', { workgroup: 128 }, software, /sparse\/product +8 workgroups/],
    ['sparse', { workgroup: 256 }, hardware, /sparse\/product +4 workgroups/],
  ])('%s: %o', (kind, chosen, facts, shows) => {
    const text = plan(kind, by(kind, chosen, facts));
    expect(text).toMatch(shows);
    expect(text).toMatch(/^program tuned, .*, tuned\n/);
    const untuned = plan(kind, facts);
    expect(untuned).not.toMatch(shows);
    expect(untuned.split('\n')[0]).not.toMatch(/, tuned$/);
    // Of another class it says nothing.
    const [, ...steps] = untuned.split('\n');
    expect(plan(kind, by(kind, chosen, facts, 'another class'))).toContain(steps.join('\n'));
  });

  test.each(['buffer', 'private'] as const)('the factor of a solve: %s', (kernel) => {
    const facts = by('solve', { kernel, workgroup: 64 }, software);
    const [{ constants }] = dispatchesOf(lowerProgram(work.solve, facts).sections);
    expect(constants.SPILL).toBe(kernel === 'buffer');
  });

  test.each<[TunedKind, Choices[TunedKind], AdapterFacts]>([
    ['solve', { kernel: 'group', workgroup: 64 }, software],
    ['solve', { kernel: 'registers', workgroup: 64 }, { ...software, llvmpipe: true }],
    ['solve', { kernel: 'registers', workgroup: 64 }, hardware],
    ['solve', { kernel: 'private', workgroup: 512 }, hardware],
    ['sweep', { kernel: 'group', workgroup: 16 }, software],
    ['sweep', { kernel: 'registers', workgroup: 1024 }, hardware],
    ['swept', { kernel: 'quad', blocks: 1 }, { ...hardware, subgroups: false }],
    ['sparse', { workgroup: 1024 }, software],
  ])('but for what the device cannot run: %s %o', (kind, chosen, facts) => {
    const [, ...untuned] = plan(kind, facts).split('\n');
    expect(plan(kind, by(kind, chosen, facts))).toContain(untuned.join('\n'));
  });

  test('what is forced comes first, and Gram matrices of every column are another matter', () => {
    const given = by('solve', { kernel: 'registers', workgroup: 64 }, software);
    const kernels = (...more: [program?: ReturnType<typeof programOf>, forced?: object]) =>
      dispatchesOf(lowerProgram(more[0] ?? work.solve, given, more[1]).sections).map(({ kernel }) => kernel);
    expect(kernels()).toEqual(['nnls/solve-registers']);
    expect(kernels(work.solve, { spill: true })).toEqual(['nnls/solve']);
    const own = programOf((p) => p.nnls(p.state('G', 400, 200), p.state('B', 20, 200), p.state('S', 20, 200)));
    expect(kernels(own)).toEqual(['nnls/solve']);
  });
});
