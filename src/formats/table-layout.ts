/**
 * How a table is to be read, from its first lines: which line is the header, which columns are data, whether the first one has the names of the
 * rows. What can be read in two ways is read in the likelier one, and a note says so, with the option that reads it in the other.
 */
import { quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { noteAlmostNumbers, noteHeader, noteThousands } from './table-notes.js';
import { missingTest, type TableOptions } from './table-options.js';
import { type Cutting, isNumber, pointed, type SampleCell, type SampleRecord } from './table-sample.js';

/** What becomes of a column of the file. */
export const column = { skipped: 0, number: 1, name: 2, empty: 3 } as const;

export interface Layout extends Cutting {
  /** For each column of the file, from `column`. `empty`: behind a delimiter that ends every line. */
  plan: Uint8Array;
  /** The line that tells how many columns there are. */
  widthLine: number;
  /** Names of the columns of the matrix. */
  header?: string[];
  /** Names of all columns of the file, for messages. */
  fileHeader?: string[];
  headerLine?: number;
  names: boolean;
  /** The data begin here: bytes, and the line. */
  start: number;
  line: number;
  /** Lines that start with # are comments. */
  comments: boolean;
  notes: string[];
}

/** `number`: or what was meant as one, and the reader will refuse. */
type Kind = 'number' | 'missing' | 'text';

/** 1,234.5 and 1 234,5 are no names. */
const isNumberLike = (text: string) => text.length < 100 && /^[+-]?[.,]?\d[\d.,'’ ]*$/.test(text);

/** The sample as `layoutOf` looks at it. */
interface Sample {
  first: SampleRecord;
  body: SampleRecord[];
  kindOf(cell: SampleCell): Kind;
  numberOf(cell: SampleCell): number;
}

/**
 * @param decode the text that the characters of a cell of the sample stand for.
 * @param firstLine the line on which the sample begins.
 * @throws InputError where the options name columns that are not there, or leave none.
 */
export function layoutOf(
  records: readonly SampleRecord[],
  cutting: Cutting,
  options: TableOptions,
  { source, decode, firstLine }: { source: string; decode: (text: string) => string; firstLine: number },
): Layout {
  const isMissing = missingTest(options);
  const kindOf = ({ text }: SampleCell): Kind =>
    isMissing(text) ? 'missing' : isNumber(text, cutting) || isNumberLike(text) ? 'number' : 'text';
  const notes: string[] = [];

  const begins = records.findIndex(({ comment }) => !comment);
  // Where every line starts with #, it starts a name.
  const comments = begins >= 0;
  const above = comments ? records.slice(0, begins) : [];
  const [raw, ...body] = comments ? records.filter(({ comment }) => !comment) : records;
  const first = { ...raw, cells: raw.cells.map(({ text, quoted }) => ({ text: decode(text), quoted })) };
  const sample: Sample = { first, body, kindOf, numberOf: ({ text }) => Number(pointed(text, cutting) || Number.NaN) };

  const short = headerIsShort(sample, options);
  const emptyEnd = endsEmpty(sample, cutting, short);
  const width = (short ? body[0] : first).cells.length - (emptyEnd ? 1 : 0);
  const firstNames = [...(short && !emptyEnd ? [''] : []), ...first.cells.slice(0, width).map(({ text }) => text)];
  const comment = commentHeader(above, width, sample, decode);
  const written = comment?.names ?? firstNames;
  const choice = { options, width, source };
  // Numbers in the first line are names only if it is the header, which has to be found out first.
  const words = written.map((name) => (isPlace(name) ? '' : name));
  const guess = { sample, ...chosenColumns(words, { ...choice, strict: false }), short: short && !emptyEnd, options, notes };
  const header = comment ? false : hasHeader(guess);
  const { places, wanted } = chosenColumns(header || comment ? written : [], { ...choice, strict: true });
  const corner = places[0];
  // Whatever the first column is, if it is not wanted as data there is one reading.
  const names = hasNames({ ...guess, places, notes: wanted.has(corner) ? notes : [] }, header, comment?.names);
  if (emptyEnd) notes.push('Every line ends with a delimiter, behind which there is nothing.');
  if (comment && options.header !== false)
    notes.push(`Line ${comment.line}, which starts with #, is read as the header; header: false leaves it out.`);

  const rows = header ? body : [first, ...body];
  if (names && options.names === undefined) noteAlmostNumbers(rows, corner, decode, notes);
  const fileHeader = header ? firstNames : options.header === false ? undefined : comment?.names;
  const data = places.filter((place) => wanted.has(place) && !(names && place === corner));
  if (data.length === 0)
    throw new InputError(`${source} has no column of numbers to read${names ? ' beside that of the names' : ''}.`, {
      option: options.columns ? 'columns' : undefined,
    });
  if (fileHeader) noteHeader(fileHeader, data, corner, notes);
  if (options.decimal === undefined) noteThousands(rows, data, cutting, notes);
  const plan = new Uint8Array(width + (emptyEnd ? 1 : 0));
  if (emptyEnd) plan[width] = column.empty;
  if (names) plan[corner] = column.name;
  for (const place of data) plan[place] = column.number;
  const last = header ? first : above[above.length - 1];
  return {
    ...cutting,
    plan,
    widthLine: short ? (body[0]?.line ?? first.line) : first.line,
    header: fileHeader && data.map((place) => fileHeader[place]),
    fileHeader,
    headerLine: header ? first.line : fileHeader && comment?.line,
    names,
    start: last?.end ?? 0,
    line: last?.endLine ?? firstLine,
    comments: comments && !names,
    notes,
  };
}

/** R writes no name over the names of rows, so its header has a cell less than the lines below. */
function headerIsShort({ first, body, kindOf }: Sample, { header, names }: TableOptions): boolean {
  if (header === false || body.length === 0) return false;
  const n = first.cells.length;
  if (!body.every(({ cells }) => cells.length === n + 1)) return false;
  if (first.cells.some((cell) => kindOf(cell) === 'text') || body.some(({ cells }) => kindOf(cells[0]) === 'text')) return true;
  return header === true || names === true;
}

function endsEmpty({ first, body }: Sample, { delimiter }: Cutting, short: boolean): boolean {
  if (delimiter === ' ') return false;
  const empty = ({ cells }: SampleRecord) => cells.length > 1 && cells[cells.length - 1].text === '' && !cells[cells.length - 1].quoted;
  return body.every(empty) && (short || empty(first)) && (short || body.length > 0);
}

/** The last comment above the table as its header: numpy.savetxt and QIIME write it so. */
function commentHeader(
  above: readonly SampleRecord[],
  width: number,
  { first, kindOf }: Sample,
  decode: (text: string) => string,
): { names: string[]; line: number } | undefined {
  const last = above[above.length - 1];
  if (last === undefined) return undefined;
  const [head, ...rest] = last.cells.map(({ text }) => text);
  const cells = [head.replace(/^#+\s*/, ''), ...rest].filter((text, at) => at > 0 || text !== '' || last.cells.length === width);
  // Names above names are no header: the first line is.
  const ownHeader = first.cells.slice(1).some((cell) => kindOf(cell) === 'text');
  return cells.length === width && !ownHeader && (width > 1 || last.cells.length === 1)
    ? { names: cells.map(decode), line: last.line }
    : undefined;
}

interface Choice {
  options: TableOptions;
  width: number;
  source: string;
  /** What is not there is an error. */
  strict: boolean;
}

/** The columns that are looked at: those of `options`, and the first that is not skipped, which may have names. `wanted` are the former. */
function chosenColumns(names: readonly string[], choice: Choice): { places: number[]; wanted: Set<number> } {
  const { columns, skipColumns = [] } = choice.options;
  const all = Array.from({ length: choice.width }, (_, place) => place);
  const skipped = selected('skipColumns', skipColumns, names, choice);
  const wanted = columns === undefined ? new Set(all) : selected('columns', columns, names, choice);
  const left = all.filter((place) => !skipped.has(place));
  return { places: left.filter((place, at) => at === 0 || wanted.has(place)), wanted };
}

const isPlace = (text: string) => /^\d{1,9}(?:-\d{1,9})?$/.test(text);

/** Places, counted from 0, of columns by names or places counted from 1. */
function selected(
  option: 'columns' | 'skipColumns',
  list: readonly (string | number)[],
  names: readonly string[],
  { width, source, strict }: Choice,
): Set<number> {
  const places = new Set<number>();
  for (const one of Array.from(list)) {
    const text = String(one).trim();
    const named = names.flatMap((name, place) => (name === text ? [place] : []));
    const [from, to = from] = isPlace(text) ? text.split('-').map(Number) : [0];
    if (named.length > 0) for (const place of named) places.add(place);
    else if (from >= 1 && from <= to && to <= width) for (let place = from; place <= to; place++) places.add(place - 1);
    else if (strict) {
      const some = names.filter((name) => name !== '').slice(0, 5);
      const have = some.length > 0 ? `, such as ${some.map((name) => shortened(name, 30)).join(', ')}` : '';
      throw new InputError(
        `${source} has no column ${quoted(text)}; it has ${width}${have}. Give names of the header, or places from 1 to ${width}.`,
        { option },
      );
    }
  }
  return places;
}

interface Known {
  sample: Sample;
  /** Columns that are not left out. */
  places: number[];
  short: boolean;
  options: TableOptions;
  notes: string[];
}

const indexNames = /^(|unnamed: 0|index|id|row|rownames?|row_names?)$/i;

/** id, patient_id, sampleID, key: whole numbers below it may well be names. */
const keyNames = /^(?:.*[\s_.-])?(?:id|Id|index|Index|idx|key|Key|INDEX|KEY)$|ID$|[a-z]Id$/;

/** Whether the first record is the header. */
function hasHeader({ sample, places, short, options, notes }: Known): boolean {
  const { first, body, kindOf, numberOf } = sample;
  if (options.header !== undefined) return options.header;
  if (short) return true;
  const [corner] = places;
  const firstOf = (place: number) => first.cells[place];
  if (body.length === 0)
    return places.every((place) => kindOf(firstOf(place)) !== 'number') && places.some((place) => kindOf(firstOf(place)) === 'text');
  const nameColumn = options.names ?? labelled(sample, body, places).share >= 0.5;
  const cornerEmpty = /^(unnamed: 0)?$/i.test(firstOf(corner)?.text ?? '');
  const data = places.filter((place) => place !== corner || !(nameColumn || cornerEmpty) || places.length === 1);
  const cells = data.map((place) => firstOf(place) ?? { text: '', quoted: false });
  const kinds = cells.map(kindOf);
  const words = kinds.filter((kind) => kind === 'text').length;
  // In quotes, above cells that have none, numbers are names, too.
  const quotes = cells.filter((cell, at) => isLabel(sample, cell) && !body.some((row) => row.cells[data[at]]?.quoted)).length;
  const numbers = cells.filter((cell, at) => kinds[at] === 'number' && !(quotes > 0 && isLabel(sample, cell))).length;
  const read = (why: string) => {
    notes.push(`Line ${first.line} (${shown(first, places)}) is read as the header, since ${why}; header: false reads it as data.`);
    return true;
  };
  if (words + quotes > 0 && numbers === 0) return words > 0 || read('its cells are quoted and those below are not');
  if (words > 0) {
    // A word over the first column alone, and numbers that count over the others: wavelengths, say.
    const others = data.filter((place) => place !== corner);
    if (
      kinds[0] === 'text' &&
      words === 1 &&
      data[0] === corner &&
      isNumericHeader(
        others.map((place) => numberOf(firstOf(place))),
        others,
        sample,
        true,
      )
    )
      return read('its first cell is a word and the others rise');
    return false;
  }
  if (numbers < kinds.length) return false;
  const values = cells.map(numberOf);
  const counts = values.length > 1 && values.every((value, at) => value === at);
  if ((cornerEmpty && counts) || isNumericHeader(values, data, sample)) return read('its numbers rise and those below do not');
  if (counts || isBeyond(values, data, sample))
    notes.push(`Line ${first.line} (${shown(first, places)}) is read as data; header: true reads it as the header.`);
  return false;
}

/**
 * Numbers that rise from left to right, as those below do not: 0, 1, 2 as pandas writes them, or wavelengths. Steps are equal, or the numbers are
 * larger than all below. If both, or if it is `sure` that the line is no data, those below may rise, too.
 */
function isNumericHeader(values: readonly number[], places: readonly number[], { body, kindOf, numberOf }: Sample, sure = false): boolean {
  const rises = (list: readonly number[]) => list.every((value, at) => at === 0 || value > list[at - 1]);
  if (values.length < 3 || !rises(values)) return false;
  const below = body.map(({ cells }) =>
    places.flatMap((place) => (cells[place] && kindOf(cells[place]) === 'number' ? [numberOf(cells[place])] : [])),
  );
  const rising = below.filter((list) => list.length > 2 && rises(list)).length;
  if (values.every((value, at) => value === at)) return 2 * rising <= body.length;
  const beyond = below.every((list) => list.every((value) => value < values[0]));
  // Four small numbers that count may well be data.
  const even = values.length > (beyond ? 3 : 4) && equalSteps(values);
  return (even && beyond) || ((even || beyond) && (sure || rising === 0));
}

/** Whether numbers rise from left to right, and all in two lines or more below are smaller. */
function isBeyond(values: readonly number[], places: readonly number[], { body, numberOf }: Sample): boolean {
  if (values.length < 3 || body.length < 2 || values.some((value, at) => at > 0 && value <= values[at - 1])) return false;
  return body.every(({ cells }) => places.every((place) => cells[place] === undefined || !(numberOf(cells[place]) >= values[0])));
}

function equalSteps(values: readonly number[]): boolean {
  const step = values[1] - values[0];
  return step !== 0 && values.every((value, at) => at === 0 || Math.abs(value - values[at - 1] - step) <= 1e-6 * Math.abs(step));
}

/** Whether a cell is a name by its quotes: a number or a mark of missing values that nobody had to quote. */
function isLabel({ kindOf, numberOf }: Sample, cell: SampleCell): boolean {
  return cell.quoted && (kindOf(cell) === 'missing' || !Number.isNaN(numberOf(cell)));
}

/** Whether some of these cells are numbers, and none is quoted. */
function hasBareNumbers({ kindOf }: Sample, cells: readonly SampleCell[], places: readonly number[]): boolean {
  const there = places.flatMap((place) => cells[place] ?? []);
  return there.every(({ quoted }) => !quoted) && there.some((cell) => kindOf(cell) === 'number');
}

/** How many cells of the first column are names, by themselves or by their quotes, and the share of them. */
function labelled(sample: Sample, rows: readonly SampleRecord[], [corner, ...others]: readonly number[]): { words: number; share: number } {
  let [words, quotes, all] = [0, 0, 0];
  for (const { cells } of rows) {
    const cell = cells[corner];
    if (cell === undefined) continue;
    all++;
    if (sample.kindOf(cell) === 'text') words++;
    else if (isLabel(sample, cell) && hasBareNumbers(sample, cells, others)) quotes++;
  }
  return { words, share: all === 0 ? 0 : (words + quotes) / all };
}

/** Whether the first column has the names of the rows. */
function hasNames({ sample, places, short, options, notes }: Known, header: boolean, comment?: readonly string[]): boolean {
  const { first, body, kindOf, numberOf } = sample;
  if (options.names !== undefined) return options.names;
  if (short) return true;
  const [corner, ...others] = places;
  if (others.length === 0) return false;
  const rows = header ? body : [first, ...body];
  const cells = rows.flatMap(({ cells }) => (cells[corner] ? [cells[corner]] : []));
  const { words, share } = labelled(sample, rows, places);
  const read = (why: string) => {
    notes.push(`The first column is read as names, since ${why}; names: false reads it as data.`);
    return true;
  };
  // Words in a column that holds more numbers are damage; the reader will name the first.
  if (words > 0) {
    const odd = cells.find((cell) => kindOf(cell) === 'text')!;
    return share >= 0.5 && (share === 1 || read(`${quoted(shortened(odd.text, 20))} is no number, though others in it are`));
  }
  if (cells.length === 0) return false;
  const head = comment?.[corner] ?? (header ? first.cells[corner]?.text : undefined);
  if (head !== undefined && /^(unnamed: 0)?$/i.test(head)) return read('the header has none for it');
  if (share === 1) return read('its cells are quoted and the others are not');
  const values = cells.map((cell) => (kindOf(cell) === 'number' ? numberOf(cell) : Number.NaN));
  const counts = values.length > 1 && values.every((value, at) => value === values[0] + at);
  if (head !== undefined && counts && indexNames.test(head)) return read(`it counts, and is called ${quoted(head)}`);
  if (
    header &&
    head !== undefined &&
    kindOf(first.cells[corner]) === 'text' &&
    others.every((place) => kindOf(first.cells[place]) === 'number' && !first.cells[place].quoted)
  )
    return read('the header has a word for it and numbers for the others');
  if ((values.length > 2 && counts) || (values.length > 3 && equalSteps(values)))
    notes.push(`The first column (${values.slice(0, 3).join(', ')}, …) is read as data; names: true reads it as names.`);
  else if (head !== undefined && keyNames.test(head) && values.every(Number.isInteger) && new Set(values).size === values.length)
    notes.push(`The first column, called ${quoted(shortened(head, 30))}, is read as data; names: true reads it as names.`);
  return false;
}

function shown({ cells }: SampleRecord, places: readonly number[]): string {
  const texts = places.slice(0, 4).map((place) => shortened(cells[place]?.text ?? '', 20));
  return `${texts.join(', ')}${places.length > 4 ? ', …' : ''}`;
}
