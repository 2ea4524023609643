/** Table 1 for people: Markdown with the published figures and the bounds beside ours, and in words who wins where. */
import { median } from '../data/median.js';
import type { ReportTable } from '../report/types.js';
import {
  againstBaselines,
  againstPublished,
  type Cell,
  type CellStopping,
  type ComparedMethod,
  comparedMethods,
  type Depth,
  type DepthBound,
  depths,
  type Measure,
  neuralOf,
  runsOf,
  type Spread,
  type Standing,
  sameError,
  supervisions,
  type TableOneResult,
  type TableOneRun,
  type TableSupervision,
} from './table1-experiment.js';

export interface ReportFacts {
  restarts: number;
  device: string;
  /** Name and caption of each heat map. */
  figures: { file: string; title: string; caption: string }[];
}

export function tableMarkdown(table: TableOneResult, runs: readonly TableOneRun[], facts: ReportFacts): string {
  const { seeds, cells } = table;
  return [
    '# Table 1',
    '',
    `Medians over ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, each a draw of the noise, of the labelled columns and of the starts. Computed on ${facts.device}.`,
    '',
    `- *converged*: best of ${facts.restarts} restarts by the objective alone, for every method, run until the objective settles.`,
    '- *early*: multiplicative updates from one start, ended where the error falls by less than 1e-4 of its first value in ten iterations, as earlier code did.',
    '- *semi*: 40 % of the columns carry a label, drawn at random and drawn again until every class has one; the same columns at every depth.',
    '- The SVD bound is the smallest relative error that any factorization of the last rank can have.',
    '',
    '## Relative error / accuracy',
    '',
    'Converged; the published figure in parentheses.',
    '',
    ...overview(table),
    '',
    '## Every cell',
    '',
    'Median, in brackets minimum and maximum over the seeds. Accuracy counts all columns, "unlabelled" only those fitted without their label.',
    '',
    ...allCells(table),
    '',
    ...unsettled(runs),
    ...statement(cells, runs).flatMap(({ title, text, items }) => [
      `## ${title}`,
      '',
      text,
      '',
      ...items.map((item) => `- ${item}`),
      ...(items.length > 0 ? [''] : []),
    ]),
    ...(facts.figures.length > 0 ? ['## What the layers see', '', 'Unsupervised Neural NMF with three layers, seed 0.', ''] : []),
    ...facts.figures.flatMap(({ file, title, caption }) => [`![${title}: ${caption}](${file})`, '']),
  ].join('\n');
}

/** The nine rows as they are published. */
export function overview({ cells, svdBounds }: TableOneResult): string[] {
  const rows = supervisions.flatMap((supervision) =>
    depths.map((layers) => [
      supervision,
      `${layers}`,
      ...comparedMethods.map((method) => {
        const { error, accuracy, published } = find(cells, supervision, layers, method, 'converged');
        const ours = accuracy ? `${number(error.median)} / ${number(accuracy.median, 3)}` : number(error.median);
        const theirs =
          published.accuracy === null ? number(published.error, 3) : `${number(published.error, 3)} / ${number(published.accuracy, 3)}`;
        return `${ours} (${theirs})`;
      }),
      number(boundOf(svdBounds, layers).median),
    ]),
  );
  return markdownTable(['labels', 'layers', 'Hierarchical NMF', 'Deep NMF', 'Neural NMF', 'SVD bound'], rows);
}

function allCells({ cells, svdBounds }: TableOneResult): string[] {
  const rows = cells.map((cell) => {
    const { supervision, layers, method, stopping, error, accuracy, unlabelledAccuracy, published } = cell;
    const bound = boundOf(svdBounds, layers).median;
    return [
      supervision,
      `${layers}`,
      method,
      stopping,
      range(error, 4),
      number(published.error, 3),
      number(bound),
      (error.median / bound).toFixed(4),
      accuracy ? range(accuracy, 3) : '–',
      published.accuracy === null ? '–' : number(published.accuracy, 3),
      unlabelledAccuracy ? range(unlabelledAccuracy, 3) : '–',
    ];
  });
  const header = [
    'labels',
    'layers',
    'method',
    'stopping',
    'error',
    'published',
    'SVD bound',
    '÷ bound',
    'accuracy',
    'published',
    'unlabelled',
  ];
  return markdownTable(header, rows);
}

/** Every cell for a page: medians, in two columns beside what was published. */
export function cellTable({ seeds, cells, svdBounds }: TableOneResult): ReportTable {
  const rows = cells.map(({ supervision, layers, method, stopping, error, accuracy, published }) => [
    supervision,
    layers,
    method,
    stopping,
    rounded(error.median),
    published.error,
    rounded(boundOf(svdBounds, layers).median),
    accuracy && rounded(accuracy.median),
    published.accuracy,
  ]);
  const columns = ['labels', 'layers', 'method', 'stopping', 'error', 'published', 'SVD bound', 'accuracy', 'published'];
  return { title: `Table 1: medians over ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}`, columns, rows };
}

const rounded = (x: number) => Number(x.toFixed(4));

function unsettled(runs: readonly TableOneRun[]): string[] {
  const cut = runs.filter(({ converged, stopping }) => stopping === 'converged' && !converged);
  if (cut.length === 0) return [];
  const places = [...new Set(cut.map(({ supervision, layers, method }) => `${method} (${place(supervision, layers)})`))];
  return [
    `${cut.length} of the ${runs.filter(({ stopping }) => stopping === 'converged').length} converged fits still crept down when the iterations ran out: ${places.join('; ')}.`,
    '',
  ];
}

export interface Statement {
  title: string;
  text: string;
  items: string[];
}

/** Who wins where, from the figures alone. */
export function statement(cells: readonly Cell[], runs: readonly TableOneRun[]): Statement[] {
  const standings = againstBaselines(cells);
  const notWon = standings.filter(({ outcome }) => outcome !== 'better');
  const lost = notWon.filter(({ outcome }) => outcome === 'worse');
  const publishedStandings = againstPublished(cells);
  const of = (outcome: Standing['outcome'], measure: Measure) =>
    publishedStandings.filter((one) => one.outcome === outcome && one.measure === measure);
  const bestPublished = publishedStandings.filter(({ measure, supervision, layers, neural }) => {
    const row = cells.filter((cell) => cell.supervision === supervision && cell.layers === layers);
    return measure === 'error' && row.every(({ published }) => neural < published.error);
  });
  const early = cells.flatMap((cell) => {
    if (cell.stopping !== 'early') return [];
    const settled = find(cells, cell.supervision, cell.layers, cell.method, 'converged');
    return cell.error.median < (1 - sameError) * settled.error.median ? [{ cell, settled }] : [];
  });
  const count = (measure: Measure) => publishedStandings.filter((one) => one.measure === measure).length;
  return [
    {
      title: 'Where Neural NMF does not win',
      text:
        notWon.length === 0
          ? 'Its median is strictly the best in every cell.'
          : `Of ${standings.length} comparisons of its medians with those of another cell of the same row, Neural NMF wins ${standings.length - notWon.length}, ties ${notWon.length - lost.length} and loses ${lost.length} (errors within ${100 * sameError} % of each other are a tie).`,
      items: grouped(notWon),
    },
    {
      title: 'Where stopping early costs a baseline nothing',
      text: `In ${early.length} of ${cells.filter(({ stopping }) => stopping === 'early').length} cells the median error of the early stop is below the converged one: what converges is an objective of each layer, or of all layers together, not the error of the product.`,
      items: early.map(
        ({ cell, settled }) =>
          `${place(cell.supervision, cell.layers)}, ${cell.method}: ${number(cell.error.median)} early, ${number(settled.error.median)} converged`,
      ),
    },
    {
      title: 'Against the published Neural NMF',
      text:
        `Its median error is lower in ${of('better', 'error').length} of ${count('error')} cells, equal to the last published decimal in ${of('equal', 'error').length} and higher in ${of('worse', 'error').length}, and below the published error of every method in ${bestPublished.length}; ` +
        `its median accuracy is higher in ${of('better', 'accuracy').length} of ${count('accuracy')} cells, equal in ${of('equal', 'accuracy').length} and lower in ${of('worse', 'accuracy').length}.`,
      items: supervisions.flatMap((supervision) =>
        depths.map((layers) => {
          const own = publishedStandings.filter((one) => one.supervision === supervision && one.layers === layers);
          return `${place(supervision, layers)}: ${own.map(({ measure, neural, other, outcome }) => `${measure} ${figure(measure, neural)} for ${number(other, 3)}, ${outcome}`).join('; ')}`;
        }),
      ),
    },
    {
      title: 'Against the SVD bound',
      text: 'Relative error of Neural NMF ÷ the bound of the same data: median and worst over the seeds, with the worst accuracies beside them.',
      items: supervisions.flatMap((supervision) =>
        depths.map((layers) => {
          const cell = neuralOf(cells, supervision, layers);
          const ratios = runsOf(runs, cell).map(({ ratio }) => ratio);
          const worst = (name: string, spread: Spread | null) => (spread ? `, ${name} at least ${number(spread.min, 3)}` : '');
          return `${place(supervision, layers)}: ${median(ratios).toFixed(4)}, at most ${Math.max(...ratios).toFixed(4)}${worst('accuracy', cell.accuracy)}${worst('on unlabelled columns', cell.unlabelledAccuracy)}`;
        }),
      ),
    },
  ];
}

const measures: Record<Measure, string> = { error: 'error', accuracy: 'accuracy', unlabelledAccuracy: 'accuracy on unlabelled columns' };

/** One line for each row and measure, losses first. */
function grouped(standings: readonly (Standing & { method: ComparedMethod; stopping: CellStopping })[]): string[] {
  const lines = new Map<string, { head: string; others: string[] }>();
  for (const outcome of ['worse', 'equal'] as const) {
    for (const { supervision, layers, measure, neural, other, method, stopping } of standings.filter((one) => one.outcome === outcome)) {
      const head = `${place(supervision, layers)}, ${measures[measure]} ${figure(measure, neural)}: ${outcome === 'worse' ? 'worse than' : 'tied with'}`;
      const line = lines.get(head) ?? { head, others: [] };
      line.others.push(`${method}, ${stopping} (${figure(measure, other)})`);
      lines.set(head, line);
    }
  }
  return [...lines.values()].map(({ head, others }) => `${head} ${others.join('; ')}`);
}

const adjectives: Record<TableSupervision, string> = { none: 'unsupervised', semi: 'semi-supervised', full: 'supervised' };

function place(supervision: TableSupervision, layers: Depth): string {
  return `${adjectives[supervision]}, ${layers} ${layers === 1 ? 'layer' : 'layers'}`;
}

function find(cells: readonly Cell[], supervision: TableSupervision, layers: Depth, method: ComparedMethod, stopping: CellStopping): Cell {
  return cells.find(
    (cell) => cell.supervision === supervision && cell.layers === layers && cell.method === method && cell.stopping === stopping,
  )!;
}

function boundOf(bounds: readonly DepthBound[], layers: Depth): DepthBound {
  return bounds.find((bound) => bound.layers === layers)!;
}

function figure(measure: Measure, value: number): string {
  return number(value, measure === 'error' ? 4 : 3);
}

function number(value: number, digits = 4): string {
  return value.toFixed(digits);
}

function range({ median, min, max }: Spread, digits: number): string {
  return min === max ? number(median, digits) : `${number(median, digits)} [${number(min, digits)}, ${number(max, digits)}]`;
}

export function markdownTable(header: readonly string[], rows: readonly string[][]): string[] {
  const line = (values: readonly string[]) => `| ${values.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
