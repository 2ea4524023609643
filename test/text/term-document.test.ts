import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { checkSparse, toDense } from '../../src/data/sparse.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { englishStopWords, type TermOptions, termDocumentMatrix, topTerms } from '../../src/text/term-document.js';
import { tokenize } from '../../src/text/tokens.js';
import type { Vocabulary } from '../../src/text/vocabulary.js';

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
  [docs('alpha'), { preset: 'spacy' as 'topics' }, "preset must be 'topics' or 'sklearn', not \"spacy\"."],
  [docs('alpha'), { ngrams: 11 }, 'ngrams must be an integer n from 1 to 10, or a range [from, to] of such, not 11.'],
  [docs('alpha'), { ngrams: [3, 2] as const }, 'ngrams must be'],
  [docs('alpha'), { sublinear: true, weighting: 'counts' as const }, "sublinear is for weighting 'tfidf'"],
  [docs('alpha'), { minDocumentFraction: 0 }, 'minDocumentFraction must be more than 0 and at most 1, not 0.'],
  [docs('alpha'), { keepWords: [1] as unknown as string[] }, 'keepWords must be a list of words, but it has 1.'],
  [docs('alpha'), { stemmer: 'de' as unknown as undefined }, 'stemmer must be { language, stem }'],
  [docs('alpha'), { vocabulary: {} as Vocabulary }, 'its field "terms" cannot be undefined'],
  [docs('alpha'), { weighting: 'bm25' as 'counts' }, "weighting must be 'tfidf', 'counts' or 'binary', not \"bm25\"."],
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

describe('as scikit-learn', () => {
  const golden = JSON.parse(readFileSync(new URL('./sklearn-golden.json', import.meta.url), 'utf8')) as Record<string, Golden> & {
    documents: string[];
  };
  interface Golden {
    terms: string[];
    entries: [document: number, term: number, value: number][];
  }
  const options: Record<string, TermOptions> = {
    tfidf_default: {},
    tfidf_sublinear_bigrams: { ngrams: 2, sublinear: true },
    tfidf_min_df_2: { minDocuments: 2 },
    counts: { weighting: 'counts' },
    binary: { weighting: 'binary' },
  };
  test.each(Object.keys(options))('%s', (name) => {
    const { X, terms, emptyDocuments } = termDocumentMatrix(docs(...golden.documents), { preset: 'sklearn', ...options[name] });
    expect(terms).toEqual(golden[name].terms);
    expect(emptyDocuments).toContain('d8');
    const expected = new Map(golden[name].entries.map(([j, i, value]) => [i * 9 + j, value]));
    const { data } = toDense(X);
    expect(data.length).toBe(terms.length * 9);
    data.forEach((value, p) => {
      expect(Math.abs(value - (expected.get(p) ?? 0))).toBeLessThan(1e-6);
    });
  });
});

test('n-grams skip words that are left out; words to keep are kept', () => {
  const corpus = docs('the house of the senate', 'an old house');
  expect(termDocumentMatrix(corpus, { ...every, ngrams: [2, 2] }).terms).toEqual(['house senate', 'old house']);
  expect(termDocumentMatrix(corpus, { ...every, ngrams: 2, keepWords: ['Of'] }).terms).toEqual(
    ['house', 'house of', 'of', 'of senate', 'old', 'old house', 'senate'].sort(),
  );
  // of is in one document of two, house in both: 'house' is kept against its bounds, and against the most terms
  const kept = termDocumentMatrix(corpus, { maxTerms: 1, maxDocumentFraction: 0.5, keepWords: ['house'] });
  expect(kept.terms).toEqual(['house']);
});

test('bounds as counts and as fractions', () => {
  const corpus = docs('ant bee cat', 'ant bee', 'ant', 'ant dog');
  const terms = (options: TermOptions) => termDocumentMatrix(corpus, { maxDocumentFraction: 1, ...options }).terms.join(' ');
  expect(terms({ maxDocuments: 2 })).toBe('bee cat dog');
  expect(terms({ minDocuments: 2 })).toBe('ant bee');
  expect(terms({ minDocumentFraction: 0.5 })).toBe('ant bee');
  expect(terms({ minDocumentFraction: 0.51 })).toBe('ant');
  expect(terms({ minDocumentFraction: 0.25, maxDocumentFraction: 0.5, maxDocuments: 1 })).toBe('cat dog');
  expect(() => terms({ minDocuments: 3, maxDocuments: 3 })).toThrow('lower minDocuments (3) or raise maxDocuments (3)');
});

describe('a vocabulary', () => {
  const corpus = docs('apple apple pear', 'pear plum', 'plum plum plum');
  const { vocabulary, terms } = termDocumentMatrix(corpus, every);

  test('gives its rows and its idf to other texts, through JSON', () => {
    const again = termDocumentMatrix(docs('plum melon apple', 'melon'), { vocabulary: JSON.parse(JSON.stringify(vocabulary)) });
    expect(again.terms).toEqual(terms);
    expect(again.emptyDocuments).toEqual(['d1']);
    // idf of apple ln(4 / 2) + 1, of plum ln(4 / 3) + 1, whatever the new texts have
    const [apple, plum] = [Math.log(2) + 1, Math.log(4 / 3) + 1];
    const norm = Math.hypot(apple, plum);
    const expected = [apple / norm, 0, 0, 0, plum / norm, 0];
    toDense(again.X).data.forEach((value, p) => {
      expect(value).toBeCloseTo(expected[p], 6);
    });
  });

  test('gives the corpus that it was made of the same matrix', () => {
    for (const options of [every, { ...every, ngrams: 2, weighting: 'counts' }, { preset: 'sklearn', sublinear: true }] as TermOptions[]) {
      const { vocabulary, ...first } = termDocumentMatrix(corpus, options);
      expect(termDocumentMatrix(corpus, { vocabulary })).toEqual({ ...first, vocabulary });
    }
  });

  test('takes no other options, and is checked', () => {
    expect(() => termDocumentMatrix(corpus, { vocabulary, minLength: 2 })).toThrow('minLength is settled by the vocabulary');
    const damaged = (change: object) => () => termDocumentMatrix(corpus, { vocabulary: { ...vocabulary, ...change } as Vocabulary });
    expect(damaged({ idf: [1, 2] })).toThrow('its field "idf" cannot be');
    expect(damaged({ idf: null })).toThrow('its field "idf" cannot be null');
    expect(damaged({ terms: ['a', 'a', 'b'] })).toThrow('its field "terms"');
    expect(damaged({ options: { ...vocabulary.options, ngrams: [0, 99] } })).toThrow('its field "options.ngrams"');
    expect(damaged({ language: '!' })).toThrow('its field "language"');
  });

  test('of stems needs its stemmer', () => {
    const stemmer = { language: 'en', stem: (word: string) => word.replace(/s$/, '') };
    const stems = termDocumentMatrix(docs('apples pear', 'apple plums'), { ...every, stemmer });
    expect(stems.terms).toEqual(['apple', 'pear', 'plum']);
    expect(stems.vocabulary.options.stemming).toBe('en');
    expect(() => termDocumentMatrix(corpus, { vocabulary: stems.vocabulary })).toThrow("give stemmer: await stemmerOf('en')");
    expect(termDocumentMatrix(docs('plums'), { vocabulary: stems.vocabulary, stemmer }).X.values).toHaveLength(1);
  });
});

test('tokens keep the order of the text', () => {
  const texts = docs('The whale and the ship; ships, 12 Whales!', '');
  expect(tokenize(texts)).toEqual([['whale', 'ship', 'ships', 'whales'], []]);
  const { vocabulary } = termDocumentMatrix(texts, { ...every, stopWords: ['ship'] });
  expect(tokenize(texts, { vocabulary })[0]).toEqual(['the', 'whale', 'and', 'the', 'ships', 'whales']);
  expect(() => tokenize(texts, { vocabulary, minLength: 1 })).toThrow('minLength is settled by the vocabulary');
});
