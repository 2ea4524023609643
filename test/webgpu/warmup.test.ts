/** Warm-up compiles everything a program needs and gives nothing memory; a plan says what would run without a device. */
import { afterAll, expect, test } from 'vitest';
import { programBuilder } from '../../src/graph/program.js';
import { programFor } from '../../src/methods/program-for.js';
import { type DawnAdapter, requestDawnAdapter } from '../../src/node/dawn.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { requestDevice } from '../../src/webgpu/device/device.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';
import type { AdapterFacts } from '../../src/webgpu/plan/planner.js';
import { costText } from '../../src/webgpu/plan-cost.js';
import { dispatchCounts, planText } from '../../src/webgpu/plan-text.js';

const facts: AdapterFacts = {
  software: true,
  subgroups: true,
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding: 1 << 30,
  maxBufferSize: 1 << 30,
  maxWorkgroupStorage: 32_768,
  maxInvocationsPerWorkgroup: 256,
};

const lent: DawnAdapter[] = [];
afterAll(() => {
  for (const dawn of lent) dawn.release();
});

/** A device that counts the pipelines it is asked for, and how many of them were under way at once. */
async function countingDevice() {
  const dawn = await requestDawnAdapter();
  lent.push(dawn);
  const device = await requestDevice(dawn.adapter);
  const counts = { asked: 0, pending: 0, most: 0 };
  const original = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = async (descriptor) => {
    counts.asked++;
    counts.most = Math.max(counts.most, ++counts.pending);
    try {
      return await original(descriptor);
    } finally {
      counts.pending--;
    }
  };
  return { device, counts };
}

test('after a warm-up its program compiles nothing, and one of another size next to nothing', async () => {
  const { device, counts } = await countingDevice();
  const engine = await createWebGpuEngine({ device });
  counts.asked = 0; // the engine's look at the compiler is over
  const program = programFor('neural', { rows: 87, cols: 90, ranks: [9, 4, 2] });
  await engine.warmup(program);
  expect(engine.liveBuffers).toBe(0);
  expect(counts.asked).toBeGreaterThan(5);
  // All at once; where a machine is slow to ask, the first may be done before the last is asked for.
  expect(counts.most).toBeGreaterThan(counts.asked / 2);
  const compiled = counts.asked;
  (await engine.prepare(program)).dispose();
  expect(counts.asked).toBe(compiled);
  expect(engine.plan(program)).toMatch(/^program neural/);
  expect(await engine.plan(program, { profile: 'rtx-4090' })).toBe(costText(program, 'rtx-4090'));
  await expect(engine.plan(program, { profile: 'gtx-480' })).rejects.toThrow(/no profile 'gtx-480'; there are h100-sxm, /);
  expect(counts.asked).toBe(compiled);
  // The planner may give one of its products another tile.
  (await engine.prepare(programFor('neural', { rows: 80, cols: 100, ranks: [9, 4, 2] }))).dispose();
  expect(counts.asked).toBeLessThanOrEqual(compiled + 4);
  engine.dispose();
  await expect(engine.warmup(program)).rejects.toThrow(/disposed/);
  device.destroy();
});

test('the reference has nothing to compile', async () => {
  const engine = createReferenceEngine();
  const program = programFor('nmf', { rows: 6, cols: 5, ranks: [2], solver: 'mu' });
  await engine.warmup(program);
  expect(engine.plan(program)).toMatch(/program nmf/);
  using run = await engine.prepare(program);
  expect(run.dispatches('step0')).toBe(program.sections.step0.length);
  engine.dispose();
  await expect(engine.warmup(program)).rejects.toThrow(/disposed/);
});

test('a plan lists every operation with its kernels, tile, parts and workgroups', () => {
  const p = programBuilder('small');
  const A = p.state('A', 100_000, 8);
  const S = p.state('S', 8, 8);
  p.section('all', () => p.copy(p.gram(A), S));
  const program = p.build();
  const text = planText(program, facts);
  expect(dispatchCounts(program, facts)).toEqual({ all: 3 });
  expect(text).toMatch(
    /^program small, 1 restart, 3 pipelines\n {2}all: 3 dispatches\n {4}\w+ = Aᵀ A\n {6}matmul\/\S+ \d+×\d+ in \d+ parts +\d+ workgroups?\n {6}reduce\/sum-partials of \d+ parts/,
  );
  expect(planText(program, { ...facts, software: false, subgroups: false })).toMatch(/matmul\/tiled 16×16 in \d+ parts/);
});

test('programs of shapes that no factorization has are refused', () => {
  expect(() => programFor('nmf', { rows: 6, cols: 5, ranks: [9] })).toThrow(/choose at most 5/);
  expect(() => programFor('nmf', { rows: 6, cols: 5, ranks: [3, 2] })).toThrow(/one rank/);
  expect(() => programFor('nmf', { rows: 6, cols: 5, ranks: [3], nonZeros: 9, weighted: true })).toThrow(/sparse X takes no weights/);
  expect(programFor('neural', { rows: 6, cols: 5, ranks: [3], nonZeros: 9 }).tensors[0].form).toBe('csr');
});
