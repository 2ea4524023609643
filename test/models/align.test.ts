/** Names in another order, missing, unknown, twice. */
import { expect, test } from 'vitest';
import { asInModel } from '../../src/cli/data-file.js';
import { matrix } from '../../src/data/matrix.js';
import { sparseFromDense, toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { orderOf, rowsInOrder } from '../../src/models/align.js';
import { transform } from '../../src/models/apply.js';
import { modelFromFiles } from '../../src/models/files.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

/** X ≈ S, with two features. */
const model = await (async () => {
  const json = { format: 3, method: 'nmf', ranks: [2] };
  const header = JSON.stringify({ A0: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } });
  const bytes = new Uint8Array(8 + header.length + 16);
  bytes[0] = header.length;
  bytes.set(new TextEncoder().encode(header), 8);
  bytes.set(new Uint8Array(Float32Array.of(1, 0, 0, 1).buffer), 8 + header.length);
  return modelFromFiles(async (name) => (name === 'model.json' ? new TextEncoder().encode(JSON.stringify(json)) : bytes));
})();

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
  const put = asInModel(data, { ...model, features: ['a', 'b'] }, 'model');
  expect(put).toMatchObject({ X: matrix(2, 1, [2, 1]), weights: matrix(2, 1, [1, 0]), features: ['a', 'b'] });
  expect(put.notes).toEqual(['The features of new.csv stand in another order than those of the model; they were put into that order.']);
  expect(asInModel(data, model, 'model')).toBe(data);
});

test('transform puts rows and weights into the order of the model', async () => {
  const engine = createReferenceEngine();
  const named = { ...model, features: ['a', 'b'] };
  // A = I, so S is X.
  const [S] = await transform(engine, named, matrix(2, 2, [1, 2, 3, 4]), { features: ['b', 'a'] });
  expect([...S.data]).toEqual([3, 4, 1, 2]);
  // Where b has no value, S is 0 in its row.
  const [hidden] = await transform(engine, named, matrix(2, 2, [1, 2, 3, 4]), {
    features: ['b', 'a'],
    weights: matrix(2, 2, [0, 1, 1, 1]),
  });
  expect([...hidden.data]).toEqual([3, 4, 0, 2]);
  await expect(transform(engine, named, matrix(2, 1, [1, 2]), { features: ['a', 'c'] })).rejects.toThrow(
    'The features of newX are not those of the model: it lacks b and the model does not know c. Give the same features.',
  );
});

test('a table that lies the other way is told from one of other features', () => {
  const data = {
    path: 'new.csv',
    samples: 'columns' as const,
    notes: [],
    X: matrix(1, 2, [1, 2]),
    features: ['y'],
    sampleNames: ['b', 'a'],
  };
  expect(() => asInModel(data, { ...model, features: ['a', 'b'] }, 'model')).toThrow(
    'The features of model are the columns of new.csv; read them so: --samples rows.',
  );
});

test('of a model of texts the terms are compared', () => {
  const text = { terms: ['sea', 'ship'], idf: null, weighting: 'counts', language: null, options: {} };
  const data = { path: 'new.csv', samples: 'rows' as const, notes: [], X: matrix(2, 1, [1, 2]) };
  expect(asInModel({ ...data, features: ['ship', 'sea'] }, { ...model, text }, 'model').X).toEqual(matrix(2, 1, [2, 1]));
  expect(() => asInModel({ ...data, features: ['w0', 'w1'] }, { ...model, text }, 'model')).toThrow(
    /new.csv are not those of model: it lacks sea and ship and model does not know w0 and w1\. Texts take the rows/,
  );
});
