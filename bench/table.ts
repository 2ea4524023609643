import type { Results } from './rows.js';

const headings = ['suite', 'case', 'subject', 'median ms', 'IQR ms', 'per second', 'repeats', 'checked', 'note'];
const numeric = new Set(['median ms', 'IQR ms', 'per second', 'repeats']);

/** The rows as an aligned table. The title says what no reader may overlook: that a software adapter is no GPU. */
export function tableText({ device, commit, date, rows }: Results, software: boolean): string {
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
  const title = software ? 'orthant benchmark, SOFTWARE ADAPTER (a CPU: nothing here speaks for a GPU)' : 'orthant benchmark';
  return `${[title, device, `commit ${commit}, ${date}`, '', align(headings), align(widths.map((width) => '─'.repeat(width))), ...cells.map(align)].join('\n')}\n`;
}

/** Four significant digits, never in exponential form. */
function digits(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(4);
}
