import { expect, test } from 'vitest';
import { checkFinite, checkNonnegative, checkPositive, checkPositiveInteger, checkRanks, checkSeed } from '../../src/data/check.js';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';

test('good matrices pass', () => {
  checkNonnegative(matrix(1, 1));
  checkNonnegative(matrix(3, 5, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 3e38]));
  checkNonnegative(matrix(1, 1, [-0]));
  checkFinite(matrix(1, 3, [-1, 0, -3e38]));
});

test.each([
  [matrix(0, 4), 'X is 0×4, but a matrix needs at least one row and one column.'],
  [matrix(4, 0), 'X is 4×0'],
  [{ rows: 2, cols: 2, data: new Float32Array(3) }, 'X is 2×2 and needs 4 entries, but its data has 3.'],
  [{ rows: 1, cols: 1, data: new Float64Array(1) as unknown as Float32Array }, 'X.data must be a Float32Array, not a Float64Array'],
  [matrix(2, 3, [0, 0, 0, 0, 0, -2]), 'X has the entry -2 in row 1, column 2 (counted from 0), but every entry must be ≥ 0'],
  [matrix(2, 3, [0, 0, 0, Number.NaN, 0, -2]), 'X has the entry NaN in row 1, column 0 (counted from 0), but every entry must be a finite'],
  [matrix(1, 2, [0, Infinity]), 'X has the entry Infinity in row 0, column 1'],
  [matrix(1, 2, [-Infinity, 0]), 'X has the entry -Infinity in row 0, column 0'],
])('a bad matrix is refused (%#)', (X, message) => {
  expect(() => checkNonnegative(X)).toThrow(InputError);
  expect(() => checkNonnegative(X)).toThrow(message);
});

test('checkFinite refuses NaN and names the matrix', () => {
  expect(() => checkFinite(matrix(1, 2, [-1, Number.NaN]), 'Z')).toThrow('Z has the entry NaN in row 0, column 1');
});

test('ranks', () => {
  checkRanks([9, 4, 2], 87, 90);
  checkRanks([5, 5], 5, 7);
  checkRanks([128], 500, 128);
  const refused = (ranks: unknown, message: string, N = 200, M = 300) => expect(() => checkRanks(ranks as number[], N, M)).toThrow(message);
  refused([], 'ranks must be a list of one or more positive integers such as [9, 4, 2], not [].');
  refused(9, 'not 9.');
  refused([9, 0], 'The ranks [9, 0] must be positive integers, but layer 1 has 0.');
  refused([2.5], 'layer 0 has 2.5');
  refused(['9'], 'layer 0 has "9"');
  refused([4, 9], 'The ranks [4, 9] must not increase, but layer 1 has 9 after 4.');
  refused([129], 'Layer 0 of the ranks [129] exceeds the largest rank supported, 128.');
  refused([6], 'Rank 6 is more than a 5×7 matrix can use; choose at most 5.', 5, 7);
});

test('numbers', () => {
  checkSeed(0);
  checkSeed(0xffffffff);
  checkPositiveInteger('iterations', 1);
  checkPositive('lambda', 0.5);
  for (const seed of [-1, 1.5, 2 ** 32, Number.NaN]) expect(() => checkSeed(seed)).toThrow('seed must be an integer from 0 to 4294967295');
  expect(() => checkPositiveInteger('iterations', 0)).toThrow('iterations must be a positive integer, not 0.');
  expect(() => checkPositive('lambda', Number.NaN)).toThrow('lambda must be a finite number > 0, not NaN.');
});
