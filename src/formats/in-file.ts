/** Refusals of a matrix in terms of the file that it was read from: rows and columns counted from 1, as they lie there, with their names. */
import type { DataMatrix } from '../data/sparse.js';
import { shortened } from '../data/words.js';
import { InputError } from '../errors.js';

/** What a sample is in a file. */
export type Samples = 'rows' | 'columns';

/** A matrix that was read, features × samples, and how it lies in its file. */
export interface MatrixFile {
  path: string;
  X: DataMatrix;
  samples: Samples;
  /** Names of the rows and columns of X, where the file has them. */
  features?: readonly string[];
  sampleNames?: readonly string[];
}

/**
 * Runs checks of the library on a matrix that was read from a file, and puts what they refuse in terms of that file. Of a block of samples
 * `from` is the first one's place among all.
 */
export function checkFile(file: MatrixFile, check: () => void, from = 0): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof InputError) || (error.row === undefined && error.column === undefined)) throw error;
    const { message, row } = error;
    const column = error.column === undefined ? undefined : error.column + from;
    throw new InputError(inFile({ message, row, column }, file), { row, column, cause: error });
  }
}

/** The message of an error that names a row or a column of X, in terms of the file. */
export function inFile({ message, row, column }: Pick<InputError, 'message' | 'row' | 'column'>, file: MatrixFile): string {
  const { path, samples } = file;
  if (row === undefined || column === undefined) {
    const [hidden, line] = row === undefined ? ['sample', column] : ['feature', row];
    const side = (row === undefined) === (samples === 'rows') ? 'row' : 'column';
    const name = (row === undefined ? file.sampleNames : file.features)?.[Number(line)];
    return `${path} is zero in all of ${side} ${Number(line) + 1}${name ? ` (${shortened(name)})` : ''}, which hides that ${hidden}; leave it out of both files instead.`;
  }
  return message.replace(
    /^.* has the entry (\S+) in row \d+, column \d+ \(counted from 0\)/,
    (_, value) => `${path}: ${placeInFile({ row, column }, file)} is ${value}`,
  );
}

/** Where an entry of X stands in its file. */
export function placeInFile(at: { row: number; column: number }, { samples, features, sampleNames }: MatrixFile): string {
  const [rowNames, columnNames] = samples === 'rows' ? [sampleNames, features] : [features, sampleNames];
  const [row, column] = samples === 'rows' ? [at.column, at.row] : [at.row, at.column];
  const named = (names: readonly string[] | undefined, place: number) => (names?.[place] ? ` (${shortened(names[place])})` : '');
  const uncounted = rowNames ? ', names not counted,' : columnNames ? ', the header not counted,' : '';
  return `row ${row + 1}${named(rowNames, row)}, column ${column + 1}${named(columnNames, column)}${uncounted}`;
}
