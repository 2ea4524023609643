/** Matrices that the command line reads, with complaints in the terms of the file. */
import { checkFinite, checkNonnegative, checkWeights } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse, placeOf, toDense } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { formats } from '../formats/formats.js';
import { type Method, methodOf } from '../methods/methods.js';
import { readMatrix } from '../node/files.js';
import { checkFile, type MatrixFile, placeInFile, type Samples } from './wording.js';

async function readFile(path: string, samples: Samples): Promise<MatrixFile> {
  const { samples: sampleNames, ...read } = await readMatrix(path, { samples });
  return { ...read, path, samples: read.samplesAre ?? samples, sampleNames };
}

/** X (features × samples) in a file, every entry of which the method can take. */
export async function readData(path: string, samples: Samples, method: Method): Promise<DataMatrix> {
  const file = await readFile(path, samples);
  checkFile(file, () => (methodOf(method).signed.X ? checkFinite(file.X) : checkNonnegative(file.X)));
  return file.X;
}

/**
 * The weights in a file that lies as the file of X does: one weight ≥ 0 for each entry of X, of zeros and ones for 'ssnmf'. Throws
 * InputError for other shapes and entries, and for weights that hide a whole row or column, of which the fit could say nothing. Of
 * `newSamples` features may be hidden.
 */
export async function readWeights(
  path: string,
  X: DataMatrix,
  samples: Samples,
  method: Method,
  { newSamples = false }: { newSamples?: boolean } = {},
): Promise<Matrix> {
  if (isSparse(X)) {
    const dense = formats.map(({ extensions: [usual], denseForm }) => (denseForm ? `a ${usual} in ${denseForm}` : usual));
    throw new InputError(
      `With --weights, which has an entry for each of the matrix, the matrix cannot be sparse; give it as ${inWords(dense, 'or')}.`,
    );
  }
  const file = await readFile(path, samples);
  const sizeInFile = ({ rows, cols }: DataMatrix) => (samples === 'rows' ? `${cols}×${rows}` : `${rows}×${cols}`);
  if (file.X.rows !== X.rows || file.X.cols !== X.cols) {
    throw new InputError(`${path} is ${sizeInFile(file.X)}, but the matrix is ${sizeInFile(X)}; weights need one entry for each of its.`);
  }
  const weights = toDense(file.X);
  checkFile(file, () => checkWeights(weights, X, 'weights', { newSamples }));
  const other = method === 'ssnmf' ? weights.data.findIndex((w) => w !== 0 && w !== 1) : -1;
  if (other >= 0) {
    const where = placeInFile(placeOf(weights, other), file);
    throw new InputError(
      `${path}: ${where} is ${weights.data[other]}, but ${newSamples ? 'a model of ssnmf' : '--method ssnmf'} takes zeros and ones alone; nmf takes weights.`,
    );
  }
  return weights;
}
