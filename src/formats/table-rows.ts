/**
 * The lines of a table as rows of numbers, from bytes that come in pieces. No text is made of a number that is written as most are, and what is
 * kept of a piece is the line that it does not end.
 */

import { isDecimal } from '../data/numbers.js';
import { InputError } from '../errors.js';
import { type Cursor, readDecimal } from './decimal.js';
import type { Blocks } from './table-blocks.js';
import { createCells } from './table-cells.js';
import { badCell, badQuote, type CellPlace, placeInWords, ragged } from './table-errors.js';
import { column, type Layout } from './table-layout.js';
import { pointed } from './table-sample.js';
import { joined, type NameDecoder } from './table-text.js';

const [space, hash] = [32, 35];

/** No line is so long: it is a file of another kind, or one that was made to fill the memory. */
const longestLine = 2 ** 29;

export interface Rows {
  push(bytes: Uint8Array): void;
  end(): void;
  /** Lines that start with # were left out. */
  readonly comments: number;
  /** A number had an exponent with D. */
  readonly fortran: boolean;
  readonly rowNames: string[];
}

interface Needs {
  source: string;
  layout: Layout;
  blocks: Blocks;
  decoder: NameDecoder;
  isMissing(cell: string): boolean;
  /** Numbers that mean "no value". */
  missingValues: readonly number[];
}

export function createRows({ source, layout, blocks, decoder, isMissing, missingValues }: Needs): Rows {
  const { plan } = layout;
  const columns = plan.length;
  const separator = layout.delimiter.charCodeAt(0);
  const newline = layout.newline.charCodeAt(0);
  const decimal = layout.decimal.charCodeAt(0);
  const blanks = separator === space;
  const { scan, isBlank, skipBlanks, scanCell, cellsIn } = createCells(layout, source);
  const special = missingValues.map(Math.fround);
  const rowNames: string[] = [];
  const cursor: Cursor = { at: 0 };
  let line = layout.line;
  let comments = 0;
  let fortran = false;

  function textOf(bytes: Uint8Array, where: () => string): string {
    const text = decoder.decode(bytes.subarray(scan.from, scan.to), where).trim();
    return scan.quoted ? text.replaceAll('""', '"') : text;
  }

  /** The entry that a cell stands for where it is not plainly a number; NaN for none. */
  function entryOf(bytes: Uint8Array, place: CellPlace): number {
    const cell = textOf(bytes, () => placeInWords(source, place, layout));
    if (isMissing(cell)) return Number.NaN;
    const number = pointed(cell, layout);
    const value = isDecimal(number) ? Math.fround(Number(number)) : Number.NaN;
    if (!Number.isFinite(value)) throw badCell(source, cell, place, layout);
    fortran ||= /d/i.test(cell);
    return value;
  }

  /** Reads the records in `bytes` before `to`, where a line ends. Returns the begin of the one whose quote is open there, else `to`. */
  function parse(bytes: Uint8Array, to: number): number {
    for (let begin = 0; begin < to; ) {
      let at = skipBlanks(bytes, begin);
      if (bytes[at] === newline || (layout.comments && bytes[at] === hash)) {
        if (bytes[at] === hash) comments++;
        begin = bytes.indexOf(newline, at) + 1;
        line++;
        continue;
      }
      const { block, base } = blocks.next();
      const { data } = block;
      const firstLine = line;
      let target = base;
      for (let place = 0; ; place++) {
        if (place === columns) throw ragged(source, cellsIn(bytes, begin, to, line), firstLine, blocks.rows, layout);
        const what = plan[place];
        if (isBlank(bytes[at])) at = skipBlanks(bytes, at);
        if (what === column.number) {
          const value = readDecimal(bytes, at, decimal, cursor);
          // NaN and infinities differ from themselves here.
          if (value - value === 0 && (special.length === 0 || !special.includes(value))) {
            let after = cursor.at;
            if (bytes[after] === separator && !blanks) {
              data[target++] = value;
              at = after + 1;
              continue;
            }
            after = skipBlanks(bytes, after);
            const last = bytes[after] === newline;
            if (last || (blanks ? after > cursor.at : bytes[after] === separator)) {
              data[target++] = value;
              at = blanks && !last ? after : after + 1;
              if (!last) continue;
              if (place !== columns - 1) throw ragged(source, place + 1, firstLine, blocks.rows, layout);
              break;
            }
          }
        }
        if (!scanCell(bytes, at, to, line)) {
          line = firstLine;
          return begin;
        }
        const { quoted, last, next } = scan;
        if (what === column.number) {
          const value = entryOf(bytes, { line: firstLine, place, row: blocks.rows, column: target - base, name: rowNames[blocks.rows] });
          const gone = Number.isNaN(value);
          data[target] = gone ? 0 : value;
          if (gone) blocks.markMissing(target);
          target++;
        } else if (what === column.name) rowNames[blocks.rows] = textOf(bytes, () => `${source}: line ${firstLine}`);
        else if (what === column.empty && scan.to > scan.from)
          throw new InputError(
            `${source}: line ${firstLine} has ${columns} cells, but above there is nothing behind the last delimiter; every row needs the same number of cells.`,
            { row: blocks.rows },
          );
        if (quoted) for (let p = scan.from; p < scan.to; p++) if (bytes[p] === newline) line++;
        at = next;
        if (!last) continue;
        if (place !== columns - 1) throw ragged(source, place + 1, firstLine, blocks.rows, layout);
        break;
      }
      blocks.keep();
      begin = at;
      line++;
    }
    return to;
  }

  const lines = createLines(newline, parse, {
    tooLong: () => new InputError(`${source}: line ${line} is longer than ${longestLine / 2 ** 20} MiB; this is no table.`),
    open: () => badQuote(source, line),
  });
  return {
    ...lines,
    rowNames,
    get comments() {
      return comments;
    },
    get fortran() {
      return fortran;
    },
  };
}

/** Gives `parse` whole lines, and keeps what is left of a piece for the next one. */
function createLines(
  newline: number,
  parse: (bytes: Uint8Array, to: number) => number,
  errors: { tooLong(): InputError; open(): InputError },
): Pick<Rows, 'push' | 'end'> {
  let rest: Uint8Array[] = [];
  let length = 0;
  /** A record whose quote is open is tried again when there is twice as much of it, so that time stays in proportion. */
  let wanted = 0;
  const keepRest = (bytes: Uint8Array) => {
    if (bytes.length === 0) return;
    rest.push(bytes.slice());
    length += bytes.length;
    if (length > longestLine) throw errors.tooLong();
  };
  const takeRest = (more: Uint8Array) => {
    const all = joined([...rest, more]);
    [rest, length] = [[], 0];
    return all;
  };
  return {
    push(bytes) {
      let from = 0;
      if (length > 0) {
        from = bytes.indexOf(newline) + 1;
        if (from === 0 || length + bytes.length < wanted) return keepRest(bytes);
        const lines = takeRest(bytes.subarray(0, from));
        const read = parse(lines, lines.length);
        if (read < lines.length) {
          keepRest(lines.subarray(read));
          keepRest(bytes.subarray(from));
          wanted = 2 * length;
          return;
        }
        wanted = 0;
      }
      const end = bytes.lastIndexOf(newline) + 1;
      const whole = bytes.subarray(from, Math.max(from, end));
      keepRest(bytes.subarray(from + parse(whole, whole.length)));
    },
    end() {
      const lines = takeRest(Uint8Array.of(newline));
      if (lines.length > 1 && parse(lines, lines.length) < lines.length) throw errors.open();
    },
  };
}
