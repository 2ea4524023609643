import type { Matrix } from '../data/matrix.js';
import { describe } from '../data/words.js';
import { InputError } from '../errors.js';
import type { FileContent, FileFormat, MatrixNames } from './file-format.js';
import { columnsOfText } from './table-columns.js';
import { checkTableOptions, missingTest, type TableOptions } from './table-options.js';
import { createTableReader } from './table-reader.js';
import { isNumber } from './table-sample.js';

export const csv = {
  name: 'table',
  summary: 'numbers between commas, semicolons, tabs, pipes or blanks, with names or without',
  extensions: ['.csv', '.tsv', '.txt'],
  pieces: createTableReader,
  read(bytes, source, options?) {
    const reader = createTableReader(source, options);
    reader.push(bytes);
    return reader.end();
  },
  columns: columnsOfText,
  write: encodeCsv,
} satisfies FileFormat;

/**
 * The matrix in a table of text, its rows as they stand, with the names of its rows and columns if it has them.
 *
 * - Cells are separated by tabs, semicolons, commas, pipes (|) or blanks, whichever the second line has first; they may be quoted. A first line
 *   sep=; as for Excel tells it.
 * - Numbers may have a sign and an exponent: 12, +1, .5, 1e-3, Fortran's 1.5D+03; not 0x10. Decimals have a point, or commas if commas separate no cells and no
 *   number has a point. Separators of thousands are refused.
 * - The first line is the header if it has words and no number over the data, if its cells are one less than those below, or if its numbers
 *   rise and those below do not. A line of words above the table that starts with # is one, too.
 * - The first column has names of rows if most of it are words, or if the header has none for it, or calls it an index.
 * - Empty cells, NA, NaN and null have no value: X is 0 there, and `missing` is 1.
 * - A byte order mark, any line ends, blank lines, lines of comments with #, a delimiter at the end of every line are fine.
 *
 * `notes` has the reading in words; what could be read otherwise stands there with the option that does it. See TableOptions. It takes time and
 * memory in proportion to the text.
 *
 * `source` names the text in messages (default 'The CSV text'). Throws InputError, with lines and columns counted from 1, for rows of unequal
 * length, a cell that is not a number in the range of f32, and a text without any data row.
 */
export function parseCsvMatrix(text: string | Uint8Array, options: TableOptions & { source?: string } = {}): FileContent & { X: Matrix } {
  checkTableOptions('parseCsvMatrix', options, ['source']);
  const { source = 'The CSV text', ...table } = options;
  const isText = typeof text === 'string';
  if (!isText && !(ArrayBuffer.isView(text) && 'BYTES_PER_ELEMENT' in text && text.BYTES_PER_ELEMENT === 1))
    throw new InputError(`${source} must be a text, or its bytes, not ${describe(text)}.`);
  return csv.read(
    isText ? new TextEncoder().encode(text) : text,
    source,
    isText ? { ...table, encoding: 'utf-8' } : table,
  ) as FileContent & { X: Matrix };
}

/** Lines whose reading decides that of the table. */
const decisive = 200;

/**
 * Numbers between commas, with as many digits as tell one f32 from the next. Names of rows stand in the first column, under an empty name. A
 * matrix without names whose first line would be taken for a header gets one.
 */
export function encodeCsv({ rows, cols, data }: Matrix, { rowNames, columnNames }: MatrixNames = {}): string {
  const row = (i: number) => {
    const numbers = Array.from(data.subarray(i * cols, (i + 1) * cols), (x) =>
      Object.is(x, -0) ? '-0' : String(Number(x.toPrecision(9))),
    ).join(',');
    return `${rowNames ? `${nameCell(rowNames[i])},` : ''}${numbers}\n`;
  };
  const lines = Array.from({ length: rows }, (_, i) => row(i));
  const numbered = () => Array.from({ length: cols }, (_, j) => `column ${j + 1}`);
  const names = columnNames ?? (rowNames || isMisread(lines.slice(0, decisive).join('')) ? numbered() : undefined);
  if (names) lines.unshift(`${rowNames ? ',' : ''}${names.map(nameCell).join(',')}\n`);
  return lines.join('');
}

/** Whether the first lines of a table of numbers alone would be read as something else. */
function isMisread(text: string): boolean {
  const { columnNames, rowNames } = parseCsvMatrix(text);
  return columnNames !== undefined || rowNames !== undefined;
}

/** A name as a cell. What would be taken for a number, for a missing value or for a comment is quoted. */
function nameCell(name: string): string {
  const plain = !/[",;|\t\r\n#]/.test(name) && name.trim() === name && !isNumber(name) && !missingTest({})(name);
  return plain ? name : `"${name.replaceAll('"', '""')}"`;
}
