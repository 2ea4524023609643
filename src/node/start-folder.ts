/** Factors that a fit begins with, from a folder: a model, or a file for each factor. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Matrix } from '../data/matrix.js';
import { toDense } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { formats } from '../formats/formats.js';
import type { StartFactors } from '../methods/start.js';
import { featureNames } from '../models/align.js';
import type { SavedModel } from '../models/files.js';
import { readMatrix } from './files.js';
import { loadModel } from './model-folder.js';

export interface StartFolder {
  path: string;
  factors: SavedModel | { A?: Matrix[]; S?: Matrix[]; B?: Matrix[] };
  /** Names of the rows of A⁰ and of the columns of S⁰, where they are known. */
  features?: readonly string[];
  samples?: readonly string[];
  /** What was read, in words. */
  read: string;
}

/** A for one layer, or A0, A1, … for several; S likewise; B, or B0, … of the layers that have labels. */
const factorName = /^([ASB])(\d{0,3})$/;

/** Whether a path can be one of `readStart`: a folder, or the model.json in one. */
export async function isStartFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && (found.isDirectory() || basename(path) === 'model.json');
}

/**
 * The factors in a folder: those of the model in it, or those in files of any format of matrices, as they are in the fit: A has a row for
 * each feature, S a column for each sample.
 *
 * @throws InputError for a folder without factors, a layer that is missing, a factor that is there twice, and whatever `loadModel` and
 * `readMatrix` refuse.
 */
export async function readStart(path: string): Promise<StartFolder> {
  const names = basename(path) === 'model.json' ? ['model.json'] : (await readdir(path)).sort();
  if (names.includes('model.json')) {
    const model = await loadModel(path);
    return { path, factors: model, features: featureNames(model), samples: model.samples, read: `the model of ${model.method}` };
  }
  const files = factorFiles(path, names);
  const start: StartFolder = { path, factors: {}, read: inWords(files.map(({ file }) => file)) };
  const lists: { A?: Matrix[]; S?: Matrix[]; B?: Matrix[] } = {};
  for (const { part, file } of files) {
    const { X, features, samples, weights } = await readMatrix(join(path, file), { samples: 'columns' });
    if (weights) throw new InputError(`${join(path, file)} has cells without a value; a factor needs a number in each.`);
    lists[part] ??= [];
    lists[part].push(toDense(X));
    if (part === 'A') start.features ??= features;
    if (part === 'S') start.samples ??= samples;
  }
  return { ...start, factors: lists };
}

interface FactorFile {
  part: keyof StartFactors;
  layer: number;
  file: string;
}

/** The files of factors by their layers. */
function factorFiles(path: string, names: readonly string[]): FactorFile[] {
  const extensions = formats.flatMap((format) => format.extensions);
  const found = names.flatMap((file): FactorFile[] => {
    const plain = file.replace(/\.gz$/i, '');
    const extension = extensions.find((one) => plain.toLowerCase().endsWith(one));
    const [, part, layer] = (extension && factorName.exec(plain.slice(0, -extension.length))) || [];
    return part === undefined ? [] : [{ part: part as keyof StartFactors, layer: Number(layer), file }];
  });
  const files = (['A', 'S', 'B'] as const).flatMap((part) => {
    const own = found.filter((one) => one.part === part).sort((a, b) => a.layer - b.layer);
    own.forEach(({ layer, file }, at) => {
      if (at > 0 && own[at - 1].layer === layer)
        throw new InputError(`'${path}' has ${own[at - 1].file} and ${file}, which are one factor; keep one of them.`);
      if (part !== 'B' && layer !== at)
        throw new InputError(`'${path}' has ${file}, but no ${part}${at}; give the factors of every layer.`);
    });
    return own;
  });
  if (files.some(({ part }) => part !== 'B')) return files;
  throw new InputError(
    `'${path}' holds no factors: neither a model.json, nor A or A0, A1, … or S or S0, S1, … in files of ${inWords(extensions, 'or')}.`,
  );
}
