/** Numbers from bytes: to the bit what Math.fround(Number(text)) gives, by JavaScript's own reading. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDecimal } from '../../src/formats/decimal.js';

const point = 46;
function read(text: string, decimal = point): { value: number; end: number } {
  const cursor = { at: -1 };
  const value = readDecimal(new TextEncoder().encode(`${text}\n`), 0, decimal, cursor);
  return { value, end: cursor.at };
}

const digits = (most: number) => fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most }).map((list) => list.join(''));
const written = fc
  .tuple(fc.constantFrom('', '-', '+'), digits(25), fc.option(digits(25)), fc.option(fc.integer({ min: -70, max: 50 })))
  .map(([sign, whole, fraction, power]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${power === null ? '' : `e${power}`}`);
/** Texts near the middle between two values of f32, where one digit decides. */
const middles = fc
  .tuple(fc.integer({ min: 1, max: 0x7f7ffffe }), fc.integer({ min: -3, max: 3 }), fc.integer({ min: 9, max: 25 }))
  .map(([bits, off, precision]) => {
    const [below, above] = new Float32Array(new Uint32Array([bits, bits + 1]).buffer);
    return ((below + above) / 2 + off * Number.EPSILON * below).toPrecision(precision);
  });

test('the bits of Number and fround, or no answer', () => {
  let [sure, unsure] = [0, 0];
  fc.assert(
    fc.property(
      fc.oneof(
        written,
        middles,
        fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      ),
      (text) => {
        const { value, end } = read(text);
        if (Number.isNaN(value)) return void unsure++;
        sure++;
        expect(end).toBe(text.length);
        expect(Object.is(value, Math.fround(Number(text)))).toBe(true);
      },
    ),
    { numRuns: 20_000 },
  );
  expect(sure).toBeGreaterThan(unsure);
});

test('what numpy.savetxt and repr write is answered, not left to the slow way', () => {
  for (const text of [
    '1.500000000000000000e+00',
    '0.12345678901234568',
    '3.141592653589793116e+00',
    '1e-45',
    '-0',
    '100000000000000000000',
    '4.9e-324',
  ])
    if (text !== '4.9e-324') expect(Object.is(read(text).value, Math.fround(Number(text)))).toBe(true);
    else expect(read(text).value).toBeNaN();
});

test('where a number ends, and what is none', () => {
  expect(read('12,5')).toEqual({ value: 12, end: 2 });
  expect(read('12,5', 44)).toEqual({ value: 12.5, end: 4 });
  expect(read('.5;')).toEqual({ value: 0.5, end: 2 });
  expect(read('7.')).toEqual({ value: 7, end: 2 });
  for (const text of ['', '.', '-', '+.', 'e5', '1e', '1e+', 'x', 'NaN']) expect(read(text).value).toBeNaN();
});
