import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { agreement } from '../../src/methods/scores.js';
import { largestTopics } from '../../src/topics/clustering.js';
import { documentTopics, layerTopics } from '../../src/topics/shares.js';

test('purity and NMI of six documents by hand', () => {
  // Clusters {a, a, b} and {b, b, c}: 2 + 2 of 6 are in the most frequent class of theirs.
  const clusters = [0, 0, 0, 1, 1, 1];
  const classes = ['a', 'a', 'b', 'b', 'b', 'c'];
  // H(clusters) = ln 2; H(classes) = of 1/3, 1/2, 1/6; H(both) = of 1/3, 1/6, 1/3, 1/6.
  const entropy = (...parts: number[]) => parts.reduce((sum, p) => sum - p * Math.log(p), 0);
  const [u, v, both] = [Math.log(2), entropy(1 / 3, 1 / 2, 1 / 6), entropy(1 / 3, 1 / 6, 1 / 3, 1 / 6)];
  const found = agreement(clusters, classes);
  expect(found).toMatchObject({ samples: 6, classes: 3 });
  expect(found.purity).toBeCloseTo(4 / 6, 12);
  expect(found.nmi).toBeCloseTo((2 * (u + v - both)) / (u + v), 12);
});

test('equal, independent and missing partitions', () => {
  expect(agreement([5, 5, -1, -1], ['x', 'x', 'y', 'y'])).toEqual({ samples: 4, classes: 2, purity: 1, nmi: 1, ari: 1 });
  const independent = agreement([0, 1, 0, 1], ['x', 'x', 'y', 'y']);
  expect(independent.purity).toBe(0.5);
  expect(independent.nmi).toBeCloseTo(0, 12);
  // Documents without a class do not count.
  expect(agreement([0, 1, 1], ['x', undefined, 'y'])).toEqual({ samples: 2, classes: 2, purity: 1, nmi: 1, ari: 1 });
  expect(agreement([0, 1], ['x', 'x'])).toMatchObject({ purity: 1, nmi: 0 });
  expect(agreement([0], ['x'])).toMatchObject({ purity: 1, nmi: 0 });
  expect(agreement([0, 1], [undefined, undefined])).toEqual({ samples: 0, classes: 0, purity: 0, nmi: 0, ari: 0 });
});

test('the largest topic is that of most mass, whatever the scale of the factors', () => {
  for (const by of [1, 64]) {
    // Columns of A⁰ sum to 4·by and 1; of A⁰A¹ to 4·by·(1/by) = 4 and 1.
    const A = [matrix(2, 2, [3 * by, 0, by, 1]), matrix(2, 2, [1 / by, 0, 0, 1])];
    const S = [matrix(2, 3, [1 / by, 1 / by, 0, 3, 5, 0]), matrix(2, 3, [1, 1, 0, 3, 5, 0])];
    expect(largestTopics({ A, S }, 0)).toEqual([0, 1, -1]);
    expect(largestTopics({ A, S }, 1)).toEqual([0, 1, -1]);
    expect(layerTopics(A, ['ant', 'bee'], 1)).toEqual([
      { index: 0, terms: ['ant', 'bee'] },
      { index: 1, terms: ['bee'] },
    ]);
    const [first, , last] = documentTopics(A, S[1], 1, ['x', 'y', 'z']);
    expect(first.name).toBe('x');
    expect(first.topics.map(({ index }) => index)).toEqual([0, 1]);
    expect(first.topics[0].share).toBeCloseTo(4 / 7);
    expect(last).toEqual({ name: 'z', topics: [] });
  }
});
