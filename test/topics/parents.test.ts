import { describe, expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { assign, checkMinChildren, parentsOf } from '../../src/topics/parents.js';

describe('parents', () => {
  test('each child stands under the one it gives most to', () => {
    expect(
      parentsOf([
        [3, 1],
        [0, 2],
        [0, 0],
      ]),
    ).toEqual([0, 1, null]);
  });

  test('with a fewest number the smallest losses are taken', () => {
    // All three give most to the first parent. The second needs one: the losses are 9 − 1 = 8, 5 − 4 = 1, 4 − 2 = 2.
    const given = [
      [9, 1],
      [5, 4],
      [4, 2],
    ];
    expect(parentsOf(given)).toEqual([0, 0, 0]);
    expect(parentsOf(given, 1)).toEqual([0, 1, 0]);
  });

  test('a chain of exchanges beats the greedy choice', () => {
    // The third parent needs the third child, the only one that gives it anything; so the second parent needs the second: 10 + 8 + 4.
    expect(
      parentsOf(
        [
          [10, 0, 0],
          [9, 8, 0],
          [0, 5, 4],
        ],
        1,
      ),
    ).toEqual([0, 1, 2]);
  });

  test('the total is the largest of all assignments', () => {
    for (let seed = 0; seed < 60; seed++) {
      const r = random(seed);
      const [children, parents] = [1 + r.integer(6), 1 + r.integer(3)];
      const most = Math.floor(children / parents);
      if (most === 0) continue;
      const minChildren = 1 + r.integer(most);
      const given = Array.from({ length: children }, () => Array.from({ length: parents }, () => Math.max(0, r.integer(12) - 2)));
      let best = -1;
      for (let code = 0; code < parents ** children; code++) {
        const chosen = given.map((_, i) => Math.floor(code / parents ** i) % parents);
        const counts = Array.from({ length: parents }, (_, p) => chosen.filter((one) => one === p).length);
        if (Math.min(...counts) < minChildren) continue;
        best = Math.max(
          best,
          chosen.reduce((sum, p, i) => sum + given[i][p], 0),
        );
      }
      const found = parentsOf(given, minChildren);
      const counts = Array.from({ length: parents }, (_, p) => found.filter((one) => one === p).length);
      expect(Math.min(...counts), `seed ${seed}`).toBeGreaterThanOrEqual(minChildren);
      const total = found.reduce<number>((sum, p, i) => sum + (p === null ? 0 : given[i][p]), 0);
      expect(total, `seed ${seed}: ${JSON.stringify({ given, minChildren })}`).toBe(best);
    }
  });

  test('what cannot be says its numbers', () => {
    expect(() =>
      parentsOf(
        [
          [1, 1],
          [1, 1],
          [1, 1],
        ],
        2,
      ),
    ).toThrow('minChildren is 2, which takes 2 × 2 = 4 topics below the 2, but there are 3; give at most 1, or more topics below.');
    expect(() => checkMinChildren(3, [20, 8, 3])).toThrow(/8 × 3 = 24 topics below the 8, but there are 20; give at most 2/);
    expect(() => checkMinChildren(-1, [2])).toThrow(/integer from 0 on/);
    checkMinChildren(2, [20, 8, 3]);
  });
});

test('assignment by hand', () => {
  // The cheapest entry of each row is in column 0; 2 + 3 + 2 = 7 is the least of the six sums.
  expect(
    assign([
      [1, 2, 5],
      [1, 4, 3],
      [2, 6, 7],
    ]),
  ).toEqual([1, 2, 0]);
});

test('assignments of random costs are the cheapest', () => {
  const least = (costs: number[][], row = 0, used: number[] = []): number =>
    row === costs.length
      ? 0
      : Math.min(...costs[row].flatMap((cost, j) => (used.includes(j) ? [] : [cost + least(costs, row + 1, [...used, j])])));
  for (let seed = 0; seed < 200; seed++) {
    const r = random(seed);
    const rows = 2 + r.integer(4);
    const costs = Array.from({ length: rows }, () => Array.from({ length: rows + (seed % 2) }, () => r.integer(30)));
    const found = assign(costs);
    expect(new Set(found).size, `seed ${seed}`).toBe(rows);
    expect(
      found.reduce((sum, j, i) => sum + costs[i][j], 0),
      `seed ${seed}`,
    ).toBe(least(costs));
  }
});
