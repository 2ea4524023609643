/** Matrices on standard input, named '-': they go to a temporary file, whose name then tells their format. */
import { createWriteStream, rmSync } from 'node:fs';
import { mkdtemp, open, rename, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Option } from 'commander';
import { InputError } from '../errors.js';
import { formats } from '../formats/formats.js';
import { cannotWrite } from '../node/files.js';
import { type Io, untilAborted } from './io.js';

/** Standard input as a command may read it. */
export interface StandardInput extends Pick<Io, 'stdin' | 'signal'> {
  /** What --input-format says. */
  format?: string;
}

/** How messages call it. */
const inputName = 'standard input';

const extensions = formats.flatMap((format) => format.extensions.map((extension) => extension.slice(1)));

export function inputFormatOption(): Option {
  const option = new Option('--input-format <form>', 'the form of a matrix on standard input (-), where it does not tell by itself');
  return option.choices(extensions);
}

/** Throws InputError for --input-format without standard input, and for two files that would both be read from there. */
export function checkStandardInput(paths: readonly (string | undefined)[], inputFormat?: string): void {
  const count = paths.filter((path) => path === '-').length;
  if (count > 1) throw new InputError('Standard input (-) can be read once; give a file for the data or for --weights.');
  if (count === 0 && inputFormat !== undefined)
    throw new InputError('--input-format is for standard input (-); the name of a file tells its format. Leave it out.');
}

/** The result of `read`, given a file with what standard input has, in which that file is called standard input; so it is in its errors. */
export async function fromStandardInput<T extends object>(
  input: StandardInput,
  read: (path: string) => Promise<T>,
): Promise<T & { path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'orthant-'));
  let path = '';
  try {
    path = await untilAborted(spool(input, folder), input.signal);
    return { ...(await read(path)), path: inputName };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { option, row, column } = error;
    const message = path === '' ? error.message : error.message.replaceAll(`'${path}'`, inputName).replaceAll(path, inputName);
    throw new InputError(message.replace(/^standard/, 'Standard'), { option, row, column, cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes standard input into the folder, and returns the path of the file. */
async function spool({ stdin, format }: StandardInput, folder: string): Promise<string> {
  const file = join(folder, 'input');
  await pipeline(Readable.from(stdin?.() ?? []), createWriteStream(file)).catch((error) => {
    throw cannotWrite(folder, error);
  });
  if ((await stat(file)).size === 0) throw new InputError('Standard input is empty.');
  const start = await startOf(file);
  const gzipped = start[0] === 0x1f && start[1] === 0x8b;
  const named = `${file}.${format ?? formatOf(start)}${gzipped ? '.gz' : ''}`;
  await rename(file, named);
  return named;
}

async function startOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The first characters of formats that begin so, each byte as a character. */
const beginnings: [format: string, start: string][] = [
  ['npy', '\x93NUMPY'],
  ['mtx', '%%MatrixMarket'],
  ['npz', 'PK\x03\x04'],
  ['parquet', 'PAR1'],
  ['arrow', 'ARROW1'],
  ['h5ad', '\x89HDF'],
  ['json', '{'],
];

/** A table is whatever does not begin as another format. */
function formatOf(start: Uint8Array): string {
  const text = String.fromCharCode(...start);
  return beginnings.find(([format, first]) => text.startsWith(first) && extensions.includes(format))?.[0] ?? 'csv';
}
