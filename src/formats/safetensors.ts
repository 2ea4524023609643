/**
 * The safetensors format (https://github.com/huggingface/safetensors): the length of the header in 8 bytes, the header (JSON: the type, the
 * shape and the place of each tensor), then the numbers. It has no code in it, and no padding.
 */
import { checkDense, type Matrix } from '../data/matrix.js';
import { describe, inWords, quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { type ElementType, matrixOf, sizeOfElement } from './elements.js';

const types: Readonly<Record<string, ElementType>> = {
  F16: 'f2',
  BF16: 'bf2',
  F32: 'f4',
  F64: 'f8',
  BOOL: 'b1',
  U8: 'u1',
  I8: 'i1',
  U16: 'u2',
  I16: 'i2',
  U32: 'u4',
  I32: 'i4',
  U64: 'u8',
  I64: 'i8',
};

/** The header is read whole; the reference implementation takes no longer one, either. */
const longestHeader = 100_000_000;

/** The bytes of a .safetensors file with these matrices as tensors of F32, in their order, and texts about them. */
export function encodeSafetensors(tensors: Readonly<Record<string, Matrix>>, about: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, unknown> = Object.keys(about).length > 0 ? { __metadata__: about } : {};
  let end = 0;
  for (const [name, X] of Object.entries(tensors)) {
    checkDense(X, name);
    const start = end;
    end += 4 * X.data.length;
    header[name] = { dtype: 'F32', shape: [X.rows, X.cols], data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Blanks may follow the header, so that the numbers start at a multiple of 8 bytes.
  const start = Math.ceil((8 + text.length) / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8 + text.length, start);
  new DataView(bytes.buffer).setUint32(0, start - 8, true);
  bytes.set(text, 8);
  let at = start;
  for (const { data } of Object.values(tensors)) {
    // As they lie in memory: every platform with WebGPU is little-endian.
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** A tensor of a .safetensors file whose place and size have been checked. */
export interface Tensor {
  name: string;
  shape: readonly number[];
  /** Its numbers, rounded to f32, as a matrix; a vector is a column. Throws InputError for other shapes and types that are no numbers. */
  matrix(): Matrix;
}

/**
 * The tensors of a .safetensors file by their names. Nothing is read of one before its `matrix()` is called.
 *
 * @throws InputError for a header that cannot be read, and for tensors that overlap, leave gaps, or do not end with the file.
 */
export function decodeSafetensors(bytes: Uint8Array): Map<string, Tensor> {
  return readSafetensors(bytes).tensors;
}

/** The same, with the texts that `encodeSafetensors` put beside them. */
export function readSafetensors(bytes: Uint8Array): { tensors: Map<string, Tensor>; about: Readonly<Record<string, unknown>> } {
  if (!ArrayBuffer.isView(bytes)) throw new InputError(`The bytes of a .safetensors file must be a Uint8Array, not ${describe(bytes)}.`);
  const notOne = (why: string) => new InputError(`This is not a whole .safetensors file: ${why}. Write it with save_file of safetensors.`);
  if (bytes.length < 10) throw notOne(`it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true);
  if (length > longestHeader) throw notOne(`its first 8 bytes, the length of its header, say ${length}`);
  if (length > bytes.length - 8) throw notOne(`its header should have ${length} bytes, but ${bytes.length - 8} follow`);
  const header = parseHeader(bytes.subarray(8, 8 + length), notOne);
  const data = bytes.subarray(8 + length);
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => checkEntry(name, entry, data));
  // In the order in which they lie. They fill the rest of the file, and no two share a byte.
  let end = 0;
  for (const { name, from, to } of [...tensors].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) throw notOne(`tensor ${quoted(name)} begins at byte ${from} of the numbers, but the one before it ends at ${end}`);
    end = to;
  }
  if (end !== data.length) throw notOne(`its tensors take ${end} bytes, but ${data.length} follow the header`);
  const { __metadata__: about } = header;
  return {
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    about: typeof about === 'object' && about !== null ? (about as Record<string, unknown>) : {},
  };
}

function parseHeader(bytes: Uint8Array, notOne: (why: string) => InputError): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw notOne('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw notOne('its header is no JSON object');
  return header as Record<string, unknown>;
}

function checkEntry(name: string, entry: unknown, data: Uint8Array): Tensor & { from: number; to: number } {
  const refuse = (why: string) => new InputError(`Tensor ${quoted(name)} of the .safetensors file ${why}.`);
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string') throw refuse(`has the dtype ${describe(dtype)}, which is no text`);
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount)) throw refuse(`has the shape ${describe(shape)}, which is no list of sizes`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1] || offsets[1] > data.length)
    throw refuse(`lies at ${describe(offsets)}, but ${data.length} bytes follow the header`);
  const [from, to] = offsets as [number, number];
  const type = Object.hasOwn(types, dtype) ? types[dtype] : undefined;
  const count = shape.reduce((product: number, size: number) => product * size, 1);
  const needed = type && count * sizeOfElement(type);
  if (needed !== undefined && needed !== to - from)
    throw refuse(`has the shape (${shortened(shape.join(', '))}) of ${dtype}, which needs ${needed} bytes, but takes ${to - from}`);
  return {
    name,
    shape,
    from,
    to,
    matrix() {
      if (type === undefined)
        throw refuse(`has the dtype ${shortened(dtype)}, but only ${inWords(Object.keys(types))} can be read; convert it to F32`);
      if (shape.length < 1 || shape.length > 2)
        throw refuse(`has the shape (${shortened(shape.join(', '))}), but a matrix has 2 dimensions; reshape it first`);
      const [rows, cols = 1] = shape as number[];
      if (count === 0) throw refuse(`has the shape (${shape.join(', ')}), which has no entries; a matrix needs at least one`);
      return matrixOf({ bytes: data.subarray(from, to), type, little: true }, rows, cols, { what: `Tensor ${quoted(name)}` });
    },
  };
}
