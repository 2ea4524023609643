/** The meaning of operations of tensors of several modes. */
import type { multilinear as definitions } from '../graph/operations/multilinear.js';
import type { Meanings, Value } from './value.js';

/** The stored entries of a tensor in coordinates, each with its index in every mode. */
function eachStored({ data, coordinates }: Value, order: number, visit: (x: number, indices: Uint32Array) => void): void {
  data.forEach((x, e) => {
    visit(x, coordinates!.subarray(order * e, order * (e + 1)));
  });
}

export const multilinear: Meanings<keyof typeof definitions> = {
  khatriRao([A, B], [out]) {
    const R = A.cols;
    for (let i = 0; i < A.rows; i++) {
      for (let j = 0; j < B.rows; j++) {
        for (let r = 0; r < R; r++) out.data[(i * B.rows + j) * R + r] = A.data[i * R + r] * B.data[j * R + r];
      }
    }
  },

  contract([X, F], [out], { mode }) {
    const R = X.cols;
    const last = mode === 'last' ? F.rows : out.rows;
    out.data.fill(0);
    for (let i = 0; i < X.rows / last; i++) {
      for (let j = 0; j < last; j++) {
        const [kept, summed] = mode === 'last' ? [i, j] : [j, i];
        for (let r = 0; r < R; r++) out.data[kept * R + r] += X.data[(i * last + j) * R + r] * F.data[summed * R + r];
      }
    }
  },

  mttkrp([X, ...others], [out], { mode }) {
    const R = out.cols;
    out.data.fill(0);
    eachStored(X, others.length + 1, (x, indices) => {
      for (let r = 0; r < R; r++) {
        const product = others.reduce((before, F, m) => before * F.data[indices[m < mode ? m : m + 1] * R + r], x);
        out.data[indices[mode] * R + r] += product;
      }
    });
  },

  storedResidual([X, ...F], [out]) {
    const R = F[0].cols;
    let sum = 0;
    eachStored(X, F.length, (x, indices) => {
      let y = 0;
      for (let r = 0; r < R; r++) y += F.reduce((before, f, n) => before * f.data[indices[n] * R + r], 1);
      sum += (x - y) ** 2 - y ** 2;
    });
    out.data[0] = sum;
  },
};
