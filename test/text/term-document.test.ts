import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { checkSparse, toDense } from '../../src/data/sparse.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { englishStopWords, termDocumentMatrix, topTerms } from '../../src/text/term-document.js';

const docs = (...texts: string[]) => texts.map((text, i) => ({ name: `d${i}`, text }));
const every = { maxDocumentFraction: 1 };

test('words', () => {
  const text = "The nation’s CAFÉ; the Nation's ﬁnest café, don't! 1984 42nd O'Brien's it we'll naïve co-operate ab";
  const { X, terms } = termDocumentMatrix(docs(text), { ...every, weighting: 'counts' });
  expect(terms).toEqual(['42nd', 'café', 'finest', 'naïve', 'nation', "o'brien", 'operate'].sort());
  expect([...toDense(X).data]).toEqual(terms.map((term) => ({ café: 2, nation: 2 })[term] ?? 1));
});

test('words of scripts without spaces', () => {
  const options = { ...every, locale: 'ja', minLength: 2 };
  expect(termDocumentMatrix(docs('東京大学で研究しています。'), options).terms).toContain('大学');
});

test('tf-idf as scikit-learn computes it', () => {
  // TfidfVectorizer's defaults by hand: idf = ln(4 / 3) + 1 for n = 2 of 3, ln(4 / 2) + 1 for n = 1, then unit length.
  const { X, terms, documents } = termDocumentMatrix(docs('apple apple pear', 'pear plum', 'plum plum plum'), every);
  const [two, one] = [Math.log(4 / 3) + 1, Math.log(2) + 1];
  const first = Math.hypot(2 * one, two);
  expect(terms).toEqual(['apple', 'pear', 'plum']);
  expect(documents).toEqual(['d0', 'd1', 'd2']);
  const expected = [(2 * one) / first, 0, 0, two / first, Math.SQRT1_2, 0, 0, Math.SQRT1_2, 1];
  toDense(X).data.forEach((value, p) => {
    expect(value).toBeCloseTo(expected[p], 6);
  });
});

test('thresholds, the cap on terms, empty documents', () => {
  const corpus = docs('common rare heavy heavy heavy', 'common orange heavy', 'common orange', '12 the of', 'heavy');
  const thresholds = { minDocuments: 2, maxDocumentFraction: 0.5 };
  const result = termDocumentMatrix(corpus, thresholds);
  checkSparse(result.X);
  expect(result.X.values).toHaveLength(2);
  expect(result.terms).toEqual(['orange']);
  expect(result.emptyDocuments).toEqual(['d0', 'd3', 'd4']);
  expect([...toDense(result.X).data]).toEqual([0, 1, 1, 0, 0]);
  // heavy fills d4 and most of d0; common comes second
  expect(termDocumentMatrix(corpus, { ...every, maxTerms: 1 }).terms).toEqual(['heavy']);
  expect(termDocumentMatrix(corpus, { ...every, maxTerms: 2 }).terms).toEqual(['common', 'heavy']);
  expect(termDocumentMatrix(corpus, { ...every, maxTerms: 2 })).toEqual(termDocumentMatrix(corpus, { ...every, maxTerms: 2 }));
});

test('stop words', () => {
  const corpus = docs('the senate and the house', 'the house');
  expect(termDocumentMatrix(corpus, every).terms).toEqual(['house', 'senate']);
  expect(termDocumentMatrix(corpus, { ...every, stopWords: ['House'] }).terms).toEqual(['and', 'senate', 'the']);
  expect(termDocumentMatrix(corpus, { ...every, stopWords: [...englishStopWords, 'house'] }).terms).toEqual(['senate']);
});

test.each([
  [[], {}, 'The corpus has no documents; at least one is needed.'],
  [docs('', ' '), {}, 'No document has a word that counts: all 2 are empty'],
  [docs('one word'), {}, 'is in at least 1 and at most 0 of the 1 documents; lower minDocuments (1) or raise maxDocumentFraction (0.5).'],
  [docs('alpha', 'beta'), { minDocuments: 2 }, 'None of the 2 words is in at least 2 and at most 1 of the 2 documents'],
  [docs('alpha'), { minDocuments: 0 }, 'minDocuments must be a positive integer, not 0.'],
  [docs('alpha'), { maxDocumentFraction: 50 }, 'maxDocumentFraction must be more than 0 and at most 1, not 50.'],
  [docs('alpha'), { maxTerms: 1.5 }, 'maxTerms must be a positive integer, not 1.5.'],
  [docs('alpha'), { locale: '!' }, 'The locale "!" is not a language tag'],
  [docs('alpha'), { stopWords: 'the' }, 'stopWords must be a list of words, not "the".'],
  [docs('alpha'), { weighting: 'bm25' as 'counts' }, "weighting must be 'tfidf' or 'counts', not \"bm25\"."],
])('a bad corpus or option is refused (%#)', (corpus, options, message) => {
  expect(() => termDocumentMatrix(corpus, options)).toThrow(InputError);
  expect(() => termDocumentMatrix(corpus, options)).toThrow(message);
});

test('top terms', () => {
  const A = matrix(4, 2, [0, 1, 3, 0, 2, 0, 3, 0]);
  const terms = ['a', 'b', 'c', 'd'];
  expect(topTerms(A, terms, 0, 3).map(({ term }) => term)).toEqual(['b', 'd', 'c']);
  expect(topTerms(A, terms, 1, 3)).toEqual([{ term: 'a', weight: 1 }]);
  expect(() => topTerms(A, terms, 2, 3)).toThrow('Column 2 is not one of the 2 columns of A');
  expect(() => topTerms(A, ['a'], 0, 3)).toThrow(ShapeError);
});

test('runs of a million letters, apostrophes or characters of scripts without spaces take one pass', () => {
  const long = 1_000_000;
  const { X } = termDocumentMatrix(docs('word '.repeat(3), "x'".repeat(long), '東'.repeat(long), 'y'.repeat(long)), {
    ...every,
    minLength: 1,
  });
  expect(X.cols).toBe(4);
});
