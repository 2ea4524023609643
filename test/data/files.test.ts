import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { readCorpus } from '../../src/node/corpus.js';
import { readMatrix, writeOutputs } from '../../src/node/files.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'orthant-files-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function put(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(dir, name), content);
  return join(dir, name);
}

async function refused(promise: Promise<unknown>, message: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toContain(message);
}

test('samples become columns', async () => {
  const csv = await put('m.csv', 'a,b,c\n1,2,3\n4,5,6\n');
  const names = ['a', 'b', 'c'];
  const notes = ['2 rows × 3 columns, header in line 1'];
  expect(await readMatrix(csv)).toEqual({ X: matrix(3, 2, [1, 4, 2, 5, 3, 6]), features: names, notes });
  expect(await readMatrix(csv, { samples: 'columns' })).toEqual({ X: matrix(2, 3, [1, 2, 3, 4, 5, 6]), samples: names, notes });
  const npy = await put('m.NPY', encodeNpy(matrix(2, 3, [1, 2, 3, 4, 5, 6])));
  expect((await readMatrix(npy, { samples: 'rows' })).X).toEqual(matrix(3, 2, [1, 4, 2, 5, 3, 6]));
  const mtx = await put('m.Mtx', '%%MatrixMarket matrix coordinate integer general\n2 3 2\n2 3 6\n1 2 2\n');
  expect((await readMatrix(mtx)).X).toEqual(sparseFromDense(matrix(3, 2, [0, 0, 2, 0, 0, 6])));
  expect((await readMatrix(mtx, { samples: 'columns' })).X).toEqual(sparseFromDense(matrix(2, 3, [0, 2, 0, 0, 0, 6])));
});

test('unreadable matrices', async () => {
  await refused(readMatrix(join(dir, 'missing.csv')), "There is no file '");
  await refused(
    readMatrix(join(dir, 'm.xlsx')),
    'matrices are read from .csv, .tsv, .txt, .npy, .npz, .mtx, .parquet, .json, .arrow, .feather, .arrows and .h5ad files',
  );
  await refused(readMatrix(await put('empty.csv', '')), "empty.csv' is empty.");
  await mkdir(join(dir, 'folder.csv'));
  await refused(readMatrix(join(dir, 'folder.csv')), 'is a directory');
  await refused(readMatrix(await put('latin.csv', Uint8Array.of(0xe9, 10, 49)), { encoding: 'utf-8' }), 'is not UTF-8; correct it');
  await refused(readMatrix(await put('n.npy', encodeNpy(matrix(1, 1, [1]))), { names: true }), 'names is for tables of text, and');
  const bad = await put('bad.npy', 'hello world');
  await refused(readMatrix(bad), `${bad}: This is not a .npy file`);
  const ragged = await put('ragged.csv', '1,2\n3');
  await refused(readMatrix(ragged), `${ragged}: line 2 has 1 cell, but line 1 has 2; every row needs the same number of cells.`);
  await refused(readMatrix(ragged, { samples: 'both' as 'rows' }), "samples must be 'rows' or 'columns', not \"both\".");
});

test('outputs go into a new folder, then replace what is there, and leave nothing else', async () => {
  const out = join(dir, 'deep', 'out');
  await writeOutputs(out, { 'A.npy': Uint8Array.of(1, 2), 'summary.json': '{}' });
  expect((await readdir(out)).sort()).toEqual(['A.npy', 'summary.json']);
  expect(await readdir(join(dir, 'deep'))).toEqual(['out']);
  await put('reference', '');
  await mkdir(join(dir, 'made'));
  expect((await stat(out)).mode).toBe((await stat(join(dir, 'made'))).mode);
  await writeFile(join(out, 'mine.txt'), 'kept');
  await writeOutputs(out, { 'summary.json': 'new' });
  expect((await readdir(out)).sort()).toEqual(['A.npy', 'mine.txt', 'summary.json']);
  expect(await readFile(join(out, 'summary.json'), 'utf8')).toBe('new');
});

test('a failed write leaves things as they were', async () => {
  const bad = { 'a.txt': 'new', 'b.txt': 42 as unknown as string };
  const out = join(dir, 'unwritten');
  await expect(writeOutputs(out, bad)).rejects.toThrow();
  expect((await readdir(dir)).filter((name) => name.includes('unwritten'))).toEqual([]);
  await writeOutputs(out, { 'a.txt': 'old' });
  await expect(writeOutputs(out, bad)).rejects.toThrow();
  expect(await readdir(out)).toEqual(['a.txt']);
  expect(await readFile(join(out, 'a.txt'), 'utf8')).toBe('old');
  await mkdir(join(out, 'c.txt'));
  await refused(writeOutputs(out, { 'a.txt': 'new', 'c.txt': '' }), 'it is a directory');
  expect(await readFile(join(out, 'a.txt'), 'utf8')).toBe('old');
});

test('impossible outputs', async () => {
  const file = await put('file', '');
  await refused(writeOutputs(file, { a: '' }), `Cannot write to the folder '${file}': it is a file.`);
  await refused(writeOutputs(join(file, 'out'), { a: '' }), 'a part of that path is a file');
  await refused(writeOutputs(dir, { '../a': '' }), "'../a' cannot be the name of an output file");
});

test('the built-in examples', async () => {
  const sotu = (await readCorpus('sotu')).documents;
  expect(sotu.length).toBe(233);
  expect(sotu[0].name).toBe('1790 Washington');
  expect(sotu.map(({ name }) => name)).toContain('1837 Van Buren');
  expect(new Set(sotu.map(({ name }) => name)).size).toBe(233);
  const brown = (await readCorpus('brown')).documents;
  expect(brown.length).toBe(500);
  expect(brown[0].name).toBe('ca01 news');
  expect(brown[0].text).toMatch(/^The Fulton County Grand Jury said Friday an investigation of Atlanta's recent primary election/);
});
