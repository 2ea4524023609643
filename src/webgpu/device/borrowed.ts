/**
 * A device and an adapter as callers give them: GPUDevice and GPUAdapter, described by a few of their members. The names themselves exist
 * only for a compiler that has WebGPU's types, and callers' compilers check our declarations, too.
 */

/** A GPUDevice. */
export interface DeviceLike {
  readonly limits: object;
  readonly features: { has(name: never): boolean };
  readonly queue: object;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  createBuffer(descriptor: never): object;
  createShaderModule(descriptor: never): object;
  createComputePipelineAsync(descriptor: never): Promise<object>;
  destroy(): unknown;
}

/** A GPUAdapter. */
export interface AdapterLike {
  readonly limits: object;
  readonly features: { has(name: never): boolean };
  requestDevice(descriptor?: never): Promise<DeviceLike>;
}
