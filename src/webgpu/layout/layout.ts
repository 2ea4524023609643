/**
 * Device layout of dense tensors: row-major f32, every row padded with zeros to a multiple of four entries, restarts one after
 * another. So every row starts on a 16-byte boundary, all loads can be vec4, and kernels need no edge cases along rows. Every kernel
 * keeps the padding zero. Sparse tensors have forms of their own (csr-layout.ts, coo-layout.ts), and data may be stored otherwise
 * (stored-inputs.ts).
 */
import { type Content, checkContent } from '../../data/content.js';
import { ShapeError } from '../../errors.js';
import type { Tensor } from '../../graph/tensor.js';
import { cooByteLength, packCoo } from './coo-layout.js';
import { csrByteLength, packCsr } from './csr-layout.js';
import { packHalves, unpackHalves } from './halves.js';
import { isHalf, type StoredInput } from './stored-inputs.js';

/** Entries from one row to the next. */
export function strideOf({ cols, pitch = 4 }: Pick<StoredInput, 'cols' | 'pitch'>): number {
  return Math.ceil(cols / pitch) * pitch;
}

/** Entries from one restart's copy to the next. */
export function batchStrideOf(tensor: Tensor): number {
  return tensor.rows * strideOf(tensor);
}

/** Rows of another tensor, read and written where they lie. */
export interface View extends Tensor {
  readonly viewOf: Tensor;
  readonly fromRow: number;
}

/** The entries that kernels add per restart: 0 where all restarts share the tensor. */
export function restartStep(tensor: Tensor | View): number {
  if (tensor.batch === 1) return 0;
  return batchStrideOf('viewOf' in tensor ? tensor.viewOf : tensor);
}

/** The part of its buffer that a tensor takes: all of it, or for a view the range from its first to its last entry. */
export function placeOf(tensor: Tensor | View): { holder: Tensor; offset: number; size?: number } {
  if (!('viewOf' in tensor)) return { holder: tensor, offset: 0 };
  const bytes = entryBytes(tensor);
  const size = toVec4((restartStep(tensor) * (tensor.batch - 1) + batchStrideOf(tensor)) * bytes);
  return { holder: tensor.viewOf, offset: tensor.fromRow * strideOf(tensor) * bytes, size };
}

export function byteLength(tensor: Tensor): number {
  if (tensor.form === 'csr') return csrByteLength(tensor);
  if (tensor.form === 'coo') return cooByteLength(tensor);
  return toVec4(batchStrideOf(tensor) * tensor.batch * entryBytes(tensor));
}

function entryBytes(tensor: Tensor): number {
  return isHalf(tensor) ? 2 : 4;
}

/** Kernels bind arrays of vec4, 16 bytes each. */
function toVec4(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/** The host's entries of a tensor in the device layout. */
export function deviceForm(tensor: Tensor, content: Content): Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  checkContent(tensor, content);
  if ('rowStarts' in content) return packCsr(content);
  if ('coordinates' in content) return packCoo(content);
  const padded = pad(tensor, content);
  return isHalf(tensor) ? packHalves(padded) : padded;
}

/** Row-major entries into the device layout; one copy of them fills every restart. */
export function pad(tensor: Tensor, entries: ArrayLike<number>): Float32Array<ArrayBuffer> {
  checkEntries(tensor, entries);
  const size = tensor.rows * tensor.cols;
  const stride = strideOf(tensor);
  const padded = new Float32Array(batchStrideOf(tensor) * tensor.batch);
  for (let restart = 0; restart < tensor.batch; restart++) {
    const from = entries.length === size ? 0 : restart * size;
    const to = restart * batchStrideOf(tensor);
    for (let i = 0; i < tensor.rows; i++) {
      const begin = from + i * tensor.cols;
      if (ArrayBuffer.isView(entries)) padded.set((entries as Float32Array).subarray(begin, begin + tensor.cols), to + i * stride);
      else for (let j = 0; j < tensor.cols; j++) padded[to + i * stride + j] = entries[begin + j];
    }
  }
  return padded;
}

export function unpad(tensor: Tensor, stored: Float32Array): Float32Array {
  if (tensor.form !== 'dense') throw new ShapeError(`${tensor.name} is sparse and cannot be read back; keep what you wrote.`);
  const padded = isHalf(tensor) ? unpackHalves(stored) : stored;
  const stride = strideOf(tensor);
  const rows = tensor.rows * tensor.batch;
  const entries = new Float32Array(rows * tensor.cols);
  for (let i = 0; i < rows; i++) entries.set(padded.subarray(i * stride, i * stride + tensor.cols), i * tensor.cols);
  return entries;
}

export function checkEntries(tensor: Tensor, { length }: ArrayLike<number>): void {
  const size = tensor.rows * tensor.cols;
  if (length !== size && length !== size * tensor.batch)
    throw new ShapeError(
      `${tensor.name} takes ${size} entries (or ${size} for each of ${tensor.batch} restarts), but ${length} were given.`,
    );
}
