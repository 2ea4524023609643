/** Least squares on the simplex in f64, one column: the truth the kernel is compared with. */
import { solveMasked } from './linear-algebra.js';

/**
 * argmin ½ sᵀGs − bᵀs over s ≥ 0 with Σ s = 1, by an active set from the best corner: one index enters at a time, and a step that would
 * leave the simplex stops where the first index reaches zero. It is finite and monotone, and another algorithm than the kernel uses first.
 */
export function solveSimplex(G: Float64Array, k: number, b: Float64Array): { s: Float64Array; rounds: number } {
  const s = new Float64Array(k);
  const size = [...G, ...b].reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  let corner = 0;
  for (let j = 0; j < k; j++) {
    if (G[j * (k + 1)] / 2 - b[j] < G[corner * (k + 1)] / 2 - b[corner]) corner = j;
  }
  s[corner] = 1;
  const shifted = G.map((g) => g + (size || 1));
  const passive = new Set([corner]);
  const barred = new Set<number>();
  const budget = 10 * k + 10;
  for (let round = 1; ; round++) {
    const gain = b.map((bj, j) => s.reduce((sum, x, i) => sum - G[j * k + i] * x, bj));
    const multiplier = gain.reduce((sum, w, j) => sum + s[j] * w, 0);
    let entering = -1;
    for (let j = 0; j < k; j++) {
      if (passive.has(j) || barred.has(j) || !(gain[j] - multiplier > 1e-13 * size)) continue;
      if (entering === -1 || gain[j] > gain[entering]) entering = j;
    }
    if (entering === -1) return { s, rounds: round };
    if (round > budget) return { s, rounds: -budget };
    passive.add(entering);
    for (;;) {
      const P = [...passive].sort((i, j) => i - j);
      const z = onSupport(shifted, k, P, b);
      // A column that depends on the others can come in with nothing to gain; keep it out this time.
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

/** The solution on the support P: u − μv, with the multiplier μ that makes its sum 1. */
function onSupport(G: Float64Array, k: number, P: readonly number[], b: Float64Array): Float64Array {
  const sum = (x: Float64Array) => x.reduce((total, one) => total + one, 0);
  const u = solveMasked(G, k, P, b);
  const v = solveMasked(G, k, P, new Float64Array(k).fill(1));
  const step = (1 - sum(u)) / sum(v);
  return u.map((x, i) => x + step * v[i]);
}

/** max_i |min(c s_i, h_i − ν)| with h = Gs − b, ν = sᵀh and c = max_i g_ii, relative to the largest of c, |b_i| and `floor`. */
export function simplexResidual(G: Float64Array, b: Float64Array, s: Float64Array, floor: number): number {
  const k = b.length;
  const gradient = b.map((bi, i) => s.reduce((sum, x, j) => sum + G[i * k + j] * x, -bi));
  const multiplier = gradient.reduce((sum, h, i) => sum + s[i] * h, 0);
  const largest = s.reduce((most, _, i) => Math.max(most, G[i * (k + 1)]), 0);
  const scale = b.reduce((most, bi) => Math.max(most, Math.abs(bi)), Math.max(largest, floor));
  const worst = s.reduce((most, x, i) => Math.max(most, Math.abs(Math.min(largest * x, gradient[i] - multiplier))), 0);
  return scale > 0 ? worst / scale : worst;
}
