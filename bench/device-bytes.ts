/** Bytes of buffers that are alive, on whatever device: counted where they are made and destroyed, so that it works for every library. */

export interface Bytes {
  live: number;
  peak: number;
}

const counted: Bytes = { live: 0, peak: 0 };
const sizes = new WeakMap<GPUBuffer, number>();
const watched = new WeakSet<object>();

/** From here on the peak counts the buffers that are alive now and later ones. */
export function countBytes(device: GPUDevice): Bytes {
  const prototype = Object.getPrototypeOf(device) as GPUDevice;
  if (!watched.has(prototype)) {
    watched.add(prototype);
    watch(prototype);
  }
  counted.peak = counted.live;
  return counted;
}

function watch(devices: GPUDevice): void {
  const create = devices.createBuffer;
  devices.createBuffer = function (this: GPUDevice, descriptor: GPUBufferDescriptor) {
    const buffer = create.call(this, descriptor);
    sizes.set(buffer, descriptor.size);
    counted.live += descriptor.size;
    counted.peak = Math.max(counted.peak, counted.live);
    watchBuffers(Object.getPrototypeOf(buffer) as GPUBuffer);
    return buffer;
  };
}

function watchBuffers(buffers: GPUBuffer): void {
  if (watched.has(buffers)) return;
  watched.add(buffers);
  const destroy = buffers.destroy;
  buffers.destroy = function (this: GPUBuffer) {
    counted.live -= sizes.get(this) ?? 0;
    sizes.delete(this);
    return destroy.call(this);
  };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toPrecision(3)} MiB`;
}
