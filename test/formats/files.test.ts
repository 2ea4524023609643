/** Files by NumPy, SciPy, pandas, pyarrow, h5py and Pillow: test/formats/files/make.py makes them. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { isSparse, toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { formats } from '../../src/formats/formats.js';
import { readMatrix } from '../../src/node/files.js';

/** The matrix that make.py writes, by hand. */
const X = matrix(4, 3, [1.5, 0, 2, 0, 3.25, 0, 4, 0, 0.125, 0, 5, 6]);
const whole = matrix(4, 3, [1, 0, 2, 0, 3, 0, 4, 0, 0, 0, 5, 6]);
const truth = matrix(4, 3, [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1]);
const [rowNames, columnNames] = [
  ['r1', 'r2', 'r3', 'r4'],
  ['a', 'b', 'c'],
];

const at = (name: string) => fileURLToPath(new URL(`files/${name}`, import.meta.url));
const read = async (path: string) => {
  const format = formats.find(({ extensions }) => extensions.includes(extname(path)));
  return format!.read(new Uint8Array(readFileSync(path)), 'file');
};

const plain = ['dense-f2.npy', 'dense-f4.npy', 'dense-f8.npy', 'dense-f4-big.npy', 'dense-fortran.npy', 'dense.npz', 'array.mtx'];
test.each<[string, object]>([
  ...plain.map((name) => [name, { X }] as [string, object]),
  ...['dense-i4.npy', 'dense-i8.npy', 'dense-u1.npy'].map((name) => [name, { X: whole }] as [string, object]),
  ['dense-bool.npy', { X: truth }],
  ['dense-compressed.npz', { X, notes: ['It has one array of two dimensions, X; left out: other.'] }],
  ['named.npz', { X, rowNames, columnNames }],
  ['pandas.parquet', { X, rowNames, columnNames }],
  ['pandas-no-names.parquet', { X, columnNames }],
  ['arrow.parquet', { X, rowNames, columnNames, notes: ['file: the column "name" has the names of the rows.'] }],
  ['types.parquet', { X, rowNames, columnNames, notes: ['file: the column "name" has the names of the rows.'] }],
  ['integers.parquet', { X: matrix(2, 3, [1, 1, 1, 2 ** 40, 0, 255]), columnNames }],
  [
    'missing.parquet',
    {
      X: matrix(4, 3, [1.5, 0, 0, 0, 3.25, 0, 4, 0, 0.125, 0, 5, 6]),
      rowNames,
      columnNames,
      missing: Uint8Array.from([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    },
  ],
  ['zstd.parquet', { X, rowNames, columnNames, notes: ['file: the column "name" has the names of the rows.'] }],
  ['lz4.feather', { X, rowNames, columnNames, notes: ['file: the column "name" has the names of the rows.'] }],
  ['table.feather', { X, rowNames, columnNames, notes: ['file: the column "name" has the names of the rows.'] }],
  ['stream.arrows', { X, rowNames, columnNames, notes: ['file: the column "name" has the names of the rows.'] }],
  [
    'table.arrow',
    {
      X: matrix(4, 3, [1.5, 0, 2, 0, 3.25, 0, 0, 0, 0.125, 0, 5, 6]),
      rowNames,
      columnNames,
      missing: Uint8Array.from([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]),
      notes: ['file: the column "name" has the names of the rows.'],
    },
  ],
  ['dense.h5ad', { X, rowNames, columnNames, samples: 'rows' }],
])('%s', async (name, expected) => {
  expect(await read(at(name))).toEqual(expected);
});

const sparse = ['csr', 'csc', 'coo', 'bsr', 'bsr-blocks', 'csr-f4-array', 'coo-array'].map((form) => `scipy-${form}.npz`);
test.each([...sparse, 'real.mtx', 'csr.h5ad', 'csc.h5ad'])('%s stays sparse', async (name) => {
  const content = await read(at(name));
  expect(isSparse(content.X)).toBe(true);
  expect(toDense(content.X)).toEqual(X);
  if (name.endsWith('.h5ad')) expect(content).toMatchObject({ rowNames, columnNames, samples: 'rows' });
});

test.each([
  ['refuse-3d.npy', 'an array of shape (2, 2, 2), but a matrix has 2 dimensions'],
  ['refuse-complex.npy', "dtype '<c16', but only real numbers"],
  ['refuse-object.npy', "dtype '|O', but only real numbers"],
  ['refuse-shape-1e12x0.npy', 'shape (1000000000000, 0), which has no entries'],
  ['refuse-object.npz', "file: X: The .npy file has dtype '|O'"],
  ['refuse-two.npz', 'file: It holds 2 arrays, A, B; save the one that is the matrix.'],
  ['refuse-dia.npz', 'has the format "dia", but csr, csc, coo and bsr can be read; convert it with .tocsr().'],
  ['refuse-date.parquet', 'file: the column "when" has dates that are no numbers'],
  ['refuse-list.parquet', 'file: the column "list" has lists or fields in its cells'],
  ['refuse-no-x.h5ad', 'file has no X; its parts are'],
])('%s is refused', async (name, message) => {
  await expect(read(at(name))).rejects.toThrow(InputError);
  await expect(read(at(name))).rejects.toThrow(message);
});

test('through readMatrix, features are rows', async () => {
  expect(await readMatrix(at('pandas.parquet'))).toMatchObject({ X: { rows: 3, cols: 4 }, features: columnNames, samples: rowNames });
  expect(await readMatrix(at('scipy-csr.npz'), { samples: 'columns' })).toMatchObject({ X: { rows: 4, cols: 3 } });
});
