/** A fitted model as files, and back: see docs/model-format.md. */
import { checkFinite, checkNonnegative } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import { within } from '../formats/file-format.js';
import { decodeSafetensors } from '../formats/safetensors.js';
import { methodOf } from '../methods/methods.js';
import { contentOfFormat2, factorsOfFormat2, idOfFormat2 } from './format2.js';
import { checkFormat, checkId, factorsFile, filesOf, format, listedFiles, type ModelReader, readFile } from './listed-files.js';
import {
  checkFields,
  type Factors,
  idOf,
  type ModelJson,
  modelOf,
  namesInWords,
  parseJson,
  type SavedModel,
  tensorMethods,
  tensorName,
} from './model-json.js';

export type { ModelReader, SavedModel };

/** The matrices of a model by their names: A0 …, S0 …, and the classifiers B0 … by layer. */
export function factorsOf({ A, S, supervision }: Pick<SavedModel, 'A' | 'S' | 'supervision'>): Record<string, Matrix> {
  return Object.fromEntries([
    ...A.map((factor, l) => [`A${l}`, factor]),
    // A model that was made elsewhere may have no samples.
    ...S.flatMap((factor, l) => (factor.cols === 0 ? [] : [[`S${l}`, factor]])),
    ...(supervision?.classifiers ?? []).map(({ layer, B }) => [`B${layer}`, B]),
  ]);
}

/**
 * A model as files, name → content: factors.safetensors with the matrices A0 …, S0 …, with labels B0 … by layer, and model.json with all else.
 *
 * @param extra adds fields to model.json that are not the model's own, such as the version and the device that made it.
 * @param copies are files for other programs, such as the factors as .npy. model.json lists them, and nobody reads them back.
 *
 * model.json lists the other files with their SHA-256 and has an id, the hash of that list and of the model's own fields. Equal models have
 * equal files but for `times` in model.json, which neither the id nor anything else depends on.
 */
export function modelFiles(
  model: SavedModel,
  extra: Record<string, unknown> = {},
  copies: Record<string, Uint8Array | string> = {},
): Record<string, Uint8Array | string> & { 'model.json': string } {
  const { A, S, supervision, elapsedMs, method, ranks, seed, features, samples, text, image, ...measures } = model;
  const own = {
    method,
    ranks,
    seed,
    shape: { features: A[0].rows, samples: S[0].cols },
    ...measures,
    supervision: supervision && {
      classes: supervision.classes,
      layers: supervision.classifiers.map(({ layer }) => layer),
      accuracy: supervision.accuracy,
    },
    features,
    samples,
    text,
    image,
  };
  return filesOf(own, factorsOf(model), { extra, copies, elapsedMs, idOf });
}

/**
 * The model that `modelFiles` wrote, or that somebody else made: model.json needs no more than `format`, `method` and `ranks`, and
 * factors.safetensors no more than A0 …. `read` gives the bytes of a file by its name. Models of format 2 are read, too.
 * A model is returned whole or not at all.
 *
 * What a model made elsewhere does not say is unknown in the result: `relativeError` NaN, `stopReason` 'unknown', S of k_l×0, and so on.
 *
 * @throws InputError for a file that is missing, damaged or of another model, a model.json of another format, shapes that do not fit each
 * other, entries that are not finite or that have a sign the method does not allow, and a setting that applying the model needs.
 */
export async function modelFromFiles(read: ModelReader): Promise<SavedModel> {
  const json = parseJson(await readFile(read, 'model.json'));
  if (tensorMethods.includes(json.method as string))
    throw new InputError(`model.json is that of a tensor, by the method ${quoted(json.method as string)}; loadTensorModel reads it.`);
  checkFormat(json, [2, format]);
  const old = json.format === 2;
  const content = old ? contentOfFormat2(json) : checkFields(json, ['method', 'ranks']);
  const listed = listedFiles(read, content.files, { all: old });
  const factors = await (old ? factorsOfFormat2(json, content, listed.read) : factorsOfFormat3(content, listed.read));
  const model = modelOf(content, factors);
  checkEntries(model, old);
  // Last: what is wrong in a file that somebody has edited is better told by its content.
  listed.check();
  checkId(content.id, () => (old ? idOfFormat2(json) : idOf(json)));
  return model;
}

function checkEntries(model: SavedModel, old: boolean): void {
  const positive = !methodOf(model.method).signed.A;
  const layers = model.supervision?.classifiers.length ?? 0;
  for (const [name, factor] of Object.entries(factorsOf(model))) {
    const called = old ? `${layers === 1 && name.startsWith('B') ? 'B' : name}.npy` : `${name} in ${factorsFile}`;
    if (name.startsWith('S') || (name.startsWith('A') && positive)) checkNonnegative(factor, called);
    else checkFinite(factor, called);
  }
}

async function factorsOfFormat3(
  { method, ranks, supervision }: ModelJson,
  readFile: (name: string) => Promise<Uint8Array>,
): Promise<Factors> {
  const bytes = await readFile(factorsFile);
  return within(factorsFile, () => {
    const tensors = decodeSafetensors(bytes);
    const found: { A: Matrix[]; S: Matrix[]; B: Matrix[] } = { A: [], S: [], B: [] };
    for (const [name, tensor] of tensors) {
      const [, factor, layer] = tensorName.exec(name) ?? [];
      if (factor !== undefined && String(Number(layer)) === layer) found[factor as 'A' | 'S' | 'B'][Number(layer)] = tensor.matrix();
    }
    const missing = (name: string) =>
      new InputError(
        `There is no tensor ${name}; those of a model are A0, A1, …, S0, S1, …, B0, …, and here are ${namesInWords([...tensors.keys()])}.`,
      );
    const { A, S } = found;
    const whole = (factor: 'A' | 'S', layers: number) => {
      for (let l = 0; l < layers; l++) if (!found[factor][l]) throw missing(`${factor}${l}`);
    };
    whole('A', Math.max(1, method === 'unfolded' ? A.length : ranks.length));
    if (S.length > 0) whole('S', method === 'unfolded' ? 1 : ranks.length);
    for (const layer of supervision?.layers ?? []) if (!found.B[layer]) throw missing(`B${layer}`);
    return {
      A,
      S: S.length > 0 ? S : ranks.map((rank) => ({ rows: rank, cols: 0, data: new Float32Array(0) })),
      B: found.B.flatMap((B, layer) => (B ? [{ layer, B }] : [])),
    };
  });
}
