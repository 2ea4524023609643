/** What people may have meant otherwise in a table, as notes. */
import { quoted, shortened } from '../data/words.js';
import type { Cutting, SampleRecord } from './table-sample.js';

/** 12.5 %, $3.20, 15D+02: numbers to people. */
const almostNumber = /^(?:[-+]?[$€£¥] ?\d[\d.,]*|[-+]?\d[\d.,]* ?[%‰$€£¥]|[-+]?\d*\.?\d+[dD][-+]?\d+)$/;

/** Names that look like numbers are a column of data that is lost, unless somebody hears of it. */
export function noteAlmostNumbers(rows: readonly SampleRecord[], corner: number, decode: (text: string) => string, notes: string[]): void {
  const texts = rows.flatMap(({ cells }) => (cells[corner]?.text ? [decode(cells[corner].text)] : []));
  if (texts.length > 0 && texts.every((text) => almostNumber.test(text)))
    notes.push(`The first column (${texts.slice(0, 3).join(', ')}, …) is read as names; as plain numbers it would be data.`);
}

/**
 * 1,030 with decimal commas is 1.03, to others a thousand. So is 1.100 between semicolons, where people write decimal commas. A number that
 * begins with 0, or has fewer decimals or more, shows what the mark is.
 */
export function noteThousands(
  rows: readonly SampleRecord[],
  data: readonly number[],
  { decimal, delimiter }: Cutting,
  notes: string[],
): void {
  if (decimal === '.' && delimiter !== ';') return;
  const marked = rows.flatMap(({ cells }) => data.flatMap((place) => (cells[place]?.text.includes(decimal) ? [cells[place].text] : [])));
  const grouped = /^[-+]?[1-9]\d{0,2}[.,]\d{3}$/;
  if (marked.length === 0 || !marked.every((text) => grouped.test(text))) return;
  const read = Number(marked[0].replace(',', '.'));
  const mark = decimal === ',' ? 'comma' : 'point';
  notes.push(`${marked[0]} is read as ${read}, with a decimal ${mark}; if its ${mark} separates thousands, take it out of the numbers.`);
}

/** Columns of the matrix that share a name, or have none. That of names of rows, in the corner, needs none. */
export function noteHeader(header: readonly string[], data: readonly number[], corner: number, notes: string[]): void {
  const places = new Map<string, number[]>();
  for (const place of data) {
    const known = places.get(header[place]);
    if (known) known.push(place + 1);
    else places.set(header[place], [place + 1]);
  }
  const shared = [...places].filter(([name, { length }]) => name !== '' && length > 1);
  const empty = (places.get('') ?? []).filter((place) => place !== corner + 1);
  if (shared.length > 0) {
    const [name, [first, second]] = shared[0];
    const more = shared.length > 1 ? `, the first of ${shared.length} names that columns share` : '';
    notes.push(
      `Columns ${first} and ${second} are both called ${quoted(shortened(name, 30))}${more}; columns keep their names, and are chosen by place.`,
    );
  }
  if (empty.length > 0) {
    const more = empty.length > 1 ? `, the first of ${empty.length} such columns` : '';
    notes.push(`Column ${empty[0]} has no name in the header${more}; its name stays empty, and it is chosen by place.`);
  }
}
