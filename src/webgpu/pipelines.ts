import { LimitError, ShaderError } from '../errors.js';
import { messageOf } from './device.js';
import type { Constants, KernelName } from './lower.js';
import { shaders } from './shaders.generated.js';

/** Compiles kernels for their constants, each once per device; what was compiled stays until the engine goes. */
export interface Pipelines {
  get(kernel: KernelName, constants: Constants): Promise<GPUComputePipeline>;
  readonly compiled: number;
}

export function createPipelines(device: GPUDevice): Pipelines {
  const cache = new Map<string, Promise<GPUComputePipeline>>();
  const maxBuffers = device.limits.maxStorageBuffersPerShaderStage;

  async function compile(kernel: KernelName, constants: Constants): Promise<GPUComputePipeline> {
    const label = `${kernel} ${constantsText(constants)}`;
    if (shaders[kernel].bindings.length > maxBuffers) {
      throw new LimitError(
        `Kernel ${kernel} binds ${shaders[kernel].bindings.length} buffers, but this device allows ${maxBuffers} per shader stage.`,
      );
    }
    const module = device.createShaderModule({ label, code: specialise(kernel, constants) });
    try {
      return await device.createComputePipelineAsync({ label, layout: 'auto', compute: { module, entryPoint: 'main' } });
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const lines = messages.map(({ type, lineNum, linePos, message }) => `  ${kernel}.wgsl:${lineNum}:${linePos} ${type}: ${message}`);
      throw new ShaderError([`Kernel ${label} was refused: ${messageOf(cause)}`, ...lines].join('\n'), { cause });
    }
  }

  return {
    get(kernel, constants) {
      const key = `${kernel}|${constantsText(constants)}`;
      let pipeline = cache.get(key);
      if (pipeline === undefined) {
        pipeline = compile(kernel, constants);
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

function constantsText(constants: Constants): string {
  return Object.entries(constants)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/**
 * The kernel's source with its `// @set` constants replaced. Constants rather than overrides: they may size private arrays, and the
 * compiler sees every loop bound.
 */
export function specialise(kernel: KernelName, constants: Constants): string {
  const { code, constants: declared } = shaders[kernel] as { code: string; constants: readonly string[] };
  for (const name of Object.keys(constants)) {
    if (!declared.includes(name)) throw new ShaderError(`Kernel ${kernel} has no constant ${name}; it has ${declared.join(', ')}.`);
  }
  const missing = declared.filter((name) => !(name in constants));
  if (missing.length > 0)
    throw new ShaderError(`Kernel ${kernel} was not given its constant${missing.length > 1 ? 's' : ''} ${missing.join(', ')}.`);
  return code.replace(
    /^const (\w+): (\w+) = .*?; \/\/ @set.*$/gm,
    (_line, name: string, type: string) => `const ${name}: ${type} = ${literal(type, constants[name])};`,
  );
}

function literal(type: string, value: number | boolean): string {
  if (type === 'bool') return String(value);
  if (type === 'u32') return `${value}u`;
  const text = String(value);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
