import { checkNames } from '../data/names.js';
import { disposeKey, type Engine, type Profile, type Run, type Tuning } from '../engine.js';
import { AdapterError, DeviceLostError, DisposedError, type OrthantError } from '../errors.js';
import type { Program } from '../graph/program.js';
import type { AdapterLike, DeviceLike } from './device/borrowed.js';
import type { DeviceContext } from './device/context.js';
import { adapterFacts, checkLimits, describeAdapter, isSoftware, requestDevice } from './device/device.js';
import { halfDecodingOf } from './device/half-decoding.js';
import { createMemory } from './device/memory.js';
import { createPipelines } from './device/pipelines.js';
import { checkLoops } from './device/probe.js';
import { compileProgram, prepareRun } from './device/run.js';
import { type DeviceEngine, lasting } from './lasting.js';
import type { AdapterFacts, Forced } from './plan/planner.js';
import { planText } from './plan-text.js';

export interface EngineOptions {
  /**
   * A GPUDevice to borrow. It is used but never destroyed. Errors that others make on it stay theirs. Default: a device of its own.
   * For a device of Dawn in Node (package `webgpu`), keep the object that `create()` returned as long as the device lives: once it is
   * collected, the process crashes.
   */
  device?: DeviceLike;
  /**
   * A GPUAdapter to ask for the device. Default: that of `navigator.gpu`.
   * With `device`, the adapter that it came from, where the device cannot say.
   */
  adapter?: AdapterLike;
  /** The kind of adapter that `navigator.gpu` should prefer. Default 'high-performance'. */
  powerPreference?: 'low-power' | 'high-performance';
  /**
   * The choices measured on this adapter, as `engine.tune()` returned them. Default: none.
   * Or a function that finds them by the adapter's name, which is the engine's `description`.
   * A tuning of another version or adapter is an InputError; from a function it counts as none.
   */
  tuning?: Tuning | StoredTuning;
  /**
   * Whether to keep the data X of a fit as 16-bit floats where the method only multiplies it. Default false.
   * That is half its memory, and half the traffic of the products with it.
   * Every entry is rounded to 11 significant bits, a relative error of at most 0.0005, so results change. Below 6.1e-5 the device may take
   * an entry for 0. Entries beyond ±65,504 are an InputError.
   * f32 stay: sparse data; data with weights, in mini-batches, with divergences or non-linear layers; programs that are split into panels;
   * `nnls`, `transform` and `predict`. `engine.plan` says which tensors are stored in 16 bits.
   */
  halfInputs?: boolean;
  /** Overrides the planner's choices: for tests and measurements. */
  forced?: Forced;
}

const engineOptionNames = Object.keys({
  device: true,
  adapter: true,
  powerPreference: true,
  tuning: true,
  halfInputs: true,
  forced: true,
} satisfies Record<keyof EngineOptions, true>);

const forcedNames = Object.keys({
  matmul: true,
  blocks: true,
  splits: true,
  spillBytes: true,
  spill: true,
  group: true,
  pivots: true,
  together: true,
  gram: true,
  halfDecoding: true,
  bindingBytes: true,
  tuned: true,
  facts: true,
} satisfies Record<keyof Forced, true>);

/** Throws InputError for options that an engine does not have, also within `forced`. */
export function checkEngineOptions(options: EngineOptions): void {
  checkNames('createEngine', options, engineOptionNames);
  checkNames('forced', options.forced ?? {}, forcedNames);
}

/** Looks for a tuning where it was kept. */
export type StoredTuning = (adapter: string) => unknown | Promise<unknown>;

/**
 * An engine on a WebGPU device. It asks for a device of its own with all limits of the adapter, or borrows yours. A device of its own that
 * is lost is replaced: see Engine.replacesDevice.
 *
 * @throws AdapterError where there is no WebGPU, no adapter, or one whose compiler ends long loops early.
 */
export async function createWebGpuEngine(options: EngineOptions = {}): Promise<Engine> {
  checkEngineOptions(options);
  if (options.device || options.adapter) return createDeviceEngine(options);
  return lasting((tuning = undefined) => createDeviceEngine({ ...options, tuning: tuning ?? options.tuning }));
}

/** An engine on the device that is given, or on one that it asks for. */
export async function createDeviceEngine(options: EngineOptions): Promise<DeviceEngine> {
  const borrowed = options.device !== undefined;
  const adapter = (options.adapter as GPUAdapter | undefined) ?? (borrowed ? undefined : await requestAdapter(options.powerPreference));
  const device = (options.device as GPUDevice | undefined) ?? (await requestDevice(adapter!));
  const info = device.adapterInfo ?? adapter?.info;
  const description = describeAdapter(info);
  try {
    checkLimits(device.limits);
    await checkLoops(device, description);
  } catch (error) {
    if (!borrowed) device.destroy();
    throw error;
  }
  let tuning = await given(options.tuning, description);
  let facts: AdapterFacts = { ...adapterFacts(device, info, options.forced), halfInputs: options.halfInputs };
  if (tuning) facts = { ...facts, tuned: (await tunings()).tunedBy(tuning, facts) };
  const memory = createMemory(device, facts);
  const pipelines = createPipelines(device, options.forced?.halfDecoding ?? (await halfDecodingOf(device, options.halfInputs ?? false)));
  let disposed = false;
  let failure: OrthantError | undefined;

  void device.lost.then(({ reason, message }) => {
    if (disposed) return;
    failure = new DeviceLostError(
      `The GPU device was lost (${reason}${message ? `: ${message}` : ''}). Create a new engine and fit again.`,
    );
  });

  const context: DeviceContext = {
    device,
    get facts() {
      return facts;
    },
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
    if (!borrowed) device.destroy();
  };
  return {
    kind: 'webgpu',
    description,
    software: isSoftware(info), // whatever facts are forced
    halfInputs: options.halfInputs ?? false,
    replacesDevice: false,
    get lost() {
      return failure !== undefined;
    },
    get liveBuffers() {
      return memory.liveBuffers;
    },
    async warmup(program) {
      context.check();
      await compileProgram(context, program);
    },
    get tuning() {
      return tuning;
    },
    async tune(tuneOptions = {}) {
      checkNames('tune', tuneOptions, ['problems', 'repeats', 'onProgress', 'signal']);
      context.check();
      const [{ tune }, { mergeTunings, tunedBy }] = await Promise.all([import('./tune/tune.js'), tunings()]);
      tuning = mergeTunings(tuning, await tune(context, description, tuning, tuneOptions));
      facts = { ...facts, tuned: tunedBy(tuning, facts) };
      return tuning;
    },
    plan: ((program: Program, on?: { profile: string | Profile }) =>
      on === undefined ? planText(program, context.facts, context.forced) : planOn(on.profile, program, context)) as Engine['plan'],
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

/** Only an engine that is tuned needs them. */
const tunings = () => import('./tune/tuning.js');

async function given(tuning: EngineOptions['tuning'], adapter: string): Promise<Tuning | undefined> {
  if (tuning === undefined) return undefined;
  const { checkTuning } = await tunings();
  if (typeof tuning !== 'function') return checkTuning(tuning, adapter);
  const stored = await tuning(adapter);
  try {
    return stored === undefined || stored === null ? undefined : checkTuning(stored, adapter);
  } catch {
    return undefined; // from before an update, or of another adapter: as good as none
  }
}

/** The plan on a profile, loaded where it is asked for. */
async function planOn(profile: string | Profile, program: Program, { facts, forced }: DeviceContext): Promise<string> {
  const { costText } = await import('./plan-cost.js');
  return costText(program, profile, { halfInputs: facts.halfInputs, forced });
}

/** The advice is loaded where it is needed. */
async function advice(lacking: 'withoutWebGpu' | 'withoutAdapter'): Promise<string> {
  const reach = await import('./device/reach.js');
  return reach[lacking](reach.surroundings());
}

async function requestAdapter(powerPreference: GPUPowerPreference = 'high-performance'): Promise<GPUAdapter> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) throw new AdapterError(await advice('withoutWebGpu'));
  const adapter = (await gpu.requestAdapter({ powerPreference })) ?? (await gpu.requestAdapter());
  if (!adapter) throw new AdapterError(await advice('withoutAdapter'));
  return adapter;
}
