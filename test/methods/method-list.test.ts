/** The methods as plain data, and a fit by name. */
import { describe, expect, test } from 'vitest';
import {
  createReferenceEngine,
  type FitOptions,
  factorize,
  InputError,
  type Method,
  methodList,
  nmf,
  randomLowRank,
} from '../../src/index.js';
import { methodOf, methods } from '../../src/methods/methods.js';

const engine = createReferenceEngine();
const X = randomLowRank(9, 8, 3, { seed: 2, noise: 0.1 });

test('is plain data, in the order of the methods', () => {
  const list = methodList();
  expect(list.map(({ name }) => name)).toEqual(Object.keys(methods));
  // A page gets it from its worker.
  expect(structuredClone(list)).toEqual(list);
});

describe.each(methodList())('$name', ({ name, layers, options, restarts }) => {
  test('has its options with their words', () => {
    const { options: own, layers: ownLayers, restarts: ownRestarts = 1 } = methodOf(name);
    expect(options.map((option) => option.name)).toEqual(Object.keys(own));
    for (const { name: option, kind, help, default: byDefault } of options)
      expect({ kind, help, default: byDefault }).toEqual({ kind: own[option].kind, help: own[option].help, default: own[option].default });
    expect([layers, restarts]).toEqual([ownLayers, ownRestarts]);
  });

  test('is fitted by its name as by its function', async () => {
    const given: FitOptions = { ranks: layers === 'one' ? 2 : [3, 2], maxIterations: 2, svdBound: false };
    const byName = await factorize(engine, X, name, { ...given });
    const byFunction = await methodOf(name).fit(engine, X, given);
    expect(byName.method).toBe(name);
    expect(byName.A).toEqual(byFunction.A);
    expect(byName.S).toEqual(byFunction.S);
  });
});

test('refuses another name, and options as the function does', async () => {
  expect(() => factorize(engine, X, 'pca' as Method, { ranks: 2 })).toThrow(InputError);
  expect(() => factorize(engine, X, 'toString' as Method, { ranks: 2 })).toThrow(/no method .?toString/);
  await expect(factorize(engine, X, 'nmf', { ranks: 2, cost: 'levels' })).rejects.toThrow(/cost/);
  await expect(nmf(engine, X, { ranks: 2, cost: 'levels' } as never)).rejects.toThrow(/cost/);
});
