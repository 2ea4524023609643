/** Where the cells of a record begin and end. */
import { badQuote } from './table-errors.js';
import type { Layout } from './table-layout.js';

const [tab, carriageReturn, space, quote] = [9, 13, 32, 34];

/** A cell that was scanned: its bytes without quotes and blanks around them, and where the next one begins. */
export interface Scan {
  from: number;
  to: number;
  quoted: boolean;
  next: number;
  /** It is the last of its record. */
  last: boolean;
}

export function createCells(layout: Layout, source: string) {
  const separator = layout.delimiter.charCodeAt(0);
  const newline = layout.newline.charCodeAt(0);
  const blanks = separator === space;
  const scan: Scan = { from: 0, to: 0, quoted: false, next: 0, last: false };

  const isBlank = (byte: number) =>
    byte === space || (byte === tab && separator !== tab) || (byte === carriageReturn && newline !== carriageReturn);

  function skipBlanks(bytes: Uint8Array, at: number): number {
    while (isBlank(bytes[at])) at++;
    return at;
  }

  /** Sets `scan` to the cell at `at`, which is no blank; false if its quote is not closed before `to`. */
  function scanCell(bytes: Uint8Array, at: number, to: number, line: number): boolean {
    let end = at;
    scan.quoted = bytes[at] === quote;
    if (scan.quoted) {
      let close = bytes.indexOf(quote, at + 1);
      while (close >= 0 && close < to && bytes[close + 1] === quote) close = bytes.indexOf(quote, close + 2);
      if (close < 0 || close >= to) return false;
      [scan.from, scan.to, end] = [at + 1, close, close + 1];
    } else {
      while (bytes[end] !== newline && (blanks ? !isBlank(bytes[end]) : bytes[end] !== separator)) {
        if (bytes[end] === quote) throw badQuote(source, line);
        end++;
      }
      [scan.from, scan.to] = [at, end];
      while (scan.to > at && isBlank(bytes[scan.to - 1])) scan.to--;
    }
    const after = blanks || scan.quoted ? skipBlanks(bytes, end) : end;
    scan.last = bytes[after] === newline;
    if (!scan.last && !(blanks ? after > end : bytes[after] === separator)) throw badQuote(source, line);
    scan.next = blanks && !scan.last ? after : after + 1;
    return true;
  }

  function cellsIn(bytes: Uint8Array, from: number, to: number, line: number): number {
    for (let cells = 1, at = from; ; cells++) {
      if (!scanCell(bytes, skipBlanks(bytes, at), to, line)) throw badQuote(source, line);
      if (scan.last) return cells;
      at = scan.next;
    }
  }

  return { scan, isBlank, skipBlanks, scanCell, cellsIn };
}
