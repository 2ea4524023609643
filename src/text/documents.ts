/** Documents, and how they stand in files: JSON lines, tables and lines of text. */
import { nearestOf } from '../data/names.js';
import { describe, inWords, quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { tableRecords } from './records.js';

export interface Document {
  name: string;
  text: string;
  /** Its class, where it has one. */
  label?: string;
  /** When it was written, as the source has it. */
  date?: string;
}

/** Which field of a record is what. */
export interface FieldOptions {
  /** The field of the text; default 'text'. */
  textField?: string;
  /** The field of the label; default none. */
  labelField?: string;
  /** The field of the date; default none. */
  dateField?: string;
  /** The field of the name; default 'name', 'title' or 'id', the first that a record has, else its line. */
  idField?: string;
}

/** The names of the options. */
export const fieldOptionNames = Object.keys({
  textField: true,
  labelField: true,
  dateField: true,
  idField: true,
} satisfies Record<keyof FieldOptions, true>);

/** Throws InputError unless there is a list of objects with a text. */
export function checkDocuments(documents: readonly Document[]): void {
  if (!Array.isArray(documents)) throw new InputError(`The corpus must be a list of documents, not ${describe(documents)}.`);
  documents.forEach((document, j) => {
    if (typeof document !== 'object' || document === null)
      throw new InputError(`Document ${j} must be { name, text }, not ${describe(document)}.`);
    if (typeof document.text !== 'string')
      throw new InputError(`The document ${describe(document.name)} has no text: a string is needed, not ${describe(document.text)}.`);
  });
}

export type FieldRecord = Readonly<Record<string, unknown>>;

/**
 * The documents in the text of a .jsonl file, one object a line; `source` is its name in messages.
 *
 * @throws InputError for a line that is no JSON object or has no text, and for a field that no line has.
 */
export function parseJsonLines(text: string, source: string, fields: FieldOptions = {}): Document[] {
  const lines: { record: FieldRecord; line: number }[] = [];
  text.split('\n').forEach((content, index) => {
    if (content.trim() === '') return;
    const line = index + 1;
    let record: unknown;
    try {
      record = JSON.parse(content);
    } catch (error) {
      throw new InputError(`${source}: line ${line} is not valid JSON (${shortened((error as Error).message, 120)}).`);
    }
    const { textField = 'text' } = fields;
    if (!isRecord(record) || !(Object.hasOwn(record, textField) && typeof record[textField] === 'string')) {
      const hint = isRecord(record) && !Object.hasOwn(record, textField) ? fieldHint(textField, Object.keys(record), 'textField') : '';
      throw new InputError(`${source}: line ${line} must be an object with a string "${shortened(textField)}".${hint}`, {
        option: 'textField',
      });
    }
    lines.push({ record, line });
  });
  if (lines.length === 0) throw new InputError(`The file '${source}' has only blank lines; a corpus needs an object with a "text" a line.`);
  const named = new Set<string>();
  for (const { record } of lines) for (const name of Object.keys(record)) named.add(name);
  checkFields([...named], source, fields);
  return lines.map(({ record, line }) => documentOf(record, fields, `line ${line}`, `${source}: line ${line}`));
}

const isRecord = (value: unknown): value is FieldRecord => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The documents in the text of a .csv or .tsv file: the first record names the columns, each other one is a document. Cells may be quoted
 * and hold line breaks then. They are separated by what the first record has most of: commas, semicolons or tabs.
 *
 * @throws InputError for a column that is missing, records of unequal length, and a quote that is not closed.
 */
export function parseDocumentTable(text: string, source: string, fields: FieldOptions = {}): Document[] {
  const records = tableRecords(text, source);
  const header = records.next().value?.cells.map((cell) => cell.trim());
  if (header === undefined) throw new InputError(`The file '${source}' has only blank lines; a corpus needs a line with names of columns.`);
  const twice = header.find((name, i) => name !== '' && header.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`${source}: two columns are called ${quoted(twice)}; give each a name of its own.`);
  checkFields(header, source, fields);
  const documents: Document[] = [];
  for (const { cells, line } of records) {
    if (cells.length !== header.length) {
      throw new InputError(
        `${source}: the record in line ${line} has ${cells.length} cells, but there are ${header.length} columns; quote cells that hold delimiters or line breaks.`,
      );
    }
    const record = Object.fromEntries(header.map((name, i) => [name, cells[i]]));
    documents.push(documentOf(record, fields, `line ${line}`, `${source}: line ${line}`));
  }
  if (documents.length === 0) throw new InputError(`${source} has names of columns but no document; at least one is needed.`);
  return documents;
}

/** The documents in a text of which each line that is not blank is one. */
export function parseTextLines(text: string, source: string): Document[] {
  const documents: Document[] = [];
  text.split(/\r\n|\n|\r/).forEach((line, index) => {
    if (line.trim() !== '') documents.push({ name: `line ${index + 1}`, text: line });
  });
  if (documents.length === 0) throw new InputError(`${source} has no line with a text; a corpus needs one document a line.`);
  return documents;
}

/** Throws InputError for the first field that was asked for and is not among `known`, with the names there are. */
export function checkFields(known: readonly string[], source: string, fields: FieldOptions): void {
  const { textField = 'text', labelField, dateField, idField } = fields;
  for (const [option, name] of Object.entries({ textField, labelField, dateField, idField })) {
    if (name === undefined || known.includes(name)) continue;
    throw new InputError(`${source} has no field ${quoted(name)}.${fieldHint(name, known, option)}`, { option });
  }
}

/** What there is instead of a field. */
function fieldHint(name: string, known: readonly string[], option: string): string {
  if (known.length === 0) return '';
  const nearest = nearestOf(name, known);
  const shown = known.slice(0, 20).map((one) => quoted(one));
  const there = known.length > shown.length ? `${shown.join(', ')} and ${known.length - shown.length} more` : inWords(shown);
  return `${nearest === undefined ? '' : ` Did you mean ${quoted(nearest)}?`} It has ${there}: choose one by the option ${option}.`;
}

/** The document in a record. Throws InputError where a field holds what cannot be read as it. */
export function documentOf(record: FieldRecord, fields: FieldOptions, otherName: string, where: string): Document {
  const { textField = 'text', labelField, dateField, idField } = fields;
  const own = (field: string) => (Object.hasOwn(record, field) ? record[field] : undefined);
  const text = own(textField);
  if (typeof text !== 'string')
    throw new InputError(`${where}: the field ${quoted(textField)} must be a text, not ${describe(text)}.`, { option: 'textField' });
  const candidates = idField === undefined ? ['name', 'title', 'id'].filter((field) => field !== textField) : [idField];
  const name = candidates.map(own).find((value) => isNumber(value) || (typeof value === 'string' && value !== ''));
  return {
    name: String(name ?? otherName),
    text,
    ...textIn('label', labelField, own, where),
    ...textIn('date', dateField, own, where),
  };
}

const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'bigint';

/** The field as text, if it was asked for and has a value. */
function textIn(
  name: 'label' | 'date',
  field: string | undefined,
  own: (field: string) => unknown,
  where: string,
): Partial<Record<'label' | 'date', string>> {
  const value = field === undefined ? undefined : own(field);
  if (value === undefined || value === null || value === '' || Number.isNaN(value)) return {};
  if (value instanceof Date) return { [name]: value.toISOString() };
  if (!isNumber(value) && typeof value !== 'string' && typeof value !== 'boolean')
    throw new InputError(`${where}: the field ${quoted(field!)} must be a text or a number, not ${describe(value)}.`, {
      option: `${name}Field`,
    });
  return { [name]: String(value) };
}
