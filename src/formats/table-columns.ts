/** A table of text as columns of texts. */
import { InputError } from '../errors.js';
import { decodeText, type TableColumns } from './file-format.js';
import { missingTest } from './table-options.js';
import { cuttingOf, isNumber, pointed, sampleRecords, separatorLine } from './table-sample.js';

/** Records that are cut at a time. */
const atATime = 4096;

/**
 * Cells are parted as in `parseCsvMatrix`, and lines that start with # are comments. The first line is the header if its last cell is no
 * number. Texts that many cells have are kept once.
 *
 * @throws InputError for text that is not UTF-8, lines of unequal length, and a text without lines.
 */
export function columnsOfText(bytes: Uint8Array, source: string): TableColumns {
  const text = decodeText(bytes, source).replace(/^\uFEFF/, '');
  const told = separatorLine(text);
  const table = text.slice(told?.length ?? 0);
  const cutting = cuttingOf(table, { delimiter: told?.delimiter });
  const isMissing = missingTest({});
  const known = new Map<string, string>();
  let names: string[] | undefined;
  const columns: (string | null)[][] = [];
  let line = told ? 1 : 0;
  for (let rest = table; rest !== ''; ) {
    const records = sampleRecords(rest, cutting, { complete: true, most: atATime });
    for (const { cells, comment, line: within } of records) {
      if (comment) continue;
      const texts = cells.map((cell) => (!cell.quoted && isMissing(cell.text) ? null : cell.text));
      const last = texts[texts.length - 1];
      if (names === undefined) {
        const isHeader = last !== null && !isNumber(last, cutting);
        names = texts.map((name) => (isHeader ? (name ?? '') : ''));
        for (const _ of names) columns.push([]);
        if (isHeader) continue;
      }
      if (texts.length !== columns.length)
        throw new InputError(
          `${source} has ${texts.length} cells in line ${line + within}, but ${columns.length} in its first; every line needs as many.`,
        );
      texts.forEach((one, c) => {
        const number = one !== null ? pointed(one, cutting) || one : one;
        if (number !== null && !known.has(number)) known.set(number, number);
        columns[c].push(number === null ? null : known.get(number)!);
      });
    }
    const end = records[records.length - 1];
    if (end === undefined) {
      if (rest.trim() !== '') throw new InputError(`${source} has a quote that is not closed, or misplaced, after line ${line}.`);
      break;
    }
    line += end.endLine - 1;
    rest = rest.slice(end.end);
  }
  if (columns.length === 0 || columns[0].length === 0) throw new InputError(`${source} has no line of data.`);
  return { rows: columns[0].length, columns: columns.map((values, c) => ({ name: names![c], values })) };
}
