import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { heaviestTerms, relevantTerms, termShares, topicLabels } from '../../src/topics/words.js';

describe('terms', () => {
  const terms = ['a', 'b', 'c', 'd'];
  const phi = [0.5, 0.3, 0.2, 0];
  const overall = [0.5, 0.1, 0.2, 0.2];

  test('by weight', () => {
    expect(heaviestTerms(phi, overall, terms, 2)).toEqual([
      { term: 'a', weight: 0.5, overall: 0.5 },
      { term: 'b', weight: 0.3, overall: 0.1 },
    ]);
  });

  test('by relevance', () => {
    const order = (lambda: number) => relevantTerms(phi, overall, terms, 4, lambda).map(({ term }) => term);
    expect(order(1)).toEqual(['a', 'b', 'c']);
    // φ/p is 1, 3, 1: b first; a before c by name.
    expect(order(0)).toEqual(['b', 'a', 'c']);
    // ½ ln ½ + ½ ln 1 = −0.3466; ½ ln 0.3 + ½ ln 3 = −0.0527; ½ ln 0.2 = −0.8047.
    const [b, a, c] = relevantTerms(phi, overall, terms, 4, 0.5);
    expect([b.term, a.term, c.term]).toEqual(['b', 'a', 'c']);
    expect(b.relevance).toBeCloseTo(-0.0527, 4);
    expect(a.relevance).toBeCloseTo(-0.3466, 4);
    expect(c.relevance).toBeCloseTo(-0.8047, 4);
  });

  test('λ outside [0, 1] is refused', () => {
    for (const lambda of [-0.1, 1.1, Number.NaN, '1' as unknown as number])
      expect(() => relevantTerms(phi, overall, terms, 4, lambda)).toThrow(InputError);
  });

  test('shares of terms are those of the rows', () => {
    const X = matrix(3, 2, [1, 1, 0, 0, 3, 5]);
    expect(termShares(X)).toEqual([0.2, 0, 0.8]);
    expect(termShares(sparseFromDense(X))).toEqual([0.2, 0, 0.8]);
  });
});

describe('labels', () => {
  test('three words, no two forms of one', () => {
    expect(topicLabels([{ layer: 0, words: ['job', 'jobs', 'budget', 'country', 'countries', 'tax', 'war'] }])).toEqual([
      'job · budget · country',
    ]);
    expect(topicLabels([{ layer: 0, words: ['iraq', 'iraqi', 'bell', 'belligerent', '税', '税金'] }])).toEqual([
      'iraq · bell · belligerent',
    ]);
  });

  test('begin with different words in a layer, and are all different', () => {
    const words = ['war', 'army', 'peace', 'navy'];
    expect(
      topicLabels([
        { layer: 1, words },
        { layer: 0, words },
        { layer: 0, words },
        { layer: 0, words: ['war'] },
      ]),
    ).toEqual(['war · army · peace', 'war · army · navy', 'army · war · peace', 'war']);
  });

  test('that cannot be different are numbered, and given ones stay', () => {
    expect(
      topicLabels([
        { layer: 1, words: ['war'] },
        { layer: 0, words: ['war'] },
        { layer: 0, words: [] },
        { layer: 0, words: [] },
        { layer: 0, words: ['tax'], name: 'money' },
      ]),
    ).toEqual(['war', 'war (2)', '(empty)', '(empty 2)', 'money']);
  });
});
