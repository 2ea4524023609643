/** The documents of the room of topics: from files, from pasted text, from an example. */
import { gunzip } from 'orthant/formats';
import {
  type Document,
  decodeDocument,
  documentFields,
  InputError,
  isDocumentFile,
  parseDocuments,
  parseJsonLines,
  parseTextLines,
} from 'orthant/text';

/** Which field of a table is what; undefined where it is none. */
export interface Fields {
  textField?: string;
  labelField?: string;
  dateField?: string;
  idField?: string;
}

export interface Corpus {
  name: string;
  documents: Document[];
  /** What to give to the command line instead. */
  source: string;
  fields: Fields;
  encoding?: string;
  notes: string[];
}

export interface GivenFile {
  path: string;
  file: File;
}

/**
 * More is refused before a byte is read: texts, words and the matrix take about five times as much memory, and half of what the browser
 * tells of, or 4 GiB where it does not tell, is for them.
 */
const { deviceMemory } = (globalThis.navigator ?? {}) as { deviceMemory?: number };
const mostBytes = Math.min(400 * 2 ** 20, (((deviceMemory ?? 8) / 2) * 2 ** 30) / 5);
/** Texts in a .parquet file are compressed to about a third. */
const unpacked = (path: string) => (/\.parquet$/i.test(path) ? 3 : 1);

const forms =
  'a folder of .txt or .md files; a .jsonl, .csv, .tsv or .parquet file with a text in each record; a .txt file for one document a line; or one of the examples (speeches, mail)';
const isText = (path: string) => /\.(txt|md)$/i.test(path);
const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`;

export function checkSizes(files: readonly GivenFile[]): void {
  const bytes = files.reduce((sum, { path, file }) => sum + file.size * unpacked(path), 0);
  if (bytes <= mostBytes) return;
  const [one] = files;
  const what =
    files.length > 1
      ? `The ${files.length} files have`
      : `The file '${one.path}' has ${unpacked(one.path) > 1 ? `${megabytes(one.file.size)}, unpacked about` : ''}`.trimEnd();
  throw new InputError(
    `${what} ${megabytes(bytes)}, and this page reads ${megabytes(mostBytes)} at most; give a part, or use the command line, orthant topics.`,
  );
}

/** The one table among the files, if there is one. Throws InputError for files that are no corpus together. */
export function tableAmong(files: readonly GivenFile[]): GivenFile | undefined {
  const tables = files.filter(({ path }) => isDocumentFile(path));
  const texts = files.filter(({ path }) => isText(path));
  if (tables.length === 0 && texts.length === 0) {
    if (files.length === 1) throw new InputError(`The file '${files[0].path}' cannot be read as a corpus. Give ${forms}.`);
    throw new InputError(
      `There are no .txt or .md files among the ${files.length} files; a corpus needs one .txt or .md file per document, or one table.`,
    );
  }
  if (tables.length > 0 && tables.length + texts.length > 1)
    throw new InputError(`'${tables[0].path}' is a corpus of its own; give it without the other ${files.length - 1} files.`);
  return tables[0];
}

const bytesOf = async ({ file }: GivenFile) => new Uint8Array(await file.arrayBuffer());
const shortName = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const withoutEnding = (name: string) => name.replace(/\.[^.]*$/, '');

/** The fields of a table, and those that are meant by their names. */
export async function fieldsOf(table: GivenFile, encoding?: string): Promise<{ names: string[]; guess: Fields }> {
  const names = await documentFields(await bytesOf(table), shortName(table.path), encoding);
  const first = (...wanted: string[]) => names.find((name) => wanted.includes(name.toLowerCase()));
  return { names, guess: { labelField: first('label', 'class', 'category'), dateField: first('date', 'year') } };
}

export async function readTable(table: GivenFile, fields: Fields, encoding?: string): Promise<Corpus> {
  const source = shortName(table.path);
  const documents = await parseDocuments(await bytesOf(table), source, { ...fields, encoding });
  return { name: withoutEnding(source), documents, source, fields, encoding, notes: [] };
}

/** One file is a document a line, as standard input is; several are a document each. */
export async function readTexts(files: readonly GivenFile[], encoding?: string): Promise<Corpus> {
  const texts = files.filter(({ path }) => isText(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (texts.length === 1) {
    const source = shortName(texts[0].path);
    const { text } = decodeDocument(await bytesOf(texts[0]), source, encoding);
    const notes = [`Each line of ${source} is a document.`];
    return { name: withoutEnding(source), documents: parseTextLines(text, source), source: `- < ${source}`, fields: {}, encoding, notes };
  }
  const folder = commonFolder(texts.map(({ path }) => path));
  const names = texts.map(({ path }) => path.slice(folder.length));
  const short = names.map(withoutEnding);
  const documents = await Promise.all(
    texts.map(async (given, i): Promise<Document> => {
      const { text } = decodeDocument(await bytesOf(given), given.path, encoding);
      return { name: short.indexOf(short[i]) === short.lastIndexOf(short[i]) ? short[i] : names[i], text }; // a.txt and a.md are two documents
    }),
  );
  const others = files.length - texts.length;
  const notes =
    others === 0
      ? []
      : [`${others} ${others === 1 ? 'file that is' : 'files that are'} no .txt or .md file ${others === 1 ? 'was' : 'were'} left out.`];
  const name = folder.split('/').at(-2) ?? 'texts';
  return { name, documents, source: folder === '' ? 'texts/' : folder, fields: {}, encoding, notes };
}

/** What all paths begin with, up to a slash. */
function commonFolder([first, ...others]: readonly string[]): string {
  let folder = first.slice(0, first.lastIndexOf('/') + 1);
  while (folder !== '' && !others.every((path) => path.startsWith(folder)))
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  return folder;
}

/** One document a line, or JSON lines, as the command line reads standard input. */
export function readPasted(text: string): Corpus {
  const source = 'The pasted text';
  const isJson = text.trimStart().startsWith('{');
  const documents = isJson ? parseJsonLines(text, source) : parseTextLines(text, source);
  return {
    name: 'pasted text',
    documents,
    source: `- < pasted.${isJson ? 'jsonl' : 'txt'}`,
    fields: {},
    notes: isJson ? [] : ['Each line is a document.'],
  };
}

export type ExampleName = 'sotu' | 'mail';

const examples: Record<ExampleName, { title: string; fields: Fields; notes: string[] }> = {
  sotu: { title: 'speeches', fields: { dateField: 'date' }, notes: ['The State of the Union addresses, 1790 to 2021.'] },
  mail: {
    title: 'mail',
    fields: { labelField: 'label' },
    notes: ['Every third message of the SpamAssassin corpus; the command line has all of them.'],
  },
};

export async function readExample(name: ExampleName, address: string): Promise<Corpus> {
  const { title, fields, notes } = examples[name];
  const answer = await fetch(address).catch((cause: unknown) => {
    throw new InputError(`The example ${title} could not be fetched; try again when this page can be reached.`, { cause });
  });
  if (!answer.ok) throw new InputError(`The example ${title} is not where it should be beside this page (${answer.status}).`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const plain = bytes[0] === 0x1f ? await gunzip(bytes, title) : bytes; // some servers say that it is gzip, and the browser has unpacked it then
  const documents = parseJsonLines(new TextDecoder().decode(plain), title, fields);
  return { name: title, documents, source: name, fields: {}, notes };
}
