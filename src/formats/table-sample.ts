/** The first lines of a table as cells, and what separates them: the ground on which `layoutOf` decides how to read the rest. */
import { isDecimal } from '../data/numbers.js';
import { isDelimiter, missingTest, type TableOptions } from './table-options.js';

/** A cell, without blanks around it. Its characters stand for bytes, as in Latin-1, since the encoding may not be known yet. */
export interface SampleCell {
  text: string;
  quoted: boolean;
}

export interface SampleRecord {
  cells: SampleCell[];
  /** The line it starts on, counted from 1. */
  line: number;
  /** It starts with #. */
  comment: boolean;
  /** Where the next record begins, and on which line. */
  end: number;
  endLine: number;
}

/** How a table is cut into cells. */
export interface Cutting {
  /** One character; ' ' is any run of blanks and tabs. */
  delimiter: string;
  newline: '\n' | '\r';
  decimal: '.' | ',';
}

/** So many records tell what a table is like. */
const mostRecords = 200;

/** So many characters tell what separates cells. */
const telling = 2 ** 20;

/** Bytes as a text of as many characters. */
export function binaryText(bytes: Uint8Array): string {
  const parts: string[] = [];
  // A spread would go through an iterator, one byte at a time.
  for (let at = 0; at < bytes.length; at += 8192)
    parts.push(String.fromCharCode.apply(null, bytes.subarray(at, at + 8192) as unknown as number[]));
  return parts.join('');
}

/** The bytes of such a text. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** What separates lines and cells, and marks decimals, in the first part of a table. */
export function cuttingOf(sample: string, options: TableOptions): Cutting {
  const newline = sample.includes('\n') ? '\n' : '\r';
  const text = sample.slice(0, telling);
  const lines = linesOf(text.replace(/"[^"]*"/g, '""'), newline);
  const delimiter = options.delimiter ?? delimiterOf(lines);
  if (options.decimal !== undefined) return { delimiter, newline, decimal: options.decimal };
  if (delimiter === ',') {
    // 1,5 2,5: as commas between cells it makes no numbers, as decimal commas it does.
    const other = options.delimiter === undefined ? ['|', ' '].find((one) => hasDecimalCommas(lines, one)) : undefined;
    return other === undefined ? { delimiter, newline, decimal: '.' } : { delimiter: other, newline, decimal: ',' };
  }
  return { delimiter, newline, decimal: hasDecimalCommas(linesOf(text.replaceAll('"', ''), newline), delimiter) ? ',' : '.' };
}

/** The first lines that hold something, without comments unless there is nothing else. */
function linesOf(text: string, newline: string): string[] {
  const lines: string[] = [];
  const comments: string[] = [];
  for (let at = 0; at < text.length && lines.length < mostRecords; ) {
    const found = text.indexOf(newline, at);
    const end = found < 0 ? text.length : found;
    const line = text.slice(at, end).replace('\r', '');
    if (line.trim() !== '') (line.trimStart()[0] === '#' ? comments : lines).push(line);
    at = end + 1;
  }
  return lines.length > 0 ? lines : comments;
}

/** The delimiter of the second line, which has numbers, else that of the first. */
function delimiterOf([first = '', second = first]: readonly string[]): string {
  for (const line of [second, first]) {
    const found = ['\t', ';', ','].find((delimiter) => line.includes(delimiter));
    if (found !== undefined) return found;
  }
  const cells = cut(second, ' ');
  const isMissing = missingTest({});
  // sp|P69905 1 2: a name may have a pipe in it.
  if (
    first.includes('|') &&
    second.includes('|') &&
    !(cells.length > 1 && cells.slice(1).every((cell) => isNumber(cell) || isMissing(cell)))
  )
    return '|';
  // A line alone may be a name of two words.
  return cells.length > 1 && (second !== first || cells.every((cell) => isNumber(cell))) ? ' ' : ',';
}

function cut(line: string, delimiter: string): string[] {
  return (delimiter === ' ' ? line.trim().split(/[ \t]+/) : line.split(delimiter)).map((cell) => cell.trim());
}

const decimalComma = (cell: string) => cell.length < 400 && /^[+-]?(?:\d+,\d*|,\d+)(?:[de][+-]?\d+)?$/i.test(cell);

/** Whether numbers have decimal commas: some do, and none has a decimal point. The first line may be a header. */
function hasDecimalCommas(lines: readonly string[], delimiter: string): boolean {
  const cells = (lines.length > 1 ? lines.slice(1) : lines).map((line) => cut(line, delimiter));
  if (delimiter === '|' && !lines[0]?.includes('|')) return false;
  // Where commas could part cells, too, all is to be numbers.
  const sure = delimiter === ' ' || delimiter === '|';
  if (sure && !cells.every((line) => line.length > 1 && line.slice(1).every((cell) => decimalComma(cell) || isNumber(cell)))) return false;
  const all = cells.flat();
  return all.some(decimalComma) && !all.some((cell) => cell.includes('.') && isNumber(cell));
}

/**
 * The first records of a text, those that are blank left out. One that is not complete, since the text was cut there, or has a quote that is
 * not closed, is the end.
 */
export function sampleRecords(
  text: string,
  { delimiter, newline }: Cutting,
  { complete, most = mostRecords, firstLine = 1 }: { complete: boolean; most?: number; firstLine?: number },
): SampleRecord[] {
  const records: SampleRecord[] = [];
  let line = firstLine;
  for (let at = 0; at < text.length && records.length < most; ) {
    const comment = startsWithHash(text, at);
    const record = comment ? lineAt(text, at, delimiter, newline) : recordAt(text, at, delimiter, newline);
    if (record === undefined || (record.end > text.length && !complete)) break;
    const { cells, end } = record;
    const first = line;
    for (let found = text.indexOf(newline, at); found >= 0 && found < end; found = text.indexOf(newline, found + 1)) line++;
    at = Math.min(end, text.length);
    if (cells.length > 1 || cells[0].text !== '' || cells[0].quoted) records.push({ cells, line: first, comment, end: at, endLine: line });
  }
  return records;
}

function startsWithHash(text: string, from: number): boolean {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return text[at] === '#';
}

/** A comment, whose quotes mean nothing if they do not make cells. */
function lineAt(text: string, from: number, delimiter: string, newline: string): { cells: SampleCell[]; end: number } {
  const found = text.indexOf(newline, from);
  const end = found < 0 ? text.length : found;
  const line = text.slice(from, end);
  const record = recordAt(line, 0, delimiter, newline);
  return { cells: record?.cells ?? [{ text: trimmed(line), quoted: false }], end: end + 1 };
}

function recordAt(text: string, from: number, delimiter: string, newline: string): { cells: SampleCell[]; end: number } | undefined {
  const blanks = delimiter === ' ';
  const blank = (at: number) => text[at] === ' ' || (text[at] === '\r' && newline !== '\r') || (text[at] === '\t' && delimiter !== '\t');
  const cells: SampleCell[] = [];
  for (let at = from; ; at++) {
    while (blank(at)) at++;
    const atEnd = at >= text.length || text[at] === newline;
    if (blanks && atEnd && cells.length > 0) return { cells, end: at + 1 };
    const quoted = text[at] === '"';
    const start = at;
    if (quoted) {
      at = text.indexOf('"', at + 1);
      while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
      if (at < 0) return undefined;
      cells.push({ text: trimmed(text.slice(start + 1, at).replaceAll('""', '"')), quoted });
      at++;
      while (!blanks && blank(at)) at++;
    } else {
      while (at < text.length && text[at] !== newline && (blanks ? !blank(at) : text[at] !== delimiter)) at++;
      const cell = text.slice(start, at);
      if (cell.includes('"')) return undefined;
      cells.push({ text: trimmed(cell), quoted });
    }
    if (at >= text.length || text[at] === newline) return { cells, end: at + 1 };
    if (blanks ? !blank(at) : text[at] !== delimiter) return undefined;
  }
}

/** Without ASCII blanks at its ends; other bytes may be parts of characters. */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (code: number) => code === 32 || (code >= 9 && code <= 13);

/** 1.5D+03, as Fortran writes 1500. Without a point, 1D2 may be a name. */
const fortran = /^([+-]?(?:\d+\.\d*|\.\d+))d([+-]?\d+)$/i;

/** A number with the decimal mark of the table as the text of one with a point and e; '' for what has a point where decimals have commas. */
export function pointed(cell: string, { decimal }: Pick<Cutting, 'decimal'>): string {
  const point = decimal === '.' ? cell : cell.includes('.') ? '' : cell.replace(',', '.');
  return point.length < 400 ? point.replace(fortran, '$1e$2') : point;
}

/** Whether a cell is a number, by default with a decimal point. */
export function isNumber(cell: string, cutting: Pick<Cutting, 'decimal'> = { decimal: '.' }): boolean {
  return isDecimal(pointed(cell, cutting));
}

/** What Excel is told by a first line sep=; : the delimiter, and the bytes of the line. Programs that fill lines up put delimiters behind it. */
export function separatorLine(text: string): { delimiter: string; length: number } | undefined {
  const [line, delimiter] = /^"?sep=(.)"?\1*(?:\r\n|\n|\r)/i.exec(text.slice(0, 4096)) ?? [];
  return line !== undefined && isDelimiter(delimiter) ? { delimiter, length: line.length } : undefined;
}
