import { setImmediate as nextTurn } from 'node:timers/promises';
import { disposeKey, type Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { createReferenceEngine } from '../reference/engine.js';
import { requestDevice } from '../webgpu/device/device.js';
import { checkEngineOptions, createDeviceEngine, createWebGpuEngine, type EngineOptions } from '../webgpu/engine.js';
import { type DeviceEngine, lasting } from '../webgpu/lasting.js';
import { type AdapterPreference, requestDawnAdapter } from './dawn.js';

export interface NodeEngineOptions extends EngineOptions {
  /**
   * The kind of device. Ignored with `device` or `adapter`.
   *
   * - 'auto' (default): a GPU, else a software adapter (on linux-x64 at least that of @sparticuz/chromium).
   * - 'gpu': a GPU.
   * - 'software': a software adapter.
   * - 'cpu': the f64 reference executor.
   */
  prefer?: AdapterPreference | 'cpu';
}

/**
 * An engine in Node, on Dawn (package `webgpu`). Dispose it at the end, or the process stays alive.
 *
 * @throws AdapterError where there is no adapter of the wanted kind, with the attempts; InputError for `halfInputs` on 'cpu'.
 */
export async function createEngine(options: NodeEngineOptions = {}): Promise<Engine> {
  const { prefer = 'auto', ...rest } = options;
  checkEngineOptions(rest);
  if (rest.device || rest.adapter) return createWebGpuEngine(rest);
  if (prefer === 'cpu' && options.halfInputs)
    throw new InputError('The f64 reference executor keeps nothing in 16 bits: leave out halfInputs, or prefer another device.', {
      option: 'halfInputs',
    });
  if (prefer === 'cpu') return letEventsIn(createReferenceEngine());
  return lasting(async (tuning) => {
    const dawn = await requestDawnAdapter({ prefer, powerPreference: rest.powerPreference });
    let own: GPUDevice | undefined;
    try {
      own = await requestDevice(dawn.adapter);
      return ownEngine(await createDeviceEngine({ ...rest, tuning: tuning ?? rest.tuning, device: own }), own, () => dawn.release());
    } catch (error) {
      own?.destroy();
      dawn.release();
      throw error;
    }
  });
}

/** The engine, whose disposal also ends the device and the Dawn instance that were made for it. */
function ownEngine(engine: DeviceEngine, device: GPUDevice, release: () => void): DeviceEngine {
  let disposed = false;
  const dispose = () => {
    if (disposed) return;
    disposed = true;
    engine.dispose();
    device.destroy();
    release();
  };
  return {
    kind: engine.kind,
    description: engine.description,
    software: engine.software,
    halfInputs: engine.halfInputs,
    replacesDevice: false,
    get lost() {
      return engine.lost;
    },
    get liveBuffers() {
      return engine.liveBuffers;
    },
    warmup: (program) => engine.warmup(program),
    get tuning() {
      return engine.tuning;
    },
    tune: (options) => engine.tune(options),
    plan: engine.plan,
    get liveBytes() {
      return engine.liveBytes;
    },
    get compiledPipelines() {
      return engine.compiledPipelines;
    },
    prepare: (program) => engine.prepare(program),
    dispose,
    [disposeKey]: dispose,
  };
}

/** The reference never waits for anything; so that signals and timers still come through, it lets them in at every check. */
function letEventsIn(engine: Engine): Engine {
  return {
    ...engine,
    async prepare(program) {
      const run = await engine.prepare(program);
      const sample = async (tensors: Parameters<typeof run.sample>[0]) => {
        const values = await run.sample(tensors);
        await nextTurn();
        return values;
      };
      return { ...run, sample };
    },
  };
}
