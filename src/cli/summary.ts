/** The summary of a fit for people. */
import type { Absent } from '../data/missing.js';
import type { StopReason } from '../methods/loop.js';
import type { Factorization } from '../methods/methods.js';
import { componentsOf } from '../models/arranged.js';
import { errorRows } from '../report/numbers.js';
import { alignColumns } from './columns.js';
import type { Io } from './io.js';
import { wrap } from './text-width.js';

const stopReasons: Record<StopReason, string> = {
  tolerance: 'the error fell by less than --tolerance',
  maxIterations: 'the most that --max-iterations allows',
  exact: 'the fit is exact',
  maxSeconds: 'the time that --max-seconds allows',
  stopped: 'it was stopped',
  unknown: 'why it ended is not known',
};

/** Errors beside their bounds, one line a layer; with short headings where there are few columns. */
export function layerTable({ layers, svdBoundMethod }: Factorization, columns = Number.POSITIVE_INFINITY): string[] {
  const bound = svdBoundMethod === 'randomised' ? 'SVD bound (estimate)' : 'SVD bound';
  const wide = ['layer', 'rank', 'relative error', bound, 'error ÷ bound'];
  const narrow = ['layer', 'rank', 'error', svdBoundMethod === 'randomised' ? '≈ bound' : 'bound', 'ratio'];
  const rows = errorRows(layers);
  const headings = wide.join('  ').length > columns ? narrow : wide;
  return alignColumns(
    [headings, ...rows],
    headings.map(() => 'right'),
  );
}

/** The components of the last layer that most is explained by, one line each. */
export function componentLines(model: Factorization): string[] {
  const all = componentsOf(model)[model.A.length - 1];
  const most = 20;
  const share = (x: number) => `${(100 * x).toFixed(1)} %`;
  const rows = all.slice(0, most).map(({ explained, mass }, j) => [`${j}`, share(explained), share(mass)]);
  const lines = alignColumns([['component', 'explains of ‖X‖²', 'mass'], ...rows], ['right', 'right', 'right']);
  return all.length > most ? [...lines, `and ${all.length - most} more`] : lines;
}

/** The course of the fit, as pairs of a name and a text. */
export function fitFacts({
  kktResidual,
  iterations,
  stopReason,
  restartErrors,
  restart,
  elapsedMs,
}: Pick<Factorization, 'kktResidual' | 'iterations' | 'stopReason' | 'restartErrors' | 'restart' | 'elapsedMs'>): [string, string][] {
  const count = restartErrors.length;
  const [best, worst] = [Math.min(...restartErrors), Math.max(...restartErrors)];
  return [
    ['KKT residual', kktResidual.toExponential(1)],
    ['iterations', `${iterations}: ${stopReasons[stopReason]}`],
    ['restarts', count === 1 ? '1' : `${count}: errors ${best.toFixed(5)} to ${worst.toFixed(5)}, kept number ${restart + 1}`],
    ['time', `${(elapsedMs / 1000).toFixed(1)} s`],
  ];
}

/** The accuracies, as such pairs; none without labels. */
export function labelFacts({ supervision }: Factorization, labels: readonly string[]): [string, string][] {
  if (!supervision) return [];
  const { classes, classifiers, accuracy } = supervision;
  const labelled = labels.filter((label) => label !== '').length;
  const named = classes.length <= 8 ? `: ${classes.join(', ')}` : '';
  const unlabelled = accuracy.unlabelled === null ? '' : `, ${percent(accuracy.unlabelled)} of the others`;
  const by = classifiers.length === 1 ? '' : ` (classifier of layer ${classifiers[classifiers.length - 1].layer})`;
  return [
    ['labels', `of ${labelled} of ${labels.length} samples, ${classes.length} classes${named}`],
    ['accuracy', `${percent(accuracy.labelled)} of the labelled samples${unlabelled}${by}`],
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Plain sentences about facts that a reader of the numbers could miss. */
export function fitNotes(model: Factorization, { weighted, absent, bounds, classesWithoutLabel }: NotedFacts): string[] {
  const { method, svdBound } = model;
  const notes: string[] = [];
  if (weighted) notes.push('The error is that of the weighted entries; with weights no bound is known.');
  else if (absent === 'missing') notes.push('The error is that of the stored entries; where others are missing no bound is known.');
  else if (bounds && svdBound === null && method === 'deep')
    notes.push('With max pooling or an activation no bound is known beyond the first layer.');
  if (classesWithoutLabel.length > 0) {
    const [it, cannot] = classesWithoutLabel.length === 1 ? ['class', 'it is'] : ['classes', 'they are'];
    notes.push(`No sample is labelled with the ${it} ${classesWithoutLabel.join(', ')}: ${cannot} never predicted and counted as wrong.`);
  }
  return [...notes, ...solveNotes(model)];
}

/** Sentences about exact solves of a fit that cannot be trusted in full. */
export function solveNotes(
  {
    unconverged,
    illConditioned,
    illConditionedGradients,
  }: Pick<Factorization, 'unconverged' | 'illConditioned' | 'illConditionedGradients'>,
  where = 'of S, over all layers',
): string[] {
  const notes: string[] = [];
  const columns = (count: number) => (count === 1 ? `1 column ${where}` : `${count} columns ${where}`);
  if (unconverged > 0) notes.push(`The solve for ${columns(unconverged)}, did not reach the solution: these are ≥ 0, not optimal.`);
  if (illConditioned > 0)
    notes.push(
      `${columns(illConditioned)}, hang on digits that single precision does not hold: columns of A depend on each other. Take smaller ranks.`,
    );
  else if (illConditionedGradients > 0)
    notes.push(
      `Gradients through ${columns(illConditionedGradients)}, have fewer than three digits: columns of A nearly depend on each other. The result is sound, but the fit may have ended early. Smaller ranks avoid that.`,
    );
  return notes;
}

interface NotedFacts {
  weighted: boolean;
  absent?: Absent;
  /** Bounds were asked for. */
  bounds: boolean;
  classesWithoutLabel: readonly string[];
}

/** What the reader saw in a table, and what could be read otherwise, a line each. */
export function sayReading({ path, reading, notes }: { path: string; reading?: string; notes: readonly string[] }): string[] {
  return [...(reading ? [`${path}: ${reading}`] : []), ...notes.map((note) => `note: ${note}`)];
}

/** What could be read otherwise in a file, where standard output has no place for it. */
export function sayNotes({ stderr }: Io, { path, notes }: { path: string; notes: readonly string[] }): void {
  if (notes.length > 0) stderr.print(notes.map((note) => `orthant: ${path}: ${note}`));
}

/**
 * One name and its text a line, the texts below each other as if all the names of `among` were there; in as many lines as a terminal of so
 * many columns needs. A path stays in one piece.
 */
export function alignFacts(
  facts: readonly (readonly [string, string])[],
  { columns = Number.POSITIVE_INFINITY, among = facts }: { columns?: number; among?: readonly (readonly [string, string])[] } = {},
): string[] {
  const width = Math.max(...among.map(([name]) => name.length));
  return facts.flatMap(([name, text]) =>
    wrap(text, columns - width - 2, 'whole').map((line, l) => `${(l === 0 ? name : '').padEnd(width)}  ${line}`),
  );
}
