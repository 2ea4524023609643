/** Files of labels: one line a sample, empty where the label is unknown. */

import { decodeText, within } from '../data/file-format.js';
import { targetsOf } from '../data/labels.js';
import { InputError } from '../errors.js';
import { readBytes } from '../node/files.js';

/** The labels that a fit gets, '' where one is unknown. */
export interface GivenLabels {
  labels: string[];
  truth?: string[];
  /** Classes that `truth` names and no labelled sample has. */
  classesWithoutLabel: string[];
}

/** Reads and checks --labels and --truth. Throws InputError where they do not fit the samples, or say too little to learn from. */
export async function readGivenLabels(labelsPath: string, truthPath: string | undefined, samples: number): Promise<GivenLabels> {
  const labels = await readLabels(labelsPath, samples);
  const { classes } = within(labelsPath, () => targetsOf(labels, labels.length));
  const truth = truthPath === undefined ? undefined : await readLabels(truthPath, samples);
  const classesWithoutLabel = [...new Set(truth)].filter((name) => name !== '' && !classes.includes(name)).sort();
  return { labels, truth, classesWithoutLabel };
}

/**
 * One label a line, as it stands but for spaces around it; with quotes around it (as in CSV) it may hold commas. Every line counts, also an
 * empty one, whose sample has no label. A first line 'label' or 'labels' is a header if there is one line more than samples.
 */
export async function readLabels(path: string, samples: number): Promise<string[]> {
  const lines = decodeText(await readBytes(path), path).split(/\r\n|\n|\r/);
  if (lines[lines.length - 1] === '') lines.pop(); // the end of the last line, not a line
  const labels = lines.map((line, i) => labelIn(line.trim(), `${path}: line ${i + 1}`));
  if (labels.length === samples + 1 && /^labels?$/i.test(labels[0])) labels.shift();
  if (labels.length !== samples) {
    throw new InputError(
      `${path} has ${labels.length} ${labels.length === 1 ? 'line' : 'lines'} for ${samples} samples; give one label a line, an empty line where it is unknown.`,
    );
  }
  return labels;
}

function labelIn(line: string, where: string): string {
  const quoted = /^"((?:[^"]|"")*)"$/.exec(line);
  if (quoted) return quoted[1].replaceAll('""', '"').trim();
  if (/[,;\t"]/.test(line)) {
    throw new InputError(
      `${where} has ${JSON.stringify(line.slice(0, 40))}, but one column of labels is needed; quote a label with commas.`,
    );
  }
  return line;
}

/** The labels as `readLabels` reads them. */
export function printLabels(labels: readonly string[]): string {
  return labels.map((label) => `${/[,;\t"\r\n]/.test(label) ? `"${label.replaceAll('"', '""')}"` : label}\n`).join('');
}
