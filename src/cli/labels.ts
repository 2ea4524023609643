/** Files of labels: one line a sample, empty where the label is unknown; or a table of names of samples and their labels. */

import { labelTexts, targetsOf } from '../data/labels.js';
import { InputError } from '../errors.js';
import { decodeText, within } from '../formats/file-format.js';
import { parseLabels } from '../formats/labels.js';
import { readBytes } from '../node/files.js';

/** The labels that a fit gets, '' where one is unknown. */
export interface GivenLabels {
  labels: string[];
  truth?: string[];
  /** Classes that `truth` names and no labelled sample has. */
  classesWithoutLabel: string[];
  /** What was read in a way that a reader may not expect, one sentence each. */
  notes: string[];
}

/**
 * Reads and checks --labels and --truth; `unlabelled` are the labels that mean none. Throws InputError where they do not fit the samples, or
 * say too little to learn from.
 */
export async function readGivenLabels(
  labelsPath: string,
  truthPath: string | undefined,
  { samples, names, unlabelled }: { samples: number; names?: readonly string[]; unlabelled?: readonly string[] },
): Promise<GivenLabels> {
  const notes: string[] = [];
  const read = async (path: string) => {
    const found = await readLabels(path, samples, names, notes);
    const texts = within(path, () => inFlag(() => labelTexts(found, { unlabelled, option: 'The file' })));
    return texts.map((text) => text ?? '');
  };
  const labels = await read(labelsPath);
  const { classes } = within(labelsPath, () => targetsOf(labels, labels.length, { unlabelled: [] }));
  const truth = truthPath === undefined ? undefined : await read(truthPath);
  const classesWithoutLabel = [...new Set(truth)].filter((name) => name !== '' && !classes.includes(name)).sort();
  return { labels, truth, classesWithoutLabel, notes };
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
export async function readLabels(path: string, samples: number, names?: readonly string[], notes: string[] = []): Promise<string[]> {
  return parseLabels(decodeText(await readBytes(path), path), samples, path, names, notes);
}
