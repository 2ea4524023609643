import { mkdirSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { isCorpusOnly, readCorpus } from '../../src/node/corpus.js';
import { workFolder } from '../support/cli.js';

const { at, put } = workFolder();

test('a folder: .txt and .md in order of name, and a word on what is neither', async () => {
  mkdirSync(at('papers/old'), { recursive: true });
  put('papers/b.txt', 'second');
  put('papers/a.md', '# first');
  put('papers/c.MD', 'third');
  put('papers/c.txt', '');
  put('papers/d.pdf', '%PDF');
  put('papers/.hidden', '');
  expect(await readCorpus(at('papers'))).toEqual({
    name: 'papers',
    documents: [
      { name: 'a', text: '# first' },
      { name: 'b', text: 'second' },
      { name: 'c.MD', text: 'third' },
      { name: 'c.txt', text: '' },
    ],
    labelings: [],
    notes: [expect.stringMatching(/^2 entries that are no \.txt or \.md file were left out: "(d\.pdf|old)", …\.$/)],
  });
});

const records = [
  { id: 'x', body: 'one', kind: 'a' },
  { id: 'y', body: 'two', kind: 'NA' },
  { id: 'z', body: 'three, "3"', kind: '' },
  { id: 'w', body: 'four', kind: 'b' },
];
const fields = { textField: 'body', labelField: 'kind' };
const expected = {
  documents: [
    { name: 'x', text: 'one', label: 'a' },
    { name: 'y', text: 'two' },
    { name: 'z', text: 'three, "3"' },
    { name: 'w', text: 'four', label: 'b' },
  ],
  labelings: [{ name: 'kind', labels: ['a', undefined, undefined, 'b'] }],
};

test('the same records as .jsonl, .csv, .tsv and .parquet; labels of nothing are none', async () => {
  const column = (name: keyof (typeof records)[0]) => ({ name, data: records.map((record) => record[name]), type: 'STRING' as const });
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const table = (delimiter: string) =>
    ['id', 'body', 'kind'].join(delimiter) + records.map((r) => `\n${[r.id, cell(r.body), r.kind].join(delimiter)}`).join('');
  const files = [
    put('r.jsonl', records.map((record) => JSON.stringify(record)).join('\n')),
    put('r.csv', table(',')),
    put('r.tsv', table('\t')),
    put('r.parquet', new Uint8Array(parquetWriteBuffer({ columnData: [column('id'), column('body'), column('kind')] }))),
  ];
  for (const file of files) expect(await readCorpus(file, fields), file).toMatchObject(expected);
  expect(files.map(isCorpusOnly)).toHaveLength(4);
});

test('labels that mean none are told by missing', async () => {
  const file = put('m.csv', 'text,kind\none,1\ntwo,-1\nthree,x\n');
  await expect(readCorpus(file, { labelField: 'kind' })).rejects.toThrow('Say which by the option missing');
  const { labelings } = await readCorpus(file, { labelField: 'kind', missing: ['-1'] });
  expect(labelings[0].labels).toEqual(['1', undefined, 'x']);
});

test('a Parquet file without the field, and one that is none', async () => {
  const file = put('p.parquet', new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'bdy', data: ['a'], type: 'STRING' }] })));
  await expect(readCorpus(file, { textField: 'body' })).rejects.toThrow('has no field "body". Did you mean "bdy"?');
  await expect(readCorpus(put('q.parquet', 'PAR1 and no more'))).rejects.toThrow(/q\.parquet cannot be read as Parquet/);
  const numbers = put('n.parquet', new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'text', data: [1, 2], type: 'INT32' }] })));
  await expect(readCorpus(numbers)).rejects.toThrow('row 1: the field "text" must be a text, not 1.');
});

test('standard input: a document a line, or JSON lines', async () => {
  const read = (chunks: (string | Uint8Array)[], options = {}) =>
    readCorpus('-', {
      input: (async function* () {
        yield* chunks;
      })(),
      ...options,
    });
  const bytes = new TextEncoder().encode('für\nzwei');
  expect((await read([bytes.slice(0, 2), bytes.slice(2)])).documents).toEqual([
    { name: 'line 1', text: 'für' },
    { name: 'line 2', text: 'zwei' },
  ]);
  expect((await read(['{"body": "a", "id": 3}\n'], { textField: 'body' })).documents).toEqual([{ name: '3', text: 'a' }]);
  expect((await read(['{"text": "a"}'])).documents).toEqual([{ name: 'line 1', text: 'a' }]);
  expect((await read(['{a} set\nb'])).documents).toHaveLength(2);
  await expect(read(['\n'])).rejects.toThrow('Standard input has no line with a text');
  await expect(readCorpus('-')).rejects.toThrow("The source '-' needs the option input");
});

test('brown has its genres and the split of its categories', async () => {
  const { documents, labelings } = await readCorpus('brown');
  expect(documents).toHaveLength(500);
  const [genre, split] = labelings;
  expect(new Set(genre.labels).size).toBe(15);
  // The manual of the corpus: 374 texts of informative prose (A to J), 126 of imaginative prose (K to R).
  expect(split.labels.filter((label) => label === 'informative')).toHaveLength(374);
  expect(documents[0]).toMatchObject({ name: 'ca01 news', label: 'news' });
  await expect(readCorpus('brown', { textField: 'x' })).rejects.toThrow('leave out textField');
});

test('mail has its labels, and the words of its messages without headers and tags', async () => {
  const { documents, labelings } = await readCorpus('mail');
  // The readme of the SpamAssassin corpus: 500 + 1396 spam, 2500 + 1400 + 250 ham; the package has 6046 files.
  expect(labelings[0].labels.filter((label) => label === 'spam')).toHaveLength(1896);
  expect(labelings[0].labels.filter((label) => label === 'wanted')).toHaveLength(4150);
  expect(documents[0].name).toBe('easy-ham-1/00001');
  expect(documents[0].text).toMatch(/^Re: New Sequences Window\n/);
  expect(documents[0].text).not.toMatch(/Received:|Return-Path:/);
});
