/**
 * Units as powers of two. A product with one is exact, so a problem that is brought to a unit near 1 and back has the digits of the
 * problem as it was given, and no square of it overflows or vanishes in f32.
 */
import type { Dense, Matrix } from './matrix.js';
import { type DataMatrix, isSparse, stored } from './sparse.js';

/**
 * The exponent e for which the mean |x| of the entries that are not zero lies in [2^e, 2^(e+1)); 0 where every entry is zero.
 * A dense and a sparse matrix of the same entries have the same one; that of 2^n X is n more.
 */
export function powerOfTwoUnit(values: ArrayLike<number>): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue;
    sum += Math.abs(values[i]);
    count++;
  }
  return powerOfTwoUnitOf(sum, count);
}

/** The same from Σ |x| and the number of entries that are not zero. */
export function powerOfTwoUnitOf(sum: number, count: number): number {
  return count === 0 ? 0 : exponentOf(sum / count);
}

/** ⌊log₂ x⌋ of a normal number x > 0 of f64, from its bits: Math.log2 may round up to the next integer. */
function exponentOf(x: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, x);
  return ((bits.getUint16(0) >> 4) & 0x7ff) - 1023;
}

/**
 * Every entry times 2^exponent, for exponents from −900 to 900. The product is formed in f64, where it is exact for every number of f32,
 * and rounded to f32 once: subnormal entries come out whole, and only results below 2^−126 lose digits. Results beyond f32 are infinite:
 * see `rangeFault`.
 */
export function timesPowerOfTwo(values: ArrayLike<number>, exponent: number): Float32Array {
  const factor = 2 ** exponent;
  // Float32Array.from with a function makes a list of all numbers first: it takes forty times as long, and far more memory.
  const scaled = new Float32Array(values.length);
  for (let at = 0; at < scaled.length; at++) scaled[at] = values[at] * factor;
  return scaled;
}

/** X · 2^exponent in the form of X; X itself for the exponent 0. */
export function matrixTimesPowerOfTwo<X extends DataMatrix>(X: X, exponent: number): X {
  if (exponent === 0) return X;
  return isSparse(X) ? { ...X, values: timesPowerOfTwo(X.values, exponent) } : { ...X, data: timesPowerOfTwo(stored(X), exponent) };
}

/** The unit of every column of A. */
export function columnUnits({ rows, cols, data }: Matrix): number[] {
  return Array.from({ length: cols }, (_, j) => powerOfTwoUnit(Float32Array.from({ length: rows }, (_, i) => data[i * cols + j])));
}

/** Entry (i, j) times 2^(exponents[j]). */
export function columnsTimesPowersOfTwo<A extends Matrix>(A: A, exponents: readonly number[]): A {
  const factors = exponents.map((exponent) => 2 ** exponent);
  return { ...A, data: A.data.map((x, at) => x * factors[at % A.cols]) };
}

/** Entry (i, j) times 2^(exponents[i]), in f64: exact. */
export function rowsTimesPowersOfTwo({ data, cols }: Dense, exponents: readonly number[]): Float64Array {
  const factors = exponents.map((exponent) => 2 ** exponent);
  const scaled = new Float64Array(data.length);
  for (let at = 0; at < scaled.length; at++) scaled[at] = data[at] * factors[Math.floor(at / cols)];
  return scaled;
}

/** 'overflow' where x · 2^exponent of an entry x is beyond f32, 'underflow' where all that is not zero is below its normal numbers. */
export function rangeFault(values: ArrayLike<number>, exponent: number): 'overflow' | 'underflow' | undefined {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  const scaled = largest * 2 ** exponent;
  if (Math.fround(scaled) === Number.POSITIVE_INFINITY) return 'overflow';
  return largest > 0 && scaled < 2 ** -126 ? 'underflow' : undefined;
}
