/** What the room of topics computes in its worker, against plain loops and the library. */
import { matrix, sparseFromDense, toDense } from 'orthant';
import { documentFields, parseDocuments, stopWordsOf, termDocumentMatrix } from 'orthant/text';
import { expect, test } from 'vitest';
import { codeOf, commandOf, type Shown } from '../../demo/rooms/topics/code.js';
import { columnSum, divide, merge, partOf } from '../../demo/work/topics/change.js';
import { checkSizes, type GivenFile, readPasted, readTexts, tableAmong } from '../../demo/work/topics/corpus.js';
import { levelErrors, topicProducts } from '../../demo/work/topics/levels.js';
import { wordsOf } from '../../demo/work/topics/words.js';
import { corpus } from './planted.js';

type Matrix = ReturnType<typeof matrix>;

/** Numbers from 0 to 1, the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

function random(rows: number, cols: number, next: () => number, zeros = 0): Matrix {
  return matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => (next() < zeros ? 0 : 0.1 + next())),
  );
}

function times(a: Matrix, b: Matrix): number[][] {
  return Array.from({ length: a.rows }, (_, i) =>
    Array.from({ length: b.cols }, (_, j) => {
      let sum = 0;
      for (let k = 0; k < a.cols; k++) sum += a.data[i * a.cols + k] * b.data[k * b.cols + j];
      return sum;
    }),
  );
}

const column = ({ rows, cols, data }: Matrix, j: number) => Array.from({ length: rows }, (_, i) => data[i * cols + j]);
const near = (a: readonly number[], b: readonly number[]) => {
  expect(a.length).toBe(b.length);
  // Sums of at most 11 products of f32 numbers, each rounded once.
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i])).toBeLessThanOrEqual(20 * 2 ** -24 * Math.max(1, Math.abs(b[i])));
  });
};

const next = numbers(7);
const X = sparseFromDense(random(23, 17, next, 0.6));
const A = [random(23, 7, next, 0.3), random(7, 5, next, 0.3), random(5, 2, next)];
const S = [random(7, 17, next), random(5, 17, next), random(2, 17, next)];

test('errors of the levels are those of dense products', () => {
  const dense = toDense(X);
  const norm = Math.sqrt(dense.data.reduce((sum, x) => sum + x * x, 0));
  const expected = topicProducts(A).map((Psi, l) => {
    const product = times(Psi, S[l]).flat();
    return Math.sqrt(product.reduce((sum, x, at) => sum + (dense.data[at] - x) ** 2, 0)) / norm;
  });
  // In f64; Ψ itself is rounded to f32.
  levelErrors(X, A, S).forEach((error, l) => {
    expect(Math.abs(error / expected[l] - 1)).toBeLessThan(1e-6);
  });
});

test('the parts of all topics of a level sum to the data', () => {
  const [, Psi] = topicProducts(A);
  const sums = new Float64Array(X.values.length);
  for (let topic = 0; topic < 5; topic++) for (const [at, value] of partOf(X, Psi, S[1], topic).values.entries()) sums[at] += value;
  near([...sums], [...X.values]);
});

/** Parts of the sum 1 that make up a topic exactly, with their shares. */
function partsOf(topic: readonly number[]): { parts: Matrix; shares: number[] } {
  const weights = topic.map(() => [next(), next(), next()]);
  const pieces = [0, 1, 2].map((t) => topic.map((x, i) => (x * weights[i][t]) / (weights[i][0] + weights[i][1] + weights[i][2])));
  const sums = pieces.map((piece) => piece.reduce((a, b) => a + b, 0));
  const total = sums.reduce((a, b) => a + b, 0);
  const data = Float32Array.from({ length: topic.length * 3 }, (_, at) => pieces[at % 3][Math.floor(at / 3)] / sums[at % 3]);
  return { parts: matrix(topic.length, 3, data), shares: sums.map((sum) => sum / total) };
}

test('a topic of the lowest level that is divided keeps its sum, and every other topic stays', () => {
  const { parts, shares } = partsOf(column(A[0], 4));
  const { A: next, moved } = divide(A, 0, 4, parts, shares);
  expect(next.map(({ rows, cols }) => [rows, cols])).toEqual([
    [23, 9],
    [9, 7],
    [7, 5],
    [5, 2],
  ]);
  expect(moved(0, 4)).toEqual({ layer: 1, index: 4 });
  const [before, after] = [topicProducts(A), topicProducts(next)];
  for (const [l, Psi] of before.entries()) for (let j = 0; j < Psi.cols; j++) near(column(after[l + 1], j), column(Psi, j));
  // Divided once more, at the level where it stands for itself below.
  const again = partsOf(column(A[0], 2));
  const twice = divide(next, 1, 2, again.parts, again.shares, [2]);
  expect(twice.A.map(({ cols }) => cols)).toEqual([11, 7, 5, 2]);
  const last = topicProducts(twice.A);
  for (const [l, Psi] of before.entries()) for (let j = 0; j < Psi.cols; j++) near(column(last[l + 1], j), column(Psi, j));
});

test('a topic above that has none below it gets its own', () => {
  const { parts, shares } = partsOf(column(topicProducts(A)[1], 3));
  const { A: next } = divide(A, 1, 3, parts, shares);
  expect(next.map(({ rows, cols }) => [rows, cols])).toEqual([
    [23, 10],
    [10, 5],
    [5, 2],
  ]);
  near(column(topicProducts(next)[1], 3), column(topicProducts(A)[1], 3));
  // It consists of its parts alone.
  expect(column(next[1], 3).slice(0, 7)).toEqual(new Array(7).fill(0));
});

test('two topics that are merged keep their mass', () => {
  const { A: next, moved } = merge(A, S, 0, 1, 5);
  expect(next.map(({ rows, cols }) => [rows, cols])).toEqual([
    [23, 6],
    [6, 5],
    [5, 2],
  ]);
  expect([moved(0, 5), moved(0, 6), moved(0, 1), moved(1, 4)]).toEqual([
    null,
    { layer: 0, index: 5 },
    { layer: 0, index: 1 },
    { layer: 1, index: 4 },
  ]);
  const rowSum = (row: number) => S[0].data.slice(row * 17, (row + 1) * 17).reduce((a, b) => a + b, 0);
  const [p, q] = [rowSum(1), rowSum(5)];
  near([columnSum(next[0], 1)], [(p * columnSum(A[0], 1) + q * columnSum(A[0], 5)) / (p + q)]);
  near(
    Array.from(next[1].data.slice(5, 10)),
    Array.from({ length: 5 }, (_, j) => A[1].data[5 + j] + A[1].data[25 + j]),
  );
  const same = merge(A, S, 2, 0, 1);
  expect(same.A.at(-1)!.cols).toBe(1);
  expect(() => merge([A[0], random(7, 7, numbers(1))], S, 0, 0, 1)).toThrow(/fewer topics than the one above/);
});

test('the vocabulary is that of the library, and what is left out adds up', async () => {
  const { documents } = readPasted(corpus.map(({ text }) => text).join('\n'));
  const choices = { stopList: true, stopWords: ['market'], ngrams: 2, minDocuments: 3, maxTerms: 40, stem: true };
  const { stemmerOf } = await import('orthant/text');
  const { matrix: found, effect } = await wordsOf(documents, choices);
  const options = { language: 'en', stopWords: [...(await stopWordsOf('en')), 'market'], ngrams: 2, minDocuments: 3, maxTerms: 40 };
  const expected = termDocumentMatrix(documents, { ...options, stemmer: await stemmerOf('en') });
  expect(found.terms).toEqual(expected.terms);
  const all = termDocumentMatrix(documents, {
    ...options,
    stemmer: await stemmerOf('en'),
    minDocuments: 1,
    maxDocumentFraction: 1,
    maxTerms: 1e6,
  });
  expect(effect.terms + effect.rare.count + effect.frequent.count + effect.beyond.count).toBe(all.terms.length);
  expect(effect.stopWords.examples).toContain('the');
  expect(effect).toMatchObject({ language: 'en', how: 'detected', documents: corpus.length, from: 3 });
});

const file = (path: string, content = 'text', size?: number): GivenFile => {
  const made = new File([content], path.split('/').at(-1)!);
  if (size !== undefined) Object.defineProperty(made, 'size', { value: size });
  return { path, file: made };
};

test('files: folders of texts, one text, and what is refused', async () => {
  const { documents, name, notes } = await readTexts([file('news/b/two.txt'), file('news/a.md'), file('news/a.txt'), file('news/pic.png')]);
  expect([name, documents.map((one) => one.name)]).toEqual(['news', ['a.md', 'a.txt', 'b/two']]);
  expect(notes).toEqual(['1 file that is no .txt or .md file was left out.']);
  expect((await readTexts([file('lines.txt', 'a b\n\nc d\n')])).documents.map(({ text }) => text)).toEqual(['a b', 'c d']);
  expect(() => tableAmong([file('photo.png')])).toThrow(
    /^The file 'photo\.png' cannot be read as a corpus\. Give a folder of \.txt or \.md files;/,
  );
  expect(() => tableAmong([file('a.csv'), file('b.txt')])).toThrow(/corpus of its own/);
  expect(() => checkSizes([file('huge.csv', '', 2 ** 30)])).toThrow(/1024 MB, and this page reads 400 MB/);
  expect(await documentFields(new TextEncoder().encode('a;b\n1;2\n'), 'x.csv')).toEqual(['a', 'b']);
  await expect(parseDocuments(new Uint8Array(1), 'x.doc')).rejects.toThrow(
    /^The file 'x\.doc' cannot be read as documents\. Give a \.jsonl/,
  );
  expect(await documentFields(new TextEncoder().encode('{"a":1,"b":"x"}\n{"c":2}\n'), 'x.jsonl')).toEqual(['a', 'b', 'c']);
});

test('code: the command line of what is on the screen', () => {
  const shown: Shown = {
    source: 'my mails.csv',
    sampled: false,
    fields: { textField: 'body' },
    choices: { stopList: true, stopWords: ['figure'], ngrams: 2, stem: false },
    learn: { ranks: [12, 4], restarts: 4, seed: 3, maxIterations: 150, tolerance: 1e-5 },
    byHand: false,
  };
  expect(commandOf(shown)).toBe("orthant topics 'my mails.csv' --ranks 12,4 --seed 3 --text-field body --ngrams 2 --stop-words figure");
  expect(codeOf(shown).typescript).toContain(`readCorpus("my mails.csv", { textField: "body" })`);
  expect(codeOf({ ...shown, source: readPasted('{"text":"a"}').source, fields: {} }).typescript).toContain(
    'parseJsonLines(await readFile("pasted.jsonl"',
  );
  expect(commandOf({ ...shown, source: '- < notes.txt', fields: {} })).toMatch(/^orthant topics - --ranks 12,4 .* < notes\.txt$/);
});
