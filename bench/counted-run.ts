/** A program whose kernels count their traffic, dispatch by dispatch, with the plan of any adapter. */

import { planBuffers } from '../src/graph/lifetimes.js';
import type { Program } from '../src/graph/program.js';
import type { Tensor } from '../src/graph/tensor.js';
import { decoding } from '../src/webgpu/device/half-decoding.js';
import { type Instrumented, instrumented, type Traffic, trafficOf, wordsOfRecord } from '../src/webgpu/device/instrument.js';
import { pipelineKey } from '../src/webgpu/device/pipelines.js';
import { sizeBytes, specialise } from '../src/webgpu/device/specialise.js';
import { columnNorms } from '../src/webgpu/layout/column-norms.js';
import { byteLength, deviceForm, placeOf, unpad } from '../src/webgpu/layout/layout.js';
import type { Dispatch } from '../src/webgpu/lower/dispatch.js';
import { lowerProgram } from '../src/webgpu/lower/lower-program.js';
import { buffersOf } from '../src/webgpu/panels/split-program.js';
import type { AdapterFacts } from '../src/webgpu/plan/planner.js';
import { type Shader, shaders } from '../src/webgpu/shaders.generated.js';
import { type Step, stepText } from '../src/webgpu/steps/step.js';

/** A dispatch with the tensor (undefined: scratch memory) and the traffic of each of its bindings. */
export interface CountedDispatch {
  step: Step;
  text: string;
  dispatch: Dispatch;
  bound: { tensor?: Tensor; traffic: Traffic }[];
}

export interface CountedRun {
  write(tensor: Tensor, entries: ArrayLike<number>): void;
  execute(section: string): Promise<CountedDispatch[]>;
  read(tensor: Tensor): Promise<Float32Array>;
  [Symbol.dispose](): void;
}

interface Compiled extends Instrumented {
  pipeline: GPUComputePipeline;
}

export function countedRun(device: GPUDevice, program: Program, facts: AdapterFacts): CountedRun {
  const { sections, split, program: fused, inputs, panelled, norms } = lowerProgram(program, facts);
  if (panelled.size > 0) throw new Error(`${program.name} is split into panels, whose traffic is not counted.`);
  const owned: GPUBuffer[] = [];
  const create = (label: string, size: number, usage: GPUBufferUsageFlags) => {
    const buffer = device.createBuffer({ label, size, usage });
    owned.push(buffer);
    return buffer;
  };
  const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffers = new Map<Tensor, GPUBuffer>();
  const tensors = [
    ...fused.tensors.filter(({ role }) => role !== 'transient'),
    ...norms.values(),
    ...planBuffers(buffersOf(split), byteLength, { apart: true }).slotOf.keys(),
  ];
  for (const tensor of tensors) buffers.set(tensor, create(tensor.name, byteLength(tensor), storage));
  const scratch = new Map<number, GPUBuffer>();
  const scratchOf = (index: number, bytes: number) => {
    const known = scratch.get(index);
    if (known && known.size >= bytes) return known;
    const made = create(`scratch ${index}`, Math.max(16, bytes), storage);
    scratch.set(index, made);
    return made;
  };

  const pipelines = new Map<string, Promise<Compiled>>();
  const compiled = ({ kernel, constants }: Dispatch) => {
    const key = pipelineKey(kernel, constants);
    const known = pipelines.get(key) ?? instrumentedKernel(kernel, constants).then((own) => compile(device, key, own));
    pipelines.set(key, known);
    return known;
  };

  const count = async (step: Step, dispatch: Dispatch): Promise<CountedDispatch> => {
    const kernel = await compiled(dispatch);
    const seen = device.createBuffer({ size: kernel.bytes, usage: storage });
    const sizes = device.createBuffer({
      size: Math.max(16, sizeBytes(dispatch.kernel, dispatch.constants).byteLength),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(sizes, 0, sizeBytes(dispatch.kernel, dispatch.constants));
    const entries = dispatch.bindings.map((bound, binding) => {
      if ('scratch' in bound) return { binding, resource: { buffer: scratchOf(bound.scratch, bound.bytes) } };
      const { holder, offset, size } = placeOf(bound);
      return { binding, resource: { buffer: buffers.get(holder)!, offset, size } };
    });
    const own = [sizes, seen].map((buffer, i) => ({ binding: entries.length + i, resource: { buffer } }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: kernel.pipeline.getBindGroupLayout(0), entries: [...entries, ...own] }));
    pass.dispatchWorkgroups(...dispatch.workgroups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const head = await wordsOf(device, seen, kernel.sites.length + 1);
    const records = head[kernel.sites.length] * wordsOfRecord;
    const words = await wordsOf(device, seen, Math.min(head.length + records, kernel.bytes / 4));
    seen.destroy();
    sizes.destroy();
    const traffic = trafficOf(kernel, words, dispatch.bindings.length);
    const bound = dispatch.bindings.map((each, i) => ({
      tensor: 'scratch' in each ? undefined : placeOf(each).holder,
      traffic: traffic[i],
    }));
    return { step, text: stepText(step), dispatch, bound };
  };

  return {
    write(given, entries) {
      const tensor = inputs.get(given) ?? given;
      const form = deviceForm(tensor, entries);
      device.queue.writeBuffer(buffers.get(tensor)!, 0, form);
      const own = norms.get(tensor);
      if (own) device.queue.writeBuffer(buffers.get(own)!, 0, columnNorms(tensor, form));
    },
    async execute(section) {
      const counted: CountedDispatch[] = [];
      for (const { step, dispatches } of sections.get(section)!)
        for (const dispatch of dispatches) counted.push(await count(step, dispatch));
      return counted;
    },
    async read(tensor) {
      const words = await wordsOf(device, buffers.get(tensor)!, byteLength(tensor) / 4);
      return unpad(tensor, new Float32Array(words.buffer));
    },
    [Symbol.dispose]() {
      for (const buffer of owned) buffer.destroy();
    },
  };
}

export async function instrumentedKernel(kernel: Dispatch['kernel'], constants: Dispatch['constants']): Promise<Instrumented> {
  return instrumented(decoding(await specialise(kernel, constants), 'integers'), (shaders[kernel] as Shader).bindings);
}

async function compile(device: GPUDevice, label: string, own: Instrumented): Promise<Compiled> {
  const module = device.createShaderModule({ label, code: own.code });
  const pipeline = await device.createComputePipelineAsync({ label, layout: 'auto', compute: { module, entryPoint: 'main' } });
  return { ...own, pipeline };
}

async function wordsOf(device: GPUDevice, buffer: GPUBuffer, words: number): Promise<Uint32Array<ArrayBuffer>> {
  const staging = device.createBuffer({ size: 4 * words, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4 * words);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const read = new Uint32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return read;
}
