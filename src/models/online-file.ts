/** The state of an online fit as a file beside its model, and back: see docs/model-format.md. */
import { checkNonnegative } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { describe, inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { encodeSafetensors, readSafetensors } from '../formats/safetensors.js';
import { nothingSeen, type OnlineState, onlineUpdates, type Seen } from '../methods/online-state.js';

/** Its name. */
export const onlineFile = 'online.safetensors';

/** The names of A and of the sums, in their order; 'hals' has the first two sums. */
const sumNames = ['P', 'Q', 'numerator', 'denominator'] as const;

/** A and the sums as tensors of F32, and all else as texts. */
export function encodeOnlineState({ A, sums, update, seed, unit, seen }: OnlineState): Uint8Array {
  const tensors = Object.fromEntries([['A', A], ...sums.map((sum, i) => [sumNames[i], sum] as const)]) as Record<string, Matrix>;
  return encodeSafetensors(tensors, { format: 'orthant online 1', update, seed: `${seed}`, unit: `${unit}`, seen: JSON.stringify(seen) });
}

/** Throws InputError for a file that `encodeOnlineState` did not write. */
export function decodeOnlineState(bytes: Uint8Array): OnlineState {
  const { tensors, about } = readSafetensors(bytes);
  const refuse = (why: string) => new InputError(`This is no state of an online fit: ${why}.`);
  const update = onlineUpdates.find((one) => one === about.update);
  if (about.format !== 'orthant online 1' || update === undefined)
    throw refuse(`its format is ${describe(about.format)} and its update ${describe(about.update)}`);
  const [seed, unit] = [about.seed, about.unit].map((text) => (/^-?\d+$/.test(String(text)) ? Number(text) : Number.NaN));
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(unit)) throw refuse('its seed or its unit is no whole number');
  const wanted = ['A', ...sumNames.slice(0, update === 'mu' ? 4 : 2)];
  const [A, ...sums] = wanted.map((name) => {
    const found = tensors.get(name)?.matrix();
    if (!found) throw refuse(`it has no ${name}; its tensors are ${inWords(wanted)}`);
    checkNonnegative(found, name);
    return found;
  });
  return { update, seed, unit, A, sums, seen: seenIn(about.seen, refuse) };
}

function seenIn(text: unknown, refuse: (why: string) => InputError): Seen {
  let seen: unknown;
  try {
    seen = JSON.parse(String(text));
  } catch {
    throw refuse('what it has seen is not JSON');
  }
  const names = Object.keys(nothingSeen()) as (keyof Seen)[];
  if (!names.every((name) => Number.isFinite((seen as Seen | null)?.[name])))
    throw refuse(`what it has seen lacks ${inWords(names, 'or')}`);
  return seen as Seen;
}
