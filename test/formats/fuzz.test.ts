/**
 * Mutated files for every reader. What it returns must be what an independent reading of the same bytes gives; else it refuses by name.
 * And no reader may allocate more than the file backs. `npm run fuzz` runs 10,000 for each.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { labelTexts } from '../../src/data/labels.js';
import type { Matrix } from '../../src/data/matrix.js';
import { isSparse, type toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { csv } from '../../src/formats/csv.js';
import { decodeText, type FileContent } from '../../src/formats/file-format.js';
import { parseLabels } from '../../src/formats/labels.js';
import { mtx } from '../../src/formats/mtx.js';
import { npy } from '../../src/formats/npy.js';
import { parseJsonLines } from '../../src/text/documents.js';
import { bytesAllocated } from '../support/allocations.js';
import { type Mutation, mutated, mutations } from '../support/mutations.js';
import { readJsonLines, readLabelLines, readMtx, readNpy, readTable, type Table } from '../support/plain-readers.js';

const fuzzing = (import.meta as { env?: { MODE?: string } }).env?.MODE === 'fuzz';
const numRuns = fuzzing ? 10_000 : 400;
const report: string[] = [];
afterAll(() => {
  if (fuzzing) console.log(report.join('\n'));
});

const text = (content: string) => new TextEncoder().encode(content);
const bytes = (...parts: (string | readonly number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : [...part])));

const f32 = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -9, max: 99 }), fc.constant(0));
const table: fc.Arbitrary<Table> = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, cols]) =>
    fc.array(f32, { minLength: rows * cols, maxLength: rows * cols }).map((data) => ({ rows, cols, data: data.map(Math.fround) })),
  );
const rowsOf = ({ rows, cols, data }: Table) => Array.from({ length: rows }, (_, i) => data.slice(i * cols, (i + 1) * cols));

interface Target {
  /** Files that are valid. */
  files: fc.Arbitrary<Uint8Array>;
  /** Pieces that mutations put into them. */
  pieces: readonly string[];
  read(content: Uint8Array): unknown;
  /** The same by simple means; undefined where the file is none. */
  plainly(content: Uint8Array, result: unknown): unknown;
}

const dense = (read: (content: Uint8Array) => { X: Parameters<typeof toDense>[0] }) => (content: Uint8Array) => {
  const { X } = read(content);
  // Of a sparse matrix the entries: a dense one may be far larger than the file.
  if (isSparse(X)) {
    const entries = Array.from(X.values, (x, e) => [X.rowStarts.findLastIndex((start) => start <= e), X.columns[e], x]);
    return { rows: X.rows, cols: X.cols, entries };
  }
  return { rows: X.rows, cols: X.cols, data: [...X.data] };
};

const numbersAndBlanks = [
  '',
  '9'.repeat(400),
  '1e39',
  '-1e-50',
  '0x10',
  'NaN',
  'inf',
  '.',
  '1.',
  '-',
  '+',
  'e5',
  '1e',
  ' ',
  '\t',
  '\n',
  '\r',
  '\r\n',
];

const targets: Record<string, Target> = {
  CSV: {
    files: fc
      .tuple(table, fc.constantFrom(',', ';', '\t', '|'), fc.constantFrom('\n', '\r\n', '\r'), fc.boolean(), fc.boolean(), fc.boolean())
      .map(([X, delimiter, newline, header, quotes, named]) => {
        const quote = (cell: string) => (quotes ? `"${cell}"` : cell);
        const names = Array.from({ length: X.cols }, (_, j) => quote(`name ${'abcdef'[j]}`));
        const rows = rowsOf(X).map((row, i) =>
          [...(named ? [`row ${'abcdef'[i]}`] : []), ...row.map((x) => quote(String(x)))].join(delimiter),
        );
        return text([...(header ? [[...(named ? ['id'] : []), ...names].join(delimiter)] : []), ...rows].join(newline));
      }),
    pieces: [
      ...numbersAndBlanks,
      ',',
      ';',
      '|',
      '1.5D+03',
      '"',
      '""',
      '"\n"',
      'a',
      '\ufeff',
      '\0',
      '1,5',
      ',,',
      '#',
      '# a\n',
      'NA',
      '"1"',
      'é',
      '1,234.5',
    ],
    read(content) {
      const { X, rowNames, columnNames, missing, notes } = csv.read(content, 'f.csv') as FileContent & { X: Matrix };
      return { rows: X.rows, cols: X.cols, data: [...X.data], rowNames, columnNames, missing: missing && [...missing], says: notes?.[0] };
    },
    plainly: (content, result) => readTable(content, result as { rows: number; cols: number; says: string }),
  },
  npy: {
    files: fc
      .tuple(
        table,
        fc.constantFrom('<f4', '>f8', '<f2', '|i1', '|u1', '<i2', '>u2', '<i4', '<u4', '<i8', '>u8', '|b1'),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
      )
      .map(([X, dtype, fortran, version]) => {
        const size = Number(dtype[2]);
        const header = `{'descr': '${dtype}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${X.rows}, ${X.cols}), }\n`;
        const entries = X.data.flatMap((x, at) => Array.from({ length: size }, (_, b) => (Math.abs(x) * 37 + at * 11 + b * 5) & 0x3f));
        return bytes([0x93], 'NUMPY', [version, 0, header.length & 255, 0], version > 1 ? [0, 0] : [], header, entries);
      }),
    pieces: [
      "'",
      '(',
      ')',
      ',',
      '0',
      '1',
      '9'.repeat(20),
      'L',
      ' ',
      "'descr': '<f4', ",
      "'shape': (1, 1), ",
      'True',
      '<f8',
      '|O',
      '>',
      '{',
      '}',
      '\0',
      '\x93NUMPY',
    ],
    read: dense((content) => npy.read(content, 'f.npy')),
    plainly: (content) => readNpy(content),
  },
  'Matrix Market': {
    files: fc
      .tuple(
        table,
        fc.constantFrom('coordinate', 'array'),
        fc.constantFrom('real', 'integer', 'unsigned-integer', 'pattern', 'double'),
        fc.boolean(),
      )
      .map(([X, format, kind, symmetric]) => {
        const field = format === 'array' && kind === 'pattern' ? 'real' : kind;
        const size = symmetric ? Math.min(X.rows, X.cols) : X.rows;
        const cols = symmetric ? size : X.cols;
        const head = `%%MatrixMarket matrix ${format} ${field} ${symmetric ? 'symmetric' : 'general'}\n% a comment\n`;
        const places = Array.from({ length: size * cols }, (_, at) => [at % size, Math.floor(at / size)]).filter(
          ([i, j]) => !symmetric || i >= j,
        );
        const value = (i: number, j: number) => String(X.data[i * X.cols + j]);
        if (format === 'array') return text(`${head}${size} ${cols}\n${places.map(([i, j]) => value(i, j)).join('\n')}\n`);
        const kept = places.filter(([i, j]) => X.data[i * X.cols + j] !== 0);
        const lines = kept.map(([i, j]) => `${i + 1} ${j + 1}${field === 'pattern' ? '' : ` ${value(i, j)}`}`);
        return text(`${head}${size} ${cols} ${kept.length}\n${lines.join('\n')}\n`);
      }),
    pieces: [
      ...numbersAndBlanks,
      '%',
      '0',
      '1',
      '268435456',
      '1048576',
      '99999999999999999999',
      'symmetric',
      'general',
      'array',
      'coordinate',
      'complex',
      '1 1 1\n',
    ],
    read: dense((content) => mtx.read(content, 'f.mtx')),
    plainly: (content) => readMtx(content),
  },
  labels: {
    files: fc
      .array(fc.constantFrom('cat', 'dog', '"a, b"', '"say ""no"""', '', 'NA', '-1', '1', ' x '), { minLength: 4, maxLength: 4 })
      .map((labels) => text(labels.map((label) => `${label}\n`).join(''))),
    pieces: ['"', '""', ',', ';', '\t', '\n', '\r', 'label\n', 'NA', 'nan', '-1', '\0', '\u202e', ' '],
    read: (content) => labelTexts(parseLabels(decodeText(content, 'f.txt'), 4, 'f.txt'), { unlabelled: ['NA'] }),
    plainly: (content) => readLabelLines(content, 4, ['NA']),
  },
  'JSON lines': {
    files: fc
      .array(fc.record({ text: fc.string(), name: fc.oneof(fc.string(), fc.integer(), fc.constant(null)) }, { requiredKeys: ['text'] }), {
        minLength: 1,
        maxLength: 5,
      })
      .map((records) => text(records.map((record) => `${JSON.stringify(record)}\n`).join(''))),
    pieces: ['{', '}', '"', '\\', '[', ']', ':', ',', 'null', '"text":', '"name":', '{"text":"x"}', '\n', '\r', '\0', '[['.repeat(500)],
    read: (content) => parseJsonLines(decodeText(content, 'f.jsonl'), 'f.jsonl'),
    plainly: (content) => readJsonLines(content),
  },
};

/** Memory that a reader may take beside that in proportion to the file: rows and columns of a sparse matrix that have no entry. */
const freeBytes = 2 ** 26;

describe.each(Object.entries(targets))('%s', (name, { files, pieces, read, plainly }) => {
  test('valid files are read, as they stand', () => {
    fc.assert(
      fc.property(files, (content) => {
        const result = read(content);
        const expected = plainly(content, result);
        expect(expected).toBeDefined();
        expect(result).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test('mutated files are read as they stand, or refused by name', () => {
    let [taken, refused, slowest, largest] = [0, 0, 0, 0];
    fc.assert(
      fc.property(files, mutations(pieces), (content: Uint8Array, changes: readonly Mutation[]) => {
        const file = mutated(content, changes);
        const started = performance.now();
        let result: unknown;
        const allocated = bytesAllocated(() => {
          try {
            result = read(file);
          } catch (error) {
            result = error;
          }
        });
        slowest = Math.max(slowest, performance.now() - started);
        largest = Math.max(largest, allocated);
        expect(allocated).toBeLessThan(freeBytes + 1000 * file.length);
        if (result instanceof Error) {
          expect(result).toBeInstanceOf(InputError);
          expect(result.message.length).toBeLessThan(1000);
          refused++;
        } else {
          expect(result).toEqual(plainly(file, result));
          taken++;
        }
      }),
      { numRuns },
    );
    report.push(
      `${name}: ${numRuns} files, ${taken} read, ${refused} refused, at most ${slowest.toFixed(0)} ms and ${(largest / 2 ** 20).toFixed(1)} MiB of arrays`,
    );
  });
});
