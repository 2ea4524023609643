/** k-means: Lloyd's algorithm from the starts of k-means++ (Arthur & Vassilvitskii, SODA 2007), each better one of a few trials. */
import type { Random } from './random.js';

export interface KMeans {
  /** The cluster of each point, from 0 on. */
  clusters: Int32Array;
  /** Σ ‖x − c‖² over the points and the centres of their clusters. */
  inertia: number;
}

/** Iterations of Lloyd's algorithm at most, as in scikit-learn. */
const mostIterations = 300;

/** The best of `starts` runs by its inertia. Needs as many points as clusters. */
export function kMeans(points: readonly ArrayLike<number>[], k: number, random: Random, starts: number): KMeans {
  let best: KMeans | undefined;
  for (let start = 0; start < starts; start++) {
    const found = lloyd(points, plusPlus(points, k, random));
    if (best === undefined || found.inertia < best.inertia) best = found;
  }
  return best!;
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

/** Centres one after the other: of 2 + ⌊ln k⌋ points, drawn by their squared distance, the one that leaves the least inertia. */
function plusPlus(points: readonly ArrayLike<number>[], k: number, { uniform, integer }: Random): Float64Array[] {
  const first = points[integer(points.length)];
  const centres = [Float64Array.from(first)];
  let nearest = points.map((point) => squaredDistance(point, first));
  const trials = 2 + Math.floor(Math.log(k));
  while (centres.length < k) {
    const total = nearest.reduce((sum, d) => sum + d, 0);
    let chosen: { at: number; left: number[]; inertia: number } | undefined;
    for (let trial = 0; trial < trials; trial++) {
      const at = drawn(nearest, uniform() * total);
      const left = nearest.map((d, i) => Math.min(d, squaredDistance(points[i], points[at])));
      const inertia = left.reduce((sum, d) => sum + d, 0);
      if (chosen === undefined || inertia < chosen.inertia) chosen = { at, left, inertia };
    }
    centres.push(Float64Array.from(points[chosen!.at]));
    nearest = chosen!.left;
  }
  return centres;
}

/** The place at which the running sum of weights exceeds `mark`, the last one where it never does. */
function drawn(weights: readonly number[], mark: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i];
    if (sum > mark) return i;
  }
  return weights.length - 1;
}

function lloyd(points: readonly ArrayLike<number>[], centres: Float64Array[]): KMeans {
  const clusters = new Int32Array(points.length).fill(-1);
  const distances = new Float64Array(points.length);
  for (let iteration = 0; ; iteration++) {
    let moved = false;
    points.forEach((point, i) => {
      let nearest = 0;
      distances[i] = Number.POSITIVE_INFINITY;
      centres.forEach((centre, c) => {
        const distance = squaredDistance(point, centre);
        if (distance < distances[i]) [nearest, distances[i]] = [c, distance];
      });
      moved ||= clusters[i] !== nearest;
      clusters[i] = nearest;
    });
    if (!moved || iteration === mostIterations) return { clusters, inertia: distances.reduce((sum, d) => sum + d, 0) };
    recentre(points, clusters, centres, distances);
  }
}

/** Centres ← means of their clusters. An empty cluster takes the point that is farthest from its own centre. */
function recentre(points: readonly ArrayLike<number>[], clusters: Int32Array, centres: Float64Array[], distances: Float64Array): void {
  const counts = centres.map(() => 0);
  for (const centre of centres) centre.fill(0);
  points.forEach((point, i) => {
    const centre = centres[clusters[i]];
    counts[clusters[i]]++;
    for (let t = 0; t < point.length; t++) centre[t] += point[t];
  });
  centres.forEach((centre, c) => {
    if (counts[c] > 0) {
      for (let t = 0; t < centre.length; t++) centre[t] /= counts[c];
      return;
    }
    const farthest = distances.indexOf(distances.reduce((most, d) => Math.max(most, d), 0));
    distances[farthest] = 0;
    centre.set(Float64Array.from(points[farthest]));
  });
}
