/** The factors of a model as files for other programs, beside the model itself. */
import { describe, inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { encodeNpy } from '../formats/npy.js';
import { factorsOf, type SavedModel } from './files.js';

/** How the factors stand beside the model: each in a file of its own; 'safetensors' for no more than the model's own file. */
export const factorForms = ['npy', 'safetensors'] as const;

export type FactorForm = (typeof factorForms)[number];

/** Names of files that are copies of a model's factors, in any form: no other file beside a model is ever removed. */
export const isFactorFile = (name: string): boolean => /^(?:[ASB]\d*\.npy|factors\.safetensors)$/.test(name);

export function checkFactorForm(form: unknown): asserts form is FactorForm {
  if (!factorForms.includes(form as FactorForm))
    throw new InputError(
      `format must be ${inWords(
        factorForms.map((one) => `'${one}'`),
        'or',
      )}, not ${describe(form)}.`,
      { option: 'format' },
    );
}

/** The name of a factor as files have it: a classifier that is the only one needs no layer. */
function fileNameOf(name: string, { supervision }: SavedModel): string {
  return name.startsWith('B') && supervision?.classifiers.length === 1 ? 'B' : name;
}

/** The factors of a model as files, name → content: A0.npy …, S0.npy …, with labels B.npy, or B0.npy … where several layers have one. */
export async function factorFiles(model: SavedModel, form: FactorForm): Promise<Record<string, Uint8Array | string>> {
  checkFactorForm(form);
  if (form === 'safetensors') return {};
  const named = Object.entries(factorsOf(model)).map(([name, factor]) => [fileNameOf(name, model), factor] as const);
  return Object.fromEntries(named.map(([name, factor]) => [`${name}.npy`, encodeNpy(factor)]));
}
