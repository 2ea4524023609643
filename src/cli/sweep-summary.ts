/** What a sweep came to, for people: the table by ranks, sentences on what is not there, curves. */
import { inWords } from '../data/words.js';
import type { SweepSpec } from '../sweep/plan.js';
import type { SweepSummary } from '../sweep/summary.js';
import { alignColumns } from './columns.js';
import { type Curve, curvesSvg, type Panel } from './rank-svg.js';

/** Sentences that list one thing after another have no more of them. */
const mostListed = 10;

/** The errors of each ranks, one line each. */
export function sweepTable({ results, sweep }: SweepSummary): string[] {
  const shown = (x: number | null, digits: number) => (x === null ? '–' : x.toFixed(digits));
  const agree = results.some(({ dispersion }) => dispersion !== null);
  const bounds = results.some(({ svdBound }) => svdBound !== null);
  const rows = results.map(({ ranks, fits, best, median, largest, standardDeviation, svdBound, cophenetic, dispersion }) => [
    ranks.join(','),
    `${fits}`,
    shown(best?.relativeError ?? null, 5),
    shown(median, 5),
    shown(largest, 5),
    shown(standardDeviation, 5),
    ...(bounds ? [shown(svdBound, 5)] : []),
    ...(agree ? [shown(cophenetic, 3), shown(dispersion, 3)] : []),
    best ? `${best.seed}` : '–',
  ]);
  const headings = [
    sweep.ranks.every(({ length }) => length === 1) ? 'rank' : 'ranks',
    'fits',
    'best error',
    'median',
    'largest',
    'deviation',
    ...(bounds ? ['SVD bound'] : []),
    ...(agree ? ['cophenetic', 'dispersion'] : []),
    'best seed',
  ];
  return alignColumns(
    [headings, ...rows],
    headings.map(() => 'right'),
  );
}

/** The folder of the best model of each ranks, one line each. */
export function bestLines({ results }: SweepSummary, dir: string): string[] {
  const found = results.flatMap(({ ranks, best }) => (best ? [[ranks.join(','), `${dir}/${best.model}`]] : []));
  return alignColumns(
    found.map(([ranks, path]) => [`best of ${ranks}`, path]),
    ['left', 'left'],
  );
}

/** Sentences on jobs without a model, and on devices that differ. */
export function sweepNotes({ failed, missing, devices }: SweepSummary): string[] {
  const notes: string[] = [];
  const reasons = new Map<string, string[]>();
  for (const { ranks, seed, message } of failed) {
    const said = message.replace(`The process of ${nameOf({ ranks, seed })}`, 'Its process');
    reasons.set(said, [...(reasons.get(said) ?? []), nameOf({ ranks, seed })]);
  }
  for (const [message, names] of reasons)
    notes.push(`${names.length === 1 ? 'A fit' : `${names.length} fits`} failed (${listed(names)}): ${message}`);
  if (missing.length > 0)
    notes.push(`${missing.length === 1 ? 'A fit is' : `${missing.length} fits are`} missing (${listed(missing.map(nameOf))}).`);
  if (devices.length > 1) notes.push(`The fits were made on ${inWords(devices)}; the bits of one are not those of another.`);
  return notes;
}

function nameOf({ ranks, seed }: { ranks: readonly number[]; seed: number }): string {
  return `${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.join(',')} seed ${seed}`;
}

export function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostListed).join('; ');
  return names.length > mostListed ? `${shown}; and ${names.length - mostListed} more` : shown;
}

/** One line on what the sweep is. */
export function describeSweep({ method, ranks, restarts, seed }: SweepSpec): string {
  const [first, last] = [ranks[0].join(','), ranks[ranks.length - 1].join(',')];
  const of = ranks.length === 1 ? first : `${first} to ${last}`;
  const seeds = restarts === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + restarts - 1}`;
  return `${method}, ranks ${of}, ${seeds}: ${ranks.length * restarts} fits`;
}

/** Errors by ranks in one panel, and where there is a consensus the agreement of the restarts in another. */
export function sweepSvg({ results, sweep }: SweepSummary): string {
  const flat = results.every(({ ranks }) => ranks.length === 1);
  // A rank has its place on the axis; lists of ranks stand one after another.
  const sorted = flat ? [...results].sort((a, b) => a.ranks[0] - b.ranks[0]) : results;
  const curve = (name: string, colour: string, of: (result: (typeof results)[number]) => number | null): Curve[] => {
    const values = sorted.map((result) => of(result) ?? Number.NaN);
    return values.some(Number.isFinite) ? [{ name, colour, values }] : [];
  };
  const errors: Panel = {
    title: 'relative error',
    from: 0,
    curves: [
      ...curve('median', '#d9822b', ({ median }) => median),
      ...curve('best', '#1b6ca8', ({ best }) => best?.relativeError ?? null),
      ...curve('SVD bound', '#777', ({ svdBound }) => svdBound),
    ],
  };
  const agreement: Panel = {
    title: 'agreement of the restarts',
    from: 0,
    to: 1,
    curves: [
      ...curve('cophenetic', '#1b6ca8', ({ cophenetic }) => cophenetic),
      ...curve('dispersion', '#2e8540', ({ dispersion }) => dispersion),
    ],
  };
  return curvesSvg({
    title: describeSweep(sweep),
    panels: agreement.curves.length > 0 ? [errors, agreement] : [errors],
    places: sorted.map(({ ranks }, at) => (flat ? ranks[0] : at)),
    names: sorted.map(({ ranks }) => ranks.join(',')),
    axis: flat ? 'rank' : 'ranks',
  });
}
