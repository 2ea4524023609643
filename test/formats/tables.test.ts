/** Tables as programs write them: what is data, what are names, and what the reader says of it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { csv, parseCsvMatrix } from '../../src/formats/csv.js';
import type { TableOptions } from '../../src/formats/table-options.js';
import { createTableReader } from '../../src/formats/table-reader.js';

interface Expected {
  /** The numbers, as they stand in the file. */
  X: number[][];
  rows?: string[];
  columns?: string[];
  /** Cells without a value, row by row. */
  missing?: number[];
  says: string;
  /** Notes beside the first. */
  notes?: (string | RegExp)[];
}

const cases: [what: string, text: string | Uint8Array, options: TableOptions, expected: Expected][] = [
  [
    'SigProfiler, tabs',
    'Mutation Types\tS1\tS2\nA[C>A]A\t10\t20\nA[C>A]C\t4\t8\n',
    {},
    {
      X: [
        [10, 20],
        [4, 8],
      ],
      rows: ['A[C>A]A', 'A[C>A]C'],
      columns: ['S1', 'S2'],
      says: '2 rows × 2 columns, names in the first column, header in line 1',
    },
  ],
  [
    'GEO, all quoted, blanks in quotes',
    '"","GSM1","GSM2"\n"X1007_s_at","443.8"," 29.6"\n"X1053_at","  8.6","141.0"\n',
    {},
    {
      X: [
        [443.8, 29.6],
        [8.6, 141],
      ],
      rows: ['X1007_s_at', 'X1053_at'],
      columns: ['GSM1', 'GSM2'],
      says: '2 rows × 2 columns, names in the first column, header in line 1',
    },
  ],
  [
    "R's header, a cell short",
    'g1\tg2\nc1\t1\t2\nc2\t2\t4\n',
    {},
    {
      X: [
        [1, 2],
        [2, 4],
      ],
      rows: ['c1', 'c2'],
      columns: ['g1', 'g2'],
      says: '2 rows × 2 columns, names in the first column, header in line 1',
    },
  ],
  [
    "R's write.table, blanks and quotes",
    '"g 1" "g2"\n"1" 1 2.5\n"2" NA 4\n',
    {},
    {
      X: [
        [1, 2.5],
        [0, 4],
      ],
      rows: ['1', '2'],
      columns: ['g 1', 'g2'],
      missing: [0, 0, 1, 0],
      says: '2 rows × 2 columns, names in the first column, header in line 1, cells between blanks, 1 cell without a value',
    },
  ],
  [
    'numbers for names and columns in R',
    '400 410\n1 1 2\n2 3 1\n',
    { names: true },
    {
      X: [
        [1, 2],
        [3, 1],
      ],
      rows: ['1', '2'],
      columns: ['400', '410'],
      says: '2 rows × 2 columns, names in the first column, header in line 1, cells between blanks',
    },
  ],
  [
    'pandas with its index',
    ',g1,g2\n0,1,2\n1,2,4\n',
    {},
    {
      X: [
        [1, 2],
        [2, 4],
      ],
      rows: ['0', '1'],
      columns: ['g1', 'g2'],
      says: '2 rows × 2 columns, names in the first column, header in line 1',
      notes: [/^The first column is read as names, since the header has none for it; names: false/],
    },
  ],
  [
    'pandas without an index, columns counted',
    '0,1,2\n5,9,3\n2,4,6\n7,1,5\n',
    {},
    {
      X: [
        [5, 9, 3],
        [2, 4, 6],
        [7, 1, 5],
      ],
      columns: ['0', '1', '2'],
      says: '3 rows × 3 columns, header in line 1',
      notes: [/^Line 1 \(0, 1, 2\) is read as the header, since its numbers rise and those below do not; header: false/],
    },
  ],
  [
    'pandas, index and counted columns',
    ',0,1,2\n0,5,9,3\n1,2,4,6\n',
    {},
    {
      X: [
        [5, 9, 3],
        [2, 4, 6],
      ],
      rows: ['0', '1'],
      columns: ['0', '1', '2'],
      says: '2 rows × 3 columns, names in the first column, header in line 1',
      notes: [/^Line 1/, /^The first column/],
    },
  ],
  [
    'wavelengths',
    '400,410,420,430\n0.1,0.2,0.3,0.1\n0.2,0.4,0.6,0.2\n',
    {},
    {
      X: [
        [0.1, 0.2, 0.3, 0.1],
        [0.2, 0.4, 0.6, 0.2],
      ],
      columns: ['400', '410', '420', '430'],
      says: '2 rows × 4 columns, header in line 1',
      notes: [/^Line 1 \(400, 410, 420, 430\)/],
    },
  ],
  [
    'wavelengths above spectra that rise, and a word',
    'sample;400,5;401;402,5\n1;0,1;0,2;0,3\n2;0,2;0,25;0,4\n',
    {},
    {
      X: [
        [0.1, 0.2, 0.3],
        [0.2, 0.25, 0.4],
      ],
      rows: ['1', '2'],
      columns: ['400,5', '401', '402,5'],
      says: '2 rows × 3 columns, names in the first column, header in line 1, cells between semicolons, decimal commas',
      notes: [/^Line 1/, /^The first column/],
    },
  ],
  [
    'told otherwise',
    '400,410,420,430\n1,2,3,1\n',
    { header: false },
    {
      X: [
        [400, 410, 420, 430],
        [1, 2, 3, 1],
      ],
      says: '2 rows × 4 columns, no header',
    },
  ],
  [
    'an index that is data',
    ',g1\n0,1\n1,2\n',
    { names: false },
    {
      X: [
        [0, 1],
        [1, 2],
      ],
      columns: ['', 'g1'],
      says: '2 rows × 2 columns, header in line 1',
    },
  ],
  [
    'a first column that counts, and may be data',
    't,a\n1,5\n2,7\n3,6\n',
    {},
    {
      X: [
        [1, 5],
        [2, 7],
        [3, 6],
      ],
      columns: ['t', 'a'],
      says: '3 rows × 2 columns, header in line 1',
      notes: ['The first column (1, 2, 3, …) is read as data; names: true reads it as names.'],
    },
  ],
  [
    'numpy.savetxt',
    '1.0e+00 2.0e+00\n2.0e+00 4.5e-01\n',
    {},
    {
      X: [
        [1, 2],
        [2, 0.45],
      ],
      says: '2 rows × 2 columns, no header, cells between blanks',
    },
  ],
  [
    'numpy.savetxt with a header and a footer',
    '# a,b\n1.5,2\n3,4\n# end\n',
    {},
    {
      X: [
        [1.5, 2],
        [3, 4],
      ],
      columns: ['a', 'b'],
      says: '2 rows × 2 columns, header in line 1, 1 line with # left out',
      notes: [/^Line 1, which starts with #/],
    },
  ],
  [
    'QIIME',
    '# Constructed from biom\n#OTU ID\tS1\tS2\nOTU_1\t1\t0\nOTU_2\t4\t2\n',
    {},
    {
      X: [
        [1, 0],
        [4, 2],
      ],
      rows: ['OTU_1', 'OTU_2'],
      columns: ['S1', 'S2'],
      says: '2 rows × 2 columns, names in the first column, header in line 2',
      notes: [/^Line 2, which starts with #/],
    },
  ],
  [
    'names that start with #',
    '#1,1,2\n#2,3,4\n',
    {},
    {
      X: [
        [1, 2],
        [3, 4],
      ],
      rows: ['#1', '#2'],
      says: '2 rows × 2 columns, names in the first column, no header',
    },
  ],
  [
    'delimiters at the end of lines',
    'g1,g2,\n1,2,\n2,4,\n',
    {},
    {
      X: [
        [1, 2],
        [2, 4],
      ],
      columns: ['g1', 'g2'],
      says: '2 rows × 2 columns, header in line 1',
      notes: ['Every line ends with a delimiter, behind which there is nothing.'],
    },
  ],
  [
    'delimiters at the end of data lines alone',
    'g1;g2\n1;2;\n2;4;\n',
    {},
    {
      X: [
        [1, 2],
        [2, 4],
      ],
      columns: ['g1', 'g2'],
      says: '2 rows × 2 columns, header in line 1, cells between semicolons',
      notes: [/delimiter/],
    },
  ],
  [
    'Excel in much of Europe',
    '\ufeffName;a;b\r\nx;1,5;2\r\ny;0,25;1e-3\r\n',
    {},
    {
      X: [
        [1.5, 2],
        [0.25, 1e-3],
      ],
      rows: ['x', 'y'],
      columns: ['a', 'b'],
      says: '2 rows × 2 columns, names in the first column, header in line 1, cells between semicolons, decimal commas',
    },
  ],
  [
    'decimal commas between blanks',
    '1,5 2,5\n3,5 4,5\n',
    {},
    {
      X: [
        [1.5, 2.5],
        [3.5, 4.5],
      ],
      says: '2 rows × 2 columns, no header, cells between blanks, decimal commas',
    },
  ],
  [
    'missing cells of all kinds',
    'a,b,c\n1,,NA\nNaN,null,-999\n-nan,#N/A,7\n',
    { missing: [-999] },
    {
      X: [
        [1, 0, 0],
        [0, 0, 0],
        [0, 0, 7],
      ],
      columns: ['a', 'b', 'c'],
      missing: [0, 1, 1, 1, 1, 1, 1, 1, 0],
      says: '3 rows × 3 columns, header in line 1, 7 cells without a value',
    },
  ],
  [
    'missing numbers by value, and words',
    '-999.0,?\n2,3\n',
    { missing: ['-999', '?'] },
    {
      X: [
        [0, 0],
        [2, 3],
      ],
      missing: [1, 1, 0, 0],
      says: '2 rows × 2 columns, no header, 2 cells without a value',
    },
  ],
  [
    'columns left out by name and place',
    'id,type,a,note,b\nx,old,1,hm,2\ny,new,3,,4\n',
    { skipColumns: ['type', 4] },
    {
      X: [
        [1, 2],
        [3, 4],
      ],
      rows: ['x', 'y'],
      columns: ['a', 'b'],
      says: '2 rows × 2 columns, names in the first column, header in line 1, 2 columns left out',
    },
  ],
  [
    'columns chosen, beside the names',
    'id,type,a,note,b\nx,old,1,hm,2\ny,new,3,,4\n',
    { columns: ['b', '3'] },
    {
      X: [
        [1, 2],
        [3, 4],
      ],
      rows: ['x', 'y'],
      columns: ['a', 'b'],
      says: '2 rows × 2 columns, names in the first column, header in line 1, 2 columns left out',
    },
  ],
  [
    'the first column left out, names in the second',
    'n,id,a\n1,x,5\n2,y,6\n',
    { skipColumns: [1] },
    {
      X: [[5], [6]],
      rows: ['x', 'y'],
      columns: ['a'],
      says: '2 rows × 1 column, names in the first column, header in line 1, 1 column left out',
    },
  ],
  [
    'a column called by a number',
    '400,410,420,430\n1,2,3,1\n',
    { columns: ['410', '3-4'] },
    { X: [[2, 3, 1]], columns: ['410', '420', '430'], says: '1 row × 3 columns, header in line 1, 1 column left out', notes: [/^Line 1/] },
  ],
  [
    'places in a table without a header',
    '4,5,6\n1,2,3\n',
    { columns: ['2-3'] },
    {
      X: [
        [5, 6],
        [2, 3],
      ],
      says: '2 rows × 2 columns, no header, 1 column left out',
    },
  ],
  [
    'a first column of words and numbers',
    'a,b\n10%,2\n3,4\n',
    {},
    {
      X: [[2], [4]],
      rows: ['10%', '3'],
      columns: ['b'],
      says: '2 rows × 1 column, names in the first column, header in line 1',
      notes: [/^The first column is read as names, since "10%" is no number, though others in it are; names: false reads it as data\.$/],
    },
  ],
  [
    'three numbers that rise above smaller ones, of which some rise',
    '400,500,600\n1,2,3\n4,5,6\n3,3,1\n',
    {},
    {
      X: [
        [400, 500, 600],
        [1, 2, 3],
        [4, 5, 6],
        [3, 3, 1],
      ],
      says: '4 rows × 3 columns, no header',
      notes: ['Line 1 (400, 500, 600) is read as data; header: true reads it as the header.'],
    },
  ],
  [
    'another delimiter',
    'a/b\n1/2\n',
    { delimiter: '/' },
    { X: [[1, 2]], columns: ['a', 'b'], says: "1 row × 2 columns, header in line 1, cells between '/'" },
  ],
  [
    'pipes, and a cell without a value',
    'id|a|b\nx|1|2\ny||4\n',
    {},
    {
      X: [
        [1, 2],
        [0, 4],
      ],
      rows: ['x', 'y'],
      columns: ['a', 'b'],
      missing: [0, 0, 1, 0],
      says: '2 rows × 2 columns, names in the first column, header in line 1, cells between pipes, 1 cell without a value',
    },
  ],
  [
    'pipes among blanks, decimal commas',
    '1,5 | 2,5\n3,5 | 4\n',
    {},
    {
      X: [
        [1.5, 2.5],
        [3.5, 4],
      ],
      says: '2 rows × 2 columns, no header, cells between pipes, decimal commas',
    },
  ],
  [
    'names with pipes between blanks',
    'sp|P1 1 2\nsp|P2 NA 4\n',
    {},
    {
      X: [
        [1, 2],
        [0, 4],
      ],
      rows: ['sp|P1', 'sp|P2'],
      missing: [0, 0, 1, 0],
      says: '2 rows × 2 columns, names in the first column, no header, cells between blanks, 1 cell without a value',
    },
  ],
  [
    'names with pipes between commas, which are no decimal marks',
    'id,a\ngi|1,5\ngi|2,7\n',
    {},
    { X: [[5], [7]], rows: ['gi|1', 'gi|2'], columns: ['a'], says: '2 rows × 1 column, names in the first column, header in line 1' },
  ],
  [
    'a header with a pipe between commas',
    'x|y,a\nsp|P1,5\ngi|2,7\n',
    {},
    { X: [[5], [7]], rows: ['sp|P1', 'gi|2'], columns: ['a'], says: '2 rows × 1 column, names in the first column, header in line 1' },
  ],
  [
    "Excel's first line",
    '\ufeffsep=;\r\nName;a;b\r\nx;1,5;2\r\n',
    {},
    {
      X: [[1.5, 2]],
      rows: ['x'],
      columns: ['a', 'b'],
      says: '1 row × 2 columns, names in the first column, header in line 2, cells between semicolons as sep= in line 1 says, decimal commas',
    },
  ],
  [
    "Excel's first line in quotes, filled up, above commas and numbers alone",
    '"sep=,",,\n1.5,2\n3,4\n',
    {},
    {
      X: [
        [1.5, 2],
        [3, 4],
      ],
      says: '2 rows × 2 columns, no header, cells between commas as sep= in line 1 says',
    },
  ],
  [
    "Excel's first line, told otherwise",
    'sep=,\na;b\n1;2\n',
    { delimiter: ';' },
    { X: [[1, 2]], columns: ['a', 'b'], says: '1 row × 2 columns, header in line 2, cells between semicolons, sep= in line 1 left out' },
  ],
  [
    "Fortran's double precision",
    'x,a\n1.5D+03,2.0d-1\n-.5D0,1e1\n',
    {},
    {
      X: [
        [1500, 0.2],
        [-0.5, 10],
      ],
      columns: ['x', 'a'],
      says: '2 rows × 2 columns, header in line 1, exponents with D',
    },
  ],
  [
    'names that are no numbers of Fortran: no point, hexadecimal',
    'id,a\n1D2,5\n0x1D2,7\n',
    {},
    { X: [[5], [7]], rows: ['1D2', '0x1D2'], columns: ['a'], says: '2 rows × 1 column, names in the first column, header in line 1' },
  ],
  [
    'whole numbers under the name of a key, which may be names',
    'patient_id,a\n17,5\n4,7\n12,6\n',
    {},
    {
      X: [
        [17, 5],
        [4, 7],
        [12, 6],
      ],
      columns: ['patient_id', 'a'],
      says: '3 rows × 2 columns, header in line 1',
      notes: ['The first column, called "patient_id", is read as data; names: true reads it as names.'],
    },
  ],
  [
    'names that columns share',
    'a,b,a,b\n1,2,3,1\n',
    {},
    {
      X: [[1, 2, 3, 1]],
      columns: ['a', 'b', 'a', 'b'],
      says: '1 row × 4 columns, header in line 1',
      notes: [
        'Columns 1 and 3 are both called "a", the first of 2 names that columns share; columns keep their names, and are chosen by place.',
      ],
    },
  ],
  [
    'columns without a name',
    'x,a,,\nn,1,2,3\nm,1,2,3\n',
    {},
    {
      X: [
        [1, 2, 3],
        [1, 2, 3],
      ],
      rows: ['n', 'm'],
      columns: ['a', '', ''],
      says: '2 rows × 3 columns, names in the first column, header in line 1',
      notes: ['Column 3 has no name in the header, the first of 2 such columns; its name stays empty, and it is chosen by place.'],
    },
  ],
  [
    'Latin-1',
    Uint8Array.from([...'Größe,b\n1,2\n'].map((c) => c.charCodeAt(0))),
    {},
    { X: [[1, 2]], columns: ['Größe', 'b'], says: '1 row × 2 columns, header in line 1, not UTF-8, so taken for Latin-1' },
  ],
  [
    'UTF-16 with its mark',
    Uint8Array.from(Buffer.from('\ufeffnämé\t水\n1\t2\n', 'utf16le')),
    {},
    { X: [[1, 2]], columns: ['nämé', '水'], says: '1 row × 2 columns, header in line 1, UTF-16LE' },
  ],
  [
    'UTF-16 without it, big-endian',
    Uint8Array.from(Buffer.from('a,b\n1,2\n', 'utf16le').swap16()),
    {},
    { X: [[1, 2]], columns: ['a', 'b'], says: '1 row × 2 columns, header in line 1, UTF-16BE' },
  ],
  [
    'Shift JIS, told',
    Uint8Array.of(0x90, 0x85, 0x2c, 0x62, 10, 49, 44, 50),
    { encoding: 'shift_jis' },
    { X: [[1, 2]], columns: ['水', 'b'], says: '1 row × 2 columns, header in line 1, SHIFT_JIS' },
  ],
  [
    'a quoted header of numbers',
    '"5","9","3"\n1,2,3\n',
    {},
    { X: [[1, 2, 3]], columns: ['5', '9', '3'], says: '1 row × 3 columns, header in line 1', notes: [/quoted/] },
  ],
];

test.each(cases)('%s', (_, text, options, { X, rows, columns, missing, says, notes = [] }) => {
  const read = parseCsvMatrix(text, options);
  expect(read.X).toEqual(matrix(X.length, X[0].length, X.flat()));
  expect(read.rowNames && [...read.rowNames]).toEqual(rows);
  expect(read.columnNames && [...read.columnNames]).toEqual(columns);
  expect(read.missing && [...read.missing]).toEqual(missing);
  expect(read.notes?.[0]).toBe(says);
  expect(read.notes?.slice(1).length).toBe(notes.length);
  read.notes?.slice(1).forEach((note, at) => {
    expect(note).toMatch(notes[at]);
  });
});

test.each<[string | Uint8Array, TableOptions, string]>([
  [
    'a,b,type\n1,2,x\n3,4,y\n',
    {},
    'line 2, column 3 (type) has "x", which is not a number; correct it, or leave the column out: skipColumns "type".',
  ],
  ['id,a\nc1,1\nc2,x\n', {}, 'line 3 (c2), column 2 (a) has "x"'],
  ['1,2\n3,4\nx,6\n', {}, 'line 3, column 1 has "x", which is not a number; if the first column has names, say names: true; correct it'],
  ['a,b\n1,2\n', { columns: ['c'] }, 'has no column "c"; it has 2, such as a, b. Give names of the header, or places from 1 to 2.'],
  ['a,b\n1,2\n', { skipColumns: ['1-2'] }, 'has no column of numbers to read.'],
  ['1,2\n', { columns: ['2-1'] }, 'has no column "2-1"; it has 2. Give'],
  ['a,b\n1,\0\n', {}, 'has zero bytes, so it is no table of text'],
  [Uint8Array.of(0xc3, 0xa4, 44, 0xe9, 10, 49, 44, 50), {}, 'is not UTF-8, though others are; correct it, or give its encoding.'],
  [Uint8Array.of(0xe9, 10, 49), { encoding: 'utf-8' }, 'is not UTF-8; correct it, or give its encoding.'],
  [Uint8Array.of(0xff, 0xfe, 49, 0, 10), {}, 'is not utf-16le text'],
  [`a,b,\n${'1,2,\n'.repeat(300)}1,2,3\n`, {}, 'line 302 has 3 cells, but above there is nothing behind the last delimiter'],
  ['g1 g2\nc1 1 2\nc2 1\n', {}, 'line 2 has 3 cells, but line 1 has 2'],
])('%j with %j is refused', (text, options, message) => {
  expect(() => parseCsvMatrix(text, options)).toThrow(InputError);
  expect(() => parseCsvMatrix(text, options)).toThrow(message);
});

test.each<[object, string]>([
  [{ delimiter: '' }, 'delimiter must be one ASCII character'],
  [{ delimiter: '1' }, 'delimiter must be'],
  [{ decimal: ';' }, "decimal must be '.' or ','"],
  [{ delimiter: ',', decimal: ',' }, 'decimal must be another character than the delimiter'],
  [{ header: 1 }, 'header must be true or false, not 1.'],
  [{ missing: 'NA' }, 'missing must be a list of texts and numbers, not "NA".'],
  [{ encoding: 'klingon' }, "encoding must be the name of an encoding, such as 'utf-8'"],
  [{ skipColumn: ['a'] }, "has no option 'skipColumn'. Did you mean 'skipColumns'?"],
])('the options %j are refused', (options, message) => {
  expect(() => parseCsvMatrix('1', options)).toThrow(message);
});

const name = fc.stringMatching(/^[a-z][a-z ,;"#é水]{0,6}[a-z]$/);
/** Tables of which it is known what is in them, in the dress of some program. */
const dressed = fc
  .record({
    rows: fc.integer({ min: 1, max: 5 }),
    cols: fc.integer({ min: 1, max: 5 }),
    seed: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 25, maxLength: 25 }),
    gone: fc.array(fc.constantFrom('', '', '', '', 'NA', 'nan', 'null'), { minLength: 25, maxLength: 25 }),
    names: fc.uniqueArray(name, { minLength: 10, maxLength: 10 }),
    dress: fc.constantFrom('R', 'corner', 'no names', 'no header'),
    delimiter: fc.constantFrom(',', ';', '\t'),
    comma: fc.boolean(),
    newline: fc.constantFrom('\n', '\r\n', '\r'),
    quotes: fc.boolean(),
    mark: fc.boolean(),
  })
  .map(({ rows, cols, seed, gone, names, dress, delimiter, comma, newline, quotes, mark }) => {
    const entry = (i: number, j: number) => Math.fround(seed[i * 5 + j]) + 0;
    const isGone = (i: number, j: number) => gone[i * 5 + j] !== '' && i * 5 + j > 0;
    const decimal = comma && delimiter === ';' ? ',' : '.';
    const quote = (text: string) => (quotes || /["#;,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const cell = (i: number, j: number) => (isGone(i, j) ? gone[i * 5 + j] : quote(String(entry(i, j)).replace('.', decimal)));
    const header = names.slice(0, cols);
    const labels = names.slice(5, 5 + rows);
    const named = dress === 'R' || dress === 'corner';
    const lines = Array.from({ length: rows }, (_, i) =>
      [...(named ? [quote(labels[i])] : []), ...Array.from({ length: cols }, (_, j) => cell(i, j))].join(delimiter),
    );
    if (dress !== 'no header') lines.unshift([...(dress === 'corner' ? [quote('id')] : []), ...header.map(quote)].join(delimiter));
    const missing = Array.from({ length: rows * cols }, (_, at) => (isGone(Math.floor(at / cols), at % cols) ? 1 : 0));
    return {
      text: `${mark ? '\ufeff' : ''}${lines.join(newline)}${newline}`,
      decimal,
      delimiter,
      X: matrix(
        rows,
        cols,
        missing.map((one, at) => (one ? 0 : entry(Math.floor(at / cols), at % cols))),
      ),
      missing: missing.includes(1) ? missing : undefined,
      rowNames: named ? labels : undefined,
      columnNames: dress === 'no header' ? undefined : header,
    };
  });

describe('any table of names and numbers', () => {
  test('is read as what it is, in pieces of any size', () => {
    fc.assert(
      fc.property(dressed, fc.integer({ min: 1, max: 40 }), ({ text, X, missing, rowNames, columnNames, decimal, delimiter }, size) => {
        const told: TableOptions = { header: columnNames !== undefined, names: rowNames !== undefined, delimiter, decimal: decimal as '.' };
        const bytes = new TextEncoder().encode(text);
        const reader = createTableReader('f', told);
        for (let at = 0; at < bytes.length; at += size) reader.push(bytes.slice(at, at + size));
        const read = reader.end();
        expect({ X: read.X, missing: read.missing && [...read.missing], rowNames: read.rowNames, columnNames: read.columnNames }).toEqual({
          X,
          missing,
          rowNames,
          columnNames,
        });
      }),
      { numRuns: 500 },
    );
  });

  test('without being told, a table with a header of words is the same', () => {
    fc.assert(
      fc.property(
        dressed.filter(({ columnNames, X, decimal }) => columnNames !== undefined && X.cols > 1 && decimal === '.'),
        ({ text, X, missing, rowNames, columnNames }) => {
          const read = parseCsvMatrix(text);
          expect({ X: read.X, missing: read.missing && [...read.missing], rowNames: read.rowNames, columnNames: read.columnNames }).toEqual(
            { X, missing, rowNames, columnNames },
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('is written so that the same is read, names and all', () => {
    const awkward = fc.oneof(name, fc.constantFrom('1', '0', '2.5', 'NA', '-1e3', '#', 'é', 'a"b'));
    fc.assert(
      fc.property(
        dressed,
        fc.array(awkward, { minLength: 10, maxLength: 10 }),
        fc.constantFrom('both', 'rows', 'columns', 'none'),
        ({ X }, names, which) => {
          const rowNames = which === 'both' || which === 'rows' ? names.slice(0, X.rows) : undefined;
          const columnNames = which === 'both' || which === 'columns' ? names.slice(5, 5 + X.cols) : undefined;
          const read = parseCsvMatrix(csv.write(X, { rowNames, columnNames }));
          expect(read.X).toEqual(X);
          if (rowNames) expect(read.rowNames).toEqual(rowNames);
          if (columnNames) expect(read.columnNames).toEqual(columnNames);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('rows that rise, written without names, are not taken for a header', () => {
  for (const rows of [
    [
      [0, 1, 2],
      [5, 3, 4],
    ],
    [
      [400, 410, 420, 430],
      [1, 2, 3, 1],
    ],
    [
      [0, 1],
      [1, 2],
    ],
  ]) {
    const X = matrix(rows.length, rows[0].length, rows.flat());
    expect(parseCsvMatrix(csv.write(X)).X).toEqual(X);
  }
});

test('names with pipes are written so that the same is read', () => {
  const X = matrix(2, 1, [5, 7]);
  const names = { rowNames: ['gi|1', 'gi|2'], columnNames: ['a|b'] };
  expect(parseCsvMatrix(csv.write(X, names))).toMatchObject({ X, ...names });
});

test('a table larger than all blocks and pieces, turned', () => {
  const [rows, cols] = [70_000, 7];
  const lines = Array.from(
    { length: rows },
    (_, i) => `${Array.from({ length: cols }, (_, j) => (i === 69_999 && j === 2 ? '' : (i * 31 + j * 7) % 1000)).join(',')}\n`,
  );
  const bytes = new TextEncoder().encode(lines.join(''));
  const reader = createTableReader('f');
  for (let at = 0; at < bytes.length; at += 100_003) reader.push(bytes.subarray(at, at + 100_003));
  const { X, missing } = reader.end({ transposed: true });
  expect([X.rows, X.cols]).toEqual([cols, rows]);
  const wrong = Array.from((X as { data: Float32Array }).data.entries()).filter(([at, x]) => {
    const [j, i] = [Math.floor(at / rows), at % rows];
    return x !== (i === 69_999 && j === 2 ? 0 : (i * 31 + j * 7) % 1000);
  });
  expect(wrong).toEqual([]);
  expect(missing?.indexOf(1)).toBe(2 * rows + 69_999);
  expect(missing?.reduce((sum, one) => sum + one, 0)).toBe(1);
});

function wholeOf(bytes: Uint8Array) {
  const reader = createTableReader('f');
  reader.push(bytes);
  return reader.end();
}

test.each<[string, string | undefined]>([
  ['Name\ta\tb\nx\t950\t3\ny\t990\t5\nz\t1,030\t8\n', '1,030 is read as 1.03, with a decimal comma'],
  ['a;b;c\n1.100;2.203;3.307\n2.100;3.203;4.307\n', '1.100 is read as 1.1, with a decimal point'],
  ['a;b\n0,103;2,203\n1,100;3,203\n', undefined],
  ['a;b\n1,5;2,203\n1,100;3,203\n', undefined],
  ['a,b\n1.100,2.203\n1.300,3.203\n', undefined],
  ['x,a,b\n1.5%,2,3\n2.5%,4,5\n3%,6,8\n', 'The first column (1.5%, 2.5%, 3%, …) is read as names'],
  ['x,a,b\n$1.50,2,3\n$2.50,4,5\n', 'The first column ($1.50, $2.50, …) is read as names'],
  ['x,a,b\n€ 1.50,2,3\n€ 2.50,4,5\n', 'The first column (€ 1.50, € 2.50, …) is read as names'],
  ['x,a,b\n15D+02,2,3\n25D+02,4,5\n', 'The first column (15D+02, 25D+02, …) is read as names'],
  ['x,a,b\ns1%,2,3\ns2%,4,5\n', undefined],
])('what people may have meant otherwise is told: %j', (text, note) => {
  const { notes = [] } = wholeOf(new TextEncoder().encode(text));
  const said = notes.filter((one) => /thousands|as plain numbers/.test(one));
  expect(said.map((one) => one.slice(0, note?.length))).toEqual(note === undefined ? [] : [note]);
});

test.each([
  ['id,a\n17,5\n4,7\n', true],
  ['ID,a\n17,5\n4,7\n', true],
  ['sample id,a\n17,5\n4,7\n', true],
  ['sampleID,a\n17,5\n4,7\n', true],
  ['paid,a\n17,5\n4,7\n', false], // not called a key
  ['id,a\n1.5,5\n4,7\n', false], // not whole
  ['id,a\n17,5\n17,7\n', false], // not unique
])('a first column that may be a key is told: %j', (text, told) => {
  expect(parseCsvMatrix(text).notes?.length).toBe(told ? 2 : 1);
  expect(parseCsvMatrix(text, { names: false }).notes?.length).toBe(1);
});

test('lines are counted with that of sep=, in pieces of any size, and in tables of entries', () => {
  expect(() => parseCsvMatrix('sep=;\na;b\n1;x\n')).toThrow('line 3, column 2 (b) has "x"');
  expect(() => parseCsvMatrix('sep=;\n1;2\n1;2\n1;x\n')).toThrow('line 4, column 2 has "x"');
  const bytes = new TextEncoder().encode('sep=;\na;b\n1,5;2\n');
  const reader = createTableReader('f');
  for (const byte of bytes) reader.push(Uint8Array.of(byte));
  expect(reader.end()).toEqual(wholeOf(bytes));
  expect(() => csv.columns(new TextEncoder().encode('sep=;\na;b\n1;2;3\n'), 'f')).toThrow('3 cells in line 3');
  const { rows, columns } = csv.columns(new TextEncoder().encode('sep=|\ni|j|value\n0|1|2.5D0\n'), 'f');
  expect([rows, columns.map(({ name }) => name), columns[2].values]).toEqual([1, ['i', 'j', 'value'], ['2.5e0']]);
});

test('a name that is not UTF-8 is windows-1252, with its euro sign and dashes', () => {
  const bytes = Uint8Array.from([...'a,'].map((c) => c.charCodeAt(0)).concat(0x80, 0x20, 0x96, 10, 49, 44, 50, 10));
  expect(wholeOf(bytes).columnNames).toEqual(['a', '€ –']);
});
