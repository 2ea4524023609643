/** The interface of both executors, WebGPU (src/webgpu) and the f64 reference (src/reference). Methods are written against it. */
import type { Content } from './data/content.js';
import type { Program } from './graph/program.js';
import type { Tensor } from './graph/tensor.js';

/** The key of `using` for a compiler whose lib has it; no key at all for one whose lib does not. */
type DisposeKey = SymbolConstructor['dispose' & keyof SymbolConstructor];

/** An object that `using` takes. */
export type Disposes = { [key in DisposeKey]: () => void };

/** The key of `using`. Where the platform does not know it yet (Safari), it is the fallback of compilers of `using`. */
export const disposeKey: DisposeKey = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as DisposeKey);

export interface Engine extends Disposes {
  readonly kind: 'webgpu' | 'reference';
  /** One line for people: the adapter, and whether it is a software one. */
  readonly description: string;
  /** True for a CPU-backed adapter and for the reference. No timing of such an engine speaks for a GPU. */
  readonly software: boolean;
  /** Whether a dense X is stored in 16 bits, so that the device computes with rounded entries. */
  readonly halfInputs: boolean;
  /**
   * Whether a lost device is replaced by a new one: true for engines that asked for their device, false for those that borrow one. The
   * next program that is prepared gets the new device, and a fit goes on from its last checkpoint by itself.
   */
  readonly replacesDevice: boolean;
  /**
   * Compiles the pipelines of a program, all at once, without memory for its tensors. Later fits start without that wait.
   * Pipelines do not depend on shapes, so a program of the same ranks and roughly the expected size will do. Two exceptions: a product
   * whose size asks for another tile, and on a software adapter a solve of 17 to 32 unknowns, which has another kernel from 256 columns of X on.
   */
  warmup(program: Program): Promise<void>;
  /**
   * Times the kernels of products, exact solves, sweeps and sparse products on this adapter, by classes of shapes, and uses the fastest
   * from then on. Returns these choices and those known before, to be kept for `createEngine({ tuning })`. Sums may round differently afterwards.
   */
  tune(options?: TuneOptions): Promise<Tuning>;
  /** The tuning in use, if this engine was tuned or given one. */
  readonly tuning?: Tuning;
  /** The plan of a program as text: the dispatches of each section, and the kernels of every operation. */
  plan(program: Program): string;
  /**
   * The plan of a program on a GPU that need not be at hand: bytes, operations and the bound of the time of every operation, by published peaks.
   * It is the same on every engine but for `halfInputs` and what was forced. @throws InputError for a name that is not in `profiles`.
   */
  plan(program: Program, on: { profile: string | Profile }): Promise<string>;
  /** Allocates the program's tensors and compiles its pipelines. Nothing runs yet. */
  prepare(program: Program): Promise<Run>;
  /** Number of buffers that exist at the moment. It is 0 once every run and the engine were disposed. */
  readonly liveBuffers: number;
  /** Size of these buffers, in bytes. */
  readonly liveBytes: number;
  /** Number of pipelines that were compiled. They do not depend on shapes, and are kept until the engine is disposed. */
  readonly compiledPipelines: number;
  dispose(): void;
}

/** A program with its memory on one executor. */
export interface Run extends Disposes {
  readonly program: Program;
  /**
   * Fills an input or state from row-major entries. rows·cols of them go to every restart; R·rows·cols are one restart after another.
   * A CSR tensor takes a sparse matrix with the tensor's number of stored entries, one in coordinates a sparse tensor.
   */
  write(tensor: Tensor, entries: Content): void;
  /** Executes a section `times` times (default 1). On a GPU it returns at once; the work is queued in order. */
  execute(section: string, times?: number): void;
  /** Number of dispatches of one execution of a section; on the reference, of operations. */
  dispatches(section: string): number;
  /** The row-major entries of every restart, one after another: Float32Array from a GPU, Float64Array from the reference. */
  read(tensor: Tensor): Promise<Float32Array | Float64Array>;
  /** The entries of a few small tensors, copied at this point of the queue without stopping it. Await them later. */
  sample(tensors: readonly Tensor[]): Promise<(Float32Array | Float64Array)[]>;
  /**
   * On several processes: the largest of the numbers that they ask with at this point of the queue. So that all of them do the same where a
   * clock or a person decides.
   */
  agreed?(own: number): Promise<number>;
  dispose(): void;
}

/** The kernels of products. */
export type MatmulAlgorithm = 'register' | 'tiled' | 'quad-rows' | 'quad-columns';

/** The choice for a product: a kernel, the blocks of 4×4 in its tile, the parts of the inner dimension. */
export interface ProductChoice {
  algorithm: MatmulAlgorithm;
  blocksA: number;
  blocksB: number;
  splits: number;
}

/** The kernels of exact solves: an invocation a column, its factor in registers, private arrays or a buffer; or a group of lanes a column. */
export type SolveKernel = 'registers' | 'private' | 'buffer' | 'group';

/** The choice for a solve: a kernel and the invocations of a workgroup. */
export interface SolveChoice {
  kernel: SolveKernel;
  workgroup: number;
}

/** The choice for a sweep of HALS. A group has a lane for each unknown, so its workgroup is a matter of their number. */
export interface SweepChoice {
  kernel: 'registers' | 'private' | 'group';
  workgroup: number;
}

/** The choice for a product that a sweep follows: two dispatches ('apart', 0 blocks), or a tile that holds all unknowns of 4 · `blocks` lines. */
export interface SweptChoice {
  kernel: 'apart' | 'register' | 'quad';
  blocks: number;
}

/** The choice for a product with a sparse X: the invocations of a workgroup. */
export interface SparseChoice {
  workgroup: number;
}

/** What a tuning chooses, by the kind of work. */
export interface Choices {
  product: ProductChoice;
  solve: SolveChoice;
  sweep: SweepChoice;
  swept: SweptChoice;
  sparse: SparseChoice;
}

export type TunedKind = keyof Choices;

/** A factorization of a `rows`×`cols` matrix into rank `rank`, for the work that it is made of: products, exact solves, sweeps. */
export interface Problem {
  rows: number;
  cols: number;
  rank: number;
  /** Restarts that it is timed with; default 1. The choices hold for any number. */
  restarts?: number;
  /** The share of entries that a sparse X stores, above 0 and at most 1. Default: X is dense. */
  density?: number;
}

/** The choice for one class of shapes, and the times that it was chosen by. */
export type TuningEntry<K extends TunedKind = TunedKind> = K extends TunedKind
  ? {
      kind: K;
      /** The work and its sizes, such as "AᵀB 16×1024×256" or "solve 16×1024": see webgpu/tune/classes.ts. */
      class: string;
      chosen: Choices[K];
      /** The choice without a tuning. */
      default: Choices[K];
      /** Median times of the last round, in milliseconds, by choice. */
      ms: Record<string, number>;
    }
  : never;

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

/** The members of an AbortSignal that are used. Compilers know its name only with the types of the DOM or of Node. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

export interface TuneOptions {
  /** The problems to tune for; the work of each is timed at just these sizes. Default: a list of typical problems. */
  problems?: readonly Problem[];
  /** Rounds in which the fastest candidates take turns. Default 5. */
  repeats?: number;
  /** Called after each class. */
  onProgress?: (progress: TuneProgress) => void;
  /** Aborting rejects the tuning with CancelledError. */
  signal?: AbortSignalLike;
}

export interface TuneProgress {
  done: number;
  of: number;
  entry: TuningEntry;
}

/** The published peaks of a GPU. What follows from them is an estimate. */
export interface Profile {
  /** The key in `profiles`, such as 'rtx-4090'. */
  readonly name: string;
  readonly label: string;
  /** Bytes a second from device memory. */
  readonly bandwidth: number;
  /** Operations on f32 a second; a fused multiply-add is two. */
  readonly flops: number;
  /** Compute units, streaming multiprocessors, cores, …: whatever the maker counts. */
  readonly units: number;
  /** Invocations in flight that fill a unit: one for each lane of f32. */
  readonly lanesPerUnit: number;
  /** From one dispatch to the next. An estimate, since no maker publishes it. */
  readonly dispatchSeconds: number;
  /** The source of each figure. */
  readonly sources: Readonly<Record<'bandwidth' | 'flops' | 'units', string>>;
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
