import { expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { matrix } from '../../src/data/matrix.js';
import { checkNames, nearestOf } from '../../src/data/names.js';
import { InputError } from '../../src/errors.js';
import { parseCsvMatrix } from '../../src/formats/csv.js';
import { parseMtxMatrix } from '../../src/formats/mtx.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { ssnmf, transformSsnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { predict, transform } from '../../src/models/apply.js';
import { readCorpus } from '../../src/node/corpus.js';
import { createEngine } from '../../src/node/engine.js';
import { readMatrix } from '../../src/node/files.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { termDocumentMatrix } from '../../src/text/term-document.js';

const engine = createReferenceEngine();
const unfolded = (options: object) =>
  unfoldedNmf(engine, matrix(2, 2, [1, 2, 3, 4]), { ranks: 2, output: 'ratioMask', ...options } as never);
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
  ['readMatrix', () => readMatrix('x.csv', { sample: 'rows' } as object), /readMatrix has no option 'sample'\. Did you mean 'samples'/],
  ['readCorpus', () => readCorpus('sotu', { fetch: true } as object), /readCorpus has no option 'fetch'/],
  ['parseCsvMatrix', () => parseCsvMatrix('1', { sourc: 'x' } as object), /parseCsvMatrix has no option 'sourc'\. Did you mean 'source'/],
  ['parseMtxMatrix', () => parseMtxMatrix('1', { name: 'x' } as object), /parseMtxMatrix has no option 'name'/],
  ['randomLowRank', () => randomLowRank(2, 2, 1, { noice: 1 } as object), /randomLowRank has no option 'noice'\. Did you mean 'noise'/],
  [
    'sources',
    () =>
      unfolded({
        sources: [
          { target: X, column: 1 },
          { target: X, columns: 1 },
        ],
      }),
    /sources\[0\] has no option 'column'\. Did you mean 'columns'/,
  ],
  ['options that are no object', () => nnls(engine, X, X, 3 as never), /nnls takes its options by name, as \{ l1: … \}, not 3\./],
  [
    'transformSsnmf',
    async () => transformSsnmf(engine, await ssnmf(engine, X, { ranks: 1 }), X, { tol: 1 } as object),
    /transformSsnmf has no option 'tol'/,
  ],
  ['forced', () => createEngine({ forced: { spil: true } } as object), /forced has no option 'spil'\. Did you mean 'spill'/],
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
