/** A fitted model as files, and back. */
import { checkFinite, checkNonnegative } from '../data/check.js';
import type { Accuracy } from '../data/labels.js';
import type { Matrix } from '../data/matrix.js';
import { messageOf } from '../data/realm.js';
import { sha256 } from '../data/sha256.js';
import { InputError, ShapeError } from '../errors.js';
import { within } from '../formats/file-format.js';
import { decodeNpy, encodeNpy } from '../formats/npy.js';
import type { StopReason } from '../methods/loop.js';
import { type Factorization, methodOf, methods } from '../methods/methods.js';

/** Number of the layout of model.json. A layout that this version cannot read has another number. */
const format = 2;

/** Names of classifier files: 'B.npy' where there is one classifier, else numbered by layer. */
function classifierFile(layers: readonly number[], layer: number): string {
  return layers.length === 1 ? 'B.npy' : `B${layer}.npy`;
}

/**
 * A model as files, name → content: A0.npy …, S0.npy …, with labels B.npy, and model.json.
 * Where several layers have a classifier, the files are B0.npy … by layer. model.json has the shapes of the matrices and all else.
 * `extra` adds fields to model.json that are not the model's own, such as the version and the device that made it.
 *
 * model.json lists the other files with their SHA-256 and has an id, the hash of that list and of the model's own fields. Equal models have
 * equal files but for `times` in model.json, which neither the id nor anything else depends on.
 */
export function modelFiles(
  model: Factorization,
  extra: Record<string, unknown> = {},
): Record<string, Uint8Array | string> & { 'model.json': string } {
  const { A, S, method, ranks, seed, supervision, elapsedMs, features, samples, ...measures } = model;
  const matrices: Record<string, Uint8Array> = {};
  A.forEach((factor, l) => {
    matrices[`A${l}.npy`] = encodeNpy(factor);
  });
  S.forEach((factor, l) => {
    matrices[`S${l}.npy`] = encodeNpy(factor);
  });
  const layers = supervision?.classifiers.map(({ layer }) => layer) ?? [];
  for (const { layer, B } of supervision?.classifiers ?? []) matrices[classifierFile(layers, layer)] = encodeNpy(B);
  const shapes = (factors: Matrix[]) => factors.map(({ rows, cols }) => [rows, cols]);
  const own = {
    method,
    ranks,
    seed,
    shape: { features: A[0].rows, samples: S[0].cols },
    factors: { A: shapes(A), S: shapes(S) },
    ...measures,
    supervision: supervision && { classes: supervision.classes, layers, accuracy: supervision.accuracy },
    files: Object.fromEntries(Object.entries(matrices).map(([name, bytes]) => [name, sha256(bytes)])),
  };
  const content = { ...extra, format, id: idOf(own), ...own, times: { elapsedMs: Math.round(elapsedMs) } };
  return { ...matrices, 'model.json': `${JSON.stringify(content, null, 2)}\n` };
}

/** The id of a model with these fields in model.json, in the form that they have there. */
function idOf(own: Record<string, unknown>): string {
  const identified = Object.keys(fields).filter((name) => name !== 'id' && name !== 'times');
  return sha256(JSON.stringify(identified.map((name) => own[name]))).slice(0, 32);
}

/**
 * Gives the bytes of a file of a model by its name. `listed` tells whether bytes are those that model.json lists, for a reader that knows
 * of more places than one.
 */
export type ModelReader = (name: string, listed: (bytes: Uint8Array) => boolean) => Promise<Uint8Array>;

/**
 * The model that `modelFiles` wrote. `read` gives the bytes of a file by its name.
 * A model is returned whole or not at all.
 *
 * @throws InputError for a file that is missing, damaged or of another model, a model.json of another format, shapes that do not fit each
 * other, entries that are not finite or that have a sign the method does not allow.
 */
export async function modelFromFiles(read: ModelReader): Promise<Factorization> {
  const json = parseJson(await readFile(read, 'model.json'));
  if (json.format !== format) {
    const what = json.format === undefined ? 'has no format number' : `has format ${JSON.stringify(json.format)}`;
    throw new InputError(`model.json ${what}, but this version of orthant reads format ${format}; fit the model again with this version.`);
  }
  const content = checkContent(json);
  const { id, files, times, method, shape, factors, supervision, ...rest } = content;
  const positive = !methodOf(method).signed.A;
  const load = async (name: string, [rows, cols]: [number, number], nonnegative: boolean) => {
    const known = new WeakSet<Uint8Array>(); // so that bytes which `read` has asked about are hashed once
    const listed = (bytes: Uint8Array) => {
      const same = known.has(bytes) || sha256(bytes) === files[name];
      if (same) known.add(bytes);
      return same;
    };
    const bytes = await readFile(read, name, listed);
    const factor = within(name, () => decodeNpy(bytes));
    if (factor.rows !== rows || factor.cols !== cols)
      throw new ShapeError(
        `${name} is ${factor.rows}×${factor.cols}, but the model needs ${rows}×${cols} there; the files are not of one model.`,
      );
    if (nonnegative) checkNonnegative(factor, name);
    else checkFinite(factor, name);
    if (!listed(bytes)) throw mixed(`${name} is not the file that model.json lists`);
    return factor;
  };
  checkShapes(content);
  const A = await Promise.all(factors.A.map((size, l) => load(`A${l}.npy`, size, positive)));
  const S = await Promise.all(factors.S.map((size, l) => load(`S${l}.npy`, size, true)));
  const classifiers = await Promise.all(
    (supervision?.layers ?? []).map(async (layer, _, layers) => ({
      layer,
      B: await load(classifierFile(layers, layer), [supervision!.classes.length, factors.S[layer][0]], false),
    })),
  );
  if (id !== idOf(json)) throw mixed('its id does not fit the rest of model.json');
  return {
    ...rest,
    method,
    A,
    S,
    supervision: supervision && { classes: supervision.classes, classifiers, accuracy: supervision.accuracy },
    elapsedMs: times.elapsedMs,
  } as Factorization; // whose settings are those of its method
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

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new InputError(`model.json is not JSON (${(error as Error).message}).`, { cause: error });
  }
  if (!isRecord(value)) throw new InputError('model.json does not hold an object; it is not the model.json of a model.');
  return value;
}

type Size = [rows: number, cols: number];

/** The content of model.json: all of a model but its matrices. */
type Content = Omit<Factorization, 'A' | 'S' | 'supervision' | 'elapsedMs' | 'features' | 'samples'> & {
  id: string;
  /** The SHA-256 of every other file, by its name. */
  files: Record<string, string>;
  times: { elapsedMs: number };
  shape: { features: number; samples: number };
  factors: { A: Size[]; S: Size[] };
  supervision: { classes: string[]; layers: number[]; accuracy: Accuracy } | null;
};

const stopReasons: readonly StopReason[] = ['tolerance', 'maxIterations', 'maxSeconds', 'stopped', 'exact'];

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;
const isCount = (value: unknown): value is number => value === 0 || isSize(value);
const orNull = (test: (value: unknown) => boolean) => (value: unknown) => value === null || test(value);
const listOf = (test: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(test);
const oneOf = (values: readonly unknown[]) => (value: unknown) => values.includes(value);
const record = (fields: Record<string, (value: unknown) => boolean>) => (value: unknown) =>
  isRecord(value) && Object.entries(fields).every(([name, test]) => test(value[name]));
const isText = (value: unknown) => typeof value === 'string';
const isShapes = listOf((value) => Array.isArray(value) && value.length === 2 && value.every(isSize));

/** Fields of model.json that must be there, and the check of each. */
const fields: Record<keyof Content, (value: unknown) => boolean> = {
  id: isText,
  method: oneOf(Object.keys(methods)),
  ranks: listOf(isSize),
  shape: record({ features: isSize, samples: isSize }),
  factors: record({ A: isShapes, S: isShapes }),
  relativeError: isNumber,
  svdBound: orNull(isNumber),
  svdBoundMethod: oneOf(['exact', 'randomised', null]),
  layers: listOf(record({ rank: isSize, relativeError: isNumber, svdBound: orNull(isNumber) })),
  kktResidual: isNumber,
  unconverged: isCount,
  illConditioned: isCount,
  history: listOf(record({ stage: isText, iteration: isCount, relativeError: orNull(isNumber) })),
  iterations: isCount,
  converged: oneOf([true, false]),
  stopReason: oneOf(stopReasons),
  restartErrors: listOf(orNull(isNumber)),
  restart: isCount,
  seed: isCount,
  settings: isRecord,
  supervision: orNull(
    record({ classes: listOf(isText), layers: listOf(isCount), accuracy: record({ labelled: isNumber, unlabelled: orNull(isNumber) }) }),
  ),
  files: (value) => isRecord(value) && Object.values(value).every(isText),
  times: record({ elapsedMs: isNumber }),
};

function checkContent(json: Record<string, unknown>): Content {
  for (const [name, test] of Object.entries(fields)) {
    if (test(json[name])) continue;
    const found = json[name] === undefined ? 'is missing' : `cannot be ${JSON.stringify(json[name])?.slice(0, 80)}`;
    throw new InputError(`model.json is not that of a whole model: its field "${name}" ${found}.`);
  }
  const content = Object.fromEntries(Object.keys(fields).map((name) => [name, json[name]])) as unknown as Content;
  // JSON has no infinity: a restart that broke down was written as null.
  return { ...content, restartErrors: content.restartErrors.map((error) => error ?? Number.POSITIVE_INFINITY) };
}

/** Throws ShapeError unless the shapes in model.json can be those of one factorization. */
function checkShapes({ method, ranks, shape, factors: { A, S }, supervision }: Content): void {
  const wrong = (what: string) => new ShapeError(`The shapes in model.json do not fit each other: ${what}.`);
  if (A.length === 0 || S.length === 0) throw wrong('there are no factors');
  if (A[0][0] !== shape.features) throw wrong(`A0 has ${A[0][0]} rows for ${shape.features} features`);
  S.forEach(([, cols], l) => {
    if (cols !== shape.samples && (l === 0 || methodOf(method).chained))
      throw wrong(`S${l} has ${cols} columns for ${shape.samples} samples`);
  });
  // The layers of an unfolded network are iterations: it has a W for some of them, and one H.
  if (method !== 'unfolded') {
    if (A.length !== ranks.length || S.length !== ranks.length)
      throw wrong(`ranks [${ranks.join(', ')}] need ${ranks.length} factors A and as many S, not ${A.length} and ${S.length}`);
    ranks.forEach((rank, l) => {
      if (A[l][1] !== rank) throw wrong(`A${l} has ${A[l][1]} columns for rank ${rank}`);
      if (S[l][0] !== rank) throw wrong(`S${l} has ${S[l][0]} rows for rank ${rank}`);
      if (l > 0 && A[l][0] !== ranks[l - 1] && methodOf(method).chained)
        throw wrong(`A${l} has ${A[l][0]} rows for the ${ranks[l - 1]} columns of A${l - 1}`);
    });
  }
  if (!supervision) return;
  if (supervision.classes.length < 2) throw wrong(`a classifier needs two classes or more, not ${supervision.classes.length}`);
  if (supervision.layers.length === 0) throw wrong('there are classes, but no layer has a classifier');
  for (const layer of supervision.layers)
    if (layer >= S.length) throw wrong(`layer ${layer} has a classifier, but there are ${S.length} layers`);
}
