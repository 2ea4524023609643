/**
 * Operations of tensors of several modes. A dense one is kept as a matrix: all modes but the last run over its rows, the last one
 * fastest, and the last mode over its columns. So nothing is ever unfolded. A sparse one is kept by the coordinates of its entries.
 */
import { ShapeError } from '../../errors.js';
import type { Tensor } from '../tensor.js';
import { define, type Input, type Into, type NoAttributes, type Writer, whole } from './definition.js';

/** The mode of a contraction: the one that runs slowest over the rows, or the one that runs fastest. */
export type ContractedMode = 'first' | 'last';

const coordinates: Input = { coordinates: true };

/** Throws ShapeError unless X is in coordinates and F has a factor for every mode, with as many rows as the mode is long. */
function requireFactors(w: Writer<object>, kind: string, X: Tensor, F: readonly (Tensor | undefined)[]): void {
  const { name, shape } = X;
  if (shape === undefined)
    throw new ShapeError(`${kind} in program ${w.program} takes a tensor in coordinates, but ${name} is not; use matmul and contract.`);
  if (F.length !== shape.length)
    throw new ShapeError(`${kind} in program ${w.program}: ${name} has ${shape.length} modes, but ${F.length} factors were given.`);
  const first = F.find((f) => f !== undefined);
  F.forEach((f, n) => {
    if (f && first) w.requireShape(f, shape[n], first.cols);
  });
}

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

  /**
   * The matricised tensor times Khatri–Rao product of one mode of a tensor X in coordinates, X_(n) (⊙_{m≠n} F_m):
   * out[i][r] = Σ x Π_{m≠n} F_m[i_m][r] over the entries with index i in mode n. F has a factor for every mode; that of n is not read, and may be
   * left out.
   */
  mttkrp: define({
    inputs: { X: coordinates },
    outputs: { out: whole },
    text: ([X, ...others], [out], { mode }) => `${out} = ${X}₍${String.fromCharCode(0x2080 + mode)}₎ (${others.join(' ⊙ ')})`,
    write: (w: Writer<{ mode: number }>, X: Tensor, F: readonly (Tensor | undefined)[], mode: number, options: Into = {}) => {
      requireFactors(w, 'mttkrp', X, F);
      const others = F.flatMap((f, m) => (f && m !== mode ? [f] : []));
      if (others.length !== F.length - 1)
        throw new ShapeError(`mttkrp in program ${w.program}: a factor of another mode than ${mode} was left out.`);
      return w.result([X, ...others], X.shape![mode], others[0].cols, { mode }, options);
    },
  }),

  /** out = Σ ((x − y)² − y²) over the stored entries x of a tensor X in coordinates, with the entries y of [[F]] there (1×1). */
  storedResidual: define({
    inputs: { X: coordinates },
    outputs: { out: whole },
    text: ([X, ...F], [out]) => `${out} = ‖${X} − [[${F.join(', ')}]]‖² − ‖[[${F.join(', ')}]]‖² over stored entries`,
    write: (w: Writer<NoAttributes>, X: Tensor, F: readonly Tensor[], options: Into = {}) => {
      requireFactors(w, 'storedResidual', X, F);
      return w.result([X, ...F], 1, 1, {}, options);
    },
  }),
};
