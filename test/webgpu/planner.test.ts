import { describe, expect, test } from 'vitest';
import { programBuilder } from '../../src/graph/program.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { adapterFacts } from '../../src/webgpu/device/device.js';
import { sizeBytes, specialise } from '../../src/webgpu/device/specialise.js';
import { lower } from '../../src/webgpu/lower/lower.js';
import { dispatchesOf, lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import { chooseSweep } from '../../src/webgpu/plan/choose.js';
import { stagedTile } from '../../src/webgpu/plan/plan-hardware-products.js';
import { type ProductShape, planMatmul, planSweep } from '../../src/webgpu/plan/plan-products.js';
import { type AdapterFacts, type Forced, planGrid, planGroup, planRegisters, planSolve } from '../../src/webgpu/plan/planner.js';
import { shaders } from '../../src/webgpu/shaders.generated.js';

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

test('a software adapter never gets a kernel with barriers', () => {
  for (const [rows, cols, inner] of [
    [1024, 1024, 1024],
    [16, 512, 1024],
    [9, 9, 90],
    [90, 87, 4],
  ]) {
    expect(planMatmul({ rows, cols, inner, batch: 1 }, software).algorithm).not.toBe('tiled');
    expect(planMatmul({ rows, cols, inner, batch: 1 }, { ...software, subgroups: false }).algorithm).toBe('register');
  }
  expect(planMatmul({ rows: 1024, cols: 1024, inner: 1024, batch: 1 }, hardware).algorithm).toBe('tiled');
});

describe('on hardware workgroups stage', () => {
  const [N, M] = [4096, 8192];
  const roles = (k: number): Record<string, ProductShape> => ({
    AᵀX: { rows: k, inner: N, cols: M, batch: 1, transposeA: true },
    XSᵀ: { rows: N, inner: M, cols: k, batch: 1, transposeB: true },
    SXᵀ: { rows: k, inner: M, cols: N, batch: 1, transposeB: true },
    AᵀA: { rows: k, inner: N, cols: k, batch: 1, transposeA: true },
    GS: { rows: k, inner: k, cols: M, batch: 1 },
    AG: { rows: N, inner: k, cols: k, batch: 1 },
    AS: { rows: N, inner: k, cols: M, batch: 1 },
  });

  test.each([1, 4, 9, 16, 33, 50, 64, 65, 128])(
    'every role at k = %i within the default limits, a factor read once for 64 columns',
    (k) => {
      const limits: AdapterFacts = { ...hardware, maxWorkgroupStorage: 16_384 };
      for (const [role, shape] of Object.entries(roles(k))) {
        const { algorithm, blocksA, blocksB, layout } = planMatmul(shape, limits);
        expect(algorithm, role).toBe('tiled');
        const { INVOCATIONS, PANELS, DEPTH, LAYERS, BLOCKS_A, BLOCKS_B, QUADS_A, QUADS_B } = layout.sizes;
        expect(16 * PANELS, role).toBeLessThanOrEqual(16_384);
        expect(INVOCATIONS, role).toBeLessThanOrEqual(256);
        expect((QUADS_A / BLOCKS_A) * (QUADS_B / BLOCKS_B) * LAYERS, role).toBe(INVOCATIONS);
        expect(DEPTH % (4 * LAYERS), role).toBe(0);
        for (const [size, blocks] of [
          [shape.rows, blocksA],
          [shape.cols, blocksB],
        ]) {
          if (size === k) expect(Math.ceil(size / (4 * blocks)), role).toBeLessThanOrEqual(Math.ceil(k / 64));
        }
        // Rows that are streamed: 512 bytes of each, or a line of 128.
        if (role === 'AᵀX' && k <= 64) expect(QUADS_B).toBe(32);
        if (role === 'XSᵀ' || role === 'SXᵀ') expect(DEPTH).toBe(32);
      }
    },
  );

  test('until the device is full, while partial products stay small beside the factors', () => {
    for (const k of [4, 16, 32, 64]) {
      for (const [role, shape] of Object.entries(roles(k))) {
        const { splits } = planMatmul(shape, hardware);
        const { rows, cols, inner } = shape;
        expect(splits === 1 || 2 * splits * rows * cols <= (inner * (rows + cols)) / 8, `${role} ${k}`).toBe(true);
        if (role === 'AᵀX') expect(splits).toBeGreaterThan(1);
        expect(planMatmul({ ...shape, batch: 256 }, hardware).splits, role).toBe(splits);
      }
    }
    expect(planMatmul({ rows: 4096, cols: 4096, inner: 4096, batch: 1 }, hardware).splits).toBe(1);
  });

  test('restarts beyond the workgroups of a dispatch take fewer parts, and then invocations that work alone', () => {
    const shape = { rows: 16, cols: 16, inner: 4096, transposeA: true };
    const of = (batch: number) => planMatmul({ ...shape, batch }, hardware);
    expect(of(1000).splits).toBe(of(1).splits);
    expect(of(30_000)).toMatchObject({ algorithm: 'tiled', splits: 2 });
    expect(of(65_536).algorithm).toBe('register');
  });

  test('a smaller tile where the device has fewer invocations or less memory, and none where it has too little', () => {
    const shape = roles(64).XSᵀ;
    const of = (facts: Partial<AdapterFacts>) => planMatmul(shape, { ...hardware, ...facts });
    expect(of({})).toMatchObject({ algorithm: 'tiled', blocksA: 16, blocksB: 16 });
    expect(of({ maxInvocationsPerWorkgroup: 128 })).toMatchObject({ algorithm: 'tiled', layout: { sizes: { INVOCATIONS: 128 } } });
    expect(of({ maxWorkgroupStorage: 8192 })).toMatchObject({ algorithm: 'tiled', blocksA: 8 });
    expect(of({ maxWorkgroupStorage: 1024 }).algorithm).toBe('register');
    expect(of({ maxInvocationsPerWorkgroup: 2 }).algorithm).toBe('register');
  });

  test('residuals leave one sum of squares a workgroup', () => {
    const { algorithm, layout } = planMatmul(roles(16).AS, hardware, { splits: 1 }, true);
    expect(algorithm).toBe('tiled');
    expect(layout.squares).toBe((N / 64) * (M / 128));
  });
});

test('few output tiles and a long inner dimension are split, and the parts cover it exactly', () => {
  for (const facts of [software, hardware]) {
    const plan = planMatmul({ rows: 9, cols: 9, inner: 100_003, batch: 1 }, facts);
    expect(plan.splits).toBeGreaterThan(4);
    expect(plan.chunk * plan.splits).toBeGreaterThanOrEqual(100_003);
    expect(plan.chunk * (plan.splits - 1)).toBeLessThan(100_003);
    expect(plan.chunk % 16).toBe(0);
  }
  expect(planMatmul({ rows: 9, cols: 9, inner: 90, batch: 1 }, software).splits).toBe(1);
});

test('quads share as many blocks as a thin product has, or near equal parts of them', () => {
  for (const [k, shared] of [
    [7, 2],
    [9, 3],
    [16, 4],
    [50, 7],
  ]) {
    const product = { rows: k, cols: 4096, inner: 1024, batch: 1, transposeA: true };
    expect(planMatmul(product, software)).toMatchObject({ algorithm: 'quad-rows', blocksA: shared });
    expect(planMatmul({ ...product, rows: 4096, cols: k, transposeA: false, transposeB: true }, software)).toMatchObject({
      algorithm: 'quad-columns',
      blocksB: shared,
    });
  }
});

test('kept trials go three to a dispatch, those of another control vector apart', () => {
  const p = programBuilder('keeps', { restarts: 2 });
  const [one, other] = [p.state('one', 1, 8), p.state('other', 1, 8)];
  const pair = (i: number) => [p.state(`s${i}`, 20 * (i + 1), 5), p.state(`t${i}`, 20 * (i + 1), 5)] as const;
  const pairs = [0, 1, 2, 3, 4].map(pair);
  p.section('all', () => {
    for (const [i, [state, trial]] of pairs.entries()) p.keepAccepted(state, trial, i < 4 ? one : other);
  });
  const dispatches = dispatchesOf(lowerProgram(p.build(), software).sections);
  expect(dispatches.map(({ constants }) => [0, 1, 2].map((i) => constants[`VECTORS_${i}`]))).toEqual([
    [40, 80, 120],
    [160, 0, 0],
    [200, 0, 0],
  ]);
  // Of two restarts, 16 invocations a workgroup.
  expect(dispatches.map(({ workgroups }) => workgroups[0])).toEqual([30, 20, 25]);
});

test('a sweep ends its product where a tile can have all of its unknowns and the inner dimension is one part', () => {
  const ofColumns = { rows: 9, cols: 300, inner: 200, batch: 1, transposeA: true };
  const ofRows = { rows: 200, cols: 16, inner: 300, batch: 4, sharedA: true, transposeB: true };
  expect(planSweep(ofColumns, 'columns', software)).toMatchObject({ algorithm: 'quad-rows', blocksA: 3, splits: 1 });
  expect(planSweep(ofRows, 'rows', software)).toMatchObject({ algorithm: 'quad-columns', blocksB: 4, splits: 1 });
  expect(planSweep(ofColumns, 'columns', { ...software, subgroups: false })).toMatchObject({
    algorithm: 'register',
    blocksA: 3,
    blocksB: 1,
  });
  expect(planSweep({ ...ofColumns, cols: 100_000 }, 'columns', hardware)).toBeUndefined();
  expect(planSweep({ ...ofColumns, cols: 100_000 }, 'columns', hardware, { matmul: 'register' })).toMatchObject({ blocksA: 3, blocksB: 1 });
  expect(planSweep({ ...ofColumns, rows: 32 }, 'columns', software)).toMatchObject({ algorithm: 'quad-rows', blocksA: 8 });
  expect(planSweep({ ...ofColumns, rows: 33 }, 'columns', software)).toBeUndefined();
  expect(planSweep({ ...ofColumns, rows: 17, cols: 255 }, 'columns', software)).toBeUndefined();
  expect(planSweep({ ...ofColumns, rows: 17, cols: 100_000 }, 'columns', hardware)).toBeUndefined();
  for (const facts of [software, hardware]) {
    expect(planSweep({ ...ofColumns, cols: 20, inner: 50_000 }, 'columns', facts)).toBeUndefined();
    expect(planSweep(ofColumns, 'columns', facts, { splits: 2 })).toBeUndefined();
    expect(planSweep(ofColumns, 'columns', facts, { matmul: 'tiled' })).toBeUndefined();
    expect(planSweep(ofColumns, 'columns', facts, { spill: false })).toBeUndefined();
  }
});

test('sweeps of hals are dispatches of their own only for many unknowns, a sparse X, panels and weights', () => {
  const kernels = (program: Parameters<typeof lowerProgram>[0], facts: AdapterFacts) =>
    lowerProgram(program, facts)
      .sections.get('step0')!
      .flatMap(({ dispatches }) => dispatches.map(({ kernel }) => kernel));
  const nmf = (k: number, options = {}) => nmfProgram(200, 300, k, { restarts: 2, solver: 'hals', weighted: false, ...options }).program;
  expect(kernels(nmf(10), software)).toHaveLength(4);
  expect(kernels(nmf(10), software).filter((name) => name.startsWith('update/'))).toEqual([]);
  for (const [program, facts] of [
    [nmf(33), software],
    [nmf(10, { weighted: true }), software],
    [nmf(10, { csrEntries: 500 }), software],
    [nmf(10), { ...software, maxStorageBinding: 65_536 }],
  ] as const) {
    expect(kernels(program, facts).filter((name) => name.startsWith('update/hals'))).toHaveLength(2);
  }
});

test('a solve may take 100 + 25 k rounds', () => {
  const p = programBuilder('budgets');
  const [G, B] = [p.input('G', 20, 20), p.input('B', 20, 30)];
  p.section('all', () => {
    p.nnls(G, B, p.state('S', 20, 30));
    p.simplex(G, B, p.state('T', 20, 30), { warm: false });
  });
  const constants = (forced: Forced) => dispatchesOf(lowerProgram(p.build(), hardware, forced).sections).map((one) => one.constants);
  const [grouped, onSimplex] = constants({ group: true, pivots: 7 });
  expect(grouped).toMatchObject({ PIVOTS: 7, BUDGET: 600 });
  // Each index that enters the active set of a group may take another one out, a round each.
  expect(onSimplex).toMatchObject({ PIVOTS: 7, BUDGET: 7 + 1200 });
  for (const one of constants({ spill: false, pivots: 7 })) expect(one).toMatchObject({ PIVOTS: 7, ENTRIES: 600 });
});

test('solves on the simplex and log det go to groups of lanes where a GPU has no registers for them', () => {
  const kernelsOf = (k: number, facts: AdapterFacts, forced: Forced = {}) => {
    const p = programBuilder('rare');
    const [G, B] = [p.input('G', k, k), p.input('B', k, 5)];
    p.section('all', () => {
      p.simplex(G, B, p.state('S', k, 5), { warm: false });
      p.logDet(G);
    });
    return dispatchesOf(lowerProgram(p.build(), facts, forced).sections).map(({ kernel }) => kernel);
  };
  expect(kernelsOf(4, hardware)).toEqual(['nnls/simplex', 'nnls/log-det']);
  expect(kernelsOf(5, hardware)).toEqual(['nnls/simplex-group', 'nnls/log-det']);
  expect(kernelsOf(9, hardware)).toEqual(['nnls/simplex-group', 'nnls/log-det-group']);
  expect(kernelsOf(9, hardware, { spill: true })).toEqual(['nnls/simplex', 'nnls/log-det']);
  expect(kernelsOf(3, software, { group: true })).toEqual(['nnls/simplex-group', 'nnls/log-det-group']);
  expect(kernelsOf(128, software)).toEqual(['nnls/simplex', 'nnls/log-det']);
  // No room for its workgroup: private arrays.
  expect(kernelsOf(128, { ...hardware, maxInvocationsPerWorkgroup: 64 })).toEqual(['nnls/simplex', 'nnls/log-det']);
});

test('a side of few rows gets a tile of few rows, however many columns there are', () => {
  const tile = (rows: number, cols: number) => stagedTile({ rows, cols, inner: 300, batch: 1, transposeA: true }, hardware);
  expect(tile(9, 1000)).toMatchObject({ blocksA: 4, blocksB: 32 });
  expect(tile(1000, 9)).toMatchObject({ blocksA: 32, blocksB: 4 });
  expect(tile(1000, 1000)).toMatchObject({ blocksA: 16, blocksB: 32 });
});

test('sweeps of more than 64 unknowns go to groups of lanes where the device has hardware and room', () => {
  const kernelOf = (k: number, facts: AdapterFacts, forced = {}) =>
    chooseSweep({ of: 'columns', k, items: 300, restarts: 1, perColumn: false }, facts, forced).kernel;
  expect([64, 65, 256, 257].map((k) => kernelOf(k, hardware))).toEqual(['private', 'group', 'group', 'private']);
  expect([65, 256].map((k) => kernelOf(k, software))).toEqual(['private', 'private']);
  expect(kernelOf(200, { ...hardware, maxInvocationsPerWorkgroup: 128 })).toBe('private');
  expect(kernelOf(5, software, { group: true })).toBe('group');
});

test('solves are written out up to 16 unknowns, on a software adapter up to 32 where enough columns repay the compiling', () => {
  expect(planRegisters('pivoting', 16, 1, software)).toBe(true);
  expect(planRegisters('pivoting', 8, 1, hardware)).toBe(true);
  expect(planRegisters('pivoting', 9, 10_000, hardware)).toBe(false);
  expect(planRegisters('masked', 12, 1, hardware)).toBe(true);
  expect(planRegisters('masked', 13, 10_000, hardware)).toBe(false);
  expect(planRegisters('pivoting', 32, 256, software)).toBe(true);
  expect(planRegisters('pivoting', 17, 255, software)).toBe(false);
  expect(planRegisters('pivoting', 33, 10_000, software)).toBe(false);
  expect(planRegisters('sweep', 17, 10_000, software)).toBe(false);
  expect(planRegisters('pivoting', 4, 1, software, { spill: true })).toBe(false);
});

test('llvmpipe, which compiles them for seconds, gets none written out beyond 16 unknowns, and fewer masked solves and sweeps', () => {
  const largest = (kind: Parameters<typeof planRegisters>[0], facts: AdapterFacts) =>
    Math.max(...Array.from({ length: 40 }, (_, k) => (planRegisters(kind, k, 10_000, facts) ? k : 0)));
  const kinds = ['pivoting', 'masked', 'sweep', 'sweptProduct'] as const;
  expect(kinds.map((kind) => largest(kind, { ...software, llvmpipe: true }))).toEqual([16, 9, 12, 16]);
  expect(kinds.map((kind) => largest(kind, software))).toEqual([32, 32, 16, 32]);
});

test('the adapter facts tell llvmpipe from other software adapters and from hardware', () => {
  const device = { limits: {}, features: new Set() } as unknown as GPUDevice;
  const info = (architecture: string, description: string) => {
    const { software, llvmpipe } = adapterFacts(device, { architecture, description, device: '', vendor: '' } as unknown as GPUAdapterInfo);
    return { software, llvmpipe };
  };
  expect(info('software', 'llvmpipe: Mesa 25.0.7-2+deb13u1 (LLVM 19.1.7) 0.0.1')).toEqual({ software: true, llvmpipe: true });
  expect(info('swiftshader', 'SwiftShader driver 5.0.0')).toEqual({ software: true, llvmpipe: false });
  expect(info('rdna-3', 'radv: Mesa 25.0.7')).toEqual({ software: false, llvmpipe: false });
});

test('grids stay within the limit of a dimension and cover every item', () => {
  for (const items of [1, 64, 65, 65_535 * 64 + 1, 300_000_000]) {
    const { x, y, perRow, workgroup } = planGrid(items, software);
    expect(Math.max(x, y)).toBeLessThanOrEqual(65_535);
    expect(perRow * y).toBeGreaterThanOrEqual(items);
    expect(perRow).toBe(x * workgroup);
  }
});

test('factors of wide solves live in a scratch buffer that stays within its bounds', () => {
  expect(planSolve(32, 1_000_000, software)).toMatchObject({ spill: false, lanes: 1_000_000 });
  const plan = planSolve(128, 1_000_000, software);
  expect(plan.spill).toBe(true);
  expect(plan.scratchBytes).toBeLessThanOrEqual(64 << 20);
  expect(plan.lanes * 128 * 129 * 2).toBeLessThanOrEqual(plan.scratchBytes);
});

test('on hardware groups of lanes solve for up to 128 unknowns, within 16 KiB of workgroup memory and 256 invocations', () => {
  for (let k = 1; k <= 128; k++) {
    const plan = planGroup(k, 1_000_000, hardware);
    if (!plan) throw new Error(`No group solves for ${k} unknowns.`);
    const { group, columns, factorSize, spill, lanes, scratchBytes } = plan;
    expect(group).toBeGreaterThanOrEqual(k);
    expect(group * columns).toBeLessThanOrEqual(128);
    expect(4 * (factorSize + columns + 6 * group * columns)).toBeLessThanOrEqual(16_384);
    const overflow = (k * (k + 1)) / 2 - factorSize / columns;
    expect(spill).toBe(overflow > 0);
    if (spill) expect(4 * overflow * lanes).toBeLessThanOrEqual(scratchBytes);
    expect(scratchBytes).toBeLessThanOrEqual(64 << 20);
  }
  expect(planGroup(129, 10, hardware)).toBeUndefined();
  expect(planGroup(100, 10, { ...hardware, maxInvocationsPerWorkgroup: 64 })).toBeUndefined();
  expect(planGroup(32, 10, { ...hardware, maxWorkgroupStorage: 4096 })).toBeUndefined();
  expect(planGroup(20, 10, software)).toBeUndefined();
});

test('a wide solve gives every column, with its padding, an invocation of its own, in as many dispatches as the scratch buffer asks for', () => {
  const p = programBuilder('wide', { restarts: 3 });
  const [G, B, S] = [p.state('G', 40, 40), p.state('B', 40, 250), p.state('S', 40, 250)];
  p.section('all', () => p.nnls(G, B, S));
  const [solve] = p.build().sections.all;
  const dispatches = lower(solve, software, { spillBytes: 100 * 2 * 40 * 41 });
  expect(dispatches.map(({ constants }) => constants.FIRST)).toEqual([0, 100, 200, 300, 400, 500, 600, 700]);
  for (const { constants, workgroups } of dispatches) expect(Number(constants.WORKGROUP) * workgroups[0]).toBeGreaterThanOrEqual(100);
});

test('what is lowered fits what the kernels declare: bindings, their access, and every constant', async () => {
  const neural = neuralProgram(87, 90, [9, 4, 2], { restarts: 3, start: 'hierarchical' }).program;
  const fused = lowerProgram(nmfProgram(200, 300, 10, { restarts: 3, solver: 'hals', weighted: false }).program, software).program;
  for (const operation of [neural, fused].flatMap(({ sections }) => Object.values(sections).flat())) {
    for (const { kernel, constants, bindings } of lower(operation, software)) {
      const declared = shaders[kernel];
      expect(bindings.length, kernel).toBe(declared.bindings.length);
      bindings.forEach((bound, i) => {
        const written = 'scratch' in bound ? undefined : operation.outputs.includes(bound);
        if (written !== undefined)
          expect(declared.bindings[i].access === 'read_write', `${kernel} ${declared.bindings[i].name}`).toBe(written);
      });
      const source = await specialise(kernel, constants);
      expect(sizeBytes(kernel, constants).byteLength).toBeGreaterThanOrEqual(4 * declared.sizes.length);
      for (const name of declared.constants) expect(source).toMatch(new RegExp(`^const ${name}: \\w+ = \\S+;$`, 'm'));
    }
  }
});

test('loops that add up products are written out as one expression, others as blocks', async () => {
  const code = await specialise('nnls/masked-solve-registers', {
    ...{ K: 3, STRIDE: 4, G_STRIDE: 4, PER_COLUMN: false, G_BATCH: 0, S_BATCH: 0, GRADIENT_BATCH: 0, BETA_BATCH: 0 },
    ...{ ITEMS: 4, RESTARTS: 1, GRID: 16, WORKGROUP: 16 },
  });
  expect(code).not.toContain('@unroll\n');
  expect(code).toContain('x[2u] = fma(minusL[2u][1u], x[1u], fma(minusL[2u][0u], x[0u], x[2u]));');
  expect(code).toContain('{ inside[0u] = has(support, 0u); } { inside[1u] = has(support, 1u); }');
});
