/** Matrices that the command line reads, with complaints in the terms of the file: its rows and columns, counted from 1. */
import { formats } from '../data/formats.js';
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse, placeOf, stored, toDense } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import type { Method } from '../methods/methods.js';
import { readMatrix } from '../node/files.js';

/** What a sample is in the file. */
export type Samples = 'rows' | 'columns';

/** Methods that take data with negative entries. */
const signed: ReadonlySet<Method> = new Set(['deep-semi', 'sparse-coding']);

/** X (features × samples) in a file, every entry of which the method can take. */
export async function readData(path: string, samples: Samples, method: Method): Promise<DataMatrix> {
  const { X, names } = await readMatrix(path, { samples });
  checkFileEntries(path, X, { samples, names, negative: signed.has(method) });
  return X;
}

/**
 * The weights in a file that lies as the file of X does: one weight ≥ 0 for each entry of X, of zeros and ones for 'ssnmf'. Throws
 * InputError for other shapes and entries, and for weights that hide a whole row or column, of which the fit could say nothing.
 */
export async function readWeights(path: string, X: DataMatrix, samples: Samples, method: Method): Promise<Matrix> {
  if (isSparse(X)) {
    const dense = formats.map(({ extensions: [usual], denseForm }) => (denseForm ? `a ${usual} in ${denseForm}` : usual));
    throw new InputError(
      `With --weights, which has an entry for each of the matrix, the matrix cannot be sparse; give it as ${inWords(dense, 'or')}.`,
    );
  }
  const { X: read, names } = await readMatrix(path, { samples });
  const weights = toDense(read);
  const sizeInFile = ({ rows, cols }: DataMatrix) => (samples === 'rows' ? `${cols}×${rows}` : `${rows}×${cols}`);
  if (weights.rows !== X.rows || weights.cols !== X.cols) {
    throw new InputError(`${path} is ${sizeInFile(weights)}, but the matrix is ${sizeInFile(X)}; weights need one entry for each of its.`);
  }
  checkFileEntries(path, weights, { samples, names, negative: false });
  const other = method === 'ssnmf' ? weights.data.findIndex((w) => w !== 0 && w !== 1) : -1;
  if (other >= 0) {
    const where = placeInFile(weights, other, samples, names);
    throw new InputError(`${path}: ${where} is ${weights.data[other]}, but --method ssnmf takes zeros and ones alone; nmf takes weights.`);
  }
  const seen = { feature: new Uint8Array(weights.rows), sample: new Uint8Array(weights.cols) };
  weights.data.forEach((w, at) => {
    if (w > 0) seen.feature[Math.floor(at / weights.cols)] = seen.sample[at % weights.cols] = 1;
  });
  for (const of of ['feature', 'sample'] as const) {
    const hidden = seen[of].indexOf(0);
    if (hidden < 0) continue;
    const side = (of === 'sample') === (samples === 'rows') ? 'row' : 'column';
    throw new InputError(`${path} is zero in all of ${side} ${hidden + 1}, which hides that ${of}; leave it out of both files instead.`);
  }
  return weights;
}

/** Names a bad entry by its place in the file, which X, with samples as columns, no longer shows. */
function checkFileEntries(
  path: string,
  X: DataMatrix,
  { samples, names, negative }: { samples: Samples; names?: string[]; negative: boolean },
) {
  const values = stored(X);
  const bad = values.findIndex((x) => !(Number.isFinite(x) && (negative || x >= 0)));
  if (bad < 0) return;
  const where = placeInFile(X, bad, samples, names);
  const value = values[bad];
  throw new InputError(
    Number.isFinite(value)
      ? `${path}: ${where} is ${value}, but every entry must be ≥ 0; shift or clip the data first.`
      : `${path}: ${where} is ${value}, but every entry must be a finite number; replace or remove it first.`,
  );
}

function placeInFile(X: DataMatrix, at: number, samples: Samples, names?: string[]): string {
  const { row: i, col: j } = placeOf(X, at);
  const [row, column] = samples === 'rows' ? [j, i] : [i, j];
  return `row ${row + 1}, column ${column + 1}${names ? ` (${names[column]}), the header not counted,` : ''}`;
}
