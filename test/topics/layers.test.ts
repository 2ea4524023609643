import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { ShapeError } from '../../src/errors.js';
import { topicFlows, topicLayers } from '../../src/topics/layers.js';
import { nearestTopics } from '../../src/topics/nearest.js';

// Two topics of three terms under one. Ψ⁰ has the column sums 3 and 1, S⁰ the row sums 2 and 4.
const model = {
  A: [matrix(3, 2, [2, 0, 1, 0, 0, 1]), matrix(2, 1, [1, 3])],
  S: [matrix(2, 2, [1, 1, 0, 4]), matrix(1, 2, [1, 2])],
};

test('shares are parts of the reconstruction', () => {
  const [below, above] = topicLayers(model);
  // 3 · 2 of 3 · 2 + 1 · 4.
  expect(below.shares).toEqual([0.6, 0.4]);
  expect(above.shares).toEqual([1]);
  // A⁰A¹ = (2, 1, 3).
  expect([...above.Psi.data]).toEqual([2, 1, 3]);
  expect(() => topicLayers(model, ['a', 'b'])).toThrow(ShapeError);
});

test('flows: Σψᵢ · Aᵢⱼ · Σsⱼ = 3 · 1 · 3 and 1 · 3 · 3, halves of the layer above', () => {
  expect(topicFlows(model)).toEqual([{ layer: 0, shares: [[0.5], [0.5]] }]);
});

describe('the nearest topics of a text', () => {
  test('by the cosine of its terms with the columns of A⁰…Aˡ', () => {
    // (0, 1, 1) beside (2, 1, 0), (0, 0, 1) and (2, 1, 3).
    const [below, above] = nearestTopics(model, [0, 1, 1]);
    expect(below).toEqual([
      { layer: 0, index: 1, similarity: expect.closeTo(1 / Math.sqrt(2)) },
      { layer: 0, index: 0, similarity: expect.closeTo(1 / Math.sqrt(5 * 2)) },
    ]);
    expect(above).toEqual([{ layer: 1, index: 0, similarity: expect.closeTo(4 / Math.sqrt(14 * 2)) }]);
    expect(nearestTopics(model, [0, 0, 1])[0]).toHaveLength(1);
  });

  test('a text without any term is refused', () => {
    expect(() => nearestTopics(model, [0, 0, 0])).toThrow(/none of the terms/);
    expect(() => nearestTopics(model, [1])).toThrow(ShapeError);
  });
});
