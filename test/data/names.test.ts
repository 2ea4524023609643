import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { checkNames, nearestOf } from '../../src/data/names.js';
import { termDocumentMatrix } from '../../src/data/text.js';
import { InputError } from '../../src/errors.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { predict, transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();
const X = matrix(2, 2, [1, 2, 3, 4]);

test('the nearest name is the one with the fewest edits, if those are few', () => {
  const known = ['maxIterations', 'tolerance', 'seed', 'restarts'];
  expect(nearestOf('maxIter', known)).toBe('maxIterations');
  expect(nearestOf('Max', known)).toBe('maxIterations');
  expect(nearestOf('iterations', known)).toBe('maxIterations');
  expect(nearestOf('xIter', known)).toBeUndefined();
  expect(nearestOf('maxIterations', known)).toBe('maxIterations');
  expect(nearestOf('MaxIteration', known)).toBe('maxIterations');
  expect(nearestOf('tolerence', known)).toBe('tolerance');
  expect(nearestOf('sead', known)).toBe('seed');
  expect(nearestOf('', known)).toBeUndefined();
});

test('names that are known, and values that are undefined, pass', () => {
  expect(() => checkNames('f', { a: 1, b: undefined }, ['a'])).not.toThrow();
});

test('the error carries the option', () => {
  try {
    checkNames('f', { old: 1 }, ['a'], { old: "'a'" });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ option: 'old', message: "f has no option 'old' any more: it is now 'a'." });
  }
});

test.each<[string, () => unknown, RegExp]>([
  ['nnls', () => nnls(engine, X, X, { polished: true } as object), /nnls has no option 'polished'\. Did you mean 'polish'/],
  ['createEngine', () => createEngine({ prefers: 'cpu' } as object), /createEngine has no option 'prefers'/],
  ['createEngine on the reference', () => createEngine({ prefer: 'cpu', half: true } as object), /createEngine has no option 'half'/],
  ['termDocumentMatrix', () => termDocumentMatrix([], { stopwords: [] } as object), /Did you mean 'stopWords'/],
  [
    'transform',
    async () => transform(engine, await nmf(engine, X, { ranks: 1 }), X, { tol: 1 } as object),
    /transform has no option 'tol'/,
  ],
  [
    'predict',
    async () => predict(engine, await nmf(engine, X, { ranks: 1 }), X, { layers: 1 } as object),
    /predict has no option 'layers'/,
  ],
])('%s refuses an option that it does not have', async (_name, act, message) => {
  const attempt = (async () => act())();
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});
