/**
 * The silhouette of each member of a clustering, (b − a) / max(a, b): a is its mean distance to the others of its cluster, b the least mean
 * distance to another cluster. From −1 to 1; 0 in a cluster of one. With one cluster alone all are 1, as NMFk has it.
 *
 * Rousseeuw, Journal of Computational and Applied Mathematics 1987.
 *
 * @param distances n×n, symmetric.
 * @param clusters The cluster of each member, from 0 on.
 */
export function silhouettes(distances: ArrayLike<number>, clusters: ArrayLike<number>): Float64Array {
  const n = clusters.length;
  const count = Math.max(-1, ...Array.from(clusters)) + 1;
  const sizes = new Float64Array(count);
  for (let i = 0; i < n; i++) sizes[clusters[i]]++;
  if (sizes.filter((size) => size > 0).length < 2) return new Float64Array(n).fill(1);
  return Float64Array.from({ length: n }, (_, i) => {
    const sums = new Float64Array(count);
    for (let j = 0; j < n; j++) sums[clusters[j]] += distances[i * n + j];
    const own = clusters[i];
    if (sizes[own] === 1) return 0;
    const a = sums[own] / (sizes[own] - 1);
    let b = Number.POSITIVE_INFINITY;
    for (let c = 0; c < count; c++) if (c !== own && sizes[c] > 0) b = Math.min(b, sums[c] / sizes[c]);
    return a === b ? 0 : (b - a) / Math.max(a, b);
  });
}

/** Distances between all pairs of vectors of equal length, n×n: Euclid's, or one minus the cosine. */
export function distancesOf(vectors: readonly ArrayLike<number>[], kind: 'euclidean' | 'cosine'): Float64Array {
  const n = vectors.length;
  const product = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  };
  const squares = vectors.map((vector) => product(vector, vector));
  const distances = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const inner = product(vectors[i], vectors[j]);
      // Rounding can leave a little below 0.
      const distance =
        kind === 'euclidean'
          ? Math.sqrt(Math.max(squares[i] + squares[j] - 2 * inner, 0))
          : Math.max(1 - inner / (Math.sqrt(squares[i] * squares[j]) || 1), 0);
      distances[i * n + j] = distances[j * n + i] = distance;
    }
  }
  return distances;
}
