import type { Tensor } from '../../graph/tensor.js';
import type { AdapterFacts, ForcedBySection } from '../plan/planner.js';
import type { Memory } from './memory.js';
import type { Pipelines } from './pipelines.js';

/** The part of an engine that a run needs. */
export interface DeviceContext {
  readonly device: GPUDevice;
  readonly facts: AdapterFacts;
  readonly forced: ForcedBySection;
  /** Where passes write the times of their beginning and end. */
  readonly timestamps?: GPUComputePassTimestampWrites;
  /** Told the buffer of every tensor of a run before anything is written. No two transients then share one, so that all can be inspected. */
  readonly inspect?: (buffers: ReadonlyMap<Tensor, GPUBuffer>) => void;
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  /** Throws if the device is lost or the engine disposed. */
  check(): void;
}
