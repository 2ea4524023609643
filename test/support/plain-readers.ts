/**
 * The formats read once more, by other means than src/: character by character, or by JSON. They are written for small files, to judge
 * the readers by. Undefined stands for a file that is not valid.
 */
export interface Table {
  rows: number;
  cols: number;
  data: number[];
}

function textOf(content: Uint8Array): string | undefined {
  const text = Buffer.from(content).toString('utf8');
  // Bytes that are no UTF-8 became U+FFFD, which is written back as other bytes.
  return Buffer.from(text).equals(Buffer.from(content)) ? text.replace(/^\ufeff/, '') : undefined;
}

/** A decimal number of f32, by its characters. */
function numberOf(text: string): number | undefined {
  let at = 0;
  const digits = () => {
    const from = at;
    while (text[at] >= '0' && text[at] <= '9') at++;
    return at - from;
  };
  if (text[at] === '+' || text[at] === '-') at++;
  let count = digits();
  if (text[at] === '.') {
    at++;
    count += digits();
  }
  if (count === 0) return undefined;
  if (text[at] === 'e' || text[at] === 'E') {
    at++;
    if (text[at] === '+' || text[at] === '-') at++;
    if (digits() === 0) return undefined;
  }
  const value = at === text.length ? Math.fround(Number.parseFloat(text)) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

const isLetter = (character: string) => character.toLowerCase() !== character.toUpperCase() || /\p{L}/u.test(character);
const isMissing = (cell: string) =>
  ['nan', 'inf', 'infinity', 'na', 'n/a', 'null'].includes(cell.toLowerCase().replace(/^[+-](?=nan|inf)/, ''));

/** As RFC 4180 has it, with the delimiter of the first line, blanks around cells, and a header of names. */
export function readCsv(content: Uint8Array): Table | undefined {
  const text = textOf(content)?.replace(/^\ufeff/, '');
  if (text === undefined) return undefined;
  const newline = text.includes('\n') ? '\n' : '\r';
  const records = cellsOf(text, delimiterOf(text), newline)
    ?.map((cells) => cells.map((cell) => cell.trim()))
    .filter((cells) => cells.length > 1 || cells[0] !== '');
  if (!records || records.length === 0) return undefined;
  const [first] = records;
  const named = first.some((cell) => [...cell].some(isLetter) && !isMissing(cell)) && first.every((cell) => numberOf(cell) === undefined);
  const rows = named ? records.slice(1) : records;
  const numbers = rows.map((cells) => cells.map(numberOf));
  if (rows.length === 0 || records.some((cells) => cells.length !== first.length)) return undefined;
  const data = numbers.flat();
  return data.every((x) => x !== undefined) ? { rows: rows.length, cols: first.length, data } : undefined;
}

function delimiterOf(text: string): string {
  const line = text.split(/[\r\n]/).find((one) => one.trim() !== '') ?? '';
  let quoted = false;
  const outside = [...line].filter((character) => {
    if (character === '"') quoted = !quoted;
    return !quoted && character !== '"';
  });
  // A quote that is not closed on its line encloses nothing.
  const all = quoted ? line.slice(0, line.lastIndexOf('"')).replace(/"[^"]*"/g, '') + line.slice(line.lastIndexOf('"')) : outside.join('');
  return all.includes('\t') ? '\t' : all.includes(';') ? ';' : ',';
}

/** The cells of every record, character by character. */
function cellsOf(text: string, delimiter: string, newline: string): string[][] | undefined {
  const records: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const cells: string[] = [];
    for (;;) {
      let cell = '';
      if (text[at] === '"') {
        for (at++; ; at++) {
          if (at >= text.length) return undefined;
          if (text[at] !== '"') cell += text[at];
          else if (text[at + 1] === '"') cell += text[at++];
          else break;
        }
        at++;
        // Blanks may stand before the end of the record.
        let after = at;
        while (text[after] === ' ' || text[after] === '\r') {
          if (text[after] === newline) break;
          after++;
        }
        if (after === text.length || text[after] === newline) at = after;
        else if (text[at] !== delimiter) return undefined;
      } else {
        while (at < text.length && text[at] !== delimiter && text[at] !== newline) {
          if (text[at] === '"') return undefined;
          cell += text[at++];
        }
      }
      cells.push(cell);
      if (text[at] !== delimiter) break;
      at++;
    }
    records.push(cells);
    at++;
  }
  return records;
}

/** The header as JSON, the entries by Buffer. */
export function readNpy(content: Uint8Array): Table | undefined {
  const file = Buffer.from(content);
  const version = file[6];
  if (file.subarray(1, 6).toString('latin1') !== 'NUMPY' || file[0] !== 0x93 || ![1, 2, 3].includes(version)) return undefined;
  const at = version === 1 ? 10 : 12;
  if (file.length < at) return undefined;
  const start = at + (version === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8));
  if (start > file.length) return undefined;
  const json = file
    .subarray(at, start)
    .toString('utf8')
    .replaceAll("'", '"')
    .replaceAll('True', 'true')
    .replaceAll('False', 'false')
    .replaceAll('(', '[')
    .replaceAll(')', ']')
    .replace(/(\d)L/g, '$1')
    .replace(/,(\s*[\]}])/g, '$1');
  let header: { descr?: unknown; fortran_order?: unknown; shape?: unknown };
  try {
    header = JSON.parse(json);
  } catch {
    return undefined;
  }
  const { descr, fortran_order: fortran, shape } = header;
  if (typeof descr !== 'string' || typeof fortran !== 'boolean' || !Array.isArray(shape) || Object.keys(header).length !== 3)
    return undefined;
  const [rows, cols = 1] = shape as number[];
  const size = Number(descr[2]);
  if (shape.length < 1 || shape.length > 2 || !(rows * cols >= 1) || file.length - start !== rows * cols * size) return undefined;
  const entry = (e: number): number => {
    const place = start + e * size;
    const part = Buffer.from(file.subarray(place, place + size));
    if (descr[0] !== '>') part.reverse();
    // Big-endian from here on.
    if (descr.slice(1) === 'f2') return half(part.readUInt16BE());
    if (descr.slice(1) === 'f4') return part.readFloatBE();
    if (descr.slice(1) === 'f8') return part.readDoubleBE();
    if (descr.slice(1) === 'b1') return part[0] === 0 ? 0 : 1;
    const bits = BigInt(`0x${part.toString('hex')}`);
    return Number(descr[1] === 'i' ? BigInt.asIntN(8 * size, bits) : bits);
  };
  const data: number[] = [];
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) data.push(Math.fround(entry(fortran ? j * rows + i : i * cols + j)));
  return { rows, cols, data };
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const size =
    exponent === 0
      ? (bits & 1023) / 1024 / 2 ** 14
      : exponent === 31
        ? bits & 1023
          ? Number.NaN
          : Infinity
        : (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15);
  return bits >> 15 ? -size : size;
}

export type Entries = { rows: number; cols: number; entries: number[][] };

export function readMtx(content: Uint8Array): Table | Entries | undefined {
  const text = textOf(content);
  if (text === undefined) return undefined;
  const [first, ...rest] = text.split('\n');
  const [banner, object, format, field, symmetry] = first.trim().toLowerCase().split(/\s+/);
  const symmetric = symmetry === 'symmetric';
  if (banner !== '%%matrixmarket' || object !== 'matrix' || !(symmetric || symmetry === 'general')) return undefined;
  const lines = rest.map((line) => line.trim()).filter((line) => line !== '' && line[0] !== '%');
  const [sizes, ...cells] = lines.map((line) => line.split(/\s+/));
  const [rows, cols, count] = (sizes ?? []).map(Number);
  if (format === 'array') {
    const data = new Array<number>(rows * cols).fill(0);
    let at = 0;
    for (let j = 0; j < cols; j++) {
      for (let i = symmetric ? j : 0; i < rows; i++) {
        const value = numberOf(cells[at]?.[0] ?? '');
        if (value === undefined || cells[at++].length !== 1) return undefined;
        data[i * cols + j] = value;
        if (symmetric) data[j * cols + i] = value;
      }
    }
    return at === cells.length ? { rows, cols, data } : undefined;
  }
  if (cells.length !== count) return undefined;
  const entries: number[][] = [];
  for (const [i, j, x] of cells) {
    const value = field === 'pattern' ? 1 : numberOf(x ?? '');
    if (value === undefined) return undefined;
    entries.push([Number(i) - 1, Number(j) - 1, value]);
    if (symmetric && i !== j) entries.push([Number(j) - 1, Number(i) - 1, value]);
  }
  return { rows, cols, entries: entries.sort(([i, j], [k, l]) => i - k || j - l) };
}

export function readLabelLines(content: Uint8Array, samples: number, none: readonly string[]): (string | undefined)[] | undefined {
  const text = textOf(content);
  if (text === undefined) return undefined;
  const lines = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === samples + 1) lines.shift();
  return lines.map((line) => {
    const label = line.trim();
    const bare = label.startsWith('"') ? label.slice(1, -1).split('""').join('"').trim() : label;
    return bare === '' || none.includes(bare) ? undefined : bare;
  });
}

export function readJsonLines(content: Uint8Array): { name: string; text: string }[] | undefined {
  const lines = textOf(content)?.split('\n') ?? [];
  const documents: { name: string; text: string }[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (lines[at].trim() === '') continue;
    const { name, title, id, text } = JSON.parse(lines[at]);
    for (const one of [name, title, id, `line ${at + 1}`]) {
      if (one === '' || !['string', 'number'].includes(typeof one)) continue;
      documents.push({ name: `${one}`, text });
      break;
    }
  }
  return documents;
}
