import type { Case } from './support.js';

const doubling = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&values)) { values[id.x] *= 2; }
}`;

/** Whether the stack works at all: if these fail, look no further. */
export const adapter: Case[] = [
  {
    name: 'computes',
    async run({ device }) {
      const given = Float32Array.of(1, 2, 3, 4, 5.5);
      const size = given.byteLength;
      const values = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
      const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      device.queue.writeBuffer(values, 0, given);
      const compute = { module: device.createShaderModule({ code: doubling }), entryPoint: 'main' };
      const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
      const bindGroup = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer: values } }],
      });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(1);
      pass.end();
      encoder.copyBufferToBuffer(values, 0, staging, 0, size);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const found = new Float32Array(staging.getMappedRange().slice(0));
      values.destroy();
      staging.destroy();
      const wrong = found.findIndex((value, i) => value !== 2 * given[i]);
      if (wrong >= 0) throw new Error(`Doubling ${given} gave ${found}: entry ${wrong} is wrong.`);
    },
  },
];
