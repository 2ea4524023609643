/** Sums and maxima over many entries. */
import type { Tensor } from '../tensor.js';
import { byColumn, byEntry, define, type Into, type NoAttributes, type Writer, whole } from './definition.js';

type Reduction = 'sum' | 'squares' | 'maxAbs';

export const reduce = {
  /** out = Σ x, Σ x² or max |x| over all entries, 1×1. */
  reduce: define({
    inputs: { X: byEntry },
    outputs: { out: whole },
    text: ([X], [out], { of }) => `${out} = ${{ sum: 'sum', squares: 'sum of squares', maxAbs: 'max abs' }[of]}(${X})`,
    write: (w: Writer<{ of: Reduction }>, X: Tensor, of: Reduction, options: Into = {}) => w.result([X], 1, 1, { of }, options),
  }),

  /**
   * out = X, a sum (or a maximum) over columns of the data, once all columns have their share in it. Where one process has all columns it is
   * a copy. An executor of several processes, or of one panel after another, brings the shares together here. Only by-columns.ts writes it.
   */
  allReduce: define({
    inputs: { X: byEntry },
    outputs: { out: byEntry },
    text: ([X], [out], { by }) => `${out} = ${by === 'sum' ? 'sum' : 'max'} of ${X} over all columns`,
    write: (w: Writer<{ by: 'sum' | 'max' }>, X: Tensor, by: 'sum' | 'max', options: Into = {}) =>
      w.result([X], X.rows, X.cols, { by }, options),
  }),

  /**
   * The loss of every column (1×M), −Σ Y log softmax(logits), and its gradient in the logits (P×M), softmax(logits) − Y.
   * Columns without a label, whose Y is zero, have 0 in both.
   */
  softmaxCrossEntropy: define({
    inputs: { logits: byColumn, Y: byColumn },
    outputs: { loss: byColumn, gradient: byColumn },
    write: (w: Writer<NoAttributes>, logits: Tensor, Y: Tensor) => {
      w.requireShape(Y, logits.rows, logits.cols);
      const loss = w.output([logits, Y], 1, logits.cols);
      const gradient = w.output([logits, Y], logits.rows, logits.cols);
      w.emit([logits, Y], [loss, gradient], {});
      return { loss, gradient };
    },
  }),

  /**
   * The largest entry of every `size` neighbouring rows (⌈k/size⌉×M), and a 0/1 selector (k×M) that marks it.
   * Of equal entries the first is marked.
   */
  maxPool: define({
    inputs: { S: byColumn },
    outputs: { pooled: byColumn, selector: byColumn },
    write: (w: Writer<{ size: number }>, S: Tensor, size: number) => {
      const pooled = w.output([S], Math.ceil(S.rows / size), S.cols);
      const selector = w.output([S], S.rows, S.cols);
      w.emit([S], [pooled, selector], { size });
      return { pooled, selector };
    },
  }),
};
