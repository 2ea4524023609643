import { expect, test } from 'vitest';
import { kruskal } from '../../src/data/kruskal.js';
import { type Matrix, matrix, multiply } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { hierarchyOf, tensorTopics } from '../../src/topics/tensor.js';

const r = random(8);
const draw = (rows: number, cols: number): Matrix => matrix(rows, cols, Float32Array.from({ length: rows * cols }, r.uniform));
const sum = (data: ArrayLike<number>) => Array.from(data).reduce((all, x) => all + x, 0);

const shape = [5, 4, 6];
const [R, r1, r2] = [4, 3, 2];
const level = (rank: number) => ({ rank, relativeError: 0.1, modeBound: null, tuckerError: null });
const factors = shape.map((size) => draw(size, R));
// The middle mode has no topics.
const A = shape.map((size, n) => (n === 1 ? [] : [draw(size, r1), draw(r1, r2)]));
const S = shape.map((_, n) => (n === 1 ? [] : [draw(r1, R), draw(r2, R)]));
const chains = { shape, factors, A, S, levels: [level(R), level(r1), level(r2)] };

/** The part of the mass of a level in which the topics of these numbers meet, by forming the tensors. */
function massOf(l: number, chosen: (number | undefined)[]): number {
  const parts = shape.map((_, n) => {
    if (A[n].length === 0) return factors[n];
    const columns = l === 1 ? A[n][0] : multiply(A[n][0], A[n][1]);
    const rows = S[n][l - 1];
    const kept = { ...rows, data: rows.data.map((x, at) => (chosen[n] === undefined || Math.floor(at / R) === chosen[n] ? x : 0)) };
    return multiply(columns, kept);
  });
  return sum(kruskal(parts).data);
}

test('shares of topics are parts of the entries of the level, mode by mode and joined', () => {
  const { levels } = tensorTopics(hierarchyOf(chains), 3);
  for (const l of [1, 2]) {
    const { rank, topics, joined } = levels[l];
    const whole = massOf(l, []);
    topics.forEach(({ index, modes }) => {
      expect(modes.map(({ mode }) => mode)).toEqual([0, 2]);
      for (const { mode, share } of modes)
        expect(share).toBeCloseTo(
          massOf(
            l,
            shape.map((_, n) => (n === mode ? index : undefined)),
          ) / whole,
          5,
        );
    });
    const together = Array.from({ length: rank }, (_, j) => massOf(l, [j, undefined, j]));
    expect(joined).toBeCloseTo(sum(together) / whole, 5);
  }
  const products = levels[0];
  expect(products.joined).toBeCloseTo(1);
  const one = factors.map(({ rows, data }) =>
    matrix(
      rows,
      1,
      Float32Array.from({ length: rows }, (_, i) => data[i * R + 2]),
    ),
  );
  expect(products.topics[2].modes[1].share).toBeCloseTo(sum(kruskal(one).data) / sum(kruskal(factors).data), 5);
});

test('entries are the heaviest of their column, and flows do not hang on the scale of the factors', () => {
  const { levels, flows } = tensorTopics(hierarchyOf(chains), 2);
  const columns = multiply(A[2][0], A[2][1]);
  const column = Array.from({ length: 6 }, (_, i) => columns.data[i * r2 + 1]);
  const order = column.map((_, i) => i).sort((a, b) => column[b] - column[a]);
  expect(levels[2].topics[1].modes[1].entries).toEqual(
    order.slice(0, 2).map((index) => ({ index, share: expect.closeTo(column[index] / sum(column), 6) })),
  );
  expect(flows.map(({ of, from, mode }) => [of, from, mode])).toEqual([
    [0, 1, 0],
    [0, 1, 2],
    [2, 1, 0],
    [2, 1, 2],
  ]);
  for (const { shares } of flows) for (const row of shares) expect(sum(row)).toBeCloseTo(1);
  // Column j of A¹ with the sums of the columns of A⁰: the parts of topic j of the level below.
  const of0 = Array.from(
    { length: r1 },
    (_, i) => sum(Array.from({ length: 5 }, (_, e) => A[0][0].data[e * r1 + i])) * A[0][1].data[i * r2],
  );
  expect(flows[2].shares[0]).toEqual(of0.map((x) => expect.closeTo(x / sum(of0), 5)));
  const scaled = { ...A[0][0], data: A[0][0].data.map((x, at) => x * [1, 8, 0.25][at % r1]) };
  const undone = { ...A[0][1], data: A[0][1].data.map((x, at) => x / [1, 8, 0.25][Math.floor(at / r2)]) };
  const again = tensorTopics(hierarchyOf({ ...chains, A: [[scaled, undone], ...A.slice(1)] }), 2);
  expect(again.flows[2].shares).toEqual(flows[2].shares);
});
