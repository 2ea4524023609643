// Turns shaders/**/*.wgsl into modules: src/webgpu/shaders.generated.ts with what the kernels say about themselves, read by wgsl_reflect,
// so that the TypeScript side cannot drift from them, and src/webgpu/wgsl/ with their sources as strings, in modules that are loaded when a program needs one of their kernels.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ResourceType, WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { checkPortable } from './shader-rules.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** A line that stands for another file, whose functions several kernels share. Such a file is no kernel itself. */
const use = /^\/\/ @use (\S+)$/gm;

const written = (from) => `// Written by scripts/bundle-shaders.mjs from ${from}: change those, not this.\n`;

const header = `${written('shaders/**/*.wgsl')}
/** A kernel, and what it says about itself. */
export interface Shader {
  /** The storage buffers: their numbers run from 0 in group 0. \`width\` is how many numbers an element of the array holds. */
  readonly bindings: readonly { readonly name: string; readonly access: 'read' | 'read_write'; readonly width: number }[];
  /** The constants marked \`// @set\`: they shape the code, and the engine writes its own values over those in the source. */
  readonly constants: readonly string[];
  /** The constants marked \`// @size\`: the engine makes them fields of a uniform buffer, so that one pipeline serves every shape. */
  readonly sizes: readonly { readonly name: string; readonly type: 'u32' | 'f32' }[];
}

export type ShaderName = keyof typeof shaders;

`;

/**
 * Bundles every shader under `folder` into modules under `output` and returns their names. Throws an Error naming each file that breaks a
 * rule and the reason. A module is written only if it changes, and by a rename, so that a reader never sees half of it.
 */
export async function bundleShaders({ folder = path.join(repository, 'shaders'), output = path.join(repository, 'src/webgpu') } = {}) {
  const { modules, names } = await bundled(folder);
  await mkdir(path.join(output, 'wgsl'), { recursive: true });
  for (const [file, text] of modules) await writeChanged(path.join(output, file), text);
  const stale = (await readdir(path.join(output, 'wgsl'))).filter((file) => file.endsWith('.generated.ts') && !modules.has(`wgsl/${file}`));
  for (const file of stale) await rm(path.join(output, 'wgsl', file), { force: true });
  return names;
}

async function writeChanged(file, text) {
  if ((await readFile(file, 'utf8').catch(() => '')) === text) return;
  const staging = `${file}.${process.pid}.tmp`;
  await writeFile(staging, text);
  await rename(staging, file).finally(() => rm(staging, { force: true }));
}

/** The WGSL of every kernel of the repository as it is bundled, by name, with other texts for some files. */
export async function bundledCodes(instead) {
  const { codes, sources } = await bundled(path.join(repository, 'shaders'), instead);
  return Object.fromEntries(Object.entries(codes).map(([name, source]) => [name, strip(withParts(source, sources))]));
}

async function bundled(folder, instead = new Map()) {
  const sources = new Map();
  for (const file of (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.wgsl')).sort()) {
    const name = file.slice(0, -'.wgsl'.length).split(path.sep).join('/');
    sources.set(name, instead.get(name) ?? (await readFile(path.join(folder, file), 'utf8')));
  }
  const parts = new Set([...sources.values()].flatMap((code) => Array.from(code.matchAll(use), ([, part]) => part)));

  const shaders = {};
  const codes = {};
  const problems = [];
  for (const [name, source] of sources) {
    if (parts.has(name)) continue;
    try {
      shaders[name] = describeShader(withParts(source, sources));
      codes[name] = source;
    } catch (error) {
      problems.push(`${path.join(folder, name)}.wgsl: ${error.message ?? error}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));

  const modules = new Map([['shaders.generated.ts', indexText(shaders, sources, parts)]]);
  for (const module of new Set(Object.keys(codes).map(moduleOf))) {
    const own = Object.entries(codes).filter(([name]) => moduleOf(name) === module);
    modules.set(`wgsl/${module}.generated.ts`, codesText(own, sources));
  }
  return { modules, names: Object.keys(shaders), codes, sources };
}

/** Kernels with a module apart from the others of their folder: large ones of which an adapter and a size take one or the other, and rare ones. */
const apart = {
  'matmul-quads': /^matmul\/(register|quad-rows|quad-columns)$/, // of software adapters
  'matmul-sums': /^matmul\/sums$/,
  'nnls-group': /^nnls\/(masked-)?solve-group$/,
  'nnls-indexed': /^nnls\/(masked-)?solve$/,
  'nnls-registers': /^nnls\/(masked-)?solve-registers$/,
  'nnls-simplex': /^nnls\/(simplex|simplex-kkt|log-det)$/,
  'nnls-simplex-group': /^nnls\/(simplex|log-det)-group$/,
  'reduce-columns': /^reduce\/(max-pool|softmax-cross-entropy)$/, // of deep networks and classifiers
};

function moduleOf(kernel) {
  const own = Object.entries(apart).find(([, names]) => names.test(kernel));
  return own ? own[0] : kernel.slice(0, kernel.indexOf('/'));
}

/** The module with what the kernels say about themselves. */
function indexText(shaders, sources, parts) {
  const modules = new Set(Object.keys(shaders).map(moduleOf));
  return `${header}/** What every kernel says about itself, as types: see \`packed\`. */
type Shaders = {
${Object.entries(shaders)
  .map(([name, shader]) => `  readonly ${JSON.stringify(name)}: ${JSON.stringify(shader)};\n`)
  .join('')}};

/** The same for the program, in a line for each kernel: name | bindings | constants | sizes. */
const packed = \`
${Object.entries(shaders).map(packedLine).join('\n')}\`;

/** A binding is its name, ! where it is written, and / with its width where it is not 1; a size that ends in : is an f32. */
export const shaders = Object.fromEntries(
  packed.slice(1).split('\\n').map((line) => {
    const [name, ...lists] = line.split('|');
    const [bindings, constants, sizes] = lists.map((list) => (list ? list.split(' ') : []));
    return [name, {
      bindings: bindings.map((one) => {
        const [named, width = 1] = one.split('/');
        return { name: named.replace('!', ''), access: named.endsWith('!') ? 'read_write' : 'read', width: Number(width) };
      }),
      constants,
      sizes: sizes.map((one) => ({ name: one.replace(':', ''), type: one.endsWith(':') ? 'f32' : 'u32' })),
    }];
  }),
) as unknown as Shaders satisfies Record<string, Shader>;

/** Numbers that parts have names for, such as the entries of the control vector. */
export const named = {
${Array.from(parts, (part) => [part, numbersOf(sources.get(part))])
  .filter(([, numbers]) => Object.keys(numbers).length > 0)
  .map(([part, numbers]) => `  ${JSON.stringify(part)}: ${JSON.stringify(numbers)},\n`)
  .join('')}} as const;

${Array.from(modules, (module) => `const ${variable(module)} = () => import('./wgsl/${module}.generated.js');\n`).join('')}
/** The module that holds the WGSL of a kernel. A program loads the modules of the kernels that it runs. */
export const modules: Readonly<Record<ShaderName, () => Promise<{ readonly codes: Partial<Record<ShaderName, string>> }>>> = {
${Object.keys(shaders)
  .map((name) => `  ${JSON.stringify(name)}: ${variable(moduleOf(name))},\n`)
  .join('')}};
`;
}

function packedLine([name, { bindings, constants, sizes }]) {
  const lists = [
    bindings.map(({ name, access, width }) => `${name}${access === 'read' ? '' : '!'}${width === 1 ? '' : `/${width}`}`),
    constants,
    sizes.map(({ name, type }) => (type === 'f32' ? `${name}:` : name)),
  ];
  return [name, ...lists.map((list) => list.join(' '))].join('|');
}

/** A module with the WGSL of some kernels, and with all parts that they use, so that no other is loaded with it. */
function codesText(codes, sources) {
  const parts = new Set(codes.flatMap(([, code]) => Array.from(code.matchAll(use), ([, part]) => part)));
  return `${written('shaders/**/*.wgsl')}
${Array.from(parts, (part) => `const ${variable(part)} = ${JSON.stringify(strip(sources.get(part)))};\n`).join('')}
/** WGSL without its comments (but for marks), indentation and blank lines. Parts are written once. */
export const codes = {
${codes.map(([name, source]) => `  ${JSON.stringify(name)}: ${joined(source)},\n`).join('')}};
`;
}

/** The constants of a part that neither a lowering nor the code gives other values. */
function numbersOf(source = '') {
  const constants = source.matchAll(/^const (\w+): (?:u32|f32) = ([\d.e+-]+)[uf]?;(?! \/\/ @)/gm);
  return Object.fromEntries(Array.from(constants, ([, name, value]) => [name, Number(value)]));
}

/** Puts the files that a kernel names by `// @use folder/file` in the place of those lines. */
function withParts(source, sources) {
  return source.replace(use, (_line, part) => {
    if (!sources.has(part)) throw new Error(`there is no ${part}.wgsl to use`);
    if (sources.get(part).match(use)) throw new Error(`${part}.wgsl, which it uses, uses others in turn: name them all in the kernel`);
    return sources.get(part).trimEnd();
  });
}

/** A kernel's code as an expression: its own text and the variables of its parts. */
function joined(source) {
  // Of the pieces between the lines that name parts every second one is such a name.
  const pieces = source.split(new RegExp(use.source, 'm')).map((piece, i) => (i % 2 ? variable(piece) : JSON.stringify(strip(piece))));
  return pieces.filter((piece) => piece !== '""').join(' + ');
}

/** Numbers in an element of a binding. */
const widths = { f32: 1, u32: 1, vec2f: 2, vec2u: 2, vec4f: 4, vec4u: 4 };

const variable = (part) => part.replace(/\W(\w)/g, (_, letter) => letter.toUpperCase());

/** WGSL without what only people read: comments other than marks, indentation, blank lines. */
function strip(code) {
  const lines = code
    .split('\n')
    .map((line) => line.replace(/\s*\/\/(?:\s*(@(?:set|size|unroll))\b)?.*$/, (_, mark) => (mark ? ` // ${mark}` : '')).trim());
  return lines
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');
}

/** What a kernel says about itself. Throws the first rule that it breaks. */
export function describeShader(code) {
  if (!/^\/\/ ?.*\S/.test(code)) throw new Error('the first line must be a // comment that says what the kernel computes');

  const { entry, storage, uniforms, textures, samplers, immediates } = reflect(code);
  checkPortable(code);
  const others = [...entry.vertex, ...entry.fragment].map(({ name }) => name);
  if (entry.compute.length !== 1 || entry.compute[0].name !== 'main' || others.length > 0) {
    const found = [...entry.compute.map(({ name }) => name), ...others].join(', ') || 'none';
    throw new Error(`there must be exactly one entry point, a compute function called main; found ${found}`);
  }

  const open = /^(?!\s*\/\/).*\b(loop|while)\b/m.exec(code);
  if (open) throw new Error(`'${open[0].trim()}': every loop must be a for loop, whose bound is there to be read`);

  const other = [
    ...uniforms,
    ...textures,
    ...samplers,
    ...immediates,
    ...storage.filter((one) => one.resourceType !== ResourceType.Storage),
  ];
  if (other.length > 0) throw new Error(`only storage buffers can be bound; ${other[0].name} is something else`);
  if (storage.length > 8)
    throw new Error(`a kernel binds at most 8 buffers, which is what every device allows; this one has ${storage.length}`);
  const bindings = storage.map(({ name, group, binding, access, format }, i) => {
    if (group !== 0) throw new Error(`every binding must be in group 0; ${name} is in group ${group}`);
    if (binding !== i)
      throw new Error(`bindings must be numbered 0, 1, … in the order of their declarations; ${name} has ${binding}, expected ${i}`);
    const width = widths[format?.name];
    if (width === undefined) throw new Error(`every binding must be an array of numbers or vectors; ${name} is one of ${format?.name}`);
    return { name, access: access === 'read_write' ? access : 'read', width };
  });

  const constants = [];
  const sizes = [];
  code.split('\n').forEach((line, i) => {
    const mark = /\/\/\s*@(set|size)\b/.exec(line)?.[1];
    if (!mark) return;
    const match = /^const (\w+)\s*:\s*(\w+)\s*=\s*[^;]+;\s*\/\/\s*@(set|size)\b/.exec(line);
    if (!match) throw new Error(`line ${i + 1}: a line marked @${mark} must read 'const NAME: type = value; // @${mark}'`);
    const [, name, type] = match;
    if (mark === 'set') constants.push(name);
    else if (type === 'u32' || type === 'f32') sizes.push({ name, type });
    else throw new Error(`line ${i + 1}: @size takes u32 or f32, not ${type}`);
  });
  return { bindings, constants, sizes };
}

function reflect(code) {
  try {
    return new WgslReflect(code);
  } catch (error) {
    throw new Error(`wgsl_reflect cannot read it: ${error.message ?? JSON.stringify(error)}`);
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    console.log(`${(await bundleShaders()).length} shaders bundled`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
