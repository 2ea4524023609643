import { messageOf } from '../../data/realm.js';
import { AdapterError, LimitError } from '../../errors.js';
import type { AdapterFacts, Forced } from '../plan/planner.js';
import { shaders } from '../shaders.generated.js';

/** Limits that decide how large a problem may be: a device gets all that its adapter has. */
const wantedLimits = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const;

/** Features that are used where they are: swaps between neighbouring invocations, and times on the device's own clock. */
const wantedFeatures: GPUFeatureName[] = ['subgroups', 'timestamp-query'];

/** Asks an adapter for a device with every limit and feature orthant can use. */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const name of wantedLimits) if (adapter.limits[name] !== undefined) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = wantedFeatures.filter((name) => adapter.features?.has(name));
  try {
    return await adapter.requestDevice({ label: 'orthant', requiredLimits, requiredFeatures });
  } catch (cause) {
    throw new AdapterError(`The adapter ${describeAdapter(adapter.info)} refused a device: ${messageOf(cause)}`, { cause });
  }
}

/** The limits that the kernels need. Every device of WebGPU's core has as much; a device in compatibility mode may have less. */
const neededLimits = {
  maxStorageBuffersPerShaderStage: Math.max(...Object.values(shaders).map(({ bindings }) => bindings.length)),
  maxComputeInvocationsPerWorkgroup: 64,
  maxComputeWorkgroupSizeX: 64,
} as const;

/** Throws LimitError for a device that the kernels do not fit. */
export function checkLimits(limits: Pick<GPUSupportedLimits, keyof typeof neededLimits>): void {
  const names = Object.keys(neededLimits) as (keyof typeof neededLimits)[];
  const short = names.filter((name) => limits[name] < neededLimits[name]);
  if (short.length === 0) return;
  const needed = short.map((name) => `${name} ${neededLimits[name]} (it has ${limits[name]})`);
  throw new LimitError(
    `This device is below what orthant needs: ${needed.join(', ')}. Request a device with these limits, or another adapter.`,
  );
}

const leastLimits = {
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
};

/** Limits are getters of the prototype, so they are asked for by name. */
function told(limits: GPUSupportedLimits): Partial<typeof leastLimits> {
  const names = Object.keys(leastLimits) as (keyof typeof leastLimits)[];
  return Object.fromEntries(names.filter((name) => limits[name] !== undefined).map((name) => [name, Number(limits[name])]));
}

export function adapterFacts(
  device: GPUDevice,
  info: AdapterInfo = {},
  { bindingBytes = Number.POSITIVE_INFINITY, facts = {} }: Forced = {},
): AdapterFacts {
  // A limit that a device does not tell is the default of every device.
  const limits = { ...leastLimits, ...told(device.limits) };
  const found: AdapterFacts = {
    software: isSoftware(info),
    llvmpipe: isLlvmpipe(info),
    subgroups: device.features?.has('subgroups') ?? false,
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxStorageBinding: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxWorkgroupStorage: limits.maxComputeWorkgroupStorageSize,
    maxInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    ...facts,
  };
  return { ...found, maxStorageBinding: Math.min(found.maxStorageBinding, bindingBytes) };
}

/** The info that an adapter or a device gives of itself, which may be little, or nothing. */
export type AdapterInfo = Partial<GPUAdapterInfo>;

/** SwiftShader, llvmpipe and WARP compute on the CPU, whether or not the browser flags them as fallback adapters. */
export function isSoftware(info: AdapterInfo = {}): boolean {
  return (
    info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|microsoft basic render|warp/i.test(`${info.architecture} ${info.device} ${info.description}`)
  );
}

/** Mesa's software adapters, whose kernels LLVM compiles: llvmpipe, and lavapipe, which is llvmpipe behind Vulkan and says so. */
export function isLlvmpipe({ architecture = '', device = '', description = '' }: AdapterInfo = {}): boolean {
  return /llvmpipe|lavapipe/i.test(`${architecture} ${device} ${description}`);
}

/** One line for people, e.g. "SwiftShader driver 5.0.0 (google swiftshader, software)". */
export function describeAdapter(info: AdapterInfo = {}): string {
  const maker = [info.vendor, info.architecture].filter(Boolean).join(' ');
  const name = info.description || info.device;
  const kind = isSoftware(info) ? 'software adapter' : 'GPU';
  return name && maker ? `${name} (${maker}, ${kind})` : `${name || maker || 'unnamed adapter'} (${kind})`;
}
