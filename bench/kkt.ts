/** KKT residuals of nonnegative least squares in f64, for results of whatever library. */

/** AᵀA (k×k) of an N×k matrix, row-major. */
export function gramOf(A: ArrayLike<number>, N: number, k: number): Float64Array {
  const G = new Float64Array(k * k);
  for (let t = 0; t < N; t++) for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) G[i * k + j] += A[t * k + i] * A[t * k + j];
  return G;
}

/** AᵀX (k×M). */
export function productOf(A: ArrayLike<number>, X: ArrayLike<number>, N: number, M: number, k: number): Float64Array {
  const B = new Float64Array(k * M);
  for (let t = 0; t < N; t++) {
    for (let i = 0; i < k; i++) {
      const a = A[t * k + i];
      for (let c = 0; c < M; c++) B[i * M + c] += a * X[t * M + c];
    }
  }
  return B;
}

/**
 * The largest natural residual |min(G_ii s_i, (Gs − b)_i)| of any column, relative to its largest |b|: 0 exactly at the solution. A
 * negative entry counts with its size.
 */
export function largestResidual(G: ArrayLike<number>, B: ArrayLike<number>, S: ArrayLike<number>, k: number, M: number): number {
  let largest = 0;
  const s = new Float64Array(k);
  for (let c = 0; c < M; c++) {
    let worst = 0;
    let scale = 0;
    for (let i = 0; i < k; i++) s[i] = S[i * M + c];
    for (let i = 0; i < k; i++) {
      let gradient = -B[i * M + c];
      for (let j = 0; j < k; j++) gradient += G[i * k + j] * s[j];
      worst = Math.max(worst, Math.abs(Math.min(s[i] * G[i * k + i], gradient)));
      scale = Math.max(scale, Math.abs(B[i * M + c]));
    }
    if (Number.isNaN(worst)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, scale > 0 ? worst / scale : worst);
  }
  return largest;
}
