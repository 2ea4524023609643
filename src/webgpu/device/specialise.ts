/** Writes a kernel's source for its constants, and packs the sizes into a uniform buffer. */
import { ShaderError } from '../../errors.js';
import type { Constants, KernelName } from '../lower/dispatch.js';
import { modules, type Shader, shaders } from '../shaders.generated.js';

/**
 * The kernel's source for its constants. Those marked `// @set` are written into it: they may size private arrays and choose branches.
 * Those marked `// @size` become fields of a uniform buffer, bound after the kernel's own buffers. Loops marked `// @unroll` are written
 * out. The module that holds the source is loaded where it is needed first.
 *
 * @throws ShaderError for a constant that the kernel does not have or was not given.
 */
export async function specialise(kernel: KernelName, constants: Constants): Promise<string> {
  const { constants: shaping, sizes, bindings } = shaders[kernel] as Shader;
  const declared = [...shaping, ...sizes.map(({ name }) => name)];
  for (const name of Object.keys(constants)) {
    if (!declared.includes(name)) throw new ShaderError(`Kernel ${kernel} has no constant ${name}; it has ${declared.join(', ')}.`);
  }
  const missing = declared.filter((name) => !(name in constants));
  if (missing.length > 0) {
    throw new ShaderError(`Kernel ${kernel} was not given its constant${missing.length > 1 ? 's' : ''} ${missing.join(', ')}.`);
  }
  const { codes } = await modules[kernel]();
  const set = codes[kernel]!.replace(/^const (\w+): (\w+) = .*?; \/\/ @set$/gm, (_line, name: string, type: string) => {
    return `const ${name}: ${type} = ${literal(type, constants[name])};`;
  });
  const written = unroll(set);
  if (sizes.length === 0) return written;
  const names = new RegExp(`\\b(${sizes.map(({ name }) => name).join('|')})\\b`, 'g');
  const body = written.replace(/^const \w+: \w+ = .*?; \/\/ @size\n/gm, '').replace(names, 'sizes.$1');
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

/**
 * Writes out the loops whose first line ends in `// @unroll`: compilers keep arrays in registers only where every index is a constant,
 * and those of software adapters unroll nothing. Bounds may use constants and the variables of outer loops that are written out, too.
 * Each loop becomes one line. One that only adds up products becomes one expression, which compiles in half the time of as many
 * statements.
 */
function unroll(code: string): string {
  const known = new Map(Array.from(code.matchAll(/^const (\w+): u32 = (\d+)u;/gm), ([, name, value]) => [name, Number(value)]));
  return unrollLines(code.split('\n'), known).join('\n');
}

function unrollLines(lines: readonly string[], known: ReadonlyMap<string, number>): string[] {
  const written: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const loop = /^for \(var (\w+) = (.+); \1 < (.+); \1\+\+\) \{ \/\/ @unroll$/.exec(lines[at]);
    if (!loop) {
      written.push(lines[at]);
      continue;
    }
    const [, name, from, to] = loop;
    const close = closingLine(lines, at);
    if (lines[close] !== '}') throw new ShaderError(`The loop over ${name} marked @unroll does not end in a line '}'.`);
    const body = lines.slice(at + 1, close);
    const bodies: string[][] = [];
    for (let value = integer(from, known); value < integer(to, known); value++) {
      bodies.push(body.map((line) => line.replace(new RegExp(`\\b${name}\\b`, 'g'), `${value}u`)));
    }
    written.push(sumOfProducts(bodies) ?? bodies.map((own) => `{ ${unrollLines(own, known).join(' ')} }`).join(' '));
    at = close;
  }
  return written;
}

/** Where the block ends that the line `from` opens. */
function closingLine(lines: readonly string[], from: number): number {
  let depth = 0;
  return lines.findIndex((line, i) => {
    if (i < from) return false;
    depth += line.split('{').length - line.split('}').length;
    return depth === 0;
  });
}

/** `sum = fma(b, c, fma(a, b, sum));` for bodies that are `sum = fma(a, b, sum);` each, for the same sum. */
function sumOfProducts(bodies: readonly string[][]): string | undefined {
  const terms = bodies.map((body) => (body.length === 1 ? /^(.+?) = fma\((.+), \1\);$/.exec(body[0]) : null));
  const sum = terms[0]?.[1];
  if (sum === undefined || terms.some((term) => term?.[1] !== sum)) return undefined;
  return `${sum} = ${terms.reduce((inner, term) => `fma(${term![2]}, ${inner})`, sum)};`;
}

/** The value of a bound such as `K`, `4u * BLOCKS_A` or `K - 1u`: products before sums, no brackets. */
function integer(expression: string, known: ReadonlyMap<string, number>): number {
  const factor = (text: string) => (/^\d+u$/.test(text) ? Number.parseInt(text, 10) : (known.get(text) ?? Number.NaN));
  const product = (text: string) => text.split(' * ').reduce((value, part) => value * factor(part), 1);
  const [first, ...others] = expression.split(/ (?=[+-] )/);
  const value = others.reduce((sum, part) => sum + (part[0] === '-' ? -1 : 1) * product(part.slice(2)), product(first));
  if (!Number.isInteger(value)) throw new ShaderError(`The bound ${expression} of a loop marked @unroll is not a known number.`);
  return value;
}

function literal(type: string, value: number | boolean): string {
  if (type === 'bool') return String(value);
  if (type === 'u32') return `${value}u`;
  const text = String(value);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
