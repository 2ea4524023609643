import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { AdapterError } from '../errors.js';
import { describeAdapter, isSoftware } from '../webgpu/device.js';
import { canRunPackaged, softwareAdapter } from './software-adapter.js';

/** Which adapter to look for: the best there is, real hardware only, or one that computes on the CPU. */
export type AdapterPreference = 'auto' | 'gpu' | 'software';

/** Who provides the driver: the operating system, or the package `@sparticuz/chromium`. */
export type AdapterSource = 'system' | 'packaged';

/** An adapter of Dawn, Chrome's WebGPU implementation, in this process. */
export interface DawnAdapter {
  gpu: GPU;
  adapter: GPUAdapter;
  /** Whether it computes on the CPU. */
  software: boolean;
  source: AdapterSource;
  /** One line to show to a person: what it is and where it comes from. */
  note: string;
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

/** Dawn crashes when what its `create()` returned is collected while a device lives; here it stays until `release()`. */
const alive = new Set<GPU>();

/**
 * Finds a WebGPU adapter for this process. With 'auto', the default: what the system offers, hardware first, and where that is
 * nothing, on linux-x64, the packaged software adapter. 'gpu' accepts hardware only, 'software' an adapter on the CPU only.
 * Throws an AdapterError that says what was tried where there is none.
 *
 * `VK_DRIVER_FILES` (or `VK_ICD_FILENAMES`), when set, is respected: only the drivers it names are tried. In a worker thread
 * `process.env` is a copy that native code never sees, so the packaged adapter is found there only if the worker was started with
 * `env: SHARE_ENV`, or if `VK_DRIVER_FILES` was set before the process started.
 */
export async function requestDawnAdapter({ prefer = 'auto' }: { prefer?: AdapterPreference } = {}): Promise<DawnAdapter> {
  const dawn = await loadDawn();
  const failures: string[] = [];
  for (const source of sources(prefer)) {
    try {
      const gpu = await open(dawn, source);
      const adapter = await gpu.request(prefer === 'software' ? { forceFallbackAdapter: true } : { powerPreference: 'high-performance' });
      const software = adapter !== null && isSoftware(adapter.info);
      if (!adapter) failures.push(`${gpu.label} gave none`);
      else if (software && prefer === 'gpu') failures.push(`${gpu.label} gave only ${describeAdapter(adapter.info)}`);
      else if (!software && prefer === 'software') failures.push(`${gpu.label} gave only ${describeAdapter(adapter.info)}`);
      else return hold(gpu.gpu, adapter, source);
    } catch (error) {
      if (!(error instanceof AdapterError)) throw error;
      failures.push(error.message.replace(/\.$/, ''));
    }
  }
  throw new AdapterError(`No ${wanted[prefer]} was found: ${failures.join('; ')}. ${advice(prefer)}`);
}

/** Describes the adapters that `requestDawnAdapter` can choose from. */
export async function listAdapters(): Promise<AdapterDescription[]> {
  const dawn = await loadDawn();
  const found = new Map<string, AdapterDescription>();
  for (const source of ['system', 'packaged'] as const) {
    if (source === 'packaged' && (!canRunPackaged || driversChosen())) continue;
    try {
      const { request } = await open(dawn, source);
      // WebGPU cannot enumerate: asking in these three ways brings out what there is on nearly every machine.
      for (const options of [
        { powerPreference: 'high-performance' },
        { powerPreference: 'low-power' },
        { forceFallbackAdapter: true },
      ] as const) {
        const adapter = await request(options);
        if (!adapter) continue;
        const description = describe(adapter, source);
        found.set(JSON.stringify(description), description);
      }
    } catch (error) {
      // One source that cannot be opened must not hide what the other one offers.
      if (!(error instanceof AdapterError)) throw error;
    }
  }
  return [...found.values()];
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
    if (code === 'ERR_MODULE_NOT_FOUND') {
      throw new AdapterError('The optional package webgpu (Dawn for Node) is not installed. Run: npm install webgpu@^0.6.2', { cause });
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
    const { manifest } = await softwareAdapter();
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

/** The user's own choice of drivers, as `NAME=value`. */
function driversChosen(): string | undefined {
  const name = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].find((name) => process.env[name]);
  return name && `${name}=${process.env[name]}`;
}

/**
 * Runs `act` while the Vulkan loader sees the given driver and no other. The loader reads its environment anew for every Vulkan
 * instance, and Dawn makes one inside `requestAdapter`, before that returns its promise: so nothing stays behind in the
 * environment, for this process or for those that it starts. Loaders before 1.3.207 know only the second name.
 */
function withDrivers<T>(manifest: string, act: () => T): T {
  const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];
  for (const name of names) process.env[name] = manifest;
  try {
    return act();
  } finally {
    for (const name of names) delete process.env[name];
  }
}

/**
 * Makes sure that Dawn's `dlopen("libvulkan.so.1")` succeeds, with the packaged loader where the system has none. Setting
 * LD_LIBRARY_PATH would come too late in a running process; but a library that is already in memory is found by its name. The
 * packaged loader looks for drivers where any other does, so a GPU whose container lacks only the loader works too.
 */
async function ensureVulkanLoader(): Promise<void> {
  if (preload('libvulkan.so.1') === undefined || !canRunPackaged) return;
  const { loader } = await softwareAdapter();
  const failure = preload(loader);
  if (failure) throw new AdapterError(`the Vulkan loader cannot be loaded (${failure})`);
}

/** Loads a native library for good and returns what went wrong, if anything. */
function preload(library: string): string | undefined {
  const RTLD_NODELETE = 0x1000; // not in os.constants; without it Node unloads the library again when it turns out to be no addon
  try {
    process.dlopen({ exports: {} }, library, os.constants.dlopen.RTLD_NOW | os.constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Loaded, and then found to be no addon, which is what is meant to happen here, in the words of Node, Bun and Deno.
    if (!/did not self-register|napi_register_module_v1|Unable to find register/.test(message)) return message;
  }
  return undefined;
}

/** Whether a driver manifest lies in one of the folders that Vulkan loaders on Linux search. */
function systemHasVulkanDriver(): boolean {
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS = '/etc/xdg', XDG_DATA_HOME, XDG_DATA_DIRS = '/usr/local/share:/usr/share', HOME } = process.env;
  const home = HOME ? [path.join(HOME, '.config'), path.join(HOME, '.local/share')] : [];
  const fixed = ['/etc', '/usr/local/etc', '/usr/share', '/usr/local/share', '/run/opengl-driver/share'];
  const roots = [XDG_CONFIG_HOME, ...XDG_CONFIG_DIRS.split(':'), XDG_DATA_HOME, ...XDG_DATA_DIRS.split(':'), ...home, ...fixed];
  if (process.env.VK_ADD_DRIVER_FILES) return true;
  return roots.some((root) => {
    try {
      return !!root && readdirSync(path.join(root, 'vulkan/icd.d')).some((file) => file.endsWith('.json'));
    } catch {
      return false;
    }
  });
}

function hold(gpu: GPU, adapter: GPUAdapter, source: AdapterSource): DawnAdapter {
  alive.add(gpu);
  const note = `${describeAdapter(adapter.info)}, from ${source === 'packaged' ? 'the package @sparticuz/chromium' : 'the system'}`;
  return { gpu, adapter, software: isSoftware(adapter.info), source, note, release: () => void alive.delete(gpu) };
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
  return "Install the GPU's driver, or run on linux-x64 with the optional package @sparticuz/chromium.";
}
