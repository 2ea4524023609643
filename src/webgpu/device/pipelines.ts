import { messageOf } from '../../data/realm.js';
import { LimitError, ShaderError } from '../../errors.js';
import type { Constants, KernelName } from '../lower/dispatch.js';
import type { HalfDecoding } from '../plan/planner.js';
import { shaders } from '../shaders.generated.js';
import { decoding } from './half-decoding.js';
import { specialise } from './specialise.js';

/**
 * Compiles kernels, each once per device and set of code-shaping constants. Pipelines stay until the engine goes. Shapes are
 * no part of a pipeline: they come in a uniform buffer, so a program of a hundred dispatches takes a dozen pipelines.
 */
export interface Pipelines {
  get(kernel: KernelName, constants: Constants): Promise<GPUComputePipeline>;
  readonly compiled: number;
}

/** The key of a pipeline: the kernel and the constants that shape its code. */
export function pipelineKey(kernel: KernelName, constants: Constants): string {
  return [kernel, ...shaders[kernel].constants.map((name) => `${name}=${constants[name]}`)].join(' ');
}

/** Some hundred characters of a line around a place in it, counted from 1: loops that were written out are long lines. */
function excerpt(line = '', place: number): string {
  const from = Math.max(0, place - 60);
  return `    ${from > 0 ? '…' : ''}${line.slice(from, from + 120)}${line.length > from + 120 ? '…' : ''}`;
}

export function createPipelines(device: GPUDevice, halves: HalfDecoding): Pipelines {
  const cache = new Map<string, Promise<GPUComputePipeline>>();
  const maxBuffers = device.limits.maxStorageBuffersPerShaderStage ?? 8;

  async function compile(kernel: KernelName, constants: Constants, label: string): Promise<GPUComputePipeline> {
    if (shaders[kernel].bindings.length > maxBuffers) {
      throw new LimitError(
        `Kernel ${kernel} binds ${shaders[kernel].bindings.length} buffers, but this device allows ${maxBuffers} per shader stage.`,
      );
    }
    const code = decoding(await specialise(kernel, constants), halves);
    // The scope keeps a refused module from counting as an error of the whole device; the messages are read below.
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label, code });
    const refused = device.popErrorScope().catch(() => null);
    try {
      const pipeline = await device.createComputePipelineAsync({ label, layout: 'auto', compute: { module, entryPoint: 'main' } });
      await refused;
      return pipeline;
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const lines = code.split('\n');
      // With the line itself: the compiled text has neither the comments of the file nor its line numbers, and its parts are in place.
      const shown = messages.map(({ type, lineNum, linePos, message }) => `  ${type}: ${message}\n${excerpt(lines[lineNum - 1], linePos)}`);
      throw new ShaderError([`Kernel ${label} was refused: ${messageOf(cause)}`, ...shown].join('\n'), { cause });
    }
  }

  return {
    get(kernel, constants) {
      const key = pipelineKey(kernel, constants);
      let pipeline = cache.get(key);
      if (pipeline === undefined) {
        pipeline = compile(kernel, constants, key);
        cache.set(key, pipeline);
        pipeline.catch(() => cache.delete(key));
      }
      return pipeline;
    },
    get compiled() {
      return cache.size;
    },
  };
}
