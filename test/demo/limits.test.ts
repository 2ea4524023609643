/** Files that are too large for the page, by their size and by the shape in their header. No browser is needed for that. */
import { expect, test } from 'vitest';
import { tooLarge } from '../../demo/rooms/matrix/limits.js';
import { shapeIn } from '../../demo/rooms/matrix/shape.js';
import { encodeNpy } from '../../src/formats.js';
import { matrix } from '../../src/index.js';

/** A file that says that it has so many bytes. */
function file(name: string, content: string | Uint8Array, size?: number): File {
  const made = new File([content as BlobPart], name);
  if (size !== undefined) Object.defineProperty(made, 'size', { value: size });
  return made;
}

const gpu = { kind: 'webgpu', description: '', software: false, largestBuffer: 2 ** 27 } as const;
const cpu = { kind: 'reference', description: '', software: true } as const;
const sized = (rows: number, cols: number, rest: string, kind = 'coordinate real general') =>
  `%%MatrixMarket matrix ${kind}\n% said by nobody\n\n${rows} ${cols} ${rest}\n1 1 1\n`;

test('the shape stands in the header, and nothing is guessed where it does not', async () => {
  for (const [rows, cols] of [
    [1, 1],
    [13, 7],
    [1000, 3],
  ])
    expect(await shapeIn(file('x.npy', encodeNpy(matrix(rows, cols))))).toEqual({ rows, cols });
  expect(await shapeIn(file('x.mtx', sized(12, 34, '56')))).toEqual({ rows: 12, cols: 34, stored: 56 });
  expect(await shapeIn(file('x.mtx', sized(12, 12, '56', 'coordinate real symmetric')))).toEqual({ rows: 12, cols: 12, stored: 112 });
  expect(await shapeIn(file('x.mtx', sized(12, 34, '', 'array real general')))).toEqual({ rows: 12, cols: 34 });
  for (const [name, content] of [
    ['x.npy', 'nonsense'],
    ['x.npy', "\x93NUMPY\x01\0\x20\0{'descr': '<f4', 'shape': (1, 2, 3)}"],
    ['x.mtx', 'nonsense'],
    ['x.mtx', '%%MatrixMarket matrix coordinate real general\n%'],
    ['x.mtx', sized(12, 34, '').replace('12', 'twelve')],
    ['x.csv', '1,2'],
  ])
    expect(await shapeIn(file(name, content)), content).toBeUndefined();
});

test('memory, a text, the GPU and the CPU each have a limit, and what is below is taken', async () => {
  const half = 4 * 2 ** 30; // of 8 GiB, where the browser does not tell of its memory, as Node does not
  const told = (given: File, device: typeof gpu | typeof cpu = gpu) => tooLarge([given], 64, device);
  // By the size: text takes 3 bytes of memory a byte.
  expect(await told(file('a.csv', '', Math.floor(half / 3) - 1))).toBeUndefined();
  expect(await told(file('a.csv', '', Math.ceil(half / 3) + 1))).toMatch(
    /^a\.csv has 1\.4 GB and would need about 4\.3 GB of memory, .* Cut/,
  );
  expect(await told(file('a.csv', '', 2 ** 31))).toMatch(/^a\.csv has 2\.1 GB, more than the 2\.1 GB .* in one piece/);
  expect(await told(file('a.mtx', '', 2 ** 29))).toMatch(/^a\.mtx has 537 MB, more than the 537 MB .* as one text/);
  // By the entries: 16 bytes each on the GPU, and 8 for each line.
  const most = (2 ** 27 - 8 * 2000) / 16;
  expect(await told(file('a.mtx', sized(1000, 1000, String(most))))).toBeUndefined();
  expect(await told(file('a.mtx', sized(1000, 1000, String(most + 1))))).toMatch(
    /^a\.mtx has 8,387,609 stored entries, which take 135 MB on the GPU; this one holds 135 MB in one piece\. Cut/,
  );
  expect(await tooLarge([file('a.mtx', sized(1000, 1000, String(most + 1)))], 64, undefined)).toBeUndefined();
  // Without a GPU: 12 bytes an entry and the file.
  expect(await told(file('a.npy', encodeNpy(matrix(10, 10)), 49e6), cpu)).toBeUndefined();
  expect(await told(file('a.csv', '', 70e6), cpu)).toMatch(/^a\.csv has 70 MB, too much for this page without a GPU, .* about 50 MB\. Cut/);
  // Pictures are scaled down, one after another.
  const pictures = (count: number) => Array.from({ length: count }, (_, i) => file(`${i}.png`, '', 1e9));
  expect(await tooLarge(pictures(3), 64, gpu)).toBeUndefined();
  expect(await tooLarge(pictures(90), 2048, gpu)).toMatch(/^90 pictures of up to 2048×2048 pixels .* Give fewer, or a smaller side\.$/);
});
