/** Factors of small square matrices in f64, row-major: the parts of a randomised SVD that are left for the host. */

/**
 * B = U diag(sigma) Vᵀ for an n×n B, sigma descending, by one-sided Jacobi rotations (Hestenes 1958), which find small singular values to
 * their own digits. A column of U beside a singular value of 0 is 0.
 */
export function smallSvd(B: ArrayLike<number>, n: number): { U: Float64Array; sigma: Float64Array; V: Float64Array } {
  const W = Float64Array.from(B);
  const V = identity(n);
  for (let sweep = 0, turned = true; turned && sweep < mostSweeps; sweep++) {
    turned = false;
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) if (makeOrthogonal(W, V, n, i, j)) turned = true;
  }
  const lengths = Array.from({ length: n }, (_, j) => Math.sqrt(dotOfColumns(W, n, j, j)));
  const order = lengths.map((_, j) => j).sort((a, b) => lengths[b] - lengths[a]);
  const [U, sorted] = [new Float64Array(n * n), new Float64Array(n * n)];
  order.forEach((from, to) => {
    for (let row = 0; row < n * n; row += n) {
      U[row + to] = lengths[from] > 0 ? W[row + from] / lengths[from] : 0;
      sorted[row + to] = V[row + from];
    }
  });
  return { U, sigma: Float64Array.from(order, (j) => lengths[j]), V: sorted };
}

/** Six to ten are usual; the limit only keeps NaN from running forever. */
const mostSweeps = 60;

/** Turns columns i and j of W, and those of V, so that the two of W are orthogonal. False where they were. */
function makeOrthogonal(W: Float64Array, V: Float64Array, n: number, i: number, j: number): boolean {
  const [a, b, c] = [dotOfColumns(W, n, i, i), dotOfColumns(W, n, j, j), dotOfColumns(W, n, i, j)];
  if (!(Math.abs(c) > 1e-15 * Math.sqrt(a * b))) return false;
  const zeta = (b - a) / (2 * c);
  const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  for (const M of [W, V]) {
    for (let row = 0; row < n * n; row += n) {
      const [x, y] = [M[row + i], M[row + j]];
      M[row + i] = cosine * (x - tangent * y);
      M[row + j] = cosine * (y + tangent * x);
    }
  }
  return true;
}

function dotOfColumns(W: Float64Array, n: number, i: number, j: number): number {
  let sum = 0;
  for (let row = 0; row < n * n; row += n) sum += W[row + i] * W[row + j];
  return sum;
}

/**
 * R, upper triangular, with RᵀR = G but for `shift` times the diagonal of G, which keeps the factor of a matrix that is nearly singular in
 * range (shifted Cholesky QR: Fukaya et al., SIAM J. Sci. Comput. 2020); and R⁻¹. A column that is zero in G has 1 on the diagonal of R.
 */
export function shiftedCholesky(G: ArrayLike<number>, n: number, shift: number): { R: Float64Array; inverse: Float64Array } {
  const unit = Float64Array.from({ length: n }, (_, j) => Math.sqrt(Math.max(G[j * n + j], 0)) || 1);
  const R = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      let rest = G[i * n + j] / (unit[i] * unit[j]) + (i === j ? shift : 0);
      for (let t = 0; t < i; t++) rest -= R[t * n + i] * R[t * n + j];
      R[i * n + j] = i === j ? Math.sqrt(Math.max(rest, 0)) || 1 : rest / R[i * n + i];
    }
  }
  const inverse = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let i = j; i >= 0; i--) {
      let rest = i === j ? 1 : 0;
      for (let t = i + 1; t <= j; t++) rest -= R[i * n + t] * inverse[t * n + j];
      inverse[i * n + j] = rest / R[i * n + i];
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      R[i * n + j] *= unit[j];
      inverse[i * n + j] /= unit[i];
    }
  }
  return { R, inverse };
}

export function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
}
