/** Predicted classes beside the true ones, counted. */
import { classify } from '../data/labels.js';
import type { Factorization } from '../methods/methods.js';

export interface Confusion {
  /** Which samples are counted. */
  title: string;
  /** The true classes, one a row. */
  rows: string[];
  /** The classes that can be predicted, one a column, and last '' for none. */
  columns: string[];
  /** counts[row][column]. */
  counts: number[][];
}

/**
 * Tables of the samples that were fitted with their label, and of those that were not and whose class `truth` has; none without labels.
 *
 * @param labels One a sample, '' where it has none.
 * @param truth The same, with labels that the fit did not see.
 */
export function confusions({ supervision, S }: Factorization, labels: readonly string[], truth?: readonly string[]): Confusion[] {
  if (!supervision) return [];
  const { classes, classifiers } = supervision;
  const { layer, B } = classifiers[classifiers.length - 1];
  const predicted = classify(B, S[layer]);
  const table = (title: string, classOf: (sample: number) => string): Confusion[] => {
    const known = Array.from(predicted, (index, sample) => ({ index, is: classOf(sample) })).filter(({ is }) => is !== '');
    if (known.length === 0) return [];
    const others = [...new Set(known.map(({ is }) => is))].filter((name) => !classes.includes(name)).sort();
    const rows = [...classes, ...others].filter((name) => known.some(({ is }) => is === name));
    const columns = known.some(({ index }) => index < 0) ? [...classes, ''] : [...classes];
    const counts = rows.map((name) => {
      const own = known.filter(({ is }) => is === name);
      return columns.map((_, c) => own.filter(({ index }) => (index < 0 ? classes.length : index) === c).length);
    });
    return [{ title, rows, columns, counts }];
  };
  return [
    ...table('Samples fitted with their label', (sample) => labels[sample] ?? ''),
    ...table('Samples fitted without their label', (sample) => (labels[sample] ? '' : (truth?.[sample] ?? ''))),
  ];
}
