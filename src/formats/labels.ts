/** Labels as text: one line a sample, empty where the label is unknown; or a table of names of samples and their labels. */
import { quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import { sampleRecords } from './table-sample.js';

/**
 * One label a line, as it stands but for spaces around it; with quotes around it (as in CSV) it may hold commas. Every line counts, also an
 * empty one, whose sample has no label. If there is one line more than samples, the first is a header: 'label', 'labels', or what no sample
 * has for a label.
 *
 * Or a table of two columns, names and labels, with or without a header. The names are those of the samples, in any order; a sample that is not
 * there has no label. Where the matrix has no names, they must be its places: 0, 1, 2, … or 1, 2, 3, ….
 *
 * A header that may be a label, and labels of samples that are not there, are told in `notes`.
 */
export function parseLabels(text: string, samples: number, path: string, names?: readonly string[], notes: string[] = []): string[] {
  const table = tableOf(text);
  if (table && names) return labelsByName(table, path, names, notes);
  if (table && isCounted(table, samples)) return table.slice(-samples).map(([, label]) => label);
  const lines = text.split(/\r\n|\n|\r/);
  if (lines[lines.length - 1] === '') lines.pop(); // the end of the last line, not a line
  const labels = lines.map((line, i) => labelIn(line.trim(), `${path}: line ${i + 1}`));
  if (labels.length === samples + 1 && (/^labels?$/i.test(labels[0]) || !labels.includes(labels[0], 1))) {
    const header = labels.shift()!;
    if (!/^labels?$/i.test(header))
      notes.push(`${path}: its first line (${quoted(header)}) is read as a header, since there is one line more than samples.`);
  }
  if (labels.length !== samples) {
    throw new InputError(
      `${path} has ${labels.length} ${labels.length === 1 ? 'line' : 'lines'} for ${samples} samples; give one label a line, an empty line where it is unknown.`,
    );
  }
  return labels;
}

function labelIn(line: string, where: string): string {
  const inside = line.length > 1 && line.startsWith('"') && line.endsWith('"') ? line.slice(1, -1).replaceAll('""', '') : undefined;
  if (inside !== undefined && !inside.includes('"')) return line.slice(1, -1).replaceAll('""', '"').trim();
  if (/[,;\t"]/.test(line))
    throw new InputError(`${where} has ${quoted(line)}, but one column of labels is needed; quote a label with commas.`);
  return line;
}

/** Names and labels, if every line of a text has two cells. */
function tableOf(text: string): [name: string, label: string][] | undefined {
  const newline = text.includes('\n') ? '\n' : '\r';
  for (const delimiter of ['\t', ';', ',']) {
    const records = sampleRecords(text, { delimiter, newline, decimal: '.' }, { complete: true, most: Number.POSITIVE_INFINITY });
    if (records.length > 0 && records[records.length - 1].end >= text.trimEnd().length && records.every(({ cells }) => cells.length === 2))
      return records.map(({ cells }) => [cells[0].text, cells[1].text]);
  }
  return undefined;
}

function labelsByName(table: [string, string][], path: string, names: readonly string[], notes: string[]): string[] {
  const known = new Set(names);
  const rows = known.has(table[0][0]) ? table : table.slice(1);
  const labels = new Map<string, string>();
  for (const [name, label] of rows) {
    const before = labels.get(name);
    if (before !== undefined && before !== label)
      throw new InputError(`${path} has two labels for ${quoted(name)}, ${quoted(before)} and ${quoted(label)}; give one.`);
    labels.set(name, label);
  }
  if (!names.some((name) => labels.has(name)))
    throw new InputError(
      `${path} has labels of ${quoted(rows[0]?.[0] ?? table[0][0])}, …, but the samples are ${quoted(names[0])}, …; give the same names.`,
    );
  // A header is no class. What may be a name with a typo is told.
  if (rows.length < table.length && rows.some(([, label]) => label === table[0][1]))
    notes.push(`${path}: its first line (${quoted(table[0].join(', '))}) is read as a header, since no sample has that name.`);
  const others = [...labels.keys()].filter((name) => !known.has(name));
  if (others.length > 0)
    notes.push(
      `${path} has labels of ${others.length} ${others.length === 1 ? 'name that no sample has' : 'names that no samples have'}, left out: ${others
        .slice(0, 3)
        .map((name) => quoted(name))
        .join(', ')}${others.length > 3 ? ', …' : ''}.`,
    );
  return names.map((name) => labels.get(name) ?? '');
}

/** Whether the names of a table, below a header or not, are the places of the samples. */
function isCounted(table: [string, string][], samples: number): boolean {
  const rows = table.slice(-samples);
  return (
    rows.length === samples &&
    table.length <= samples + 1 &&
    [0, 1].some((first) => rows.every(([name], at) => name === String(first + at))) &&
    (table.length === samples || !/^\d+$/.test(table[0][0]))
  );
}

/** A table of names and labels, as `parseLabels` reads it. */
export function printNamedLabels(names: readonly string[], labels: readonly (string | null)[]): string {
  const lines = labels.map((label, at) => `${lineOf(names[at])},${lineOf(label ?? '')}\n`);
  return `sample,label\n${lines.join('')}`;
}

/** The labels as `parseLabels` reads them, an empty line for none. */
export function printLabels(labels: readonly (string | null)[]): string {
  return labels.map((label) => `${lineOf(label ?? '')}\n`).join('');
}

function lineOf(label: string): string {
  return /[,;\t"\r\n]/.test(label) ? `"${label.replaceAll('"', '""')}"` : label;
}
