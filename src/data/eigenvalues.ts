/**
 * The eigenvalues, ascending, of the symmetric n×n matrix whose lower triangle is in the row-major `A`, which is overwritten:
 * Householder's reduction to tridiagonal form, then the implicit QL algorithm (Wilkinson & Reinsch's tred1 and imtql1).
 */
export function symmetricEigenvalues(A: Float64Array, n: number): Float64Array {
  const { diagonal, offDiagonal } = tridiagonalise(A, n);
  implicitQl(diagonal, offDiagonal);
  return diagonal.sort();
}

/**
 * The eigenvalues, descending, of such a matrix, and orthonormal eigenvectors of the first `count` of them, each a row of the count×n
 * `vectors`. Takes about 3n³ + 2n² `count` multiplications (tred2 and imtql2 of the same book, where only those are turned back).
 */
export function leadingEigenvectors(A: Float64Array, n: number, count: number): { values: Float64Array; vectors: Float64Array } {
  const { diagonal, offDiagonal, h } = tridiagonalise(A, n);
  const Z = new Float64Array(n * n);
  for (let i = 0; i < n; i++) Z[i * n + i] = 1;
  implicitQl(diagonal, offDiagonal, Z);
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[j] - diagonal[i]);
  const vectors = new Float64Array(count * n);
  for (let c = 0; c < count; c++) {
    const z = vectors.subarray(c * n, (c + 1) * n);
    z.set(Z.subarray(order[c] * n, (order[c] + 1) * n));
    // Every P of the reduction, the last one first; its u stands in the row that it took off.
    for (let m = 1; m < n; m++) {
      if (h[m] === 0) continue;
      let uz = 0;
      for (let i = 0; i < m; i++) uz += A[m * n + i] * z[i];
      for (let i = 0; i < m; i++) z[i] -= (uz / h[m]) * A[m * n + i];
    }
  }
  return { values: Float64Array.from(order, (i) => diagonal[i]), vectors };
}

/** Takes one row a step off the end: P = I − u uᵀ / h maps row m of the leading block to (0, …, 0, e). u is left in that row of A. */
function tridiagonalise(A: Float64Array, n: number): { diagonal: Float64Array; offDiagonal: Float64Array; h: Float64Array } {
  const diagonal = new Float64Array(n);
  const hs = new Float64Array(n); // 0 where a row was taken off as it stood
  const offDiagonal = new Float64Array(n); // [m] couples m − 1 and m
  const u = new Float64Array(n);
  const p = new Float64Array(n);
  for (let m = n - 1; m > 0; m--) {
    const last = m * n;
    diagonal[m] = A[last + m];
    let scale = 0;
    for (let i = 0; i < m; i++) scale = Math.max(scale, Math.abs(A[last + i]));
    if (scale === 0) continue;
    let norm2 = 0;
    for (let i = 0; i < m; i++) {
      u[i] = A[last + i] / scale;
      norm2 += u[i] * u[i];
    }
    // The sign that adds to u's last entry avoids cancellation.
    const alpha = u[m - 1] > 0 ? -Math.sqrt(norm2) : Math.sqrt(norm2);
    const h = norm2 - u[m - 1] * alpha;
    u[m - 1] -= alpha;
    hs[m] = h;
    A.set(u.subarray(0, m), last);
    offDiagonal[m] = scale * alpha;

    // p = A u / h with every row of the triangle used for both of its halves.
    p.fill(0, 0, m);
    for (let j = 0; j < m; j++) {
      const row = j * n;
      const uj = u[j];
      let dot = A[row + j] * uj;
      for (let i = 0; i < j; i++) {
        const a = A[row + i];
        dot += a * u[i];
        p[i] += a * uj;
      }
      p[j] += dot;
    }
    let up = 0;
    for (let j = 0; j < m; j++) {
      p[j] /= h;
      up += u[j] * p[j];
    }
    // A ← P A P = A − u qᵀ − q uᵀ with q = p − (uᵀp / 2h) u
    for (let j = 0; j < m; j++) p[j] -= (up / (2 * h)) * u[j];
    for (let j = 0; j < m; j++) {
      const row = j * n;
      const uj = u[j];
      const qj = p[j];
      for (let i = 0; i <= j; i++) A[row + i] -= uj * p[i] + qj * u[i];
    }
  }
  diagonal[0] = A[0];
  return { diagonal, offDiagonal, h: hs };
}

/**
 * Turns the diagonal into the eigenvalues, in no order, by QL steps with Wilkinson's shift. The rows of an n×n Z are turned along: from the
 * identity they become the eigenvectors.
 */
function implicitQl(d: Float64Array, offDiagonal: Float64Array, Z?: Float64Array): void {
  const n = d.length;
  const e = new Float64Array(n); // [i] couples i and i + 1
  e.set(offDiagonal.subarray(1));
  for (let l = 0; l < n; l++) {
    // Two or three steps an eigenvalue are usual; the limit only keeps NaN from running forever.
    for (let step = 0; step < 60; step++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      const half = (d[l + 1] - d[l]) / (2 * e[l]);
      const root = Math.hypot(half, 1);
      let g = d[m] - d[l] + e[l] / (half + (half >= 0 ? root : -root));
      let [sine, cosine, shift] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = sine * e[i];
        const b = cosine * e[i];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= shift;
          e[m] = 0;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1] - shift;
        const t = (d[i] - g) * sine + 2 * cosine * b;
        shift = sine * t;
        d[i + 1] = g + shift;
        g = cosine * t - b;
        if (Z) turn(Z, n, i, sine, cosine);
      }
      if (i >= l) continue;
      d[l] -= shift;
      e[l] = g;
      e[m] = 0;
    }
  }
}

/** Turns rows i and i + 1 of Z by an angle. */
function turn(Z: Float64Array, n: number, i: number, sine: number, cosine: number): void {
  for (let p = i * n, q = p + n, end = q; p < end; p++, q++) {
    const z = Z[q];
    Z[q] = sine * Z[p] + cosine * z;
    Z[p] = cosine * Z[p] - sine * z;
  }
}
