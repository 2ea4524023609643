/** Files that hold documents: JSON lines, tables and Parquet, by the ending of their names. */

import { InputError, OrthantError } from '../errors.js';
import { compressorsOf } from '../formats/unpack.js';
import { checkFields, type Document, documentOf, type FieldOptions, parseDocumentTable, parseJsonLines } from './documents.js';
import { decodeDocument } from './encoding.js';
import { tableRecords } from './records.js';

export interface DocumentFileOptions extends FieldOptions {
  /** The encoding of the texts, such as 'windows-1252' or 'shift_jis'. Default: UTF-8, and UTF-16 where bytes say so. */
  encoding?: string;
}

interface Reader {
  read(bytes: Uint8Array, source: string, options: DocumentFileOptions): Document[] | Promise<Document[]>;
  /** The names of the fields. */
  fields(bytes: Uint8Array, source: string, encoding?: string): string[] | Promise<string[]>;
}

const jsonLines: Reader = {
  read: (bytes, source, options) => parseJsonLines(decodeDocument(bytes, source, options.encoding).text, source, options),
  fields: (bytes, source, encoding) => fieldsOfLines(decodeDocument(bytes, source, encoding).text),
};
const table: Reader = {
  read: (bytes, source, options) => parseDocumentTable(decodeDocument(bytes, source, options.encoding).text, source, options),
  fields(bytes, source, encoding) {
    const [header] = tableRecords(decodeDocument(bytes, source, encoding).text, source);
    return header?.cells.map((cell) => cell.trim()) ?? [];
  },
};
const parquet: Reader = {
  read: parquetDocuments,
  fields: async (bytes, source) => (await openParquet(bytes, source)).known,
};

/** The readers of files, by extension. */
const readers: Record<string, Reader | undefined> = {
  '.jsonl': jsonLines,
  '.ndjson': jsonLines,
  '.csv': table,
  '.tsv': table,
  '.parquet': parquet,
};

function readerOf(source: string): Reader | undefined {
  const [extension = ''] = /\.[^./\\]*$/.exec(source) ?? [];
  return Object.hasOwn(readers, extension.toLowerCase()) ? readers[extension.toLowerCase()] : undefined;
}

/** Whether the ending of a name is that of a file that `parseDocuments` reads. */
export const isDocumentFile = (source: string): boolean => readerOf(source) !== undefined;

/**
 * The documents in a file: .jsonl or .ndjson with an object a line, .csv or .tsv with names of columns in its first record, .parquet by the
 * package hyparquet. The text is the field `textField`, 'text' if it is not given.
 *
 * @param source The name of the file, whose ending says how it is read.
 * @throws InputError for a name of another ending, a file that is empty, badly formed or in another encoding, and for a field that is not
 * there; OrthantError where the package is missing.
 */
export async function parseDocuments(bytes: Uint8Array, source: string, options: DocumentFileOptions = {}): Promise<Document[]> {
  return known(source).read(bytes, source, options);
}

/** The names of the fields of such a file: of its columns, or of the objects in its lines. Lines that are no objects have none. */
export async function documentFields(bytes: Uint8Array, source: string, encoding?: string): Promise<string[]> {
  return known(source).fields(bytes, source, encoding);
}

function known(source: string): Reader {
  const reader = readerOf(source);
  if (reader) return reader;
  throw new InputError(`The file '${source}' cannot be read as documents. Give a ${Object.keys(readers).join(', ')} file.`);
}

function fieldsOfLines(text: string): string[] {
  const names = new Set<string>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      const record: unknown = JSON.parse(line);
      if (typeof record === 'object' && record !== null && !Array.isArray(record)) for (const name of Object.keys(record)) names.add(name);
    } catch {
      // Whoever reads the documents says which line it is.
    }
  }
  return [...names];
}

async function openParquet(bytes: Uint8Array, source: string) {
  const { parquetMetadata, parquetReadObjects, parquetSchema } = await import('hyparquet').catch((cause: unknown) => {
    throw new OrthantError('Reading .parquet needs the package hyparquet: npm install hyparquet', { cause });
  });
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  try {
    const metadata = parquetMetadata(file);
    const known = parquetSchema(metadata).children.map(({ element }) => element.name);
    const compressors = await compressorsOf(metadata, file.byteLength, source);
    return { known, records: (columns: string[]) => parquetReadObjects({ file, metadata, columns, compressors }) };
  } catch (cause) {
    throw cause instanceof InputError ? cause : unreadable(source, cause);
  }
}

/** The documents in a Parquet file. Only the columns that are asked for are decoded. */
async function parquetDocuments(bytes: Uint8Array, source: string, options: DocumentFileOptions): Promise<Document[]> {
  const { known, records: read } = await openParquet(bytes, source);
  const { textField = 'text', labelField, dateField, idField } = options;
  const wanted = [textField, labelField, dateField, ...(idField === undefined ? ['name', 'title', 'id'] : [idField])];
  const records: Record<string, unknown>[] = await read(known.filter((name) => wanted.includes(name))).catch((cause: unknown) => {
    throw unreadable(source, cause);
  });
  checkFields(known, source, options);
  if (records.length === 0) throw new InputError(`${source} has no document; at least one is needed.`);
  return records.map((record, i) => {
    const where = `${source}: row ${i + 1}`;
    // A missing text is an empty document, which is told where documents without terms are.
    const text = record[textField] ?? '';
    return documentOf({ ...record, [textField]: text }, options, `row ${i + 1}`, where);
  });
}

const unreadable = (source: string, cause: unknown) =>
  new InputError(`${source} cannot be read as Parquet: ${(cause as Error).message}`, { cause });
