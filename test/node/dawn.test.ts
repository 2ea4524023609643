/** A system whose only driver is a lavapipe that ends loops early, as Mesa 22.3's would: the packaged adapter is taken, and the note says why. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { requestDawnAdapter } from '../../src/node/dawn.js';
import { canRunPackaged } from '../../src/node/software-adapter.js';

/** A device that takes every command and answers zeros: the count is wrong. */
function deviceOfZeros(): GPUDevice {
  const zeros = new ArrayBuffer(4);
  const yes: unknown = new Proxy(() => undefined, {
    get: (_, key) => (key === 'then' || key === Symbol.toPrimitive ? undefined : key === 'getMappedRange' ? () => zeros : yes),
    apply: () => yes,
  });
  const own: Partial<Record<string | symbol, unknown>> = {
    limits: { maxStorageBuffersPerShaderStage: 8 },
    popErrorScope: async () => null,
  };
  return new Proxy(yes as GPUDevice, { get: (target, key) => own[key] ?? Reflect.get(target, key) });
}

const lavapipe = {
  info: { vendor: 'mesa', architecture: 'software', device: '', description: 'llvmpipe: Mesa 22.3.6 (LLVM 15.0.6)' },
  limits: {},
  features: new Set(),
  requestDevice: async () => deviceOfZeros(),
};

// What Dawn sees without drivers named is the system; the packaged driver is named in the environment while it is asked for.
vi.mock('webgpu', async (original) => {
  const dawn = await original<typeof import('webgpu')>();
  return {
    ...dawn,
    create(flags: string[]) {
      const gpu = dawn.create(flags);
      const requestAdapter = async (options: GPURequestAdapterOptions) =>
        process.env.VK_DRIVER_FILES ? gpu.requestAdapter(options) : lavapipe;
      return { requestAdapter };
    },
  };
});

const folder = mkdtempSync(path.join(tmpdir(), 'orthant-drivers-'));
beforeAll(() => {
  mkdirSync(path.join(folder, 'vulkan/icd.d'), { recursive: true });
  writeFileSync(path.join(folder, 'vulkan/icd.d/lvp_icd.json'), '{}');
  vi.stubEnv('XDG_DATA_HOME', folder);
  for (const chosen of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) vi.stubEnv(chosen, undefined);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test.each(['auto', 'software'] as const)('%s passes over a lavapipe that ends loops early', async (prefer) => {
  if (!canRunPackaged) {
    await expect(requestDawnAdapter({ prefer })).rejects.toThrow(/ends long loops early/);
    return;
  }
  const dawn = await requestDawnAdapter({ prefer });
  expect(dawn).toMatchObject({ source: 'packaged', software: true });
  expect(dawn.passedOver).toHaveLength(1);
  expect(dawn.note).toMatch(
    /^SwiftShader .*from the package @sparticuz\/chromium\. The compiler of the adapter llvmpipe: Mesa 22\.3\.6 .* ends long loops early/,
  );
  dawn.release();
});
