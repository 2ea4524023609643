import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { json } from '../../src/formats/json.js';
import { mutated, mutations } from '../support/mutations.js';

const read = (text: string) => json.read(new TextEncoder().encode(text), 'f.json');

test('rows, with names and missing values', () => {
  expect(read('[[1,2.5],[-0,1e-3]]')).toEqual({ X: matrix(2, 2, [1, 2.5, -0, 1e-3]) });
  expect(read('{"data":[[1,null]],"rows":["a"],"columns":["x","y"],"more":1}')).toEqual({
    X: matrix(1, 2, [1, 0]),
    rowNames: ['a'],
    columnNames: ['x', 'y'],
    missing: Uint8Array.from([0, 1]),
  });
});

test('what is written comes back, bit for bit and name by name', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 6, maxLength: 6 }), fc.string(), (data, name) => {
      const X = matrix(2, 3, Float32Array.from(data));
      const back = read(json.write(X, { rowNames: [name, 'b'] }));
      expect(back).toEqual({ X, rowNames: [name, 'b'] });
      expect(read(json.write(X))).toEqual({ X });
    }),
  );
});

test.each([
  ['', 'f.json is not JSON'],
  ['[[1,2],[3]]', 'f.json: row 1 (counted from 0) has 1 numbers, but row 0 has 2.'],
  ['[1,2]', 'where a matrix should be: a list of rows'],
  ['{"rows":["a"]}', 'f.json has undefined where a matrix should be'],
  ['null', 'where a matrix should be'],
  ['[[]]', 'where a matrix should be'],
  ['[["1"]]', 'f.json has "1" in row 0, column 0 (counted from 0), which is no number of f32.'],
  ['[[1e39]]', 'which is no number of f32'],
  ['{"data":[[1]],"columns":["a","b"]}', 'names of columns, but needs a list of 1 texts'],
])('%s is refused', (text, message) => {
  expect(() => read(text)).toThrow(InputError);
  expect(() => read(text)).toThrow(message);
});

test('mutated files are read or refused by name', () => {
  const content = new TextEncoder().encode('{"rows":["a","b"],"data":[[1,2.5,null],[0.1,-3,4e5]]}');
  fc.assert(
    fc.property(mutations(['[', ']', ',', '"', 'null', '{', '9'.repeat(400), '1e999', '[['.repeat(900)]), (changes) => {
      const file = mutated(content, changes);
      try {
        const { X } = json.read(file, 'f.json');
        const value = JSON.parse(new TextDecoder().decode(file));
        expect([...toDense(X).data]).toEqual((value.data ?? value).flat().map((one: number | null) => Math.fround(one ?? 0)));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        expect(error.message).toContain('f.json');
        expect(error.message.length).toBeLessThan(1000);
      }
    }),
    { numRuns: 400 },
  );
});
