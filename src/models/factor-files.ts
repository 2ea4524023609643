/** The factors of a model as files for other programs, beside the model itself. */
import { type Matrix, multiply } from '../data/matrix.js';
import { describe, inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import type { MatrixNames } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import { encodeNpy, npyOfTexts } from '../formats/npy.js';
import { contactSheet } from '../formats/png.js';
import { zipped } from '../formats/zip.js';
import { methodOf } from '../methods/methods.js';
import { factorsOf, type SavedModel } from './files.js';

/**
 * How the factors stand beside the model: each in a file of its own (npy, csv, parquet, json), all in one (npz), the columns of every A as
 * images (png), or not at all (safetensors: the model's own file has them).
 */
export const factorForms = ['npy', 'npz', 'csv', 'parquet', 'json', 'png', 'safetensors'] as const;

export type FactorForm = (typeof factorForms)[number];

/** Whether a file of this name may be a copy of a model's factors, in any form, or what an online fit kept: no other file beside a model is ever removed. */
export const isFactorFile = (name: string): boolean =>
  /^(?:[ASB]\d{0,4}\.(?:npy|csv|parquet|json|png)|(?:F\d|[AS]\d\.\d{1,3})\.npy|factors\.(?:safetensors|npz)|online\.safetensors)$/.test(
    name,
  );

export function checkFactorForm(form: unknown): asserts form is FactorForm {
  if (factorForms.includes(form as FactorForm)) return;
  const known = inWords(
    factorForms.map((one) => `'${one}'`),
    'or',
  );
  throw new InputError(`format must be ${known}, not ${describe(form)}.`, { option: 'format' });
}

/** The name of a factor as files have it: a classifier that is the only one needs no layer. */
function fileNameOf(name: string, { supervision }: SavedModel): string {
  return name.startsWith('B') && supervision?.classifiers.length === 1 ? 'B' : name;
}

/** The names of the rows and columns of a factor, as far as they are known. */
function namesOf(name: string, { features, samples, supervision, method }: SavedModel): MatrixNames {
  // Every A of an unfolded network has a row for each feature.
  if (name === 'A0' || (name.startsWith('A') && method === 'unfolded')) return { rowNames: features };
  if (name.startsWith('S')) return { columnNames: name === 'S0' || methodOf(method).chained ? samples : undefined };
  return name.startsWith('B') ? { rowNames: supervision?.classes } : {};
}

/**
 * The factors of a model as files, name → content: A0.npy …, S0.npy …, with labels B.npy, or B0.npy … where several layers have one; as .csv,
 * .parquet and .json with the names of features, samples and classes; factors.npz with all of them; A0.png … with the features of each layer
 * as images.
 *
 * @throws InputError for 'png' of a model that was not fitted to images; OrthantError where a package is missing.
 */
export async function factorFiles(model: SavedModel, form: FactorForm): Promise<Record<string, Uint8Array | string>> {
  checkFactorForm(form);
  if (form === 'safetensors') return {};
  if (form === 'png') return imagesOf(model);
  const named = Object.entries(factorsOf(model)).map(([name, X]) => ({ file: fileNameOf(name, model), X, names: namesOf(name, model) }));
  if (form === 'npz') {
    const { features, samples, supervision } = model;
    const texts = Object.entries({ features, samples, classes: supervision?.classes });
    const members = [
      ...named.map(({ file, X }) => [`${file}.npy`, encodeNpy(X)] as const),
      ...texts.flatMap(([name, list]) => (list ? [[`${name}.npy`, npyOfTexts(list)] as const] : [])),
    ];
    return { 'factors.npz': await zipped(Object.fromEntries(members)) };
  }
  const { write } = formats.find(({ extensions }) => extensions[0] === `.${form}`)!;
  return Object.fromEntries(
    await Promise.all(named.map(async ({ file, X, names }) => [`${file}.${form}`, await write!(X, names)] as const)),
  );
}

/** Throws InputError for a form that a model of such data cannot have: for the time before a fit. */
export function checkFormOf(form: FactorForm, image: SavedModel['image']): void {
  if (form === 'png' && !image)
    throw new InputError('The format png is for models of images, a folder of .png files of one size; choose another.', {
      option: 'format',
    });
}

async function imagesOf(model: SavedModel): Promise<Record<string, Uint8Array>> {
  const { A, method, image } = model;
  checkFormOf('png', image);
  const sheets: Record<string, Uint8Array> = {};
  let features: Matrix | undefined;
  for (const [l, factor] of A.entries()) {
    // Features of layer l in data space: the columns of A⁰A¹…Aˡ.
    features = features && methodOf(method).chained ? multiply(features, factor) : factor;
    if (features.rows === A[0].rows) sheets[`A${l}.png`] = await contactSheet(features, image!);
  }
  return sheets;
}
