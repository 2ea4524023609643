/** One matrix in every kind of file that the room Matrix reads: the factors are those of the library. */
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, expect, test } from 'vitest';
import { encodeNpy, encodeNpz } from '../../src/formats.js';
import { nmf, randomLowRank, transpose } from '../../src/index.js';
import { createEngine } from '../../src/node/engine.js';
import { fitEnded, textOf } from './built.js';
import { choose, inShort, matrixRoom, press } from './matrix-room.js';

const { open, close } = matrixRoom();
afterAll(close);

test('.npy, .npz, .mtx, .parquet and .csv: the same fit', async () => {
  const X = randomLowRank(11, 19, 3, { seed: 8, noise: 0.1 });
  const rows = transpose(X); // a sample a row
  const value = (i: number, j: number) => rows.data[i * rows.cols + j];
  const lines = Array.from({ length: rows.rows }, (_, i) => Array.from({ length: rows.cols }, (_, j) => value(i, j)));
  const entries = lines.flatMap((line, i) => line.map((x, j) => `${i + 1} ${j + 1} ${x}`));
  const columnData = Array.from({ length: rows.cols }, (_, j) => ({
    name: `f${j + 1}`,
    data: Float32Array.from(lines, (line) => line[j]),
    type: 'FLOAT' as const,
  }));
  const files = {
    'x.npy': encodeNpy(rows),
    'x.npz': await encodeNpz(rows),
    'x.mtx': `%%MatrixMarket matrix coordinate real general\n${rows.rows} ${rows.cols} ${entries.length}\n${entries.join('\n')}\n`,
    'x.parquet': new Uint8Array(parquetWriteBuffer({ columnData: columnData as never })),
    'x.csv': `${lines.map((line) => line.join(',')).join('\n')}\n`,
  };
  const engine = await createEngine();
  const { relativeError } = await nmf(engine, X, { ranks: 3, seed: 4, maxIterations: 30 });
  engine.dispose();

  const { page, complaints, write } = await open('?method=nmf&ranks=3&seed=4&maxIterations=30');
  for (const [name, content] of Object.entries(files)) {
    await choose(page, await write(name, content));
    await page.waitForFunction((wanted) => document.querySelector('.matrix .read h2')?.textContent === wanted, {}, name);
    await inShort(page, /11 features × 19 samples/);
    await fitEnded(page, () => press(page, 'Start'));
    // Another build of the same compiler rounds in other places.
    expect(Number(await textOf(page, '.levels td')), name).toBeCloseTo(relativeError, 3);
  }
  expect(complaints).toEqual([]);
  await page.close();
});
