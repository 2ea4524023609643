/** Devices with less than an adapter could give: the defaults of WebGPU, and below them what cannot be used. */
import { afterAll, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { LimitError } from '../../src/errors.js';
import { programBuilder } from '../../src/graph/program.js';
import { nmf } from '../../src/methods/nmf.js';
import { requestDawnAdapter } from '../../src/node/dawn.js';
import { ncpProgram } from '../../src/programs/ncp.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';
import { planPanels } from '../../src/webgpu/panels/panels.js';

let started: ReturnType<typeof start> | undefined;

/** A device with the limits that every adapter has to give. */
async function start() {
  const dawn = await requestDawnAdapter();
  return { dawn, device: await dawn.adapter.requestDevice() };
}

async function defaultDevice(): Promise<GPUDevice> {
  started ??= start();
  return (await started).device;
}

afterAll(async () => {
  const running = await started?.catch(() => undefined);
  running?.device.destroy();
  running?.dawn.release();
});

/** The device with some of its properties replaced. */
function changed(device: GPUDevice, properties: Record<string, unknown>): GPUDevice {
  return new Proxy(device, {
    get(target, key) {
      if (key in properties) return properties[key as string];
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('a borrowed device with default limits runs fits', async () => {
  const device = await defaultDevice();
  expect(device.limits.maxStorageBufferBindingSize).toBe(2 ** 27);
  using engine = await createWebGpuEngine({ device });
  const { relativeError } = await nmf(engine, tableOne(0).X, { ranks: 4, maxIterations: 20 });
  expect(relativeError).toBeLessThan(0.5);
});

test('on default limits a matrix beyond 128 MiB is split, and what is written is what is there', async () => {
  using engine = await createWebGpuEngine({ device: await defaultDevice() });
  const [rows, cols] = [5801, 6001];
  const p = programBuilder('large');
  const X = p.input('X', rows, cols);
  const ones = p.input('ones', cols, 1);
  const [sum, ofRows] = [p.state('sum', 1, 1), p.state('ofRows', rows, 1)];
  p.section('all', () => {
    p.reduce(X, 'sum', { into: sum });
    p.matmul(X, ones, { into: ofRows });
  });
  const program = p.build();
  expect(planPanels(program, 2 ** 27).get(X)?.panels.length).toBe(2);
  using run = await engine.prepare(program);
  // Powers of two, so that no sum is rounded: row i holds 2^(i mod 3) in every column.
  const entries = new Float32Array(rows * cols);
  for (let i = 0; i < rows; i++) entries.fill(2 ** (i % 3), i * cols, (i + 1) * cols);
  run.write(X, entries);
  run.write(ones, new Float32Array(cols).fill(1));
  run.execute('all');
  const [total, each] = await run.sample([sum, ofRows]);
  expect(Array.from(each)).toEqual(Array.from({ length: rows }, (_, i) => cols * 2 ** (i % 3)));
  const exact = Array.from(each).reduce((all, row) => all + row, 0);
  expect(Math.abs(total[0] / exact - 1)).toBeLessThan(1e-6);
});

test('what cannot be split names the limit of the device', async () => {
  using engine = await createWebGpuEngine({ device: await defaultDevice() });
  const p = programBuilder('wide');
  p.section('all', () => p.reduce(p.rowProducts(p.state('A', 16, 2000)), 'sum'));
  await expect(engine.prepare(p.build())).rejects.toThrow(/takes 244\.1 MiB, but this device binds 128\.0 MiB at once/);
});

test('a tensor in coordinates that exceeds a binding is refused by its name, and what it is written by has its form and size', async () => {
  const device = await defaultDevice();
  const { program } = ncpProgram([9, 8, 7], 2, { restarts: 1, solver: 'hals', cooEntries: 200 });
  using small = await createWebGpuEngine({ device, forced: { bindingBytes: 4096 } });
  const refused = await small.prepare(program).catch((error) => error);
  expect(refused).toBeInstanceOf(LimitError);
  expect(refused.message).toMatch(/^ncp\/X needs 5\d\d\d bytes, but this device allows 4096 bytes per buffer/);
  expect(small.liveBuffers).toBe(0);
  using engine = await createWebGpuEngine({ device });
  const X = program.tensors[0];
  for (const on of [engine, createReferenceEngine()]) {
    using run = await on.prepare(program);
    expect(() => run.write(X, new Float32Array(9 * 8 * 7))).toThrow(/X is a tensor in coordinates and takes a SparseTensor/);
    const [coordinates, values] = [new Uint32Array(3 * 199), new Float32Array(199)];
    expect(() => run.write(X, { shape: [9, 8, 7], coordinates, values })).toThrow(
      /X is 9×8×7 with 200 stored entries, but what was given is 9×8×7 with 199/,
    );
    await expect(run.read(X)).rejects.toThrow(/X is sparse and cannot be read back/);
  }
});

test('a device below what the kernels need is refused with what it lacks', async () => {
  const device = await defaultDevice();
  const limits = { ...Object.fromEntries(limitsOf(device)), maxStorageBuffersPerShaderStage: 4, maxComputeInvocationsPerWorkgroup: 32 };
  const refused = await createWebGpuEngine({ device: changed(device, { limits }) }).catch((error) => error);
  expect(refused).toBeInstanceOf(LimitError);
  expect(refused.message).toMatch(/maxStorageBuffersPerShaderStage 8 \(it has 4\), maxComputeInvocationsPerWorkgroup 64 \(it has 32\)/);
});

function limitsOf({ limits }: GPUDevice): [string, number][] {
  const names: string[] = [];
  for (const name in limits) names.push(name);
  return names.map((name) => [name, limits[name as keyof GPUSupportedLimits] as number]);
}

test('a device without the memory says how much was asked for, and nothing is left behind', async () => {
  const whole = await defaultDevice();
  let exhausted = false;
  const popErrorScope = async () => (await whole.popErrorScope()) ?? (exhausted ? { message: 'out of memory' } : null);
  using engine = await createWebGpuEngine({ device: changed(whole, { popErrorScope }) });
  exhausted = true;
  const p = programBuilder('much');
  p.section('all', () => p.gram(p.state('A', 1000, 500)));
  const refused = await engine.prepare(p.build()).catch((error) => error);
  expect(refused).toBeInstanceOf(LimitError);
  expect(refused.message).toMatch(/Program much takes \d\.\d MiB in \d buffers, which is more memory than the device has left/);
  expect(engine.liveBuffers).toBe(0);
});
