/**
 * The decoding of 16-bit floats in kernels: with WGSL's `unpack2x16float`, or with integers, in more instructions. Some adapters of wgpu
 * refuse the former (they lack SHADER_F16_IN_F32). They refuse any module that holds the name, so it is left out where it is not needed.
 */
import type { HalfDecoding } from '../plan/planner.js';

const builtIn = 'unpack2x16float';

export function decoding(code: string, halves: HalfDecoding): string {
  return halves === 'built-in' ? code : code.replaceAll(`${builtIn}(`, 'unpackBits(');
}

const probe = `@group(0) @binding(0) var<storage, read_write> x: array<vec2f>;
@compute @workgroup_size(1) fn main() { x[0] = ${builtIn}(bitcast<u32>(x[1].x)); }`;

/** The decoding for a device: the built-in one if halves are wanted and a kernel with it compiles. */
export async function halfDecodingOf(device: GPUDevice, wanted: boolean): Promise<HalfDecoding> {
  if (!wanted) return 'integers';
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label: 'decoding of 16-bit floats', code: probe });
  const refused = device.popErrorScope().catch(() => null);
  const compiled = device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  return compiled.then(
    async () => ((await refused) === null ? 'built-in' : 'integers'),
    () => 'integers',
  );
}
