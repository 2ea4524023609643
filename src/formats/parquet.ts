/** Parquet, by the packages hyparquet and hyparquet-writer. */
import type { ColumnData } from 'hyparquet';
import type { Matrix } from '../data/matrix.js';
import { quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import {
  type Column,
  cellsOf,
  checkCells,
  checkSize,
  contentOf,
  mayHaveNames,
  namesApart,
  namesOf,
  needed,
  plainColumns,
  unreadable,
} from './columns.js';
import type { FileContent, FileFormat, MatrixNames } from './file-format.js';
import { compressorsOf, unpackLimit } from './unpack.js';

export const parquet = {
  name: 'Parquet',
  summary: 'columns of numbers; a first column of texts has the names',
  extensions: ['.parquet'],
  foreign: true,
  read: readParquet,
  columns: async (bytes, source) => {
    const { rows, read } = await openTable(fileOf(bytes), source);
    return plainColumns({ rows, columns: await read() }, source);
  },
  write: encodeParquet,
} satisfies FileFormat;

async function readParquet(bytes: Uint8Array, source: string): Promise<FileContent> {
  const { rows, read } = await openTable(fileOf(bytes), source);
  return contentOf(await read(), rows, source);
}

/** A file whose bytes are read by ranges. */
export interface ByteRanges {
  byteLength: number;
  slice(start: number, end?: number): ArrayBuffer | Promise<ArrayBuffer>;
}

const fileOf = (bytes: Uint8Array): ByteRanges => {
  const buffer = bytes.slice().buffer;
  return { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) };
};

/** A table of which the footer has been read. */
interface ParquetTable {
  rows: number;
  /** Its columns; those with lists or fields in their cells are not plain. */
  columns: { name: string; plain: boolean }[];
  /** The row after the last one of each row group. */
  groupEnds: number[];
  /** The columns of these names, all of them by default, from a row to another. Rows that are no ends of groups cost the whole group. */
  read(part?: { names?: readonly string[]; from?: number; to?: number }): Promise<Column[]>;
}

async function openTable(file: ByteRanges, source: string): Promise<ParquetTable> {
  const { parquetMetadataAsync, parquetRead, parquetSchema } = await needed(import('hyparquet'), 'hyparquet', '.parquet');
  try {
    const metadata = await parquetMetadataAsync(file);
    const rows = Number(metadata.num_rows);
    const { children } = parquetSchema(metadata);
    checkCells(rows, Math.max(1, children.length), file.byteLength, source);
    const packed = metadata.row_groups.flatMap((group) => group.columns.map(({ meta_data: column }) => column));
    const size = packed.reduce((sum, column) => sum + Number(column?.total_uncompressed_size ?? 0), 0);
    if (!(size <= unpackLimit(file.byteLength)))
      throw new InputError(`${source} has ${file.byteLength} bytes and says that it unpacks to ${size}.`);
    await compressorsOf(metadata, file.byteLength, source); // refuses a codec that is not known before anything is read
    const columns = children.map(({ element, children: fields }) => ({ name: element.name, plain: fields.length === 0 }));
    if (new Set(columns.map(({ name }) => name)).size !== columns.length)
      throw new InputError(`${source} has two columns of one name; rename one.`);
    const groupEnds: number[] = [];
    for (const group of metadata.row_groups) groupEnds.push((groupEnds.at(-1) ?? 0) + Number(group.num_rows));
    const read: ParquetTable['read'] = async ({ names, from = 0, to = rows } = {}) => {
      const asked = columns.filter(({ name }) => names?.includes(name) ?? true);
      const values = new Map<string, unknown[]>(asked.map(({ name }) => [name, []]));
      const onChunk = ({ columnName, columnData, rowStart }: ColumnData) => {
        const column = values.get(columnName)!;
        const end = Math.min(columnData.length, to - rowStart);
        for (let i = Math.max(0, from - rowStart); i < end; i++) column[rowStart + i - from] = columnData[i];
      };
      const compressors = await compressorsOf(metadata, file.byteLength, source);
      await parquetRead({ file, metadata, compressors, columns: names && [...names], rowStart: from, rowEnd: to, onChunk }).catch(
        (error) => {
          throw unreadable(source, 'Parquet', error);
        },
      );
      return asked.map(({ name, plain }) => ({ name, values: plain ? values.get(name) : undefined }));
    };
    return { rows, columns, groupEnds, read };
  } catch (error) {
    throw unreadable(source, 'Parquet', error);
  }
}

/** The matrix in a .parquet file by ranges of its rows and columns. */
export interface ParquetRanges extends MatrixNames {
  rows: number;
  columns: number;
  /** The row after the last one of each row group: a range of whole groups is decoded once. */
  groupEnds: number[];
  /** Rows `from` up to `to`. */
  readRows(from: number, to: number): Promise<Matrix>;
  /** Columns `from` up to `to`. */
  readColumns(from: number, to: number): Promise<Matrix>;
}

/**
 * The matrix in a .parquet file, of which no more is read than a range needs. Of columns that may hold names of the rows all values are read
 * here.
 *
 * @throws InputError for what `parquet.read` refuses, and while it is read for a cell without a value.
 */
export async function openParquet(file: ByteRanges, source: string): Promise<ParquetRanges> {
  const { rows, columns, groupEnds, read } = await openTable(file, source);
  const maybe = columns.filter(({ name }, place) => mayHaveNames(name, place)).map(({ name }) => name);
  const lists = columns.filter(({ plain }) => !plain).map(({ name }) => ({ name, values: undefined }));
  const apart = namesApart([...(await read({ names: maybe })), ...lists], source);
  const left = new Set(maybe.filter((name) => !apart.numeric.some((column) => column.name === name)));
  const numeric = columns.filter(({ name }) => !left.has(name));
  checkSize(rows, numeric.length, source);
  const whole = async (part: { names: readonly string[]; from?: number; to?: number }, first: { row?: number; column?: number }) => {
    const { X, missing } = cellsOf(await read(part), (part.to ?? rows) - (part.from ?? 0), source, first);
    if (!missing) return X;
    const at = missing.indexOf(1);
    const [row, column] = [(first.row ?? 0) + Math.floor(at / X.cols), (first.column ?? 0) + (at % X.cols)];
    throw new InputError(
      `${source} has no value in row ${row}, column ${column} (counted from 0), and a fit of columns one after another needs all of them; leave out its row or its column.`,
      { row, column },
    );
  };
  const names = numeric.map(({ name }) => name);
  return {
    rows,
    columns: numeric.length,
    groupEnds,
    rowNames: apart.rowNames,
    columnNames: namesOf(numeric),
    readRows: (from, to) => whole({ names, from, to }, { row: from }),
    readColumns: (from, to) => whole({ names: names.slice(from, to) }, { column: from }),
  };
}
/** The bytes of a .parquet file: a column of FLOAT for each of X, before them a column `name` if rows have names. */
export async function encodeParquet(X: Matrix, { rowNames, columnNames }: MatrixNames = {}): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await needed(import('hyparquet-writer'), 'hyparquet-writer', '.parquet', 'Writing');
  const names = columnNames ?? Array.from({ length: X.cols }, (_, j) => String(j));
  const twice = names.find((name, j) => names.indexOf(name) !== j);
  if (twice !== undefined) throw new InputError(`Two columns are called ${quoted(twice)}, but a Parquet file has each name once.`);
  const columns = names.map((name, j) => ({
    name,
    data: Float32Array.from({ length: X.rows }, (_, i) => X.data[i * X.cols + j]),
    type: 'FLOAT' as const,
    nullable: false,
  }));
  if (rowNames === undefined) return new Uint8Array(parquetWriteBuffer({ columnData: columns }));
  let first = 'name';
  while (names.includes(first)) first = `${first}_`;
  const named = { name: first, data: [...rowNames], type: 'STRING' as const, nullable: false };
  return new Uint8Array(parquetWriteBuffer({ columnData: [named, ...columns] }));
}
