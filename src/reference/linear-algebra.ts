/** Plain f64 loops for small symmetric systems: the truth the kernels are compared with. */

/** A pivot that is not above this fraction of its diagonal entry is the rounding of f64: the column depends on the ones before it. */
const dependent = 1e-14;

/**
 * Solves G_PP x = b_P by Cholesky; `P` lists the indices, G is k×k row-major. Returns x in the order of P.
 * An unknown that depends on earlier ones is left out of the system, and 0.
 */
export function solveMasked(G: Float64Array, k: number, P: readonly number[], b: Float64Array): Float64Array {
  const p = P.length;
  const L = new Float64Array(p * p);
  const inverse = new Float64Array(p); // of the diagonal, 0 for an unknown that is left out
  for (let i = 0; i < p; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = G[P[i] * k + P[j]];
      for (let t = 0; t < j; t++) sum -= L[i * p + t] * L[j * p + t];
      if (i > j) L[i * p + j] = sum * inverse[j];
      else if (sum > dependent * G[P[i] * k + P[i]]) inverse[i] = 1 / Math.sqrt(sum);
    }
  }
  const x = new Float64Array(p);
  for (let i = 0; i < p; i++) {
    let sum = b[P[i]];
    for (let t = 0; t < i; t++) sum -= L[i * p + t] * x[t];
    x[i] = sum * inverse[i];
  }
  for (let i = p - 1; i >= 0; i--) {
    let sum = x[i];
    for (let t = i + 1; t < p; t++) sum -= L[t * p + i] * x[t];
    x[i] = sum * inverse[i];
  }
  return x;
}

/**
 * argmin_{s ≥ 0} ½ sᵀGs − bᵀs by the active-set method of Lawson & Hanson (1974, ch. 23) in Gram form: one index enters at a time,
 * a blocked step removes the index that reaches zero. It is finite and monotone, and another algorithm than the kernels use.
 */
export function solveNnls(G: Float64Array, k: number, b: Float64Array): { s: Float64Array; rounds: number } {
  const s = new Float64Array(k);
  const passive = new Set<number>();
  const barred = new Set<number>();
  let scale = 0;
  for (let j = 0; j < k; j++) scale = Math.max(scale, Math.abs(b[j]) / Math.sqrt(G[j * k + j] || 1));
  const budget = 10 * k + 10;
  for (let round = 1; ; round++) {
    let entering = -1;
    let steepest = 1e-12 * scale;
    for (let j = 0; j < k; j++) {
      if (passive.has(j) || barred.has(j) || G[j * k + j] <= 0) continue;
      let w = b[j];
      for (const i of passive) w -= G[j * k + i] * s[i];
      w /= Math.sqrt(G[j * k + j]);
      if (w > steepest) {
        steepest = w;
        entering = j;
      }
    }
    if (entering === -1) return { s, rounds: round };
    if (round > budget) return { s, rounds: -budget };
    passive.add(entering);
    for (;;) {
      const P = [...passive].sort((i, j) => i - j);
      const z = solveMasked(G, k, P, b);
      // A column that depends on the passive ones can come in with nothing to gain; keep it out this time.
      if (!(z[P.indexOf(entering)] > 0) && s[entering] === 0) {
        passive.delete(entering);
        barred.add(entering);
        break;
      }
      let step = 1;
      let blocking = -1;
      P.forEach((j, i) => {
        const reach = z[i] > 0 ? 1 : s[j] / (s[j] - z[i] || 1);
        if (z[i] > 0 || (blocking >= 0 && reach >= step)) return;
        step = reach;
        blocking = j;
      });
      P.forEach((j, i) => {
        s[j] = Math.max(s[j] + step * (z[i] - s[j]), 0);
      });
      if (blocking === -1) {
        barred.clear();
        break;
      }
      s[blocking] = 0;
      passive.delete(blocking);
    }
  }
}

/** log det G of a symmetric positive definite G (k×k, row-major), by Gauss elimination. */
export function logDeterminant(G: Float64Array, k: number): number {
  const rest = Float64Array.from(G);
  let sum = 0;
  for (let t = 0; t < k; t++) {
    const pivot = rest[t * k + t];
    sum += Math.log(pivot);
    for (let i = t + 1; i < k; i++) {
      const factor = rest[i * k + t] / pivot;
      for (let j = t; j < k; j++) rest[i * k + j] -= factor * rest[t * k + j];
    }
  }
  return sum;
}
