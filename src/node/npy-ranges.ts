/** The columns of a .npy by ranges of its bytes, whichever side its samples are. */
import { type FileHandle, open } from 'node:fs/promises';
import { type Matrix, transpose } from '../data/matrix.js';
import { InputError } from '../errors.js';
import { matrixOf, sizeOfElement } from '../formats/elements.js';
import { within } from '../formats/file-format.js';
import { matrixFormOf, npyHeaderBytes, parseNpyHeader } from '../formats/npy.js';
import { bytesAt, type MatrixRanges, readInto } from './file-ranges.js';
import { checkReadable } from './files.js';

/** What the header says. Throws InputError for a file that is no matrix. */
export async function npyRanges(path: string, samples: 'rows' | 'columns'): Promise<MatrixRanges> {
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
