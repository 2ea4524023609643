/** The results as Markdown. */
import type { DefaultFit } from './by-default.js';
import { dataSets } from './data.js';
import type { Results } from './main.js';
import { type Cell, candidates, type Settings, type Supervision, supervisions } from './study.js';

export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function tables(results: Results): string {
  const measured = dataSets.flatMap((set) => (results.candidates[set.name] ? [{ set, ...results.candidates[set.name] }] : []));
  return [
    ...(measured.length > 0 ? ['### All data sets', summaryTable(measured.map(({ cells }) => cells))] : []),
    ...measured.flatMap(({ set, cells, device, date, seconds }) => [
      `### ${set.title}`,
      `Ranks ${set.ranks.join(', ')}; ${set.seeds} seeds; ${labelsText(set)}. ${device}; ${date}, ${seconds} s.`,
      setTable(set.ranks.length, cells),
    ]),
    ...(results.byDefault ? byDefaultTables(results.byDefault.fits) : []),
  ].join('\n\n');
}

const labelsText = ({ labelled, name }: (typeof dataSets)[number]) =>
  `${labelled === 1 ? 'every sample has a label' : `${100 * labelled} % of the samples have labels`}, scored on ${['mail', 'digits'].includes(name) ? 'samples that no fit saw' : 'the others'}`;

const markdown = (heads: readonly string[], rows: readonly (readonly string[])[]) =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** Means over seeds, levels and data sets that all weigh the same, and the worst of all. */
function summaryTable(sets: readonly (readonly Cell[])[]): string {
  const of = (candidate: string, supervision: Supervision): string[] => {
    const cells = sets.map((cells) => find(cells, candidate, supervision));
    if (cells.some((cell) => cell === undefined)) return ['', '', ''];
    const known = cells as Cell[];
    return [
      mean(known.map(({ ratios }) => mean(ratios.map(mean)))).toFixed(3),
      Math.max(...known.flatMap(({ ratios }) => ratios.flat())).toFixed(3),
      mean(known.map(({ scores }) => mean(scores))).toFixed(3),
    ];
  };
  return markdown(
    ['candidate', 'error ÷ bound, mean', 'worst', 'purity', 'with labels: error ÷ bound, mean', 'worst', 'accuracy'],
    candidates.map(({ name, settings }) => [titled(name, settings), ...supervisions.flatMap((supervision) => of(name, supervision))]),
  );
}

function setTable(levels: number, cells: readonly Cell[]): string {
  const of = (candidate: string, supervision: Supervision): string[] => {
    const cell = find(cells, candidate, supervision);
    if (!cell) return ['', ''];
    return [cell.ratios.map((ratio) => meanAndWorst(ratio)).join(', '), mean(cell.scores).toFixed(3)];
  };
  const ratio = `error ÷ bound of ${levels} levels: mean (worst)`;
  return markdown(
    ['candidate', ratio, 'purity', `with labels: ${ratio}`, 'accuracy'],
    candidates.map(({ name, settings }) => [titled(name, settings), ...supervisions.flatMap((supervision) => of(name, supervision))]),
  );
}

const find = (cells: readonly Cell[], candidate: string, supervision: Supervision) =>
  cells.find((cell) => cell.candidate === candidate && cell.supervision === supervision);

function titled(name: string, { cost, start, restarts, labelWeight }: Settings): string {
  if (name !== 'centre' && name !== 'before') return name;
  return `**${name}**: ${cost}, ${start}, ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}, weight ${labelWeight}`;
}

function meanAndWorst(values: readonly number[]): string {
  const [middle, worst] = [mean(values).toFixed(3), Math.max(...values).toFixed(3)];
  return middle === worst ? middle : `${middle} (${worst})`;
}

function byDefaultTables(fits: readonly DefaultFit[]): string[] {
  const of = (what: DefaultFit['what']) => fits.filter((fit) => fit.what === what);
  const rows = of('table1').filter(({ seed }) => seed === 0);
  const table1 = rows.map(({ supervision, ranks, published }) => {
    const list = of('table1').filter((fit) => fit.supervision === supervision && fit.ranks.length === ranks.length);
    const accuracies = list.flatMap(({ accuracy }) => accuracy ?? []);
    return [
      supervision!,
      ranks.join(', '),
      ranks.map((_, l) => meanAndWorst(list.map(({ ratios }) => ratios[l]))).join(', '),
      `${Math.max(...list.map(({ error }) => error)).toFixed(4)}`,
      `${published}`,
      accuracies.length === 0 ? '' : Math.min(...accuracies).toFixed(3),
    ];
  });
  const ratios = (fit: DefaultFit) => fit.ratios.map((ratio) => ratio.toFixed(3)).join(', ');
  return [
    '### By default: Table 1',
    markdown(['labels', 'ranks', 'error ÷ bound: mean (worst)', 'largest error', 'published error', 'smallest accuracy'], table1),
    '### By default: digits that no fit saw',
    markdown(
      ['seed', 'error ÷ bound', 'accuracy'],
      of('digits').map((fit) => [`${fit.seed}`, ratios(fit), fit.accuracy!.toFixed(3)]),
    ),
    '### By default: `orthant topics brown --ranks 15,2`',
    markdown(
      ['seed', 'method', 'error ÷ bound', 'purity'],
      of('brown').map((fit) => [`${fit.seed}`, fit.method!, ratios(fit), fit.purity!.toFixed(3)]),
    ),
  ];
}
