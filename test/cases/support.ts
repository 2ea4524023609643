/** What the differential cases share. A case is plain data that runs on any device: Dawn in Node, Chrome in a page, wgpu in Deno. */
import { type Random, random } from '../../src/data/random.js';
import type { SparseTensor } from '../../src/data/tensors.js';
import type { Engine, Run } from '../../src/engine.js';
import { readOutputs } from '../../src/graph/operations.js';
import type { Program, ProgramBuilder } from '../../src/graph/program.js';
import { programBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import type { EngineOptions } from '../../src/webgpu/engine.js';
import { fromHalf, toHalf } from '../../src/webgpu/layout/halves.js';
import { dispatchesOf, lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import type { AdapterFacts, Forced } from '../../src/webgpu/plan/planner.js';
import { shaders } from '../../src/webgpu/shaders.generated.js';
import type { GuardedEngine, GuardedRun, GuardOptions } from './guard.js';

export interface Stack {
  device: GPUDevice;
  /** An engine that borrows the device. */
  engine: Engine;
  /** One with these options, which all cases share: kernels are compiled once. */
  engineWith(options: Pick<EngineOptions, 'forced' | 'halfInputs'>): Promise<Engine>;
  /** One whose memory is watched. What differential cases run goes through it. */
  guarded(options?: GuardOptions): Promise<GuardedEngine>;
}

export interface Case {
  name: string;
  /** It forces kernels that need the feature 'subgroups', which the planner never chooses without. */
  subgroups?: boolean;
  /** It takes long for what no compiler does differently: it runs in Dawn alone. */
  once?: boolean;
  /** The kernels that it runs on an engine whose memory is watched. */
  kernels?(facts: AdapterFacts): string[];
  /** The pipelines of such a case as text, without the size of their workgroups, and the rows that data are padded to. */
  pipelines?(facts: AdapterFacts): string;
  /** Throws with a message that lets the failure be repeated. */
  run(stack: Stack): Promise<void>;
}

/** Rounding unit of f32. */
export const unit = 2 ** -24;

export type Entries = Float32Array | Float64Array;

/**
 * |actual − expected| ≤ 8 · unit · √terms · scale, where a value is a sum of `terms` rounded products and `scale` is the largest
 * magnitude among the expected values (or given): the random-walk bound of f32 summation, with room for the tail over many entries.
 */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { terms, scale }: { terms: number; scale?: number },
): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} entries where ${expected.length} were expected.`);
  let largest = scale ?? 0;
  if (scale === undefined) for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]));
  const bound = 8 * unit * Math.sqrt(terms) * largest;
  let worst = 0;
  let at = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= worst)) {
      worst = difference;
      at = i;
      if (Number.isNaN(difference)) break;
    }
  }
  if (!(worst <= bound))
    throw new Error(
      `${what}: entry ${at} is ${actual[at]}, the reference says ${expected[at]}; off by ${worst.toExponential(2)}, bound ${bound.toExponential(2)}.`,
    );
}

export function expectAtMost(what: string, actual: number, bound: number): void {
  if (!(actual <= bound)) throw new Error(`${what} is ${actual}, above ${bound}.`);
}

export function uniformEntries(r: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => r.uniform());
}

/** Normal entries, so that sums cancel. */
export function signedEntries(r: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => r.normal());
}

export interface Written {
  /** What the host provides. */
  values: Map<Tensor, Entries | SparseTensor>;
  /** What is compared, each with the number of rounded terms in one of its entries. */
  compare: { tensor: Tensor; terms: number; scale?: number }[];
}

interface Circumstances {
  restarts?: number;
  times?: number;
  forced?: Forced;
  /** Inputs are stored as 16-bit floats, which hold the data that both executors then get. */
  halfInputs?: boolean;
  seed?: number;
}

/** A case that runs the section 'all' of one program on the device and on the reference, from the same f32 data, and compares. */
export function differential(
  name: string,
  write: (p: ProgramBuilder, r: Random) => Written,
  { restarts = 1, times = 1, forced, halfInputs = false, seed = seedOf(name) }: Circumstances = {},
): Case {
  const written = () => {
    const p = programBuilder(name, { restarts });
    const { compare, values } = write(p, random(seed));
    return { compare, values, program: p.build() };
  };
  return {
    name,
    subgroups: forced?.matmul?.startsWith('quad-'),
    kernels: (facts) => kernelsOf(written().program, { ...facts, halfInputs }, forced),
    pipelines: (facts) => pipelinesOf(written().program, { ...facts, halfInputs }, forced),
    async run({ guarded }) {
      const { compare, values: given, program } = written();
      const values = halfInputs
        ? new Map(Array.from(given, ([tensor, entries]) => [tensor, 'coordinates' in entries ? entries : rounded(entries)]))
        : given;
      const engine = await guarded({ forced, halfInputs });
      using reference = createReferenceEngine();
      const before = engine.liveBuffers;
      const tensors = compare.map(({ tensor }) => tensor);
      const actual = await execute(engine, program, values, tensors, times);
      const expected = await execute(reference, program, values, tensors, times);
      await engine.inspected();
      compare.forEach(({ tensor, terms, scale }, i) => {
        expectClose(`${tensor.name} (seed ${seed})`, actual[i], expected[i], { terms: terms * times, scale });
      });
      if (engine.liveBuffers !== before) throw new Error(`${engine.liveBuffers - before} buffers were left behind.`);
    },
  };
}

/** The kernels of a program on an adapter. */
export function kernelsOf(program: Program, facts: AdapterFacts, forced?: Forced): string[] {
  return dispatchesOf(lowerProgram(program, facts, forced).sections).map(({ kernel }) => kernel);
}

export function pipelinesOf(program: Program, facts: AdapterFacts, forced?: Forced): string {
  const { inputs, sections } = lowerProgram(program, facts, forced);
  const dispatches = dispatchesOf(sections);
  const pitches = Array.from(inputs.values(), ({ name, pitch = 4 }) => `${name} in rows of whole ${pitch}`);
  const texts = dispatches.map(({ kernel, constants }) => {
    const shaping = shaders[kernel].constants.filter((name) => name !== 'WORKGROUP');
    return `${kernel} ${shaping.map((name) => `${name}=${constants[name]}`).join(' ')}`;
  });
  return [...pitches, ...texts].join('\n');
}

export function rounded(entries: Entries): Float32Array {
  return Float32Array.from(entries, (value) => fromHalf(toHalf(value)));
}

export async function execute(
  engine: Engine,
  program: Program,
  values: Map<Tensor, Entries | SparseTensor>,
  read: readonly Tensor[],
  times = 1,
): Promise<Entries[]> {
  using run = await engine.prepare(program);
  spoil(run, program);
  for (const [tensor, entries] of values) run.write(tensor, entries);
  run.execute('all', times);
  return await run.sample(read);
}

/** Fills states that no operation reads, not in place either, with garbage where memory is watched: it cannot matter. */
export function spoil(run: Run, { tensors, sections }: Program): void {
  const operations = Object.values(sections).flat();
  const read = new Set(operations.flatMap((operation) => [...operation.inputs, ...readOutputs(operation)]));
  for (const tensor of tensors) if (tensor.role === 'state' && !read.has(tensor)) (run as Partial<GuardedRun>).spoil?.(tensor);
}

/** A seed of its own for each case, the same in every run. */
export function seedOf(name: string): number {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  return hash >>> 0;
}
