import { lstat, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import type { Matrix } from '../data/matrix.js';
import { transpose } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { type DataMatrix, isSparse, sparseTranspose } from '../data/sparse.js';
import { describe, inWords } from '../data/words.js';
import { InputError, OrthantError } from '../errors.js';
import { byExtension, type FileContent, type FileFormat } from '../formats/file-format.js';
import { folderFormats, formats } from '../formats/formats.js';
import { readContent } from './foreign.js';
import { removeAbandoned, temporaryName } from './temporary.js';

/** A matrix that was read: features × samples, whichever way its file lies. */
export interface ReadMatrix {
  X: DataMatrix;
  /** Names of the rows of X, where the file has them. */
  features?: readonly string[];
  /** Names of the columns of X, where the file has them. */
  samples?: readonly string[];
  /** 0 for each cell of the file without a value, else 1: weights of the shape of X, only where there is such a cell. X is 0 there. */
  weights?: Matrix;
  /** The reading in words, one fact a sentence, where the file could be read in more ways than one. */
  notes?: readonly string[];
  /** The place of a sample in the file, where its format has it in one place whatever was asked for. */
  samplesAre?: 'rows' | 'columns';
  /** Of images: the size of each. */
  image?: FileContent['image'];
}

/**
 * The matrix in a file, with samples as COLUMNS: X is features × samples whichever way the file lies.
 *
 * The end of the file's name tells its format (src/data/formats.ts). A format that holds a sparse matrix gives a sparse one.
 *
 * `samples` is 'rows' (default, transposed on reading) or 'columns': the place of a sample in the file.
 *
 * @throws InputError for a file that is missing, empty or of another kind, and for content that its format refuses.
 */
export async function readMatrix(path: string, options: { samples?: 'rows' | 'columns' } = {}): Promise<ReadMatrix> {
  checkNames('readMatrix', options, ['samples']);
  const { samples = 'rows' } = options;
  if (samples !== 'rows' && samples !== 'columns')
    throw new InputError(`samples must be 'rows' or 'columns', not ${describe(samples)}.`, { option: 'samples' });
  if ((await kindAt(path)) === 'a directory') return oriented(await readFolder(path), samples);
  const format = formats.find(({ extensions }) => extensions.includes(extensionOf(path)));
  if (!format) throw unknownFormat(path, `matrices are read from ${inWords(formats.flatMap(({ extensions }) => extensions))} files`);
  return oriented(await readContent(format, await readBytes(path), path), samples);
}

/** The content with samples as columns: where they are by the format's nature, else where the caller says. */
export function oriented(content: FileContent, asked: 'rows' | 'columns'): ReadMatrix {
  const { X, rowNames, columnNames, missing, notes, samples: samplesAre, image } = content;
  const present = missing && { rows: X.rows, cols: X.cols, data: Float32Array.from(missing, (gone) => 1 - gone) };
  const rest = { notes, ...(samplesAre && { samplesAre }), ...(image && { image }) };
  if ((samplesAre ?? asked) === 'columns') return { X, features: rowNames, samples: columnNames, weights: present, ...rest };
  return {
    X: isSparse(X) ? sparseTranspose(X) : transpose(X),
    features: columnNames,
    samples: rowNames,
    weights: present && transpose(present),
    ...rest,
  };
}

/** The matrix in a folder of files. Throws InputError for one that no format knows. */
async function readFolder(path: string): Promise<FileContent> {
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
  const format = folderFormats.find(({ fits }) => fits(names));
  if (!format)
    throw new InputError(
      `'${path}' is a directory without a matrix: those that can be read hold ${folderFormats.map(({ name, summary }) => `${name} (${summary})`).join(', or ')}. Or name a file in it.`,
    );
  return format.read(names, (name) => readBytes(join(path, name)), path);
}

/** What makes the content of a file, by the end of its name. Throws InputError where no format is written under it. */
export function encoderFor(path: string): NonNullable<FileFormat['write']> {
  const written = formats.filter(({ write }) => write);
  const write = written.find(({ extensions }) => extensions[0] === extensionOf(path))?.write;
  if (!write) throw unknownFormat(path, `matrices are written as ${byExtension(written)}`);
  return write;
}

const extensionOf = (path: string) => extname(path).toLowerCase();

function unknownFormat(path: string, known: string): InputError {
  return new InputError(`Cannot tell the format of '${path}' from its name; ${known}.`);
}

/** What stands at a path, links followed, in words for a message. */
export type Kind = 'nothing' | 'a file' | 'a directory' | 'a link to nothing' | 'a FIFO' | 'a socket' | 'a device';

export async function kindAt(path: string): Promise<Kind> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return (await lstat(path).catch(() => undefined)) ? 'a link to nothing' : 'nothing';
  if (found.isFile()) return 'a file';
  if (found.isDirectory()) return 'a directory';
  return found.isFIFO() ? 'a FIFO' : found.isSocket() ? 'a socket' : 'a device';
}

/**
 * The bytes of a file. Throws InputError if it is missing, not a regular file (a FIFO may never end, a device never does), not readable,
 * or empty unless it `mayBeEmpty`.
 */
export async function readBytes(path: string, { mayBeEmpty = false } = {}): Promise<Uint8Array> {
  const kind = await kindAt(path);
  if (kind === 'a directory') throw new InputError(`'${path}' is a directory; name a file in it.`);
  if (kind !== 'a file' && kind !== 'nothing') throw new InputError(`'${path}' is ${kind}, not a file; give a regular file.`);
  try {
    // Files of /proc have the size 0, and reading one may wait for ever.
    const bytes = (await stat(path)).size === 0 ? new Uint8Array(0) : await readFile(path);
    if (bytes.length > 0 || mayBeEmpty) return bytes;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new InputError(`There is no file '${path}'.`);
    throw new InputError(`Cannot read '${path}': ${message}.`, { cause: error });
  }
  throw new InputError(`The file '${path}' is empty.`);
}

/**
 * Throws InputError if `writeOutputs` could not write files of these names to the folder `dir`, or if its parent is missing, which is more
 * likely a slip. It is for the time before a long computation.
 */
export async function checkOutputFolder(dir: string, names: readonly string[]): Promise<void> {
  if (dir === '') throw new InputError('The name of the output folder is empty; give one.');
  const target = resolve(dir);
  const there = await folderAt(dir);
  const parent = dirname(target);
  const above = there ? 'a directory' : await kindAt(parent);
  if (above === 'nothing')
    throw new InputError(`Cannot write to the folder '${dir}': there is no folder '${parent}'. Make that one first.`);
  if (above !== 'a directory') throw new InputError(`Cannot write to the folder '${dir}': '${parent}' is ${above}. Choose another name.`);
  for (const name of names) await checkOutputName(dir, name);
  await checkWritable(there ? target : parent, dir);
}

/** Whether `dir` is a folder; false for nothing. Throws InputError for anything else. */
async function folderAt(dir: string): Promise<boolean> {
  const kind = await kindAt(dir);
  if (kind === 'nothing' || kind === 'a directory') return kind === 'a directory';
  const what = kind === 'a file' ? 'it is a file' : `it is ${kind}`;
  throw new InputError(`Cannot write to the folder '${dir}': ${what}. Choose another name.`);
}

/** Throws unless a file can be made in `folder`. To try is the one sure test: permissions say nothing of /proc or of a full disk. */
export async function checkWritable(folder: string, named = folder): Promise<void> {
  await removeAbandoned(folder);
  const file = join(folder, temporaryName());
  try {
    await writeFile(file, 'x', { flag: 'wx' });
  } catch (error) {
    throw cannotWrite(named, error);
  } finally {
    await rm(file, { force: true }).catch(() => undefined);
  }
}

/** The error to throw where writing to the folder `dir` ended with `error`. */
export function cannotWrite(dir: string, error: unknown): unknown {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const sentence = (why: string) => `Cannot write to the folder '${dir}': ${why}.`;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new OrthantError(sentence('the disk is full; free some space there, or choose another folder'), { cause: error });
  if (code === 'ENOTDIR' || code === 'EEXIST') return new InputError(sentence('a part of that path is a file'), { cause: error });
  if (code === 'ENOENT') return new InputError(sentence('no files can be made there. Choose another name'), { cause: error });
  if (['EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG'].includes(code))
    return new InputError(sentence(`${message}. Choose another name`), { cause: error });
  return new OrthantError(sentence(message), { cause: error });
}

/** Throws InputError unless `name` is a plain file name, and in `folder` that of a regular file or of nothing. */
async function checkOutputName(dir: string, name: string): Promise<void> {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name))
    throw new InputError(`'${name}' cannot be the name of an output file; use a plain name without slashes.`);
  const kind = await kindAt(join(dir, name));
  if (kind !== 'nothing' && kind !== 'a file')
    throw new InputError(`Cannot write '${join(dir, name)}': it is ${kind}. Move it away first, or choose another name.`);
}

/** Writes files into a new folder, and makes sure that they outlast the power. */
export async function writeFolder(folder: string, files: Record<string, Uint8Array | string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const file = await open(join(folder, name), 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/**
 * Writes `files` (file name → content) into the folder `dir` so that none of them ever appears half-written.
 * A new folder appears with all of them or not at all. In an existing folder `replace` puts them in their places once all have been written
 * to a folder in it, by default one rename after the other. Nothing is left behind on failure, and what a killed process left is removed.
 *
 * @throws InputError if `dir` is a file, if it cannot be made or written to, or if a file name is not a plain one; OrthantError for a full
 * disk.
 */
export async function writeOutputs(
  dir: string,
  files: Record<string, Uint8Array | string>,
  replace: (folder: string, written: string) => Promise<void> = replaceEach,
): Promise<void> {
  for (const name of Object.keys(files)) await checkOutputName(dir, name);
  const target = resolve(dir);
  if (!(await folderAt(dir)) && (await writeNew(dir, files))) return;
  await removeAbandoned(target);
  // Inside the folder, which may be a mount that no rename can reach from outside.
  const written = join(target, temporaryName());
  try {
    await writeFolder(written, files);
    await replace(target, written);
  } catch (error) {
    throw cannotWrite(dir, error);
  } finally {
    await rm(written, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Makes the folder `dir` as a whole; false if another process has made one meanwhile. */
async function writeNew(dir: string, files: Record<string, Uint8Array | string>): Promise<boolean> {
  const target = resolve(dir);
  await removeAbandoned(dirname(target));
  const written = join(dirname(target), temporaryName());
  try {
    await writeFolder(written, files);
    await rename(written, target);
    return true;
  } catch (error) {
    if ((await kindAt(target)) === 'a directory') return false;
    throw cannotWrite(dir, error);
  } finally {
    // After the rename there is nothing left to remove, which `force` lets pass.
    await rm(written, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function replaceEach(folder: string, written: string): Promise<void> {
  for (const name of await readdir(written)) await rename(join(written, name), join(folder, name));
}
