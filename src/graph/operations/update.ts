/** Steps of optimisers: updates of factors in place, trial steps, and the control vector that decides on them. */
import type { Tensor } from '../tensor.js';
import { type Axes, byColumn, byEntry, byRow, define, type Into, type NoAttributes, type Writer, whole } from './definition.js';

/**
 * The places of the control vector of projected steps, one 1×8 row a restart. It never leaves the device while iterations run.
 * `cost` is the accepted one; `accepted` is 1 when the last trial was kept.
 */
export const control = { eta: 0, cost: 1, accepted: 2, iteration: 3, rejected: 4, trialCost: 5, length: 8 } as const;

/** The lines of F that a sweep goes over, and the layer, on which the hashed numbers of revived units depend. */
export interface Sweep {
  readonly of: 'rows' | 'columns';
  readonly layer: number;
}

const sweptAxes = ({ of }: Sweep): Axes => (of === 'rows' ? byRow : byColumn);
const entryInPlace = { ...byEntry, inPlace: true } as const;
/** Of a metric diag(M) over rows. */
const rowMetricAxes: Axes = { rows: 'i', cols: 'i' };

export const update = {
  /** F ← F ∘ (numerator / denominator)^power, with the quotient of `map`. */
  multiplicativeUpdate: define({
    inputs: { numerator: byEntry, denominator: byEntry },
    outputs: { F: entryInPlace },
    text: ([numerator, denominator], [F], { power }) =>
      `${F} = ${F} ∘ ${power === 1 ? `${numerator} / ${denominator}` : `(${numerator} / ${denominator})^${power}`}`,
    write: (w: Writer<{ power: number }>, F: Tensor, numerator: Tensor, denominator: Tensor, { power = 1 }: { power?: number } = {}) => {
      for (const other of [numerator, denominator]) w.requireShape(other, F.rows, F.cols);
      w.emit([numerator, denominator], [F], { power });
    },
  }),

  /**
   * One sweep of HALS over every row f of F (N×k), or every column (k×M), for G and B of its normal equations:
   * f_j ← max(f_j + (b_j − Σ_l g_jl f_l) / g_jj, 0) for j in turn.
   * A unit with g_jj = 0 becomes hashed uniform numbers. With a Gram matrix for each row or column (`perColumn`, G k²×items) it stays as it
   * is.
   */
  halsUpdate: define({
    inputs: { G: ({ of, perColumn }) => (!perColumn ? whole : of === 'rows' ? { cols: 'i' } : byColumn), B: sweptAxes },
    outputs: { F: (attributes) => ({ ...sweptAxes(attributes), inPlace: true }) },
    text: (names, [F], { of }) => `${F} = hals of ${of}(${names.join(', ')}, ${F})`,
    write: (w: Writer<Sweep & { perColumn: boolean }>, F: Tensor, G: Tensor, B: Tensor, options: { of: Sweep['of']; layer?: number }) => {
      const { of, layer = 0 } = options;
      w.requireShape(B, F.rows, F.cols);
      const perColumn = w.requireGram(G, of === 'rows' ? { rows: F.cols, cols: F.rows } : F);
      w.requireBatch(F, [G, B, F]);
      w.emit([G, B], [F], { of, perColumn, layer });
    },
  }),

  /**
   * out = max(A − η D / (2 m_ii q_jj), 0) with η = control[0]: one projected step in the metric diag(M) ⊗ diag(Q).
   * M = I when left out. Columns with q_jj = 0 are revived in every 25th iteration.
   */
  projectedStep: define({
    inputs: { A: byRow, D: byRow, Q: whole, control: whole, M: rowMetricAxes },
    outputs: { out: byRow },
    write: (
      w: Writer<{ rowMetric: boolean; layer: number }>,
      A: Tensor,
      D: Tensor,
      Q: Tensor,
      controlVector: Tensor,
      { M, layer, ...into }: Into & { M?: Tensor; layer: number },
    ) => {
      w.requireShape(D, A.rows, A.cols);
      w.requireShape(Q, A.cols, A.cols);
      if (M) w.requireShape(M, A.rows, A.rows);
      const inputs = [A, D, Q, controlVector, ...(M ? [M] : [])];
      return w.result(inputs, A.rows, A.cols, { rowMetric: M !== undefined, layer }, into);
    },
  }),

  /**
   * out = D / (2 m_ii q_jj), and 0 where the metric is 0: the direction of projectedStep alone.
   * It is for optimisers that have a step rule of their own.
   */
  metricScale: define({
    inputs: { D: byRow, Q: whole, M: rowMetricAxes },
    outputs: { out: byRow },
    write: (w: Writer<{ rowMetric: boolean }>, D: Tensor, Q: Tensor, { M, ...into }: Into & { M?: Tensor } = {}) => {
      w.requireShape(Q, D.cols, D.cols);
      if (M) w.requireShape(M, D.rows, D.rows);
      return w.result([D, Q, ...(M ? [M] : [])], D.rows, D.cols, { rowMetric: M !== undefined }, into);
    },
  }),

  /**
   * Keeps the trial cost if it is at most the accepted one, and adapts η: it grows by `grow` (default 1.2), or shrinks by `shrink` (default
   * 0.5).
   */
  acceptReject: define({
    inputs: { cost: whole },
    outputs: { control: { inPlace: true } },
    write: (
      w: Writer<{ grow: number; shrink: number }>,
      cost: Tensor,
      controlVector: Tensor,
      { grow = 1.2, shrink = 0.5 }: { grow?: number; shrink?: number } = {},
    ) => {
      w.requireShape(cost, 1, 1);
      w.emit([cost], [controlVector], { grow, shrink });
    },
  }),

  /** state ← accepted ? trial : state. */
  keepAccepted: define({
    inputs: { trial: byEntry, control: whole },
    outputs: { state: entryInPlace },
    write: (w: Writer<NoAttributes>, state: Tensor, trial: Tensor, controlVector: Tensor) => {
      w.requireShape(trial, state.rows, state.cols);
      w.emit([trial, controlVector], [state], {});
    },
  }),

  /** A ← max(A + V, 0) with V ← momentum · V − rate · D. `free` skips the projection. */
  momentumStep: define({
    inputs: { D: byEntry },
    outputs: { A: entryInPlace, V: entryInPlace },
    text: ([D], [A]) => `${A} = momentumStep(${D})`,
    write: (
      w: Writer<{ rate: number; momentum: number; free: boolean }>,
      A: Tensor,
      V: Tensor,
      D: Tensor,
      { rate, momentum, free = false }: { rate: number; momentum: number; free?: boolean },
    ) => {
      for (const other of [V, D]) w.requireShape(other, A.rows, A.cols);
      w.emit([D], [A, V], { rate, momentum, free });
    },
  }),

  /** A ← max(A − Adam(D), 0), Kingma & Ba 2015, bias-corrected by control's iteration. `free` skips the projection. */
  adamStep: define({
    inputs: { D: byEntry, control: whole },
    outputs: { A: entryInPlace, first: entryInPlace, second: entryInPlace },
    text: ([D, controlVector], [A]) => `${A} = adamStep(${D}, ${controlVector})`,
    write: (
      w: Writer<{ rate: number; beta1: number; beta2: number; epsilon: number; free: boolean }>,
      A: Tensor,
      moments: readonly [first: Tensor, second: Tensor],
      D: Tensor,
      controlVector: Tensor,
      options: { rate: number; beta1?: number; beta2?: number; epsilon?: number; free?: boolean },
    ) => {
      for (const other of [...moments, D]) w.requireShape(other, A.rows, A.cols);
      const { rate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, free = false } = options;
      w.emit([D, controlVector], [A, ...moments], { rate, beta1, beta2, epsilon, free });
    },
  }),

  /** Counts one more iteration and keeps the cost: for optimisers without accept/reject. */
  countIteration: define({
    inputs: { cost: whole },
    outputs: { control: { inPlace: true } },
    text: ([cost], [controlVector]) => `${controlVector} = countIteration(${cost})`,
    write: (w: Writer<NoAttributes>, cost: Tensor, controlVector: Tensor) => {
      w.requireShape(cost, 1, 1);
      w.emit([cost], [controlVector], {});
    },
  }),

  /**
   * F ← F diag(g)^−½ with g the diagonal of G = FᵀF: columns of unit norm.
   * A zero column becomes hashed uniform numbers, which differ by layer and restart. With `cap` only columns longer than 1 change.
   */
  normalizeColumns: define({
    inputs: { G: whole },
    outputs: { F: { ...byRow, inPlace: true } },
    write: (w: Writer<{ layer: number; cap: boolean }>, F: Tensor, G: Tensor, options: { layer?: number; cap?: boolean } = {}) => {
      w.requireShape(G, F.cols, F.cols);
      w.emit([G], [F], { layer: options.layer ?? 0, cap: options.cap ?? false });
    },
  }),
};
