/** The tables of a report as CSV. */
import type { ReportData, ReportTopic } from './types.js';

export interface Download {
  file: string;
  /** The text of its button. */
  title: string;
  csv: string;
}

type Cell = string | number | null;

export function downloadsOf(data: ReportData): Download[] {
  const { nouns, topics, layers, history, restarts, confusions, surveys, tables } = data;
  const { feature, sample, part } = nouns;
  const all = topics.flatMap((topic) => withBelow(topic, null));
  const found: [string, string, Cell[][]][] = [];
  if (all.length > 0) {
    found.push([
      `${part}s`,
      `${part}s`,
      [
        ['layer', part, 'title', 'share of layer', `${part} above`, 'part of it'],
        ...all.map(({ topic: { layer, index, title, share, weight }, above }) => [layer, index, title, share, above, weight]),
      ],
    ]);
    found.push([
      'words',
      `${feature}s of ${part}s`,
      [
        ['layer', part, feature, `share in ${part}`, 'share in data'],
        ...all.flatMap(({ topic: { layer, index, words } }) =>
          words.map(({ term, share, corpus }): Cell[] => [layer, index, term, share, corpus]),
        ),
      ],
    ]);
    found.push([
      `${sample}s`,
      `${sample}s of ${part}s`,
      [
        ['layer', part, sample, `share of ${part}`],
        ...all.flatMap(({ topic: { layer, index, documents } }) =>
          documents.map(({ name, weight }): Cell[] => [layer, index, name, weight]),
        ),
      ],
    ]);
  }
  found.push([
    'errors',
    'errors and bounds',
    [
      ['layer', 'rank', 'relative error', 'SVD bound'],
      ...layers.map(({ rank, relativeError, svdBound }, l) => [l, rank, relativeError, svdBound]),
    ],
  ]);
  found.push([
    'history',
    'course of the fit',
    [['stage', 'iteration', 'relative error'], ...history.map(({ stage, iteration, relativeError }) => [stage, iteration, relativeError])],
  ]);
  found.push([
    'restarts',
    'restarts',
    [['restart', 'relative error', 'kept'], ...restarts.errors.map((error, r) => [r, error, r === restarts.kept ? 'yes' : 'no'])],
  ]);
  confusions.forEach(({ title, rows, columns, counts }, i) => {
    found.push([
      `classes-${i + 1}`,
      title.toLowerCase(),
      [['true \\ predicted', ...columns.map((name) => name || 'none')], ...rows.map((name, r) => [name, ...counts[r]])],
    ]);
  });
  for (const { layer, ranks } of surveys) {
    const heads = [
      'rank',
      'relative error',
      'held-out error',
      'standard error',
      'cophenetic',
      'dispersion',
      'stability of A',
      'stability of S',
    ];
    const rows = ranks.map((row) => [
      row.rank,
      ...[row.relativeError, row.heldOut, row.standardError, row.cophenetic, row.dispersion, row.stableA, row.stableS],
    ]);
    found.push([`ranks-${layer}`, `ranks of layer ${layer}`, [heads, ...rows]]);
  }
  tables.forEach(({ title, columns, rows }, i) => {
    found.push([`table-${i + 1}`, title, [columns, ...rows]]);
  });
  return found.map(([name, title, rows]) => ({ file: `orthant-${name}.csv`, title, csv: csvOf(rows) }));
}

function withBelow(topic: ReportTopic, above: number | null): { topic: ReportTopic; above: number | null }[] {
  return [{ topic, above }, ...topic.children.flatMap((child) => withBelow(child, topic.index))];
}

/** RFC 4180: lines end in CRLF, and a cell that would be read otherwise is quoted. */
export function csvOf(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map((cell) => cellOf(cell)).join(',')}\r\n`).join('');
}

function cellOf(cell: Cell): string {
  if (cell === null) return '';
  const text = String(cell);
  return /[",\r\n;\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
