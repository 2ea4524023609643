/** The records of a table of texts. Cells stay as they are: tables of numbers have a reader of their own in src/formats. */
import { InputError } from '../errors.js';

export interface TableRecord {
  cells: string[];
  /** The line on which it starts, counted from 1. */
  line: number;
}

/**
 * The records of a CSV text (RFC 4180), blank lines left out. A cell that starts with a quote goes on to the next single one, over line
 * breaks, too; a quote elsewhere in a cell is a character like others. It takes time in proportion to the text.
 *
 * @throws InputError for a quote that is not closed, or that is closed inside a cell.
 */
export function* tableRecords(text: string, source: string): Generator<TableRecord, undefined> {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const delimiter = delimiterOf(text, start);
  let line = 1;
  for (let at = start; at < text.length; ) {
    const first = line;
    const cells: string[] = [];
    for (;;) {
      const cell = text[at] === '"' ? quotedCell(text, at, delimiter, `${source}: line ${line}`) : plainCell(text, at, delimiter);
      cells.push(cell.content);
      for (let broken = text.indexOf('\n', at); broken >= 0 && broken < cell.end; broken = text.indexOf('\n', broken + 1)) line++;
      at = cell.end;
      if (text[at] !== delimiter) break;
      at++;
    }
    line++;
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
    if (cells.length > 1 || cells[0].trim() !== '') yield { cells, line: first };
  }
}

interface Cell {
  content: string;
  /** Where the delimiter or the line break after it stands. */
  end: number;
}

function plainCell(text: string, at: number, delimiter: string): Cell {
  let end = at;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') end++;
  return { content: text.slice(at, end), end };
}

function quotedCell(text: string, at: number, delimiter: string, where: string): Cell {
  let close = text.indexOf('"', at + 1);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close < 0) throw new InputError(`${where}: a quote starts a cell and is not closed; close it, or double it and quote the cell.`);
  let end = close + 1;
  while (text[end] === ' ') end++;
  const after = text[end];
  if (after !== undefined && after !== delimiter && after !== '\n' && after !== '\r')
    throw new InputError(`${where}: a quote is closed inside a cell; double the quotes in a quoted cell.`);
  return { content: text.slice(at + 1, close).replaceAll('""', '"'), end };
}

/** What the first line that is not blank has most of, outside of quotes. */
function delimiterOf(text: string, start: number): string {
  const first = /\S/g;
  first.lastIndex = start;
  const from = first.exec(text)?.index ?? start;
  const begun = Math.max(text.lastIndexOf('\n', from), text.lastIndexOf('\r', from)) + 1;
  const counts: Record<string, number> = { ',': 0, ';': 0, '\t': 0 };
  for (let at = Math.max(begun, start), inside = false; at < text.length; at++) {
    const character = text[at];
    if (character === '"') inside = !inside;
    else if (!inside && (character === '\n' || character === '\r')) break;
    else if (!inside && character in counts) counts[character]++;
  }
  return [',', ';', '\t'].reduce((best, one) => (counts[one] > counts[best] ? one : best));
}
