import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { requestDawnAdapter } from '../../src/node/dawn.js';
import { restWhileWaiting } from '../../src/node/rest.js';

/** A device that takes its time for pipelines, and refuses to answer scopes. */
const slow = () =>
  ({
    createComputePipelineAsync: (descriptor: unknown) => after(200, descriptor),
    popErrorScope: () => Promise.reject(new Error('no scope')),
    createBuffer: ({ usage }: { usage: number }) => ({ usage, mapAsync: async (mode: number, offset: number) => [mode, offset] }),
  }) as unknown as GPUDevice;

/** Turns of an event loop that never pauses by itself, as Dawn's does not, until the promise settles. */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let turns = 0;
  let settled = false;
  const count = () => {
    turns++;
    if (!settled) setImmediate(count);
  };
  count();
  await promise;
  settled = true;
  return turns;
}

test('while something is waited for the event loop turns some hundred times, not as fast as it can', async () => {
  await requestDawnAdapter({ prefer: 'software' }).then(({ release }) => release()); // GPUBufferUsage
  const busy = await turnsUntil(slow().createComputePipelineAsync({} as never));
  const rested = await turnsUntil(restWhileWaiting(slow()).createComputePipelineAsync({} as never));
  expect(rested).toBeLessThan(2000);
  expect(rested).toBeLessThan(busy / 4);
});

test('what is asked and what is answered pass unchanged', async () => {
  const device = restWhileWaiting(slow());
  const descriptor = { label: 'x' } as never;
  expect(await device.createComputePipelineAsync(descriptor)).toBe(descriptor);
  await expect(device.popErrorScope()).rejects.toThrow('no scope');
  const mapped = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ });
  expect(await mapped.mapAsync(1, 8)).toEqual([1, 8]);
});

test('devices of software adapters rest, from the adapter on', async () => {
  const { adapter, release } = await requestDawnAdapter({ prefer: 'software' });
  const device = await adapter.requestDevice();
  expect(Object.hasOwn(device, 'popErrorScope')).toBe(true);
  device.pushErrorScope('validation');
  expect(await device.popErrorScope()).toBeNull();
  device.destroy();
  release();
});
