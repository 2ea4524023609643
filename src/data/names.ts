import { InputError } from '../errors.js';

/**
 * Throws InputError for a name in `given` that is not in `known`, and says which one comes nearest; for one that was renamed, how it is
 * spelled now. What is undefined was not given.
 */
export function checkNames(what: string, given: object, known: readonly string[], renamed: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || known.includes(name)) continue;
    if (Object.hasOwn(renamed, name))
      throw new InputError(`${what} has no option '${name}' any more: it is now ${renamed[name]}.`, { option: name });
    const nearest = nearestOf(name, known);
    const hint = nearest === undefined ? `It has ${[...known].sort().join(', ')}.` : `Did you mean '${nearest}'?`;
    throw new InputError(`${what} has no option '${name}'. ${hint}`, { option: name });
  }
}

/** The name that takes the fewest insertions, deletions and changes, if that is no more than a third of it. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
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
