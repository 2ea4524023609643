import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { contactSheet, decodePng, encodePng } from '../../src/formats/png.js';
import { readMatrix } from '../../src/node/files.js';
import { mutated, mutations } from '../support/mutations.js';

const at = (name: string) => fileURLToPath(new URL(`files/${name}`, import.meta.url));
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'orthant-folders-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test('10x: features × cells whatever --samples says, plain or packed', async () => {
  const packed = join(dir, '10x');
  await mkdir(packed);
  for (const name of ['matrix.mtx', 'features.tsv', 'barcodes.tsv'])
    await writeFile(join(packed, `${name}.gz`), gzipSync(await readFile(at(`10x/${name}`))));
  for (const folder of [at('10x'), packed])
    for (const samples of ['rows', 'columns'] as const) {
      const { X, ...rest } = await readMatrix(folder, { samples });
      expect(toDense(X)).toEqual(matrix(4, 3, [1.5, 0, 2, 0, 3.25, 0, 4, 0, 0.125, 0, 5, 6]));
      expect(rest).toMatchObject({ features: ['r1', 'r2', 'r3', 'r4'], samples: ['a', 'b', 'c'], samplesAre: 'columns' });
    }
});

test('10x: of symbols that are there twice the identifiers are taken, and wrong counts are refused', async () => {
  const folder = join(dir, '10x-twice');
  await cp(at('10x'), folder, { recursive: true });
  await writeFile(join(folder, 'features.tsv'), 'E1\tA\nE2\tA\nE3\tB\nE4\tC');
  expect((await readMatrix(folder)).features).toEqual(['E1', 'E2', 'E3', 'E4']);
  await writeFile(join(folder, 'features.tsv'), 'E1\tA\n');
  await expect(readMatrix(folder)).rejects.toThrow('features.tsv has 1 lines, but the matrix has 4 rows; it needs one each.');
  await rm(join(folder, 'features.tsv'));
  await expect(readMatrix(folder)).rejects.toThrow('has a matrix.mtx, but no features.tsv or genes.tsv');
});

test('a folder that is no matrix says what is', async () => {
  await mkdir(join(dir, 'empty'));
  await expect(readMatrix(join(dir, 'empty'))).rejects.toThrow(InputError);
  await expect(readMatrix(join(dir, 'empty'))).rejects.toThrow(/is a directory without a matrix: .*10x.*images/);
});

/** By make.py: 3×2 pixels. */
const grey = [0, 51, 102, 153, 204, 255].map((value) => value / 255);

test('images are samples, their pixels features', async () => {
  const { X, features, samples, samplesAre, image } = await readMatrix(at('grey'));
  expect(samples).toEqual(['one', 'three', 'two']);
  expect({ samplesAre, image }).toEqual({ samplesAre: 'columns', image: { width: 3, height: 2, channels: 1 } });
  expect(features).toEqual([
    'row 1, column 1',
    'row 1, column 2',
    'row 1, column 3',
    'row 2, column 1',
    'row 2, column 2',
    'row 2, column 3',
  ]);
  // 16 bits: value·257 of 65535 is value of 255.
  expect(X).toEqual(
    matrix(
      6,
      3,
      grey.flatMap((value) => [value, value, 1 - value].map(Math.fround)),
    ),
  );
});

test('images in colour: channel by channel, of a palette too', async () => {
  const { X, samples, image } = await readMatrix(at('colour'));
  expect(image).toEqual({ width: 3, height: 2, channels: 3 });
  expect(samples).toEqual(['one', 'opaque', 'palette']);
  const first = Array.from({ length: 18 }, (_, i) => X.cols * i).map((place) => (X as { data: Float32Array }).data[place]);
  const [upper, lower] = [
    [0, 51, 102],
    [153, 204, 255],
  ];
  const expected = [
    ...upper.flatMap((value, j) => [value, lower[j], value / 51]),
    ...lower.flatMap((value, j) => [value, upper[j], value / 51]),
  ];
  expect(first).toEqual(expected.map((value) => Math.fround(value / 255)));
});

test('images of two sizes, transparent or damaged ones are refused', async () => {
  const folder = join(dir, 'mixed');
  await cp(at('grey'), folder, { recursive: true });
  await writeFile(join(folder, 'other.png'), await encodePng([1, 0], { width: 2, height: 1, channels: 1 }));
  await expect(readMatrix(folder)).rejects.toThrow(/other\.png is 2×1 in grey, but one\.png is 3×2 in grey/);
  const bytes = new Uint8Array(await readFile(at('grey/one.png')));
  await expect(decodePng(bytes.subarray(0, 40), 'f.png')).rejects.toThrow(/f\.png is a damaged PNG image/);
  await expect(decodePng(new TextEncoder().encode('1,2\n'.repeat(20)), 'f.png')).rejects.toThrow('f.png is no PNG image');
  const huge = bytes.slice();
  huge.set([0, 1, 0, 0, 0, 1, 0, 0], 16);
  await expect(decodePng(huge, 'f.png')).rejects.toThrow('says that it is 65536×65536 pixels');
});

test('a column becomes an image and comes back', async () => {
  const size = { width: 3, height: 2, channels: 1 } as const;
  expect([...(await decodePng(await encodePng(grey, size, 1), 'f.png')).values]).toEqual(grey.map(Math.fround));
  // The largest number is white; what is negative is black.
  const scaled = await decodePng(await encodePng([-1, 0, 10, 20, 30, 40], size), 'f.png');
  expect([...scaled.values]).toEqual([0, 0, 64 / 255, 128 / 255, 191 / 255, 1].map(Math.fround));
  // Three images on a sheet of 2×2, with a line between them.
  const sheet = await decodePng(await contactSheet(matrix(6, 3, new Array(18).fill(2)), size), 'f.png');
  expect(sheet).toMatchObject({ width: 7, height: 5 });
  expect([...sheet.values.subarray(0, 7)].map((value) => Math.round(value * 2))).toEqual([2, 2, 2, 1, 2, 2, 2]);
});

test('mutated images are read or refused by name', async () => {
  const bytes = new Uint8Array(await readFile(at('colour/palette.png')));
  await fc.assert(
    fc.asyncProperty(mutations(['\0', 'IDAT', 'PLTE', '\xff\xff\xff\xff', '\x10']), async (changes) => {
      const result = await decodePng(mutated(bytes, changes), 'f.png').catch((error) => error);
      if (!(result instanceof Error)) return;
      if (!(result instanceof InputError)) throw result;
      expect(result.message).toContain('f.png');
    }),
    { numRuns: 300 },
  );
});
