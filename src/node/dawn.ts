import { isMainThread } from 'node:worker_threads';
import { AdapterError } from '../errors.js';
import { describeAdapter, isLlvmpipe, isSoftware, requestDevice } from '../webgpu/device/device.js';
import { checkLoops } from '../webgpu/device/probe.js';
import { denoAdapter, isDeno } from './deno.js';
import { installHint } from './install.js';
import { type AdapterPreference, type AdapterSource, type Candidate, inOrder } from './preference.js';
import { restWhileWaiting } from './rest.js';
import { canRunPackaged, softwareAdapter } from './software-adapter.js';
import { driversChosen, ensureVulkanLoader, process, systemHasVulkanDriver, withDrivers } from './vulkan.js';

export type { AdapterPreference, AdapterSource } from './preference.js';

/**
 * An adapter of Dawn, Chrome's WebGPU implementation, in this process.
 * @internal
 */
export interface DawnAdapter {
  gpu: GPU;
  adapter: GPUAdapter;
  /** Whether it computes on the CPU. */
  software: boolean;
  source: AdapterSource;
  /** One line for people: its name, its source, and why it is not an adapter that would have come first. */
  note: string;
  /** Sentences about adapters that would have come first, but cannot be trusted. */
  passedOver: readonly string[];
  /** Lets go of Dawn. Call it at the end, after the devices made from this adapter have been destroyed. */
  release(): void;
}

/** An adapter as plain data. */
export interface AdapterDescription {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** The API underneath, where it is certain. */
  backend?: string;
  software: boolean;
  source: AdapterSource;
  features: string[];
  limits: Record<string, number>;
}

/** The limits that decide how large a problem can be. */
const limitNames = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
  'minStorageBufferOffsetAlignment',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** Dawn crashes when the object of its `create()` is collected while a device lives; here it stays until both are let go. */
const alive = new Set<Held>();

/** A Dawn instance, and how many of its devices have not been collected yet. */
interface Held {
  gpu: GPU;
  devices: number;
  released: boolean;
}

/**
 * A destroyed device still lives: what a fit in progress waits for is answered through it. So its instance stays until the device has been
 * collected, and a moment longer, since objects that are collected together go in any order.
 */
const collected = new FinalizationRegistry<Held>((held) => {
  held.devices--;
  letGo(held);
});

function letGo(held: Held): void {
  if (held.released && held.devices === 0) setTimeout(() => alive.delete(held), 1000).unref();
}

/**
 * Finds a WebGPU adapter for this process.
 *
 * - 'auto' (default): an adapter of the system, hardware first, then Mesa's lavapipe. Without one, on linux-x64, the packaged software adapter.
 * - 'gpu': hardware only.
 * - 'software': an adapter on the CPU only.
 *
 * Of several GPUs of the system `powerPreference` says which: 'high-performance' (default) or 'low-power'.
 * A software adapter whose compiler ends loops early is passed over where there is another.
 * `VK_DRIVER_FILES` (or `VK_ICD_FILENAMES`), when set, is respected: only the drivers that it names are tried.
 * In a worker thread `process.env` is a copy that native code never sees. So the packaged adapter is found there only if the worker was
 * started with `env: SHARE_ENV`, or if `VK_DRIVER_FILES` was set before the process started.
 *
 * @throws AdapterError, with the attempts, where there is none.
 * @internal
 */
export async function requestDawnAdapter({
  prefer = 'auto',
  powerPreference = 'high-performance',
}: {
  prefer?: AdapterPreference;
  powerPreference?: GPUPowerPreference;
} = {}): Promise<DawnAdapter> {
  if (isDeno) return requestDenoAdapter(prefer, powerPreference);
  const dawn = await loadDawn();
  const failures: string[] = [];
  const passedOver: string[] = [];
  const all = sources(prefer);
  for (const source of all) {
    try {
      // Asked for a fallback adapter first, Dawn looks for SwiftShader alone.
      const ways: GPURequestAdapterOptions[] = [{ powerPreference }, { forceFallbackAdapter: true }];
      const { label, found } = await candidates(dawn, source, prefer === 'software' ? ways : ways.slice(0, 1));
      const wantedOnes = inOrder(found, prefer);
      if (wantedOnes.length === 0) failures.push(`${label} gave ${found[0] ? `only ${describeAdapter(found[0].adapter.info)}` : 'none'}`);
      for (const one of wantedOnes) {
        const another = one !== wantedOnes.at(-1) || source !== all.at(-1);
        const distrust = one.software && another ? await whyNot(one) : undefined;
        if (distrust === undefined) return hold(one, passedOver);
        passedOver.push(distrust);
        failures.push(distrust.replace(/\.$/, ''));
      }
    } catch (error) {
      if (!(error instanceof AdapterError)) throw error;
      failures.push(error.message.replace(/\.$/, ''));
    }
  }
  throw new AdapterError(`No ${wanted[prefer]} was found: ${failures.join('; ')}. ${advice(prefer)}`);
}

/** Describes the adapters that `requestDawnAdapter` can choose from. */
export async function listAdapters(): Promise<AdapterDescription[]> {
  if (isDeno) {
    const { adapter, source } = await requestDenoAdapter('auto');
    return [describe(adapter, source)];
  }
  const dawn = await loadDawn();
  const descriptions = new Map<string, AdapterDescription>();
  for (const source of ['system', 'packaged'] as const) {
    if (source === 'packaged' && (!canRunPackaged || driversChosen())) continue;
    try {
      // WebGPU cannot enumerate: asking in these three ways finds all adapters of nearly every machine.
      const { found } = await candidates(dawn, source, [
        { powerPreference: 'high-performance' },
        { powerPreference: 'low-power' },
        { forceFallbackAdapter: true },
      ]);
      for (const { adapter } of found) {
        const description = describe(adapter, source);
        descriptions.set(JSON.stringify(description), description);
      }
    } catch (error) {
      // One source that cannot be opened must not hide the adapters of the other one.
      if (!(error instanceof AdapterError)) throw error;
    }
  }
  return [...descriptions.values()];
}

/** Deno's own WebGPU in the place of Dawn. */
async function requestDenoAdapter(prefer: AdapterPreference, powerPreference?: GPUPowerPreference): Promise<DawnAdapter> {
  const { gpu, adapter, source } = await denoAdapter(prefer, powerPreference);
  const software = isSoftware(adapter.info);
  const note = noteOf(adapter, source);
  return { gpu, adapter, software, source, note, passedOver: [], release: () => {} };
}

/** An adapter and the Dawn instance that it is of. */
interface Found extends Candidate {
  gpu: GPU;
  adapter: GPUAdapter;
  /** Asks for it once more: an adapter gives only one device. */
  again(): Promise<GPUAdapter | null>;
}

/** The adapters that a source gives when it is asked in these ways; lavapipe too where Dawn would always give another software adapter. */
async function candidates(
  dawn: Dawn,
  source: AdapterSource,
  ways: readonly GPURequestAdapterOptions[],
): Promise<{ label: string; found: Found[] }> {
  const { gpu, label, request } = await open(dawn, source);
  const found: Found[] = [];
  const add = (own: GPU, adapter: GPUAdapter | null, again: Found['again']) => {
    if (!adapter || found.some((other) => describeAdapter(other.adapter.info) === describeAdapter(adapter.info))) return;
    found.push({ gpu: own, adapter, source, software: isSoftware(adapter.info), llvmpipe: isLlvmpipe(adapter.info), again });
  };
  for (const way of ways) add(gpu, await request(way), () => request(way));
  if (source === 'system' && found.some(({ software }) => software) && !found.some(({ llvmpipe }) => llvmpipe)) {
    const named = dawn.create(['adapter=llvmpipe']);
    // Dawn rejects where no adapter has the name.
    const ask = () => named.requestAdapter().catch(() => null);
    add(named, await ask(), ask);
  }
  return { label, found };
}

/** Why a software adapter cannot be trusted, in a sentence. */
async function whyNot({ again }: Found): Promise<string | undefined> {
  const adapter = await again();
  if (!adapter) return undefined;
  const device = await requestDevice(adapter);
  try {
    await checkLoops(device, describeAdapter(adapter.info));
    return undefined;
  } catch (error) {
    if (error instanceof AdapterError) return error.message;
    throw error;
  } finally {
    device.destroy();
  }
}

type Dawn = typeof import('webgpu');
type Request = (options: GPURequestAdapterOptions) => Promise<GPUAdapter | null>;

const wanted: Record<AdapterPreference, string> = {
  auto: 'WebGPU adapter',
  gpu: 'hardware WebGPU adapter',
  software: 'software WebGPU adapter',
};

async function loadDawn(): Promise<Dawn> {
  try {
    const dawn = await import('webgpu');
    // GPUBufferUsage, GPUMapMode and the classes, which browsers have as globals; never in place of somebody else's.
    for (const [name, value] of Object.entries(dawn.globals)) {
      if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
    return dawn;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // Jest has the second code, and so has a package that is there without its binary for this machine: that names another module.
    if (code === 'ERR_MODULE_NOT_FOUND' || (code === 'MODULE_NOT_FOUND' && message.includes("'webgpu'"))) {
      throw new AdapterError(`The package webgpu (Dawn for Node) is not installed; ${installHint}`, { cause });
    }
    throw new AdapterError(`The package webgpu (Dawn for Node) cannot be loaded on ${process.platform}-${process.arch}: ${message}`, {
      cause,
    });
  }
}

function sources(prefer: AdapterPreference): AdapterSource[] {
  return prefer === 'gpu' || driversChosen() ? ['system'] : ['system', 'packaged'];
}

/** Makes a Dawn instance that sees the drivers of one source. Throws an AdapterError where that source has nothing to offer. */
async function open(dawn: Dawn, source: AdapterSource): Promise<{ gpu: GPU; label: string; request: Request }> {
  if (source === 'packaged') {
    const { folder, manifest } = await softwareAdapter();
    if (process.versions.bun) {
      throw new AdapterError(
        `Bun's native code sees the packaged adapter only if the process was started with LD_LIBRARY_PATH=${folder} VK_DRIVER_FILES=${manifest}`,
      );
    }
    await ensureVulkanLoader();
    const gpu = dawn.create([]);
    const inThread = isMainThread
      ? ''
      : ' (this is a worker thread: start it with `env: SHARE_ENV`, or set VK_DRIVER_FILES before the process starts)';
    return {
      gpu,
      label: `the packaged adapter ${manifest}${inThread}`,
      request: (options) => withDrivers(manifest, () => gpu.requestAdapter(options)),
    };
  }
  if (process.platform === 'linux') {
    // Without a driver, or without a loader, Dawn prints a warning for every look: so look first.
    if (!driversChosen() && !systemHasVulkanDriver()) throw new AdapterError('the system has no Vulkan driver');
    await ensureVulkanLoader();
  }
  const gpu = dawn.create([]);
  const chosen = driversChosen();
  return { gpu, label: chosen ? `the driver that ${chosen} names` : 'the system', request: (options) => gpu.requestAdapter(options) };
}

function hold({ gpu, adapter, source, software }: Found, passedOver: readonly string[]): DawnAdapter {
  const held: Held = { gpu, devices: 0, released: false };
  alive.add(held);
  const { requestDevice: request } = adapter;
  adapter.requestDevice = async (descriptor) => {
    const device = await request.call(adapter, descriptor);
    held.devices++;
    collected.register(device, held);
    return software ? restWhileWaiting(device) : device;
  };
  const note = [noteOf(adapter, source), ...passedOver].join('. ');
  const release = () => {
    held.released = true;
    letGo(held);
  };
  return { gpu, adapter, software, source, note, passedOver, release };
}

function noteOf(adapter: GPUAdapter, source: AdapterSource): string {
  return `${describeAdapter(adapter.info)}, from ${source === 'packaged' ? 'the package @sparticuz/chromium' : 'the system'}`;
}

function describe(adapter: GPUAdapter, source: AdapterSource): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  const software = isSoftware(adapter.info);
  const backend = { linux: 'Vulkan', darwin: 'Metal' }[process.platform as string];
  const limits = Object.fromEntries(limitNames.map((name) => [name, adapter.limits[name]]));
  return { vendor, architecture, device, description, backend, software, source, features: [...adapter.features].sort(), limits };
}

function advice(prefer: AdapterPreference): string {
  if (prefer === 'gpu') return "Install the GPU's driver, or ask for 'auto' or 'software'.";
  const chosen = driversChosen();
  if (chosen) return 'Unset that variable, or let it name the manifest of a working Vulkan driver.';
  return `Install the GPU's driver${canRunPackaged ? '' : ', or run on linux-x64 with the package @sparticuz/chromium'}.`;
}
