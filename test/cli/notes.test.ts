import { expect, test } from 'vitest';
import { fitNotes } from '../../src/cli/summary.js';
import type { Factorization } from '../../src/methods/methods.js';

const facts = { weighted: false, bounds: true, classesWithoutLabel: [] };
const model = (unconverged: number, illConditioned: number, illConditionedGradients = 0) =>
  ({ method: 'nmf', svdBound: 0.1, unconverged, illConditioned, illConditionedGradients }) as unknown as Factorization;

test('columns of S that cannot be trusted are told, and nothing where there are none', () => {
  expect(fitNotes(model(0, 0), facts)).toEqual([]);
  const [first, second] = fitNotes(model(1, 3), facts);
  expect(first).toMatch(/1 column of S.*not optimal/);
  expect(second).toMatch(/3 columns of S.*single precision/);
  expect(fitNotes(model(0, 0, 2), facts)).toEqual([expect.stringMatching(/Gradients through 2 columns of S.*ended early/)]);
});
