import { expect, test } from 'vitest';
import { checkFinite, checkNonnegative } from '../../src/data/check.js';
import { matrix, transpose } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import {
  isSparse,
  mean,
  placeOf,
  type SparseMatrix,
  sparseFromDense,
  sparseFromEntries,
  sparseMatrix,
  sparseTranspose,
  toDense,
} from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';

/** [0 5 0; 0 0 0; 7 0 −1] */
const dense = matrix(3, 3, [0, 5, 0, 0, 0, 0, 7, 0, -1]);
const csr = { rowStarts: [0, 1, 1, 3], columns: [1, 0, 2], values: [5, 7, -1] };

test('compressed rows and what they stand for', () => {
  const X = sparseMatrix(3, 3, csr);
  expect(isSparse(X)).toBe(true);
  expect(isSparse(dense)).toBe(false);
  expect(toDense(X)).toEqual(dense);
  expect(toDense(dense)).toBe(dense);
  expect(sparseFromDense(dense)).toEqual(X);
  expect(toDense(sparseTranspose(X))).toEqual(transpose(dense));
  expect(mean(X)).toBeCloseTo(11 / 9, 6);
  expect(mean(dense)).toBeCloseTo(11 / 9, 6);
  expect([0, 1, 2].map((e) => placeOf(X, e))).toEqual([
    { row: 0, column: 1 },
    { row: 2, column: 0 },
    { row: 2, column: 2 },
  ]);
});

test('entries in any order, many of them', () => {
  const r = random(4);
  const [rows, cols] = [37, 23];
  const data = Float32Array.from({ length: rows * cols }, () => (r.uniform() < 0.2 ? r.normal() : 0));
  const places = [...data.keys()].filter((at) => data[at] !== 0);
  for (let e = places.length - 1; e > 0; e--) {
    const other = r.integer(e + 1);
    [places[e], places[other]] = [places[other], places[e]];
  }
  const X = sparseFromEntries(rows, cols, {
    rowIndices: places.map((at) => Math.floor(at / cols)),
    columns: places.map((at) => at % cols),
    values: places.map((at) => data[at]),
  });
  expect(X).toEqual(sparseFromDense(matrix(rows, cols, data)));
  expect(sparseTranspose(sparseTranspose(X))).toEqual(X);
  expect(sparseTranspose(X)).toEqual(sparseFromDense(transpose(matrix(rows, cols, data))));
});

test('a matrix without entries, and zeros that are stored', () => {
  const empty = sparseMatrix(2, 3, { rowStarts: [0, 0, 0], columns: [], values: [] });
  expect(toDense(empty)).toEqual(matrix(2, 3));
  expect(sparseTranspose(empty).rowStarts).toEqual(new Uint32Array(4));
  expect(sparseMatrix(1, 2, { rowStarts: [0, 1], columns: [1], values: [0] }).values).toHaveLength(1);
});

test.each<[string, number, number, Partial<Record<keyof typeof csr, number[]>>, string]>([
  ['no rows', 0, 3, {}, 'X is 0×3, but a matrix needs at least one row and one column'],
  ['too few starts', 3, 3, { rowStarts: [0, 1, 3] }, 'X has 3 rows and needs 4 rowStarts, but 3 were given.'],
  [
    'starts that end early',
    3,
    3,
    { rowStarts: [0, 1, 1, 2] },
    'X.rowStarts must run from 0 to 3, the number of values, but they run from 0 to 2.',
  ],
  ['starts that fall', 3, 3, { rowStarts: [0, 2, 1, 3] }, 'X.rowStarts falls from 2 to 1 after row 1; starts never decrease.'],
  ['a column too few', 3, 3, { columns: [1, 0] }, 'X has 3 values, but 2 columns; every stored entry needs its column.'],
  ['a column out of range', 3, 3, { columns: [1, 0, 3] }, 'X has an entry in row 2, column 3 (counted from 0), but its columns are 0 to 2'],
  ['a column below 0', 3, 3, { columns: [1, -1, 2] }, 'columns[1] is -1, but an index is an integer from 0 on.'],
  ['a column that is no integer', 3, 3, { columns: [1, 0.5, 2] }, 'columns[1] is 0.5, but an index is an integer from 0 on.'],
  ['columns out of order', 3, 3, { columns: [1, 2, 0] }, 'X has column 0 after column 2 in row 2 (counted from 0); sort each row'],
  ['a place twice', 3, 3, { columns: [1, 2, 2] }, 'X has two entries in row 2, column 2 (counted from 0); add them up or drop one.'],
])('%s is refused', (_name, rows, cols, change, message) => {
  expect(() => sparseMatrix(rows, cols, { ...csr, ...change })).toThrow(InputError);
  expect(() => sparseMatrix(rows, cols, { ...csr, ...change })).toThrow(message);
});

test('bad entries in any order are refused', () => {
  const from = (rowIndices: number[], columns: number[], values: number[]) => () =>
    sparseFromEntries(2, 2, { rowIndices, columns, values });
  expect(from([0, 2], [0, 1], [1, 1])).toThrow('Entry 1 is in row 2, column 1, but a 2×2 matrix has rows 0 to 1 and columns 0 to 1.');
  expect(from([0, 1], [0, -1], [1, 1])).toThrow('columns[1] is -1, but an index is an integer from 0 on.');
  expect(from([1, 0, 1], [0, 0, 0], [1, 1, 1])).toThrow('X has two entries in row 1, column 0 (counted from 0)');
  expect(from([1], [0, 0], [1])).toThrow('There are 1 values, 1 row indices and 2 columns');
});

test('values are checked with their place, and the form with them', () => {
  const X = sparseMatrix(3, 3, csr);
  expect(() => checkFinite(X)).not.toThrow();
  expect(() => checkNonnegative(X)).toThrow('X has the entry -1 in row 2, column 2 (counted from 0), but every entry must be ≥ 0');
  expect(() => checkFinite({ ...X, values: X.values.with(1, Number.NaN) }, 'newX')).toThrow('newX has the entry NaN in row 2, column 0');
  expect(() => checkFinite({ ...X, columns: [1, 0, 2] } as unknown as SparseMatrix)).toThrow('X.columns must be a Uint32Array');
  expect(() => checkFinite({ ...X, columns: X.columns.with(0, 9) })).toThrow('column 9');
});
