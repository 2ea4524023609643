/** What both executors offer: the WebGPU one (src/webgpu) and the f64 reference (src/reference). Models are written against this. */
import type { SparseMatrix } from './data/sparse.js';
import type { Program } from './graph/program.js';
import type { Tensor } from './graph/tensor.js';

/** The key of `using` for a compiler whose lib has it; no key at all for one whose lib does not. */
type DisposeKey = SymbolConstructor['dispose' & keyof SymbolConstructor];

/** What `using` takes. */
export type Disposes = { [key in DisposeKey]: () => void };

/** The key of `using`, also where the platform does not know it yet (Safari): what compilers of `using` fall back to. */
export const disposeKey: DisposeKey = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as DisposeKey);

export interface Engine extends Disposes {
  readonly kind: 'webgpu' | 'reference';
  /** One line for people: adapter, and whether it is a software one. */
  readonly description: string;
  /** True for a CPU-backed adapter and for the reference: no timing of it speaks for a GPU. */
  readonly software: boolean;
  /**
   * Compiles the pipelines of a program, all at once, without giving its tensors memory: later fits start without that wait. Shapes are no
   * part of a pipeline, so a program of the same ranks and of roughly the expected size does as well, but for a product whose size asks for
   * another tile, and on a software adapter for solves of 17 to 32 unknowns, which are another kernel from 256 columns on.
   */
  warmup(program: Program): Promise<void>;
  /**
   * Times the kernels that can multiply on this adapter and uses the fastest from then on, by classes of shapes; returns what it measured,
   * with what was known before, to be kept for `createEngine({ tuning })`. Sums may round differently afterwards.
   */
  tune(options?: TuneOptions): Promise<Tuning>;
  /** What is in use, if this engine was tuned or given a tuning. */
  readonly tuning?: Tuning;
  /** What would run, as text: each section's dispatches, and the kernels of every operation. */
  plan(program: Program): string;
  /** Allocates the program's tensors and compiles its pipelines; nothing runs yet. */
  prepare(program: Program): Promise<Run>;
  /** Buffers that exist at the moment: 0 after every run and the engine were disposed. */
  readonly liveBuffers: number;
  /** What they take, in bytes. */
  readonly liveBytes: number;
  /** Pipelines that were compiled; they are kept until the engine is disposed, and do not depend on shapes. */
  readonly compiledPipelines: number;
  dispose(): void;
}

/** A program with its memory on one executor. */
export interface Run extends Disposes {
  readonly program: Program;
  /**
   * Fills an input or state from row-major entries: rows·cols of them go to every restart, R·rows·cols one restart after another.
   * A CSR tensor takes a sparse matrix with as many stored entries as the tensor says.
   */
  write(tensor: Tensor, entries: ArrayLike<number> | SparseMatrix): void;
  /** Executes a section `times` times; returns at once on a GPU (the work is queued in order). */
  execute(section: string, times?: number): void;
  /** Dispatches that one execution of a section takes; operations, on the reference. */
  dispatches(section: string): number;
  /** Row-major entries of every restart, one after another: Float32Array from a GPU, Float64Array from the reference. */
  read(tensor: Tensor): Promise<Float32Array | Float64Array>;
  /** The same for a few small tensors, copied at this point of the queue without stopping it; await it later. */
  sample(tensors: readonly Tensor[]): Promise<(Float32Array | Float64Array)[]>;
  dispose(): void;
}

/** The kernels of products. */
export type MatmulAlgorithm = 'register' | 'tiled' | 'quad-rows' | 'quad-columns';

/** How to multiply: a kernel, the blocks of 4×4 in its tile, the parts of the inner dimension. */
export interface ProductChoice {
  algorithm: MatmulAlgorithm;
  blocksA: number;
  blocksB: number;
  splits: number;
}

/** What a factorization of `rows`×`cols` into rank `rank` multiplies. */
export interface Problem {
  rows: number;
  cols: number;
  rank: number;
  /** Default 1. */
  restarts?: number;
}

/** The choice of one shape class, and what it was chosen from. */
export interface TuningEntry {
  /** The product and its sizes, such as "AᵀB 16×1024×256": see webgpu/plan/product-shape.ts. */
  class: string;
  chosen: ProductChoice;
  /** What would run without a tuning. */
  default: ProductChoice;
  /** Median times of what was in the last round, by kernel, tile and parts. */
  ms: Record<string, number>;
}

/** Measured choices of one adapter: `engine.tune()` makes it, `createEngine({ tuning })` takes it. Keep it as JSON wherever you like. */
export interface Tuning {
  version: number;
  /** Changes with the kernels that were timed. */
  kernels: string;
  /** `engine.description` of the engine that measured. */
  adapter: string;
  clock: 'timestamps' | 'wall clock';
  entries: TuningEntry[];
}

/** An AbortSignal, told by its members: compilers know the name only with the types of the DOM or of Node. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

export interface TuneOptions {
  /** What will be factorized: the products of each are timed at just these sizes. Default: a list of typical problems. */
  problems?: readonly Problem[];
  /** Rounds in which the fastest candidates take turns; default 5. */
  repeats?: number;
  /** Told after each class. */
  onProgress?: (progress: TuneProgress) => void;
  /** Aborting rejects the tuning with CancelledError. */
  signal?: AbortSignalLike;
}

export interface TuneProgress {
  done: number;
  of: number;
  entry: TuningEntry;
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
