/** Matrices as JSON: lists of rows, with names around them if there are any. */
import { type Matrix, matrix } from '../data/matrix.js';
import { describe } from '../data/words.js';
import { InputError } from '../errors.js';
import { decodeText, type FileContent, type FileFormat, type MatrixNames } from './file-format.js';

export const json = {
  name: 'JSON',
  summary: 'a list of rows, or { "rows": names, "columns": names, "data": rows }',
  extensions: ['.json'],
  read: (bytes, source) => contentOf(decodeText(bytes, source), source),
  write: encodeJson,
} satisfies FileFormat;

/** As text: a line a row, -0 with its sign, and null for what is no finite number. */
export function encodeJson({ rows, cols, data }: Matrix, { rowNames, columnNames }: MatrixNames = {}): string {
  const number = (x: number) => (Object.is(x, -0) ? '-0' : Number.isFinite(x) ? String(x) : 'null');
  const lines = Array.from({ length: rows }, (_, i) => `[${Array.from(data.subarray(i * cols, (i + 1) * cols), number).join(',')}]`);
  const list = `[\n${lines.join(',\n')}\n]`;
  const names = Object.entries({ rows: rowNames, columns: columnNames }).filter(([, of]) => of);
  if (names.length === 0) return `${list}\n`;
  return `{\n${names.map(([side, of]) => `"${side}": ${JSON.stringify(of)},\n`).join('')}"data": ${list}\n}\n`;
}

/** null is a missing value. Throws InputError for what is no list of rows of one length, and for entries that are no numbers of f32. */
function contentOf(text: string, source: string): FileContent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${source} is not JSON: ${(error as Error).message.slice(0, 200)}.`, { cause: error });
  }
  const given = (Array.isArray(value) ? { data: value } : (value ?? {})) as { rows?: unknown; columns?: unknown; data?: unknown };
  const { data } = given;
  if (!Array.isArray(data) || data.length === 0 || !data.every(Array.isArray) || data[0].length === 0)
    throw new InputError(
      `${source} has ${describe(data)} where a matrix should be: a list of rows, each a list of numbers, under "data" or alone.`,
    );
  const [rows, cols] = [data.length, data[0].length as number];
  const uneven = data.findIndex((row) => row.length !== cols);
  if (uneven >= 0)
    throw new InputError(`${source}: row ${uneven} (counted from 0) has ${data[uneven].length} numbers, but row 0 has ${cols}.`, {
      row: uneven,
    });
  const X = matrix(rows, cols);
  let missing: Uint8Array | undefined;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      const entry: unknown = data[i][j];
      const at = i * cols + j;
      if (entry === null) {
        missing ??= new Uint8Array(rows * cols);
        missing[at] = 1;
      } else {
        X.data[at] = typeof entry === 'number' ? entry : Number.NaN;
        if (!Number.isFinite(X.data[at]))
          throw new InputError(`${source} has ${describe(entry)} in row ${i}, column ${j} (counted from 0), which is no number of f32.`, {
            row: i,
            column: j,
          });
      }
    }
  const namesOf = (side: 'rows' | 'columns', count: number) => {
    const names = given[side];
    if (names === undefined) return undefined;
    if (Array.isArray(names) && names.length === count && names.every((name) => typeof name === 'string')) return names as string[];
    throw new InputError(`${source} has ${describe(names)} as names of ${side}, but needs a list of ${count} texts.`);
  };
  const [rowNames, columnNames] = [namesOf('rows', rows), namesOf('columns', cols)];
  return { X, ...(rowNames && { rowNames }), ...(columnNames && { columnNames }), ...(missing && { missing }) };
}
