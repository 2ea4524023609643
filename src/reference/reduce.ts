/** The meaning of sums and maxima over many entries. */
import type { reduce as definitions } from '../graph/operations/reduce.js';
import { column, type Meanings } from './value.js';

export const reduce: Meanings<keyof typeof definitions> = {
  reduce([X], [out], { of }) {
    let total = 0;
    for (const x of X.data) total = of === 'sum' ? total + x : of === 'squares' ? total + x * x : Math.max(total, Math.abs(x));
    out.data[0] = total;
  },

  allReduce([X], [out]) {
    out.data.set(X.data);
  },

  softmaxCrossEntropy([logits, Y], [loss, gradient]) {
    for (let c = 0; c < logits.cols; c++) {
      const z = column(logits, c);
      const y = column(Y, c);
      const largest = Math.max(...z);
      const sum = z.reduce((total, zi) => total + Math.exp(zi - largest), 0);
      const labelled = y.some((yi) => yi > 0);
      loss.data[c] = labelled ? y.reduce((total, yi, i) => total - yi * (z[i] - largest - Math.log(sum)), 0) : 0;
      for (let i = 0; i < z.length; i++) gradient.data[i * gradient.cols + c] = labelled ? Math.exp(z[i] - largest) / sum - y[i] : 0;
    }
  },

  maxPool([S], [pooled, selector], { size }) {
    selector.data.fill(0);
    for (let c = 0; c < S.cols; c++) {
      for (let group = 0; group < pooled.rows; group++) {
        let best = group * size;
        for (let i = best + 1; i < Math.min(S.rows, (group + 1) * size); i++)
          if (S.data[i * S.cols + c] > S.data[best * S.cols + c]) best = i;
        pooled.data[group * pooled.cols + c] = S.data[best * S.cols + c];
        selector.data[best * S.cols + c] = 1;
      }
    }
  },
};
