/** The WGSL of every kernel as it is bundled, by name, in the order of the names. */
import { modules, type ShaderName } from '../../src/webgpu/shaders.generated.js';

const loaded = Object.entries(modules).map(async ([name, load]) => [name, (await load()).codes[name as ShaderName]!] as const);
export const codes: Readonly<Record<string, string>> = Object.fromEntries(await Promise.all(loaded));
