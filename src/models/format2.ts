/** Models of format 2, which orthant 0.1 wrote: model.json, and a .npy for each matrix. They are still read. */
import type { Matrix } from '../data/matrix.js';
import { sha256 } from '../data/sha256.js';
import { InputError, ShapeError } from '../errors.js';
import { within } from '../formats/file-format.js';
import { decodeNpy } from '../formats/npy.js';
import { checkFields, checks, type Factors, isSize, listOf, type ModelJson, record } from './model-json.js';

type Size = [rows: number, cols: number];
interface Sizes {
  A: Size[];
  S: Size[];
}

/** All fields of model.json, in the order in which they were hashed. None may be missing. */
const fields = [
  'id',
  'method',
  'ranks',
  'shape',
  'factors',
  'relativeError',
  'svdBound',
  'svdBoundMethod',
  'layers',
  'kktResidual',
  'unconverged',
  'illConditioned',
  'history',
  'iterations',
  'converged',
  'stopReason',
  'restartErrors',
  'restart',
  'seed',
  'settings',
  'supervision',
  'files',
  'times',
];

const isShapes = listOf((value) => Array.isArray(value) && value.length === 2 && value.every(isSize));

/** Names of classifier files: 'B.npy' where there is one classifier, else numbered by layer. */
function classifierFile(layers: readonly number[], layer: number): string {
  return layers.length === 1 ? 'B.npy' : `B${layer}.npy`;
}

/** The fields of model.json, and whether its id fits them. */
export function contentOfFormat2(json: Record<string, unknown>): ModelJson {
  if (!record({ A: isShapes, S: isShapes })(json.factors))
    throw new InputError('model.json is not that of a whole model: its field "factors" has no shapes of A and S.');
  return checkFields(
    json,
    fields.filter((name) => name in checks),
  );
}

export function idOfFormat2(json: Record<string, unknown>): string {
  const identified = fields.filter((name) => name !== 'id' && name !== 'times');
  return sha256(JSON.stringify(identified.map((name) => json[name]))).slice(0, 32);
}

/** The matrices, each from its file, of the shape that model.json gives. */
export async function factorsOfFormat2(
  json: Record<string, unknown>,
  { supervision }: ModelJson,
  readFile: (name: string) => Promise<Uint8Array>,
): Promise<Factors> {
  const { A, S } = json.factors as Sizes;
  const load = async (name: string, [rows, cols]: Size): Promise<Matrix> => {
    const bytes = await readFile(name);
    const factor = within(name, () => decodeNpy(bytes));
    if (factor.rows === rows && factor.cols === cols) return factor;
    throw new ShapeError(
      `${name} is ${factor.rows}×${factor.cols}, but the model needs ${rows}×${cols} there; the files are not of one model.`,
    );
  };
  const layers = supervision?.layers ?? [];
  for (const layer of layers)
    if (layer >= S.length)
      throw new ShapeError(
        `The shapes in model.json do not fit each other: layer ${layer} has a classifier, but there are ${S.length} layers.`,
      );
  return {
    A: await Promise.all(A.map((size, l) => load(`A${l}.npy`, size))),
    S: await Promise.all(S.map((size, l) => load(`S${l}.npy`, size))),
    B: await Promise.all(
      layers.map(async (layer) => ({
        layer,
        B: await load(classifierFile(layers, layer), [supervision!.classes.length, S[layer][0]]),
      })),
    ),
  };
}
