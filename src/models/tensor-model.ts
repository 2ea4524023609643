/** A fitted model of a tensor as files, and back: see docs/model-format.md. */
import { checkNonnegative } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { largestOrder, smallestOrder } from '../data/tensors.js';
import { quoted } from '../data/words.js';
import { InputError, ShapeError } from '../errors.js';
import { within } from '../formats/file-format.js';
import { encodeNpy } from '../formats/npy.js';
import { decodeSafetensors } from '../formats/safetensors.js';
import type { NcpFactorization, NeuralNcpFactorization } from '../methods/tensor-levels.js';
import { checkFormat, checkId, factorsFile, filesOf, format, listedFiles, type ModelReader, readFile } from './listed-files.js';
import {
  checkedFields,
  idOf,
  isCount,
  isNumber,
  isRecord,
  isSize,
  isText,
  listOf,
  namesInWords,
  oneOf,
  optional,
  orNull,
  parseJson,
  record,
  stopReasons,
  type Test,
  tensorMethods,
} from './model-json.js';

export type SavedTensorModel = NcpFactorization | NeuralNcpFactorization;

const isShape: Test = (value) => listOf(isSize)(value) && inOrder((value as unknown[]).length);
const inOrder = (order: number) => order >= smallestOrder && order <= largestOrder;

/** The check of each field that is a model's own. */
const checks: Readonly<Record<string, Test>> = {
  id: isText,
  method: oneOf(tensorMethods),
  shape: isShape,
  rank: isSize,
  ranks: (value) => listOf(isSize)(value) && (value as number[]).length > 0,
  seed: isCount,
  relativeError: orNull(isNumber),
  levels: listOf(record({ rank: isSize, relativeError: isNumber, modeBound: orNull(isNumber), tuckerError: orNull(isNumber) })),
  kktResidual: orNull(isNumber),
  unconverged: isCount,
  illConditioned: isCount,
  illConditionedGradients: isCount,
  history: listOf(record({ stage: isText, iteration: isCount, relativeError: orNull(isNumber) })),
  iterations: isCount,
  converged: oneOf([true, false]),
  stopReason: oneOf(stopReasons),
  restartErrors: listOf(orNull(isNumber)),
  restart: isCount,
  settings: isRecord,
  modes: listOf(record({ name: optional(isText), entries: optional(listOf(isText)) })),
  files: (value) => isRecord(value) && Object.values(value).every(isText),
  times: record({ elapsedMs: isNumber }),
};

/** The matrices of a model by their names: F0 …, one a mode; A0.0 …, S0.0 …, by mode and level. */
export function tensorFactorsOf(model: SavedTensorModel): Record<string, Matrix> {
  const chains = model.method === 'ncp' ? [] : Object.entries({ A: model.A, S: model.S });
  return Object.fromEntries([
    ...model.factors.map((F, n) => [`F${n}`, F]),
    ...chains.flatMap(([name, modes]) => modes.flatMap((own, n) => own.map((X, l) => [`${name}${n}.${l}`, X]))),
  ]);
}

/** The matrices as files for other programs: F0.npy …, A0.0.npy …, S0.0.npy …. */
export function tensorFactorFiles(model: SavedTensorModel): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(tensorFactorsOf(model)).map(([name, X]) => [`${name}.npy`, encodeNpy(X)]));
}

/** As `modelFiles`, for a model of `ncp` or `neuralNcp`. */
export function tensorModelFiles(
  model: SavedTensorModel,
  extra: Record<string, unknown> = {},
  copies: Record<string, Uint8Array | string> = {},
): Record<string, Uint8Array | string> & { 'model.json': string } {
  const { method, shape, rank, factors: _, elapsedMs, ...rest } = model;
  const { A, S, ...measures } = rest as typeof rest & { A?: unknown; S?: unknown };
  return filesOf({ method, shape, rank, ...measures }, tensorFactorsOf(model), {
    extra,
    copies,
    elapsedMs,
    idOf: (written) => idOf(written, checks),
  });
}

/**
 * The model that `tensorModelFiles` wrote, or that somebody else made: model.json needs no more than `format`, `method`, and of 'neural-ncp'
 * `ranks`, and factors.safetensors no more than F0 …, of 'neural-ncp' A0.0 … and S0.0 … of the modes that have topics. What it does not
 * say is unknown, as in `modelFromFiles`.
 *
 * @throws InputError for a file that is missing, damaged or of another model, a model.json of another format, entries that are negative or
 * not finite; ShapeError for shapes that do not fit each other.
 */
export async function tensorModelFromFiles(read: ModelReader): Promise<SavedTensorModel> {
  const json = parseJson(await readFile(read, 'model.json'));
  if (typeof json.method === 'string' && !tensorMethods.includes(json.method))
    throw new InputError(`model.json is that of a matrix, by the method ${quoted(json.method)}; loadModel reads it.`);
  checkFormat(json, [format]);
  const content = checkedFields(json, checks, [
    'method',
    ...(json.method === 'neural-ncp' ? ['ranks'] : []),
  ]) as Partial<NeuralNcpFactorization> & {
    method: SavedTensorModel['method'];
    id?: string;
    files?: Record<string, string>;
    times?: { elapsedMs: number };
  };
  const listed = listedFiles(read, content.files);
  const bytes = await listed.read(factorsFile);
  const factors = within(factorsFile, () => factorsIn(bytes, content));
  const model = modelOf(content, factors);
  for (const [name, X] of Object.entries(tensorFactorsOf(model))) checkNonnegative(X, `${name} in ${factorsFile}`);
  listed.check();
  checkId(content.id, () => idOf(json, checks));
  return model;
}

interface Factors {
  F: Matrix[];
  A: Matrix[][];
  S: Matrix[][];
}

function factorsIn(bytes: Uint8Array, { shape, ranks }: Partial<NeuralNcpFactorization>): Factors {
  const tensors = decodeSafetensors(bytes);
  const find = (name: string) => tensors.get(name)?.matrix();
  const need = (name: string): Matrix => {
    const found = find(name);
    if (found) return found;
    throw new InputError(
      `There is no tensor ${name}; those of a model of a tensor are F0, F1, …, and with levels A0.0, …, S0.0, …; here are ${namesInWords([...tensors.keys()])}.`,
    );
  };
  const count = shape?.length ?? Array.from({ length: largestOrder }, (_, n) => n).filter((n) => tensors.has(`F${n}`)).length;
  const modes = Array.from({ length: Math.max(count, smallestOrder) }, (_, n) => n);
  const chain = (name: string, n: number) => (ranks && tensors.has(`A${n}.0`) ? ranks.map((_, l) => need(`${name}${n}.${l}`)) : []);
  return { F: modes.map((n) => need(`F${n}`)), A: modes.map((n) => chain('A', n)), S: modes.map((n) => chain('S', n)) };
}

function modelOf(
  content: Partial<NeuralNcpFactorization> & { method: string; times?: { elapsedMs: number } },
  found: Factors,
): SavedTensorModel {
  const { F, A, S } = found;
  const { ranks = [], levels = [] } = content;
  const method: string = content.method;
  const shape = F.map(({ rows }) => rows);
  const rank = F[0].cols;
  checkShapes(content, found);
  const common = {
    method,
    shape,
    rank,
    factors: F,
    relativeError: content.relativeError ?? Number.NaN,
    levels,
    kktResidual: content.kktResidual ?? Number.NaN,
    unconverged: content.unconverged ?? 0,
    illConditioned: content.illConditioned ?? 0,
    illConditionedGradients: content.illConditionedGradients ?? 0,
    history: content.history ?? [],
    iterations: content.iterations ?? 0,
    converged: content.converged ?? false,
    stopReason: content.stopReason ?? 'unknown',
    restartErrors: (content.restartErrors ?? []).map((error) => error ?? Number.POSITIVE_INFINITY),
    restart: content.restart ?? 0,
    seed: content.seed ?? 0,
    settings: content.settings ?? {},
    elapsedMs: content.times?.elapsedMs ?? 0,
    ...(content.modes && { modes: content.modes }),
  };
  return (method === 'ncp' ? common : { ...common, ranks, A, S }) as unknown as SavedTensorModel; // whose settings are those of its method
}

function checkShapes({ method, shape, rank, ranks = [], levels, modes }: Partial<NeuralNcpFactorization>, { F, A, S }: Factors): void {
  const wrong = (what: string) => new ShapeError(`The shapes in model.json do not fit each other: ${what}.`);
  const R = rank ?? F[0].cols;
  F.forEach(({ rows, cols }, n) => {
    if (cols !== R) throw wrong(`F${n} has ${cols} columns for rank ${R}`);
    if (shape && rows !== shape[n]) throw wrong(`F${n} has ${rows} rows for the ${shape[n]} entries of mode ${n}`);
  });
  if ((method as string) !== 'ncp' && A.every((own) => own.length === 0)) throw wrong('no mode has a chain of topics, A0.0 …');
  A.forEach((own, n) => {
    own.forEach((X, l) => {
      const before = l === 0 ? F[n].rows : ranks[l - 1];
      if (X.rows !== before || X.cols !== ranks[l]) throw wrong(`A${n}.${l} is ${X.rows}×${X.cols}, not ${before}×${ranks[l]}`);
      const s = S[n][l];
      if (s.rows !== ranks[l] || s.cols !== R) throw wrong(`S${n}.${l} is ${s.rows}×${s.cols}, not ${ranks[l]}×${R}`);
    });
  });
  const count = 1 + ((method as string) === 'ncp' ? 0 : ranks.length);
  if (levels && levels.length !== count) throw wrong(`there are ${levels.length} levels, not ${count}`);
  if (modes && modes.length !== F.length) throw wrong(`there are ${modes.length} modes for ${F.length} factors F`);
  modes?.forEach(({ entries }, n) => {
    if (entries && entries.length !== F[n].rows) throw wrong(`mode ${n} has ${entries.length} names for ${F[n].rows} entries`);
  });
}
