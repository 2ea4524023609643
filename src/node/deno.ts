/** Deno has WebGPU of its own (wgpu): no package is needed, and Dawn is left alone. */
import { AdapterError } from '../errors.js';
import { describeAdapter, isSoftware } from '../webgpu/device/device.js';
import type { AdapterPreference, AdapterSource } from './preference.js';
import { canRunPackaged, softwareAdapter } from './software-adapter.js';
import { driversChosen, process, systemHasVulkanDriver } from './vulkan.js';

/** The used part of Deno's own interface. */
interface DenoRuntime {
  dlopen(library: string, symbols: object): object;
}

const runtime = (globalThis as { Deno?: DenoRuntime }).Deno;

export const isDeno = runtime !== undefined;

/** A library that is let go would be unloaded. */
const loaded: object[] = [];

/** Whose drivers wgpu sees: it looks for them at the first request, and never again. */
let seen: AdapterSource | undefined;

/**
 * An adapter of Deno's WebGPU: of the system, or where that has no driver, or a software one is wanted, on linux-x64 the packaged one.
 * The first call of a process decides which of the two. Throws AdapterError where there is none of the wanted kind.
 */
export async function denoAdapter(
  prefer: AdapterPreference,
  powerPreference: GPUPowerPreference = 'high-performance',
): Promise<{ gpu: GPU; adapter: GPUAdapter; source: AdapterSource }> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) throw new AdapterError('This Deno has no WebGPU (navigator.gpu is missing); use Deno 2.9 or later.');
  seen ??= await showDrivers(prefer);
  const adapter = await gpu.requestAdapter({ powerPreference });
  const software = adapter !== null && isSoftware(adapter.info);
  if (adapter && (prefer === 'auto' || software === (prefer === 'software'))) return { gpu, adapter, source: seen };
  const kind = { auto: 'WebGPU adapter', gpu: 'hardware WebGPU adapter', software: 'software WebGPU adapter' }[prefer];
  throw new AdapterError(
    `No ${kind} was found: Deno gave ${adapter ? `only ${describeAdapter(adapter.info)}` : 'none'}. Install the GPU's driver, or prefer 'cpu'.`,
  );
}

async function showDrivers(prefer: AdapterPreference): Promise<AdapterSource> {
  const ofSystem = driversChosen() !== undefined || process.platform !== 'linux' || (prefer !== 'software' && systemHasVulkanDriver());
  if (ofSystem || prefer === 'gpu' || !canRunPackaged) return 'system';
  const { loader, manifest } = await softwareAdapter();
  // wgpu opens the loader by its name, and finds it by that once it is in memory.
  loaded.push(runtime!.dlopen(loader, {}));
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) process.env[name] = manifest;
  return 'packaged';
}
