/**
 * Exact nonnegative least squares in f64 on the host, from the support that a device found in f32: one factorization a column as a rule.
 * Where f64 sees the support otherwise, block principal pivoting (Kim & Park 2011) goes on from there.
 */
import type { Matrix } from '../data/matrix.js';

export interface Polished {
  /** k×M, row-major. */
  S: Float64Array;
  /** Largest natural KKT residual of any column, relative to its largest |Aᵀx|. */
  kktResidual: number;
  /** Columns whose pivoting went round in circles. They keep the S that was given. */
  unconverged: number;
}

/** w_j ≤ tolerance · √g_jj · max_i |b_i| / √g_ii counts as zero: 16 units of f64 rounding. */
const tolerance = 16 * 2 ** -52;

/** S ← argmin_{S ≥ 0} ½‖X − AS‖² + l1 Σ S in f64; `S` (k×M) gives the supports to begin with. */
export function polish(X: Matrix, A: Matrix, S: ArrayLike<number>, l1 = 0): Polished {
  const [k, M] = [A.cols, X.cols];
  const G = gramOf(A);
  const B = productOf(A, X);
  const unit = Float64Array.from({ length: k }, (_, j) => (G[j * k + j] > 0 ? 1 / Math.sqrt(G[j * k + j]) : 0));
  const result = new Float64Array(k * M);
  const system = systemOf(G, k);
  let kktResidual = 0;
  let unconverged = 0;
  const b = new Float64Array(k);
  const passive = new Uint8Array(k);
  for (let c = 0; c < M; c++) {
    let scale = 0;
    let largest = 0;
    for (let j = 0; j < k; j++) {
      largest = Math.max(largest, Math.abs(B[j * M + c]));
      b[j] = B[j * M + c] - l1;
      passive[j] = S[j * M + c] > 0 && unit[j] > 0 ? 1 : 0;
      scale = Math.max(scale, Math.abs(b[j]) * unit[j]);
    }
    const settled = pivot(system, b, passive, unit, scale * tolerance);
    if (!settled) {
      unconverged++;
      for (let j = 0; j < k; j++) system.x[j] = S[j * M + c];
      system.gradient(b);
    }
    let worst = 0;
    for (let j = 0; j < k; j++) {
      const s = Math.max(system.x[j], 0);
      result[j * M + c] = s;
      worst = Math.max(worst, Math.abs(Math.min(G[j * k + j] * s, -system.w[j])));
    }
    kktResidual = Math.max(kktResidual, largest > 0 ? worst / largest : worst);
  }
  return { S: result, kktResidual, unconverged };
}

/** Leaves the solution in system.x, and the gain of moving from it in system.w. */
function pivot(system: System, b: Float64Array, passive: Uint8Array, unit: Float64Array, bound: number): boolean {
  const { k, x, w } = system;
  let fewest = k + 1;
  let tries = 3;
  for (let round = 0; round < 20 + 5 * k; round++) {
    system.solve(b, passive);
    system.gradient(b);
    let infeasible = 0;
    let last = 0;
    for (let j = 0; j < k; j++) {
      if (unit[j] > 0 && (passive[j] ? x[j] <= 0 : w[j] * unit[j] > bound)) {
        infeasible++;
        last = j;
      }
    }
    if (infeasible === 0) return true;
    const all = infeasible < fewest || tries > 0;
    tries = infeasible < fewest ? 3 : Math.max(tries - 1, 0);
    fewest = Math.min(fewest, infeasible);
    for (let j = all ? 0 : last; j <= last; j++) {
      if (unit[j] > 0 && (passive[j] ? x[j] <= 0 : w[j] * unit[j] > bound)) passive[j] = 1 - passive[j];
    }
  }
  return false;
}

type System = ReturnType<typeof systemOf>;

/** Cholesky of G_PP and its solves, in arrays that every column uses again. A pivot below 1e-12 of its entry is lifted to that. */
function systemOf(G: Float64Array, k: number) {
  const support = new Int32Array(k);
  const factor = new Float64Array(k * k);
  const y = new Float64Array(k);
  const x = new Float64Array(k);
  const w = new Float64Array(k);
  return {
    k,
    x,
    w,
    /** x ← the least squares solution on the support. */
    solve(b: Float64Array, passive: Uint8Array): void {
      let p = 0;
      for (let j = 0; j < k; j++) {
        x[j] = 0;
        if (passive[j]) support[p++] = j;
      }
      for (let i = 0; i < p; i++) {
        const row = support[i] * k;
        for (let j = 0; j <= i; j++) {
          let sum = G[row + support[j]];
          for (let t = 0; t < j; t++) sum -= factor[i * k + t] * factor[j * k + t];
          factor[i * k + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12 * G[row + support[i]])) : sum / factor[j * k + j];
        }
        let sum = b[support[i]];
        for (let t = 0; t < i; t++) sum -= factor[i * k + t] * y[t];
        y[i] = sum / factor[i * k + i];
      }
      for (let i = p - 1; i >= 0; i--) {
        let sum = y[i];
        for (let t = i + 1; t < p; t++) sum -= factor[t * k + i] * x[support[t]];
        x[support[i]] = sum / factor[i * k + i];
      }
    },
    /** w ← b − Gx */
    gradient(b: Float64Array): void {
      for (let j = 0; j < k; j++) {
        let sum = b[j];
        for (let i = 0; i < k; i++) sum -= G[j * k + i] * x[i];
        w[j] = sum;
      }
    },
  };
}

function gramOf({ rows, cols: k, data }: Matrix): Float64Array {
  const G = new Float64Array(k * k);
  for (let n = 0; n < rows; n++) for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) G[i * k + j] += data[n * k + i] * data[n * k + j];
  return G;
}

/** AᵀX */
function productOf({ rows, cols: k, data }: Matrix, X: Matrix): Float64Array {
  const B = new Float64Array(k * X.cols);
  for (let n = 0; n < rows; n++) {
    for (let i = 0; i < k; i++) {
      const a = data[n * k + i];
      if (a !== 0) for (let c = 0, at = i * X.cols, from = n * X.cols; c < X.cols; c++) B[at + c] += a * X.data[from + c];
    }
  }
  return B;
}
