/** The reference's own solvers against solutions that are known. */
import { expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { solveNnls } from '../../src/reference/linear-algebra.js';
import { simplexResidual, solveSimplex } from '../../src/reference/simplex.js';

test.each([1, 2 ** 60, 2 ** -60])('on the simplex, between two points of a line, in units of %s', (unit) => {
  // Columns 1 and 2 of one row, x = 1.5: G is singular, its columns are affinely independent.
  const G = Float64Array.of(1, 2, 2, 4).map((g) => g * unit);
  const b = Float64Array.of(1.5, 3).map((x) => x * unit);
  const { s, rounds } = solveSimplex(G, 2, b);
  expect([...s]).toEqual([expect.closeTo(0.5, 14), expect.closeTo(0.5, 14)]);
  expect(rounds).toBe(2);
  expect(simplexResidual(G, b, s, 0)).toBeLessThan(1e-15);
});

test('500 random problems, half of them with dependent columns: KKT conditions in f64', () => {
  for (let seed = 0; seed < 500; seed++) {
    const r = random(seed);
    const [n, k] = [1 + r.integer(6), 1 + r.integer(8)];
    const A = Array.from({ length: k }, () => Array.from({ length: n }, () => r.integer(5) - 2));
    const x = Array.from({ length: n }, () => r.integer(9) - 4);
    const product = (one: number[], other: number[]) => one.reduce((sum, v, i) => sum + v * other[i], 0);
    const G = Float64Array.from(A.flatMap((one) => A.map((other) => product(one, other))));
    const b = Float64Array.from(A, (one) => product(one, x));
    const { s, rounds } = solveNnls(G, k, b);
    expect(rounds, `seed ${seed}`).toBeGreaterThan(0);
    for (let j = 0; j < k; j++) {
      const gain = b[j] - s.reduce((sum, one, i) => sum + G[j * k + i] * one, 0);
      expect(s[j], `s[${j}], seed ${seed}`).toBeGreaterThanOrEqual(0);
      expect(Math.abs(s[j] > 0 ? gain : Math.max(gain, 0)), `gain of ${j}, seed ${seed}`).toBeLessThan(1e-9);
    }
  }
});
