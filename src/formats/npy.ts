import { checkDense, type Matrix } from '../data/matrix.js';
import { describe, quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { isElementType, matrixOf, sizeOfElement } from './elements.js';
import { type FileFormat, within } from './file-format.js';

export const npy = {
  name: 'NumPy',
  summary: 'an array of two dimensions, or of one as a column',
  extensions: ['.npy'],
  read: (bytes, source) => ({ X: within(source, () => decodeNpy(bytes)) }),
  write: encodeNpy,
} satisfies FileFormat;

/**
 * NumPy's .npy format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html):
 * '\x93NUMPY', version, length of the header, the header (a Python dict as text), then the entries.
 */
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** The bytes of a .npy file (version 1.0, '<f4', C order) that `numpy.load` reads as an array of shape (rows, cols). */
export function encodeNpy(X: Matrix): Uint8Array {
  checkDense(X);
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${X.rows}, ${X.cols}), }`;
  // The header ends in a newline and is padded so that the entries start at a multiple of 64 bytes.
  const start = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + 4 * X.data.length);
  bytes.set([...magic, 1, 0, (start - 10) & 0xff, (start - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${dict.padEnd(start - 11)}\n`), 10);
  // Copied as they lie in memory: every platform with WebGPU is little-endian.
  bytes.set(new Uint8Array(X.data.buffer, X.data.byteOffset, X.data.byteLength), start);
  return bytes;
}

/**
 * The matrix in a .npy file: versions 1–3, C or Fortran order, either byte order, of floats (2, 4 or 8 bytes), integers
 * (1, 2, 4 or 8 bytes) or booleans. An array of shape (n,) becomes an n×1 matrix. Entries are rounded to f32.
 * Throws InputError for anything else, for an array without entries, for a file that is cut off or too long, and for a number beyond the
 * range of f32.
 */
export function decodeNpy(bytes: Uint8Array): Matrix {
  if (!ArrayBuffer.isView(bytes)) throw new InputError(`The bytes of a .npy file must be a Uint8Array, not ${describe(bytes)}.`);
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new InputError('This is not a .npy file: it does not start with \\x93NUMPY. Write it with numpy.save.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) throw new InputError(`The .npy file has version ${version}.${bytes[7]}; versions 1 to 3 can be read.`);
  const headerAt = version === 1 ? 10 : 12;
  const start = bytes.length < headerAt ? Infinity : headerAt + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) throw new InputError(`The .npy file is cut off: its ${bytes.length} bytes end inside the header.`);

  const { dtype, fortran, shape } = readHeader(new TextDecoder().decode(bytes.subarray(headerAt, start)));
  const type = dtype.slice(1);
  // 'bf2' is a name of ours, which NumPy does not know.
  if (!/^[<>|=]/.test(dtype) || !isElementType(type) || type === 'bf2') {
    throw new InputError(
      `The .npy file has dtype '${shortened(dtype)}', but only real numbers can be read; convert it with array.astype('float32').`,
    );
  }
  if (shape.length < 1 || shape.length > 2) {
    throw new InputError(
      `The .npy file has an array of shape (${shortened(shape.join(', '))}), but a matrix has 2 dimensions; reshape it first.`,
    );
  }
  const [rows, cols = 1] = shape;
  // Nothing below may count along an axis of which the file has no entry.
  if (rows === 0 || cols === 0)
    throw new InputError(`The .npy file has an array of shape (${shape.join(', ')}), which has no entries; a matrix needs at least one.`);
  const needed = rows * cols * sizeOfElement(type);
  if (bytes.length - start !== needed) {
    const wrong = bytes.length - start < needed ? 'is cut off' : 'is too long';
    throw new InputError(
      `The .npy file ${wrong}: ${rows}×${cols} entries of '${dtype}' need ${needed} bytes, but ${bytes.length - start} follow the header.`,
    );
  }

  const elements = { bytes: bytes.subarray(start), type, little: dtype[0] !== '>' };
  return matrixOf(elements, rows, cols, { what: 'The .npy file', fortran });
}

/** A key of the header and its value, up to the next comma: text, a truth value, or numbers in brackets. */
const field = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\dL,\s]*)\))\s*(?:,|$)/y;

/** The header, a dict of Python with these three keys in any order. Anything else is refused: a header half understood gives wrong numbers. */
function readHeader(header: string): { dtype: string; fortran: boolean; shape: number[] } {
  if (/'descr':\s*\[/.test(header)) {
    throw new InputError('The .npy file has a structured dtype (a table of named fields), but a plain array of numbers is needed.');
  }
  const unreadable = () => new InputError(`The .npy file has a header that cannot be read: ${quoted(header.trim())}.`);
  const dict = header.trim();
  if (!dict.startsWith('{') || !dict.endsWith('}')) throw unreadable();
  const inside = dict.slice(1, -1).trimEnd();
  const values = new Map<string, { text?: string; truth?: string; tuple?: string }>();
  for (field.lastIndex = 0; field.lastIndex < inside.length; ) {
    const [, , key, , text, truth, tuple] = field.exec(inside) ?? [];
    if (key === undefined || values.has(key)) throw unreadable();
    values.set(key, { text, truth, tuple });
  }
  const dtype = values.get('descr')?.text;
  const order = values.get('fortran_order')?.truth;
  const sizes = sizesIn(values.get('shape')?.tuple);
  if (values.size !== 3 || dtype === undefined || order === undefined || sizes === undefined) throw unreadable();
  return { dtype, fortran: order === 'True', shape: sizes };
}

/** The numbers of a tuple of Python: '2, 3', '2,' or '' for none. Python 2 wrote long integers as 3L. */
function sizesIn(tuple: string | undefined): number[] | undefined {
  const texts = tuple?.split(',').map((text) => text.trim());
  // A comma ends a tuple of one, and may end any.
  if (texts?.at(-1) === '') texts.pop();
  return texts?.every((text) => /^(?:0|[1-9]\d{0,14})L?$/.test(text)) ? texts.map((text) => Number.parseInt(text, 10)) : undefined;
}
