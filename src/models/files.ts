/** A fitted model as files, and back: see docs/model-format.md. */
import { checkFinite, checkNonnegative } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { messageOf } from '../data/realm.js';
import { sha256 } from '../data/sha256.js';
import { InputError } from '../errors.js';
import { within } from '../formats/file-format.js';
import { decodeSafetensors, encodeSafetensors } from '../formats/safetensors.js';
import { methodOf } from '../methods/methods.js';
import { contentOfFormat2, factorsOfFormat2, idOfFormat2 } from './format2.js';
import {
  checkFields,
  type Factors,
  idOf,
  type ModelJson,
  modelOf,
  namesInWords,
  parseJson,
  type SavedModel,
  tensorName,
} from './model-json.js';

export type { SavedModel };

/** Number of the format of model.json. A format that this version cannot read has another number. */
const format = 3;

/** The file with all matrices. */
const factorsFile = 'factors.safetensors';

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
  const matrices = { ...copies, [factorsFile]: encodeSafetensors(factorsOf(model), { format: 'orthant 3' }) };
  const hashOf = (content: Uint8Array | string) => sha256(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  const own = {
    format,
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
    files: Object.fromEntries(Object.entries(matrices).map(([name, content]) => [name, hashOf(content)])),
  };
  // As it will stand there: JSON knows neither infinities nor fields without a value.
  const written = JSON.parse(JSON.stringify(own)) as Record<string, unknown>;
  const { format: number, ...rest } = written;
  const content = { ...extra, format: number, id: idOf(written), ...rest, times: { elapsedMs: Math.round(elapsedMs) } };
  return { ...matrices, 'model.json': `${JSON.stringify(content, null, 2)}\n` };
}

/**
 * Gives the bytes of a file of a model by its name. `listed` tells whether bytes are those that model.json lists, for a reader that knows
 * of more places than one.
 */
export type ModelReader = (name: string, listed: (bytes: Uint8Array) => boolean) => Promise<Uint8Array>;

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
  if (json.format !== format && json.format !== 2) {
    const what = json.format === undefined ? 'has no format number' : `has format ${JSON.stringify(json.format)?.slice(0, 80)}`;
    const newer =
      typeof json.format === 'number' && json.format > format ? 'take a newer version' : 'fit the model again with this version';
    throw new InputError(`model.json ${what}, but this version of orthant reads formats 2 and ${format}; ${newer}.`);
  }
  const old = json.format === 2;
  const content = old ? contentOfFormat2(json) : checkFields(json, ['method', 'ranks']);
  const differ: string[] = [];
  const readListed = async (name: string) => {
    const hash = content.files && Object.hasOwn(content.files, name) ? content.files[name] : undefined;
    if (hash === undefined && !old) return readFile(read, name);
    const known = new WeakSet<Uint8Array>(); // so that bytes which `read` has asked about are hashed once
    const listed = (bytes: Uint8Array) => {
      const same = known.has(bytes) || sha256(bytes) === hash;
      if (same) known.add(bytes);
      return same;
    };
    const bytes = await readFile(read, name, listed);
    if (!listed(bytes)) differ.push(name);
    return bytes;
  };
  const factors = await (old ? factorsOfFormat2(json, content, readListed) : factorsOfFormat3(content, readListed));
  const model = modelOf(content, factors);
  checkEntries(model, old);
  // Last: what is wrong in a file that somebody has edited is better told by its content.
  if (differ.length > 0) throw mixed(`${differ[0]} is not the file that model.json lists`);
  if (content.id !== undefined && content.id !== (old ? idOfFormat2(json) : idOf(json)))
    throw mixed('its id does not fit the rest of model.json');
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

function mixed(what: string): InputError {
  return new InputError(`The files are not of one whole model: ${what}. Copy all files of the model again, or fit it again.`);
}

async function readFile(read: ModelReader, name: string, listed = (_: Uint8Array) => true): Promise<Uint8Array> {
  try {
    return await read(name, listed);
  } catch (error) {
    throw new InputError(`The model's file ${name} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
