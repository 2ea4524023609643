import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { isSparse, sparseFromDense, toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { parseMtxMatrix } from '../../src/formats/mtx.js';
import { bytesAllocated } from '../support/allocations.js';

/** The example of the format's description, in an order of its own; https://math.nist.gov/MatrixMarket/formats.html */
const example = `%%MatrixMarket matrix coordinate real general
% A 5x5 sparse matrix with 8 nonzeros

5 5 8
 4 4 -2.800e+02
1 1 1.000e+00
2 2 1.050e+01
3 3 1.500e-02
1 4 6.000e+00
4 2 2.505e+02
4 5 3.332e+01
5 5 1.200e+01
`;
const nist = matrix(5, 5, [1, 0, 0, 6, 0, 0, 10.5, 0, 0, 0, 0, 0, 0.015, 0, 0, 0, 250.5, 0, -280, 33.32, 0, 0, 0, 0, 12]);

test('coordinates, in any order', () => {
  const X = parseMtxMatrix(example);
  expect(isSparse(X)).toBe(true);
  expect(X).toEqual(sparseFromDense(nist));
  expect(parseMtxMatrix(example.replaceAll('\n', '\r\n'))).toEqual(X);
  expect(parseMtxMatrix(`\ufeff${example.trimEnd()}`)).toEqual(X);
});

test('integers, patterns, and the other half of symmetric matrices', () => {
  const of = (header: string, body: string) => toDense(parseMtxMatrix(`%%MatrixMarket matrix ${header}\n${body}`));
  expect(of('coordinate integer general', '2 3 2\n1 3 7\n2 1 4')).toEqual(matrix(2, 3, [0, 0, 7, 4, 0, 0]));
  expect(of('coordinate pattern general', '2 2 2\n2 1\n1 2')).toEqual(matrix(2, 2, [0, 1, 1, 0]));
  expect(of('Coordinate Real Symmetric', '3 3 3\n1 1 5\n3 1 2\n3 2 .5')).toEqual(matrix(3, 3, [5, 0, 2, 0, 0, 0.5, 2, 0.5, 0]));
  expect(of('coordinate pattern symmetric', '2 2 1\n2 1')).toEqual(matrix(2, 2, [0, 1, 1, 0]));
  expect(of('coordinate real general', '2 2 0\n')).toEqual(matrix(2, 2));
  expect(of('coordinate unsigned-integer general', '2 2 1\n1 2 7')).toEqual(matrix(2, 2, [0, 7, 0, 0]));
  // The other triangle has the other sign; an array begins below the diagonal.
  expect(of('coordinate real skew-symmetric', '3 3 2\n2 1 5\n3 2 -1')).toEqual(matrix(3, 3, [0, -5, 0, 5, 0, 1, 0, -1, 0]));
  expect(of('array real skew-symmetric', '3 3\n1\n2\n3')).toEqual(matrix(3, 3, [0, -1, -2, 1, 0, -3, 2, 3, 0]));
});

test('arrays are dense, column after column', () => {
  const X = parseMtxMatrix('%%MatrixMarket matrix array real general\n% by columns\n2 3\n1\n2\n3\n4\n5\n6e0\n');
  expect(X).toEqual(matrix(2, 3, [1, 3, 5, 2, 4, 6]));
  expect(parseMtxMatrix('%%MatrixMarket matrix array double symmetric\n2 2\n1\n2\n3')).toEqual(matrix(2, 2, [1, 2, 2, 3]));
});

const coordinate = (body: string, kind = 'real general') => `%%MatrixMarket matrix coordinate ${kind}\n${body}`;

test.each([
  ['1 2 3\n', 'x.mtx: line 1 must start with %%MatrixMarket, but is "1 2 3"'],
  ['%%MatrixMarket vector coordinate real general\n', "x.mtx: line 1: the object is 'vector', but only matrix can be read."],
  ['%%MatrixMarket matrix coordinate complex general\n', "line 1: the field is 'complex', but only real, integer, pattern can be read."],
  [
    '%%MatrixMarket matrix coordinate real hermitian\n',
    "line 1: the symmetry is 'hermitian', but only general, symmetric, skew-symmetric can be read.",
  ],
  ['%%MatrixMarket matrix coordinate pattern skew-symmetric\n', 'line 1: a pattern has no signs'],
  [
    '%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n1 1 5\n',
    'line 3 has an entry on the diagonal, but a skew-symmetric matrix has none there',
  ],
  ['%%MatrixMarket matrix coordinate real\n', 'line 1: the symmetry is missing'],
  ['%%MatrixMarket matrix array pattern general\n', 'line 1: a pattern has places and so needs format coordinate.'],
  [coordinate('% nothing'), 'x.mtx ends before the line with its numbers of rows, columns and entries.'],
  [coordinate('2 2\n'), 'x.mtx: line 2 should hold the numbers of rows, columns and entries, but is "2 2".'],
  [coordinate('2 2 -1\n'), 'line 2 should hold the numbers of rows, columns and entries'],
  [coordinate('0 2 0\n'), 'line 2 says 0×2, but a matrix needs at least one row and one column.'],
  [coordinate('4000000000 2 0\n'), 'line 2 says 4000000000×2, but so short a file can have 1048576 rows and columns; is it cut off?'],
  [coordinate('2 3 0\n', 'real symmetric'), 'line 2 says 2×3, but a symmetric matrix is as wide as it is high.'],
  [coordinate('2 2 999999999999\n1 1 1'), 'x.mtx is too short for the 999999999999 entries that its size line asks for'],
  [coordinate('2 2 3\n1 1 1\n\n2 2 1\n'), 'x.mtx ends after 2 entries, but its size line says 3.'],
  [coordinate('2 2 1\n1 1 1\n2 2 1\n'), 'x.mtx: line 4 comes after the last of 1 entries; correct the size line.'],
  [coordinate('2 2 1\n%\n3 1 1\n'), 'x.mtx: line 4 names row 3, but rows run from 1 to 2.'],
  [coordinate('2 2 1\n1 0 1\n'), 'x.mtx: line 3 names column 0, but columns run from 1 to 2.'],
  [coordinate('2 2 1\n1 1.5 1\n'), 'x.mtx: line 3 names column 1.5, but columns run from 1 to 2.'],
  [coordinate('2 2 1\n1 1\n'), 'x.mtx: line 3 should hold a row, a column and a value, but is "1 1".'],
  [coordinate('2 2 1\n1 1 1\n', 'pattern general'), 'line 3 should hold a row and a column, but is "1 1 1".'],
  [coordinate('2 2 1\n1 1 nan\n'), 'x.mtx: line 3 has the value "nan", which is not a number; correct or remove it.'],
  [coordinate('2 2 1\n1 1 1e39\n'), 'x.mtx: line 3 has the value 1e39, which is too large for f32; rescale the data.'],
  [coordinate('2 2 3\n2 1 1\n1 1 1\n2 1 3\n'), 'x.mtx has two entries for row 2, column 1; add them up or drop one.'],
  [
    coordinate('2 2 2\n2 1 1\n1 2 1\n', 'real symmetric'),
    'x.mtx has two entries for row 1, column 2 (a symmetric matrix is written as one triangle)',
  ],
  ['%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n', 'x.mtx ends before row 2, column 2 of 2×2.'],
  ['%%MatrixMarket matrix array real general\n2 2\n1 2\n3 4\n', 'x.mtx: line 3 should hold one value, but is "1 2".'],
  ['%%MatrixMarket matrix array real general\n90000 90000\n1\n', 'x.mtx is too short for the 8100000000 entries'],
])('%j is refused', (text, message) => {
  expect(() => parseMtxMatrix(text, { source: 'x.mtx' })).toThrow(InputError);
  expect(() => parseMtxMatrix(text, { source: 'x.mtx' })).toThrow(message);
});

test('memory is taken for what the file can hold, not for what it says', () => {
  const short = [
    coordinate('268435456 268435456 1\n1 1 1'),
    coordinate('1048577 1 1\n1 1 1\n'),
    coordinate('2 2 1000\n1 1 1\n'),
    coordinate('5000 5000 12000000\n', 'pattern symmetric'),
    '%%MatrixMarket matrix array real general\n100000 100000\n1\n',
    '%%MatrixMarket matrix array real symmetric\n1000000 1000000\n1\n',
    coordinate(`${'9'.repeat(400)} 1 1\n1 1 1\n`),
  ];
  for (const text of short) {
    const bytes = bytesAllocated(() => expect(() => parseMtxMatrix(text)).toThrow(InputError));
    expect(bytes).toBe(0);
  }
  const hashed = bytesAllocated(() => expect(parseMtxMatrix(coordinate('1048576 3 1\n9 1 2\n')).rows).toBe(1048576));
  // Starts of rows, once for each pass: what is counted is what was taken.
  expect(hashed).toBeGreaterThan(4 * 2 ** 20);
  expect(hashed).toBeLessThan(2 ** 26);
  const entries = Array.from({ length: 100_000 }, (_, e) => `${20 * e + 1} 1 1`).join('\n');
  expect(parseMtxMatrix(coordinate(`1200000 1 0\n${'%\n'.repeat(600_000)}`)).rows).toBe(1_200_000);
  expect(() => parseMtxMatrix(coordinate(`2000001 1 100000\n${entries}\n`))).toThrow('can have');
});

test('unsigned integers, as scipy writes them', () => {
  expect(toDense(parseMtxMatrix(coordinate('2 2 1\n2 1 65535\n', 'unsigned-integer general')))).toEqual(matrix(2, 2, [0, 0, 65535, 0]));
});

test.each([
  ['digits', coordinate(`1 1 1\n1 1 ${'1'.repeat(5_000_000)}x\n`)],
  ['blanks', coordinate(`1 1 1\n${' '.repeat(5_000_000)}1 1\n`)],
  ['an index', coordinate(`1 1 1\n${'9'.repeat(5_000_000)} 1 1\n`)],
  ['a header', `%%MatrixMarket matrix ${'x'.repeat(5_000_000)} real general\n1 1 1\n`],
  ['one line', 'x'.repeat(5_000_000)],
])('five million characters of %s are refused in one pass, in a short sentence', (_, text) => {
  try {
    parseMtxMatrix(text);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message.length).toBeLessThan(300);
  }
});
