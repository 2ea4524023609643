import { InputError } from '../errors.js';
import { describe, shortened } from './words.js';

/**
 * Throws InputError for a name in `given` that is not in `known`, and says which one comes nearest; for one that was renamed, how it is
 * spelled now. What is undefined was not given. What is no object has no names at all, and is refused, too.
 */
export function checkNames(what: string, given: object, known: readonly string[], renamed: Readonly<Record<string, string>> = {}): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new InputError(`${what} takes its options by name, as { ${known[0]}: … }, not ${describe(given)}.`);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || known.includes(name)) continue;
    if (Object.hasOwn(renamed, name))
      throw new InputError(`${what} has no option '${name}' any more: it is now ${renamed[name]}.`, { option: name });
    const nearest = nearestOf(name, known);
    const hint = nearest === undefined ? `It has ${[...known].sort().join(', ')}.` : `Did you mean '${nearest}'?`;
    throw new InputError(`${what} has no option '${shortened(name)}'. ${hint}`, { option: name });
  }
}

/** No name is nearly so long, and comparing takes time by its length. */
const longestName = 100;

/** The name that begins so, or the one that takes the fewest insertions, deletions and changes, if that is no more than a third of it. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  if (name.length > longestName) return undefined;
  const begun = known.filter((one) => one.toLowerCase().startsWith(name.toLowerCase()));
  if (name.length > 1 && begun.length === 1) return begun[0];
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const one of known) {
    const edits = editsBetween(name.toLowerCase(), one.toLowerCase());
    if (edits <= Math.ceil(one.length / 3) && edits < fewest) [nearest, fewest] = [one, edits];
  }
  return nearest;
}

/** Levenshtein's distance, row by row. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
  }
  return row[b.length];
}
