import { expect, test } from 'vitest';
import { symmetricEigenvalues } from '../../src/data/eigenvalues.js';
import { tableOne } from '../../src/data/generate.js';
import { matrix, transpose } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { singularValuesSquared, svdBounds } from '../../src/data/svd-bound.js';

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(tolerance);
}

/** D with the given diagonal, turned by Householder reflections on both sides: its singular values stay. */
function rotated(rows: number, cols: number, values: number[]) {
  const { normal } = random(3);
  const X = new Float64Array(rows * cols);
  values.forEach((value, i) => {
    X[i * cols + i] = value;
  });
  for (const [length, at, count] of [
    [rows, (i: number, j: number) => i * cols + j, cols],
    [cols, (j: number, i: number) => i * cols + j, rows],
  ] as const) {
    const v = Array.from({ length }, normal);
    const norm2 = v.reduce((sum, x) => sum + x * x, 0);
    for (let j = 0; j < count; j++) {
      let dot = 0;
      for (let i = 0; i < length; i++) dot += v[i] * X[at(i, j)];
      for (let i = 0; i < length; i++) X[at(i, j)] -= ((2 * dot) / norm2) * v[i];
    }
  }
  return matrix(rows, cols, X);
}

test('diagonal and small matrices', () => {
  close(singularValuesSquared(matrix(3, 4, [0, 0, 0, 2, 0, 0, 3, 0, -1, 0, 0, 0])), [9, 4, 1], 1e-14);
  close(singularValuesSquared(matrix(1, 3, [1, 2, 2])), [9], 1e-14);
  close(singularValuesSquared(matrix(1, 1, [-5])), [25], 0);
  close(singularValuesSquared(matrix(2, 2, [1, 1, 1, 1])), [4, 0], 1e-14);
  close(singularValuesSquared(matrix(3, 2)), [0, 0], 0);
});

test('the values numpy gives', () => {
  const X = matrix(7, 5);
  for (let i = 0; i < 7; i++) for (let j = 0; j < 5; j++) X.data[i * 5 + j] = ((i * 3 + j * 5) % 7) + (i === j ? 4 : 0);
  const squares = [465.3442892889805, 67.19395363680971, 60.52657913562864, 18.13076645305428, 3.8044114855268334];
  close(singularValuesSquared(X), squares, 1e-11);
  close(singularValuesSquared(transpose(X)), squares, 1e-11);
  const { values, method } = svdBounds(X, [4, 2, 3, 1]);
  close(values, [0.07865135050217503, 0.3661750371669859, 0.3661750371669859, 0.4932976981927932], 1e-13);
  expect(method).toBe('exact');
});

test('known singular values after a rotation', () => {
  const values = Array.from({ length: 37 }, (_, i) => 40 / (i + 1));
  for (const X of [rotated(37, 61, values), rotated(61, 37, values)]) {
    const singular = singularValuesSquared(X).map(Math.sqrt);
    close(singular, values, 1e-5); // f32 rounding of X
  }
});

test('the second-difference matrix has the eigenvalues 2 − 2 cos(kπ / (n + 1))', () => {
  const n = 60;
  const A = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    A[i * n + i] = 2;
    if (i > 0) A[i * n + i - 1] = -1;
  }
  close(
    symmetricEigenvalues(A, n),
    Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1))),
    1e-13,
  );
});

test('Table 1: within 1 % of the bounds documented for the authors’ noise', () => {
  for (const seed of [0, 1, 2]) {
    const { values } = svdBounds(tableOne(seed).X, [9, 4, 2]);
    [0.0236, 0.2816, 0.4676].forEach((bound, layer) => {
      expect(Math.abs(values[layer] / bound - 1)).toBeLessThan(0.01);
    });
  }
});

test('full rank and the zero matrix have the bound 0', () => {
  expect(svdBounds(matrix(3, 4), [2, 1]).values).toEqual([0, 0]);
  expect(svdBounds(matrix(2, 2, [1, 2, 3, 4]), [2]).values).toEqual([0]);
  expect(svdBounds(matrix(2, 2, [1, 2, 3, 4]), [5]).values).toEqual([0]);
});

test('large matrices: a sketch that comes close', () => {
  const n = 2001;
  const X = matrix(n, n);
  let [total, beyond3, beyond8] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const value = Math.fround(1 / (1 + i));
    X.data[((i * 11) % n) * n + ((i * 7) % n)] = value; // far from each other in both directions
    total += value ** 2;
    if (i >= 3) beyond3 += value ** 2;
    if (i >= 8) beyond8 += value ** 2;
  }
  const { values, method } = svdBounds(X, [8, 3]);
  expect(method).toBe('randomised');
  close(values, [Math.sqrt(beyond8 / total), Math.sqrt(beyond3 / total)], 1e-6);
  expect(svdBounds(matrix(n, n), [2]).values).toEqual([0]);
});

test('bad input', () => {
  expect(() => svdBounds(matrix(1, 1, [Number.NaN]), [1])).toThrow('X has the entry NaN');
  expect(() => svdBounds(matrix(0, 1), [1])).toThrow('X is 0×1');
  expect(() => svdBounds(matrix(1, 1), [])).toThrow('a list of ranks, such as [9, 4, 2], not [].');
  expect(() => svdBounds(matrix(1, 1), [2, 0])).toThrow('ranks[1] must be a positive integer, not 0.');
});
