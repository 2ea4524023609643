import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js';
import { bytesAllocated } from '../support/allocations.js';
import { mutated, mutations } from '../support/mutations.js';

/** By safetensors.numpy.save of Python, safetensors 0.8.0. */
const byPython = new Uint8Array(
  Buffer.from(
    'SAIAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJtYWRlIjoiYnkgcHl0aG9uIn0sInVuc2lnbmVkIjp7ImR0eXBlIjoiVTY0Iiwic2hhcGUiOlsxLDJdLCJkYXRhX29mZnNldHMiOlswLDE2XX0sImxvbmciOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6WzEsMl0sImRhdGFfb2Zmc2V0cyI6WzE2LDMyXX0sImRvdWJsZSI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbMiwxXSwiZGF0YV9vZmZzZXRzIjpbMzIsNDhdfSwiQTAiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzQ4LDcyXX0sImRlZXAiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzEsMSwxXSwiZGF0YV9vZmZzZXRzIjpbNzIsNzZdfSwiaGFsZiI6eyJkdHlwZSI6IkYxNiIsInNoYXBlIjpbMiwyXSwiZGF0YV9vZmZzZXRzIjpbNzYsODRdfSwidmVjdG9yIjp7ImR0eXBlIjoiSTE2Iiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbODQsOTBdfSwic21hbGwiOnsiZHR5cGUiOiJJOCIsInNoYXBlIjpbMSwyXSwiZGF0YV9vZmZzZXRzIjpbOTAsOTJdfSwidHJ1dGgiOnsiZHR5cGUiOiJCT09MIiwic2hhcGUiOlsxLDJdLCJkYXRhX29mZnNldHMiOls5Miw5NF19fQAAAAAAAACAAwAAAAAAAAD+/////////wAAAAAAAQAAmpmZmZmZuT9VVVVVVVXVPwAAgD8AACBAAABAwAAAAABvEoM6AADgQAAAAAAAPv/7AQAAAAEAAgADAIB/AQA=',
    'base64',
  ),
);

test('a file by Python', () => {
  const tensors = decodeSafetensors(byPython);
  const read = (name: string) => tensors.get(name)!.matrix();
  expect(read('A0')).toEqual(matrix(2, 3, [1, 2.5, -3, 0, 1e-3, 7]));
  expect(read('half')).toEqual(matrix(2, 2, [1.5, -65504, 2 ** -24, 0]));
  expect(read('double')).toEqual(matrix(2, 1, [0.1, 1 / 3]));
  expect(read('long')).toEqual(matrix(1, 2, [-2, 2 ** 40]));
  expect(read('unsigned')).toEqual(matrix(1, 2, [2 ** 63, 3]));
  expect(read('small')).toEqual(matrix(1, 2, [-128, 127]));
  expect(read('truth')).toEqual(matrix(1, 2, [1, 0]));
  expect(read('vector')).toEqual(matrix(3, 1, [1, 2, 3]));
  expect(() => read('deep')).toThrow('Tensor "deep" of the .safetensors file has the shape (1, 1, 1), but a matrix has 2 dimensions');
});

/** A file put together by hand. */
function file(header: unknown, numbers: number[], length?: number): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const size = length ?? text.length;
  return Uint8Array.from([size & 255, (size >> 8) & 255, 0, 0, 0, 0, 0, 0, ...Buffer.from(text), ...numbers]);
}
const tensor = (dtype: unknown, shape: unknown, data_offsets: unknown) => ({ dtype, shape, data_offsets });
const four = [0, 0, 128, 63];

test('bfloat16, and matrices from the middle of a buffer', () => {
  // 1.0 is 3f80, −3.140625 is c049, the largest is 7f7f.
  const bf16 = file({ x: tensor('BF16', [1, 3], [0, 6]) }, [0x80, 0x3f, 0x49, 0xc0, 0x7f, 0x7f]);
  expect(decodeSafetensors(bf16).get('x')!.matrix()).toEqual(matrix(1, 3, [1, -3.140625, 3.3895313892515355e38]));
  const part = matrix(1, 2, new Float32Array([9, 1, 2, 9]).subarray(1, 3));
  const bytes = encodeSafetensors({ part });
  const inside = new Uint8Array(bytes.length + 3);
  inside.set(bytes, 3);
  expect(decodeSafetensors(inside.subarray(3)).get('part')!.matrix()).toEqual(matrix(1, 2, [1, 2]));
});

test('what is written comes back bit for bit, and is aligned', () => {
  const arbitrary = fc.dictionary(
    fc.string({ minLength: 1, maxLength: 9 }).filter((name) => name !== '__metadata__' && name !== '__proto__'),
    fc
      .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
      .chain(([rows, cols]) =>
        fc.array(fc.float(), { minLength: rows * cols, maxLength: rows * cols }).map((data) => matrix(rows, cols, Float32Array.from(data))),
      ),
    { minKeys: 1, maxKeys: 4 },
  );
  fc.assert(
    fc.property(arbitrary, (tensors) => {
      const bytes = encodeSafetensors(tensors, { format: 'test' });
      expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0);
      const back = decodeSafetensors(bytes);
      expect([...back.keys()].sort()).toEqual(Object.keys(tensors).sort());
      for (const [name, X] of Object.entries(tensors) as [string, Matrix][]) {
        const { rows, cols, data } = back.get(name)!.matrix();
        expect([rows, cols]).toEqual([X.rows, X.cols]);
        expect(new Uint8Array(data.buffer)).toEqual(new Uint8Array(X.data.buffer));
      }
    }),
  );
});

test.each<[Uint8Array, string]>([
  [new Uint8Array(0), 'This is not a whole .safetensors file: it has 0 bytes'],
  [file('{}', [], 1000), 'its header should have 1000 bytes, but 2 follow'],
  [Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255, 123, 125]), 'the length of its header, say 18446744073709552000'],
  [file('{"x"', []), 'its header is not JSON'],
  [file('[]', []), 'its header is no JSON object'],
  [file({ x: 7 }, []), 'Tensor "x" of the .safetensors file has the dtype undefined, which is no text'],
  [file({ x: tensor('F32', 'x', [0, 4]) }, four), 'has the shape "x", which is no list of sizes'],
  [file({ x: tensor('F32', [-1, 4], [0, 4]) }, four), 'has the shape [-1, 4], which is no list of sizes'],
  [file({ x: tensor('F32', [1, 1], [0, 8]) }, four), 'lies at [0, 8], but 4 bytes follow the header'],
  [file({ x: tensor('F32', [1, 1], [4, 0]) }, four), 'lies at [4, 0]'],
  [file({ x: tensor('F32', [1, 2], [0, 4]) }, four), 'has the shape (1, 2) of F32, which needs 8 bytes, but takes 4'],
  [file({ x: tensor('F32', [1e12, 1e12], [0, 4]) }, four), 'which needs 4e+24 bytes, but takes 4'],
  [file({ x: tensor('F32', [1, 1], [0, 4]), y: tensor('F32', [1, 1], [0, 4]) }, four), 'tensor "y" begins at byte 0 of the numbers'],
  [
    file({ x: tensor('F32', [1, 1], [4, 8]) }, [...four, ...four]),
    'tensor "x" begins at byte 4 of the numbers, but the one before it ends at 0',
  ],
  [file({ x: tensor('F32', [1, 1], [0, 4]) }, [...four, 1]), 'its tensors take 4 bytes, but 5 follow the header'],
])('a bad file is refused (%#)', (bytes, message) => {
  expect(() => decodeSafetensors(bytes)).toThrow(InputError);
  expect(() => decodeSafetensors(bytes)).toThrow(message);
});

test.each<[unknown, number[], string]>([
  [tensor('F8_E4M3', [1, 1], [0, 1]), [1], 'has the dtype F8_E4M3, but only F16, BF16, F32'],
  [tensor('F32', [0, 1000000000000], [0, 0]), [], 'has the shape (0, 1000000000000), which has no entries'],
  [tensor('F64', [1, 1], [0, 8]), [0, 0, 0, 0, 0, 0, 0x80, 0x48], 'Tensor "x" has 1.7'],
])('a tensor that is no matrix of f32 is refused (%#)', (entry, numbers, message) => {
  expect(() =>
    decodeSafetensors(file({ x: entry }, numbers))
      .get('x')!
      .matrix(),
  ).toThrow(InputError);
  expect(() =>
    decodeSafetensors(file({ x: entry }, numbers))
      .get('x')!
      .matrix(),
  ).toThrow(message);
});

test('mutated files are read or refused by name, in little memory', () => {
  const pieces = ['"', '{', '}', '[', ']', ',', ':', '0', '9'.repeat(20), 'F32', 'F64', 'I8', '"data_offsets":[0,4]', '\0', '\0\0\0\0'];
  fc.assert(
    fc.property(mutations(pieces), (changes) => {
      const bytes = mutated(byPython, changes);
      const allocated = bytesAllocated(() => {
        try {
          for (const one of decodeSafetensors(bytes).values()) one.matrix();
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message.length).toBeLessThan(1000);
        }
      });
      // f32 of each byte at most, beside the header.
      expect(allocated).toBeLessThan(10 * bytes.length + 1000);
    }),
    { numRuns: 400 },
  );
});
