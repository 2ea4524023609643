/**
 * The vocabulary: everything a method may ask an executor to do. An operation is plain data; src/reference says what each one
 * means (one loop nest each, f64), src/webgpu how it runs. Inputs are only read; outputs are written; an operation listed in
 * `inPlace` also reads its output first.
 */
import type { Tensor } from './tensor.js';

/** Rows or columns, and what the hashed numbers of unused units depend on. */
export interface Sweep {
  of: 'rows' | 'columns';
  layer: number;
}

export interface Operations {
  /** out = scale · op(A) op(B) [+ addScale · E | ∘ E], op = transpose or nothing. inputs A, B, E? */
  matmul: {
    transposeA: boolean;
    transposeB: boolean;
    scale: number;
    epilogue: 'none' | 'add' | 'hadamard';
    addScale: number;
  };
  /** out = AᵀA ('columns') or A Aᵀ ('rows'). inputs A */
  gram: { of: 'columns' | 'rows' };
  /**
   * S = argmin_{S ≥ 0} ‖X − AS‖² per column, given G = AᵀA and B = AᵀX; `perColumn` takes a Gram matrix of its own for every column, G k²×M.
   * inputs G, B; outputs S (warm start), rounds (1×M)
   */
  nnls: { warm: boolean; perColumn: boolean };
  /** out = natural KKT residual of S for G, B, relative to the column's largest |B|: 1×M. inputs G, B, S */
  kktResidual: { perColumn: boolean };
  /** β with G_PP β_P = g_P on P = {s > 0}, 0 elsewhere. inputs G, S, g */
  maskedSolve: { perColumn: boolean };
  /** F ← F ∘ (numerator / (denominator + ε))^power. inputs numerator, denominator; output F in place */
  multiplicativeUpdate: { power: number };
  /**
   * One sweep of HALS over every row f of F, or every column: f_j ← max(f_j + (b_j − Σ_l g_jl f_l) / g_jj, 0) for j in turn. A unit with
   * g_jj = 0 becomes hashed uniform numbers; with `perColumn`, a Gram matrix for each row or column (G k²×items), it stays as it is.
   * inputs G, B (the shape of F); output F in place
   */
  halsUpdate: Sweep & { perColumn: boolean };
  /** out = max(A − η D / (2 m_ii q_jj), 0), η = control[0]; columns with q_jj = 0 are revived now and then. inputs A, D, Q, control, M? */
  projectedStep: { rowMetric: boolean; layer: number };
  /** out = D / (2 m_ii q_jj), 0 where the metric is: the direction of a projected step alone. inputs D, Q, M? */
  metricScale: { rowMetric: boolean };
  /** out[n][i k + j] = A[n][i] A[n][j]: then outᵀW holds the weighted Gram matrix Aᵀ diag(w) A of every column w of W. inputs A */
  rowProducts: Record<never, never>;
  /** Compares the trial cost with the accepted one and adapts η. inputs cost; output control in place (see control.ts) */
  acceptReject: { grow: number; shrink: number };
  /** state ← accepted ? trial : state. inputs trial, control; output state in place */
  keepAccepted: Record<never, never>;
  /** out = ‖X − A Z‖², 1×1. inputs X, A, Z, W? (then ‖W ∘ (X − A Z)‖²); where X is CSR X, A, Z, AᵀA, ZZᵀ */
  residualNorm: { weighted: boolean };
  /** out = Σ x, Σ x² or max |x| over all entries, 1×1. inputs X */
  reduce: { of: 'sum' | 'squares' | 'maxAbs' };
  /** out = scale · X + otherScale · Y. inputs X, Y */
  combine: { scale: number; otherScale: number };
  /** out = X ∘ Y. inputs X, Y */
  hadamard: Record<never, never>;
  /** out = f(X, Y?, W?) entrywise, f one of `mapFunctions` with its constants p and q. inputs X, Y?, W? */
  map: { fn: MapFunction; p: number; q: number };
  /** out = X + scale · y for a 1×1 tensor y. inputs X, y */
  shift: { scale: number };
  /** Per column c with Σ_i Y_ic > 0: loss = −Σ Y log softmax(logits), gradient = softmax(logits) − Y; 0 elsewhere. inputs logits, Y; outputs loss (1×M), gradient */
  softmaxCrossEntropy: Record<never, never>;
  /** Largest entry of each group of `size` neighbouring rows, and which one it was: pooled (⌈k/size⌉×M), selector (k×M of 0 and 1). inputs S */
  maxPool: { size: number };
  /** out = the `out.cols` columns of X that `order` (1×M, a permutation) lists from position (iteration · out.cols) mod M on. inputs X, order, control */
  takeColumns: Record<never, never>;
  /** A ← max(A + V, 0) with V ← momentum · V − rate · D. inputs D; outputs A, V in place; `free` skips the projection */
  momentumStep: { rate: number; momentum: number; free: boolean };
  /** A ← max(A − Adam(D), 0), Kingma & Ba 2015, bias-corrected by control's iteration. inputs D, control; outputs A, first, second moment in place */
  adamStep: { rate: number; beta1: number; beta2: number; epsilon: number; free: boolean };
  /** Counts one more iteration and keeps the cost: for optimisers without accept/reject. inputs cost; output control in place */
  countIteration: Record<never, never>;
  /** out = Xᵀ. inputs X */
  transpose: Record<never, never>;
  /** F ← F diag(g)^−½, g the diagonal of G = FᵀF: columns of unit norm; a zero column becomes hashed uniform numbers. With `cap` only columns longer than 1 change. inputs G; output F in place */
  normalizeColumns: { layer: number; cap: boolean };
  /** out = X. inputs X */
  copy: Record<never, never>;
}

/**
 * Entrywise functions of `map`: how many tensors each takes, and its formula in x, y, w and the constants p, q.
 * ε-guards are part of the formula so that both executors agree.
 */
export const mapFunctions = {
  affine: { arity: 1, formula: 'p x + q' },
  power: { arity: 1, formula: 'max(x, q)^p' },
  positive: { arity: 1, formula: 'max(x, 0)' },
  negative: { arity: 1, formula: 'max(−x, 0)' },
  softplus: { arity: 1, formula: 'log(1 + e^x)' },
  softplusInverse: { arity: 1, formula: 'log(e^max(x, p) − 1)' },
  sigmoid: { arity: 1, formula: '1 / (1 + e^−x)' },
  sigmoidInverse: { arity: 1, formula: 'log(x / (1 − x)), x kept in [p, 1 − p]' },
  tanh: { arity: 1, formula: 'p tanh(q x)' },
  tanhInverse: { arity: 1, formula: 'atanh(x / p) / q, x / p kept within ±(1 − 1e-6)' },
  log1p: { arity: 1, formula: 'log(1 + x)' },
  exp: { arity: 1, formula: 'e^x' },
  quotient: { arity: 2, formula: 'x / (y + p)' },
  /** Where w = 0 the entry is missing and the quotient 0. */
  weightedQuotient: { arity: 3, formula: 'w x / (y + p)' },
  weightedProduct: { arity: 3, formula: 'w x y' },
  /** I-divergence of x from y; 0 log 0 = 0. */
  divergence: { arity: 2, formula: 'x log((x + p) / (y + p)) − x + y' },
} as const satisfies Record<string, { arity: 1 | 2 | 3; formula: string }>;

export type MapFunction = keyof typeof mapFunctions;

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
  'halsUpdate',
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
