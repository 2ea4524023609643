/** The fields of model.json: all of a model but its matrices. docs/model-format.md describes them. */
import { layerValues } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { sha256 } from '../data/sha256.js';
import { inWords, quoted } from '../data/words.js';
import { InputError, ShapeError } from '../errors.js';
import type { ImageSize } from '../formats/file-format.js';
import { type StopMeasures, type StopReason, stoppings } from '../methods/loop.js';
import { type Factorization, type Method, methodOf, methods } from '../methods/methods.js';
import type { TextModel } from '../text/text-model.js';

/** A model as it is saved: one of texts also has their vocabulary, one of images their size. */
export type SavedModel = Factorization & { text?: TextModel; image?: ImageSize };

/** The fields that are those of the model itself, in the order in which they stand. All may be missing but `format`, `method` and `ranks`. */
export interface ModelJson {
  format: number;
  /** The hash of the other fields but `times`: see `idOf`. */
  id?: string;
  method: Method;
  ranks: number[];
  seed?: number;
  shape?: { features: number; samples: number };
  relativeError?: number | null;
  svdBound?: number | null;
  svdBoundMethod?: 'exact' | 'randomised' | null;
  divergence?: number;
  objective?: number;
  layers?: { rank: number; relativeError: number; svdBound: number | null }[];
  kktResidual?: number | null;
  unconverged?: number;
  illConditioned?: number;
  illConditionedGradients?: number;
  history?: { stage: string; iteration: number; relativeError: number }[];
  iterations?: number;
  converged?: boolean;
  stopReason?: StopReason;
  stopping?: StopMeasures | null;
  restartErrors?: (number | null)[];
  restart?: number;
  settings?: Record<string, unknown>;
  supervision?: {
    classes: string[];
    layers?: number[];
    accuracy?: { labelled: number | null; unlabelled: number | null };
  } | null;
  features?: string[];
  samples?: string[];
  text?: TextModel;
  image?: ImageSize;
  /** The SHA-256 of every other file, by its name. */
  files?: Record<string, string>;
  times?: { elapsedMs: number };
}

export type Test = (value: unknown) => boolean;

export const stopReasons: readonly StopReason[] = ['tolerance', 'maxIterations', 'maxSeconds', 'stopped', 'exact', 'unknown'];

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isNumber: Test = (value) => typeof value === 'number' && Number.isFinite(value);
export const isSize: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 1;
export const isCount: Test = (value) => value === 0 || isSize(value);
export const orNull = (test: Test) => (value: unknown) => value === null || test(value);
export const optional = (test: Test) => (value: unknown) => value === undefined || test(value);
export const listOf = (test: Test) => (value: unknown) => Array.isArray(value) && value.every(test);
export const oneOf = (values: readonly unknown[]) => (value: unknown) => values.includes(value);
export const record = (fields: Record<string, Test>) => (value: unknown) =>
  isRecord(value) && Object.entries(fields).every(([name, test]) => test(value[name]));
export const isText: Test = (value) => typeof value === 'string';

/** The check of each field. */
export const checks: { readonly [Name in Exclude<keyof ModelJson, 'format'>]-?: Test } = {
  id: isText,
  method: oneOf(Object.keys(methods)),
  ranks: (value) => listOf(isSize)(value) && (value as number[]).length > 0,
  seed: isCount,
  shape: record({ features: isSize, samples: isCount }),
  relativeError: orNull(isNumber),
  svdBound: orNull(isNumber),
  svdBoundMethod: oneOf(['exact', 'randomised', null]),
  divergence: isNumber,
  objective: isNumber,
  layers: listOf(record({ rank: isSize, relativeError: isNumber, svdBound: orNull(isNumber) })),
  kktResidual: orNull(isNumber),
  unconverged: isCount,
  illConditioned: isCount,
  illConditionedGradients: isCount,
  history: listOf(record({ stage: isText, iteration: isCount, relativeError: orNull(isNumber) })),
  iterations: isCount,
  converged: oneOf([true, false]),
  stopReason: oneOf(stopReasons),
  stopping: orNull(
    record({
      rule: oneOf(stoppings),
      relativeChange: orNull(isNumber),
      initialErrorFall: orNull(isNumber),
      kktRatio: orNull(isNumber),
      violationRatio: (value) => value === undefined || orNull(isNumber)(value),
    }),
  ),
  restartErrors: listOf(orNull(isNumber)),
  restart: isCount,
  settings: isRecord,
  supervision: orNull(
    record({
      classes: listOf(isText),
      layers: optional(listOf(isCount)),
      accuracy: optional(record({ labelled: orNull(isNumber), unlabelled: orNull(isNumber) })),
    }),
  ),
  features: listOf(isText),
  samples: listOf(isText),
  text: record({ terms: listOf(isText), idf: orNull(listOf(isNumber)), weighting: isText, language: orNull(isText), options: isRecord }),
  image: record({ width: isSize, height: isSize, channels: oneOf([1, 3]) }),
  files: (value) => isRecord(value) && Object.values(value).every(isText),
  times: record({ elapsedMs: isNumber }),
};

export function parseJson(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new InputError(`model.json is not JSON (${(error as Error).message}).`, { cause: error });
  }
  if (!isRecord(value)) throw new InputError('model.json does not hold an object; it is not the model.json of a model.');
  return value;
}

/** The fields of a model in `json`, without any others. Throws InputError for one that is wrong, or missing although it is `required`. */
export function checkFields(json: Record<string, unknown>, required: readonly string[]): ModelJson {
  return checkedFields(json, checks, required) as unknown as ModelJson;
}

/** The fields that `checks` name. */
export function checkedFields(
  json: Record<string, unknown>,
  checks: Readonly<Record<string, Test>>,
  required: readonly string[],
): Record<string, unknown> {
  const content: Record<string, unknown> = { format: json.format };
  for (const [name, test] of Object.entries(checks)) {
    const value = json[name];
    if (value === undefined && !required.includes(name)) continue;
    if (!test(value)) {
      const found = value === undefined ? 'is missing' : `cannot be ${JSON.stringify(value)?.slice(0, 80)}`;
      throw new InputError(`model.json is not that of a whole model: its field "${name}" ${found}.`);
    }
    content[name] = value;
  }
  return content;
}

/** The id of a model with these fields in model.json: the hash of all that are its own but `times`, in the form that they have there. */
export function idOf(json: object, fields: object = checks): string {
  const own = Object.entries(json).filter(([name]) => name in fields && name !== 'id' && name !== 'times');
  // By name: whoever writes model.json may order it as they like.
  return sha256(JSON.stringify(own.sort(([a], [b]) => (a < b ? -1 : 1)))).slice(0, 32);
}

/** The matrices of a model. */
export interface Factors {
  A: Matrix[];
  /** Those of a model without samples have no columns. */
  S: Matrix[];
  /** Of each layer that has one. */
  B: { layer: number; B: Matrix }[];
}

/** Throws ShapeError unless these can be the matrices of one factorization. */
export function checkShapes({ method, ranks, shape, supervision }: ModelJson, { A, S, B }: Factors): void {
  const wrong = (what: string) => new ShapeError(`The shapes in model.json do not fit each other: ${what}.`);
  if (A.length === 0 || S.length === 0) throw wrong('there are no factors');
  const { features, samples } = shape ?? { features: A[0].rows, samples: S[0].cols };
  if (A[0].rows !== features) throw wrong(`A0 has ${A[0].rows} rows for ${features} features`);
  S.forEach(({ cols }, l) => {
    if (cols !== samples && (l === 0 || methodOf(method).chained)) throw wrong(`S${l} has ${cols} columns for ${samples} samples`);
  });
  // The layers of an unfolded network are iterations: it has a W for some of them, and one H.
  if (method !== 'unfolded') {
    if (A.length !== ranks.length || S.length !== ranks.length)
      throw wrong(`ranks [${ranks.join(', ')}] need ${ranks.length} factors A and as many S, not ${A.length} and ${S.length}`);
    ranks.forEach((rank, l) => {
      if (A[l].cols !== rank) throw wrong(`A${l} has ${A[l].cols} columns for rank ${rank}`);
      if (S[l].rows !== rank) throw wrong(`S${l} has ${S[l].rows} rows for rank ${rank}`);
      if (l > 0 && A[l].rows !== ranks[l - 1] && methodOf(method).chained)
        throw wrong(`A${l} has ${A[l].rows} rows for the ${ranks[l - 1]} columns of A${l - 1}`);
    });
  } else if (A.some(({ rows, cols }) => rows !== features || cols !== ranks[0]))
    throw wrong(`every A of an unfolded network has ${features} rows and ${ranks[0]} columns`);
  if (!supervision) {
    if (B.length > 0) throw wrong(`layer ${B[0].layer} has a classifier, but there are no classes (supervision)`);
    return;
  }
  const { classes } = supervision;
  if (classes.length < 2) throw wrong(`a classifier needs two classes or more, not ${classes.length}`);
  if (B.length === 0) throw wrong('there are classes, but no layer has a classifier');
  for (const one of B) {
    if (one.layer >= S.length) throw wrong(`layer ${one.layer} has a classifier, but there are ${S.length} layers`);
    if (one.B.rows !== classes.length || one.B.cols !== S[one.layer].rows)
      throw wrong(
        `the classifier of layer ${one.layer} is ${one.B.rows}×${one.B.cols}, but ${classes.length} classes and rank ${S[one.layer].rows} need ${classes.length}×${S[one.layer].rows}`,
      );
  }
}

/** Throws ShapeError unless there are as many names as rows and columns. */
function checkNamesOf({ features, samples, text, image }: ModelJson, { A, S }: Factors): void {
  const compare = (what: string, list: readonly unknown[] | null | undefined, count: number, side: string) => {
    if (list && list.length !== count)
      throw new ShapeError(`model.json has ${list.length} ${what}, but the model has ${count} ${side}; it needs one each.`);
  };
  compare('names of features', features, A[0].rows, 'features');
  compare('names of samples', samples, S[0].cols, 'samples');
  if (image && image.width * image.height * image.channels !== A[0].rows)
    throw new ShapeError(
      `model.json has images of ${image.width}×${image.height}×${image.channels}, but the model has ${A[0].rows} features.`,
    );
  compare('terms', text?.terms, A[0].rows, 'features');
  compare('numbers in text.idf', text?.idf, A[0].rows, 'features');
}

/**
 * The settings of a model with those that applying it needs: a model made elsewhere may leave out what has a usual value. Throws InputError
 * for one that it has to say, and for a value that the method does not take.
 */
function settingsOf(method: Method, given: Readonly<Record<string, unknown>>, layers: number): Record<string, unknown> {
  const { applied = {}, options, layers: depth } = methodOf(method);
  const settings: Record<string, unknown> = { ...given };
  const missing = Object.keys(applied).filter((name) => (settings[name] ?? applied[name]) === undefined);
  if (missing.length > 0)
    throw new InputError(
      `Applying a model of ${method} needs settings.${inWords(missing)} in model.json, but ${missing.length === 1 ? 'it is' : 'they are'} missing; see docs/model-format.md.`,
    );
  for (const name of Object.keys(applied)) {
    const value = settings[name] ?? applied[name];
    const option = options[name];
    try {
      option?.check(name, value);
      settings[name] = option?.kind === 'layerValues' && depth === 'many' ? layerValues(name, value as number | number[], layers) : value;
    } catch (error) {
      throw new InputError(`model.json: settings.${(error as Error).message}`, { cause: error });
    }
  }
  return settings;
}

/** The model with these fields and matrices, which are checked against each other. What a model made elsewhere has not is unknown. */
export function modelOf(content: ModelJson, factors: Factors): SavedModel {
  checkShapes(content, factors);
  checkNamesOf(content, factors);
  const { method, ranks, supervision, features, samples, text, image } = content;
  const { A, S, B } = factors;
  const { accuracy } = supervision ?? {};
  return {
    method,
    ranks,
    A,
    S,
    relativeError: content.relativeError ?? Number.NaN,
    svdBound: content.svdBound ?? null,
    svdBoundMethod: content.svdBoundMethod ?? null,
    ...(content.divergence !== undefined && { divergence: content.divergence }),
    ...(content.objective !== undefined && { objective: content.objective }),
    layers: content.layers ?? [],
    kktResidual: content.kktResidual ?? Number.NaN,
    unconverged: content.unconverged ?? 0,
    illConditioned: content.illConditioned ?? 0,
    illConditionedGradients: content.illConditionedGradients ?? 0,
    history: content.history ?? [],
    iterations: content.iterations ?? 0,
    converged: content.converged ?? false,
    stopReason: content.stopReason ?? 'unknown',
    stopping: content.stopping ?? null,
    // JSON has no infinity: a restart that broke down was written as null.
    restartErrors: (content.restartErrors ?? []).map((error) => error ?? Number.POSITIVE_INFINITY),
    restart: content.restart ?? 0,
    seed: content.seed ?? 0,
    settings: settingsOf(method, content.settings ?? {}, A.length),
    supervision: supervision
      ? {
          classes: supervision.classes,
          classifiers: B,
          accuracy: { labelled: accuracy?.labelled ?? Number.NaN, unlabelled: accuracy?.unlabelled ?? null },
        }
      : null,
    elapsedMs: content.times?.elapsedMs ?? 0,
    ...(features && { features }),
    ...(samples && { samples }),
    ...(text && { text }),
    ...(image && { image }),
  } as unknown as SavedModel; // whose settings are those of its method
}

/** The methods whose models are of tensors: see tensor-model.ts. */
export const tensorMethods: readonly string[] = ['ncp', 'neural-ncp'];

/** The name of a factor or classifier, and its layer. */
export const tensorName = /^(A|S|B)(\d{1,4})$/;

export const namesInWords = (names: readonly string[]) =>
  names.length === 0 ? 'none' : names.length > 12 ? `${names.length} others` : names.map(quoted).join(', ');
