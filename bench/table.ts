import { type CountRow, isSoftwareDevice, type Results, summaries, summaryWords } from './rows.js';

const headings = ['suite', 'case', 'subject', 'median ms', 'IQR ms', 'per second', 'repeats', 'checked', 'note'];
const numeric = new Set(['median ms', 'IQR ms', 'per second', 'repeats']);

/** The line that no reader may overlook: a software adapter is no GPU. Counts are not of the adapter. */
export function titleOf({ device, rows }: Pick<Results, 'device' | 'rows'>): string {
  if (rows.length === 0) return 'orthant benchmark, counts';
  return isSoftwareDevice(device) ? 'orthant benchmark, SOFTWARE ADAPTER (a CPU: nothing here speaks for a GPU)' : 'orthant benchmark';
}

/** The rows as an aligned table, and their summary under it. */
export function tableText(results: Results): string {
  const { device, commit, date, rows, counts = [] } = results;
  const cells = rows.map((row) => [
    row.suite,
    row.case,
    row.subject,
    digits(row.medianMs),
    row.repeats > 1 ? digits(row.iqrMs) : '',
    row.repeats > 1 ? digits(1000 / row.medianMs) : '',
    String(row.repeats),
    row.checked ? 'yes' : '–',
    row.note,
  ]);
  const timed = rows.length > 0 ? aligned(headings, cells, (heading) => numeric.has(heading)) : [];
  const counted = countTables(counts).map(({ headings, cells }) => aligned(headings, cells, (heading) => !words.has(heading)));
  const top = [titleOf(results), device, `commit ${commit}, ${date}`];
  const parts = [top, timed, ...counted, summaryLines(rows)].filter((part) => part.length > 0);
  return `${parts.map((part) => part.join('\n')).join('\n\n')}\n`;
}

function aligned(headings: readonly string[], cells: readonly string[][], isNumeric: (heading: string) => boolean): string[] {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...cells.map((line) => line[i].length)));
  const align = (line: readonly string[]) =>
    line
      .map((cell, i) => (isNumeric(headings[i]) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  return [align(headings), align(widths.map((width) => '─'.repeat(width))), ...cells.map(align)];
}

const words = new Set(['suite', 'case', 'subject', 'note']);

/** A table for each suite that counts, whose counts have names of their own. */
export function countTables(counts: readonly CountRow[]): { suite: string; headings: string[]; cells: string[][] }[] {
  return [...new Set(counts.map(({ suite }) => suite))].map((suite) => {
    const own = counts.filter((row) => row.suite === suite);
    const names = [...new Set(own.flatMap((row) => Object.keys(row.counts)))];
    const noted = own.some(({ note }) => note !== '');
    const headings = ['case', 'subject', ...names, ...(noted ? ['note'] : [])];
    const texts = names.map((name) => countTexts(own.map(({ counts }) => counts[name])));
    const cells = own.map((row, i) => [row.case, row.subject, ...texts.map((column) => column[i]), ...(noted ? [row.note] : [])]);
    return { suite, headings, cells };
  });
}

/** A column: whole numbers as they are, quotients with two places. A row may lack the count. */
function countTexts(column: readonly (number | undefined)[]): string[] {
  const whole = column.every((count) => count === undefined || Number.isInteger(count));
  return column.map((count) => (count === undefined ? '' : whole ? String(count) : count.toFixed(2)));
}

function summaryLines(rows: Results['rows']): string[] {
  return summaries(rows).map((summary) => `${summary.what}: ${summary.subject} ${summaryWords(summary)}`);
}

/** Four significant digits, never in exponential form. */
export function digits(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(4);
}
