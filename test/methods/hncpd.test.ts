import { expect, test } from 'vitest';
import { kruskal } from '../../src/data/kruskal.js';
import { type Matrix, matrix, multiply, scaled } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseTensor, tensor } from '../../src/data/tensors.js';
import { hncpd } from '../../src/methods/hncpd.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();

/** A matrix ≥ 0 whose row i is in column i mod cols alone, with random sizes. */
function groups(rows: number, cols: number, seed: number): Matrix {
  const { uniform } = random(seed);
  return matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, (_, at) => (Math.floor(at / cols) % cols === at % cols ? 0.5 + uniform() : 0)),
  );
}

/** 6 components in 3 in 2 groups in every mode: F_n = A⁰A¹S¹ exactly, so that all levels are exact. */
const hierarchy = [9, 7, 8].map((size, n) => {
  const A = [groups(size, 3, n), groups(3, 2, 10 + n)];
  const S = scaled(
    matrix(
      2,
      6,
      Float32Array.from({ length: 12 }, (_, at) => (Math.floor(at / 6) === at % 2 ? 1 + (at % 3) : 0)),
    ),
    1 + n,
  );
  return multiply(A[0], multiply(A[1], S));
});

test('factors that are a hierarchy are found again, with their scale in any mode', async () => {
  const X = kruskal(hierarchy);
  const uneven = [scaled(hierarchy[0], 64), scaled(hierarchy[1], 1 / 64), hierarchy[2]];
  for (const balance of [true, false]) {
    const { modes, levels } = await hncpd(engine, X, uneven, { ranks: [3, 2], restarts: 3, balance });
    expect(levels.map(({ rank }) => rank)).toEqual([6, 3, 2]);
    for (const { relativeError, factors } of levels) {
      // Each of 3 modes is a product of 4 factors that are rounded to f32.
      expect(relativeError).toBeLessThan(12 * 2 ** -24);
      expect(factors.map(({ rows, cols }) => [rows, cols])).toEqual([
        [9, 6],
        [7, 6],
        [8, 6],
      ]);
    }
    expect(modes).toHaveLength(3);
  }
});

test('levels are products of the chains, and errors are those of X, dense and sparse', async () => {
  const { normal } = random(5);
  const positive = (rows: number, cols: number) =>
    matrix(
      rows,
      cols,
      Float32Array.from({ length: rows * cols }, () => Math.abs(normal())),
    );
  const factors = [positive(5, 4), positive(6, 4), positive(4, 4)];
  const X = tensor(
    [5, 6, 4],
    kruskal(factors).data.map((x, at) => (at % 4 === 0 ? x + 1 : 0)),
  );
  const coordinates = Array.from({ length: 30 }, (_, e) => [Math.floor(e / 6), e % 6, 0]).flat();
  const sparse = sparseTensor([5, 6, 4], { coordinates, values: X.data.filter((_, at) => at % 4 === 0) });
  const options = { ranks: [3, 2], seed: 3 };
  const { modes, levels } = await hncpd(engine, X, factors, options);
  levels.slice(1).forEach(({ factors: product, relativeError }, l) => {
    const expected = modes.map(({ A, S }) => (l === 0 ? multiply(A[0], S[0]) : multiply(multiply(A[0], A[1]), S[1])));
    product.forEach(({ data }, n) => {
      data.forEach((x, at) => {
        expect(Math.abs(x - expected[n].data[at])).toBeLessThan(1e-5);
      });
    });
    const Y = kruskal(product).data;
    const [error, norm] = X.data.reduce(([e, s], x, at) => [e + (x - Y[at]) ** 2, s + x * x], [0, 0]);
    expect(relativeError).toBeCloseTo(Math.sqrt(error / norm), 5);
  });
  // Balanced columns have the same norm in every mode: S⁰ and A⁰ of mode n approximate those.
  const again = await hncpd(engine, sparse, factors, options);
  expect(again.modes[1].A).toEqual(modes[1].A);
  again.levels.forEach(({ relativeError }, l) => {
    expect(relativeError).toBeCloseTo(levels[l].relativeError, 9);
  });
  const scaledFactors = [scaled(factors[0], 8), scaled(factors[1], 1 / 8), factors[2]];
  const same = await hncpd(engine, X, scaledFactors, options);
  same.levels.forEach(({ relativeError }, l) => {
    expect(relativeError).toBeCloseTo(levels[l].relativeError, 4);
  });
});

test('a component that is zero in one mode stays zero', async () => {
  const factors = [matrix(3, 2, [1, 0, 2, 0, 3, 0]), matrix(3, 2, [1, 5, 1, 5, 1, 5]), matrix(2, 2, [1, 7, 2, 7])];
  const { levels } = await hncpd(engine, kruskal(factors), factors, { ranks: 1 });
  expect(levels.map(({ rank }) => rank)).toEqual([2, 1]);
  expect(levels[1].relativeError).toBeLessThan(1e-3);
});

test('bad input', async () => {
  const X = kruskal(hierarchy);
  const fails = (call: Promise<unknown>, message: string, name = 'InputError') =>
    expect(call).rejects.toThrow(expect.objectContaining({ name, message: expect.stringContaining(message) }));
  await fails(hncpd(engine, X, hierarchy, { ranks: [8, 2] }), 'Rank 8 is more than mode 0 can use, whose factor is 9×6; choose at most 6.');
  await fails(hncpd(engine, X, hierarchy, { ranks: [2, 3] }), 'must not increase');
  await fails(hncpd(engine, X, hierarchy, { ranks: [2], labels: [1] } as never), "hncpd has no option 'labels'");
  await fails(hncpd(engine, X, hierarchy.slice(1), { ranks: [2] }), 'X is 9×7×8, but the factors make a 7×8 tensor', 'ShapeError');
  await fails(hncpd(engine, X, [hierarchy[0], scaled(hierarchy[1], -1), hierarchy[2]], { ranks: [2] }), 'factors[1] has the entry -');
  await fails(hncpd(engine, tensor([1, 2], [1, -1]), [], { ranks: [2] }), 'X has the entry -1 at [0, 1]');
});
