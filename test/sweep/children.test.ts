/** The processes of a sweep by the adapters that there are, which Dawn is made to say here. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { listAdapters, requestDawnAdapter } from '../../src/node/dawn.js';
import { childrenHere } from '../../src/sweep/children.js';

const gpu = (description: string) => ({
  info: { vendor: 'v', architecture: 'a', device: '', description },
  limits: {},
  features: new Set(),
  requestDevice: async () => ({}),
});
let gpus: Record<string, ReturnType<typeof gpu>> = {};

vi.mock('webgpu', () => ({
  globals: {},
  create: () => ({ requestAdapter: async ({ powerPreference }: GPURequestAdapterOptions = {}) => gpus[powerPreference ?? ''] ?? null }),
}));
vi.mock('../../src/node/vulkan.js', async (original) => ({
  ...(await original<typeof import('../../src/node/vulkan.js')>()),
  ensureVulkanLoader: async () => {},
}));

const folder = mkdtempSync(path.join(tmpdir(), 'orthant-gpus-'));
beforeAll(() => {
  mkdirSync(path.join(folder, 'vulkan/icd.d'), { recursive: true });
  writeFileSync(path.join(folder, 'vulkan/icd.d/gpu_icd.json'), '{}');
  vi.stubEnv('XDG_DATA_HOME', folder);
  for (const chosen of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) vi.stubEnv(chosen, undefined);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('two GPUs have a process each, and the engine of each asks for its own', async () => {
  gpus = { 'high-performance': gpu('Large'), 'low-power': gpu('Small') };
  expect((await listAdapters()).filter(({ software, source }) => !software && source === 'system')).toHaveLength(2);
  const [fast, saving] = [
    { device: 'gpu', powerPreference: 'high-performance' },
    { device: 'gpu', powerPreference: 'low-power' },
  ] as const;
  expect(await childrenHere('auto')).toEqual([fast, saving]);
  expect(await childrenHere('gpu', 3)).toEqual([fast, saving, fast]);
  expect(await childrenHere('auto', 1)).toEqual([{ device: 'auto' }]);
  expect(await childrenHere('cpu', 2)).toEqual([{ device: 'cpu' }, { device: 'cpu' }]);
  for (const { powerPreference } of [fast, saving]) {
    const { adapter } = await requestDawnAdapter({ prefer: 'gpu', powerPreference });
    expect(adapter).toBe(gpus[powerPreference]);
  }
});

test('one GPU, or two that are alike, have one', async () => {
  gpus = { 'high-performance': gpu('Large'), 'low-power': gpu('Large') };
  expect(await childrenHere('auto')).toEqual([{ device: 'auto' }]);
});
