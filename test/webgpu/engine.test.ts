/** The life of an engine: borrowed devices survive it, everything it made goes with it, and a lost device says so. */
import { afterAll, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { DeviceLostError, DisposedError, LimitError, ShaderError } from '../../src/errors.js';
import { programBuilder } from '../../src/graph/program.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { programFor } from '../../src/methods/program-for.js';
import { type DawnAdapter, requestDawnAdapter } from '../../src/node/dawn.js';
import { createEngine } from '../../src/node/engine.js';
import { requestDevice } from '../../src/webgpu/device/device.js';
import { specialise } from '../../src/webgpu/device/specialise.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';

// A device of the test's own: an adapter gives only one, so each takes a new adapter.
const lent: DawnAdapter[] = [];
async function ownDevice(): Promise<GPUDevice> {
  const dawn = await requestDawnAdapter();
  lent.push(dawn);
  return requestDevice(dawn.adapter);
}
afterAll(() => {
  for (const dawn of lent) dawn.release();
});

const { X } = tableOne(0);

test('a borrowed device is used, left clean, and still works after the engine is gone', async () => {
  const device = await ownDevice();
  const engine = await createWebGpuEngine({ device });
  const first = await nmf(engine, X, { ranks: 4, maxIterations: 5 });
  expect(engine.liveBuffers).toBe(0);
  engine.dispose();
  await expect(nmf(engine, X, { ranks: 4 })).rejects.toThrow(DisposedError);
  const again = await createWebGpuEngine({ device });
  expect((await nmf(again, X, { ranks: 4, maxIterations: 5 })).relativeError).toBe(first.relativeError);
  again.dispose();
  device.destroy();
});

test('facts of a GPU change the plan of a software adapter, not what it says it is', async () => {
  const device = await ownDevice();
  const plans: string[] = [];
  for (const forced of [{}, { facts: { software: false, subgroups: false } }]) {
    const engine = await createWebGpuEngine({ device, forced });
    expect(engine.software).toBe(true);
    plans.push(engine.plan(programFor('nmf', { rows: 261, cols: 187, ranks: [64] })));
    engine.dispose();
  }
  expect(plans[0]).not.toBe(plans[1]);
  device.destroy();
});

test('create, dispose, create works; disposing an engine ends the runs that were left open', async () => {
  for (let i = 0; i < 3; i++) {
    const engine = await createEngine();
    const p = programBuilder('open');
    const A = p.state('A', 5, 5);
    p.section('all', () => p.gram(A));
    const run = await engine.prepare(p.build());
    expect(engine.liveBuffers).toBeGreaterThan(0);
    engine.dispose();
    engine.dispose();
    expect(engine.liveBuffers).toBe(0);
    expect(() => run.execute('all')).toThrow(DisposedError);
  }
});

test('no buffer is left behind by a fit, nor by one that fails', async () => {
  using engine = await createEngine();
  await neuralNmf(engine, X, { ranks: [5, 3], restarts: 2, maxIterations: 20 });
  expect(engine.liveBuffers).toBe(0);
  const controller = new AbortController();
  const fit = neuralNmf(engine, X, { ranks: [5, 3], onProgress: () => controller.abort(), signal: controller.signal });
  await expect(fit).rejects.toThrow(/cancelled/);
  expect(engine.liveBuffers).toBe(0);
});

test('the same seed gives bit-equal results, another seed another start', async () => {
  using engine = await createEngine();
  const options = { ranks: [5, 3], restarts: 2, maxIterations: 30 };
  const [one, two, other] = [
    await neuralNmf(engine, X, { ...options, seed: 7 }),
    await neuralNmf(engine, X, { ...options, seed: 7 }),
    await neuralNmf(engine, X, { ...options, seed: 8 }),
  ];
  expect(two.A).toEqual(one.A);
  expect(two.S).toEqual(one.S);
  expect(two.history).toEqual(one.history);
  expect(other.A[0].data).not.toEqual(one.A[0].data);
});

test('a device that is lost is reported as such', async () => {
  const device = await ownDevice();
  const engine = await createWebGpuEngine({ device });
  device.destroy();
  await device.lost;
  await expect(nmf(engine, X, { ranks: 4 })).rejects.toThrow(DeviceLostError);
  engine.dispose();
});

test('a tensor beyond the limits of the device that cannot be split is refused with the sizes', async () => {
  using engine = await createEngine();
  const p = programBuilder('huge');
  const A = p.state('A', 16, 100_000);
  p.section('all', () => p.reduce(p.rowProducts(A), 'sum'));
  const refused = await engine.prepare(p.build()).catch((error) => error);
  expect(refused).toBeInstanceOf(LimitError);
  expect(refused.message).toMatch(
    /16×10000000000\) takes 610351\.6 MiB, but .*maxStorageBufferBindingSize.*rowProducts needs all of its columns/,
  );
  expect(engine.liveBuffers).toBe(0);
});

test('a kernel that was given too few constants is named', async () => {
  await expect(specialise('update/multiplicative', { COUNT: 1 })).rejects.toThrow(ShaderError);
});
