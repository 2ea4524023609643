import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { decodeNpy, encodeNpy } from '../../src/formats/npy.js';

const base64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

/** A file put together by hand. */
function npy(descr: string, shape: string, entries: number[], order = 'False'): Uint8Array {
  const header = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
  return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0, ...Buffer.from(header), ...entries]);
}

test.each([
  // Made with Python's struct.pack, without numpy: version 1; version 2, '>f8', Fortran order, Python 2's shape; version 3, '<i8', 1-D.
  [
    'k05VTVBZAQA8AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9CgAAgD8AACBAAABAwAAAAABvEoM6AADgQA==',
    matrix(2, 3, [1, 2.5, -3, 0, 1e-3, 7]),
  ],
  [
    'k05VTVBZAgA9AAAAeydkZXNjcic6ICc+ZjgnLCAnZm9ydHJhbl9vcmRlcic6IFRydWUsICdzaGFwZSc6ICgyTCwgM0wpLCB9Cj/wAAAAAAAAQBAAAAAAAABAAAAAAAAAAEAUAAAAAAAAQAgAAAAAAABAGAAAAAAAAA==',
    matrix(2, 3, [1, 2, 3, 4, 5, 6]),
  ],
  [
    'k05VTVBZAwA6AAAAeydkZXNjcic6ICc8aTgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywpLCB9Cv7/////////AAAAAAABAAAFAAAAAAAAAA==',
    matrix(3, 1, [-2, 2 ** 40, 5]),
  ],
  // Made with numpy.save: '<f8' in Fortran order.
  [
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAADwPwAAAAAAABBAAAAAAAAAAEAAAAAAAAAUQAAAAAAAAAhAAAAAAAAAGEA=',
    matrix(2, 3, [1, 2, 3, 4, 5, 6]),
  ],
])('files by Python (%#)', (text, expected) => {
  expect(decodeNpy(base64(text))).toEqual(expected);
});

test.each([
  ['<f2', [0x00, 0x3e, 0xff, 0xfb, 0x01, 0x00, 0x00, 0x84], [1.5, -65504, 2 ** -24, -(2 ** -14)]],
  ['|u1', [0, 255], [0, 255]],
  ['|i1', [0x80, 0x7f], [-128, 127]],
  ['|b1', [1, 0], [1, 0]],
  ['<i2', [0xd4, 0xfe, 0x2c, 0x01], [-300, 300]],
  ['<u2', [1, 0, 0xff, 0xff], [1, 65535]],
  ['>u2', [0, 1, 0xff, 0xff], [1, 65535]],
  ['<i4', [0x90, 0xee, 0xfe, 0xff, 2, 0, 0, 0], [-70000, 2]],
  ['<u4', [0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0], [4294967295, 1]],
  ['>i8', [255, 255, 255, 255, 255, 255, 255, 254, 0, 0, 0, 2, 0, 0, 0, 0], [-2, 2 ** 33]],
  ['<u8', [0, 0, 0, 0, 0, 0, 0, 128, 3, 0, 0, 0, 0, 0, 0, 0], [2 ** 63, 3]],
  ['>f4', [0x3f, 0x80, 0, 0, 0xc0, 0x40, 0, 0], [1, -3]],
])('dtype %s', (dtype, bytes, expected) => {
  expect(decodeNpy(npy(`'${dtype}'`, `(1, ${expected.length})`, bytes))).toEqual(matrix(1, expected.length, expected));
});

test('what is written has an aligned header and reads back, also from the middle of a buffer', () => {
  for (const [rows, cols] of [
    [1, 1],
    [7, 13],
    [3, 1234],
  ]) {
    const X = matrix(
      rows,
      cols,
      Float32Array.from({ length: rows * cols }, (_, i) => i / 7 - 2),
    );
    const bytes = encodeNpy(X);
    expect((bytes.length - 4 * rows * cols) % 64).toBe(0);
    const inside = new Uint8Array(bytes.length + 3);
    inside.set(bytes, 3);
    expect(decodeNpy(inside.subarray(3))).toEqual(X);
  }
  const part = matrix(1, 2, new Float32Array([9, 1, 2, 9]).subarray(1, 3));
  expect(decodeNpy(encodeNpy(part))).toEqual(matrix(1, 2, [1, 2]));
});

test('the bytes written are those numpy.save writes', () => {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }`.padEnd(117);
  const expected = [0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0, ...Buffer.from(`${header}\n`), 0, 0, 0x80, 0x3f, 0, 0, 0x40, 0xc0];
  expect([...encodeNpy(matrix(1, 2, [1, -3]))]).toEqual(expected);
});

const float = npy("'<f4'", '(1, 2)', [0, 0, 128, 63, 0, 0, 0, 64]);
test.each([
  [new Uint8Array(0), 'This is not a .npy file'],
  [new TextEncoder().encode('1,2,3,4,5,6,7\n'), 'This is not a .npy file: it does not start with \\x93NUMPY.'],
  [float.with(6, 4), 'The .npy file has version 4.0; versions 1 to 3 can be read.'],
  [float.subarray(0, 40), 'The .npy file is cut off: its 40 bytes end inside the header.'],
  [float.subarray(0, -1), "The .npy file is cut off: 1×2 entries of '<f4' need 8 bytes, but 7 follow the header."],
  [npy("'<f4'", '(1, 2)', Array(9).fill(0)), 'The .npy file is too long'],
  [npy("'<f4'", '(1000000, 1000000)', []), 'The .npy file is cut off'],
  [npy("'<c8'", '(1, 1)', Array(8).fill(0)), "The .npy file has dtype '<c8', but only real numbers can be read"],
  [npy("'<c4'", '(1, 1)', [0, 0]), "dtype '<c4'"],
  // Names that every object has, and a dtype without a byte order: NumPy knows neither.
  [npy("'<constructor'", '(1, 1)', [0, 0]), "dtype '<constructor'"],
  [npy("'xf4'", '(1, 1)', Array(4).fill(0)), "dtype 'xf4'"],
  // 128 bytes that counted to 10¹².
  [npy("'<f8'", '(1000000000000, 0)', []), 'an array of shape (1000000000000, 0), which has no entries'],
  [npy("'<f8'", '(0,)', []), 'an array of shape (0), which has no entries'],
  [npy("'<f4'", `(${'9'.repeat(400)}, 1)`, []), 'a header that cannot be read'],
  // Headers that no Python reads: half understood they would give another matrix.
  // Found by fuzzing: Python takes no number that begins with 0.
  [npy("'<f4'", '(01, 1)', Array(4).fill(0)), 'a header that cannot be read'],
  [npy("'<f4'", '(1 2, 1)', Array(4).fill(0)), 'a header that cannot be read'],
  [npy("'<f4', 'descr': '<f4'", '(1, 1)', Array(4).fill(0)), 'a header that cannot be read'],
  [npy("'<f4', 'more': '<f4'", '(1, 1)', Array(4).fill(0)), 'a header that cannot be read'],
  [npy("'<U3'", '(1, 1)', Array(12).fill(0)), "dtype '<U3'"],
  [npy("[('a', '<f4')]", '(1,)', Array(4).fill(0)), 'structured dtype'],
  [npy("'<f4'", '()', Array(4).fill(0)), 'an array of shape (), but a matrix has 2 dimensions'],
  [npy("'<f4'", '(1, 1, 1)', Array(4).fill(0)), 'an array of shape (1, 1, 1)'],
  [npy("'<f4'", 'nonsense', []), 'a header that cannot be read'],
  [npy("'>f8'", '(1, 1)', [0x48, 0x80, 0, 0, 0, 0, 0, 0]), 'in row 0, column 0 (counted from 0), which is too large for f32'],
])('a bad file is refused (%#)', (bytes, message) => {
  expect(() => decodeNpy(bytes)).toThrow(InputError);
  expect(() => decodeNpy(bytes)).toThrow(message);
});
