/** Parquet, by the packages hyparquet and hyparquet-writer. */
import type { Matrix } from '../data/matrix.js';
import { quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import { type Column, checkCells, contentOf, needed, plainColumns, unreadable } from './columns.js';
import type { FileContent, FileFormat, MatrixNames } from './file-format.js';
import { unpackLimit } from './gzip.js';

export const parquet = {
  name: 'Parquet',
  summary: 'columns of numbers; a first column of texts has the names',
  extensions: ['.parquet'],
  foreign: true,
  read: readParquet,
  columns: async (bytes, source) => plainColumns(await columnsIn(bytes, source), source),
  write: encodeParquet,
} satisfies FileFormat;

async function readParquet(bytes: Uint8Array, source: string): Promise<FileContent> {
  const { columns, rows } = await columnsIn(bytes, source);
  return contentOf(columns, rows, source);
}

async function columnsIn(bytes: Uint8Array, source: string): Promise<{ columns: Column[]; rows: number }> {
  const { parquetMetadata, parquetRead, parquetSchema } = await needed(import('hyparquet'), 'hyparquet', '.parquet');
  const buffer = bytes.slice().buffer;
  try {
    const metadata = parquetMetadata(buffer);
    const rows = Number(metadata.num_rows);
    const { children } = parquetSchema(metadata);
    checkCells(rows, Math.max(1, children.length), bytes.length, source);
    const packed = metadata.row_groups.flatMap((group) => group.columns.map(({ meta_data: column }) => column));
    const size = packed.reduce((sum, column) => sum + Number(column?.total_uncompressed_size ?? 0), 0);
    if (!(size <= unpackLimit(bytes.length)))
      throw new InputError(`${source} has ${bytes.length} bytes and says that it unpacks to ${size}.`);
    const codec = packed.find((column) => column && !['UNCOMPRESSED', 'SNAPPY'].includes(column.codec))?.codec;
    if (codec !== undefined)
      throw new InputError(`${source} is packed with ${codec}; write it with the compression 'snappy' or with none.`);
    const names = children.map(({ element }) => element.name);
    if (new Set(names).size !== names.length) throw new InputError(`${source} has two columns of one name; rename one.`);
    const values = new Map<string, unknown[]>(names.map((name) => [name, []]));
    await parquetRead({
      file: { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) },
      metadata,
      onChunk({ columnName, columnData, rowStart }) {
        const column = values.get(columnName)!;
        for (let i = 0; i < columnData.length; i++) column[rowStart + i] = columnData[i];
      },
    });
    const columns: Column[] = children.map(({ element, children: fields }) => ({
      name: element.name,
      values: fields.length > 0 ? undefined : values.get(element.name)!,
    }));
    return { columns, rows };
  } catch (error) {
    throw unreadable(source, 'Parquet', error);
  }
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
