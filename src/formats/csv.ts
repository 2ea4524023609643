import type { Matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { isDecimal } from '../data/numbers.js';
import { describe, quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { decodeText, type FileFormat } from './file-format.js';

export const csv = {
  name: 'CSV',
  summary: 'numbers between commas, semicolons or tabs; a header is fine',
  extensions: ['.csv', '.tsv', '.txt'],
  read(bytes, source) {
    const { X, header: columnNames } = parseCsvMatrix(decodeText(bytes, source), { source });
    return { X, columnNames };
  },
  write: encodeCsv,
} satisfies FileFormat;

/** Handles one record; `line` is the line of the file it starts on, counted from 1. */
type Visit = (cells: string[], line: number) => void;

const letter = /\p{L}/u;
const missing = /^([+-]?(nan|inf|infinity)|na|n\/a|null)$/i;

/**
 * The matrix in a CSV text, its rows as they stand, and the header if there is one.
 *
 * - Cells are separated by tabs if the first line has any, else by semicolons, else by commas; they may be quoted.
 * - Numbers have a decimal point and, possibly, a sign and an exponent: 12, +1, .5, 1e-3; not 0x10 or 1,5.
 * - The first row is a header if a cell of it has a letter and none is a number. If it holds both, it is taken for data with
 *   a bad cell, and refused, as are NaN and NA: dropping a broken data row in silence would be worse.
 * - A byte order mark, any line ends and blank lines are fine.
 *
 * It takes time and memory in proportion to the text, whatever stands there.
 *
 * `source` names the text in messages (default 'The CSV text'). Throws InputError, with lines and columns counted from 1,
 * for rows of unequal length, a cell that is empty or not a number in the range of f32, and a text without any data row.
 */
export function parseCsvMatrix(text: string, options: { source?: string } = {}): { X: Matrix; header?: string[] } {
  checkNames('parseCsvMatrix', options, ['source']);
  const { source = 'The CSV text' } = options;
  if (typeof text !== 'string') throw new InputError(`${source} must be a text, not ${describe(text)}.`);
  let header: string[] | undefined;
  let cols = 0;
  let firstLine = 0;
  let rows = 0;
  let data = new Float32Array(1024);

  eachRecord(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, source, (cells, line) => {
    if (cells.length === 1 && cells[0].trim() === '') return;
    if (firstLine === 0) {
      firstLine = line;
      cols = cells.length;
      const trimmed = cells.map((cell) => cell.trim());
      if (trimmed.some((cell) => letter.test(cell) && !missing.test(cell)) && !trimmed.some(isDecimal)) {
        header = trimmed;
        return;
      }
    }
    if (cells.length !== cols) {
      throw new InputError(
        `${source}: line ${line} has ${count(cells.length, 'cell')}, but line ${firstLine} has ${cols}; every row needs the same number of cells.`,
        { row: rows },
      );
    }
    if ((rows + 1) * cols > data.length) {
      const grown = new Float32Array(Math.max(2 * data.length, (rows + 1) * cols));
      grown.set(data);
      data = grown;
    }
    for (let j = 0; j < cols; j++) {
      const cell = cells[j].trim();
      const value = isDecimal(cell) ? Math.fround(Number(cell)) : Number.NaN;
      if (!Number.isFinite(value)) throw badCell(source, cell, line, { row: rows, column: j }, header, line === firstLine);
      data[rows * cols + j] = value;
    }
    rows++;
  });

  if (rows === 0)
    throw new InputError(`${source} has ${header ? 'a header but no data rows' : 'no data'}; at least one row of numbers is needed.`);
  return { X: { rows, cols, data: data.slice(0, rows * cols) }, header };
}

type Place = { row: number; column: number };

function badCell(source: string, cell: string, line: number, place: Place, header: string[] | undefined, first: boolean): InputError {
  const name = header?.[place.column] ? ` (${shortened(header[place.column])})` : '';
  const where = `${source}: line ${line}, column ${place.column + 1}${name}`;
  if (cell === '') return new InputError(`${where} is empty; every cell needs a number.`, place);
  const shown = quoted(cell);
  if (isDecimal(cell)) return new InputError(`${where} has ${shown}, which is too large for f32; rescale the data.`, place);
  let hint = '';
  if (/^[+-]?\d+,\d+$/.test(cell)) hint = ' Write decimals with a point.';
  else if (cell.split(/\s+/).every(isDecimal)) hint = ' Separate cells by commas, semicolons or tabs.';
  else if (first) hint = ' If this line is a header, it must not contain numbers.';
  return new InputError(`${where} has ${shown}, which is not a number; correct it or remove the row or column.${hint}`, place);
}

/** Numbers between commas, with as many digits as tell one f32 from the next. */
function encodeCsv({ rows, cols, data }: Matrix): string {
  const row = (i: number) => Array.from(data.subarray(i * cols, (i + 1) * cols), (x) => String(Number(x.toPrecision(9)))).join(',');
  return Array.from({ length: rows }, (_, i) => `${row(i)}\n`).join('');
}

/**
 * Calls `visit` for every record. A line without quotes is simply split; a record with quotes may go on over several lines.
 */
function eachRecord(text: string, source: string, visit: Visit): void {
  const delimiter = findDelimiter(text);
  const newline = text.includes('\n') ? '\n' : '\r';
  const endOfLine = (from: number) => {
    const end = text.indexOf(newline, from);
    return end < 0 ? text.length : end;
  };
  for (let start = 0, line = 1; start < text.length; line++) {
    let end = endOfLine(start);
    let record = text.slice(start, end); // a \r left at its end goes when the cell is trimmed
    if (!record.includes('"')) visit(record.split(delimiter), line);
    else {
      const first = line;
      for (let quotes = countQuotes(record); quotes % 2 === 1 && end < text.length; line++) {
        const next = end + 1;
        end = endOfLine(next);
        quotes += countQuotes(text.slice(next, end));
      }
      record = text.slice(start, end);
      visit(parseQuoted(record, delimiter, `${source}: line ${first}`), first);
    }
    start = end + 1;
  }
}

/** The cells of a record, by search for the next quote or delimiter: patterns of V8 run out of room on long cells. */
function parseQuoted(record: string, delimiter: string, where: string): string[] {
  const text = withoutBlanksAtEnd(record);
  const cells: string[] = [];
  for (let at = 0; ; at++) {
    let end: number;
    if (text[at] === '"') {
      let close = text.indexOf('"', at + 1);
      while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
      end = close + 1;
      if (close < 0 || (end < text.length && text[end] !== delimiter)) throw badQuote(where);
      cells.push(text.slice(at + 1, close).replaceAll('""', '"'));
    } else {
      const found = text.indexOf(delimiter, at);
      end = found < 0 ? text.length : found;
      const cell = text.slice(at, end);
      if (cell.includes('"')) throw badQuote(where);
      cells.push(cell);
    }
    if (end >= text.length) return cells;
    at = end;
  }
}

function badQuote(where: string): InputError {
  return new InputError(`${where} has a quote that is not closed or stands inside a cell; quote whole cells, and double a quote in them.`);
}

/** Without blanks and \r at the end. A tab there may be a delimiter. */
function withoutBlanksAtEnd(record: string): string {
  let end = record.length;
  while (end > 0 && (record[end - 1] === ' ' || record[end - 1] === '\r')) end--;
  return record.slice(0, end);
}

function countQuotes(line: string): number {
  return line.split('"').length - 1;
}

/** The delimiter of the first line that is not blank. */
function findDelimiter(text: string): string {
  const first = text.search(/\S/);
  const start = Math.max(text.lastIndexOf('\n', first), text.lastIndexOf('\r', first)) + 1;
  const ends = [text.indexOf('\n', first), text.indexOf('\r', first)].filter((end) => end >= 0);
  const line = text.slice(start, Math.min(...ends, text.length)).replace(/"[^"]*"/g, '');
  return ['\t', ';'].find((delimiter) => line.includes(delimiter)) ?? ',';
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
