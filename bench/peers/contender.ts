/** The problem of the multiplicative update, and the interface of a library that is timed at it. */
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { randomFactors } from '../../src/methods/fit.js';

/** The ε that peers add to denominators, as is usual. Ours has a guard relative to the numerator (shaders/quotient.wgsl). */
export const epsilon = 1e-10;

export interface Problem {
  X: Matrix;
  A: Matrix;
  S: Matrix;
}

export interface Factors {
  A: ArrayLike<number>;
  S: ArrayLike<number>;
}

/** One library with the problem loaded. */
export interface Contender {
  /** Back to the start, and done with that. */
  reset(): Promise<void>;
  /** Queues that many iterations and reads the smaller factor back, which is over when the device is. */
  run(iterations: number): Promise<void>;
  factors(): Promise<Factors>;
  dispose(): void;
}

export type Smaller = 'A' | 'S';

export function smallerFactor({ A, S }: Problem): Smaller {
  return A.rows * A.cols <= S.rows * S.cols ? 'A' : 'S';
}

/** X of low rank with noise, and starting factors on its scale, as nmf (src/methods/nmf.ts) draws them. */
export function makeProblem(N: number, M: number, k: number): Problem {
  const X = randomLowRank(N, M, Math.min(k, 16), { seed: 0, noise: 0.1 });
  const settings = { seed: 0, restarts: 1 };
  const scale = Math.sqrt(X.data.reduce((sum, x) => sum + x, 0) / X.data.length / k);
  return {
    X,
    A: matrix(N, k, randomFactors(N, k, settings, 0, scale)),
    S: matrix(k, M, randomFactors(k, M, settings, 1, scale)),
  };
}

/** Floating-point operations of one iteration in Gram form. */
export function flopsOf(N: number, M: number, k: number): number {
  return 4 * N * M * k + 4 * k * k * (N + M);
}
