/** Tensors from the bytes of files. The end of a file's name tells the format, before a .gz. */
import type { DataTensor } from '../data/tensors.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { type CoordinateOptions, type Mode, tensorOfColumns } from './coordinates.js';
import { csv } from './csv.js';
import { type FileFormat, type TableColumns, within } from './file-format.js';
import { formats } from './formats.js';
import { gunzip } from './gzip.js';
import { decodeNpyTensor, npy } from './npy.js';
import { decodeNpzTensor, npz } from './npz.js';

/** A tensor that was read. Of a table it is sparse. */
export interface ReadTensor {
  X: DataTensor;
  /** What the file says of its modes. */
  modes: Mode[];
  /** The reading in words, where the file could be read in more ways than one. */
  notes: string[];
}

/** A file format that holds tensors. */
export interface TensorFormat {
  extensions: readonly string[];
  summary: string;
  /** Of a table: how its columns are found. */
  table?: FileFormat;
  read?(bytes: Uint8Array, source: string): DataTensor | Promise<DataTensor>;
  /** The number of the first entry of a mode. */
  first?: number;
}

/** The formats of tensors, in the order of the help. */
export const tensorFormats: readonly TensorFormat[] = [
  {
    extensions: npy.extensions,
    summary: 'NumPy: an array of two to six dimensions, in C or Fortran order',
    read: (bytes, source) => within(source, () => decodeNpyTensor(bytes)),
  },
  { extensions: npz.extensions, summary: 'NumPy: one such array', read: decodeNpzTensor },
  ...formats
    .filter(({ columns }) => columns)
    .map((table) => ({
      extensions: table.extensions,
      summary: 'table: an entry a line, a column for each mode and a last one of values',
      table,
    })),
  { extensions: ['.tns'], summary: 'FROSTT: such lines, places counted from 1', table: csv, first: 1 },
];

/** The format of a file of this name. Throws InputError where none holds tensors. */
export function tensorFormatOf(name: string): TensorFormat {
  const bare = name.toLowerCase().replace(/\.gz$/, '');
  const format = tensorFormats.find(({ extensions }) => extensions.some((extension) => bare.endsWith(extension)));
  if (format) return format;
  const known = inWords(tensorFormats.flatMap(({ extensions }) => extensions));
  throw new InputError(`Cannot tell the format of '${name}' from its name; tensors are read from ${known} files.`);
}

/** The tensor in a file of this format, whose columns are found by `columnsIn` where it is a table. */
export async function tensorIn(
  bytes: Uint8Array,
  source: string,
  { table, read, first }: TensorFormat,
  options: CoordinateOptions = {},
  columnsIn: (table: FileFormat) => TableColumns | Promise<TableColumns> = (format) => format.columns!(bytes, source),
): Promise<ReadTensor> {
  if (table) return tensorOfColumns(await columnsIn(table), source, { first, ...options });
  const X = await read!(bytes, source);
  return { X, modes: X.shape.map(() => ({})), notes: [] };
}

/**
 * The tensor in the bytes of a file, by its name: for browsers, as `readTensor` for Node.
 *
 * A .npy or .npz has a dense array of two to six dimensions. A table has a sparse tensor: a line for each entry, a column for each mode and
 * a last one of values. A column of whole numbers counts the entries of its mode from 0 (in a .tns from 1), any other one names them; values
 * of the same place are added up.
 *
 * @param options For tables. known: by mode the names of entries, in whose order they stand, or their number. named: modes, counted from 0,
 * whose whole numbers are names. first: the number of the first entry of a mode.
 * @throws InputError for a name that tells no format, and for content that its format refuses; OrthantError where a package is missing.
 */
export async function parseTensor(bytes: Uint8Array, name: string, options: CoordinateOptions = {}): Promise<ReadTensor> {
  const format = tensorFormatOf(name);
  return tensorIn(/\.gz$/i.test(name) ? await gunzip(bytes, name) : bytes, name, format, options);
}
