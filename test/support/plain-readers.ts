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

const isNone = (cell: string) => ['', 'na', 'n/a', '<na>', '#na', '#n/a', 'null', 'nan', '+nan', '-nan'].includes(cell.toLowerCase());

/** What the reader says it saw in a table. */
interface Seen {
  rows: number;
  cols: number;
  says: string;
}

/**
 * A table, as the reader says that it is to be read: whether it has a header, names and decimal commas, and what stands between its cells. So the
 * choice is not judged, but every number, name and missing cell.
 */
export function readTable(content: Uint8Array, seen: Seen) {
  const { rows, cols, says } = seen;
  const encoding = /\bUTF-16[LB]E\b/.exec(says)?.[0] ?? (says.includes('Latin-1') ? 'windows-1252' : 'utf-8');
  const decoder = new TextDecoder(encoding);
  // In one call Node 20 takes windows-1252 for ISO 8859-1.
  const text = decoder.decode(content, { stream: true }) + decoder.decode();
  const named = says.includes('names in the first column');
  const newline = text.includes('\n') ? '\n' : '\r';
  const between = /cells between (\w+)/.exec(says)?.[1] ?? '';
  const delimiters = ({ semicolons: ';', blanks: ' ', pipes: '|' } as Record<string, string>)[between] ?? ',\t';
  for (const delimiter of delimiters) {
    const all = cellsOf(text, delimiter, newline);
    if (!all) continue;
    const headLine = Number(/header in line (\d+)/.exec(says)?.[1] ?? 0);
    const comments = all.some(({ comment }) => !comment);
    const begin = comments ? all.findIndex(({ comment }) => !comment) : 0;
    const kept = all.filter(({ comment }, at) => !comments || !comment || (named && at > begin));
    const head = all.find(({ line }) => line === headLine);
    const body = head && !(comments && head.comment) ? kept.slice(1) : kept;
    const width = cols + (named ? 1 : 0);
    // Behind a delimiter at the end of all lines there is nothing.
    const fits = body.every(({ cells }) => cells.length === width || (cells.length === width + 1 && cells[width] === ''));
    if (!fits || body.length !== rows) continue;
    const cells = body.flatMap(({ cells: row }) => row.slice(named ? 1 : 0, width));
    const none = cells.map((cell) => (isNone(cell) ? 1 : 0));
    const data = cells.map((cell) =>
      isNone(cell)
        ? 0
        : numberOf((says.includes('decimal commas') ? cell.replace(/^([^.]*),/, '$1.') : cell).replace(/(\d*\.\d*)[dD]/, '$1e')),
    );
    // It says neither comma nor tab: what does not give numbers between the one was read between the other.
    if (data.includes(undefined)) continue;
    const names = head?.cells.map((cell) => (head.comment && comments ? cell.replace(/^#+\s*/, '') : cell));
    if (names && head?.comment && comments && names[0] === '' && names.length > width) names.shift();
    const short = names !== undefined && named && names.length < width;
    return {
      rows,
      cols,
      says,
      data,
      missing: none.includes(1) ? none : undefined,
      rowNames: named ? body.map(({ cells: row }) => row[0]) : undefined,
      columnNames: names?.slice(named && !short ? 1 : 0).slice(0, cols),
    };
  }
  return undefined;
}

/** A record; `comment` if it starts with #. */
interface PlainRecord {
  cells: string[];
  line: number;
  comment: boolean;
}

/** The cells of every record, character by character. Blank lines are none. ' ' is any run of blanks and tabs. */
function cellsOf(text: string, delimiter: string, newline: string): PlainRecord[] | undefined {
  const records: PlainRecord[] = [];
  const blanks = delimiter === ' ';
  const isBlank = (c: string | undefined) => c === ' ' || (c === '\t' && delimiter !== '\t') || (c === '\r' && newline !== '\r');
  let line = 1;
  const split = (part: string): { cells: string[]; length: number } | undefined => {
    const cells: string[] = [];
    let at = 0;
    for (;;) {
      while (isBlank(part[at])) at++;
      if (blanks && cells.length > 0 && (at >= part.length || part[at] === newline)) return { cells, length: at };
      let cell = '';
      if (part[at] === '"') {
        for (at++; ; at++) {
          if (at >= part.length) return undefined;
          if (part[at] !== '"') cell += part[at];
          else if (part[at + 1] === '"') cell += part[at++];
          else break;
        }
        at++;
        if (!blanks) while (isBlank(part[at])) at++;
      } else {
        while (at < part.length && part[at] !== newline && (blanks ? !isBlank(part[at]) : part[at] !== delimiter)) {
          if (part[at] === '"') return undefined;
          cell += part[at++];
        }
      }
      cells.push(cell.trim());
      if (at >= part.length || part[at] === newline) return { cells, length: at };
      if (blanks ? !isBlank(part[at]) : part[at] !== delimiter) return undefined;
      at++;
    }
  };
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(newline, at) < 0 ? text.length : text.indexOf(newline, at);
    const first = [...text.slice(at, end)].find((c) => !isBlank(c));
    const comment = first === '#';
    // The quotes of a comment mean nothing if they make no cells.
    const part = comment ? text.slice(at, end) : text.slice(at);
    const record = first === undefined ? undefined : (split(part) ?? (comment ? { cells: [part.trim()], length: part.length } : undefined));
    if (first !== undefined && !record) return undefined;
    if (record) records.push({ cells: record.cells, line, comment });
    const next = at + (record ? record.length : end - at) + 1;
    line += [...text.slice(at, next)].filter((c) => c === newline).length;
    at = next;
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
