/** Documents of JSON lines, tables, lines, and bytes in several encodings. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { type FieldOptions, parseDocumentTable, parseJsonLines, parseTextLines } from '../../src/text/documents.js';
import { decodeDocument } from '../../src/text/encoding.js';
import { tableRecords } from '../../src/text/records.js';
import { tokenize } from '../../src/text/tokens.js';

describe('JSON lines', () => {
  const lines = [
    { id: 7, body: 'one', kind: 'a', when: 1990, title: '' },
    { id: 8, body: 'two', kind: null, when: '1991' },
    { body: '', kind: true },
  ]
    .map((record) => JSON.stringify(record))
    .join('\n\n');

  test('fields of text, label, date and name', () => {
    expect(parseJsonLines(lines, 'f', { textField: 'body', labelField: 'kind', dateField: 'when' })).toEqual([
      { name: '7', text: 'one', label: 'a', date: '1990' },
      { name: '8', text: 'two', date: '1991' },
      { name: 'line 5', text: '', label: 'true' },
    ]);
    expect(parseJsonLines(lines, 'f', { textField: 'body', idField: 'when' }).map(({ name }) => name)).toEqual(['1990', '1991', 'line 5']);
  });

  test.each<[string, FieldOptions, string]>([
    [
      '{"texts": "a", "n": 1}',
      {},
      'f: line 1 must be an object with a string "text". Did you mean "texts"? It has "texts" and "n": choose one',
    ],
    ['{"text": 1}', {}, 'f: line 1 must be an object with a string "text".'],
    ['{"text": "a"}\n[1]', {}, 'f: line 2 must be an object with a string "text".'],
    ['{"text": "a"}\n{"text', {}, 'f: line 2 is not valid JSON'],
    ['{"text": "a", "lable": 1}', { labelField: 'label' }, 'f has no field "label". Did you mean "lable"? It has "text" and "lable"'],
    ['{"text": "a", "label": [1]}', { labelField: 'label' }, 'f: line 1: the field "label" must be a text or a number, not [1].'],
    ['{"text": "a"}', { textField: '__proto__' }, 'must be an object with a string "__proto__"'],
    ['\n \n', {}, "The file 'f' has only blank lines"],
  ])('%s is refused', (text, fields, message) => {
    expect(() => parseJsonLines(text, 'f', fields)).toThrow(InputError);
    expect(() => parseJsonLines(text, 'f', fields)).toThrow(message);
  });
});

describe('tables', () => {
  test('quoted cells with line breaks, delimiters and quotes; markup stays as it is', () => {
    const text = '\ufeffid;text;class\r\n1;"a ""b"";\r\nc";x\r\n\r\n2;<script>alert(1)</script> 5" disk;\r\n';
    expect(parseDocumentTable(text, 'f', { labelField: 'class' })).toEqual([
      { name: '1', text: 'a "b";\r\nc', label: 'x' },
      { name: '2', text: '<script>alert(1)</script> 5" disk' },
    ]);
  });

  test.each<[string, FieldOptions, string]>([
    ['id,abstract\n1,a', { textField: 'abstrct' }, 'f has no field "abstrct". Did you mean "abstract"? It has "id" and "abstract"'],
    ['id,body\n1,a', {}, 'f has no field "text". It has "id" and "body": choose one by the option textField.'],
    ['text,n\na,1\nb\nc,2', {}, 'f: the record in line 3 has 1 cells, but there are 2 columns'],
    ['text,n\n"a,1\nb,2', {}, 'f: line 2: a quote starts a cell and is not closed'],
    ['text,n\n"a"b,1', {}, 'f: line 2: a quote is closed inside a cell'],
    ['text,text\na,b', {}, 'f: two columns are called "text"'],
    ['text', {}, 'f has names of columns but no document'],
    ['\n\n', {}, "The file 'f' has only blank lines"],
  ])('%j is refused', (text, fields, message) => {
    expect(() => parseDocumentTable(text, 'f', fields)).toThrow(InputError);
    expect(() => parseDocumentTable(text, 'f', fields)).toThrow(message);
  });

  test('whatever was written is read, with lines counted', () => {
    const cell = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom('a\nb', '"', ',', '\r\n', ' "x" ', '', '\t;'));
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((cols) => fc.array(fc.array(cell, { minLength: cols, maxLength: cols }), { minLength: 1, maxLength: 5 }));
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';', '\t'), fc.constantFrom('\n', '\r\n', '\r'), (rows, delimiter, newline) => {
        const header = rows[0].map((_, i) => `c${i}`);
        const quoted = (row: string[]) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(delimiter);
        const text = [header.join(delimiter), ...rows.map(quoted)].join(newline);
        const records = [...tableRecords(text, 'f')];
        expect(records.map(({ cells }) => cells)).toEqual([header, ...rows]);
        if (newline === '\r') return; // lines are told by \n
        const before = (k: number) => text.indexOf(quoted(rows[k]));
        records.slice(1).forEach(({ line }, k) => {
          if (rows.findIndex((row) => quoted(row) === quoted(rows[k])) === k && before(k) >= 0)
            expect(line).toBeLessThanOrEqual(text.split('\n').length);
        });
      }),
      { numRuns: 300 },
    );
  });

  test('any text gives records or an InputError, and no character outside of quotes is lost', () => {
    const pieces = fc.array(
      fc.oneof(fc.constantFrom('"', '""', ',', ';', '\t', '\n', '\r\n', '\r', ' ', 'ab', '\0'), fc.string({ maxLength: 3 })),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        let records: { cells: string[] }[];
        try {
          records = [...tableRecords(text, 'f')];
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          return;
        }
        const letters = (one: string) => one.replace(/[^\p{L}\p{N}]/gu, '');
        expect(letters(records.map(({ cells }) => cells.join('')).join(''))).toBe(letters(text));
      }),
      { numRuns: 500 },
    );
  });

  test('long cells, and many quotes, take one pass', () => {
    const long = 2_000_000;
    expect([...tableRecords(`text\n"${'a""'.repeat(long)}"`, 'f')][1].cells[0]).toHaveLength(2 * long);
    expect([...tableRecords(`a,b\n${'x,\n'.repeat(long / 10)}`, 'f')]).toHaveLength(long / 10 + 1);
    expect(() => [...tableRecords(`${'"a\n'.repeat(long / 10)}`, 'f')]).toThrow(InputError);
  });
});

test('lines of text, any line ends', () => {
  expect(parseTextLines('one\r\n\r\ntwo <b>\n three\r', 'f')).toEqual([
    { name: 'line 1', text: 'one' },
    { name: 'line 3', text: 'two <b>' },
    { name: 'line 4', text: ' three' },
  ]);
  expect(() => parseTextLines(' \n', 'Standard input')).toThrow('Standard input has no line with a text');
});

describe('encodings', () => {
  const bytes = (...units: number[]) => Uint8Array.from(units);
  const utf16 = (text: string, little: boolean) =>
    Uint8Array.from(
      [...text].flatMap((c) => (little ? [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8] : [c.charCodeAt(0) >> 8, c.charCodeAt(0) & 255])),
    );

  test('UTF-8 and UTF-16 are told by their bytes', () => {
    expect(decodeDocument(new TextEncoder().encode('\ufeffcafé 東京'), 'f')).toEqual({ text: 'café 東京', encoding: 'utf-8' });
    for (const little of [true, false]) {
      const encoding = little ? 'utf-16le' : 'utf-16be';
      expect(decodeDocument(utf16('\ufeff東京', little), 'f')).toEqual({ text: '東京', encoding });
      expect(decodeDocument(utf16('Notepad wrote it', little), 'f')).toEqual({ text: 'Notepad wrote it', encoding });
    }
    expect(decodeDocument(bytes(), 'f').text).toBe('');
  });

  test('others are told by the option, and an error says where and what to try', () => {
    const latin = bytes(0x61, 0x0a, 0x63, 0x61, 0x66, 0xe9, 0x20, 0x61); // a, line break, café a
    expect(decodeDocument(latin, 'f', 'windows-1252').text).toBe('a\ncafé a');
    expect(decodeDocument(Uint8Array.of(0x80, 0x20, 0x96), 'f', 'windows-1252').text).toBe('€ –');
    expect(() => decodeDocument(latin, 'f')).toThrow(/^f is not UTF-8 text: line 2 has the byte 0xe9\. It could be .*windows-1252/);
    const shiftJis = bytes(0x93, 0x8c, 0x8b, 0x9e); // 東京
    expect(decodeDocument(shiftJis, 'f', 'shift_jis').text).toBe('東京');
    expect(() => decodeDocument(shiftJis, 'f')).toThrow(/line 1 has the byte 0x93\. It could be shift_jis/);
    expect(() => decodeDocument(shiftJis, 'f', 'utf-8')).toThrow('f is not text in UTF-8; tell another by the option encoding.');
    expect(() => decodeDocument(shiftJis, 'f', 'klingon')).toThrow('There is no encoding "klingon"');
    expect(() => decodeDocument(bytes(0x50, 0x4b, 3, 4, 0, 0, 1, 0), 'f.zip')).toThrow(InputError);
  });

  test('any bytes give a text or an InputError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (content) => {
        try {
          decodeDocument(content, 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).not.toContain('undefined');
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('words', () => {
  test('of any text and options are words of it, each kept, in time by its length', () => {
    const language = fc.constantFrom('en', 'de', 'fr', 'ja', 'zh', 'th', 'tr');
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom('a', 'B', "'", '’', '東', 'ア', 'ก', '1', ' ', '-', '<', 'é', '𠮷'), maxLength: 60 }),
    );
    fc.assert(
      fc.property(
        text,
        language,
        fc.constantFrom('topics' as const, 'sklearn' as const),
        fc.integer({ min: 1, max: 3 }),
        (text, language, preset, minLength) => {
          const [words] = tokenize([{ name: 'd', text }], { language, preset, minLength, stopWords: [] });
          let rest = (preset === 'topics' ? text.normalize('NFKC').toLocaleLowerCase(language) : text.toLowerCase()).replaceAll('’', "'");
          for (const word of words) {
            const at = rest.indexOf(word);
            expect(at, `${JSON.stringify(word)} in order in ${JSON.stringify(text)}`).toBeGreaterThanOrEqual(0);
            rest = rest.slice(at + word.length);
            expect([...word].length).toBeGreaterThanOrEqual(minLength);
          }
          // Nothing is lost: of one character, with no stop words and no clitics cut, all letters come.
          if (minLength === 1 && preset === 'topics' && !/['’]/.test(text)) {
            const letters = text.normalize('NFKC').toLocaleLowerCase(language).match(/\p{L}/gu) ?? [];
            expect(words.join('').match(/\p{L}/gu) ?? []).toEqual(letters);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
