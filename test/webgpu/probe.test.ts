/** Compilers that end long loops early are noticed before anything is computed with them. */
import { afterAll, expect, test } from 'vitest';
import { AdapterError, DeviceLostError } from '../../src/errors.js';
import { type DawnAdapter, requestDawnAdapter } from '../../src/node/dawn.js';
import { requestDevice } from '../../src/webgpu/device/device.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';

const lent: DawnAdapter[] = [];
async function ownDevice(): Promise<GPUDevice> {
  const dawn = await requestDawnAdapter();
  lent.push(dawn);
  return requestDevice(dawn.adapter);
}
afterAll(() => {
  for (const dawn of lent) dawn.release();
});

/** The device, with a compiler that does nothing in rounds of a loop over `j` after the given number, as llvmpipe of Mesa 22.3 does. */
function endingLoopsAfter(rounds: number, device: GPUDevice): { device: GPUDevice; modules: string[] } {
  const modules: string[] = [];
  const createShaderModule = ({ label = '', code }: GPUShaderModuleDescriptor) => {
    modules.push(label);
    const ended = code.replace('{ state =', `{ if (i * sizes.INNER + j >= ${rounds}u) { continue; } state =`);
    return device.createShaderModule({ label, code: ended });
  };
  const changed = new Proxy(device, {
    get(target, key) {
      if (key === 'createShaderModule') return createShaderModule;
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { device: changed, modules };
}

test('a compiler that ends loops after 65,535 rounds is refused by the name of its adapter; a borrowed device lives on', async () => {
  const own = await ownDevice();
  const refused = await createWebGpuEngine({ device: endingLoopsAfter(65_535, own).device }).catch((error) => error);
  expect(refused).toBeInstanceOf(AdapterError);
  using engine = await createWebGpuEngine({ device: own });
  expect(refused.message).toBe(
    `The compiler of the adapter ${engine.description} ends long loops early, so results would be wrong: update its driver (Mesa 25 counts right, Mesa 22.3 does not), choose another adapter (where a packaged one can be had, { prefer: 'software' } or --device software takes it), or compute without one (createReferenceEngine(), or --device cpu).`,
  );
  own.destroy();
});

test('a device that the engine asked for is destroyed when it is refused', async () => {
  const own = await ownDevice();
  const { device } = endingLoopsAfter(65_535, own);
  const adapter = { limits: {}, features: new Set(), requestDevice: async () => device } as unknown as GPUAdapter;
  await expect(createWebGpuEngine({ adapter })).rejects.toThrow(AdapterError);
  expect((await own.lost).reason).toBe('destroyed');
});

test('the look is taken once a device, and leaves nothing in the engine', async () => {
  const own = await ownDevice();
  const { device, modules } = endingLoopsAfter(2 ** 32 - 1, own);
  for (let i = 0; i < 3; i++) {
    const engine = await createWebGpuEngine({ device });
    expect([engine.liveBuffers, engine.liveBytes, engine.compiledPipelines]).toEqual([0, 0, 0]);
    engine.dispose();
  }
  expect(modules).toHaveLength(1);
  own.destroy();
});

test('a device that is lost by then is reported as lost', async () => {
  const device = await ownDevice();
  device.destroy();
  await device.lost;
  await expect(createWebGpuEngine({ device })).rejects.toThrow(DeviceLostError);
});

test('the bundler takes no kernel with a loop that names no bound', async () => {
  const { href } = new URL('../../scripts/bundle-shaders.mjs', import.meta.url);
  const { describeShader } = (await import(href)) as { describeShader(code: string): unknown };
  const kernel = (loop: string) =>
    `// A loop over all.\n@group(0) @binding(0) var<storage, read_write> x: array<u32>;\n@compute @workgroup_size(1)\nfn main() {\n  ${loop}\n}\n`;
  expect(() => describeShader(kernel('for (var i = 0u; i < 4u; i++) { x[i] = i; }'))).not.toThrow();
  for (const loop of ['loop { if (x[0] > 0u) { break; } }', 'while (x[0] > 0u) { x[0]--; }'])
    expect(() => describeShader(kernel(loop))).toThrow(/every loop must be a for loop/);
});
