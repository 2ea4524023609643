/** Tensors that go by columns, on the host: what a device holds for one panel only. Entries are those of every restart, row-major. */
import type { Tensor } from '../graph/tensor.js';
import type { Range } from './share.js';

export type Entries = Float32Array | Float64Array;
type Axis = 'rows' | 'cols';

/**
 * The part of `given` whose columns (or, along 'rows', rows) are in a range, for a tensor that has `width` of them; the rest is 0. `given` has
 * `size` of them, for every restart of the tensor or once for all.
 */
export function partOf(given: ArrayLike<number>, tensor: Tensor, axis: Axis, { from, to }: Range, size: number): Float64Array {
  const [rows, cols] = axis === 'cols' ? [tensor.rows, size] : [size, tensor.cols];
  const batch = given.length / (rows * cols);
  const part = new Float64Array(batch * tensor.rows * tensor.cols);
  for (let b = 0; b < batch; b++) {
    const lines = axis === 'cols' ? tensor.rows : to - from;
    for (let i = 0; i < lines; i++) {
      const source = axis === 'cols' ? (b * rows + i) * cols + from : (b * rows + from + i) * cols;
      const target = (b * tensor.rows + i) * tensor.cols;
      const count = axis === 'cols' ? to - from : cols;
      for (let j = 0; j < count; j++) part[target + j] = given[source + j];
    }
  }
  return part;
}

/** Puts a part back to its place in `whole`, which has `size` columns or rows. */
export function putPart(whole: Entries, part: ArrayLike<number>, tensor: Tensor, axis: Axis, { from, to }: Range, size: number): void {
  const { batch } = tensor;
  for (let b = 0; b < batch; b++) {
    const lines = axis === 'cols' ? tensor.rows : to - from;
    for (let i = 0; i < lines; i++) {
      const source = (b * tensor.rows + i) * tensor.cols;
      const target = axis === 'cols' ? (b * tensor.rows + i) * size + from : (b * size + from + i) * tensor.cols;
      const count = axis === 'cols' ? to - from : tensor.cols;
      for (let j = 0; j < count; j++) whole[target + j] = part[source + j];
    }
  }
}
