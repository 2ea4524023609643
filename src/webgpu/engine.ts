import { disposeKey, type Engine, type Run } from '../engine.js';
import { AdapterError, DeviceLostError, DisposedError, OrthantError } from '../errors.js';
import type { DeviceContext } from './context.js';
import { adapterFacts, checkLimits, describeAdapter, isSoftware, requestDevice } from './device.js';
import { createMemory } from './memory.js';
import { createPipelines } from './pipelines.js';
import type { Forced } from './planner.js';
import { prepareRun } from './run.js';

export interface EngineOptions {
  /** Borrow this device: it is used but never destroyed. Left out, the engine asks for its own. */
  device?: GPUDevice;
  /** Ask this adapter for the device (ignored with `device`). */
  adapter?: GPUAdapter;
  /** Which adapter `navigator.gpu` should prefer; default 'high-performance'. */
  powerPreference?: GPUPowerPreference;
  /** Overrides the planner's choices: for tests and measurements. */
  forced?: Forced;
}

/**
 * An engine on a WebGPU device. It asks for its own device with all the limits the adapter has, or borrows yours.
 * Throws AdapterError where there is no WebGPU or no adapter.
 */
export async function createWebGpuEngine(options: EngineOptions = {}): Promise<Engine> {
  const borrowed = options.device !== undefined;
  const device = options.device ?? (await requestDevice(options.adapter ?? (await requestAdapter(options.powerPreference))));
  const info = device.adapterInfo;
  checkLimits(device.limits);
  const facts = adapterFacts(device, isSoftware(info), options.forced);
  const memory = createMemory(device, facts);
  const pipelines = createPipelines(device);
  let disposed = false;
  let failure: OrthantError | undefined;

  void device.lost.then(({ reason, message }) => {
    if (disposed) return;
    failure = new DeviceLostError(
      `The GPU device was lost (${reason}${message ? `: ${message}` : ''}). Create a new engine and fit again.`,
    );
  });
  const onError = (event: GPUUncapturedErrorEvent) => {
    failure ??= new OrthantError(`The GPU refused a command: ${event.error.message}`);
  };
  device.addEventListener('uncapturederror', onError);

  const context: DeviceContext = {
    device,
    facts,
    forced: options.forced ?? {},
    memory,
    pipelines,
    check() {
      if (disposed) throw new DisposedError('This engine was disposed; create another one.');
      if (failure !== undefined) throw failure;
    },
  };
  const runs = new Set<Run>();
  const dispose = () => {
    if (disposed) return;
    for (const run of runs) run.dispose();
    disposed = true;
    device.removeEventListener('uncapturederror', onError);
    if (!borrowed) device.destroy();
  };
  return {
    kind: 'webgpu',
    description: describeAdapter(info),
    software: facts.software,
    get liveBuffers() {
      return memory.liveBuffers;
    },
    get liveBytes() {
      return memory.liveBytes;
    },
    get compiledPipelines() {
      return pipelines.compiled;
    },
    async prepare(program) {
      context.check();
      const run = await prepareRun(context, program, (ended) => runs.delete(ended));
      runs.add(run);
      return run;
    },
    dispose,
    [disposeKey]: dispose,
  };
}

async function requestAdapter(powerPreference: GPUPowerPreference = 'high-performance'): Promise<GPUAdapter> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) {
    throw new AdapterError(
      'This environment has no WebGPU (navigator.gpu is missing). Use a recent Chrome, Edge, Safari or Firefox over https or localhost; in Node import from "orthant/node".',
    );
  }
  const adapter = (await gpu.requestAdapter({ powerPreference })) ?? (await gpu.requestAdapter());
  if (!adapter)
    throw new AdapterError(
      'WebGPU is there, but it offers no adapter. Check that hardware acceleration is on (chrome://gpu), or start the browser with --enable-unsafe-webgpu.',
    );
  return adapter;
}
