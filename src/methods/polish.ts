/**
 * Exact nonnegative least squares in f64 on the host, from the support that a device found in f32: one factorization a column as a rule.
 * Where f64 sees the support otherwise, block principal pivoting (Kim & Park 2011) goes on from there, and where that goes round in
 * circles, Lawson & Hanson's active set from zero. Normal equations square the condition of A, so where their pivots are small the
 * solution is refined by residuals from A itself (corrected semi-normal equations, Björck 1987).
 */
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse, type SparseMatrix, sparseTranspose } from '../data/sparse.js';
import { settledBelow, trustedInF32 } from './condition.js';
import {
  type Column,
  gainOf,
  isIllConditioned,
  measureGradient,
  type System,
  sizeOfTerms,
  solveOnSupport,
  systemOf,
  systemOfGram,
  takeColumn,
  traceOnSupport,
  violationOf,
} from './normal-equations.js';

export interface Polished {
  /** k×M, row-major. Columns that were not asked for are as given. */
  S: Float64Array;
  /** Largest natural KKT residual of any column that was solved: see NnlsResult. */
  kktResidual: number;
  /** Columns whose KKT residual stayed above `settledBelow`. They are no worse than S = 0. */
  unconverged: number;
  /** Columns whose S hangs on digits that f32 does not hold: see NnlsResult. */
  illConditioned: number;
  /** Columns on whose support a solve in f32, of S or of a gradient, may be off by more than a thousandth (trustedInF32); not with `simplex`. */
  untrusted?: number;
}

/** A column with a smaller share of the largest |AᵀX| than this is less than the rounding of f32 in ‖X‖²: its residual is relative to that. */
const floorOfSize = 2 ** -12;

/** w_j ≤ tolerance · √g_jj · max_i |b_i| / √g_ii counts as zero: 16 units of f64 rounding. */
const tolerance = 16 * 2 ** -52;

/** The least normal number of f32: devices take what is below for zero. */
const leastNormal = 2 ** -126;

export interface PolishOptions {
  /** Default 0. */
  l1?: number;
  /** The columns to solve. Default: all. */
  columns?: readonly number[];
  /** Rounds S to f32 before it is judged. Default false. */
  single?: boolean;
  /** W ≥ 0, N×M, of ‖W ∘ (X − AS)‖²; default 1 everywhere. X is dense then. */
  weights?: Matrix;
  /** Whether what a sparse X does not store is missing. Default false. */
  missing?: boolean;
}

/** S ← argmin_{S ≥ 0} ½‖X − AS‖² + l1 Σ S in f64; `S` (k×M) gives the supports to begin with. */
export function polish(X: DataMatrix, A: Matrix, S: ArrayLike<number>, options: PolishOptions = {}): Polished {
  const { l1 = 0, columns = Array.from({ length: X.cols }, (_, c) => c), single = false, weights, missing = false } = options;
  const problemOf = weights ? weighted(X as Matrix, A, weights) : missing && isSparse(X) ? storedAlone(X, A) : unweighted(X, A);
  const slope = new Float64Array(A.cols).fill(-l1);
  return solved((c) => ({ ...problemOf(c), slope }), S, { k: A.cols, M: X.cols, columns, single });
}

/** S ← argmin_{S ≥ 0} ½⟨S, GS⟩ − ⟨B, S⟩ in f64, rounded to f32; `S` (k×M) gives the supports to begin with. */
export function polishEquations(G: Float64Array, B: Float64Array, S: ArrayLike<number>): Polished {
  const k = Math.sqrt(G.length);
  const M = B.length / k;
  const system = systemOfGram(G, k);
  const column: Column = { values: [] };
  const columns = Array.from({ length: M }, (_, c) => c);
  const problemOf = (c: number) => ({ system, column, slope: Float64Array.from({ length: k }, (_, j) => B[j * M + c]) });
  return solved(problemOf, S, { k, M, columns, single: true });
}

/** Solves column after column: `slope` is what stands beside Aᵀx. */
function solved(
  problemOf: (c: number) => { system: System; column: Column; slope: ArrayLike<number> },
  S: ArrayLike<number>,
  { k, M, columns, single }: { k: number; M: number; columns: readonly number[]; single: boolean },
): Polished {
  const result = Float64Array.from(S);
  const violations = new Float64Array(columns.length);
  const sizes = new Float64Array(columns.length);
  let illConditioned = 0;
  let untrusted = 0;
  columns.forEach((c, at) => {
    const { system, column, slope } = problemOf(c);
    const { s, passive, unit } = system;
    takeColumn(system, column, slope);
    for (let j = 0; j < k; j++) passive[j] = S[j * M + c] > 0 && unit[j] > 0 ? 1 : 0;
    if (!pivot(system)) activeSet(system);
    // In its unit f32 may hold nothing of a column beside one 2¹²⁶ times as large.
    const vanishes = single && s.some((x) => x > 0) && s.every((x) => x < leastNormal);
    if (vanishes || isIllConditioned(system)) illConditioned++;
    if (!(traceOnSupport(system) <= trustedInF32)) untrusted++;
    for (let j = 0; j < k; j++) s[j] = Math.max(single ? Math.fround(s[j]) : s[j], 0);
    measureGradient(system);
    if (!(gainOf(system) > 0)) {
      s.fill(0);
      measureGradient(system);
    }
    for (let j = 0; j < k; j++) result[j * M + c] = s[j];
    [violations[at], sizes[at]] = violationOf(system);
  });
  const floor = floorOfSize * sizes.reduce((largest, size) => Math.max(largest, size), 0);
  const residuals = violations.map((violation, at) => violation / (Math.max(sizes[at], floor) || 1));
  return {
    S: result,
    kktResidual: residuals.reduce((worst, residual) => Math.max(worst, residual), 0),
    unconverged: residuals.filter((residual) => !(residual <= settledBelow)).length,
    illConditioned,
    untrusted,
  };
}

/** Leaves the solution in system.s, and the gain of moving from it in system.w. False where the exchanges go round in circles. */
function pivot(system: System): boolean {
  const { s, w, unit, passive, dropped } = system;
  const k = s.length;
  let fewest = k + 1;
  let tries = 3;
  for (let round = 0; round < 20 + k; round++) {
    solveOnSupport(system);
    measureGradient(system);
    const bound = sizeOfTerms(system) * tolerance;
    // What was dropped has nothing to gain but the rounding of its pivot.
    const breaks = (j: number) => unit[j] > 0 && !dropped[j] && !(passive[j] ? s[j] > 0 : w[j] * unit[j] <= bound);
    let infeasible = 0;
    let last = 0;
    for (let j = 0; j < k; j++) {
      if (!breaks(j)) continue;
      infeasible++;
      last = j;
    }
    if (infeasible === 0) return true;
    const all = infeasible < fewest || tries > 0;
    tries = infeasible < fewest ? 3 : Math.max(tries - 1, 0);
    fewest = Math.min(fewest, infeasible);
    for (let j = all ? 0 : last; j <= last; j++) if (breaks(j)) passive[j] = 1 - passive[j];
  }
  return false;
}

/** The same from zero, one index at a time. A step that would leave the orthant stops at its border, so the objective only falls. */
function activeSet(system: System): void {
  const { s: solution, w, unit, passive } = system;
  const k = solution.length;
  const s = new Float64Array(k);
  const useless = new Uint8Array(k); // came in with nothing to gain
  passive.fill(0);
  solution.fill(0);
  for (let entries = 0; entries < 20 + 10 * k; entries++) {
    measureGradient(system);
    let entering = -1;
    let steepest = sizeOfTerms(system) * tolerance;
    for (let j = 0; j < k; j++) {
      if (passive[j] || useless[j] || !(w[j] * unit[j] > steepest)) continue;
      steepest = w[j] * unit[j];
      entering = j;
    }
    if (entering < 0) return;
    passive[entering] = 1;
    // Each trial but the last takes an index out.
    for (let blocking = entering; blocking >= 0; ) {
      const before = Uint8Array.from(passive);
      solveOnSupport(system);
      blocking = -1;
      let step = 1;
      for (let j = 0; j < k; j++) {
        if (!before[j] || solution[j] > 0) continue;
        const reach = s[j] > 0 ? s[j] / (s[j] - solution[j]) : 0;
        if (blocking >= 0 && reach >= step) continue;
        step = reach;
        blocking = j;
      }
      for (let j = 0; j < k; j++) s[j] = before[j] && j !== blocking ? Math.max(s[j] + step * (solution[j] - s[j]), 0) : 0;
      if (blocking < 0) continue;
      passive.set(before);
      passive[blocking] = 0;
      if (blocking === entering && step <= 0) useless[entering] = 1;
    }
  }
}

/** The system of a column of X, and the column. */
type ProblemOf = (c: number) => { system: System; column: Column };

/** One system for all; columns of a sparse X are as they are stored in compressed columns. */
function unweighted(X: DataMatrix, A: Matrix): ProblemOf {
  const system = systemOf(A);
  if (!isSparse(X)) return (c) => ({ system, column: { values: Float64Array.from({ length: X.rows }, (_, n) => X.data[n * X.cols + c]) } });
  const { rowStarts, columns, values } = sparseTranspose(X);
  return (c) => {
    const [from, to] = [rowStarts[c], rowStarts[c + 1]];
    return { system, column: { values: values.subarray(from, to), rows: columns.subarray(from, to) } };
  };
}

/** A system each: the rows of A and X that the column has weights for, times these. */
function weighted(X: Matrix, A: Matrix, W: Matrix): ProblemOf {
  const k = A.cols;
  return (c) => {
    const rows = Array.from({ length: X.rows }, (_, n) => n).filter((n) => W.data[n * X.cols + c] > 0);
    const weightOf = (row: number) => W.data[rows[row] * X.cols + c];
    const data = Float64Array.from({ length: rows.length * k }, (_, p) => {
      const row = Math.floor(p / k);
      return weightOf(row) * A.data[rows[row] * k + (p % k)];
    });
    const values = Float64Array.from(rows, (n, row) => weightOf(row) * X.data[n * X.cols + c]);
    return { system: systemOf({ rows: rows.length, cols: k, data }), column: { values } };
  };
}

/** A system each: the rows of A that the column stores entries in. */
function storedAlone(X: SparseMatrix, A: Matrix): ProblemOf {
  const k = A.cols;
  const { rowStarts, columns, values } = sparseTranspose(X);
  return (c) => {
    const rows = columns.subarray(rowStarts[c], rowStarts[c + 1]);
    const data = Float64Array.from({ length: rows.length * k }, (_, p) => A.data[rows[Math.floor(p / k)] * k + (p % k)]);
    return { system: systemOf({ rows: rows.length, cols: k, data }), column: { values: values.subarray(rowStarts[c], rowStarts[c + 1]) } };
  };
}
