/**
 * The vocabulary: everything a method may ask an executor to do. An operation is plain data; src/reference says what each one
 * means (one loop nest each, f64), src/webgpu how it runs. Inputs are only read; outputs are written; an operation listed in
 * `inPlace` also reads its output first.
 */
import type { Tensor } from './tensor.js';

export interface Operations {
  /** out = scale · op(A) op(B) [+ addScale · E | ∘ E], op = transpose or nothing. inputs A, B, E? */
  matmul: { transposeA: boolean; transposeB: boolean; scale: number; epilogue: 'none' | 'add' | 'hadamard'; addScale: number };
  /** out = AᵀA ('columns') or A Aᵀ ('rows'). inputs A */
  gram: { of: 'columns' | 'rows' };
  /** S = argmin_{S ≥ 0} ‖X − AS‖² per column, given G = AᵀA and B = AᵀX. inputs G, B; outputs S (warm start), rounds (1×M). */
  nnls: { sweeps: number; warm: boolean };
  /** out = natural KKT residual of S for G, B, relative to the column's largest |B|: 1×M. inputs G, B, S */
  kktResidual: Record<never, never>;
  /** β with G_PP β_P = g_P on P = {s > 0}, 0 elsewhere. inputs G, S, g */
  maskedSolve: Record<never, never>;
  /** F ← F ∘ numerator / (denominator + ε). inputs numerator, denominator; output F in place */
  multiplicativeUpdate: Record<never, never>;
  /** out = max(A − η D / (2 m_ii q_jj), 0), η = control[0]; columns with q_jj = 0 are revived now and then. inputs A, D, Q, control, M? */
  projectedStep: { rowMetric: boolean; layer: number };
  /** Compares the trial cost with the accepted one and adapts η. inputs cost; output control in place (see control.ts) */
  acceptReject: { grow: number; shrink: number };
  /** state ← accepted ? trial : state. inputs trial, control; output state in place */
  keepAccepted: Record<never, never>;
  /** out = ‖X − A Z‖², 1×1. inputs X, A, Z, W? (then ‖W ∘ (X − A Z)‖²) */
  residualNorm: { weighted: boolean };
  /** out = Σ x, Σ x² or max |x| over all entries, 1×1. inputs X */
  reduce: { of: 'sum' | 'squares' | 'maxAbs' };
  /** out = scale · X + otherScale · Y. inputs X, Y */
  combine: { scale: number; otherScale: number };
  /** out = X ∘ Y. inputs X, Y */
  hadamard: Record<never, never>;
  /** out = Xᵀ. inputs X */
  transpose: Record<never, never>;
  /** F ← F diag(g)^−½, g the diagonal of G = FᵀF: columns of unit norm; a zero column becomes hashed uniform numbers. inputs G; output F in place */
  normalizeColumns: { layer: number };
  /** out = X. inputs X */
  copy: Record<never, never>;
}

export type OperationKind = keyof Operations;

export type OperationOf<K extends OperationKind> = {
  readonly kind: K;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Readonly<Operations[K]>;
};

export type Operation = { [K in OperationKind]: OperationOf<K> }[OperationKind];

/** Operations that read what their (first) output held before they write it. */
export const inPlace: ReadonlySet<OperationKind> = new Set([
  'multiplicativeUpdate',
  'acceptReject',
  'keepAccepted',
  'normalizeColumns',
  'nnls',
]);

/**
 * The control vector of projected steps, one 1×8 row a restart: it never leaves the device while iterations run.
 * `cost` is the accepted one; `accepted` is 1 when the last trial was kept.
 */
export const control = { eta: 0, cost: 1, accepted: 2, iteration: 3, rejected: 4, trialCost: 5, length: 8 } as const;
