/** The guard of quotients, here as in shaders/quotient.wgsl. */

/** The least ratio of a denominator to its numerator. */
export const leastRatio = 1e-30;

/** The smallest normal number of f32; smaller ones may count as 0 on a device. */
export const leastDenominator = 2 ** -126;

/** n / d for d ≥ 0: finite wherever n and d are, and 0 for 0 / 0. */
export function quotient(n: number, d: number): number {
  return n / Math.max(d, leastRatio * Math.abs(n), leastDenominator);
}
