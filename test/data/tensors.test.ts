import { expect, test } from 'vitest';
import { kruskal, kruskalError } from '../../src/data/kruskal.js';
import { type Matrix, matrix, multiply, transpose } from '../../src/data/matrix.js';
import { permutation, random } from '../../src/data/random.js';
import {
  asMatrix,
  checkFiniteTensor,
  checkNonnegativeTensor,
  checkSparseTensor,
  checkTensor,
  type DenseTensor,
  isSparseTensor,
  sparseTensor,
  tensor,
  toDenseTensor,
} from '../../src/data/tensors.js';
import { InputError, ShapeError } from '../../src/errors.js';

const zeros = (...shape: number[]) => tensor(shape);

/** The error that a call throws. */
function thrown(call: () => unknown): InputError {
  try {
    call();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('a dense tensor, and its matrix that shares the data', () => {
  const X = tensor([2, 1, 3], ['1', 2n, 3, 4, 5, 6]);
  expect(X).toEqual({ shape: [2, 1, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  expect(isSparseTensor(X)).toBe(false);
  const M = asMatrix(X);
  expect(M).toEqual(matrix(2, 3, [1, 2, 3, 4, 5, 6]));
  expect(M.data).toBe(X.data);
  const data = new Float32Array(4);
  expect(tensor([2, 2], data).data).toBe(data);
  expect(zeros(3, 2, 2).data).toHaveLength(12);
});

test.each<[string, () => unknown, string, object?]>([
  ['order 1', () => tensor([4]), 'The tensor has order 1, but tensors have order 2 to 6 here; what has one mode cannot be factorized'],
  [
    'order 7',
    () => tensor([1, 1, 1, 1, 1, 1, 1]),
    'The tensor has order 7, but tensors have order 2 to 6 here; join modes that belong together',
  ],
  [
    'no shape',
    () => checkTensor({} as DenseTensor),
    'X needs a shape, a list of the sizes of its modes such as [40, 40, 40], not undefined.',
  ],
  ['a size of 0', () => tensor([2, 0, 3]), 'has the shape [2, 0, 3], but mode 1 has the size 0; sizes are positive integers'],
  ['a size of 1.5', () => tensor([2, 2, 1.5]), 'mode 2 has the size 1.5'],
  ['too few entries', () => tensor([2, 2, 2], [1, 2]), 'A 2×2×2 tensor needs 8 entries, but 2 were given.'],
  ['lists of lists', () => tensor([2, 2, 2], [[], []] as never), 'join them with data.flat(Infinity)'],
  ['no list', () => tensor([2, 2], 5 as never), 'The data of a tensor must be a list of its 4 entries, not 5.'],
  ['a text', () => tensor([2, 1, 2], [1, 2, 3, 'x']), 'The entry at [1, 0, 1] (counted from 0) is "x"', { indices: [1, 0, 1] }],
  [
    'a list for a tensor',
    () => checkTensor([[1]] as never, 'X', 'data'),
    'X must be a tensor { shape, data }, not [a list of 1]',
    { option: 'data' },
  ],
  ['no Float32Array', () => checkTensor({ shape: [1, 2], data: [1, 2] } as never), 'X.data must be a Float32Array, not [1, 2]'],
  ['a short data', () => checkTensor({ shape: [2, 2], data: new Float32Array(3) }), 'X is 2×2 and needs 4 entries, but its data has 3.'],
  [
    'an entry below 0',
    () => checkNonnegativeTensor(tensor([2, 3, 2], [0, 0, 0, 0, 0, 0, 0, 0, 0, -2, 0, 0]), 'X', 'data'),
    'X has the entry -2 at [1, 1, 1] (counted from 0), but every entry must be ≥ 0; shift or clip the data first.',
    { option: 'data', indices: [1, 1, 1] },
  ],
  ['NaN', () => checkFiniteTensor(tensor([1, 2], [1, Number.NaN])), 'X has the entry NaN at [0, 1]', { indices: [0, 1] }],
])('bad input, dense: %s', (_, call, message, place = {}) => {
  const error = thrown(call);
  expect(error.message).toContain(message);
  expect(error).toMatchObject(place);
});

test('a sparse tensor of entries in any order', () => {
  const r = random(7);
  const shape = [5, 1, 7, 3];
  const data = Float32Array.from({ length: 105 }, () => (r.uniform() < 0.3 ? r.normal() : 0));
  const places = Array.from(permutation(r, 105)).filter((at) => data[at] !== 0);
  const X = sparseTensor(shape, {
    coordinates: places.flatMap((at) => [Math.floor(at / 21), 0, Math.floor(at / 3) % 7, at % 3]),
    values: places.map((at) => data[at]),
  });
  expect(isSparseTensor(X)).toBe(true);
  expect(toDenseTensor(X)).toEqual(tensor(shape, data));
  expect(X.values).toEqual(data.filter((x) => x !== 0));
  checkSparseTensor(X);
  const again = sparseTensor(shape, { coordinates: X.coordinates, values: X.values });
  expect(again.coordinates).toBe(X.coordinates);
  expect(sparseTensor([2, 2], { coordinates: [], values: [] }).values).toHaveLength(0);
});

const two = { shape: [2, 3, 2], coordinates: Uint32Array.of(0, 2, 1, 1, 0, 0), values: Float32Array.of(1, 2) };
const given = (lists: object) => () => sparseTensor([2, 3, 2], { coordinates: [0, 2, 1, 1, 0, 0], values: [1, 2], ...lists } as never);

test.each<[string, () => unknown, string, object?]>([
  ['too few coordinates', given({ coordinates: [0, 0] }), 'has 2 values and needs 6 coordinates, 3 for each, but 2 were given.'],
  ['a name that is none', given({ value: [] }), "sparseTensor has no option 'value'. Did you mean 'values'?"],
  ['no list', given({ values: 3 }), 'sparseTensor needs values, a list of numbers, not 3.'],
  ['an index below 0', given({ coordinates: [0, 0, -1, 0, 0, 0] }), 'coordinates[2] is -1, but an index is an integer from 0 on.'],
  [
    'an index out of range',
    given({ coordinates: [0, 2, 1, 1, 3, 0] }),
    'has entry 1 at [1, 3, 0] (counted from 0), but the indices of mode 1 are 0 to 2; correct the index.',
    { indices: [1, 3, 0] },
  ],
  [
    'a place twice',
    given({ coordinates: [1, 0, 0, 0, 0, 0, 1, 0, 0], values: [1, 2, 3] }),
    'has two entries at [1, 0, 0] (counted from 0); add them up or drop one.',
    { indices: [1, 0, 0] },
  ],
  ['a value that is none', given({ values: [1, null] }), 'The entry at [1, 0, 0] (counted from 0) is null', { indices: [1, 0, 0] }],
  [
    'no order',
    () => checkSparseTensor({ ...two, coordinates: Uint32Array.of(1, 0, 0, 0, 2, 1) }),
    'X has the entry at [0, 2, 1] after [1, 0, 0]',
  ],
  ['no Uint32Array', () => checkSparseTensor({ ...two, coordinates: [] as never }), 'X.coordinates must be a Uint32Array, not []'],
  [
    'a value below 0',
    () => checkNonnegativeTensor({ ...two, values: Float32Array.of(1, -1) }),
    'X has the entry -1 at [1, 0, 0] (counted from 0), but every entry must be ≥ 0',
    { indices: [1, 0, 0] },
  ],
])('bad input, sparse: %s', (_, call, message, place = {}) => {
  const error = thrown(call);
  expect(error.message).toContain(message);
  expect(error).toMatchObject(place);
});

/** [[F]] by its definition, entry by entry. */
function entry(factors: readonly Matrix[], indices: readonly number[], weights?: readonly number[]): number {
  let sum = 0;
  for (let r = 0; r < factors[0].cols; r++) sum += factors.reduce((all, F, n) => all * F.data[indices[n] * F.cols + r], weights?.[r] ?? 1);
  return sum;
}

const factorsOf = (shape: readonly number[], R: number, seed: number): Matrix[] => {
  const { normal } = random(seed);
  return shape.map((size) => matrix(size, R, Float32Array.from({ length: size * R }, normal)));
};

test.each([[[5, 3]], [[4, 1, 6]], [[3, 5, 2, 4]], [[2, 3, 1, 3, 2]], [[2, 2, 3, 2, 2, 3]]])(
  'a sum of outer products of shape %j',
  (shape) => {
    const factors = factorsOf(shape, 3, shape.length);
    const weights = [2, 0.5, 1];
    const X = kruskal(factors);
    const weighted = kruskal(factors, weights);
    const at = (indices: readonly number[]) => indices.reduce((sum, i, n) => sum * shape[n] + i, 0);
    const all = shape.reduce<number[][]>((before, size) => before.flatMap((i) => Array.from({ length: size }, (_, j) => [...i, j])), [[]]);
    for (const i of all) {
      expect(X.data[at(i)]).toBe(Math.fround(entry(factors, i)));
      expect(weighted.data[at(i)]).toBeCloseTo(entry(factors, i, weights), 5);
    }
    expect(X.data).toHaveLength(all.length);

    const other = factorsOf(shape, 2, 99);
    const [error, norm] = all.reduce(([e, s], i) => [e + (X.data[at(i)] - entry(other, i)) ** 2, s + X.data[at(i)] ** 2], [0, 0]);
    const found = kruskalError(X, other);
    expect(Math.abs(found.error / error - 1)).toBeLessThan(1e-13);
    expect(Math.abs(found.norm / norm - 1)).toBeLessThan(1e-13);

    // Every third entry stored.
    const kept = all.filter((_, e) => e % 3 === 0);
    const sparse = sparseTensor(shape, { coordinates: kept.flat(), values: kept.map((i) => X.data[at(i)]) });
    const [ofSparse, ofDense] = [kruskalError(sparse, other), kruskalError(toDenseTensor(sparse), other)];
    expect(Math.abs(ofSparse.error / ofDense.error - 1)).toBeLessThan(1e-12);
    expect(Math.abs(ofSparse.norm / ofDense.norm - 1)).toBeLessThan(1e-13);
  },
);

test('two factors are a product of matrices, and an exact one has no error', () => {
  const [A, B] = factorsOf([6, 5], 3, 1);
  const X = kruskal([A, B]);
  expect(asMatrix(X)).toEqual(multiply(A, transpose(B)));
  const { error, norm } = kruskalError(X, [A, B]);
  expect(error).toBeLessThan(norm * 2 ** -48); // X is rounded to f32
});

test('bad factors', () => {
  const [A, B, C] = factorsOf([6, 5, 4], 3, 1);
  expect(() => kruskal([A])).toThrow('The tensor of these factors has order 1');
  expect(() => kruskal(A as never)).toThrow('factors must be a list of matrices, one a mode, not an Object.');
  expect(() => kruskal([A, matrix(3, 2)])).toThrow('factors[0] has 3 columns, but factors[1] has 2');
  expect(() => kruskal([A, B], [1])).toThrow('There are 1 weights, but the factors have 3 columns');
  expect(() => kruskalError(zeros(6, 5, 4), [A, C, B])).toThrow(ShapeError);
  expect(() => kruskalError(zeros(6, 5), [A, B, C])).toThrow('X is 6×5, but the factors make a 6×5×4 tensor');
});
