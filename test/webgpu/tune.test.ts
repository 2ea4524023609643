/** Tuning: classes of shapes, what is believed of a stored one, and a small real one on this machine's adapter. */
import { afterAll, describe, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import type { ProductChoice, Tuning, TuningEntry } from '../../src/engine.js';
import { AdapterError, CancelledError, InputError } from '../../src/errors.js';
import { nmf } from '../../src/methods/nmf.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { candidatePlans, planMatmul } from '../../src/webgpu/plan/plan-products.js';
import type { AdapterFacts } from '../../src/webgpu/plan/planner.js';
import type { ProductShape } from '../../src/webgpu/plan/shapes.js';
import { shapeClass, tunedBy } from '../../src/webgpu/tune/classes.js';
import { classesOf, quickProblems, typicalProblems } from '../../src/webgpu/tune/problems.js';
import { checkTuning, kernelsTimed, mergeTunings, tuningVersion } from '../../src/webgpu/tune/tuning.js';

const software: AdapterFacts = {
  software: true,
  subgroups: true,
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding: 1 << 30,
  maxBufferSize: 1 << 30,
  maxWorkgroupStorage: 32_768,
  maxInvocationsPerWorkgroup: 256,
};
const hardware = { ...software, software: false };
const choice: ProductChoice = { algorithm: 'quad-rows', blocksA: 4, blocksB: 2, splits: 2 };
const shape: ProductShape = { rows: 10, inner: 300, cols: 200, batch: 1, transposeA: true };

describe('classes', () => {
  test('sizes are rounded up, to powers of two up to 64 and of four beyond', () => {
    expect(shapeClass(shape)).toBe('AᵀB 16×1024×256');
    expect(shapeClass({ ...shape, rows: 16, inner: 257, cols: 256 })).toBe('AᵀB 16×1024×256');
    expect(shapeClass({ ...shape, rows: 17 })).not.toBe(shapeClass(shape));
    expect(shapeClass({ rows: 1, inner: 64, cols: 65, batch: 1 })).toBe('AB 4×64×256');
  });

  test('the kind of product counts; restarts and what they share do not', () => {
    expect(shapeClass({ ...shape, batch: 7, sharedB: true })).toBe(shapeClass(shape));
    expect(shapeClass({ rows: 10, inner: 3, cols: 8, batch: 1 }, true)).toBe('‖E−AB‖² 16×4×8');
  });

  test('all work of a usual problem falls into a class that is tuned', () => {
    const names = (problems: Parameters<typeof classesOf>[0]) => classesOf(problems).map(({ kind, name }) => `${kind}: ${name}`);
    expect(names(typicalProblems)).toEqual(expect.arrayContaining(names([{ rows: 300, cols: 900, rank: 12 }])));
    expect(new Set(names(typicalProblems)).size).toBe(names(typicalProblems).length);
    for (const kind of ['product', 'solve', 'sweep', 'swept', 'sparse'])
      expect(
        names(quickProblems).some((name) => name.startsWith(`${kind}:`)),
        kind,
      ).toBe(true);
  });

  test('a sparse problem has sparse products, no products or fused sweeps with X, and the rest', () => {
    const names = classesOf([{ rows: 5000, cols: 800, rank: 20, density: 0.01 }]).map(({ name }) => name);
    expect(names).toEqual([
      'AᵀB 32×16384×32',
      'ABᵀ 32×1024×32',
      'AB 32×32×1024',
      'AB 16384×32×32',
      'solve 32×1024',
      'solve 32×16384',
      'masked solve 32×1024',
      'sweep of rows 16384×32',
      'sweep of columns 32×1024',
      'sparse XD 16384×32, 8 a line',
      'sparse (XD)ᵀ 32×1024, 64 a line',
    ]);
  });
});

describe('the planner', () => {
  const by = (chosen: ProductChoice, facts: AdapterFacts): AdapterFacts => {
    return {
      ...facts,
      tuned: tunedBy({ entries: [{ kind: 'product', class: shapeClass(shape), chosen, default: choice, ms: {} }] }, facts),
    };
  };

  test('takes what was measured for the class, and what it would have taken anyway elsewhere', () => {
    expect(planMatmul(shape, by(choice, software))).toMatchObject(choice);
    expect(planMatmul({ ...shape, rows: 17 }, by(choice, software))).toEqual(planMatmul({ ...shape, rows: 17 }, software));
    expect(planMatmul(shape, by(choice, software), { matmul: 'register', splits: 1 })).toMatchObject({
      algorithm: 'register',
      splits: 1,
    });
  });

  test('does not take what the device cannot run', () => {
    expect(planMatmul(shape, by(choice, { ...software, subgroups: false })).algorithm).toBe('register');
    const tiled: ProductChoice = { ...choice, algorithm: 'tiled', blocksA: 32, blocksB: 32 };
    expect(planMatmul(shape, by(tiled, hardware))).toMatchObject({ algorithm: 'tiled', blocksA: 32 });
    expect(planMatmul(shape, by(tiled, software)).algorithm).not.toBe('tiled');
    expect(planMatmul(shape, by(tiled, { ...hardware, maxInvocationsPerWorkgroup: 128 }))).toMatchObject({
      algorithm: 'tiled',
      blocksA: 4,
    });
  });

  test('candidates are distinct, begin with the untuned choice, and hold no barriers on a software adapter', () => {
    for (const facts of [software, hardware, { ...hardware, subgroups: false }]) {
      const plans = candidatePlans(shape, by(choice, facts));
      expect(plans[0]).toEqual(planMatmul(shape, facts));
      expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBe(plans.length);
      expect(plans.some(({ algorithm }) => algorithm === 'tiled')).toBe(!facts.software);
      expect(plans.some(({ algorithm }) => algorithm.startsWith('quad'))).toBe(facts.subgroups);
    }
    expect(candidatePlans(shape, software, true).every(({ splits }) => splits === 1)).toBe(true);
  });
});

describe('a stored tuning', () => {
  const tuning: Tuning = {
    version: tuningVersion,
    kernels: kernelsTimed,
    adapter: 'here',
    clock: 'timestamps',
    entries: [{ kind: 'product', class: shapeClass(shape), chosen: choice, default: choice, ms: {} }],
  };
  const of = (kind: string, chosen: unknown) => ({ ...tuning, entries: [{ kind, class: 'x', chosen, default: chosen, ms: {} }] });

  test('is believed if it is of this version and adapter', () => {
    const all = [
      of('solve', { kernel: 'group', workgroup: 128 }),
      of('sweep', { kernel: 'registers', workgroup: 16 }),
      of('swept', { kernel: 'quad', blocks: 2 }),
      of('swept', { kernel: 'apart', blocks: 0 }),
      of('sparse', { workgroup: 256 }),
    ];
    for (const one of [tuning, ...all]) expect(checkTuning(JSON.parse(JSON.stringify(one)), 'here')).toEqual(one);
  });

  test.each([
    ['another adapter', { ...tuning, adapter: 'there' }, /measured on there, but this adapter is here/],
    ['another version', { ...tuning, version: 0 }, /another version/],
    ['other kernels', { ...tuning, kernels: 'x' }, /another version/],
    ['no entries', { version: tuningVersion }, /no tuning/],
    ['null', null, /no tuning/],
    ['version 1, of products alone', { ...tuning, version: 1 }, /another version/],
    ['an entry without kind', { ...tuning, entries: [{ ...tuning.entries[0], kind: undefined }] }, /Entry 0/],
    ['a kind that is none', of('toString', choice), /Entry 0/],
    ['null as an entry', { ...tuning, entries: [tuning.entries[0], null] }, /Entry 1/],
    ['null as a choice', of('solve', null), /Entry 0/],
    ['a choice of another kind', of('solve', choice), /Entry 0/],
    ['a solve by no kernel', of('solve', { kernel: 'constructor', workgroup: 64 }), /Entry 0/],
    ['a solve by half an invocation', of('solve', { kernel: 'private', workgroup: 0.5 }), /Entry 0/],
    ['a sweep by a kernel of solves', of('sweep', { kernel: 'buffer', workgroup: 64 }), /Entry 0/],
    ['a workgroup without end', of('sweep', { kernel: 'private', workgroup: 1e6 }), /Entry 0/],
    ['a tile that no sweep has', of('swept', { kernel: 'register', blocks: 2 }), /Entry 0/],
    ['blocks of no tile', of('swept', { kernel: 'apart', blocks: 1 }), /Entry 0/],
    ['a sparse product by none', of('sparse', { workgroup: 0 }), /Entry 0/],
    ['a workgroup in words', of('sparse', { workgroup: '64' }), /Entry 0/],
    ['an unknown kernel', { ...tuning, entries: [{ ...tuning.entries[0], chosen: { ...choice, algorithm: 'toString' } }] }, /Entry 0/],
    ['a tile without end', { ...tuning, entries: [{ ...tuning.entries[0], chosen: { ...choice, blocksB: 1e9 } }] }, /Entry 0/],
    ['half a block', { ...tuning, entries: [{ ...tuning.entries[0], chosen: { ...choice, blocksA: 0.5 } }] }, /Entry 0/],
  ])('is refused: %s', (_, value, message) => {
    expect(() => checkTuning(value, 'here')).toThrow(InputError);
    expect(() => checkTuning(value, 'here')).toThrow(message);
  });

  test('later entries take the place of earlier ones of their class', () => {
    const other: TuningEntry = {
      kind: 'sparse',
      class: tuning.entries[0].class,
      chosen: { workgroup: 16 },
      default: { workgroup: 16 },
      ms: {},
    };
    const before: TuningEntry = { ...(tuning.entries[0] as TuningEntry<'product'>), ms: { old: 1 } };
    const merged = mergeTunings({ ...tuning, entries: [before, other] }, tuning);
    expect(merged.entries).toEqual([tuning.entries[0], other]);
  });
});

describe('on this adapter', () => {
  const { X } = tableOne(0);
  const opened: Disposable[] = [];
  afterAll(() => {
    for (const engine of opened) engine[Symbol.dispose]();
  });

  test('two small problems are tuned, what comes out is JSON that an engine takes, and results stay right', async () => {
    const engine = await createEngine();
    opened.push(engine);
    const before = await nmf(engine, X, { ranks: 4, maxIterations: 3, seed: 1 });
    const seen: string[] = [];
    const tuning = await engine.tune({
      problems: [
        { rows: 20, cols: 30, rank: 3 },
        { rows: 87, cols: 90, rank: 4, restarts: 2, density: 0.1 },
      ],
      repeats: 1,
      onProgress: ({ done, of, entry }) => seen.push(`${done}/${of} ${entry.class}`),
    });
    expect(engine.liveBuffers).toBe(0);
    expect(engine.tuning).toBe(tuning);
    expect(new Set(tuning.entries.map(({ kind }) => kind))).toEqual(new Set(['product', 'solve', 'sweep', 'swept', 'sparse']));
    expect(seen).toHaveLength(tuning.entries.length);
    for (const { ms, class: name } of tuning.entries) {
      // A clock that ticks seldom may say 0 of a small piece of work.
      for (const time of Object.values(ms)) expect(time, name).toBeGreaterThanOrEqual(0);
    }
    const stored: unknown = JSON.parse(JSON.stringify(tuning));
    const names: string[] = [];
    const other = await createEngine({
      tuning: (adapter) => {
        names.push(adapter);
        return stored;
      },
    });
    opened.push(other);
    expect(names).toEqual([engine.description]);
    expect(other.tuning).toEqual(tuning);
    const after = await nmf(other, X, { ranks: 4, maxIterations: 3, seed: 1 });
    expect(Math.abs(after.relativeError - before.relativeError)).toBeLessThan(1e-5);
    await expect(createEngine({ tuning: { ...tuning, version: 0 } })).rejects.toThrow(/another version/);
    const outdated = await createEngine({ tuning: () => ({ ...tuning, version: 0 }) });
    opened.push(outdated);
    expect(outdated.tuning).toBeUndefined();
  });

  test('it can be cancelled, and refuses problems that are none', async () => {
    const engine = await createEngine();
    opened.push(engine);
    const controller = new AbortController();
    const problems = [{ rows: 20, cols: 30, rank: 3 }];
    const tuning = engine.tune({ problems, repeats: 1, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(tuning).rejects.toThrow(CancelledError);
    expect(engine.liveBuffers).toBe(0);
    expect(engine.tuning).toBeUndefined();
    await expect(engine.tune({ problems: [] })).rejects.toThrow(InputError);
    await expect(engine.tune({ problems: [{ rows: 2, cols: 30, rank: 3 }] })).rejects.toThrow(/rank ≤ min/);
    for (const density of [0, 1.5, Number.NaN])
      await expect(engine.tune({ problems: [{ rows: 20, cols: 30, rank: 2, density }] })).rejects.toThrow(/density of a problem/);
    await expect(engine.tune({ repeats: 0 })).rejects.toThrow(/repeats/);
    await expect(createReferenceEngine().tune()).rejects.toThrow(AdapterError);
  });
});
