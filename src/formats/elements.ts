/** Numbers as binary files hold them, one after another. */
import { type Matrix, matrix } from '../data/matrix.js';
import { InputError } from '../errors.js';

/** A type of numbers as NumPy names it, without the byte order. */
export type ElementType = 'f2' | 'bf2' | 'f4' | 'f8' | 'b1' | 'u1' | 'i1' | 'u2' | 'i2' | 'u4' | 'i4' | 'u8' | 'i8';

type Reader = (view: DataView, at: number, little: boolean) => number;

const readers: Record<ElementType, Reader> = {
  f2: (view, at, little) => halfOf(view.getUint16(at, little)),
  bf2: (view, at, little) => brainFloatOf(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  b1: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  // In two halves: exact up to 2⁵³, far beyond what f32 keeps, and much faster than BigInt.
  u8: (view, at, little) => view.getUint32(little ? at + 4 : at, little) * 2 ** 32 + view.getUint32(little ? at : at + 4, little),
  i8: (view, at, little) => view.getInt32(little ? at + 4 : at, little) * 2 ** 32 + view.getUint32(little ? at : at + 4, little),
};

/** IEEE 754 binary16, exactly: DataView.getFloat16 is not in every engine yet. */
function halfOf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const scratch = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of an f32. */
function brainFloatOf(bits: number): number {
  scratch.setUint16(0, bits);
  return scratch.getFloat32(0);
}

export const isElementType = (name: string): name is ElementType => Object.hasOwn(readers, name);

/** Bytes of one number. */
export const sizeOfElement = (type: ElementType): number => Number(type.at(-1));

/** Numbers in bytes that hold as many of them. */
export interface Elements {
  bytes: Uint8Array;
  type: ElementType;
  /** Whether the lowest byte comes first. */
  little: boolean;
}

/** The numbers one after another, in f64. */
export function numbersIn({ bytes, type, little }: Elements): Float64Array {
  const size = sizeOfElement(type);
  const read = readers[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = new Float64Array(bytes.length / size);
  for (let e = 0; e < numbers.length; e++) numbers[e] = read(view, e * size, little);
  return numbers;
}

/**
 * The matrix of these numbers, rounded to f32: row after row, or column after column where `fortran`. `what` begins the message for a number
 * beyond the range of f32, "The .npy file".
 */
export function matrixOf(
  elements: Elements,
  rows: number,
  cols: number,
  { what, fortran = false }: { what: string; fortran?: boolean },
): Matrix {
  const { bytes, type, little } = elements;
  const X = matrix(rows, cols);
  if (type === 'f4' && little && !fortran) {
    // As they lie in memory: every platform with WebGPU is little-endian.
    new Uint8Array(X.data.buffer).set(bytes);
    return X;
  }
  const size = sizeOfElement(type);
  const read = readers[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const value = read(view, size * (fortran ? j * rows + i : i * cols + j), little);
      const p = i * cols + j;
      X.data[p] = value;
      if (Math.abs(X.data[p]) !== Infinity || !Number.isFinite(value)) continue;
      throw new InputError(
        `${what} has ${value} in row ${i}, column ${j} (counted from 0), which is too large for f32; rescale the data.`,
        {
          row: i,
          column: j,
        },
      );
    }
  }
  return X;
}
