import { checkDense, type Matrix } from '../data/matrix.js';
import { type DenseTensor, tensor } from '../data/tensors.js';
import { describe, quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { type Elements, isElementType, matrixOf, numbersIn, sizeOfElement } from './elements.js';
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
  return encodeArray('<f4', `${X.rows}, ${X.cols}`, X.data);
}

/** The bytes before the entries of such a file. */
export const npyHeader = (rows: number, cols: number): Uint8Array => headerOf('<f4', `${rows}, ${cols}`);

function encodeArray(dtype: string, shape: string, { buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  const header = headerOf(dtype, shape);
  const bytes = new Uint8Array(header.length + byteLength);
  bytes.set(header);
  // Copied as they lie in memory: every platform with WebGPU is little-endian.
  bytes.set(new Uint8Array(buffer, byteOffset, byteLength), header.length);
  return bytes;
}

function headerOf(dtype: string, shape: string): Uint8Array {
  const dict = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${shape}), }`;
  // The header ends in a newline and is padded so that the entries start at a multiple of 64 bytes.
  const start = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start);
  bytes.set([...magic, 1, 0, (start - 10) & 0xff, (start - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${dict.padEnd(start - 11)}\n`), 10);
  return bytes;
}

/** An array of a .npy file as it lies there. */
export interface NpyArray {
  /** As the header has it, '<f4'. */
  dtype: string;
  fortran: boolean;
  shape: number[];
  /** All bytes after the header. */
  bytes: Uint8Array;
}

/** The array in a .npy file: versions 1–3, of any type and shape. Throws InputError for a header that is cut off or cannot be read. */
export function parseNpy(bytes: Uint8Array): NpyArray {
  if (!ArrayBuffer.isView(bytes)) throw new InputError(`The bytes of a .npy file must be a Uint8Array, not ${describe(bytes)}.`);
  const { start, ...header } = parseNpyHeader(bytes);
  return { ...header, bytes: bytes.subarray(start) };
}

/** Bytes at the begin of a .npy file that hold its header, but for one that nothing needs to be so long. */
export const npyHeaderBytes = 2 ** 16;

/** What the header of a .npy file says, and where the entries start, from its first bytes. Throws InputError as `parseNpy` does. */
export function parseNpyHeader(bytes: Uint8Array): Omit<NpyArray, 'bytes'> & { start: number } {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new InputError('This is not a .npy file: it does not start with \\x93NUMPY. Write it with numpy.save.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) throw new InputError(`The .npy file has version ${version}.${bytes[7]}; versions 1 to 3 can be read.`);
  const headerAt = version === 1 ? 10 : 12;
  const start = bytes.length < headerAt ? Infinity : headerAt + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) throw new InputError(`The .npy file is cut off: its ${bytes.length} bytes end inside the header.`);
  return { ...readHeader(new TextDecoder().decode(bytes.subarray(headerAt, start))), start };
}

/** The numbers of an array of real numbers, as they lie. Throws InputError for other types, and where there are more or fewer bytes. */
export function elementsOf({ dtype, shape, bytes }: NpyArray): Elements {
  return { bytes, ...elementFormOf({ dtype, shape }, bytes.length) };
}

/** The form of the numbers of an array of real numbers, of which so many bytes follow the header. Throws InputError as `elementsOf` does. */
export function elementFormOf({ dtype, shape }: Pick<NpyArray, 'dtype' | 'shape'>, length: number): Omit<Elements, 'bytes'> {
  const type = dtype.slice(1);
  // 'bf2' is a name of ours, which NumPy does not know.
  if (!/^[<>|=]/.test(dtype) || !isElementType(type) || type === 'bf2') {
    throw new InputError(
      `The .npy file has dtype '${shortened(dtype)}', but only real numbers can be read; convert it with array.astype('float32').`,
    );
  }
  const needed = shape.reduce((count, size) => count * size, sizeOfElement(type));
  if (length !== needed) {
    const wrong = length < needed ? 'is cut off' : 'is too long';
    throw new InputError(
      `The .npy file ${wrong}: ${shape.length === 1 ? `${shape[0]}×1` : shape.join('×')} entries of '${dtype}' need ${needed} bytes, but ${length} follow the header.`,
    );
  }
  return { type, little: dtype[0] !== '>' };
}

/**
 * The matrix in a .npy file: versions 1–3, C or Fortran order, either byte order, of floats (2, 4 or 8 bytes), integers
 * (1, 2, 4 or 8 bytes) or booleans. An array of shape (n,) becomes an n×1 matrix. Entries are rounded to f32.
 * Throws InputError for anything else, for an array without entries, for a file that is cut off or too long, and for a number beyond the
 * range of f32.
 */
export function decodeNpy(bytes: Uint8Array): Matrix {
  return matrixOfArray(parseNpy(bytes));
}

/** The same of an array whose header has been read. */
export function matrixOfArray(array: NpyArray): Matrix {
  const { rows, cols, ...form } = matrixFormOf(array, array.bytes.length);
  return matrixOf({ bytes: array.bytes, ...form }, rows, cols, { what: 'The .npy file', fortran: array.fortran });
}

/** The form of the numbers of a matrix, of which so many bytes follow the header, and its sizes. Throws InputError as `decodeNpy` does. */
export function matrixFormOf(
  { dtype, shape }: Pick<NpyArray, 'dtype' | 'shape'>,
  length: number,
): Omit<Elements, 'bytes'> & { rows: number; cols: number } {
  // The type first: of an array that can never be read nobody should change the shape.
  const form = shape.includes(0)
    ? undefined
    : shape.length < 1 || shape.length > 2
      ? elementFormOf({ dtype, shape: [0] }, 0)
      : elementFormOf({ dtype, shape }, length);
  if (shape.length < 1 || shape.length > 2) {
    throw new InputError(
      `The .npy file has an array of shape (${shortened(shape.join(', '))}), but a matrix has 2 dimensions; reshape it first.`,
    );
  }
  const [rows, cols = 1] = shape;
  // Nothing may count along an axis of which the file has no entry.
  if (form === undefined)
    throw new InputError(`The .npy file has an array of shape (${shape.join(', ')}), which has no entries; a matrix needs at least one.`);
  return { ...form, rows, cols };
}

/**
 * The tensor in a .npy file of two to six dimensions, otherwise as `decodeNpy`. Throws InputError for what that refuses, and for an array of
 * other dimensions.
 */
export function decodeNpyTensor(bytes: Uint8Array): DenseTensor {
  return tensorOfArray(parseNpy(bytes));
}

/** The same of an array whose header has been read. */
export function tensorOfArray(array: NpyArray): DenseTensor {
  const { shape, fortran } = array;
  if (shape.includes(0))
    throw new InputError(`The .npy file has an array of shape (${shape.join(', ')}), which has no entries; a tensor needs at least one.`);
  const X = fortran ? inCOrder(numbersIn(elementsOf(array)), shape) : numbersIn(elementsOf(array));
  return tensor(shape, X);
}

/** Entries whose first mode runs fastest, with the last one running fastest. */
function inCOrder(numbers: Float64Array, shape: readonly number[]): Float64Array {
  const order = shape.length;
  const strides = shape.map((_, n) => shape.slice(0, n).reduce((product, size) => product * size, 1));
  const indices = new Array<number>(order).fill(0);
  let from = 0;
  return numbers.map(() => {
    const number = numbers[from];
    for (let n = order - 1; n >= 0; n--) {
      from += strides[n];
      if (++indices[n] < shape[n]) break;
      from -= strides[n] * shape[n];
      indices[n] = 0;
    }
    return number;
  });
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

/** The texts of an array of them ('<U5', '|S3'), or its one text. Throws InputError for other types, and for more or fewer bytes. */
export function textsOf({ dtype, shape, bytes }: NpyArray): string[] {
  const [, order, kind, length] = /^([<>|=]?)([US])(\d{1,9})$/.exec(dtype) ?? [];
  if (kind === undefined) throw new InputError(`The .npy file has dtype '${shortened(dtype)}', but texts are needed.`);
  const size = Number(length) * (kind === 'U' ? 4 : 1);
  const count = shape.reduce((product, one) => product * one, 1);
  if (size === 0 || count * size !== bytes.length)
    throw new InputError(`The .npy file has ${bytes.length} bytes of text, but ${count} texts of '${dtype}' need ${count * size}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => {
    let text = '';
    for (let at = i * size; at < (i + 1) * size; at += kind === 'U' ? 4 : 1) {
      const code = kind === 'U' ? view.getUint32(at, order !== '>') : view.getUint8(at);
      if (code > 0x10ffff) throw new InputError(`The .npy file has ${code} where a character should be.`);
      text += String.fromCodePoint(code);
    }
    // Shorter texts are filled up with zeros.
    return text.replace(/\0+$/, '');
  });
}

/** The bytes of a .npy file that `numpy.load` reads as an array of these texts, '<U' of the longest. */
export function npyOfTexts(texts: readonly string[]): Uint8Array {
  const codes = texts.map((text) => Array.from(text, (character) => character.codePointAt(0)!));
  const length = codes.reduce((most, { length }) => Math.max(most, length), 1);
  const entries = new Uint32Array(length * texts.length);
  codes.forEach((list, i) => {
    entries.set(list, i * length);
  });
  return encodeArray(`<U${length}`, `${texts.length},`, entries);
}
