/** Borrowed devices: what others do on them is none of the engine's business, and they need not say what they are. */
import { expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { OrthantError } from '../../src/errors.js';
import { nmf } from '../../src/methods/nmf.js';
import { describeAdapter, isSoftware, requestDevice } from '../../src/webgpu/device/device.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';
import { lendDevice } from '../support/devices.js';

const { X } = tableOne(0);
const options = { ranks: 4, maxIterations: 40, tolerance: 0, seed: 3, svdBound: false };

/** A buffer that no device makes. */
const mistake = (device: GPUDevice) => device.createBuffer({ label: 'mistake', size: 16, usage: 0xffff });

test("the application's errors are its own, handled or not: fits go on and give the same bits", async () => {
  const device = await lendDevice();
  const engine = await createWebGpuEngine({ device });
  const before = await nmf(engine, X, options);

  const heard: string[] = [];
  const listener = (event: GPUUncapturedErrorEvent) => heard.push(event.error.message);
  device.addEventListener('uncapturederror', listener);
  mistake(device);
  expect((await nmf(engine, X, { ...options, onProgress: () => void mistake(device) })).S).toEqual(before.S);
  expect(heard.length).toBeGreaterThan(1);
  device.removeEventListener('uncapturederror', listener);

  // Its scope is open during all of a fit, and hears of its error alone.
  device.pushErrorScope('validation');
  mistake(device);
  const around = await nmf(engine, X, options);
  const own = await device.popErrorScope();
  expect(own?.message).toMatch(/mistake/);
  expect(around.S).toEqual(before.S);
  await expect(device.popErrorScope()).rejects.toThrow(); // no scope of the engine's is left

  mistake(device);
  await device.queue.onSubmittedWorkDone();
  expect((await nmf(engine, X, options)).S).toEqual(before.S);
  engine.dispose();
});

test('an error of our own is reported by the fit that made it, and ends no other', async () => {
  const device = await lendDevice();
  const engine = await createWebGpuEngine({ device });
  const heard: string[] = [];
  device.addEventListener('uncapturederror', (event) => heard.push(event.error.message));
  const { createBindGroup, createCommandEncoder } = device;

  device.createBindGroup = (descriptor) => createBindGroup.call(device, { ...descriptor, entries: [] });
  const bound = await nmf(engine, X, options).catch((error) => error);
  device.createBindGroup = (descriptor) => createBindGroup.call(device, descriptor);
  expect(bound).toBeInstanceOf(OrthantError);
  expect(bound.message).toMatch(/^The GPU refused a command/);

  // A pass that is never ended.
  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder.call(device, descriptor);
    encoder.beginComputePass();
    return encoder;
  };
  const submitted = await nmf(engine, X, options).catch((error) => error);
  device.createCommandEncoder = (descriptor) => createCommandEncoder.call(device, descriptor);
  expect(submitted).toBeInstanceOf(OrthantError);
  expect(submitted.message).toMatch(/^The GPU refused a command/);

  expect(heard).toEqual([]);
  expect(engine.liveBuffers).toBe(0);
  expect((await nmf(engine, X, options)).iterations).toBe(40);
  engine.dispose();
});

/** The device or adapter without some of its properties. */
function without<T extends object>(target: T, names: readonly string[]): T {
  for (const name of names) Object.defineProperty(target, name, { value: undefined });
  return target;
}

test('a device that does not say what it is computes as any other; its adapter says it, where it is given', async () => {
  const device = await lendDevice();
  const named = await createWebGpuEngine({ device });
  const expected = await nmf(named, X, options);
  without(device, ['adapterInfo']);
  const unnamed = await createWebGpuEngine({ device });
  expect(unnamed.description).toBe('unnamed adapter (GPU)');
  expect(unnamed.software).toBe(false);
  expect((await nmf(unnamed, X, options)).relativeError).toBeCloseTo(expected.relativeError, 5);
  const adapter = { info: { description: 'SwiftShader' } } as GPUAdapter;
  const told = await createWebGpuEngine({ device, adapter });
  expect(told.description).toBe('SwiftShader (software adapter)');
  expect(told.software).toBe(true);
  for (const engine of [named, unnamed, told]) engine.dispose();
});

test('an adapter may have no info, no features and limits that it does not tell', async () => {
  expect(describeAdapter(undefined)).toBe('unnamed adapter (GPU)');
  expect(describeAdapter({})).toBe('unnamed adapter (GPU)');
  expect(isSoftware({ vendor: '', architecture: '', device: '', description: '' })).toBe(false);
  const asked: GPUDeviceDescriptor[] = [];
  const adapter = {
    limits: { maxBufferSize: 1024 },
    async requestDevice(descriptor: GPUDeviceDescriptor) {
      asked.push(descriptor);
      return {};
    },
  } as unknown as GPUAdapter;
  await requestDevice(adapter);
  expect(asked).toEqual([{ label: 'orthant', requiredLimits: { maxBufferSize: 1024 }, requiredFeatures: [] }]);
});
