/** An InputError says which option is to blame, and which row and column, counted from 0. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  checkAtLeastZero,
  checkFinite,
  checkNewSamples,
  checkNonnegative,
  checkPositive,
  checkPositiveInteger,
  checkRanks,
  checkSeed,
  checkWeights,
  layerValues,
} from '../../src/data/check.js';
import { targetsOf } from '../../src/data/labels.js';
import { matrix } from '../../src/data/matrix.js';
import { requireDense, sparseFromDense, sparseFromEntries, sparseMatrix } from '../../src/data/sparse.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { parseCsvMatrix } from '../../src/formats/csv.js';
import { within } from '../../src/formats/file-format.js';
import { parseMtxMatrix } from '../../src/formats/mtx.js';
import { methods } from '../../src/methods/methods.js';
import { type NeuralOptions, neuralNmf } from '../../src/methods/neural.js';
import type { OptionRecord } from '../../src/methods/options.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { termDocumentMatrix } from '../../src/text/term-document.js';

const X = matrix(2, 3, [1, 1, 1, 1, 1, 1]);
const bad = matrix(2, 3, [1, 1, 1, 1, -1, 1]);
const weights = (...entries: number[]) => checkWeights(matrix(2, 3, entries), X, 'weights');
const documents = [{ name: 'a', text: 'apple' }];

const places: Record<string, [() => unknown, { option?: string; row?: number; column?: number }]> = {
  'an entry below 0': [() => checkNonnegative(bad), { row: 1, column: 1 }],
  'a stored entry': [() => checkNonnegative(sparseFromDense(matrix(2, 3, [0, 0, 0, 0, 0, -1]))), { row: 1, column: 2 }],
  NaN: [() => checkFinite(matrix(1, 2, [1, Number.NaN])), { row: 0, column: 1 }],
  'new samples': [() => checkNewSamples(bad, 2), { row: 1, column: 1 }],
  'a negative weight': [() => weights(1, 1, -1, 1, 1, 1), { option: 'weights', row: 0, column: 2 }],
  'a hidden row': [() => weights(1, 1, 1, 0, 0, 0), { option: 'weights', row: 1 }],
  'a hidden column': [() => weights(0, 1, 1, 0, 1, 1), { option: 'weights', column: 0 }],
  'weights of another shape': [() => checkWeights(matrix(1, 1, [1]), X, 'weights'), { option: 'weights' }],
  'weights of a sparse X': [() => checkWeights(X, sparseFromDense(X), 'weights'), { option: 'weights' }],
  'sparse data for something': [() => requireDense(sparseFromDense(X), 'This'), {}],
  'ranks that increase': [() => checkRanks([1, 2], 2, 3), { option: 'ranks' }],
  'no ranks': [() => checkRanks([], 2, 3), { option: 'ranks' }],
  'a rank beyond X': [() => checkRanks([3], 2, 3), { option: 'ranks' }],
  'a seed': [() => checkSeed(-1), { option: 'seed' }],
  iterations: [() => checkPositiveInteger('maxIterations', 0), { option: 'maxIterations' }],
  'a part of an option': [() => checkPositiveInteger('sources[0].columns', 0), { option: 'sources' }],
  'what is no option': [() => checkPositive('The weight of layer 1', 0), {}],
  'a name of several words': [() => checkPositive('weight of layer 1', 0), {}],
  'a weight of labels': [() => checkAtLeastZero('labelWeight', -1), { option: 'labelWeight' }],
  'values of layers': [() => layerValues('l1', [1, 2], 3), { option: 'l1' }],
  labels: [() => targetsOf(['a', 'a'], 2), { option: 'labels' }],
  'no labels': [() => targetsOf(['', ''], 2), { option: 'labels' }],
  'labels of other samples': [() => targetsOf(['a'], 2), { option: 'labels' }],
  'a fraction': [() => termDocumentMatrix(documents, { maxDocumentFraction: 2 }), { option: 'maxDocumentFraction' }],
  'terms that are too rare': [() => termDocumentMatrix(documents, { minDocuments: 2 }), { option: 'minDocuments' }],
  'entries out of range': [() => sparseFromEntries(2, 2, { rowIndices: [1, 2], columns: [0, 1], values: [1, 1] }), { row: 2, column: 1 }],
  'columns that fall': [() => sparseMatrix(1, 3, { rowStarts: [0, 2], columns: [2, 1], values: [1, 1] }), { row: 0, column: 1 }],
  'a cell of CSV, below its header': [() => parseCsvMatrix('a,b\n1,2\n\n3,x\n'), { row: 1, column: 1 }],
  'a row of CSV': [() => parseCsvMatrix('1,2\n3,4\n5\n'), { row: 2 }],
  'a value of .mtx': [() => parseMtxMatrix('%%MatrixMarket matrix coordinate real general\n2 3 2\n1 1 1\n2 3 x\n'), { row: 1, column: 2 }],
  'a value of a .mtx array': [
    () => parseMtxMatrix('%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n1e99\n'),
    { row: 1, column: 1 },
  ],
  'a place twice': [() => parseMtxMatrix('%%MatrixMarket matrix coordinate real general\n2 3 2\n2 1 1\n2 1 1\n'), { row: 1, column: 0 }],
};

test.each(Object.entries(places))('%s', (_, [refuse, place]) => {
  const error = errorOf(refuse);
  expect(error).toBeInstanceOf(InputError);
  const { option, row, column } = error as InputError;
  expect({ option, row, column }).toEqual({ option: undefined, row: undefined, column: undefined, ...place });
});

const checked = Object.values(methods).flatMap(({ name, options }) =>
  Object.entries(options as OptionRecord).flatMap(([option, { kind, check }]) =>
    ['data', 'labels', 'matrix', 'ownMatrix'].includes(kind) ? [] : [[name, option, check] as const],
  ),
);
test.each(checked)('%s: a bad %s', (_, option, check) => {
  expect(errorOf(() => check(option, -1.5))).toMatchObject({ name: 'InputError', option });
});

test('what is not known is no property; a cause stays', () => {
  const error = new InputError('Not so.', { row: 0 });
  expect(Object.keys(error).sort()).toEqual(['name', 'row']);
  expect(inspect(error)).not.toContain('undefined');
  const cause = new Error('why');
  expect(new ShapeError('Not so.', { cause, option: 'ranks' })).toMatchObject({ cause, option: 'ranks', name: 'ShapeError' });
  expect('cause' in new InputError('Not so.')).toBe(false);
});

test('a file put before the message leaves row and column, and takes the place of the option', () => {
  const inner = new InputError('bad', { option: 'labels', row: 3, column: 0 });
  const outer = errorOf(() =>
    within('f.txt', () => {
      throw inner;
    }),
  );
  expect(outer).toMatchObject({ message: 'f.txt: bad', row: 3, column: 0, cause: inner });
  expect(outer).not.toHaveProperty('option');
});

test('a fit passes it on', async () => {
  const engine = createReferenceEngine();
  await expect(neuralNmf(engine, X, { ranks: [1], maxIterations: 0 })).rejects.toMatchObject({ option: 'maxIterations' });
  await expect(neuralNmf(engine, X, { ranks: 2, maxIteration: 5 } as NeuralOptions)).rejects.toMatchObject({ option: 'maxIteration' });
  await expect(neuralNmf(engine, X, { ranks: 1, tolerance: 1 })).rejects.toMatchObject({ option: 'tolerance' });
  await expect(neuralNmf(engine, bad, { ranks: [1] })).rejects.toMatchObject({ row: 1, column: 1 });
  const weights = matrix(2, 3, [1, 1, 1, 1, 1, 0.5]);
  await expect(ssnmf(engine, X, { ranks: 1, weights })).rejects.toMatchObject({ option: 'weights', row: 1, column: 2 });
  await expect(ssnmf(engine, X, { ranks: 1, model: 4 })).rejects.toMatchObject({ option: 'model' });
});

function errorOf(refuse: () => unknown): unknown {
  try {
    refuse();
  } catch (error) {
    return error;
  }
  return undefined;
}
