/** The columns of a .npy by ranges of its bytes, whichever side its samples are. */
import { type FileHandle, open } from 'node:fs/promises';
import { type Matrix, transpose } from '../data/matrix.js';
import { InputError } from '../errors.js';
import { matrixOf, sizeOfElement } from '../formats/elements.js';
import { within } from '../formats/file-format.js';
import { matrixFormOf, npyHeaderBytes, parseNpyHeader } from '../formats/npy.js';
import { checkReadable, type ReadMatrixOptions } from './files.js';

export interface NpyRanges {
  /** N, features. */
  rows: number;
  /** M, samples. */
  cols: number;
  samplesAre: 'rows' | 'columns';
  opened(): Promise<OpenNpy>;
}

export interface OpenNpy {
  /** Samples `from` up to `to`, features × samples. */
  read(from: number, to: number): Promise<Matrix>;
  close(): Promise<void>;
}

/** What the header says. Throws InputError for a file that is no matrix, and for options of tables of text. */
export async function npyRanges(path: string, { samples = 'rows', ...table }: ReadMatrixOptions): Promise<NpyRanges> {
  const [option] = Object.entries(table).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (option !== undefined) throw new InputError(`${option} is for tables of text, and '${path}' is none; leave it out.`, { option });
  const size = await checkReadable(path);
  const { start, fortran, lines, width, ...form } = await withFile(path, async (file) => {
    const head = await bytesAt(file, 0, Math.min(size, npyHeaderBytes));
    return within(path, () => {
      const { start, fortran, ...array } = parseNpyHeader(head);
      const { rows, cols, ...form } = matrixFormOf(array, size - start);
      // As they lie in the file: so many lines of `width` entries.
      return { start, fortran, lines: fortran ? cols : rows, width: fortran ? rows : cols, ...form };
    });
  });
  // Whether a line of the file is a sample.
  const whole = (samples === 'rows') !== fortran;
  const [rows, cols] = whole ? [width, lines] : [lines, width];
  const entry = sizeOfElement(form.type);
  async function block(file: FileHandle, from: number, to: number): Promise<Matrix> {
    const [most, each] = [to - from, entry * width];
    const parts: { bytes: Uint8Array; lines: number; width: number } = whole
      ? { bytes: await bytesAt(file, start + from * each, most * each), lines: most, width }
      : { bytes: new Uint8Array(lines * most * entry), lines, width: most };
    if (!whole)
      for (let line = 0; line < lines; line++)
        await readInto(file, parts.bytes.subarray(line * most * entry, (line + 1) * most * entry), start + line * each + from * entry);
    try {
      const lying = matrixOf({ bytes: parts.bytes, ...form }, parts.lines, parts.width, { what: path });
      return whole ? transpose(lying) : lying;
    } catch (error) {
      if (!(error instanceof InputError) || error.row === undefined || error.column === undefined) throw error;
      const [line, place] = whole ? [error.row + from, error.column] : [error.row, error.column + from];
      const [row, column] = fortran ? [place, line] : [line, place];
      throw new InputError(error.message.replace(/in row \d+, column \d+/, `in row ${row}, column ${column}`), { row, column });
    }
  }
  return {
    rows,
    cols,
    samplesAre: samples,
    async opened() {
      const file = await open(path);
      return { read: (from, to) => block(file, from, to), close: () => file.close() };
    },
  };
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await readInto(file, bytes, position);
  return bytes;
}

async function readInto(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let read = 0; read < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, position + read);
    if (bytesRead === 0) throw new InputError('The file became shorter while it was read; start again once nothing writes to it.');
    read += bytesRead;
  }
}
