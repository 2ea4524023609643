import { type Matrix, matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { isDecimal } from '../data/numbers.js';
import { arrangeEntries, type DataMatrix, type SparseMatrix } from '../data/sparse.js';
import { describe, quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { decodeText, type FileFormat } from './file-format.js';

export const mtx = {
  name: 'Matrix Market',
  summary: 'coordinates, which stay sparse, or an array',
  extensions: ['.mtx'],
  denseForm: 'array format',
  read: (bytes, source) => ({ X: parseMtxMatrix(decodeText(bytes, source), { source }) }),
} satisfies FileFormat;

interface Header {
  format: 'coordinate' | 'array';
  field: 'real' | 'integer' | 'pattern';
  /** Of the other triangle: 1 where it is the same, -1 where it has the other sign, 0 where it stands there. */
  mirrored: 0 | 1 | -1;
}

/** The lines of a file that hold something and are no comment, one at a time. */
interface Lines {
  /** The cells of the next line; undefined at the end. */
  next(): string[] | undefined;
  /** "name: line 12", of the line that `next` gave. */
  where(): string;
}

const count = /^\d{1,15}$/;

/**
 * Rows and columns cost memory whether they have entries or not, so a file has to back them: it has a character for each, or there are no
 * more than so many. Larger sizes are most likely a damaged line. Vocabularies of hashed words have up to about a million.
 */
const freeLines = 2 ** 20;

/**
 * The matrix in a Matrix Market text (https://math.nist.gov/MatrixMarket/formats.html): `coordinate` gives a sparse matrix, `array` a dense
 * one. Fields real, double, integer, unsigned-integer and pattern (whose entries are 1), general, symmetric or skew-symmetric (the other
 * triangle is filled in); entries in any order. Up to 2²⁰ rows and columns are read in any case, and more if the text has as many characters.
 *
 * `source` names the text in messages (default 'The .mtx text'). Throws InputError, with lines, rows and columns counted from 1, for a
 * header or size line that cannot be read, complex or Hermitian matrices, an index out of range, an entry that is given
 * twice, a value that is not a number in the range of f32, and more or fewer entries than the size line says.
 */
export function parseMtxMatrix(text: string, options: { source?: string } = {}): DataMatrix {
  checkNames('parseMtxMatrix', options, ['source']);
  const { source = 'The .mtx text' } = options;
  if (typeof text !== 'string') throw new InputError(`${source} must be a text, not ${describe(text)}.`);
  const header = readHeader(text, source);
  const lines = linesOf(text, source);
  const cells = lines.next();
  const sizes = header.format === 'coordinate' ? 'rows, columns and entries' : 'rows and columns';
  const wanted = header.format === 'coordinate' ? 3 : 2;
  if (cells === undefined) throw new InputError(`${source} ends before the line with its numbers of ${sizes}.`);
  if (cells.length !== wanted || !cells.every((cell) => count.test(cell)))
    throw new InputError(`${lines.where()} should hold the numbers of ${sizes}, but is ${quoted(cells.join(' '))}.`);
  const [rows, cols, entries] = cells.map(Number);
  const mostLines = Math.max(freeLines, text.length);
  if (rows < 1 || cols < 1)
    throw new InputError(`${lines.where()} says ${rows}×${cols}, but a matrix needs at least one row and one column.`);
  if (Math.max(rows, cols) > mostLines)
    throw new InputError(
      `${lines.where()} says ${rows}×${cols}, but so short a file can have ${mostLines} rows and columns; is it cut off?`,
    );
  if (header.mirrored !== 0 && rows !== cols)
    throw new InputError(`${lines.where()} says ${rows}×${cols}, but a symmetric matrix is as wide as it is high.`);
  if (header.format === 'array') return readArray(lines, header, rows, cols, text.length, source);
  return readCoordinates(lines, header, rows, cols, entries, text.length, source);
}

function readHeader(text: string, source: string): Header {
  const end = text.indexOf('\n');
  // Trimming takes a byte order mark away, too.
  const first = text.slice(0, end < 0 ? text.length : end).trim();
  const [banner, object, format, field, symmetry] = first.toLowerCase().split(/\s+/);
  if (banner !== '%%matrixmarket')
    throw new InputError(
      `${source}: line 1 must start with %%MatrixMarket, but is ${quoted(first)}; write the file with scipy.io.mmwrite.`,
    );
  const among = (what: string, value: string | undefined, allowed: readonly string[], hint = '') => {
    if (value !== undefined && allowed.includes(value)) return;
    const found = value === undefined ? 'is missing' : `is '${shortened(value)}'`;
    throw new InputError(`${source}: line 1: the ${what} ${found}, but only ${allowed.join(', ')} can be read.${hint}`);
  };
  among('object', object, ['matrix']);
  among('format', format, ['coordinate', 'array']);
  const kind = field === 'double' ? 'real' : field === 'unsigned-integer' ? 'integer' : field;
  among('field', kind, ['real', 'integer', 'pattern'], field === 'complex' ? ' Take absolute values first.' : '');
  among('symmetry', symmetry, ['general', 'symmetric', 'skew-symmetric'], symmetry ? ' Write the matrix out as general.' : '');
  if (kind === 'pattern' && symmetry === 'skew-symmetric')
    throw new InputError(`${source}: line 1: a pattern has no signs, and so cannot be skew-symmetric.`);
  if (format === 'array' && field === 'pattern')
    throw new InputError(`${source}: line 1: a pattern has places and so needs format coordinate.`);
  return {
    format: format as Header['format'],
    field: kind as Header['field'],
    mirrored: symmetry === 'symmetric' ? 1 : symmetry === 'skew-symmetric' ? -1 : 0,
  };
}

function readCoordinates(
  lines: Lines,
  { field, mirrored }: Header,
  rows: number,
  cols: number,
  entries: number,
  characters: number,
  source: string,
): SparseMatrix {
  const width = field === 'pattern' ? 2 : 3;
  checkLength(entries, 2 * width, characters, source);
  // Of a symmetric matrix there can be as many again.
  const room = mirrored !== 0 ? 2 * entries : entries;
  const rowIndices = new Uint32Array(room);
  const columns = new Uint32Array(room);
  const values = new Float32Array(room);
  let stored = 0;
  const put = (i: number, j: number, x: number) => {
    rowIndices[stored] = i;
    columns[stored] = j;
    values[stored++] = x;
  };
  for (let e = 0; e < entries; e++) {
    const cells = lines.next();
    if (cells === undefined) throw new InputError(`${source} ends after ${e} entries, but its size line says ${entries}.`);
    if (cells.length !== width) {
      const what = field === 'pattern' ? 'a row and a column' : 'a row, a column and a value';
      throw new InputError(`${lines.where()} should hold ${what}, but is ${quoted(cells.join(' '))}.`);
    }
    const i = indexIn(cells[0], rows, 'row', lines);
    const j = indexIn(cells[1], cols, 'column', lines);
    const x = field === 'pattern' ? 1 : parseValue(cells[2], lines, i, j);
    put(i, j, x);
    if (mirrored === -1 && i === j)
      throw new InputError(`${lines.where()} has an entry on the diagonal, but a skew-symmetric matrix has none there; remove it.`, {
        row: i,
        column: j,
      });
    if (mirrored !== 0 && i !== j) put(j, i, mirrored * x);
  }
  checkEnd(lines, entries);
  const X = arrangeEntries(rows, cols, {
    rowIndices: rowIndices.subarray(0, stored),
    columns: columns.subarray(0, stored),
    values: values.subarray(0, stored),
  });
  checkOnce(X, mirrored !== 0, source);
  return X;
}

/** Column after column; of a symmetric matrix each from the diagonal down, of a skew-symmetric one from below it. */
function readArray(lines: Lines, { mirrored }: Header, rows: number, cols: number, characters: number, source: string): Matrix {
  const entries = mirrored === 0 ? rows * cols : (rows * (rows + mirrored)) / 2;
  checkLength(entries, 2, characters, source);
  const X = matrix(rows, cols);
  for (let j = 0; j < cols; j++) {
    for (let i = mirrored === 0 ? 0 : mirrored === 1 ? j : j + 1; i < rows; i++) {
      const cells = lines.next();
      if (cells === undefined) throw new InputError(`${source} ends before row ${i + 1}, column ${j + 1} of ${rows}×${cols}.`);
      if (cells.length !== 1) throw new InputError(`${lines.where()} should hold one value, but is ${quoted(cells.join(' '))}.`);
      X.data[i * cols + j] = parseValue(cells[0], lines, i, j);
      if (mirrored !== 0) X.data[j * cols + i] = mirrored * X.data[i * cols + j];
    }
  }
  checkEnd(lines, entries);
  return X;
}

/** Nothing is allocated for entries that cannot be there: each takes so many characters at least, with the blank or line end after it. */
function checkLength(entries: number, each: number, characters: number, source: string): void {
  if (each * entries > characters + 1)
    throw new InputError(`${source} is too short for the ${entries} entries that its size line asks for; is it cut off?`);
}

function checkEnd(lines: Lines, entries: number): void {
  if (lines.next() !== undefined)
    throw new InputError(`${lines.where()} comes after the last of ${entries} entries; correct the size line.`);
}

function checkOnce({ rows, rowStarts, columns }: SparseMatrix, symmetric: boolean, source: string): void {
  for (let i = 0; i < rows; i++) {
    for (let e = rowStarts[i] + 1; e < rowStarts[i + 1]; e++) {
      if (columns[e] !== columns[e - 1]) continue;
      const [row, column] = [i, columns[e]];
      const both = symmetric && column !== row ? ' (a symmetric matrix is written as one triangle)' : '';
      const what = `${source} has two entries for row ${row + 1}, column ${column + 1}${both}; add them up or drop one.`;
      throw new InputError(what, { row, column });
    }
  }
}

function indexIn(cell: string, size: number, side: 'row' | 'column', lines: Lines): number {
  const index = count.test(cell) ? Number(cell) : 0;
  if (index >= 1 && index <= size) return index - 1;
  throw new InputError(`${lines.where()} names ${side} ${shortened(cell)}, but ${side}s run from 1 to ${size}.`);
}

function parseValue(cell: string, lines: Lines, row: number, column: number): number {
  if (!isDecimal(cell))
    throw new InputError(`${lines.where()} has the value ${quoted(cell)}, which is not a number; correct or remove it.`, { row, column });
  const value = Math.fround(Number(cell));
  if (!Number.isFinite(value))
    throw new InputError(`${lines.where()} has the value ${shortened(cell)}, which is too large for f32; rescale the data.`, {
      row,
      column,
    });
  return value;
}

function linesOf(text: string, source: string): Lines {
  let start = 0;
  let line = 0;
  return {
    next() {
      while (start < text.length) {
        const found = text.indexOf('\n', start);
        const end = found < 0 ? text.length : found;
        const content = text.slice(start, end).trim();
        start = end + 1;
        line++;
        if (content !== '' && !content.startsWith('%')) return content.split(/\s+/);
      }
      return undefined;
    },
    where: () => `${source}: line ${line}`,
  };
}
