/** The face for browsers: matrices from bytes by their names. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { matrix, transpose } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { parseMatrix } from '../../src/formats.js';
import { readMatrix } from '../../src/node/files.js';

const at = (name: string) => new URL(`files/${name}`, import.meta.url);
const X = matrix(4, 3, [1.5, 0, 2, 0, 3.25, 0, 4, 0, 0.125, 0, 5, 6]);

test.each(['named.npz', 'pandas.parquet', 'table.feather', 'dense.h5ad', 'missing.parquet'])('%s as readMatrix reads it', async (name) => {
  for (const samples of ['rows', 'columns'] as const)
    expect(await parseMatrix(new Uint8Array(readFileSync(at(name))), at(name).pathname, { samples })).toEqual(
      await readMatrix(at(name).pathname, { samples }),
    );
});

test('a table of text, packed, with its options', async () => {
  const table = new TextEncoder().encode('1,5;2\n3;4,25\n');
  const { X: read } = await parseMatrix(new Uint8Array(gzipSync(table)), 'T.CSV.gz', { decimal: ',', header: false });
  expect(read).toEqual(transpose(matrix(2, 2, [1.5, 2, 3, 4.25])));
  expect((await parseMatrix(new Uint8Array(gzipSync(readFileSync(at('dense.npz')))), 'a.npz.gz', { samples: 'columns' })).X).toEqual(X);
});

test.each([
  ['m.xls', {}, "Cannot tell the format of 'm.xls' from its name"],
  ['m.npy', { header: true }, "header is for tables of text, and 'm.npy' is none"],
  ['m.npy', { samples: 'x' as 'rows' }, "samples must be 'rows' or 'columns'"],
  ['m.npy.gz', {}, 'm.npy.gz is not packed with gzip'],
])('%s with %j is refused', async (name, options, message) => {
  await expect(parseMatrix(new Uint8Array(99), name, options)).rejects.toThrow(InputError);
  await expect(parseMatrix(new Uint8Array(99), name, options)).rejects.toThrow(message);
});
