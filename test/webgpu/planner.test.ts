import { expect, test } from 'vitest';
import { programBuilder } from '../../src/graph/program.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { adapterFacts } from '../../src/webgpu/device/device.js';
import { sizeBytes, specialise } from '../../src/webgpu/device/specialise.js';
import { lower } from '../../src/webgpu/lower/lower.js';
import { dispatchesOf, lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import { planMatmul, planSweep } from '../../src/webgpu/plan/plan-products.js';
import { type AdapterFacts, planGrid, planGroup, planRegisters, planSolve } from '../../src/webgpu/plan/planner.js';
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
  const pair = (i: number) => [p.state(`s${i}`, i + 1, 5), p.state(`t${i}`, i + 1, 5)] as const;
  const pairs = [0, 1, 2, 3, 4].map(pair);
  p.section('all', () => {
    for (const [i, [state, trial]] of pairs.entries()) p.keepAccepted(state, trial, i < 4 ? one : other);
  });
  const dispatches = dispatchesOf(lowerProgram(p.build(), software).sections);
  expect(dispatches.map(({ constants }) => [0, 1, 2].map((i) => constants[`VECTORS_${i}`]))).toEqual([
    [2, 4, 6],
    [8, 0, 0],
    [10, 0, 0],
  ]);
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
  expect(planSweep({ ...ofColumns, cols: 100_000 }, 'columns', hardware)).toMatchObject({ algorithm: 'register', blocksA: 3, blocksB: 1 });
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

test('what is lowered fits what the kernels declare: bindings, their access, and every constant', () => {
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
      const source = specialise(kernel, constants);
      expect(sizeBytes(kernel, constants).byteLength).toBeGreaterThanOrEqual(4 * declared.sizes.length);
      for (const name of declared.constants) expect(source).toMatch(new RegExp(`^const ${name}: \\w+ = \\S+;$`, 'm'));
    }
  }
});

test('loops that add up products are written out as one expression, others as blocks', () => {
  const code = specialise('nnls/masked-solve-registers', {
    ...{ K: 3, STRIDE: 4, G_STRIDE: 4, PER_COLUMN: false, G_BATCH: 0, S_BATCH: 0, GRADIENT_BATCH: 0, BETA_BATCH: 0 },
    ...{ ITEMS: 4, RESTARTS: 1, GRID: 16, WORKGROUP: 16 },
  });
  expect(code).not.toContain('@unroll\n');
  expect(code).toContain('x[2u] = fma(minusL[2u][1u], x[1u], fma(minusL[2u][0u], x[0u], x[2u]));');
  expect(code).toContain('{ inside[0u] = has(support, 0u); } { inside[1u] = has(support, 1u); }');
});
