/**
 * Time on the device, where it has timestamps: while watching, every compute pass of the device is framed by two. The engine needs not
 * know: its device is the benchmark's own, and only here does its `createCommandEncoder` differ.
 */

export interface Watch {
  /** Forgets earlier times. */
  start(): void;
  /** The sum over all passes since `start`; undefined when there were more than can be kept. */
  milliseconds(): Promise<number | undefined>;
  stop(): void;
}

const mostPasses = 1024;

export function watchPasses(device: GPUDevice): Watch | undefined {
  if (!device.features.has('timestamp-query')) return undefined;
  const querySet = device.createQuerySet({ label: 'passes', type: 'timestamp', count: 2 * mostPasses });
  const size = 16 * mostPasses;
  const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const plain = device.createCommandEncoder;
  let passes = 0;
  device.createCommandEncoder = function (this: GPUDevice, descriptor?: GPUCommandEncoderDescriptor) {
    const encoder = plain.call(this, descriptor);
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (pass) => {
      const i = passes++;
      if (i >= mostPasses) return begin(pass);
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      return begin({ ...pass, timestampWrites });
    };
    return encoder;
  };
  return {
    start() {
      passes = 0;
    },
    async milliseconds() {
      if (passes === 0 || passes > mostPasses) return undefined;
      const encoder = plain.call(device);
      encoder.resolveQuerySet(querySet, 0, 2 * passes, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * passes);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ, 0, 16 * passes);
      const times = new BigUint64Array(staging.getMappedRange(0, 16 * passes));
      let nanoseconds = 0;
      for (let i = 0; i < passes; i++) nanoseconds += Number(times[2 * i + 1] - times[2 * i]);
      staging.unmap();
      return nanoseconds / 1e6;
    },
    stop() {
      device.createCommandEncoder = plain;
      querySet.destroy();
      for (const buffer of [resolved, staging]) buffer.destroy();
    },
  };
}
