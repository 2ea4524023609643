import { isSoftwareDevice, type Results, summaries, summaryWords } from './rows.js';

const headings = ['suite', 'case', 'subject', 'median ms', 'IQR ms', 'per second', 'repeats', 'checked', 'note'];
const numeric = new Set(['median ms', 'IQR ms', 'per second', 'repeats']);

/** The line that no reader may overlook: a software adapter is no GPU. */
export function titleOf(device: string): string {
  return isSoftwareDevice(device) ? 'orthant benchmark, SOFTWARE ADAPTER (a CPU: nothing here speaks for a GPU)' : 'orthant benchmark';
}

/** The rows as an aligned table, and their summary under it. */
export function tableText({ device, commit, date, rows }: Results): string {
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
  const widths = headings.map((heading, i) => Math.max(heading.length, ...cells.map((line) => line[i].length)));
  const align = (line: readonly string[]) =>
    line
      .map((cell, i) => (numeric.has(headings[i]) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  const table = [align(headings), align(widths.map((width) => '─'.repeat(width))), ...cells.map(align)];
  const parts = [[titleOf(device), device, `commit ${commit}, ${date}`], table, summaryLines(rows)].filter((part) => part.length > 0);
  return `${parts.map((part) => part.join('\n')).join('\n\n')}\n`;
}

function summaryLines(rows: Results['rows']): string[] {
  return summaries(rows).map((summary) => `${summary.what}: ${summary.subject} ${summaryWords(summary)}`);
}

/** Four significant digits, never in exponential form. */
export function digits(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(4);
}
