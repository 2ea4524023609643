/** Numbers that TypeScript and WGSL both have a name for are the same on both sides. */
import { expect, test } from 'vitest';
import { control, mapFunctions } from '../../src/graph/operations.js';
import { leastDenominator, leastRatio } from '../../src/reference/quotient.js';
import { revivalPeriod } from '../../src/reference/update.js';
import { constantCase } from '../../src/webgpu/lower/names.js';
import { named } from '../../src/webgpu/shaders.generated.js';
import { codes } from '../support/codes.js';

test('the entries of the control vector', () => {
  const { length, ...entries } = control;
  const inCapitals = Object.fromEntries(Object.entries(entries).map(([name, at]) => [constantCase(name), at]));
  expect(named['update/control']).toEqual(inCapitals);
  expect(Math.max(...Object.values(entries))).toBeLessThan(length);
});

test('no kernel reads or writes the control vector but by these names', () => {
  for (const [kernel, code] of Object.entries(codes)) {
    for (const [, index] of code.matchAll(/\bcontrol\[([^\]]+)\]/g))
      expect(index, kernel).toMatch(new RegExp(`^(c|\\S+ \\* CONTROL_BATCH) \\+ (${Object.keys(named['update/control']).join('|')})$`));
  }
});

test('the functions of map: one number each, and none that only the kernel has', () => {
  const numbers = named['elementwise/functions'];
  expect(Object.keys(numbers).sort()).toEqual(Object.keys(mapFunctions).map(constantCase).sort());
  expect(new Set(Object.values(numbers)).size).toBe(Object.keys(numbers).length);
  // The last one is what is left when no other was asked for.
  const others = Array.from(codes['elementwise/map'].matchAll(/FUNCTION == (\w+)/g), ([, name]) => name);
  expect([...others, 'DIVERGENCE'].sort()).toEqual(Object.keys(numbers).sort());
});

test.each(['matmul/epilogue', 'reduce/terms', 'sparse/values'] as const)('%s: one number each', (part) => {
  expect(new Set(Object.values(named[part])).size).toBe(Object.keys(named[part]).length);
});

test('guards and periods of the reference', () => {
  expect(named.quotient).toEqual({ LEAST_RATIO: leastRatio, LEAST_DENOMINATOR: leastDenominator });
  expect(named.random.REVIVAL).toBe(revivalPeriod);
});
