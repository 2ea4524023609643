/**
 * Engines whose memory is watched. Behind every storage buffer lies a band of garbage inside its binding, so that a kernel that reads past
 * the end computes with garbage and one that writes there is found out. (A far index is clamped to the end of the binding, which is the
 * band's; an index below zero is a far one.) Transients and scratch memory hold garbage when a run begins, and no two transients share a
 * buffer. When a run goes, bands must be as they were, and the padding of every tensor that was written must be zero.
 */
import { disposeKey, type Engine, type Run } from '../../src/engine.js';
import type { Program } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import type { DeviceContext } from '../../src/webgpu/device/context.js';
import { adapterFacts } from '../../src/webgpu/device/device.js';
import { halfDecodingOf } from '../../src/webgpu/device/half-decoding.js';
import { createMemory } from '../../src/webgpu/device/memory.js';
import { createPipelines, type Pipelines } from '../../src/webgpu/device/pipelines.js';
import { prepareRun } from '../../src/webgpu/device/run.js';
import type { EngineOptions } from '../../src/webgpu/engine.js';
import { byteLength, strideOf } from '../../src/webgpu/layout/layout.js';
import { isHalf } from '../../src/webgpu/layout/stored-inputs.js';
import type { Piece } from '../../src/webgpu/panels/panels.js';
import type { HalfDecoding } from '../../src/webgpu/plan/planner.js';

export type GuardOptions = Pick<EngineOptions, 'forced' | 'halfInputs'>;

export interface GuardedRun extends Run {
  /** Fills a state with garbage, padding and all. */
  spoil(tensor: Tensor): void;
}

export interface GuardedEngine extends Engine {
  prepare(program: Program): Promise<GuardedRun>;
  /** Looks at the memory of all runs that were disposed since the last call, and throws for the first that is not as it must be. */
  inspected(): Promise<void>;
}

/** Guarded engines of one device. They share their pipelines. */
export interface Guards {
  engine(options?: GuardOptions): Promise<GuardedEngine>;
}

const bandBytes = 256;

/**
 * Word i of all garbage: NaN, which taints every sum, and large numbers of both signs, since a maximum drops a NaN. Neighbours differ, so
 * that rows of all widths have some of each behind them.
 */
function garbage(i: number): number {
  const kind = Math.imul(i + 1, 0x9e3779b1) >>> 16;
  return [0x7fc00000, 0x47c35000, 0xc7c35000][kind % 3]; // NaN, 1e5, −1e5
}

function garbageWords(bytes: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: bytes / 4 }, (_, i) => garbage(i));
}

export function createGuards(device: GPUDevice): Guards {
  const pipelines = new Map<HalfDecoding, Pipelines>();
  const engines = new Map<string, Promise<GuardedEngine>>();
  return {
    engine(options = {}) {
      const key = JSON.stringify(options);
      const engine = engines.get(key) ?? createGuarded(device, options, pipelines);
      engines.set(key, engine);
      return engine;
    },
  };
}

async function createGuarded(
  device: GPUDevice,
  { forced = {}, halfInputs = false }: GuardOptions,
  shared: Map<HalfDecoding, Pipelines>,
): Promise<GuardedEngine> {
  const facts = { ...adapterFacts(device, device.adapterInfo, forced), halfInputs };
  const decoding = forced.halfDecoding ?? (await halfDecodingOf(device, halfInputs));
  const pipelines = shared.get(decoding) ?? createPipelines(device, decoding);
  shared.set(decoding, pipelines);
  // Bands are beyond any limit that a test sets.
  const inner = createMemory(device, adapterFacts(device, device.adapterInfo));
  const looks: Promise<string | undefined>[] = [];

  const prepare = async (program: Program): Promise<GuardedRun> => {
    const banded = new Map<GPUBuffer, number>();
    let tensors: ReadonlyMap<Tensor, GPUBuffer> = new Map();
    const context: DeviceContext = {
      device,
      facts,
      forced,
      pipelines,
      check: () => {},
      memory: {
        create(label, bytes, usage) {
          if (!(usage & GPUBufferUsage.STORAGE)) return inner.create(label, bytes, usage);
          const buffer = inner.create(label, bytes + bandBytes, usage);
          device.queue.writeBuffer(buffer, 0, garbageWords(bytes + bandBytes));
          banded.set(buffer, bytes);
          return buffer;
        },
        destroy: inner.destroy,
        get liveBuffers() {
          return inner.liveBuffers;
        },
        get liveBytes() {
          return inner.liveBytes;
        },
      },
      inspect(buffers) {
        tensors = buffers;
        // Inputs and states begin as zeros.
        for (const [tensor, buffer] of buffers)
          if (tensor.role !== 'transient') device.queue.writeBuffer(buffer, 0, new Uint8Array(byteLength(tensor)));
      },
    };
    const run = await prepareRun(context, program, () => {});
    let disposed = false;
    const dispose = () => {
      if (disposed) return;
      disposed = true;
      const looked = look(device, program, tensors, banded);
      looked.catch(() => {}); // of a case that failed already, whose device goes
      looks.push(looked);
      run.dispose();
    };
    return {
      ...run,
      spoil(tensor) {
        for (const [own, buffer] of tensors)
          if (own === tensor || (own as Piece).whole === tensor) device.queue.writeBuffer(buffer, 0, garbageWords(byteLength(own)));
      },
      dispose,
      [disposeKey]: dispose,
    };
  };

  return {
    kind: 'webgpu',
    description: 'guarded',
    halfInputs: facts.halfInputs ?? false,
    replacesDevice: false,
    software: facts.software,
    get liveBuffers() {
      return inner.liveBuffers;
    },
    get liveBytes() {
      return inner.liveBytes;
    },
    get compiledPipelines() {
      return pipelines.compiled;
    },
    prepare,
    async inspected() {
      const found = (await Promise.all(looks.splice(0))).find((text) => text !== undefined);
      if (found !== undefined) throw new Error(found);
    },
    warmup: () => Promise.reject(new Error('A guarded engine is not warmed up.')),
    tune: () => Promise.reject(new Error('A guarded engine is not tuned.')),
    plan: () => {
      throw new Error('A guarded engine has no plan of its own.');
    },
    dispose: () => {},
    [disposeKey]: () => {},
  };
}

/** Copies all memory of a run as it is at this point of the queue, and says later how it differs from what it must be. */
async function look(
  device: GPUDevice,
  program: Program,
  tensors: ReadonlyMap<Tensor, GPUBuffer>,
  banded: ReadonlyMap<GPUBuffer, number>,
): Promise<string | undefined> {
  const total = Array.from(banded.keys()).reduce((sum, { size }) => sum + size, 0);
  const staging = device.createBuffer({ size: total, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  const places = new Map<GPUBuffer, number>();
  let end = 0;
  for (const buffer of banded.keys()) {
    encoder.copyBufferToBuffer(buffer, 0, staging, end, buffer.size);
    places.set(buffer, end);
    end += buffer.size;
  }
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const all = staging.getMappedRange().slice(0);
  staging.destroy();

  for (const [buffer, bytes] of banded) {
    const words = new Uint32Array(all, places.get(buffer), buffer.size / 4);
    for (let i = bytes / 4; i < words.length; i++) {
      if (words[i] !== garbage(i))
        return `${program.name}: ${buffer.label} has ${bytes / 4} words, and word ${i} behind it was written over (0x${words[i].toString(16)}).`;
    }
  }
  for (const [tensor, buffer] of tensors) {
    if (tensor.form !== 'dense') continue;
    const found = brokenPadding(tensor, all.slice(places.get(buffer)!, places.get(buffer)! + byteLength(tensor)));
    if (found !== undefined) return `${program.name}: ${found}`;
  }
  return undefined;
}

/** What is wrong with the padding of a tensor that was written. */
function brokenPadding(tensor: Tensor, content: ArrayBuffer): string | undefined {
  if (new Uint32Array(content).every((word, i) => word === garbage(i))) return undefined; // nobody wrote it
  const entries = isHalf(tensor) ? new Uint16Array(content) : new Float32Array(content);
  const stride = strideOf(tensor);
  for (let row = 0; row < tensor.rows * tensor.batch; row++) {
    for (let j = tensor.cols; j < stride; j++) {
      const value = entries[row * stride + j];
      if (value !== 0)
        return `the padding of ${tensor.name} (${tensor.rows}×${tensor.cols}, ${tensor.role}) is ${value} in row ${row}, place ${j}; it must be 0.`;
    }
  }
  return undefined;
}
