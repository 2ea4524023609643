/** A .parquet by row groups, here and in the thread of the build: every range is that of the file read whole, to the bit. */
import { readFileSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, describe, expect, test } from 'vitest';
import { columnsBetween } from '../../src/data/columns.js';
import { type Matrix, matrix, transpose } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { build } from '../support/build.js';
import { workFolder } from '../support/cli.js';

type Node = typeof import('../../src/node.js');
const { put } = workFolder();
const seed = Number(process.env.ORTHANT_SEED ?? Date.now() % 1e6);

beforeAll(() => build(), 300_000);

const library = (place: string): Promise<Node> => import(new URL(`../../${place}`, import.meta.url).href) as Promise<Node>;

function draw(rows: number, cols: number): Matrix {
  const { uniform } = random(seed, { tensor: rows });
  return matrix(
    rows,
    cols,
    Array.from({ length: rows * cols }, () => uniform()),
  );
}

interface Table {
  rowGroupSize: number | number[];
  names?: readonly string[];
  /** In columns of doubles, where f32 is rounded to. */
  doubles?: boolean;
  hole?: [number, number];
}

function parquet(file: string, { rows, cols, data }: Matrix, { rowGroupSize, names, doubles, hole }: Table): string {
  const columns = Array.from({ length: cols }, (_, j) => {
    const values = Array.from({ length: rows }, (_, i) => (hole?.[0] === i && hole[1] === j ? null : data[i * cols + j]));
    return { name: `c${j}`, data: values, type: doubles ? ('DOUBLE' as const) : ('FLOAT' as const), nullable: hole !== undefined };
  });
  const named = names ? [{ name: 'name', data: [...names], type: 'STRING' as const, nullable: false }] : [];
  return put(file, new Uint8Array(parquetWriteBuffer({ columnData: [...named, ...columns], rowGroupSize })));
}

describe.each(['src/node.ts', 'dist/node.js'])(`%s, seed ${seed}`, (place) => {
  const X = draw(23, 9);

  test.each([
    ['rows', { rowGroupSize: 5 }],
    ['rows', { rowGroupSize: [1, 9], names: Array.from({ length: 23 }, (_, i) => `r${i}`), doubles: true }],
    ['rows', { rowGroupSize: 100 }],
    ['columns', { rowGroupSize: [1, 9], names: Array.from({ length: 23 }, (_, i) => `r${i}`) }],
    ['columns', { rowGroupSize: 4 }],
  ] as const)('samples as %s, %o', async (samples, table) => {
    const { openColumns, readMatrix, columnsOf } = await library(place);
    const path = parquet('x.parquet', X, table as Table);
    const columns = await openColumns(path, { samples });
    const whole = await readMatrix(path, { samples });
    const lying = samples === 'rows' ? transpose(X) : X;
    expect(whole.X).toEqual(lying);
    expect(columns).toMatchObject({ rows: lying.rows, cols: lying.cols, streamed: true, sparse: false, samplesAre: samples });
    expect([columns.features, columns.sampleNames]).toEqual([whole.features, whole.samples]);
    const { integer } = random(seed, { purpose: 'masks' });
    // Two at once, as the next panel is read while one is computed.
    const ranges = Array.from({ length: 12 }, () => {
      const from = integer(lying.cols);
      return [from, from + 1 + integer(lying.cols - from)];
    });
    const parts = await Promise.all(ranges.map(([from, to]) => columns.read(from, to)));
    for (const [i, [from, to]] of ranges.entries()) expect(parts[i], `${from} to ${to}`).toEqual(columnsBetween(lying, from, to));
    await columns.close?.();
    const blocks = await columnsOf(path, { samples });
    const all: unknown[] = [];
    for await (const block of blocks) all.push(block);
    expect([blocks.streamed, blocks.features, all]).toEqual([true, whole.features, [lying]]);
  });

  test('bad input', async () => {
    const { openColumns } = await library(place);
    const hole = await openColumns(parquet('hole.parquet', X, { rowGroupSize: 5, hole: [12, 4] }));
    await expect(hole.read(0, 10)).resolves.toMatchObject({ rows: 9, cols: 10 });
    await expect(hole.read(5, 20)).rejects.toThrow(
      /hole\.parquet has no value in row 12, column 4 \(counted from 0\), and a fit of columns one after another needs all of them/,
    );
    await hole.close?.();
    const sideways = await openColumns(parquet('hole.parquet', X, { rowGroupSize: 5, hole: [12, 4] }), { samples: 'columns' });
    await expect(sideways.read(2, 6)).rejects.toThrow('has no value in row 12, column 4');
    await sideways.close?.();
    const large = matrix(3, 1, [1, 2, 3]);
    const path = parquet('large.parquet', { ...large, data: [1, 1e300, 3] as never }, { rowGroupSize: 1, doubles: true });
    const columns = await openColumns(path);
    await expect(columns.read(1, 2)).rejects.toThrow('1e+300 in row 1, column 0');
    await columns.close?.();
    await expect(openColumns(put('no.parquet', new Uint8Array(20)))).rejects.toThrow('no.parquet is damaged, or no Parquet file');
    await expect(openColumns('missing.parquet')).rejects.toThrow("There is no file 'missing.parquet'");
    await expect(openColumns(path, { delimiter: ',' })).rejects.toThrow('delimiter is for tables of text');
    const cut = readFileSync(parquet('cut.parquet', X, { rowGroupSize: 5 }));
    // The first pages are gone, the footer is sound.
    cut.fill(0xff, 4, cut.length >> 2);
    const damaged = await openColumns(put('cut.parquet', cut), { samples: 'columns' }).catch((error: unknown) => error as Error);
    if (damaged instanceof Error) expect(damaged.message).toContain('cut.parquet is damaged, or no Parquet file');
    else {
      await expect(damaged.read(0, 9)).rejects.toThrow('cut.parquet is damaged, or no Parquet file');
      await damaged.close?.();
    }
  });
});
