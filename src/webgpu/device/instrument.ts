/**
 * Kernels that count their own traffic, for measurements: the index of every access to a storage buffer passes through a function that
 * counts it. Results are the same, and no run of the engine uses this.
 */
import { ShaderError } from '../../errors.js';
import type { Shader } from '../shaders.generated.js';

/** One place in a kernel's text that loads or stores an element of a buffer, or a component of one. */
export interface Site {
  /** Number of the binding. */
  readonly binding: number;
  readonly loads: boolean;
  readonly stores: boolean;
  /** Bytes of an access. */
  readonly bytes: number;
}

export interface Instrumented {
  readonly code: string;
  readonly sites: readonly Site[];
  /** The number of the binding of the counters, after the kernel's own buffers and its sizes. */
  readonly binding: number;
  /** Bytes of the counters' buffer: how often each site was passed, the number of records, the records. */
  readonly bytes: number;
}

/** An access of the sampled workgroups: the invocation, the site and how often the invocation had passed it, the address in words. */
export const wordsOfRecord = 3;
/** Invocations of a workgroup are numbered within this many. */
export const lanesOfWorkgroup = 4096;
/** Passes of one site by one invocation that are recorded. Loops repeat their pattern. */
export const recordedPasses = 64;

const sampledWorkgroups = 8;
const mostRecords = 1 << 21;

/** `code` is that of `specialise`: it has no comments, and every access is written `name[index]`. */
export function instrumented(code: string, bindings: Shader['bindings']): Instrumented {
  const sites: Site[] = [];
  const text = rewritten(code, bindings, sites);
  const binding = bindings.length + 1;
  return {
    code: `${text}\n${counting(binding, sites.length)}${entry(code)}`,
    sites,
    binding,
    bytes: 4 * (sites.length + 1 + wordsOfRecord * mostRecords),
  };
}

/** The kernel's text with `name[seen(site, index, …)]` for every `name[index]`, and its entry point as a function named `seenMain`. */
function rewritten(code: string, bindings: Shader['bindings'], sites: Site[]): string {
  const names = bindings.map(({ name }) => name).join('|');
  const taken = new RegExp(`&(${names})\\b`).exec(code);
  if (taken) throw new ShaderError(`A kernel takes the address ${taken[0]}: only accesses written ${taken[1]}[index] are counted.`);
  const walk = (text: string): string => {
    const access = new RegExp(`(?<![.\\w])(${names})\\[`, 'g');
    let written = '';
    let from = 0;
    for (let found = access.exec(text); found; access.lastIndex = from, found = access.exec(text)) {
      const name = found[1];
      const start = found.index + found[0].length;
      const end = closing(text, start);
      const binding = bindings.findIndex((one) => one.name === name);
      const site = sites.push(siteOf(binding, bindings[binding].width, text.slice(end + 1))) - 1;
      const index = walk(text.slice(start, end));
      written += `${text.slice(from, start)}seen(${site}u, ${index}, arrayLength(&${name}), ${bindings[binding].width}u)`;
      from = end;
    }
    return written + text.slice(from);
  };
  const { head, parameters } = entryOf(code);
  const main = code.replace(head, `fn seenMain(${parameters.map(({ name, type }) => `${name}: ${type}`).join(', ')}) {`);
  return walk(main);
}

/** An access by the text that follows it: a component of the element, the left side of an assignment. */
function siteOf(binding: number, width: number, after: string): Site {
  const component = /^(\.[xyzw]\b|\[)/.test(after);
  const rest = after.startsWith('[') ? after.slice(closing(after, 1) + 1) : after.replace(/^\.[xyzw]\b/, '');
  const assigned = /^\s*([-+*/]?)=(?!=)/.exec(rest);
  return { binding, loads: assigned?.[1] !== '', stores: assigned !== null, bytes: component ? 4 : 4 * width };
}

/** Where the bracket ends that was opened just before `from`. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '[') depth++;
    else if (text[at] === ']' && --depth === 0) return at;
  }
  throw new ShaderError('A kernel has a bracket that does not close.');
}

function entryOf(code: string) {
  const found = /@compute\s+(@workgroup_size\([^)]*\))\s+fn main\(((?:[^()]|\([^()]*\))*)\)\s*\{/.exec(code);
  if (!found) throw new ShaderError('A kernel has no entry point named main.');
  const parameters = Array.from(found[2].matchAll(/@builtin\((\w+)\)\s+(\w+)\s*:\s*(\w+)/g), ([, builtin, name, type]) => ({
    builtin,
    name,
    type,
  }));
  return { head: found[0], size: found[1], parameters };
}

/** The entry point: it finds out who it is, calls the kernel, and adds up. */
function entry(code: string): string {
  const { size, parameters } = entryOf(code);
  const own = [
    { builtin: 'local_invocation_index', type: 'u32' },
    { builtin: 'workgroup_id', type: 'vec3u' },
    { builtin: 'num_workgroups', type: 'vec3u' },
  ];
  const all = [...own, ...parameters.filter(({ builtin }) => own.every((one) => one.builtin !== builtin))];
  return `@compute ${size}
fn main(${all.map(({ builtin, type }) => `@builtin(${builtin}) seen_${builtin}: ${type}`).join(', ')}) {
  let group = (seen_workgroup_id.z * seen_num_workgroups.y + seen_workgroup_id.y) * seen_num_workgroups.x + seen_workgroup_id.x;
  let every = max(1u, seen_num_workgroups.x * seen_num_workgroups.y * seen_num_workgroups.z / ${sampledWorkgroups}u);
  seenSampled = group % every == every / 2u && group / every < ${sampledWorkgroups}u;
  seenLane = group / every * ${lanesOfWorkgroup}u + seen_local_invocation_index;
  seenMain(${parameters.map(({ builtin }) => `seen_${builtin}`).join(', ')});
  seenAddUp();
}
`;
}

function counting(binding: number, sites: number): string {
  return `struct Seen { passes: array<atomic<u32>, ${sites}>, records: atomic<u32>, record: array<u32> }
@group(0) @binding(${binding}) var<storage, read_write> seenBuffer: Seen;
var<private> seenPasses: array<u32, ${sites}>;
var<private> seenSampled: bool;
var<private> seenLane: u32;
fn seen(site: u32, index: u32, length: u32, words: u32) -> u32 {
  let before = seenPasses[site];
  seenPasses[site] = before + 1u;
  if (seenSampled && before < ${recordedPasses}u) {
    let at = atomicAdd(&seenBuffer.records, 1u);
    if (at < ${mostRecords}u) {
      seenBuffer.record[at * 3u] = seenLane;
      seenBuffer.record[at * 3u + 1u] = site * ${recordedPasses}u + before;
      seenBuffer.record[at * 3u + 2u] = min(index, length - 1u) * words;
    }
  }
  return index;
}
fn seenAddUp() {
  for (var site = 0u; site < ${sites}u; site++) {
    if (seenPasses[site] > 0u) { atomicAdd(&seenBuffer.passes[site], seenPasses[site]); }
  }
}
`;
}

/** The traffic of one dispatch through one binding. */
export interface Traffic {
  /** Bytes that invocations load and store. */
  loaded: number;
  stored: number;
  /** Of the sampled loads of 32 neighbouring invocations: the bytes of their lanes and of their distinct elements, their 128-byte lines, and the fewest that hold as many bytes. */
  sample: { bytes: number; distinct: number; lines: number; ideal: number };
}

const lineBytes = 128;
const neighbours = 32;

/** The traffic of a dispatch by binding, from the content of its counters' buffer. */
export function trafficOf({ sites }: Pick<Instrumented, 'sites'>, words: Uint32Array, bindings: number): Traffic[] {
  const traffic = Array.from(
    { length: bindings },
    (): Traffic => ({ loaded: 0, stored: 0, sample: { bytes: 0, distinct: 0, lines: 0, ideal: 0 } }),
  );
  sites.forEach(({ binding, loads, stores, bytes }, site) => {
    if (loads) traffic[binding].loaded += words[site] * bytes;
    if (stores) traffic[binding].stored += words[site] * bytes;
  });
  const records = words[sites.length];
  if (records > mostRecords) throw new ShaderError(`A kernel made ${records} records of its accesses; there is room for ${mostRecords}.`);
  const passes = sites.length * recordedPasses;
  const groups = new Map<number, number[]>();
  for (let i = 0; i < records; i++) {
    const at = sites.length + 1 + wordsOfRecord * i;
    const key = Math.floor(words[at] / neighbours) * passes + words[at + 1];
    const own = groups.get(key);
    if (own) own.push(words[at + 2]);
    else groups.set(key, [words[at + 2]]);
  }
  for (const [key, addresses] of groups) {
    const { binding, loads, bytes } = sites[Math.floor((key % passes) / recordedPasses)];
    if (!loads) continue;
    const { sample } = traffic[binding];
    sample.bytes += addresses.length * bytes;
    sample.distinct += new Set(addresses).size * bytes;
    sample.lines += new Set(addresses.map((address) => Math.floor((4 * address) / lineBytes))).size;
    sample.ideal += Math.ceil((addresses.length * bytes) / lineBytes);
  }
  return traffic;
}
