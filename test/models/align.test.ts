/** Names in another order, missing, unknown, twice. */
import { expect, test } from 'vitest';
import { inOrderOf } from '../../src/cli/data-file.js';
import { matrix } from '../../src/data/matrix.js';
import { sparseFromDense, toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { orderOf, rowsInOrder } from '../../src/models/align.js';

const order = (given: string[], wanted: string[]) => orderOf({ names: given, of: 'new.csv' }, { names: wanted, of: 'model' });

test('rows go where the names are', () => {
  const X = matrix(3, 2, [1, 2, 3, 4, 5, 6]);
  const places = order(['c', 'a', 'b'], ['a', 'b', 'c'])!;
  expect(rowsInOrder(X, places)).toEqual(matrix(3, 2, [3, 4, 5, 6, 1, 2]));
  const sparse = sparseFromDense(matrix(3, 3, [1, 0, 2, 0, 0, 3, 0, 4, 0]));
  expect(toDense(rowsInOrder(sparse, places))).toEqual(matrix(3, 3, [0, 0, 3, 0, 4, 0, 1, 0, 2]));
  expect(order(['a', 'a'], ['a', 'a'])).toBeUndefined();
});

test.each<[string[], string[], string]>([
  [['a', 'x'], ['a', 'b'], 'The features of new.csv are not those of model: it lacks b and model does not know x. Give the same features.'],
  [['a'], ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'it lacks b, c, d, e and 2 more. Give'],
  [['a', 'b', ''], ['a', 'b'], 'model does not know one without a name. Give'],
  [['b', 'a', 'a'], ['a', 'a', 'b'], 'stand in another order than those of model, and new.csv has a more than once; give the same order.'],
])('%j for %j is refused', (given, wanted, message) => {
  expect(() => order(given, wanted)).toThrow(InputError);
  expect(() => order(given, wanted)).toThrow(message);
});

test('data is put into the order of a model, weights too, and that is said', () => {
  const data = {
    path: 'new.csv',
    samples: 'rows' as const,
    notes: [],
    X: matrix(2, 1, [1, 2]),
    weights: matrix(2, 1, [0, 1]),
    features: ['b', 'a'],
  };
  const put = inOrderOf(data, ['a', 'b'], 'model');
  expect(put).toMatchObject({ X: matrix(2, 1, [2, 1]), weights: matrix(2, 1, [1, 0]), features: ['a', 'b'] });
  expect(put.notes).toEqual(['The features of new.csv stand in another order than those of the model; they were put into that order.']);
  expect(inOrderOf(data, undefined, 'model')).toBe(data);
});
