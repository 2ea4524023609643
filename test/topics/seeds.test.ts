import { expect, test } from 'vitest';
import { stemmerOf } from '../../src/text/languages.js';
import { termDocumentMatrix } from '../../src/text/term-document.js';
import { guideOf, parseSeed, parseSeeds } from '../../src/topics/seeds.js';
import { textReader } from '../../src/topics/text-reader.js';

const terms = ['army', 'budget', 'tax', 'war'];

test('a file of seeds', () => {
  expect(parseSeeds('# seeds\neconomy: tax, budget,tax\r\n\n war : army , war\n', 'seeds.txt')).toEqual([
    { name: 'economy', words: ['tax', 'budget'] },
    { name: 'war', words: ['army', 'war'] },
  ]);
  expect(() => parseSeeds('economy tax', 'seeds.txt')).toThrow(/seeds.txt: line 1 is "economy tax", but a name and words/);
  expect(() => parseSeeds('\n#\n', 'seeds.txt')).toThrow(/has no seed words/);
  expect(() => parseSeed('economy: ,', '--seed-topic')).toThrow(/--seed-topic is "economy: ,"/);
});

test('seeds as columns', () => {
  const guide = guideOf(
    [
      { name: 'economy', words: ['Tax', 'budget'] },
      { name: 'war', words: ['war'] },
    ],
    terms,
    2,
  );
  expect(guide.rows).toBe(4);
  expect([...guide.data]).toEqual([0, 0, 1, 0, 1, 0, 0, 1]);
});

test('words that are no term, and too many seeds', () => {
  expect(() => guideOf([{ name: 'economy', words: ['taxx', 'budget'] }], terms, 2)).toThrow(
    /A seed word is not among the 4 terms: "taxx" of "economy" \(did you mean "tax"\?\)/,
  );
  expect(() => guideOf([{ name: 'e', words: ['taxx', 'zebra'] }], terms, 2)).toThrow(/2 seed words are not.*"zebra" of "e"\./);
  expect(() =>
    guideOf(
      [
        { name: 'a', words: ['tax'] },
        { name: 'b', words: ['war'] },
      ],
      terms,
      1,
    ),
  ).toThrow(/for 2 topics, but the lowest layer has 1/);
  expect(() =>
    guideOf(
      [
        { name: 'a', words: ['tax'] },
        { name: 'a', words: ['war'] },
      ],
      terms,
      2,
    ),
  ).toThrow(/two seeds with the name "a"/);
});

test('words are found in the form in which the texts were read', async () => {
  const documents = ['taxes and duties', 'a tax, a duty on imported goods', 'imported goods'].map((text, i) => ({ name: `d${i}`, text }));
  const stemmed = termDocumentMatrix(documents, {
    language: 'en',
    stemmer: await stemmerOf('en'),
    minDocuments: 1,
    maxDocumentFraction: 1,
    ngrams: 2,
  });
  const reader = await textReader(stemmed.vocabulary);
  const of = (word: string) => {
    const guide = guideOf([{ name: 'trade', words: [word] }], stemmed.terms, 1, reader);
    return stemmed.terms.filter((_, row) => guide.data[row] === 1);
  };
  expect(of('taxes')).toEqual(['tax']);
  expect(of('Duties')).toEqual(['duti']);
  expect(of('imported goods')).toEqual(['import good']);
  expect(() => of('ministries')).toThrow(/"ministries" of "trade"/);
  // Without the reader words are terms as they stand.
  expect(() => guideOf([{ name: 'trade', words: ['taxes'] }], stemmed.terms, 1)).toThrow(/not among the 7 terms/);
});
