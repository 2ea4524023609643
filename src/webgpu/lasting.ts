/** Engines that outlive their device. */
import { disposeKey, type Engine, type Tuning } from '../engine.js';
import { DisposedError } from '../errors.js';

/** An engine on one device. */
export interface DeviceEngine extends Engine {
  /** Whether that device was lost. */
  readonly lost: boolean;
}

/**
 * An engine that asks for another device where its own was lost: for the next program, never in the middle of a run. `create` makes an
 * engine on a new device, with the tuning that was in use. Fits at work on the lost device fail with DeviceLostError and go on by themselves.
 *
 * @throws AdapterError from `prepare` where there is no device any more.
 */
export async function lasting(create: (tuning?: Tuning) => Promise<DeviceEngine>): Promise<Engine> {
  let inner = await create();
  let replacement: Promise<void> | undefined;
  let disposed = false;
  const dispose = () => {
    disposed = true;
    inner.dispose();
  };
  const replace = async () => {
    const { tuning } = inner;
    inner.dispose();
    inner = await create(tuning);
    if (!disposed) return;
    inner.dispose();
    throw new DisposedError('This engine was disposed; create another one.');
  };
  /** The engine on a device that is there; callers that come while it is made share it. */
  const present = async () => {
    if (inner.lost && !disposed) {
      replacement ??= replace().finally(() => {
        replacement = undefined;
      });
    }
    await replacement;
    return inner;
  };
  return {
    kind: inner.kind,
    get description() {
      return inner.description;
    },
    get software() {
      return inner.software;
    },
    halfInputs: inner.halfInputs,
    replacesDevice: true,
    get liveBuffers() {
      return inner.liveBuffers;
    },
    get liveBytes() {
      return inner.liveBytes;
    },
    get compiledPipelines() {
      return inner.compiledPipelines;
    },
    get tuning() {
      return inner.tuning;
    },
    warmup: async (program) => (await present()).warmup(program),
    tune: async (options) => (await present()).tune(options),
    plan: ((...given: Parameters<Engine['plan']>) => inner.plan(...given)) as Engine['plan'],
    prepare: async (program) => (await present()).prepare(program),
    dispose,
    [disposeKey]: dispose,
  };
}
