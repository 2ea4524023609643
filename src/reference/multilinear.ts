/** The meaning of operations of tensors of three and more modes. */
import type { multilinear as definitions } from '../graph/operations/multilinear.js';
import type { Meanings } from './value.js';

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
};
