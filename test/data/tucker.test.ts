import { expect, test } from 'vitest';
import { leadingEigenvectors, symmetricEigenvalues } from '../../src/data/eigenvalues.js';
import { hierarchicalTensor } from '../../src/data/generate.js';
import { kruskal } from '../../src/data/kruskal.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { svdBounds } from '../../src/data/svd-bound.js';
import { type DenseTensor, sparseTensor, tensor } from '../../src/data/tensors.js';
import { modeBound, tucker, tuckerError } from '../../src/data/tucker.js';

test.each([1, 2, 3, 8, 41])('eigenvectors of a symmetric %i×%i matrix', (n) => {
  const { normal } = random(n);
  const A = new Float64Array(n * n);
  // Rank n − 1 at most, so that one eigenvalue is 0, and two are the same where there is room.
  for (let k = 0; k < n - 1; k++) {
    const v = Float64Array.from({ length: n }, normal);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) A[i * n + j] += v[i] * v[j];
  }
  const { values, vectors } = leadingEigenvectors(A.slice(), n, n);
  const expected = symmetricEigenvalues(A.slice(), n).reverse();
  const scale = Math.max(expected[0], 1);
  expect(values.every((value, i) => Math.abs(value - expected[i]) <= 1e-14 * n * scale)).toBe(true);
  for (let a = 0; a < n; a++) {
    for (let i = 0; i < n; i++) {
      let image = 0;
      for (let j = 0; j < n; j++) image += A[i * n + j] * vectors[a * n + j];
      expect(Math.abs(image - values[a] * vectors[a * n + i])).toBeLessThan(1e-14 * n * scale);
    }
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let i = 0; i < n; i++) dot += vectors[a * n + i] * vectors[b * n + i];
      expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(1e-14 * n);
    }
  }
});

test('eigenvectors of the identity and of zeros are orthonormal', () => {
  for (const value of [1, 0]) {
    const { values, vectors } = leadingEigenvectors(Float64Array.of(value, 0, 0, 0, value, 0, 0, 0, value), 3, 2);
    expect([...values]).toEqual([value, value, value]);
    expect([...vectors].map((x) => x ** 2).reduce((sum, x) => sum + x)).toBe(2);
  }
});

// Free-sign Tucker by HOOI from HOSVD, of another implementation (NumPy), to six digits.
test.each([
  [0.1, 1, 7, 0.079725],
  [0.1, 1, 4, 0.215195],
  [0.1, 1, 2, 0.530334],
  [0.4, 14, 7, 0.259101],
  [0.4, 14, 4, 0.307209],
  [0.4, 14, 2, 0.501148],
])('the published tensor at noise %d, seed %i, rank %i: %d', (noise, seed, rank, expected) => {
  const X = hierarchicalTensor({ noise, seed });
  expect(Math.abs(tuckerError(X, rank)! - expected)).toBeLessThan(0.6e-6);
  const bound = Math.max(...[0, 1, 2].map((n) => svdBounds(unfolded(X, n), [rank]).values[0]));
  expect(Math.abs(modeBound(X, rank)! / bound - 1)).toBeLessThan(1e-12);
  expect(bound).toBeLessThan(expected);
});

/** X_(n): mode n down, the others along. */
function unfolded({ shape, data }: DenseTensor, n: number): Matrix {
  const after = shape.slice(n + 1).reduce((product, size) => product * size, 1);
  const M = matrix(shape[n], data.length / shape[n]);
  const next = new Uint32Array(shape[n]);
  data.forEach((x, at) => {
    const i = Math.floor(at / after) % shape[n];
    M.data[i * M.cols + next[i]++] = x;
  });
  return M;
}

const noisy = (shape: readonly number[], seed: number) => {
  const { normal } = random(seed);
  return tensor(
    shape,
    Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => Math.exp(normal())),
  );
};

const shapes = [
  [7, 5],
  [5, 9],
  [61, 37],
  [7, 5, 9],
  [3, 1, 4],
  [70, 4, 5],
  [2, 50, 3],
  [3, 4, 90],
  [5, 3, 4, 7],
  [3, 2, 5, 2, 3],
  [2, 3, 2, 2, 3, 2],
];

test.each(shapes.map((shape) => [shape]))('random tensors of shape %j', (shape) => {
  const seed = shape.reduce((sum, size) => 31 * sum + size, 0);
  const X = noisy(shape, seed);
  for (const rank of [1, 2, 3, 6]) {
    const about = `shape ${shape}, seed ${seed}, rank ${rank}`;
    const bound = Math.max(...shape.map((_, n) => svdBounds(unfolded(X, n), [rank]).values[0]));
    const found = { bound: modeBound(X, rank)!, error: tuckerError(X, rank)! };
    expect(Math.abs(found.bound - bound), about).toBeLessThan(1e-12);
    expect(found.bound, about).toBeLessThanOrEqual(found.error + 1e-12);
    // A matrix has one decomposition, and every mode has room for all of it.
    if (shape.length === 2 || Math.max(...shape) <= rank) expect(Math.abs(found.error - bound), about).toBeLessThan(1e-12);

    // Falling, and equal to the residual as it was measured entry by entry.
    const { errors } = tucker(X, rank);
    for (let sweep = 1; sweep < errors.length; sweep++)
      expect(errors[sweep] ** 2, about).toBeLessThanOrEqual(errors[sweep - 1] ** 2 + 1e-13);
    expect(Math.abs(errors[errors.length - 1] ** 2 - found.error ** 2), about).toBeLessThan(1e-13);
  }
});

test.each([[[9, 8]], [[9, 7, 8]], [[5, 80, 6]], [[5, 6, 7, 5]], [[4, 5, 4, 4, 6]]])('exact tensors of low rank, shape %j', (shape) => {
  const { normal } = random(shape.length);
  const X = kruskal(shape.map((size) => matrix(size, 3, Float32Array.from({ length: 3 * size }, normal))));
  // X is rounded to f32, and a Gram matrix in f64 hides singular values below √(d ε).
  const rounding = Math.sqrt(shape.length) * 2 ** -24;
  const hidden = Math.sqrt(Math.max(...shape) * Number.EPSILON);
  expect(modeBound(X, 3)!).toBeLessThan(rounding);
  expect(tuckerError(X, 3)!).toBeLessThan(rounding + hidden);
  expect(modeBound(X, 2)!).toBeGreaterThan(1e-3);
});

test('a tensor with a known spectrum: a diagonal one, turned in every mode', () => {
  const values = [9, 5, 4, 2, 1];
  const { normal } = random(12);
  // An orthogonal factor of every mode: I − 2vvᵀ / ‖v‖².
  const factors = [7, 5, 6, 5].map((size) => {
    const v = Array.from({ length: size }, normal);
    const norm2 = v.reduce((sum, x) => sum + x * x, 0);
    return matrix(
      size,
      5,
      Float32Array.from(
        { length: size * 5 },
        (_, at) => (Math.floor(at / 5) === at % 5 ? 1 : 0) - (2 * v[Math.floor(at / 5)] * v[at % 5]) / norm2,
      ),
    );
  });
  const X = kruskal(factors, values);
  const total = values.reduce((sum, x) => sum + x * x, 0);
  for (const rank of [1, 2, 3, 4]) {
    const error = Math.sqrt(values.slice(rank).reduce((sum, x) => sum + x * x, 0) / total);
    expect(Math.abs(modeBound(X, rank)! - error)).toBeLessThan(1e-6); // f32
    expect(Math.abs(tuckerError(X, rank)! - error)).toBeLessThan(1e-6);
  }
});

test('zeros, sparse tensors, and what would take too long', () => {
  expect([modeBound(tensor([3, 4, 5]), 2), tuckerError(tensor([3, 4, 5]), 2)]).toEqual([0, 0]);
  const dense = noisy([4, 3, 5], 3);
  const coordinates = [0, 2, 1, 3, 0, 4, 1, 1, 1, 2, 2, 2, 2, 2, 3];
  const kept = [0, 1, 2, 3, 4].map((e) => (coordinates[3 * e] * 3 + coordinates[3 * e + 1]) * 5 + coordinates[3 * e + 2]);
  const sparse = sparseTensor(dense.shape, { coordinates, values: kept.map((at) => dense.data[at]) });
  const same = tensor(
    dense.shape,
    dense.data.map((x, at) => (kept.includes(at) ? x : 0)),
  );
  expect(modeBound(sparse, 2)).toBe(modeBound(same, 2));
  expect(tuckerError(sparse, 2)).toBe(tuckerError(same, 2));
  const large = sparseTensor([1500, 1500, 30], { coordinates: [1, 1, 1], values: [1] });
  expect([modeBound(large, 2), tuckerError(large, 2)]).toEqual([null, null]);
  // Its Gram matrices are small, but it has 1.2·10⁸ entries.
  const long = sparseTensor([30_000_000, 2, 2], { coordinates: [1, 1, 1], values: [1] });
  expect([modeBound(long, 2), tuckerError(long, 2)]).toEqual([null, null]);
});

test('bad input', () => {
  expect(() => modeBound(tensor([2, 2], [1, 2, 3, Number.NaN]), 1)).toThrow('X has the entry NaN at [1, 1]');
  expect(() => tuckerError(tensor([2, 2]), 0)).toThrow('rank must be a positive integer, not 0.');
});
