import { LimitError } from '../../errors.js';
import { mebibytes } from '../panels/panels.js';
import type { AdapterFacts } from '../plan/planner.js';

/** Makes and destroys every buffer of an engine and knows how many are alive. */
export interface Memory {
  create(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer;
  destroy(buffer: GPUBuffer): void;
  readonly liveBuffers: number;
  readonly liveBytes: number;
}

export function createMemory(device: GPUDevice, facts: AdapterFacts): Memory {
  const live = new Set<GPUBuffer>();
  let liveBytes = 0;
  return {
    create(label, bytes, usage) {
      const [limit, name] =
        usage & GPUBufferUsage.STORAGE && facts.maxStorageBinding < facts.maxBufferSize
          ? [facts.maxStorageBinding, 'maxStorageBufferBindingSize']
          : [facts.maxBufferSize, 'maxBufferSize'];
      if (bytes > limit) {
        throw new LimitError(
          `${label} needs ${mebibytes(bytes)}, but this device allows ${mebibytes(limit)} per buffer (${name}). Use fewer restarts, or a smaller or sparser matrix.`,
        );
      }
      const buffer = device.createBuffer({ label, size: bytes, usage });
      live.add(buffer);
      liveBytes += bytes;
      return buffer;
    },
    destroy(buffer) {
      if (!live.delete(buffer)) return;
      liveBytes -= buffer.size;
      buffer.destroy();
    },
    get liveBuffers() {
      return live.size;
    },
    get liveBytes() {
      return liveBytes;
    },
  };
}
