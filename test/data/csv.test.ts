import { expect, test } from 'vitest';
import { parseCsvMatrix } from '../../src/data/csv.js';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';

const twoByThree = matrix(2, 3, [1, 2.5, -3, 0.5, 1e-3, 7]);

test.each([
  ['plain', '1,2.5,-3\n.5,1e-3,+7\n', undefined],
  ['no newline at the end', '1,2.5,-3\n.5,1e-3,+7', undefined],
  ['semicolons, CRLF', '1;2.5;-3\r\n.5;1E-3;7.\r\n', undefined],
  ['tabs, BOM, old Mac line ends', '\ufeff1\t2.5\t-3\r.5\t1e-3\t7', undefined],
  ['blank lines and spaces', '\n 1, 2.5,-3 \n\n   \n.5,1e-3,7\n\n', undefined],
  ['header', 'a,b c,d\n1,2.5,-3\n.5,1e-3,7', ['a', 'b c', 'd']],
  ['header with an empty cell', ',b,d\n1,2.5,-3\n.5,1e-3,7', ['', 'b', 'd']],
  ['quoted header', '"a","b, ""c""","d\ne"\n1,2.5,-3\n.5,1e-3,7', ['a', 'b, "c"', 'd\ne']],
  ['quoted numbers, CRLF', 'a,b,c\r\n"1","2.5",-3\r\n.5,"1e-3","7"\r\n', ['a', 'b', 'c']],
  ['quoted header with semicolons', '\ufeff"a;1";"b,c";d\n1;2.5;-3\n.5;1e-3;7', ['a;1', 'b,c', 'd']],
])('%s', (_, text, header) => {
  expect(parseCsvMatrix(text)).toEqual({ X: twoByThree, header });
});

test('one column, and one number', () => {
  expect(parseCsvMatrix('1\n2\n\n3').X).toEqual(matrix(3, 1, [1, 2, 3]));
  expect(parseCsvMatrix('4').X).toEqual(matrix(1, 1, [4]));
});

test('a large text', () => {
  const row = Array.from({ length: 301 }, (_, j) => j / 8);
  const { X } = parseCsvMatrix(`${row.join(',')}\n`.repeat(2000));
  expect([X.rows, X.cols, X.data.length]).toEqual([2000, 301, 602000]);
  expect([...X.data.subarray(-301)]).toEqual(row);
});

test.each([
  ['', 'f.csv has no data; at least one row of numbers is needed.'],
  ['\n \n', 'f.csv has no data'],
  ['a,b\n', 'f.csv has a header but no data rows'],
  ['1,2\n3,4,5\n', 'f.csv: line 2 has 3 cells, but line 1 has 2; every row needs the same number of cells.'],
  ['a,b\n\n1\n', 'f.csv: line 3 has 1 cell, but line 1 has 2; every row needs the same number of cells.'],
  ['1,2\n3,\n', 'f.csv: line 2, column 2 is empty; every cell needs a number.'],
  ['1,2,\n', 'f.csv: line 1, column 3 is empty'],
  ['a,b\n1,2\n\n3,x\n', 'f.csv: line 4, column 2 (b) has "x", which is not a number; correct it or remove the row or column.'],
  ['"a\nz",b\n1,"2"\n3,x\n', 'f.csv: line 4, column 2 (b) has "x"'],
  [
    '1,abc\n2,3',
    'f.csv: line 1, column 2 has "abc", which is not a number; correct it or remove the row or column. If this line is a header, it must not contain numbers.',
  ],
  ['NaN,NaN\n2,3', 'f.csv: line 1, column 1 has "NaN"'],
  ['1,Infinity', 'column 2 has "Infinity"'],
  ['1,0x10', 'column 2 has "0x10", which is not a number'],
  ['1;1,5', 'column 2 has "1,5", which is not a number; correct it or remove the row or column. Write decimals with a point.'],
  ['1,5;2,5\n3;4', 'line 1, column 1 has "1,5"'],
  [
    '1 2\n3 4',
    'column 1 has "1 2", which is not a number; correct it or remove the row or column. Separate cells by commas, semicolons or tabs.',
  ],
  ['1,1e39', 'column 2 has "1e39", which is too large for f32; rescale the data.'],
  ['a,b\n1,"2\n3,4', 'f.csv: line 2 has a quote that is not closed'],
  ['a,b\n1,2"2"\n3,4', 'f.csv: line 2 has a quote that is not closed or stands inside a cell'],
])('%j is refused', (text, message) => {
  expect(() => parseCsvMatrix(text, { source: 'f.csv' })).toThrow(InputError);
  expect(() => parseCsvMatrix(text, { source: 'f.csv' })).toThrow(message);
});
