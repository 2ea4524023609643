import { AdapterError } from '../errors.js';
import type { AdapterFacts } from './planner.js';

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
  for (const name of wantedLimits) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = wantedFeatures.filter((name) => adapter.features.has(name));
  try {
    return await adapter.requestDevice({ label: 'orthant', requiredLimits, requiredFeatures });
  } catch (cause) {
    throw new AdapterError(`The adapter ${describeAdapter(adapter.info)} refused a device: ${messageOf(cause)}`, { cause });
  }
}

export function adapterFacts(device: GPUDevice, software: boolean): AdapterFacts {
  const { limits } = device;
  return {
    software,
    subgroups: device.features.has('subgroups'),
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxStorageBinding: Number(limits.maxStorageBufferBindingSize),
    maxBufferSize: Number(limits.maxBufferSize),
    maxWorkgroupStorage: limits.maxComputeWorkgroupStorageSize,
    maxInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
  };
}

/** SwiftShader, llvmpipe and WARP compute on the CPU, whether or not the browser flags them as fallback adapters. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  return (
    info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|microsoft basic render|warp/i.test(`${info.architecture} ${info.device} ${info.description}`)
  );
}

/** One line for people, e.g. "SwiftShader driver 5.0.0 (google swiftshader, software)". */
export function describeAdapter(info: GPUAdapterInfo): string {
  const maker = [info.vendor, info.architecture].filter(Boolean).join(' ');
  const name = info.description || info.device;
  const kind = isSoftware(info) ? 'software adapter' : 'GPU';
  return name && maker ? `${name} (${maker}, ${kind})` : `${name || maker || 'unnamed adapter'} (${kind})`;
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
