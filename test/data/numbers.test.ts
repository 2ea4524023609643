/** Lists of numbers as callers have them: taken as they are, or refused with the place, never 0 in silence. */
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { checkFinite, checkNonnegative, checkWeights, describe } from '../../src/data/check.js';
import { matrix, transpose } from '../../src/data/matrix.js';
import { sparseFromDense, sparseFromEntries, sparseMatrix, sparseTranspose, toDense } from '../../src/data/sparse.js';
import { svdBounds } from '../../src/data/svd-bound.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();
const values = [1, 2, 3, 4, 5, 6];
const expected = matrix(2, 3, Float32Array.from(values));

/** A column of Arrow: a length and an iterator, no indices. */
const column = (list: readonly unknown[]) =>
  ({ length: list.length, get: (i: number) => list[i], [Symbol.iterator]: () => list[Symbol.iterator]() }) as never;

const shared = new Float32Array(new SharedArrayBuffer(24));
shared.set(values);
// TypeScript's ES2023 knows no resizable buffers.
const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;
const resizable = new Float32Array(new Resizable(24, { maxByteLength: 96 }));
resizable.set(values);

test.each<[string, never]>(
  Object.entries({
    'an array': values,
    Float64Array: Float64Array.from(values),
    Uint8ClampedArray: Uint8ClampedArray.from(values),
    Int32Array: Int32Array.from(values),
    BigInt64Array: BigInt64Array.from(values.map(BigInt)),
    BigUint64Array: BigUint64Array.from(values.map(BigInt)),
    BigInts: values.map(BigInt),
    'decimal texts': ['1', ' 2 ', '3.0', '+4', '50e-1', '6.'],
    'a list by indices': { ...values, length: 6 },
    'a column with an iterator': column(values),
    'a column of BigInts': column(values.map(BigInt)),
    'another realm: Float64Array': runInNewContext('Float64Array.from([1, 2, 3, 4, 5, 6])'),
    'another realm: an array': runInNewContext('[1, 2, 3, 4, 5, 6]'),
    'another realm: BigInt64Array': runInNewContext('BigInt64Array.from([1n, 2n, 3n, 4n, 5n, 6n])'),
    'shared memory': shared,
    'a resizable buffer': resizable,
  }) as [string, never][],
)('%s is taken', async (_, list) => {
  const X = matrix(2, 3, list);
  expect([...X.data]).toEqual(values);
  const fit = await nmf(engine, expected, { ranks: 1, maxIterations: 3, svdBound: false });
  expect((await nmf(engine, X, { ranks: 1, maxIterations: 3, svdBound: false })).S).toEqual(fit.S);
});

const none = 'but every entry needs a number; put one there, and hide it with a weight of 0 if none is known.';
const other = 'which is not a number; write numbers, or decimal texts such as "1.5".';
test.each<[string, unknown, string]>([
  ['null', null, `null, ${none}`],
  ['undefined', undefined, `undefined, ${none}`],
  ['an empty text', '', `"", ${none}`],
  ['a blank text', ' \t', `" \\t", ${none}`],
  ['true', true, `true, ${other}`],
  ['false', false, `false, ${other}`],
  ['a date', new Date(5), `a Date, ${other}`],
  ['an empty list', [], `[], ${other}`],
  ['a list', [7], `[7], ${other}`],
  ['an object', { valueOf: () => 3 }, `an Object, ${other}`],
  ['a decimal comma', '1,5', `"1,5", ${other}`],
  ['a hexadecimal text', '0x10', `"0x10", ${other}`],
  ['a text that says infinity', 'Infinity', `"Infinity", ${other}`],
  ['a text of a million characters', 'x'.repeat(1e6), `"${'x'.repeat(60)}…", ${other}`],
  ['a symbol', Symbol('s'), `Symbol(s), ${other}`],
  ['a number beyond f32', 1e39, '1e+39, which is too large for f32; rescale the data.'],
  ['a text beyond f32', '-1e39', '"-1e39", which is too large for f32; rescale the data.'],
  ['a BigInt beyond f32', 10n ** 39n, `${10n ** 39n}n, beyond ±2⁵³, up to which integers are exact; rescale the data.`],
  ['a BigInt that is not exact', 2n ** 53n + 1n, '9007199254740993n, beyond ±2⁵³'],
])('%s is refused with its place', (_, value, message) => {
  const place = { row: 1, column: 0 };
  for (const list of [[1, 2, 3, value, 5, 6], column([1, 2, 3, value, 5, 6])]) {
    const error = errorOf(() => matrix(2, 3, list as never));
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject(place);
    expect((error as Error).message).toContain(`The entry in row 1, column 0 (counted from 0) is ${message}`);
  }
  const entries = { rowIndices: [0, 1], columns: [0, 0], values: [1, value] as never };
  expect(errorOf(() => sparseFromEntries(2, 3, entries))).toMatchObject(place);
  const rows = { rowStarts: [0, 1, 2], columns: [0, 0], values: [1, value] as never };
  expect(errorOf(() => sparseMatrix(2, 3, rows))).toMatchObject(place);
});

test('a hole in an array, and an iterator that ends early, are undefined entries', () => {
  // biome-ignore lint/suspicious/noSparseArray: the hole is the point.
  expect(() => matrix(1, 3, [1, , 3] as never)).toThrow('column 1 (counted from 0) is undefined');
  expect(() => matrix(1, 3, { length: 3, [Symbol.iterator]: () => [1, 2].values() } as never)).toThrow(
    'column 2 (counted from 0) is undefined',
  );
  expect(matrix(1, 2, { length: 2, [Symbol.iterator]: () => [1, 2, 3].values() } as never).data).toEqual(Float32Array.of(1, 2));
});

test('a Float64Array beyond f32 is refused with its place; NaN and infinities stay for the checks of X', () => {
  expect(errorOf(() => matrix(2, 2, Float64Array.of(1, 2, 3, -1e39)))).toMatchObject({ row: 1, column: 1 });
  expect([...matrix(1, 3, [Number.NaN, Infinity, 3.4e38]).data]).toEqual([Number.NaN, Infinity, Math.fround(3.4e38)]);
});

test('indices of any list, but nothing that is no index', () => {
  const X = toDense(sparseFromEntries(2, 2, { rowIndices: [0, 1], columns: [1, 0], values: [5, 2] }));
  expect(X).toEqual(matrix(2, 2, [0, 5, 2, 0]));
  for (const [rowIndices, columns] of [
    [
      [0n, 1n],
      [1n, 0n],
    ],
    [BigInt64Array.of(0n, 1n), Int32Array.of(1, 0)],
    [column([0, 1]), ['1', '0']],
  ] as never[][])
    expect(toDense(sparseFromEntries(2, 2, { rowIndices, columns, values: [5, 2] }))).toEqual(X);
  expect(
    toDense(sparseMatrix(2, 2, { rowStarts: BigInt64Array.of(0n, 1n, 2n), columns: Int32Array.of(1, 0), values: Float64Array.of(5, 2) })),
  ).toEqual(X);
  for (const bad of [null, '', undefined, true, 0.5, -1, 2 ** 32, 'x', [0], 2n ** 53n])
    expect(() => sparseFromEntries(2, 2, { rowIndices: [bad as never, 1], columns: [1, 0], values: [5, 2] })).toThrow(
      `rowIndices[0] is ${describe(bad)}, but an index is an integer from 0 on.`,
    );
});

test('lists with a wrong name, or none', () => {
  const lists = { rowIndices: [0], columns: [0], values: [1] };
  expect(() => sparseFromEntries(1, 1, { ...lists, rows: [0] } as never)).toThrow(
    "sparseFromEntries has no option 'rows'. It has columns, rowIndices, values.",
  );
  expect(() => sparseMatrix(1, 1, lists as never)).toThrow("sparseMatrix has no option 'rowIndices'.");
  expect(() => sparseFromEntries(1, 1, { columns: [0], values: [1] } as never)).toThrow(
    'needs rowIndices, a list of numbers, not undefined.',
  );
  expect(() => sparseFromEntries(1, 1, null as never)).toThrow('takes its options by name, as { rowIndices: … }, not null.');
  expect(() => sparseFromEntries(1e12, 1, lists)).toThrow(InputError);
});

test('data that is no list, and sizes that are none', () => {
  for (const data of [5, 'abcd', null, {}, new Set([1, 2, 3, 4]), () => {}, new ArrayBuffer(16)])
    expect(() => matrix(2, 2, data as never)).toThrow(InputError);
  expect(() => matrix(2.5, 2, [1, 2, 3, 4, 5])).toThrow('A matrix has whole numbers of rows and columns, not 2.5×2.');
  expect(() => matrix(-1, -1, [1])).toThrow(ShapeError);
  expect(() =>
    matrix(2, 2, [
      [1, 2],
      [3, 4],
    ] as never),
  ).toThrow('join them with data.flat()');
});

const million: unknown[] = new Array(1e6).fill('x');
/** Values that callers have in the place of a matrix, of its data, of ranks and of options. */
const wrong: unknown[] = [
  undefined,
  null,
  5,
  'text',
  'x'.repeat(1e6),
  true,
  million,
  [
    [1, 2],
    [3, 4],
  ],
  { length: 3 },
  new Date(0),
  Symbol('x'),
  () => million,
  Float64Array.from(million),
  new Map(),
];
test('whatever stands in the place of a matrix is refused in a short line', async () => {
  const acts: ((value: never) => unknown)[] = [
    (X) => checkNonnegative(X),
    (X) => checkFinite(X),
    (data) => checkNonnegative({ rows: 1e3, cols: 1e3, data }),
    (rows) => checkNonnegative({ rows, cols: 1, data: Float32Array.of(1) }),
    (W) => checkWeights(W, expected),
    (values) => checkNonnegative({ rows: 1, cols: 1, rowStarts: Uint32Array.of(0, 0), columns: new Uint32Array(), values }),
    (X) => transpose(X),
    (data) => transpose({ rows: 1, cols: 1, data }),
    (X) => sparseFromDense(X),
    (X) => sparseTranspose({ rows: 1, cols: 1, rowStarts: X, columns: X, values: X }),
    (X) => toDense({ rows: 1, cols: 1, rowStarts: X, columns: X, values: X }),
    (X) => svdBounds(X, [1]),
    (ranks) => svdBounds(expected, ranks),
    (X) => nmf(engine, X, { ranks: 1 }),
    (ranks) => nmf(engine, expected, { ranks }),
    (weights) => nmf(engine, expected, { ranks: 1, weights: weights === undefined ? (null as never) : weights }),
    (seed) => nmf(engine, expected, { ranks: 1, seed: seed === undefined ? (-1 as never) : seed }),
    (options) => nmf(engine, expected, options),
    (A) => nnls(engine, expected, A),
    (data) => nnls(engine, expected, { rows: 2, cols: 1, data }),
  ];
  for (const [at, act] of acts.entries())
    for (const value of wrong) {
      // A rank of 5, a seed of 5 or none, and options without a name that is wrong.
      if (
        (at === 14 && value === 5) ||
        (at === 16 && (value === 5 || value === null)) ||
        (at === 17 && (value instanceof Map || value === undefined || value === null))
      )
        continue;
      const error = await (async () => act(value as never))().then(
        () => undefined,
        (reason) => reason,
      );
      expect(error, `act ${at} with ${describe(value)}`).toBeInstanceOf(InputError);
      expect(error.message.length, `act ${at} with ${describe(value)}`).toBeLessThan(400);
      expect(error.message).not.toContain('\n');
    }
});

test('a value of any kind in few words', () => {
  expect(describe([1, [2], 'a'])).toBe('[1, a list of 1, "a"]');
  expect(describe(million)).toBe('a list of 1000000');
  expect(describe(Object.create(null))).toBe('an object');
  expect(describe({ constructor: { name: million } })).toBe('an object');
  expect(describe(Symbol('x'.repeat(100))).length).toBeLessThan(70);
  const round: unknown[] = [];
  round.push(round, round);
  expect(describe(round)).toBe('[a list of 2, a list of 2]');
  expect(new InputError('x'.repeat(1e6)).message.length).toBe(2000);
});

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
