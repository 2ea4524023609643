/** The meaning of products, and of the norm of the residual X − AZ. */
import type { products as definitions } from '../graph/operations/products.js';
import {
  betaDivergenceAtEntries,
  divergenceAtEntries,
  poweredProduct,
  powerProduct,
  quotientProduct,
  quotientUpdate,
  residualAtEntries,
  sampledProduct,
  sparseMatmul,
  sparseResidual,
} from './sparse.js';
import type { Meanings } from './value.js';

export const products: Meanings<keyof typeof definitions> = {
  matmul([A, B, E], [out], attributes) {
    if (A.places || B.places) {
      sparseMatmul([A, B, E], out, attributes);
      return;
    }
    const { transposeA, transposeB, scale, epilogue, addScale } = attributes;
    const inner = transposeA ? A.rows : A.cols;
    for (let i = 0; i < out.rows; i++) {
      for (let j = 0; j < out.cols; j++) {
        let sum = 0;
        for (let t = 0; t < inner; t++) {
          sum +=
            (transposeA ? A.data[t * A.cols + i] : A.data[i * A.cols + t]) * (transposeB ? B.data[j * B.cols + t] : B.data[t * B.cols + j]);
        }
        const at = i * out.cols + j;
        const extra = E?.data[at] ?? 0;
        out.data[at] = epilogue === 'hadamard' ? scale * sum * extra : scale * sum + (epilogue === 'add' ? addScale * extra : 0);
      }
    }
  },

  gram([A], [out], { of }) {
    const inner = of === 'columns' ? A.rows : A.cols;
    const entry = (i: number, t: number) => (of === 'columns' ? A.data[t * A.cols + i] : A.data[i * A.cols + t]);
    for (let i = 0; i < out.rows; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let t = 0; t < inner; t++) sum += entry(i, t) * entry(j, t);
        out.data[i * out.cols + j] = sum;
        out.data[j * out.cols + i] = sum;
      }
    }
  },

  residualNorm([X, A, Z, W], [out], { weighted }) {
    if (X.places) {
      out.data[0] = sparseResidual(X, A, Z);
      return;
    }
    let total = 0;
    for (let i = 0; i < X.rows; i++) {
      for (let j = 0; j < X.cols; j++) {
        let r = X.data[i * X.cols + j];
        for (let t = 0; t < A.cols; t++) r -= A.data[i * A.cols + t] * Z.data[t * Z.cols + j];
        if (weighted) r *= W.data[i * W.cols + j];
        total += r * r;
      }
    }
    out.data[0] = total;
  },

  quotientProduct,

  quotientUpdate,

  sampledProduct,

  residualAtEntries,

  poweredProduct,

  powerProduct,

  betaDivergenceAtEntries,

  divergenceAtEntries,
};
