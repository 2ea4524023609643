/** What a file format of matrices is. The list of all formats is in formats.ts, apart from what browsers load. */

import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import type { TableOptions } from './table-options.js';

export interface FileFormat {
  /** Its name, for people. */
  name: string;
  /** One line of the help on a file of this format. */
  summary: string;
  /** Ends of file names, lower case, with the point. The first stands for the format in help and errors, and is the one to write. */
  extensions: readonly [string, ...string[]];
  /** Of a format that can hold a sparse matrix: its form that holds a dense one. */
  denseForm?: string;
  /** Whether a package reads it, which a damaged file may keep for ever: in Node that is done in a thread. */
  foreign?: boolean;
  /**
   * The matrix in a file, rows as they lie there. `source`, the file's name, starts every message.
   *
   * @throws InputError for bytes that are no matrix in this format, with `row` and `column` where one entry is to blame.
   */
  read(bytes: Uint8Array, source: string, options?: TableOptions): FileContent | Promise<FileContent>;
  /**
   * Of tables of text: the same from pieces, so that a file need not fit into the memory beside its matrix. Such a format takes TableOptions;
   * others have no use for them.
   */
  pieces?(source: string, options?: TableOptions): PieceReader;
  /** Of tables: the same file as columns of numbers and texts, one value a row. */
  columns?(bytes: Uint8Array, source: string): TableColumns | Promise<TableColumns>;
  /**
   * The content of a file from which `read` gets the same entries, bit for bit, and the same names where the format has a place for
   * names. Without it the format is only read.
   */
  write?(X: Matrix, names?: MatrixNames): Uint8Array | string | Promise<Uint8Array | string>;
}

/** What takes a file in pieces. */
export interface PieceReader {
  /** The next bytes. They may be changed after that. Throws InputError as soon as the file cannot be read. */
  push(bytes: Uint8Array): void;
  /**
   * The rows of numbers that have come so far, but for the last ones, which come later; undefined where there are none. The reader forgets
   * them: `end` has what is left.
   */
  take(options?: { transposed?: boolean }): FileContent | undefined;
  /** The content, with rows as columns if `transposed`. Throws InputError where there is none, or the file ends too early. */
  end(options?: { transposed?: boolean }): FileContent;
}

/** A table whose columns may have texts. */
export interface TableColumns {
  rows: number;
  columns: {
    /** '' where the table has no names. */
    name: string;
    /** Numbers as numbers or as decimal texts; null for a cell without a value. */
    values: readonly unknown[];
  }[];
}

/** Names of the rows and of the columns of a matrix, as it lies in a file. */
export interface MatrixNames {
  rowNames?: readonly string[];
  columnNames?: readonly string[];
}

/** The size of images of one kind: pixel by pixel from the top left, `channels` numbers each. */
export interface ImageSize {
  width: number;
  height: number;
  /** 1 for grey, 3 for red, green and blue. */
  channels: 1 | 3;
}

export interface FileContent extends MatrixNames {
  X: DataMatrix;
  /** The place of a sample, of a format that has it in one place by its nature; nobody need say it then. */
  samples?: 'rows' | 'columns';
  /** Of images: the size of each, whose numbers are a sample. */
  image?: ImageSize;
  /** 1 for each cell without a value, row by row; X is 0 there. Only where there is such a cell. */
  missing?: Uint8Array;
  /** The reading in words, one fact a sentence, where the file could be read in more ways than one. */
  notes?: readonly string[];
}

/** Formats by their usual extensions: '.csv, .npy or .mtx'. */
export function byExtension(formats: readonly FileFormat[]): string {
  const usual = formats.map(({ extensions }) => extensions[0]);
  return inWords(usual, 'or');
}

/** V8 holds no longer text. */
const longestText = 2 ** 29 - 24;

/** UTF-8 bytes as text, without a byte order mark. Throws InputError for any other encoding, and for more than a text can hold. */
export function decodeText(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    if (bytes.length > longestText)
      throw new InputError(`${source} has ${bytes.length} bytes, more than a text can hold; split it, or save a matrix as .npy.`);
    throw new InputError(`${source} is not UTF-8 text; save it in that encoding.`);
  }
}

/** The result of `read`; an InputError gets `source`, a file's name, before its message and keeps its row and column. */
export function within<T>(source: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { message, row, column } = error;
    throw new InputError(`${source}: ${message}`, { row, column, cause: error });
  }
}
