/** Times the work of a device: on its own clock where it has one, else by the wall clock. */
import { createGuard } from '../device/guard.js';

export interface Stopwatch {
  readonly clock: 'timestamps' | 'wall clock';
  /** For the passes that are timed. */
  readonly timestamps?: GPUComputePassTimestampWrites;
  /** Milliseconds of the work that `submit` queues, in one pass. */
  time(submit: () => void): Promise<number>;
  dispose(): void;
}

export function createStopwatch(device: GPUDevice): Stopwatch {
  return device.features.has('timestamp-query') ? byTimestamps(device) : byWallClock(device);
}

function byWallClock(device: GPUDevice): Stopwatch {
  return {
    clock: 'wall clock',
    async time(submit) {
      await device.queue.onSubmittedWorkDone();
      const from = performance.now();
      submit();
      await device.queue.onSubmittedWorkDone();
      return performance.now() - from;
    },
    dispose() {},
  };
}

function byTimestamps(device: GPUDevice): Stopwatch {
  const guard = createGuard(device);
  const [querySet, resolved, staging] = guard.around(() => [
    device.createQuerySet({ label: 'tuning', type: 'timestamp', count: 2 }),
    device.createBuffer({ label: 'tuning/times', size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
    device.createBuffer({ label: 'tuning/staging', size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ }),
  ]);
  return {
    clock: 'timestamps',
    timestamps: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    async time(submit) {
      submit();
      await guard.around(() => {
        const encoder = device.createCommandEncoder({ label: 'tuning' });
        encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
        device.queue.submit([encoder.finish()]);
        return staging.mapAsync(GPUMapMode.READ);
      });
      await guard.settled();
      const [from, to] = new BigUint64Array(staging.getMappedRange());
      staging.unmap();
      return Number(to - from) / 1e6;
    },
    dispose() {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
}
