import { LimitError, ShaderError } from '../errors.js';
import { messageOf } from './device.js';
import type { Constants, KernelName } from './dispatch.js';
import { type Shader, shaders } from './shaders.generated.js';

/**
 * Compiles kernels, each once per device and set of code-shaping constants; what was compiled stays until the engine goes. Shapes are
 * no part of a pipeline: they come in a uniform buffer, so a program of a hundred dispatches takes a dozen pipelines.
 */
export interface Pipelines {
  get(kernel: KernelName, constants: Constants): Promise<GPUComputePipeline>;
  readonly compiled: number;
}

export function createPipelines(device: GPUDevice): Pipelines {
  const cache = new Map<string, Promise<GPUComputePipeline>>();
  const maxBuffers = device.limits.maxStorageBuffersPerShaderStage;

  async function compile(kernel: KernelName, constants: Constants, label: string): Promise<GPUComputePipeline> {
    if (shaders[kernel].bindings.length > maxBuffers) {
      throw new LimitError(
        `Kernel ${kernel} binds ${shaders[kernel].bindings.length} buffers, but this device allows ${maxBuffers} per shader stage.`,
      );
    }
    // The scope keeps a refused module from counting as an error of the whole device; the messages are read below.
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label, code: specialise(kernel, constants) });
    const refused = device.popErrorScope();
    try {
      const pipeline = await device.createComputePipelineAsync({ label, layout: 'auto', compute: { module, entryPoint: 'main' } });
      await refused;
      return pipeline;
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const lines = messages.map(({ type, lineNum, linePos, message }) => `  ${kernel}.wgsl:${lineNum}:${linePos} ${type}: ${message}`);
      throw new ShaderError([`Kernel ${label} was refused: ${messageOf(cause)}`, ...lines].join('\n'), { cause });
    }
  }

  return {
    get(kernel, constants) {
      const shaping = shaders[kernel].constants.map((name) => `${name}=${constants[name]}`);
      const key = [kernel, ...shaping].join(' ');
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

/**
 * The kernel's source for its constants. Those marked `// @set` are written into it: they may size private arrays and choose branches.
 * Those marked `// @size` become fields of a uniform buffer, bound after the kernel's own buffers.
 */
export function specialise(kernel: KernelName, constants: Constants): string {
  const { code, constants: shaping, sizes, bindings } = shaders[kernel] as Shader;
  const declared = [...shaping, ...sizes.map(({ name }) => name)];
  for (const name of Object.keys(constants)) {
    if (!declared.includes(name)) throw new ShaderError(`Kernel ${kernel} has no constant ${name}; it has ${declared.join(', ')}.`);
  }
  const missing = declared.filter((name) => !(name in constants));
  if (missing.length > 0) {
    throw new ShaderError(`Kernel ${kernel} was not given its constant${missing.length > 1 ? 's' : ''} ${missing.join(', ')}.`);
  }
  const set = code.replace(/^const (\w+): (\w+) = .*?; \/\/ @set.*$/gm, (_line, name: string, type: string) => {
    return `const ${name}: ${type} = ${literal(type, constants[name])};`;
  });
  if (sizes.length === 0) return set;
  const names = new RegExp(`\\b(${sizes.map(({ name }) => name).join('|')})\\b`, 'g');
  // Blank lines take the place of the declarations, so that the compiler's line numbers are those of the file (but for its parts).
  const body = set.replace(/^const \w+: \w+ = .*?; \/\/ @size.*$/gm, '').replace(names, 'sizes.$1');
  const fields = sizes.map(({ name, type }) => `${name}: ${type}`).join(', ');
  return `${body}\nstruct Sizes { ${fields} }\n@group(0) @binding(${bindings.length}) var<uniform> sizes: Sizes;\n`;
}

/** The fields of the kernel's uniform buffer in their order. */
export function sizeBytes(kernel: KernelName, constants: Constants): ArrayBuffer {
  const { sizes } = shaders[kernel] as Shader;
  const view = new DataView(new ArrayBuffer(Math.ceil(sizes.length / 4) * 16));
  sizes.forEach(({ name, type }, i) => {
    if (type === 'u32') view.setUint32(4 * i, Number(constants[name]), true);
    else view.setFloat32(4 * i, Number(constants[name]), true);
  });
  return view.buffer;
}

function literal(type: string, value: number | boolean): string {
  if (type === 'bool') return String(value);
  if (type === 'u32') return `${value}u`;
  const text = String(value);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
