import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { byExtension, type FileContent, type FileFormat } from '../data/file-format.js';
import { formats } from '../data/formats.js';
import { transpose } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { isSparse, sparseTranspose } from '../data/sparse.js';
import { describe, inWords } from '../data/words.js';
import { InputError } from '../errors.js';

/**
 * The matrix in a file, with samples as COLUMNS: X is features × samples whichever way the file lies.
 *
 * The end of the file's name tells its format (src/data/formats.ts). A format that holds a sparse matrix gives a sparse one.
 *
 * `samples` is 'rows' (default, transposed on reading) or 'columns': the place of a sample in the file.
 * `names` are the names of the columns, where the file has them: names of features if samples are rows, else names of samples.
 *
 * @throws InputError for a file that is missing, empty or of another kind, and for content that its format refuses.
 */
export async function readMatrix(path: string, options: { samples?: 'rows' | 'columns' } = {}): Promise<FileContent> {
  checkNames('readMatrix', options, ['samples']);
  const { samples = 'rows' } = options;
  if (samples !== 'rows' && samples !== 'columns')
    throw new InputError(`samples must be 'rows' or 'columns', not ${describe(samples)}.`, { option: 'samples' });
  const format = formats.find(({ extensions }) => extensions.includes(extensionOf(path)));
  if (!format) throw unknownFormat(path, `matrices are read from ${inWords(formats.flatMap(({ extensions }) => extensions))} files`);
  const { X, names } = format.read(await readBytes(path), path);
  if (samples === 'columns') return { X, names };
  return { X: isSparse(X) ? sparseTranspose(X) : transpose(X), names };
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

/** The bytes of a file. Throws InputError if it is missing, empty, a directory, a pipe or a device, or not readable. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const bytes = await readRegularFile(path);
  if (bytes.length === 0) throw new InputError(`The file '${path}' is empty.`);
  return bytes;
}

/** As `readBytes`, but an empty file is no error. A pipe without a writer, and a device without an end, would never be read. */
export async function readRegularFile(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new InputError(`'${path}' is a directory; name a file in it.`);
    if (!found.isFile())
      throw new InputError(`'${path}' is a pipe, a socket or a device, not a file; write its content into a file first.`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new InputError(`There is no file '${path}'.`);
    throw new InputError(`Cannot read '${path}': ${message}.`, { cause: error });
  }
}

/**
 * Throws InputError if `writeOutputs` could not write to the folder `dir`, or if its parent is missing, which is more likely a slip.
 * It is for the time before a long computation.
 */
export async function checkOutputFolder(dir: string): Promise<void> {
  if (dir === '') throw new InputError('The name of the output folder is empty; give one.');
  const target = resolve(dir);
  const kindOf = (path: string) => stat(path).catch(() => undefined);
  const there = await kindOf(target);
  if (there && !there.isDirectory()) throw new InputError(`Cannot write to the folder '${dir}': it is a file. Choose another name.`);
  const parent = dirname(target);
  const above = there ? undefined : await kindOf(parent);
  if (!there && !above) throw new InputError(`Cannot write to the folder '${dir}': there is no folder '${parent}'. Make that one first.`);
  if (above && !above.isDirectory())
    throw new InputError(`Cannot write to the folder '${dir}': '${parent}' is a file. Choose another name.`);
  await access(there ? target : parent, constants.W_OK | constants.X_OK).catch((error: Error) => {
    throw new InputError(`Cannot write to the folder '${dir}': ${error.message}. Choose another name.`, { cause: error });
  });
}

/**
 * Writes `files` (file name → content) into the folder `dir` so that none of them ever appears half-written.
 * A new folder appears with all of them or not at all. In an existing folder they replace files of the same name, one rename after the
 * other, once all have been written. Nothing is left behind on failure.
 *
 * @throws InputError if `dir` is a file, if it cannot be made or written to, or if a file name is not a plain one.
 */
export async function writeOutputs(dir: string, files: Record<string, Uint8Array | string>): Promise<void> {
  const names = Object.keys(files);
  for (const name of names) {
    if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
      throw new InputError(`'${name}' cannot be the name of an output file; use a plain name without slashes.`);
    }
  }
  const target = resolve(dir);
  const there = await stat(target).catch(() => undefined);
  if (there && !there.isDirectory()) throw new InputError(`Cannot write to the folder '${dir}': it is a file. Choose another name.`);
  for (const name of there ? names : []) {
    const old = await stat(join(target, name)).catch(() => undefined);
    if (old?.isDirectory()) throw new InputError(`Cannot write '${join(dir, name)}': it is a directory. Move it away first.`);
  }

  // Beside a folder that is new; inside one that exists, which may be a mount that no rename can reach from outside.
  const unique = `.${basename(target)}.${randomUUID().slice(0, 8)}`;
  const temporary = there ? join(target, unique) : join(dirname(target), unique);
  try {
    await mkdir(temporary, { recursive: true });
    for (const name of names) await writeFile(join(temporary, name), files[name]);
    if (!there) await rename(temporary, target);
    else for (const name of names) await rename(join(temporary, name), join(target, name));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR' || code === 'EEXIST') {
      throw new InputError(`Cannot write to the folder '${dir}': a part of that path is a file.`, { cause: error });
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new InputError(`Cannot write to the folder '${dir}': ${message}.`, { cause: error });
    }
    throw error;
  } finally {
    // After a rename of the whole folder there is nothing left to remove, which `force` lets pass.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
}
