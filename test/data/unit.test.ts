/** Powers of two as units: exact there and back, also at the ends of f32. */
import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense, stored } from '../../src/data/sparse.js';
import {
  columnsTimesPowersOfTwo,
  columnUnits,
  matrixTimesPowerOfTwo,
  powerOfTwoUnit,
  rangeFault,
  timesPowerOfTwo,
} from '../../src/data/unit.js';

const entries = (seed: number, count: number) => {
  const r = random(seed);
  return Float32Array.from({ length: count }, () => (r.uniform() < 0.3 ? 0 : r.normal()));
};

test('the mean of the entries that are not zero lies in [1, 2) in its unit, and moves with the data', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const values = entries(seed, 1 + 7 * seed).map((x) => x * 10 ** (seed - 10));
    const unit = powerOfTwoUnit(values);
    const there = timesPowerOfTwo(values, -unit).filter((x) => x !== 0);
    const mean = there.reduce((sum, x) => sum + Math.abs(x), 0) / (there.length || 1);
    if (there.length > 0) expect(mean >= 1 && mean < 2, `seed ${seed}: ${mean}`).toBe(true);
    for (const n of [-60, -1, 1, 60]) expect(powerOfTwoUnit(timesPowerOfTwo(values, n)), `seed ${seed}`).toBe(there.length ? unit + n : 0);
  }
});

test('just below a power of two is not above it', () => {
  // log2 of the largest number below 2 rounds to 1.
  const below = 2 - 2 ** -23;
  for (let n = -126; n < 127; n++) expect(powerOfTwoUnit([below * 2 ** n])).toBe(n);
  for (let n = -149; n < 128; n++) expect(powerOfTwoUnit([2 ** n])).toBe(n);
});

test('there and back is exact, from subnormal numbers, too', () => {
  const values = Float32Array.of(2 ** -149, -3 * 2 ** -149, 2 ** -126, 1e-40, 0, 1e-30);
  const unit = powerOfTwoUnit(values);
  const there = timesPowerOfTwo(values, -unit);
  expect(timesPowerOfTwo(there, unit)).toEqual(values);
  expect(Array.from(there)).toEqual(Array.from(values, (x) => x / 2 ** unit));
});

test('dense and sparse matrices of the same entries have one unit, and stay what they are', () => {
  const X = matrix(7, 9, entries(3, 63));
  const sparse = sparseFromDense(X);
  const unit = powerOfTwoUnit(stored(X));
  expect(powerOfTwoUnit(stored(sparse))).toBe(unit);
  expect(sparseFromDense(matrixTimesPowerOfTwo(X, 5))).toEqual(matrixTimesPowerOfTwo(sparse, 5));
  expect(matrixTimesPowerOfTwo(X, 0)).toBe(X);
});

test('columns have units of their own, 0 for a column of zeros', () => {
  const A = matrix(3, 3, [1e20, 0, -1e-20, 1e20, 0, 3e-20, 0, 0, 1e-20]);
  const units = columnUnits(A);
  expect(units).toEqual([66, 0, -66]);
  const there = columnsTimesPowersOfTwo(
    A,
    units.map((unit) => -unit),
  );
  expect(columnsTimesPowersOfTwo(there, units)).toEqual(A);
});

test('what f32 cannot hold is named', () => {
  expect(rangeFault([1, -2], 126)).toBeUndefined();
  expect(rangeFault([1, -2], 127)).toBe('overflow');
  expect(rangeFault([0, 0], 500)).toBeUndefined();
  expect(rangeFault([1, -2], -127)).toBeUndefined();
  expect(rangeFault([1, -2], -128)).toBe('underflow');
});
