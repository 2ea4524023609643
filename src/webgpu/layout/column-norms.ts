/** Squared norms of the columns of an input, which residuals by Gram matrices need beside AᵀX: made once, when the input is written. */
import type { Tensor } from '../../graph/tensor.js';
import { unpackHalves } from './halves.js';
import { strideOf } from './layout.js';
import { isHalf } from './stored-inputs.js';

/** 1×M beside an N×M input that all restarts share. */
export function columnNormsOf(X: Tensor, id: number): Tensor {
  const { cols } = X;
  return { id, name: `norms of ${X.name}`, role: 'input', form: 'dense', rows: 1, cols, batch: 1, entries: cols };
}

/** ‖x_j‖², summed in f64, of an input in its device form: with 16-bit floats that of the rounded entries. The padding is zero. */
export function columnNorms(X: Tensor, stored: Float32Array | Uint32Array): Float32Array<ArrayBuffer> {
  const entries = isHalf(X) ? unpackHalves(new Float32Array(stored.buffer, stored.byteOffset, stored.length)) : stored;
  const stride = strideOf(X);
  const sums = new Float64Array(stride);
  for (let i = 0, at = 0; i < X.rows; i++) for (let j = 0; j < stride; j++, at++) sums[j] += entries[at] * entries[at];
  return Float32Array.from(sums.subarray(0, strideOf({ cols: X.cols })));
}
