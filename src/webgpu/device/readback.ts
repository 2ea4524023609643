import { messageOf } from '../../data/realm.js';
import { DeviceLostError } from '../../errors.js';
import type { DeviceContext } from './context.js';
import type { Guard } from './guard.js';

export interface Source {
  buffer: GPUBuffer;
  bytes: number;
}

/** Brings buffers to the host through a ring of staging buffers, so that a read queued now can be awaited later. */
export interface Readback {
  read(sources: readonly Source[]): Promise<Float32Array[]>;
  dispose(): void;
}

/** Staging buffers that are kept for the next read; larger ones than this many bytes are not. */
const keptBytes = 1 << 20;

export function createReadback(context: DeviceContext, guard: Guard, label: string): Readback {
  const { device, memory } = context;
  const idle: GPUBuffer[] = [];
  const all = new Set<GPUBuffer>();
  let disposed = false;

  function take(bytes: number): GPUBuffer {
    const at = idle.findIndex((buffer) => buffer.size >= bytes);
    if (at !== -1) return idle.splice(at, 1)[0];
    const buffer = memory.create(`${label}/staging`, bytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
    all.add(buffer);
    return buffer;
  }

  function giveBack(buffer: GPUBuffer): void {
    if (disposed || buffer.size > keptBytes) {
      all.delete(buffer);
      memory.destroy(buffer);
    } else {
      idle.push(buffer);
    }
  }

  return {
    async read(sources) {
      const total = sources.reduce((sum, { bytes }) => sum + bytes, 0);
      const [staging, mapping] = guard.around(() => {
        const staging = take(total);
        const encoder = device.createCommandEncoder({ label: `${label}/readback` });
        let offset = 0;
        for (const { buffer, bytes } of sources) {
          encoder.copyBufferToBuffer(buffer, 0, staging, offset, bytes);
          offset += bytes;
        }
        device.queue.submit([encoder.finish()]);
        return [staging, staging.mapAsync(GPUMapMode.READ, 0, total)] as const;
      });
      try {
        await mapping;
      } catch (cause) {
        context.check();
        await guard.settled();
        throw new DeviceLostError(`Reading back from the GPU failed: ${messageOf(cause)}`, { cause });
      }
      const mapped = new Float32Array(staging.getMappedRange(0, total));
      let start = 0;
      const parts = sources.map(({ bytes }) => {
        const part = mapped.slice(start, start + bytes / 4);
        start += bytes / 4;
        return part;
      });
      staging.unmap();
      giveBack(staging);
      await guard.settled();
      context.check();
      return parts;
    },
    dispose() {
      disposed = true;
      for (const buffer of all) memory.destroy(buffer);
      all.clear();
      idle.length = 0;
    },
  };
}
