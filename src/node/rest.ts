import { setImmediate as onNextTurn } from 'node:timers';

/**
 * Rests while promises of a software adapter are pending.
 * Dawn in Node looks for finished work on every turn of the event loop, without a pause, so waiting takes a whole core. A software adapter
 * computes on that core. While a promise of the device is pending, every turn naps: at first for moments, later for a millisecond, at most
 * a sixteenth of the time that was waited.
 *
 * It is for software adapters only. On a GPU it was not measured, and the core has nothing else to do there.
 * @internal
 */
export function restWhileWaiting(device: GPUDevice): GPUDevice {
  if (!canNap()) return device;
  for (const method of ['createComputePipelineAsync', 'popErrorScope'] as const) replace(device, method);
  const { createBuffer } = device;
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    if (descriptor.usage & GPUBufferUsage.MAP_READ) replace(buffer, 'mapAsync');
    return buffer;
  };
  return device;
}

const longestNap = 1; // ms
const share = 1 / 16;
/** Shorter ones would sleep longer than they were asked to. */
const shortestNap = 0.02; // ms

const never = new Int32Array(new SharedArrayBuffer(4));
let pending = 0;
let since = 0;
let turning = false;

function replace<Name extends string>(owner: { [name in Name]: (...given: never[]) => Promise<unknown> }, name: Name): void {
  const original = owner[name] as (...given: unknown[]) => Promise<unknown>;
  owner[name] = ((...given: unknown[]) => {
    const promise = original.apply(owner, given);
    pending++;
    since = performance.now();
    const settled = () => {
      pending--;
      since = performance.now();
    };
    promise.then(settled, settled);
    if (!turning) onNextTurn(turn);
    turning = true;
    return promise;
  }) as (typeof owner)[Name];
}

function turn(): void {
  turning = pending > 0;
  if (!turning) return;
  const nap = Math.min(longestNap, share * (performance.now() - since));
  if (nap >= shortestNap) Atomics.wait(never, 0, 0, nap);
  onNextTurn(turn);
}

/** Not on the main thread of a page, which Electron's is. */
function canNap(): boolean {
  try {
    Atomics.wait(never, 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}
