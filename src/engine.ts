/** What both executors offer: the WebGPU one (src/webgpu) and the f64 reference (src/reference). Models are written against this. */
import type { SparseMatrix } from './data/sparse.js';
import type { Program } from './graph/program.js';
import type { Tensor } from './graph/tensor.js';

/** The key of `using`, also where the platform does not know it yet (Safari): what compilers of `using` fall back to. */
export const disposeKey: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);

export interface Engine {
  readonly kind: 'webgpu' | 'reference';
  /** One line for people: adapter, and whether it is a software one. */
  readonly description: string;
  /** True for a CPU-backed adapter and for the reference: no timing of it speaks for a GPU. */
  readonly software: boolean;
  /** Allocates the program's tensors and compiles its pipelines; nothing runs yet. */
  prepare(program: Program): Promise<Run>;
  /** Buffers that exist at the moment: 0 after every run and the engine were disposed. */
  readonly liveBuffers: number;
  /** What they take, in bytes. */
  readonly liveBytes: number;
  /** Pipelines that were compiled; they are kept until the engine is disposed, and do not depend on shapes. */
  readonly compiledPipelines: number;
  dispose(): void;
  [Symbol.dispose](): void;
}

/** A program with its memory on one executor. */
export interface Run {
  readonly program: Program;
  /**
   * Fills an input or state from row-major entries: rows·cols of them go to every restart, R·rows·cols one restart after another.
   * A CSR tensor takes a sparse matrix with as many stored entries as the tensor says.
   */
  write(tensor: Tensor, entries: ArrayLike<number> | SparseMatrix): void;
  /** Executes a section `times` times; returns at once on a GPU (the work is queued in order). */
  execute(section: string, times?: number): void;
  /** Row-major entries of every restart, one after another: Float32Array from a GPU, Float64Array from the reference. */
  read(tensor: Tensor): Promise<Float32Array | Float64Array>;
  /** The same for a few small tensors, copied at this point of the queue without stopping it; await it later. */
  sample(tensors: readonly Tensor[]): Promise<(Float32Array | Float64Array)[]>;
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Prepares a program, hands its run to `body` and disposes it whatever happens. */
export async function withRun<T>(engine: Engine, program: Program, body: (run: Run) => Promise<T>): Promise<T> {
  const run = await engine.prepare(program);
  try {
    return await body(run);
  } finally {
    run.dispose();
  }
}
