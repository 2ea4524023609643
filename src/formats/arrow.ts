/** Arrow IPC files and streams (Feather v2), by the package @uwdata/flechette. */
import { type Column, checkCells, contentOf, needed, plainColumns, unreadable } from './columns.js';
import type { FileContent, FileFormat } from './file-format.js';
import { unpackers } from './unpack.js';

export const arrow = {
  name: 'Arrow',
  summary: 'Arrow IPC or Feather; columns as in Parquet',
  extensions: ['.arrow', '.feather', '.arrows'],
  foreign: true,
  read: readArrow,
  columns: async (bytes, source) => plainColumns(await columnsIn(bytes, source), source),
} satisfies FileFormat;

async function readArrow(bytes: Uint8Array, source: string): Promise<FileContent> {
  const { columns, rows } = await columnsIn(bytes, source);
  return contentOf(columns, rows, source);
}

async function columnsIn(bytes: Uint8Array, source: string): Promise<{ columns: Column[]; rows: number }> {
  const { CompressionType, setCompressionCodec, tableFromIPC, Type } = await needed(
    import('@uwdata/flechette'),
    '@uwdata/flechette',
    '.arrow',
  );
  const { zstd, lz4Frame } = await unpackers(bytes.length);
  // The package knows one way for all files; it reads this one at once.
  const encode = () => {
    throw new Error('Nothing is packed.');
  };
  setCompressionCodec(CompressionType.ZSTD, { encode, decode: zstd });
  setCompressionCodec(CompressionType.LZ4_FRAME, { encode, decode: lz4Frame });
  try {
    const table = tableFromIPC(bytes.slice(), { useBigInt: true, useDate: true });
    checkCells(table.numRows, Math.max(1, table.numCols), bytes.length, source);
    const plain = [
      Type.Int,
      Type.Float,
      Type.Bool,
      Type.Utf8,
      Type.LargeUtf8,
      Type.Utf8View,
      Type.Dictionary,
      Type.Date,
      Type.Timestamp,
      Type.Null,
    ];
    const columns = table.schema.fields.map(({ name, type }, c) => ({
      name: name ?? '', // a schema may leave it out
      values: (plain as number[]).includes(type.typeId) ? (table.getChildAt(c) as Iterable<unknown>) : undefined,
    }));
    return { columns, rows: table.numRows };
  } catch (error) {
    throw unreadable(source, 'Arrow', error);
  }
}
