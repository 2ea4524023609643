/** A measured tuning: plain JSON, checked before it is used. Pure. */
import { fnv1a } from '../../data/hash.js';
import type { Tuning, TuningEntry } from '../../engine.js';
import { InputError } from '../../errors.js';
import { codes as matmul } from '../wgsl/matmul.generated.js';
import { codes as quads } from '../wgsl/matmul-quads.generated.js';
import { codes as nnls } from '../wgsl/nnls.generated.js';
import { codes as group } from '../wgsl/nnls-group.generated.js';
import { codes as indexed } from '../wgsl/nnls-indexed.generated.js';
import { codes as registers } from '../wgsl/nnls-registers.generated.js';
import { codes as reduce } from '../wgsl/reduce.generated.js';
import { codes as sparse } from '../wgsl/sparse.generated.js';
import { codes as update } from '../wgsl/update.generated.js';
import { isChoice, isKind } from './choices.js';

export { tunedBy } from './classes.js';

/** Of the format. */
export const tuningVersion = 3;

/** Tells the kernels that are timed from those of other versions. */
export const kernelsTimed = fnv1a(
  Object.entries({ ...matmul, ...quads, ...nnls, ...indexed, ...group, ...registers, ...reduce, ...sparse, ...update })
    .filter(([name]) => /^matmul\/|sum-partials|^nnls\/.*solve|^update\/hals|^sparse\/(product|tails)/.test(name))
    .map(([, code]) => code)
    .join(''),
).toString(16);

/** Throws InputError unless `value` is a tuning of this version for the adapter. */
export function checkTuning(value: unknown, adapter: string): Tuning {
  const tuning = value as Partial<Tuning> | null;
  if (typeof tuning !== 'object' || tuning === null || !Array.isArray(tuning.entries)) {
    throw new InputError('This is no tuning: an object with version, adapter and entries is expected, as engine.tune() returns it.');
  }
  if (tuning.version !== tuningVersion || tuning.kernels !== kernelsTimed) {
    throw new InputError('The tuning was measured by another version of orthant; tune again.');
  }
  if (tuning.adapter !== adapter) {
    throw new InputError(`The tuning was measured on ${String(tuning.adapter)}, but this adapter is ${adapter}; tune again.`);
  }
  tuning.entries.forEach((entry: Partial<TuningEntry> | null, i) => {
    const { kind, class: name, chosen, default: untuned } = entry ?? {};
    if (!isKind(kind) || typeof name !== 'string' || !isChoice(kind, chosen) || !isChoice(kind, untuned)) {
      throw new InputError(`Entry ${i} of the tuning has no kind, class or choice that this version knows; tune again.`);
    }
  });
  return tuning as Tuning;
}

/** `before` with the entries of `after` put in their places. */
export function mergeTunings(before: Tuning | undefined, after: Tuning): Tuning {
  const entries = new Map([...(before?.entries ?? []), ...after.entries].map((entry) => [`${entry.kind} ${entry.class}`, entry]));
  return { ...after, entries: [...entries.values()] };
}
