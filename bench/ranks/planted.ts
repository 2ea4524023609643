/** A matrix of a rank that is known. */
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';

/**
 * max(|A||S| + E, 0), N×M, with A N×rank and S rank×M standard normal, of which the part `zeros` is 0, and E normal with a standard deviation of
 * `noise` times the root mean square of |A||S|.
 */
export function planted(
  N: number,
  M: number,
  rank: number,
  { noise, zeros, seed }: { noise: number; zeros: number; seed: number },
): Matrix {
  const { normal, uniform } = random(seed, { tensor: 1 });
  const entry = () => (uniform() < zeros ? 0 : Math.abs(normal()));
  const A = Float64Array.from({ length: N * rank }, entry);
  const S = Float64Array.from({ length: rank * M }, entry);
  const exact = Float64Array.from({ length: N * M }, (_, at) => {
    let sum = 0;
    for (let j = 0; j < rank; j++) sum += A[Math.floor(at / M) * rank + j] * S[j * M + (at % M)];
    return sum;
  });
  const size = Math.sqrt(exact.reduce((sum, x) => sum + x * x, 0) / exact.length);
  return matrix(
    N,
    M,
    Float32Array.from(exact, (x) => Math.max(x + noise * size * normal(), 0)),
  );
}
