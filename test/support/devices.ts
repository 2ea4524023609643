import { afterAll } from 'vitest';
import { type DawnAdapter, requestDawnAdapter } from '../../src/node/dawn.js';
import { requestDevice } from '../../src/webgpu/device/device.js';

const lent: { dawn: DawnAdapter; device: GPUDevice }[] = [];

/** A device to lend to engines: an adapter gives only one, so each comes from a new adapter. All go at the end of the file's tests. */
export async function lendDevice(): Promise<GPUDevice> {
  const dawn = await requestDawnAdapter();
  const device = await requestDevice(dawn.adapter);
  lent.push({ dawn, device });
  return device;
}

afterAll(() => {
  for (const { dawn, device } of lent) {
    device.destroy();
    dawn.release();
  }
});
