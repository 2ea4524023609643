import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { parseCsvMatrix } from '../../src/formats/csv.js';

const twoByThree = matrix(2, 3, [1, 2.5, -3, 0.5, 1e-3, 7]);

test.each([
  ['plain', '1,2.5,-3\n.5,1e-3,+7\n', undefined],
  ['no newline at the end', '1,2.5,-3\n.5,1e-3,+7', undefined],
  ['semicolons, CRLF', '1;2.5;-3\r\n.5;1E-3;7.\r\n', undefined],
  ['tabs, BOM, old Mac line ends', '\ufeff1\t2.5\t-3\r.5\t1e-3\t7', undefined],
  ['blank lines and spaces', '\n 1, 2.5,-3 \n\n   \n.5,1e-3,7\n\n', undefined],
  ['header', 'a,b c,d\n1,2.5,-3\n.5,1e-3,7', ['a', 'b c', 'd']],
  ['header with an empty cell', 'a,,d\n1,2.5,-3\n.5,1e-3,7', ['a', '', 'd']],
  ['quoted header', '"a","b, ""c""","d\ne"\n1,2.5,-3\n.5,1e-3,7', ['a', 'b, "c"', 'd\ne']],
  ['quoted numbers, CRLF', 'a,b,c\r\n"1","2.5",-3\r\n.5,"1e-3","7"\r\n', ['a', 'b', 'c']],
  ['quoted header with semicolons', '\ufeff"a;1";"b,c";d\n1;2.5;-3\n.5;1e-3;7', ['a;1', 'b,c', 'd']],
])('%s', (_, text, header) => {
  const { X, columnNames, rowNames, missing } = parseCsvMatrix(text);
  expect({ X, columnNames, rowNames, missing }).toEqual({ X: twoByThree, columnNames: header, rowNames: undefined, missing: undefined });
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
  [
    'a,b\n1,2\n\n3,x\n',
    'f.csv: line 4, column 2 (b) has "x", which is not a number; correct it, or leave the column out: skipColumns "b".',
  ],
  ['"a\nz",b\n1,"2"\n3,x\n', 'f.csv: line 4, column 2 (b) has "x"'],
  [
    '1,abc\n2,3',
    'f.csv: line 1, column 2 has "abc", which is not a number; if this line is the header, say header: true; correct it, or leave the column out: skipColumns "2".',
  ],
  ['1,Infinity', 'column 2 has "Infinity", which is not finite'],
  ['1,0x10', 'column 2 has "0x10", which is not a number'],
  ['1.5;1,5', 'column 2 has "1,5", which is not a number; write decimals with a point, or give decimal \',\'.'],
  ['1,5;2.5\n3;4,5', 'column 2 has "2.5", which is not a number; decimals have commas here; write it with a comma, or give decimal \'.\'.'],
  ['"1,234.5",2', 'column 1 has "1,234.5", which is not a number; write it without separators of thousands.'],
  ['a;b\n1.234,5;2,5', 'column 1 (a) has "1.234,5", which is not a number; write it without separators of thousands.'],
  [
    '1,"2 3"\n',
    'has "2 3", which is not a number; separate cells by commas, semicolons, tabs, pipes or blanks, and give the delimiter if need be.',
  ],
  ['1,1e39', 'column 2 has "1e39", which is too large for f32; rescale the data.'],
  ['a,b\n1,"2\n3,4', 'f.csv: line 2 has a quote that is not closed'],
  ['a,b\n1,2"2"\n3,4', 'f.csv: line 2 has a quote that is not closed or stands inside a cell'],
])('%j is refused', (text, message) => {
  expect(() => parseCsvMatrix(text, { source: 'f.csv' })).toThrow(InputError);
  expect(() => parseCsvMatrix(text, { source: 'f.csv' })).toThrow(message);
});

/** What takes one pass for millions of characters; one that starts again at each of them would not end in a day. */
const many = 2_000_000;
test.each<[string, string, string]>([
  ['digits and an x', `1,${'1'.repeat(many)}x\n`, 'line 1, column 2 has "111'],
  ['digits and a point, again and again', `1,${'1.'.repeat(many)}\n`, 'is not a number'],
  ['a first line of blanks', `${' '.repeat(many)}\n1,x\n`, 'line 2, column 2 has "x"'],
  ['blanks in a record with quotes', `1,2\n"1",${' '.repeat(many)}x\n`, 'line 2, column 2 has "x"'],
  ['quotes without an end', `"${'""'.repeat(many)}\n1\n`, 'line 1 has a quote that is not closed'],
  ['a quoted cell of quotes', `1,2\n3,"${'""'.repeat(many)}"\n`, 'line 2, column 2 has'],
  ['lines in a cell', `"${'\n'.repeat(many)}x`, 'a quote that is not closed'],
  ['numbers between blanks', `1\n${'1 '.repeat(many)}x`, 'line 2 has 2000001 cells, but line 1 has 1'],
  ['a long name', `${'n'.repeat(many)}\nx\n`, 'line 2, column 1 (nnnn'],
])('%s are refused in one pass, in a short sentence', (_, text, message) => {
  expect(() => parseCsvMatrix(text)).toThrow(InputError);
  expect(() => parseCsvMatrix(text)).toThrow(message);
  try {
    parseCsvMatrix(text);
  } catch (error) {
    expect((error as InputError).message.length).toBeLessThan(300);
  }
});

test('a number of many digits is still a number', () => {
  expect(parseCsvMatrix(`1.${'0'.repeat(40_000)},2\n`).X).toEqual(matrix(1, 2, [1, 2]));
});

test('quoted cells: empty ones, quotes in them, the end of the line, blanks after the last', () => {
  expect(parseCsvMatrix('"z","a""b","c,d", e \r\n1,"2",3,"4" \r\n').columnNames).toEqual(['z', 'a"b', 'c,d', 'e']);
  expect(parseCsvMatrix('"a"\t"b\tc"\n"1"\t"2"\n').X).toEqual(matrix(1, 2, [1, 2]));
  for (const text of ['"a"b,c\n1,2', 'a,"b\n1,2', '"1",2"\n']) expect(() => parseCsvMatrix(text)).toThrow('quote');
});
