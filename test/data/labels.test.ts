/** Labels that mean none, and samples without a signal. */
import { expect, test } from 'vitest';
import { accuracyOf, classify, labelTexts, targetsOf } from '../../src/data/labels.js';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { predict } from '../../src/models/apply.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

test('labels that mean none: absent values, blanks, and what R and pandas write', () => {
  const none = [null, undefined, '', ' \t', Number.NaN, 'NA', 'N/A', '<NA>', 'NaN', 'nan'];
  expect(labelTexts([...none, 'a'])).toEqual([...none.map(() => undefined), 'a']);
  // Names that only look like them: sodium, a grandmother, a genotype.
  const names = ['Na', 'Nan', 'null', 'none', 'None', ' NA', '0', 0, false];
  expect(labelTexts(names)).toEqual(names.map(String));
  expect(labelTexts(['NA', 'EU', null], { unlabelled: [] })).toEqual(['NA', 'EU', undefined]);
  expect(labelTexts(['?', 'EU', 'NA'], { unlabelled: ['?'] })).toEqual([undefined, 'EU', 'NA']);
});

test('labels in lists of any kind', () => {
  for (const labels of [[1, 2, 1], Int32Array.of(1, 2, 1), BigInt64Array.of(1n, 2n, 1n), ['1', '2', 1n], { length: 3, 0: 1, 1: 2, 2: 1 }])
    expect(labelTexts(labels as never)).toEqual(['1', '2', '1']);
  expect(labelTexts(Float64Array.of(1, Number.NaN, 2))).toEqual(['1', undefined, '2']);
  expect(targetsOf(Float32Array.of(0, Number.NaN, 1), 3)).toMatchObject({ classes: ['0', '1'], labelled: 2 });
  for (const bad of [null, 'ab', 5, {}, new Map()]) expect(() => labelTexts(bad as never)).toThrow('labels must be a list with one label');
  for (const bad of [{}, [1], new Date(0), () => 1, Symbol('a')])
    expect(() => labelTexts(['a', bad as never])).toThrow(/^labels\[1\] must be text or a number, or null where it is unknown, not /);
});

test('−1 is refused until it is told whether it is a label', () => {
  for (const labels of [
    ['cat', 'dog', '-1'],
    [0, 1, -1],
    [0, -1],
    ['1.0', '0.0', '-1.0'],
    [-1, -1],
  ]) {
    expect(() => labelTexts(labels)).toThrow(InputError);
    expect(() => labelTexts(labels)).toThrow("is scikit-learn's mark of a sample without a label, but may be a class.");
  }
  expect(() => labelTexts([0, -1, 2], { option: 'truth' })).toThrow(/^truth has '-1'/);
  // Two classes by their sign are the other convention.
  expect(labelTexts([-1, 1, 1, -1])).toEqual(['-1', '1', '1', '-1']);
  expect(labelTexts([-1, 0, 1], { unlabelled: [-1] })).toEqual([undefined, '0', '1']);
  expect(labelTexts([-1, 0, 1], { unlabelled: ['-1'] })).toEqual([undefined, '0', '1']);
  expect(labelTexts([-1, 0, 1], { unlabelled: [] })).toEqual(['-1', '0', '1']);
});

test('a sample whose scores are all 0 has no class', () => {
  const B = matrix(3, 2, [0, 1, 2, 0, 0, 0]);
  expect([...classify(B, matrix(2, 4, [0, 1, 0, 0, 0, 0, 3, 1e-30]))]).toEqual([-1, 1, 0, 0]);
  // Coefficients of units that no class uses give no score either.
  expect([...classify(matrix(2, 2, [1, 0, 1, 0]), matrix(2, 2, [0, 1, 5, 0]))]).toEqual([-1, 0]);
  // Scores below 0 are scores: 0 is more than −1.
  expect([...classify(matrix(2, 1, [-1, 0]), matrix(1, 1, [1]))]).toEqual([1]);
  expect([...classify(matrix(2, 1, [1, 2]), matrix(1, 1, [Number.NaN]))]).toEqual([-1]);
});

test('it counts as wrong, labelled or not', () => {
  const targets = targetsOf(['a', 'b', null, null], 4);
  expect(accuracyOf(Int32Array.of(-1, 1, -1, 0), targets, ['a', 'b', 'a', 'a'])).toEqual({ labelled: 0.5, unlabelled: 0.5 });
  // Neither is a class without any labelled sample, of whatever name.
  expect(accuracyOf(Int32Array.of(0, 1, -1, -1), targets, ['a', 'b', 'undefined', 'c'])).toEqual({ labelled: 1, unlabelled: 0 });
});

test('a fit and a prediction hold to both', async () => {
  const engine = createReferenceEngine();
  // The last sample is zero everywhere, and in the alphabet's first class.
  const X = matrix(4, 5, [2, 2, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 3, 3, 0]);
  const common = { ranks: 2, maxIterations: 200, svdBound: false } as const;
  const fit = await ssnmf(engine, X, { ...common, labels: ['a', 'nan', 'b', Number.NaN, null], truth: ['a', 'a', 'b', 'b', 'a'] });
  expect(fit.supervision!.classes).toEqual(['a', 'b']);
  expect(fit.supervision!.accuracy).toEqual({ labelled: 1, unlabelled: 2 / 3 });
  const told = await ssnmf(engine, X, { ...common, labels: [0, -1, 1, -1, -1], unlabelled: [-1], truth: [0, 0, 1, 1, 0] });
  expect(told.supervision).toMatchObject({ classes: ['0', '1'], accuracy: { labelled: 1, unlabelled: 2 / 3 } });
  const { labels, scores } = await predict(engine, fit, X);
  expect(labels).toEqual(['a', 'a', 'b', 'b', null]);
  expect([scores.data[4], scores.data[9]]).toEqual([0, 0]);
  await expect(ssnmf(engine, X, { ...common, labels: [0, -1, 1, -1, 0] })).rejects.toMatchObject({ option: 'labels' });
  await expect(ssnmf(engine, X, { ...common, labels: null as never })).rejects.toMatchObject({ option: 'labels' });
  await expect(ssnmf(engine, X, { ...common, labels: [0, 1, 1, 0, 0], unlabelled: 'NA' as never })).rejects.toMatchObject({
    option: 'unlabelled',
  });
  await expect(ssnmf(engine, X, { ...common, unlabelled: [-1] })).rejects.toThrow('unlabelled does nothing without labels');
});
