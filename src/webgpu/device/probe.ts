/** A look at the compiler before it is trusted. */
import { messageOf } from '../../data/realm.js';
import { AdapterError, DeviceLostError } from '../../errors.js';
import { createGuard } from './guard.js';
import { createPipelines } from './pipelines.js';
import { sizeBytes } from './specialise.js';

/** More rounds together than the 65,535 after which llvmpipe of Mesa 22.3 ends the loops of an invocation. */
const rounds = { OUTER: 270, INNER: 250 };

const start = 1;

const checked = new WeakSet<GPUDevice>();

/**
 * Throws AdapterError for a device whose compiler ends long loops early: all results could be wrong, and nothing else would say so.
 * A device is looked at once.
 */
export async function checkLoops(device: GPUDevice, adapter: string): Promise<void> {
  if (checked.has(device)) return;
  if ((await stepOnDevice(device)) !== stepOnHost()) {
    throw new AdapterError(
      `The compiler of the adapter ${adapter} ends long loops early, so results would be wrong: update its driver (Mesa 25 counts right, Mesa 22.3 does not), choose another adapter (where a packaged one can be had, { prefer: 'software' } or --device software takes it), or compute without one (createReferenceEngine(), or --device cpu).`,
    );
  }
  checked.add(device);
}

function stepOnHost(): number {
  let state = start;
  for (let round = 0; round < rounds.OUTER * rounds.INNER; round++) state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state;
}

async function stepOnDevice(device: GPUDevice): Promise<number> {
  const label = 'probe/count-rounds';
  const pipeline = await createPipelines(device, 'integers').get(label, rounds);
  const guard = createGuard(device);
  const buffers = guard.around(() => {
    const buffer = (bytes: ArrayBuffer | Uint32Array<ArrayBuffer>, usage: GPUBufferUsageFlags) => {
      const made = device.createBuffer({ label, size: bytes.byteLength, usage: usage | GPUBufferUsage.COPY_DST });
      device.queue.writeBuffer(made, 0, bytes);
      return made;
    };
    const result = buffer(Uint32Array.of(start), GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    const sizes = buffer(sizeBytes(label, rounds), GPUBufferUsage.UNIFORM);
    const staging = device.createBuffer({ label, size: 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    const entries = [result, sizes].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(result, 0, staging, 0, 4);
    device.queue.submit([encoder.finish()]);
    return { result, sizes, staging };
  });
  try {
    await buffers.staging.mapAsync(GPUMapMode.READ);
    guard.check();
    return new Uint32Array(buffers.staging.getMappedRange())[0];
  } catch (cause) {
    guard.check();
    throw new DeviceLostError(`The GPU device was lost before an engine could be made: ${messageOf(cause)}`, { cause });
  } finally {
    for (const each of Object.values(buffers)) each.destroy();
  }
}
