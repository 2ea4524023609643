/** Solves of every column, and their residual. G is one Gram matrix for all columns (k×k), or one for each (`perColumn`, k²×M). */
import type { Tensor } from '../tensor.js';
import { type Axes, byColumn, define, type Into, type NoAttributes, type Writer, whole } from './definition.js';
import { reduce } from './reduce.js';

export interface PerColumn {
  perColumn: boolean;
}

const gramAxes = ({ perColumn }: PerColumn): Axes => (perColumn ? byColumn : whole);

/** The shape rule of an exact solve; returns `rounds`. */
const writeSolve = (
  w: Writer<PerColumn & { warm: boolean }>,
  G: Tensor,
  B: Tensor,
  S: Tensor,
  options: { warm?: boolean; rounds?: Tensor } = {},
) => {
  const perColumn = w.requireGram(G, B);
  w.requireShape(S, B.rows, B.cols);
  w.requireBatch(S, [G, B]);
  const rounds = w.output([G, B], 1, B.cols, { into: options.rounds, name: `rounds${S.name}` });
  w.emit([G, B], [S, rounds], { warm: options.warm ?? true, perColumn });
  return rounds;
};

const solveOperands = {
  inputs: { G: gramAxes, B: byColumn },
  outputs: { S: { ...byColumn, inPlace: true }, rounds: byColumn },
} as const;

export const nnls = {
  /**
   * S = argmin_{S ≥ 0} ‖X − AS‖² per column, from G = AᵀA and B = AᵀX.
   * With `warm` (default true) it starts from the support of the S that is there, else from {B > 0}.
   * An unknown whose pivot is the rounding of f32 depends on earlier ones and leaves the support.
   * Returns `rounds` (1×M): the number of factorizations that the pivoting of each column took, negative where neither pivoting nor the
   * active set came to an end.
   */
  nnls: define({
    ...solveOperands,
    text: (names, [S], { warm }) => `${S} = nnls(${names.join(', ')}${warm ? `, warm ${S}` : ''})`,
    write: writeSolve,
  }),

  /**
   * out (1×M) = the natural KKT residual of S for G and B, relative to the column's largest |B|, or 2⁻¹² of the largest of all where that is
   * more: such a column's share of the objective is below the rounding of f32. With `simplex` that of columns that sum to one, where the
   * column's largest g_ii counts beside its |B|.
   */
  kktResidual: define({
    inputs: { G: gramAxes, B: byColumn, S: byColumn, largest: whole },
    outputs: { out: byColumn },
    write: (
      w: Writer<PerColumn & { simplex?: boolean }>,
      G: Tensor,
      B: Tensor,
      S: Tensor,
      { simplex, ...options }: Into & { simplex?: boolean } = {},
    ) => {
      const perColumn = w.requireGram(G, B);
      w.requireShape(S, B.rows, B.cols);
      const largest = reduce.reduce.write(w.as('reduce'), B, 'maxAbs');
      return w.result([G, B, S, largest], 1, B.cols, { perColumn, ...(simplex && { simplex }) }, options);
    },
  }),

  /** out = β with G_PP β_P = g_P on P = {s > 0}, 0 elsewhere, and 0 where a pivot is rounding, as in `nnls`. */
  maskedSolve: define({
    inputs: { G: gramAxes, S: byColumn, g: byColumn },
    outputs: { out: byColumn },
    write: (w: Writer<PerColumn>, G: Tensor, S: Tensor, g: Tensor, options: Into = {}) => {
      const perColumn = w.requireGram(G, S);
      w.requireShape(g, S.rows, S.cols);
      return w.result([G, S, g], S.rows, S.cols, { perColumn }, options);
    },
  }),

  /**
   * S = argmin ‖X − AS‖² over columns s ≥ 0 with Σ s = 1, from G = AᵀA and B = AᵀX; `warm` and the result as in `nnls`. A column of A may be
   * zero. One that depends on earlier ones of the support, affinely, leaves it.
   */
  simplex: define({
    ...solveOperands,
    write: writeSolve,
  }),

  /** out (1×1) = log det G of a symmetric G (k×k) without eigenvalues below 1. */
  logDet: define({
    inputs: { G: whole },
    outputs: { out: whole },
    write: (w: Writer<NoAttributes>, G: Tensor, options: Into = {}) => {
      w.requireShape(G, G.cols, G.cols);
      return w.result([G], 1, 1, {}, options);
    },
  }),
};
