import { constants } from 'node:fs';
import { access, lstat, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { describe, inWords } from '../data/words.js';
import { InputError, OrthantError } from '../errors.js';
import { byExtension, type FileContent, type FileFormat } from '../formats/file-format.js';
import { folderFormats, formats } from '../formats/formats.js';
import { oriented, presenceOf, type ReadMatrix } from '../formats/oriented.js';
import { checkTableOptions, type TableOptions } from '../formats/table-options.js';
import { joined } from '../formats/table-text.js';
import { readContent } from './foreign.js';
import { piecesOf } from './pieces.js';
import { removeAbandoned, temporaryName } from './temporary.js';

export type { ReadMatrix };

/** How a matrix is read: the place of its samples and, of a table of text, whatever the reader cannot tell. */
export interface ReadMatrixOptions extends TableOptions {
  /** The place of a sample in the file; default 'rows'. */
  samples?: 'rows' | 'columns';
}

/**
 * The matrix in a file, with samples as COLUMNS: X is features × samples whichever way the file lies.
 *
 * The end of the file's name tells its format (src/formats/formats.ts), behind which .gz may stand. A format that holds a sparse matrix gives a
 * sparse one. A table of text is read as it comes from the disk: it needs memory for two copies of its matrix, whatever its own size.
 *
 * `samples` is 'rows' (default, transposed on reading) or 'columns': the place of a sample in the file. See TableOptions for the others.
 *
 * @throws InputError for a file that is missing, empty or of another kind, for content that its format refuses, and for options of tables
 * beside a file of another format.
 */
export async function readMatrix(path: string, options: ReadMatrixOptions = {}): Promise<ReadMatrix> {
  checkTableOptions('readMatrix', options, ['samples']);
  const { samples = 'rows', ...table } = options;
  if (samples !== 'rows' && samples !== 'columns')
    throw new InputError(`samples must be 'rows' or 'columns', not ${describe(samples)}.`, { option: 'samples' });
  const [option] = Object.entries(table).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const noTable = () => new InputError(`${option} is for tables of text, and '${path}' is none; leave it out.`, { option });
  if ((await kindAt(path)) === 'a directory') {
    if (option !== undefined) throw noTable();
    return oriented(await readFolder(path), samples);
  }
  const extension = extensionOf(path);
  const format = formats.find(({ extensions }) => extensions.includes(extension));
  if (!format) throw unknownFormat(path, `matrices are read from ${inWords(formats.flatMap(({ extensions }) => extensions))} files`);
  if (option !== undefined && !format.pieces) throw noTable();
  const transposed = samples === 'rows';
  if (format.pieces) {
    const reader = format.pieces(path, table);
    for await (const piece of piecesOf(path, await checkReadable(path))) reader.push(piece);
    const { X, rowNames, columnNames, missing, notes } = reader.end({ transposed });
    const weights = missing && presenceOf(missing, X);
    return transposed
      ? { X, features: columnNames, samples: rowNames, weights, notes }
      : { X, features: rowNames, samples: columnNames, weights, notes };
  }
  return oriented(await readContent(format, await readWhole(path), path), samples);
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

/** Whether a file of this name is read as a table of text, for which TableOptions are. */
export function isTable(path: string): boolean {
  return formats.some(({ extensions, pieces }) => pieces && extensions.includes(extensionOf(path)));
}

/** The bytes of a file, decompressed if it is a .gz. */
export async function readWhole(path: string): Promise<Uint8Array> {
  if (!/\.gz$/i.test(path)) return readBytes(path);
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(path, await checkReadable(path))) pieces.push(piece.slice());
  return joined(pieces);
}

/** What makes the content of a file, by the end of its name. Throws InputError where no format is written under it. */
export function encoderFor(path: string): NonNullable<FileFormat['write']> {
  const written = formats.filter(({ write }) => write);
  const write = written.find(({ extensions }) => extensions[0] === extname(path).toLowerCase())?.write;
  if (!write) throw unknownFormat(path, `matrices are written as ${byExtension(written)}`);
  return write;
}

/** The end of a name that tells the format; .gz says nothing of it. */
const extensionOf = (path: string) => extname(path.replace(/\.gz$/i, '')).toLowerCase();

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
  // Files of /proc have the size 0, and reading one may wait for ever.
  if ((await checkReadable(path, { mayBeEmpty })) === 0) return new Uint8Array(0);
  const bytes = await readFile(path).catch((error) => {
    throw cannotRead(path, error);
  });
  if (bytes.length === 0 && !mayBeEmpty) throw new InputError(`The file '${path}' is empty.`);
  return bytes;
}

/** The size of a file in bytes. Throws InputError where `readBytes` would. */
export async function checkReadable(path: string, { mayBeEmpty = false } = {}): Promise<number> {
  const kind = await kindAt(path);
  if (kind === 'a directory') throw new InputError(`'${path}' is a directory; name a file in it.`);
  if (kind !== 'a file' && kind !== 'nothing') throw new InputError(`'${path}' is ${kind}, not a file; give a regular file.`);
  const { size } = await access(path, constants.R_OK)
    .then(() => stat(path))
    .catch((error) => {
      throw cannotRead(path, error);
    });
  if (size === 0 && !mayBeEmpty) throw new InputError(`The file '${path}' is empty.`);
  return size;
}

function cannotRead(path: string, error: unknown): InputError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new InputError(`There is no file '${path}'.`);
  return new InputError(`Cannot read '${path}': ${message}.`, { cause: error });
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
