import { expect, test } from 'vitest';
import { randomLowRank, tableOne } from '../../src/data/generate.js';
import { singularValuesSquared } from '../../src/data/svd-bound.js';

test('the data of Table 1', () => {
  const { X, labels } = tableOne();
  expect([X.rows, X.cols]).toEqual([87, 90]);
  const sizes = (classes: number[]) => classes.reduce<number[]>((n, c) => Object.assign(n, { [c]: (n[c] ?? 0) + 1 }), []);
  expect(sizes(labels[9])).toEqual([10, 10, 5, 7, 5, 20, 10, 9, 14]);
  expect(sizes(labels[4])).toEqual([20, 12, 25, 33]);
  expect(sizes(labels[2])).toEqual([32, 58]);

  // Entries of each level, counted by hand from the group sizes: same group, same parent of four, of two, none.
  const levels = sizes(Array.from(X.data, Math.floor));
  const same = 10 * 10 + 5 * 10 + 10 * 5 + 12 * 7 + 13 * 5 + 4 * 20 + 11 * 10 + 8 * 9 + 14 * 14;
  const four = 15 * 20 + 22 * 12 + 17 * 25 + 33 * 33;
  const two = 37 * 32 + 50 * 58;
  expect(levels).toEqual([87 * 90 - two, two - four, four - same, undefined, same]);
  const noise = Array.from(X.data, (x) => x - Math.floor(x));
  expect(Math.max(...noise)).toBeLessThan(0.15);
  expect(noise.reduce((sum, x) => sum + x) / noise.length).toBeCloseTo(0.075, 2);

  expect(tableOne(0)).toEqual(tableOne());
  expect(tableOne(1).X.data).not.toEqual(X.data);
  expect(() => tableOne(-1)).toThrow('seed must be');
});

test('a random matrix of low rank', () => {
  const X = randomLowRank(31, 17, 3, { seed: 5 });
  expect(X.data.every((x) => x >= 0)).toBe(true);
  const squares = singularValuesSquared(X);
  expect(squares[2]).toBeGreaterThan(1);
  expect(squares[3]).toBeLessThan(1e-9);
  const noisy = randomLowRank(31, 17, 3, { seed: 5, noise: 0.1 });
  const differences = noisy.data.map((x, p) => x - X.data[p]);
  expect(Math.min(...differences)).toBeGreaterThan(-1e-6);
  expect(Math.max(...differences)).toBeLessThan(0.100001);
  expect(() => randomLowRank(3, 0, 1)).toThrow('M must be a positive integer, not 0.');
});
