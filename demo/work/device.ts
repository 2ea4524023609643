/** The engine of the page: WebGPU, or the CPU reference where there is none. */
import { createEngine, createReferenceEngine, type Engine } from 'orthant';

export type EngineKind = 'webgpu' | 'reference';

export interface Device {
  kind: EngineKind;
  /** One line for people. */
  description: string;
  /** Whether it computes on the CPU. */
  software: boolean;
  /** The most bytes of one buffer that kernels read; undefined for the reference. */
  largestBuffer?: number;
}

let engine: Promise<Engine> | undefined;

/** Opens the engine that fits run on from now on. */
export async function openDevice(kind: EngineKind): Promise<Device> {
  const before = engine;
  const opening: Promise<Engine> = kind === 'webgpu' ? createEngine() : Promise.resolve(createReferenceEngine());
  engine = opening;
  const { description, software } = await opening;
  void before?.then((old) => old.dispose()).catch(() => {}); // one that never opened has nothing to dispose
  return { kind, description, software, largestBuffer: kind === 'webgpu' ? await largestBuffer() : undefined };
}

/** Of the adapter that an engine gets, which has a device with all that it can. */
async function largestBuffer(): Promise<number | undefined> {
  const adapter = (await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' })) ?? (await navigator.gpu?.requestAdapter());
  return adapter ? Math.min(adapter.limits.maxStorageBufferBindingSize, adapter.limits.maxBufferSize) : undefined;
}

/** The engine that is open. */
export function openEngine(): Promise<Engine> {
  engine ??= createEngine();
  return engine;
}
