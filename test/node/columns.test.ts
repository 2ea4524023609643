/** Sources of columns: every range is the same as that of the whole matrix, to the bit. */
import { describe, expect, test } from 'vitest';
import { type Columns, columnsBetween, columnsFrom, columnsOfMatrix } from '../../src/data/columns.js';
import { type Matrix, matrix, transpose } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type DataMatrix, isSparse, sparseFromDense, toDense } from '../../src/data/sparse.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { openColumns } from '../../src/node/columns.js';
import { readMatrix } from '../../src/node/files.js';
import { workFolder } from '../support/cli.js';

const { put } = workFolder();
const seed = Number(process.env.ORTHANT_SEED ?? Date.now() % 1e6);

function draw(N: number, M: number): Matrix {
  const { uniform } = random(seed, { tensor: N, restart: M });
  return matrix(
    N,
    M,
    Array.from({ length: N * M }, () => (uniform() < 0.5 ? 0 : uniform())),
  );
}

const dense = (X: DataMatrix): Matrix => (isSparse(X) ? toDense(X) : X);

async function sameRanges(columns: Columns, X: Matrix): Promise<void> {
  expect([columns.rows, columns.cols]).toEqual([X.rows, X.cols]);
  const { integer } = random(seed, { purpose: 'masks' });
  for (let i = 0; i < 20; i++) {
    const from = integer(X.cols);
    const to = from + 1 + integer(X.cols - from);
    const part = await columns.read(from, to);
    expect(isSparse(part)).toBe(columns.sparse);
    expect(dense(part), `seed ${seed}: ${from} to ${to}`).toEqual(columnsBetween(X, from, to));
  }
  await columns.close?.();
}

describe(`seed ${seed}`, () => {
  const X = draw(7, 41);

  test.each(['rows', 'columns'] as const)('.npy with samples as %s', async (samples) => {
    const path = put(`${samples}.npy`, encodeNpy(samples === 'rows' ? transpose(X) : X));
    const columns = await openColumns(path, { samples });
    expect(columns.streamed).toBe(true);
    await sameRanges(columns, X);
    expect((await readMatrix(path, { samples })).X).toEqual(X);
  });

  test('in memory, dense and sparse; a table that is read whole', async () => {
    await sameRanges(columnsOfMatrix(X), X);
    await sameRanges(columnsOfMatrix(sparseFromDense(X)), X);
    const lines = Array.from({ length: X.cols }, (_, j) => Array.from({ length: X.rows }, (_, i) => X.data[i * X.cols + j]).join(','));
    const table = await openColumns(put('x.csv', `${lines.join('\n')}\n`));
    expect(table.streamed).toBe(false);
    await sameRanges(table, X);
  });

  test.each([false, true])('shards, one in memory at a time; sparse: %s', async (sparse) => {
    const parts = [0, 5, 6, 30, 41].slice(1).map((to, i) => columnsBetween(X, [0, 5, 6, 30][i], to) as Matrix);
    const mtx = (part: Matrix) => {
      const entries = Array.from(part.data, (x, at) => [Math.floor(at / part.cols) + 1, (at % part.cols) + 1, x]).filter(
        ([, , x]) => x !== 0,
      );
      return `%%MatrixMarket matrix coordinate real general\n${part.rows} ${part.cols} ${entries.length}\n${entries.map((e) => e.join(' ')).join('\n')}\n`;
    };
    const paths = parts.map((part, i) => (sparse ? put(`shard${i}.mtx`, mtx(part)) : put(`shard${i}.npy`, encodeNpy(part))));
    await sameRanges(await openColumns(paths, { samples: 'columns' }), X);
  });

  test('a generator is read again for every pass, and must keep its word', async () => {
    let passes = 0;
    const stream = (sizes: number[], rows = 7) => ({
      rows: 7,
      cols: 41,
      *columns() {
        passes++;
        let at = 0;
        for (const size of sizes) {
          const part = columnsBetween(X, at, Math.min(41, at + size)) as Matrix;
          at += size;
          yield rows === 7 ? part : matrix(rows, part.cols);
        }
      },
    });
    const columns = columnsFrom(stream([10, 1, 20, 10]));
    await sameRanges(columns, X);
    passes = 0;
    for (let pass = 0; pass < 3; pass++) for (let from = 0; from < 41; from += 6) await columns.read(from, Math.min(41, from + 6));
    expect(passes).toBe(3);
    await expect(columnsFrom(stream([10, 20])).read(25, 41)).rejects.toThrow('The columns of X ended after 30, but 41 were announced.');
    await expect(columnsFrom(stream([10, 20, 11, 1])).read(0, 41)).rejects.toThrow('X has more columns than the 41');
    await expect(columnsFrom(stream([10], 6)).read(0, 3)).rejects.toThrow('a dense 6×10 matrix, but dense ones of 7 rows');
  });

  test('bad input', async () => {
    await expect(openColumns([])).rejects.toThrow('A list of shards has no file');
    const paths = [put('a.npy', encodeNpy(draw(3, 2))), put('b.npy', encodeNpy(draw(4, 2)))];
    await expect(openColumns(paths, { samples: 'columns' })).rejects.toThrow(
      /b\.npy is dense with 4 features, but .*a\.npy is dense with 3/,
    );
    await expect(openColumns(put('hole.csv', '1,2\n3,\n'))).rejects.toThrow(/hole\.csv has cells without a value/);
  });
});
