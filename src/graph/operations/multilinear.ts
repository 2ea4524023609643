/**
 * Operations of tensors of three and more modes. Such a tensor is kept as a matrix: all modes but the last run over its rows, the last one
 * fastest, and the last mode over its columns. So nothing is ever unfolded.
 */
import { ShapeError } from '../../errors.js';
import type { Tensor } from '../tensor.js';
import { define, type Into, type NoAttributes, type Writer, whole } from './definition.js';

/** The mode of a contraction: the one that runs slowest over the rows, or the one that runs fastest. */
export type ContractedMode = 'first' | 'last';

export const multilinear = {
  /** The Khatri–Rao product: out[i J + j][r] = A[i][r] B[j][r] for A (I×R) and B (J×R). */
  khatriRao: define({
    inputs: { A: whole, B: whole },
    outputs: { out: whole },
    text: ([A, B], [out]) => `${out} = ${A} ⊙ ${B}`,
    write: (w: Writer<NoAttributes>, A: Tensor, B: Tensor, options: Into = {}) => {
      w.requireShape(B, B.rows, A.cols);
      return w.result([A, B], A.rows * B.rows, A.cols, {}, options);
    },
  }),

  /**
   * Sums over one mode of X (I J × R), column by column, with the weights F:
   * out[i][r] = Σ_j X[i J + j][r] F[j][r] ('last', F is J×R), or out[j][r] = Σ_i X[i J + j][r] F[i][r] ('first', F is I×R).
   */
  contract: define({
    inputs: { X: whole, F: whole },
    outputs: { out: whole },
    text: ([X, F], [out], { mode }) => `${out} = ${X} ×${mode === 'first' ? '₁' : '₋₁'} ${F}`,
    write: (w: Writer<{ mode: ContractedMode }>, X: Tensor, F: Tensor, mode: ContractedMode, options: Into = {}) => {
      w.requireShape(F, F.rows, X.cols);
      if (X.rows % F.rows !== 0)
        throw new ShapeError(
          `contract in program ${w.program}: ${X.name} has ${X.rows} rows, which is no multiple of the ${F.rows} of ${F.name}.`,
        );
      return w.result([X, F], X.rows / F.rows, X.cols, { mode }, options);
    },
  }),
};
