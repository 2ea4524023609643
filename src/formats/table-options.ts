/** What a caller can say about a table of text. Without it the reader takes the likelier reading, and says which. */
import { checkNames } from '../data/names.js';
import { isDecimal, isList } from '../data/numbers.js';
import { describe } from '../data/words.js';
import { InputError } from '../errors.js';

export interface TableOptions {
  /** Whether the first line names the columns. */
  header?: boolean;
  /** Whether the first column names the rows. */
  names?: boolean;
  /** What stands between cells: one character, such as ',' or '\t'. ' ' is any run of blanks and tabs. */
  delimiter?: string;
  /** The mark of decimals. */
  decimal?: '.' | ',';
  /** Cells that mean "no value", beside empty ones, NA, N/A, <NA>, #N/A, NaN and null. A number is meant by its value: -999 is -999.0, too. */
  missing?: readonly (string | number)[];
  /**
   * The columns to read: names of the header, or places in the file counted from 1, as '3' or '2-5'. A column of row names is read anyway.
   * Others may hold anything.
   */
  columns?: readonly (string | number)[];
  /** The columns to leave out, in the same way. If the first one is left out, names are looked for in the next. */
  skipColumns?: readonly (string | number)[];
  /**
   * The encoding of the text, by its name in the Encoding standard: 'utf-8', 'latin1', 'utf-16le', 'shift_jis'. By default UTF-8; UTF-16 where a
   * byte order mark or the zero bytes of ASCII tell it; Latin-1 (windows-1252) where a name is not UTF-8.
   */
  encoding?: string;
}

export const tableOptionNames = Object.keys({
  header: true,
  names: true,
  delimiter: true,
  decimal: true,
  missing: true,
  columns: true,
  skipColumns: true,
  encoding: true,
} satisfies Record<keyof TableOptions, true>) as (keyof TableOptions)[];

/** Throws InputError for an option of `what` that is none, or has a value that means nothing. */
export function checkTableOptions(what: string, options: object, others: readonly string[] = []): void {
  checkNames(what, options, [...others, ...tableOptionNames]);
  const { header, names, delimiter, decimal, encoding, ...lists } = options as TableOptions;
  const refuse = (option: string, value: unknown, must: string) => {
    throw new InputError(`${option} must be ${must}, not ${describe(value)}.`, { option });
  };
  for (const [option, value] of Object.entries({ header, names }))
    if (value !== undefined && typeof value !== 'boolean') refuse(option, value, 'true or false');
  if (delimiter !== undefined && !isDelimiter(delimiter))
    refuse('delimiter', delimiter, "one ASCII character that is in no number, such as ';'");
  if (decimal !== undefined && decimal !== '.' && decimal !== ',') refuse('decimal', decimal, "'.' or ','");
  if (decimal !== undefined && decimal === delimiter) refuse('decimal', decimal, 'another character than the delimiter');
  for (const option of ['missing', 'columns', 'skipColumns'] as const) {
    const value = lists[option];
    if (value === undefined) continue;
    if (!isList(value) || !Array.from(value).every((one) => typeof one === 'string' || (typeof one === 'number' && !Number.isNaN(one))))
      refuse(option, value, 'a list of texts and numbers');
  }
  if (encoding !== undefined) {
    try {
      new TextDecoder(encoding);
    } catch {
      refuse('encoding', encoding, "the name of an encoding, such as 'utf-8', 'latin1' or 'utf-16le'");
    }
  }
}

export function isDelimiter(text: unknown): boolean {
  return typeof text === 'string' && text.length === 1 && /[\t -~]/.test(text) && !/[0-9A-Za-z."+-]/.test(text);
}

const missingCell = /^(?:[+-]?nan|#?na|#?n\/a|<na>|null|)$/i;

/** Whether a cell has no value. It may be of any length. */
export function missingTest({ missing = [] }: TableOptions): (cell: string) => boolean {
  const texts = new Set(Array.from(missing, (one) => String(one).trim()));
  const values = new Set([...texts].filter(isDecimal).map(Number));
  return (cell) =>
    (cell.length < 10 && missingCell.test(cell)) || texts.has(cell) || (values.size > 0 && isDecimal(cell) && values.has(Number(cell)));
}

/** The numbers among `missing`. */
export function missingValues({ missing = [] }: TableOptions): number[] {
  return Array.from(missing, (one) => String(one).trim())
    .filter(isDecimal)
    .map(Number);
}
