/** A measured tuning: plain JSON, checked before it is used. Pure. */
import { fnv1a } from '../../data/hash.js';
import type { MatmulAlgorithm, ProductChoice, Tuning, TuningEntry } from '../../engine.js';
import { InputError } from '../../errors.js';
import { codes as products } from '../wgsl/matmul.generated.js';
import { codes as quads } from '../wgsl/matmul-quads.generated.js';
import { codes as sums } from '../wgsl/reduce.generated.js';

/** Of the format. */
export const tuningVersion = 1;

/** Tells the kernels of products from those of other versions. */
export const kernelsTimed = fnv1a([...Object.values({ ...products, ...quads }), sums['reduce/sum-partials']].join('')).toString(16);

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
    if (typeof entry?.class !== 'string' || !isChoice(entry.chosen) || !isChoice(entry.default)) {
      throw new InputError(`Entry ${i} of the tuning has no class or choice that this version knows; tune again.`);
    }
  });
  return tuning as Tuning;
}

const algorithms: Record<MatmulAlgorithm, true> = { register: true, tiled: true, 'quad-rows': true, 'quad-columns': true };

function isChoice(choice: Partial<ProductChoice> | null | undefined): boolean {
  if (!choice || !Object.hasOwn(algorithms, String(choice.algorithm))) return false;
  const { blocksA, blocksB, splits } = choice;
  const within = (value: unknown, most: number) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
  const most = choice.algorithm === 'tiled' ? 32 : 8;
  return within(blocksA, most) && within(blocksB, most) && within(splits, 64);
}

/** For AdapterFacts: the choices by class. */
export function choicesOf({ entries }: Tuning): ReadonlyMap<string, ProductChoice> {
  return new Map(entries.map(({ class: name, chosen }) => [name, chosen]));
}

/** `before` with the entries of `after` put in their places. */
export function mergeTunings(before: Tuning | undefined, after: Tuning): Tuning {
  const entries = new Map([...(before?.entries ?? []), ...after.entries].map((entry) => [entry.class, entry]));
  return { ...after, entries: [...entries.values()] };
}
