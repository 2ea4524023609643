import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { toDenseTensor } from '../../src/data/tensors.js';
import { parseTensor } from '../../src/formats/tensor-file.js';
import { zipped } from '../../src/formats/zip.js';

const text = (lines: string) => new TextEncoder().encode(lines);

/** A .npy written by hand, from the entry at every place. */
function npyOf(shape: number[], dtype: '<f8' | '>i2' | '<f4', fortran: boolean, entry: (indices: number[]) => number): Uint8Array {
  const header = `{'descr': '${dtype}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape.join(', ')}), }\n`;
  const count = shape.reduce((product, size) => product * size, 1);
  const size = Number(dtype[2]);
  const bytes = new Uint8Array(10 + header.length + size * count);
  bytes.set([0x93, ...text('NUMPY'), 1, 0, header.length, 0, ...text(header)]);
  const view = new DataView(bytes.buffer, 10 + header.length);
  for (let at = 0; at < count; at++) {
    const indices: number[] = [];
    const modes = shape.map((_, n) => n);
    let rest = at;
    for (const n of fortran ? modes : modes.reverse()) {
      indices[n] = rest % shape[n];
      rest = Math.floor(rest / shape[n]);
    }
    const x = entry(indices);
    if (dtype === '<f8') view.setFloat64(8 * at, x, true);
    else if (dtype === '<f4') view.setFloat32(4 * at, x, true);
    else view.setInt16(2 * at, x);
  }
  return bytes;
}

/** A number that tells the place. */
const entry = (indices: number[]) => indices.reduce((number, i) => 7 * number + i, 1);

for (const shape of [
  [3, 5],
  [4, 1, 3],
  [2, 3, 2, 5],
  [2, 1, 3, 2, 2, 3],
])
  test(`arrays of ${shape.length} dimensions have every entry in its place`, async () => {
    for (const fortran of [false, true])
      for (const dtype of ['<f8', '<f4', '>i2'] as const) {
        if (dtype === '>i2' && shape.length > 4) continue;
        const bytes = npyOf(shape, dtype, fortran, entry);
        const read = [await parseTensor(bytes, 'x.npy'), await parseTensor(await zipped({ 'X.npy': bytes }), 'x.npz')];
        for (const { X } of read) {
          expect(X.shape).toEqual(shape);
          const { data } = toDenseTensor(X);
          data.forEach((x, at) => {
            const indices: number[] = [];
            for (let n = shape.length - 1, rest = at; n >= 0; rest = Math.floor(rest / shape[n]), n--) indices[n] = rest % shape[n];
            expect(x).toBe(entry(indices));
          });
        }
      }
  });

test('arrays that are no tensors are refused in words', async () => {
  await expect(
    parseTensor(
      npyOf([4], '<f4', false, () => 1),
      'x.npy',
    ),
  ).rejects.toThrow('x.npy: The tensor has order 1');
  await expect(
    parseTensor(
      npyOf([1, 1, 1, 1, 1, 1, 2], '<f4', false, () => 1),
      'x.npy',
    ),
  ).rejects.toThrow('order 7');
  await expect(
    parseTensor(
      npyOf([4, 0], '<f4', false, () => 1),
      'x.npy',
    ),
  ).rejects.toThrow('has no entries');
  await expect(parseTensor(npyOf([4, 3], '<f4', false, () => 1).subarray(0, -2), 'x.npy')).rejects.toThrow('cut off');
  const two = await zipped({ 'a.npy': npyOf([2, 2], '<f4', false, () => 1), 'b.npy': npyOf([2, 2, 2], '<f4', false, () => 1) });
  await expect(parseTensor(two, 'x.npz')).rejects.toThrow('2 arrays, a, b');
  await expect(parseTensor(text('a'), 'x.jpg')).rejects.toThrow("Cannot tell the format of 'x.jpg'");
});

test('a table of places has its entries there, whatever parts its cells', async () => {
  const r = random(5);
  const entries = Array.from({ length: 30 }, () => [r.integer(4), r.integer(3), r.integer(5), 1 + r.integer(9)]);
  entries.push([3, 2, 4, 1]);
  const sums = new Float32Array(60);
  for (const [i, j, k, x] of entries) sums[(i * 3 + j) * 5 + k] += x;
  for (const [separator, name, first] of [
    [',', 'x.csv', 0],
    ['\t', 'x.tsv.gz', 0],
    [' ', 'x.tns', 1],
    [';', 'x.txt', 0],
  ] as const) {
    const lines = entries.map(([i, j, k, x]) => [i + first, j + first, k + first, x].join(separator)).join('\r\n');
    const bytes = text(name === 'x.tns' ? `# places and counts\n${lines}\n` : lines);
    const { X, modes, notes } = await parseTensor(name.endsWith('.gz') ? gzipSync(bytes) : bytes, name);
    expect(X.shape).toEqual([4, 3, 5]);
    expect(toDenseTensor(X).data).toEqual(sums);
    expect(modes).toEqual([{}, {}, {}]);
    const twice = entries.length - new Set(entries.map(([i, j, k]) => `${i} ${j} ${k}`)).size;
    expect(notes).toEqual([`${name}: ${twice} of 31 lines have a place that a line before them has; their values were added up.`]);
  }
});

test('names of entries stand in the order in which they come, or in one that is known', async () => {
  const table = text('doc,year,word,n\nb,2001,"sea, deep",1.5\na,2003,sky,2\nb,2001,sky,1\n');
  const { X, modes } = await parseTensor(table, 'x.csv', { named: [1] });
  expect(modes).toEqual([
    { name: 'doc', entries: ['b', 'a'] },
    { name: 'year', entries: ['2001', '2003'] },
    { name: 'word', entries: ['sea, deep', 'sky'] },
  ]);
  expect(toDenseTensor(X)).toEqual({ shape: [2, 2, 2], data: new Float32Array([1.5, 1, 0, 0, 0, 0, 0, 2]) });
  // Numbers that are places: 2004 slices.
  expect((await parseTensor(table, 'x.csv')).X.shape).toEqual([2, 2004, 2]);
  const known = [['a', 'b', 'c'], ['2003', '2002', '2001'], undefined];
  const again = await parseTensor(table, 'x.csv', { known });
  expect(again.X.shape).toEqual([3, 3, 2]);
  expect(toDenseTensor(again.X).data[(1 * 3 + 2) * 2]).toBe(1.5);
  await expect(parseTensor(table, 'x.csv', { known: [['a']] })).rejects.toThrow('column "doc" has "b", which is not among the 1 entries');
  await expect(parseTensor(table, 'x.csv', { known: [3], named: [1] })).rejects.toThrow(
    'has names, but the entries of this mode have none',
  );
  await expect(parseTensor(table, 'x.csv', { known: [undefined, 5] })).rejects.toThrow('"year" has 2001 in row 1 of the data');
});

test('tables that are no tensors are refused in words', async () => {
  await expect(parseTensor(text('1,2\n3,4\n'), 'x.csv')).rejects.toThrow('2 columns, but a tensor needs one for each of its 2 to 6 modes');
  await expect(parseTensor(text('0,1,2\n0,1\n'), 'x.csv')).rejects.toThrow('2 cells in line 2, but 3 in its first');
  await expect(parseTensor(text('0,1,2\n0,,1\n'), 'x.csv')).rejects.toThrow('column 2 has no value in row 2');
  await expect(parseTensor(text('a,b,n\n0,1,2\n0,1,x\n'), 'x.csv')).rejects.toThrow('the last column has "x" in row 2');
  await expect(parseTensor(text('0 1 2\n'), 'x.tns')).rejects.toThrow('column 1 has 0 in row 1 of the data, but places are counted from 1');
  await expect(parseTensor(text('a,b,c\n'), 'x.csv')).rejects.toThrow('no line of data');
});

test('a Parquet file has the same tensor as a table', async () => {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const bytes = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'who', data: ['x', 'y', 'x'], type: 'STRING' },
        { name: 'day', data: [2, 0, 1], type: 'INT32' },
        { name: 'n', data: [1, 2, 3], type: 'DOUBLE' },
      ],
    }),
  );
  const { X, modes } = await parseTensor(bytes, 'x.parquet');
  expect(modes).toEqual([{ name: 'who', entries: ['x', 'y'] }, { name: 'day' }]);
  expect(toDenseTensor(X)).toEqual({ shape: [2, 3], data: new Float32Array([0, 3, 1, 2, 0, 0]) });
});
