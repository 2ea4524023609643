/** Files of labels: one line a sample, empty where the label is unknown. */

import { labelTexts, targetsOf } from '../data/labels.js';
import { quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import { decodeText, within } from '../formats/file-format.js';
import { readBytes } from '../node/files.js';

/** The labels that a fit gets, '' where one is unknown. */
export interface GivenLabels {
  labels: string[];
  truth?: string[];
  /** Classes that `truth` names and no labelled sample has. */
  classesWithoutLabel: string[];
}

/**
 * Reads and checks --labels and --truth; `unlabelled` are the labels that mean none. Throws InputError where they do not fit the samples, or
 * say too little to learn from.
 */
export async function readGivenLabels(
  labelsPath: string,
  truthPath: string | undefined,
  samples: number,
  unlabelled?: readonly string[],
): Promise<GivenLabels> {
  const read = async (path: string) => {
    const found = await readLabels(path, samples);
    const texts = within(path, () => inFlag(() => labelTexts(found, { unlabelled, option: 'The file' })));
    return texts.map((text) => text ?? '');
  };
  const labels = await read(labelsPath);
  const { classes } = within(labelsPath, () => targetsOf(labels, labels.length, { unlabelled: [] }));
  const truth = truthPath === undefined ? undefined : await read(truthPath);
  const classesWithoutLabel = [...new Set(truth)].filter((name) => name !== '' && !classes.includes(name)).sort();
  return { labels, truth, classesWithoutLabel };
}

/** The result of `read`, whose InputError may name the option that says which labels mean none: here it is a flag. */
function inFlag<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const message = error.message
      .replace("by the option 'unlabelled'", 'by --unlabelled')
      .replace('such as [], a class', "such as '', a class");
    throw new InputError(message, { cause: error });
  }
}

/** The labels in a file, one for each sample: see `parseLabels`. */
export async function readLabels(path: string, samples: number): Promise<string[]> {
  return parseLabels(decodeText(await readBytes(path), path), samples, path);
}

/**
 * One label a line, as it stands but for spaces around it; with quotes around it (as in CSV) it may hold commas. Every line counts, also an
 * empty one, whose sample has no label. A first line 'label' or 'labels' is a header if there is one line more than samples.
 */
export function parseLabels(text: string, samples: number, path: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
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
  const inside = line.length > 1 && line.startsWith('"') && line.endsWith('"') ? line.slice(1, -1).replaceAll('""', '') : undefined;
  if (inside !== undefined && !inside.includes('"')) return line.slice(1, -1).replaceAll('""', '"').trim();
  if (/[,;\t"]/.test(line))
    throw new InputError(`${where} has ${quoted(line)}, but one column of labels is needed; quote a label with commas.`);
  return line;
}

/** The labels as `parseLabels` reads them, an empty line for none. */
export function printLabels(labels: readonly (string | null)[]): string {
  return labels.map((label) => `${lineOf(label ?? '')}\n`).join('');
}

function lineOf(label: string): string {
  return /[,;\t"\r\n]/.test(label) ? `"${label.replaceAll('"', '""')}"` : label;
}
