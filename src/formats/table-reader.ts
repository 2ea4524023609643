/** A text table in pieces, as a file or a download gives them: the first lines tell how to read it, the rest becomes numbers as it comes. */
import { InputError } from '../errors.js';
import type { PieceReader } from './file-format.js';
import { createBlocks } from './table-blocks.js';
import { badQuote, count } from './table-errors.js';
import { column, type Layout, layoutOf } from './table-layout.js';
import { missingTest, missingValues, type TableOptions } from './table-options.js';
import { createRows, type Rows } from './table-rows.js';
import { binaryText, bytesOf, cuttingOf, type SampleRecord, sampleRecords, separatorLine } from './table-sample.js';
import { createNameDecoder, createRecoder, joined } from './table-text.js';

/** The sample has this many bytes at least and at most, and lines. */
const [fewestBytes, mostBytes, fewestLines] = [2 ** 16, 2 ** 26, 8];

/** `source` starts every message; see TableOptions, and `parseCsvMatrix` for what a table is. */
export function createTableReader(source: string, options: TableOptions = {}): PieceReader {
  const recoder = createRecoder(source, options.encoding);
  const decoder = createNameDecoder(options.encoding);
  let head: Uint8Array[] = [];
  let length = 0;
  let wanted = fewestBytes;
  let table: { layout: Layout; rows: Rows; blocks: ReturnType<typeof createBlocks>; told?: string } | undefined;

  /** Reads the layout from the first bytes, and then all of them, if they are enough. */
  function begin(given: Uint8Array, complete: boolean): boolean {
    const { delimiter: told, length: skip = 0 } = separatorLine(binaryText(given.subarray(0, 4096))) ?? {};
    const bytes = given.subarray(skip);
    const firstLine = told === undefined ? 1 : 2;
    const sampled = sampleOf(bytes, complete, source, { ...options, delimiter: options.delimiter ?? told }, firstLine);
    if (sampled === undefined) return false;
    const { records, cutting } = sampled;
    const decode = (text: string) => decoder.decode(bytesOf(text), () => `${source}: the header`).trim();
    const layout = layoutOf(records, cutting, options, { source, decode, firstLine });
    const blocks = createBlocks(layout.plan.filter((what) => what === column.number).length);
    const rows = createRows({
      source,
      layout,
      blocks,
      decoder,
      isMissing: missingTest(options),
      missingValues: missingValues(options),
    });
    table = { layout, rows, blocks, told };
    rows.push(bytes.subarray(layout.start));
    return true;
  }

  function take(bytes: Uint8Array): void {
    if (table) {
      table.rows.push(bytes);
      return;
    }
    if (head.length === 0 && bytes.length >= wanted && begin(bytes, false)) return;
    head.push(bytes.slice());
    length += bytes.length;
    if (length < wanted || !begin(joinHead(), false)) {
      if (length >= wanted) wanted = 2 * length;
    } else head = [];
  }

  function joinHead(): Uint8Array {
    if (head.length > 1) head = [joined(head)];
    return head[0] ?? new Uint8Array(0);
  }

  return {
    push: (bytes) => take(recoder.push(bytes)),
    take({ transposed = false } = {}) {
      const part = table?.blocks.take(transposed);
      if (!table || !part) return undefined;
      const { layout, rows } = table;
      const rowNames = layout.names ? rows.rowNames.splice(0, transposed ? part.X.cols : part.X.rows) : undefined;
      return { ...part, rowNames, columnNames: layout.header };
    },
    end({ transposed = false } = {}) {
      take(recoder.end());
      if (!table) begin(joinHead(), true);
      const { layout, rows, blocks, told } = table!;
      rows.end();
      if (blocks.rows === 0)
        throw new InputError(
          `${source} has ${layout.headerLine === undefined ? 'no data' : 'a header but no data rows'}; at least one row of numbers is needed.`,
        );
      const notes = [reading(), ...layout.notes];
      const { X, missing } = blocks.join(transposed);
      return { X, rowNames: layout.names ? rows.rowNames : undefined, columnNames: layout.header, missing, notes };

      function reading(): string {
        const cols = layout.plan.filter((what) => what === column.number).length;
        const skipped = layout.plan.filter((what) => what === column.skipped).length;
        const facts = [
          `${count(blocks.rows, 'row')} × ${count(cols, 'column')}`,
          ...(layout.names ? ['names in the first column'] : []),
          layout.headerLine === undefined ? 'no header' : `header in line ${layout.headerLine}`,
          ...delimiterFacts(layout, told),
          ...(layout.decimal === ',' ? ['decimal commas'] : []),
          ...(rows.fortran ? ['exponents with D'] : []),
          ...(blocks.missingCells > 0 ? [`${count(blocks.missingCells, 'cell')} without a value`] : []),
          ...(skipped > 0 ? [`${count(skipped, 'column')} left out`] : []),
          ...(rows.comments > 0 ? [`${count(rows.comments, 'line')} with # left out`] : []),
          ...(recoder.encoding ? [recoder.encoding.toUpperCase()] : []),
          ...(decoder.latin ? ['not UTF-8, so taken for Latin-1'] : []),
        ];
        return facts.join(', ');
      }
    },
  };
}

const delimiterNames: Record<string, string> = { ',': 'commas', '\t': 'tabs', ';': 'semicolons', ' ': 'blanks', '|': 'pipes' };

/** What separates cells, where that is no matter of course, and `told` by a line sep=; above the table. */
function delimiterFacts({ delimiter, plan }: Layout, told: string | undefined): string[] {
  const nameOf = (one: string) => delimiterNames[one] ?? `'${one}'`;
  const cells = `cells between ${nameOf(delimiter)}`;
  if (told === delimiter) return [`${cells} as sep= in line 1 says`];
  const other = told === undefined ? [] : [`sep= in line 1 left out`];
  return [...(delimiter === ',' || delimiter === '\t' || plan.length === 1 ? [] : [cells]), ...other];
}

function hasLines(bytes: Uint8Array): boolean {
  let lines = 0;
  for (let at = 0; at < bytes.length && lines < fewestLines; at++) if (bytes[at] === 10 || bytes[at] === 13) lines++;
  return lines >= fewestLines;
}

/** The first records of a table; undefined if more bytes are needed. Throws InputError where there is nothing to be read. */
function sampleOf(bytes: Uint8Array, complete: boolean, source: string, options: TableOptions, firstLine: number) {
  for (let size = fewestBytes; ; size *= 2) {
    const all = size >= bytes.length;
    const part = all ? bytes : bytes.subarray(0, size);
    const enough = all ? complete : hasLines(part);
    const last = size >= mostBytes;
    if (!enough && !last) {
      if (all) return undefined;
      continue;
    }
    if (part.includes(0))
      throw new InputError(
        `${source} has zero bytes, so it is no table of text; if it is UTF-16, give encoding 'utf-16le' or 'utf-16be'.`,
        { option: 'encoding' },
      );
    const text = binaryText(part);
    const cutting = cuttingOf(text, options);
    const records: SampleRecord[] = sampleRecords(text, cutting, { complete: all && complete, firstLine });
    if (records.filter(({ comment }) => !comment).length < 2 && !last && !(all && complete)) {
      if (all) return undefined;
      continue;
    }
    if (records.length > 0) return { records, cutting };
    const open = text.indexOf('"');
    if (open >= 0) throw badQuote(source, text.slice(0, open).split(cutting.newline).length + firstLine - 1);
    throw new InputError(`${source} has no data; at least one row of numbers is needed.`);
  }
}
