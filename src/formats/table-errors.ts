/** What is said of a table that cannot be read: the place, what stands there, what to do. */
import { quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import type { Layout } from './table-layout.js';
import { isNumber } from './table-sample.js';

export const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** A cell of the file and the entry of the matrix that it would be. */
export interface CellPlace {
  line: number;
  /** The column of the file, counted from 0. */
  place: number;
  /** Counted from 0, in the matrix. */
  row: number;
  column: number;
  /** The name of the row. */
  name?: string;
}

export function placeInWords(source: string, { line, place, name }: CellPlace, { fileHeader }: Layout): string {
  const row = name === undefined || name === '' ? '' : ` (${shortened(name)})`;
  const header = fileHeader?.[place] ? ` (${shortened(fileHeader[place])})` : '';
  return `${source}: line ${line}${row}, column ${place + 1}${header}`;
}

export function badCell(source: string, cell: string, place: CellPlace, layout: Layout): InputError {
  const where = placeInWords(source, place, layout);
  const { row, column } = place;
  const shown = quoted(cell);
  const short = cell.length < 400;
  if (isNumber(cell, layout))
    return new InputError(`${where} has ${shown}, which is too large for f32; rescale the data.`, { row, column });
  if (/^[+-]?inf(inity)?$/i.test(cell))
    return new InputError(`${where} has ${shown}, which is not finite; correct it, or list it in missing if it means "no value".`, {
      row,
      column,
    });
  return new InputError(`${where} has ${shown}, which is not a number; ${short ? advice(cell, place, layout) : 'correct it.'}`, {
    row,
    column,
  });
}

function advice(cell: string, { line, place }: CellPlace, layout: Layout): string {
  const { decimal, fileHeader, headerLine, plan, widthLine, names } = layout;
  if (/^[+-]?\d{1,3}(?:,\d{3})+\.\d*$/.test(cell) || /^[+-]?\d{1,3}(?:,\d{3}){2,}$/.test(cell))
    return 'write it without separators of thousands.';
  if (/^[+-]?\d{1,3}(?:\.\d{3})+,\d*$/.test(cell) || /^[+-]?\d{1,3}(?:[ '’]\d{3})+(?:[.,]\d*)?$/.test(cell))
    return 'write it without separators of thousands.';
  if (/^[+-]?\d*,\d+$/.test(cell)) return "write decimals with a point, or give decimal ','.";
  if (decimal === ',' && isNumber(cell)) return "decimals have commas here; write it with a comma, or give decimal '.'.";
  if (cell.split(/\s+/).every((part) => isNumber(part)))
    return 'separate cells by commas, semicolons, tabs, pipes or blanks, and give the delimiter if need be.';
  const first = plan.findIndex((what) => what !== 0);
  const remedies = [
    // A line of words and numbers may be a broken row or a header that holds numbers.
    ...(headerLine === undefined && line === widthLine ? ['if this line is the header, say header: true'] : []),
    ...(place === first && !names && plan.length > 1 ? ['if the first column has names, say names: true'] : []),
    `correct it, or leave the column out: skipColumns ${quoted(fileHeader?.[place] || String(place + 1))}`,
  ];
  return `${remedies.join('; ')}.`;
}

export function ragged(source: string, cells: number, line: number, row: number, { plan, widthLine }: Layout): InputError {
  return new InputError(
    `${source}: line ${line} has ${count(cells, 'cell')}, but line ${widthLine} has ${plan.length}; every row needs the same number of cells.`,
    { row },
  );
}

export function badQuote(source: string, line: number): InputError {
  return new InputError(
    `${source}: line ${line} has a quote that is not closed or stands inside a cell; quote whole cells, and double a quote in them.`,
  );
}
