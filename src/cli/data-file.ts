/** Matrices that the command line reads, with complaints in the terms of the file. */
import { checkFinite, checkNonnegative, checkWeights } from '../data/check.js';
import { type Matrix, transpose } from '../data/matrix.js';
import { type Absent, seenOf, zerosForMissing } from '../data/missing.js';
import { type DataMatrix, isSparse, placeOf, toDense } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import type { ImageSize } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import { checkFile, type MatrixFile, placeInFile, type Samples } from '../formats/in-file.js';
import type { TableOptions } from '../formats/table-options.js';
import { type Method, methodOf, methodsWith } from '../methods/methods.js';
import { featureNames, inOrderOf, orderOf, rowsInOrder } from '../models/align.js';
import type { SavedModel } from '../models/files.js';
import { isTable, readMatrix } from '../node/files.js';
import { fromStandardInput, type StandardInput } from './standard-input.js';
import { tableWords } from './table-options.js';

/** How the matrices of a command lie, and are written. */
export interface Reading {
  samples: Samples;
  table: TableOptions;
  /** What '-' is. */
  input: StandardInput;
}

/** A matrix that a method can take, features × samples. */
export interface Data extends MatrixFile {
  /** 0 where the file has no value, else 1; only where there is such a cell. */
  weights?: Matrix;
  /** What the reader saw, in one line, where it had to look. */
  reading?: string;
  /** What could be read otherwise, one sentence each. */
  notes: string[];
  /** Of images: the size of each. */
  image?: ImageSize;
}

/** Throws InputError for options of tables where no file is one. */
export function checkTableFiles(paths: readonly (string | undefined)[], { table, input }: Reading): void {
  const [option] = Object.keys(table);
  const ofInput = input.format === undefined ? 'table.csv' : `input.${input.format}`;
  if (option === undefined || paths.some((path) => path !== undefined && isTable(path === '-' ? ofInput : path))) return;
  throw new InputError(`${option} is for tables of text, and ${paths[0]} is none; leave it out.`, { option });
}

function readFile(path: string, reading: Reading): Promise<Data> {
  return path === '-' ? fromStandardInput(reading.input, (file) => readNamed(file, reading)) : readNamed(path, reading);
}

async function readNamed(path: string, { samples, table }: Reading): Promise<Data> {
  const { samples: sampleNames, notes: said = [], ...read } = await readMatrix(path, { samples, ...(isTable(path) ? table : {}) });
  const notes = said.map(tableWords);
  const reading = isTable(path) ? notes.shift() : undefined;
  return { ...read, path, samples: read.samplesAre ?? samples, sampleNames, reading, notes };
}

/** Of `newSamples` whole features may have no value. `absent` says what a sparse matrix does not store, default zeros. */
interface Values {
  newSamples?: boolean;
  absent?: Absent;
}

/** X in a file, every entry of which the method can take, and weights where cells have no value. */
export async function readData(path: string, reading: Reading, method: Method, values: Values = {}): Promise<Data> {
  const { newSamples = false, absent = 'zero' } = values;
  const file = withNaNMissing(await readFile(path, reading));
  if (file.weights) checkMissing(file, file.weights, method, newSamples);
  if (absent === 'missing') checkSeen(file, newSamples);
  checkFile(file, () => (methodOf(method).signed.X ? checkFinite(file.X) : checkNonnegative(file.X)));
  return file;
}

/** NaN, as .npy files have it, is a cell without a value, as an empty one of a table is. */
function withNaNMissing(file: Data): Data {
  const { X, weights } = file;
  if (isSparse(X)) return file;
  const seen = zerosForMissing(X, weights);
  return { ...file, X: seen.X, weights: seen.weights };
}

function checkMissing(file: Data, weights: Matrix, method: Method, newSamples: boolean): void {
  const { path, samples } = file;
  const withWeights = methodsWith('weights');
  if (!withWeights.includes(method)) {
    const count = weights.data.reduce((gone, weight) => gone + (weight === 0 ? 1 : 0), 0);
    // The first as people read the file.
    const lying = samples === 'rows' ? transpose(weights) : weights;
    const at = placeOf(lying, lying.data.indexOf(0));
    const first = placeInFile(samples === 'rows' ? { row: at.column, column: at.row } : at, file);
    const cells = count === 1 ? `${first} has no value` : `${count} cells have no value, the first in ${first.replace(/,$/, '')}`;
    throw new InputError(
      `${path}: ${cells}. ${method} needs all of them; ${inWords(withWeights, 'and')} leave them out${newSamples ? '' : ': give --method'}.`,
    );
  }
  checkLines(file, () => checkWeights(weights, file.X, 'weights', { newSamples }));
}

/** Throws InputError for rows or columns of which the file stores nothing, where what it does not store is missing, and for a dense matrix. */
export function checkSeen(file: Data, newSamples: boolean): void {
  checkLines(file, () => seenOf(file.X, undefined, { name: file.path, newSamples, absent: 'missing' }));
}

/** Runs a check of the library that refuses rows and columns without a value, and puts the refusal in terms of the file. */
function checkLines(file: Data, check: () => void): void {
  const { path, samples } = file;
  try {
    check();
  } catch (error) {
    if (!(error instanceof InputError) || (error.row === undefined) === (error.column === undefined)) throw error;
    const { row, column } = error;
    const isSample = row === undefined;
    const [side, at, name] = isSample
      ? [samples === 'rows' ? 'row' : 'column', column!, file.sampleNames?.[column!]]
      : [samples === 'rows' ? 'column' : 'row', row, file.features?.[row]];
    throw new InputError(
      `${path}: ${side} ${at + 1}${name ? ` (${name})` : ''} has no value at all, so nothing can be learned of that ${isSample ? 'sample' : 'feature'}; leave it out.`,
      { row, column },
    );
  }
}

/** The rows of the data in the order of the model, where both have names, which a note says. Throws InputError for other features. */
export function asInModel(data: Data, model: SavedModel, modelPath: string): Data {
  const { features, sampleNames, samples } = data;
  const known = featureNames(model);
  if (
    known &&
    features &&
    sampleNames &&
    !known.some((name) => features.includes(name)) &&
    known.every((name) => sampleNames.includes(name))
  )
    throw new InputError(
      `The features of ${modelPath} are the ${samples} of ${data.path}; read them so: --samples ${samples === 'rows' ? 'columns' : 'rows'}.`,
    );
  const moved = inOrderOf({ ...data, of: data.path }, model, modelPath);
  if (moved === undefined) return data;
  const note = `The features of ${data.path} stand in another order than those of the model; they were put into that order.`;
  return { ...data, ...moved, features: featureNames(model), notes: [...data.notes, note] };
}

/**
 * The weights in a file that lies as the file of X does: one weight ≥ 0 for each entry of X, of zeros and ones for 'ssnmf'. They are 0 where X
 * has no value. Throws InputError for other shapes, names and entries, and for weights that hide a whole row or column, of which the fit could
 * say nothing. Of `newSamples` features may be hidden.
 */
export async function readWeights(
  path: string,
  data: Data,
  reading: Reading,
  method: Method,
  { newSamples = false }: { newSamples?: boolean } = {},
): Promise<Matrix> {
  const { X } = data;
  const { samples } = reading;
  if (isSparse(X)) {
    const dense = formats.map(({ extensions: [usual], denseForm }) => (denseForm ? `a ${usual} in ${denseForm}` : usual));
    throw new InputError(
      `With --weights, which has an entry for each of the matrix, the matrix cannot be sparse; give it as ${inWords(dense, 'or')}.`,
    );
  }
  const file = await readFile(path, reading);
  if (file.weights)
    throw new InputError(`${path} has cells without a value, but a weight is a number ≥ 0: write 0 for what is to be left out.`);
  const sizeInFile = ({ rows, cols }: DataMatrix) => (samples === 'rows' ? `${cols}×${rows}` : `${rows}×${cols}`);
  if (file.X.rows !== X.rows || file.X.cols !== X.cols) {
    throw new InputError(`${path} is ${sizeInFile(file.X)}, but the matrix is ${sizeInFile(X)}; weights need one entry for each of its.`);
  }
  const weights = inPlacesOf(toDense(file.X), file, data);
  checkFile(file, () => checkWeights(weights, X, 'weights', { newSamples }));
  const other = method === 'ssnmf' ? weights.data.findIndex((w) => w !== 0 && w !== 1) : -1;
  if (other >= 0) {
    const where = placeInFile(placeOf(weights, other), file);
    throw new InputError(
      `${path}: ${where} is ${weights.data[other]}, but ${newSamples ? 'a model of ssnmf' : '--method ssnmf'} takes zeros and ones alone; nmf takes weights.`,
    );
  }
  const { weights: present } = data;
  if (!present) return weights;
  const both = { ...weights, data: weights.data.map((weight, at) => weight * present.data[at]) };
  checkFile(file, () => checkWeights(both, X, 'weights', { newSamples }));
  return both;
}

/** Weights whose features and samples stand where those of the data do, by their names. */
function inPlacesOf(weights: Matrix, file: Data, data: Data): Matrix {
  const order = (given: readonly string[] | undefined, wanted: readonly string[] | undefined, what: string) =>
    given && wanted && orderOf({ names: given, of: file.path }, { names: wanted, of: data.path }, { what });
  const rows = order(file.features, data.features, 'features');
  const cols = order(file.sampleNames, data.sampleNames, 'samples');
  const turned = rows ? rowsInOrder(weights, rows) : weights;
  return cols ? transpose(rowsInOrder(transpose(turned), cols)) : turned;
}
