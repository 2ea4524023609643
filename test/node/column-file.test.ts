/** The columns of a file, block by block, against the same matrix read whole. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix, transpose } from '../../src/data/matrix.js';
import { type DataMatrix, toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { onlineNmf } from '../../src/methods/online.js';
import type { OnlineState } from '../../src/methods/online-state.js';
import { columnsOf } from '../../src/node/column-file.js';
import { readMatrix } from '../../src/node/files.js';
import { loadOnlineState, saveModel } from '../../src/node/model-folder.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { workFolder } from '../support/cli.js';

const work = workFolder();

/** All blocks side by side, and how many there were. */
async function joined(source: AsyncIterable<DataMatrix>): Promise<{ X: Matrix; blocks: number }> {
  const turned: number[] = [];
  let [rows, cols, blocks] = [0, 0, 0];
  for await (const block of source) {
    for (const x of transpose(toDense(block)).data) turned.push(x);
    [rows, cols, blocks] = [block.rows, cols + block.cols, blocks + 1];
  }
  return { X: transpose(matrix(cols, rows, turned)), blocks };
}

/** A file of Matrix Market. */
function mtxOf({ rows, cols, data }: Matrix): string {
  const entries = Array.from(data).flatMap((x, at) => (x === 0 ? [] : [`${Math.floor(at / cols) + 1} ${(at % cols) + 1} ${x}`]));
  return `%%MatrixMarket matrix coordinate real general\n${rows} ${cols} ${entries.length}\n${entries.join('\n')}\n`;
}

/** An array of a .npy as NumPy lays it out: the entries of X (rows × cols) in this type and order. */
function npyOf({ rows, cols, data }: Matrix, type: string, fortran: boolean): Uint8Array {
  const dict = `{'descr': '${type}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${rows}, ${cols}), }`.padEnd(117);
  const lying = fortran ? transpose({ rows, cols, data }).data : data;
  const size = Number(type.at(-1));
  const numbers = Buffer.alloc(lying.length * size);
  lying.forEach((x, at) => {
    if (type === '>f4') numbers.writeFloatBE(x, at * size);
    else if (type === '<f8') numbers.writeDoubleLE(x, at * size);
    else numbers.writeUInt16LE(x, at * size);
  });
  return Buffer.concat([Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0]), Buffer.from(`${dict}\n`), numbers]);
}

// So wide that blocks of 2²² entries cut it whichever side the samples are.
const wide = randomLowRank(3, 1_500_001, 1, { seed: 4 });

describe('a .npy is read by ranges of bytes', () => {
  test.each(['rows', 'columns'] as const)('in several blocks, samples are its %s', async (samples) => {
    const X = samples === 'rows' ? transpose(wide) : wide;
    const file = await columnsOf(work.put('wide.npy', encodeNpy(X)), { samples });
    expect([file.rows, file.cols, file.streamed]).toEqual([3, 1_500_001, true]);
    const hash = createHash('sha256');
    const rows: Float32Array[][] = [[], [], []];
    let blocks = 0;
    for await (const block of file as AsyncIterable<Matrix>) {
      for (let i = 0; i < 3; i++) rows[i].push(block.data.slice(i * block.cols, (i + 1) * block.cols));
      blocks++;
    }
    for (const part of rows.flat()) hash.update(part);
    expect(blocks).toBe(2);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(wide.data).digest('hex'));
  });

  test.each([
    ['>f4', false],
    ['<f8', true],
    ['<u2', true],
    ['<u2', false],
  ] as const)('%s, in the order of Fortran: %s', async (type, fortran) => {
    const given = randomLowRank(7, 11, 3, { seed: 5 });
    const X = type === '<u2' ? { ...given, data: given.data.map((x) => Math.round(100 * x)) } : given;
    const path = work.put('typed.npy', npyOf(X, type, fortran));
    for (const samples of ['rows', 'columns'] as const) {
      const whole = await readMatrix(path, { samples });
      expect((await joined(await columnsOf(path, { samples }))).X).toEqual(whole.X);
    }
  });

  test('what cannot be read is refused when the file is opened, and a place is that in the file', async () => {
    const bytes = encodeNpy(matrix(4, 3));
    const refused = (content: Uint8Array) => columnsOf(work.put('bad.npy', content)).catch((error) => error);
    expect((await refused(bytes.subarray(0, bytes.length - 1))).message).toMatch(/bad\.npy: The .npy file is cut off: 4×3 entries/);
    expect((await refused(Buffer.from('1,2,3'))).message).toMatch(/not a .npy file/);
    const large = npyOf({ rows: 4, cols: 3, data: new Float32Array(12) }, '<f8', true);
    new DataView(large.buffer, large.byteOffset).setFloat64(large.length - 12 * 8 + 8 * 9, 1e300, true); // column 2, row 1
    for (const samples of ['rows', 'columns'] as const) {
      const error = await joined(await columnsOf(work.put('large.npy', large), { samples })).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toMatch(/1e\+300 in row 1, column 2 \(counted from 0\)/);
    }
    await expect(columnsOf(work.at('large.npy'), { header: true })).rejects.toThrow(/header is for tables of text/);
  });
});

describe('a table is read as it comes', () => {
  const X = randomLowRank(9, 16_001, 2, { seed: 6 });
  const lines = Array.from({ length: X.cols }, (_, c) => `s${c},${Array.from({ length: 9 }, (_, i) => X.data[i * X.cols + c]).join(',')}`);
  const text = `id,${Array.from({ length: 9 }, (_, i) => `f${i}`).join(',')}\n${lines.join('\n')}\n`;

  test.each(['t.csv', 't.csv.gz'])('%s', async (name) => {
    const path = work.put(name, name.endsWith('.gz') ? gzipSync(text) : text);
    const file = await columnsOf(path);
    expect([file.rows, file.cols, file.features?.[8], file.streamed]).toEqual([9, undefined, 'f8', true]);
    const read = await joined(file);
    expect(read.blocks).toBeGreaterThan(1);
    expect(read.X).toEqual((await readMatrix(path)).X);
    expect((await joined(file)).blocks).toBe(read.blocks); // again from the begin
  });

  test('a cell without a value is named by its place in the file', async () => {
    const gone = lines.map((line, c) => (c === 15_000 ? line.replace(/,[^,]*$/, ',') : line));
    const file = await columnsOf(work.put('gone.csv', `${gone.join('\n')}\n`));
    await expect(joined(file)).rejects.toThrow(/row 15001, column 9 of the numbers has no value/);
  });

  test('with samples as columns it is read whole, as files of other formats are', async () => {
    const small = { ...randomLowRank(5, 8, 2, { seed: 7 }) };
    const sparse = { ...small, data: small.data.map((x, at) => (at % 3 === 0 ? x : 0)) };
    const table = await columnsOf(work.put('cols.csv', '1,2,3\n4,5,6\n'), { samples: 'columns' });
    expect([table.rows, table.cols, table.streamed]).toEqual([2, 3, false]);
    const file = await columnsOf(work.put('sparse.mtx', mtxOf(sparse)), { samples: 'columns' });
    expect((await joined(file)).X).toEqual(sparse);
    await expect(columnsOf(work.put('hole.csv', '1,2\n,4\n'), { samples: 'columns' })).rejects.toThrow(/row 2, column 1 of the numbers/);
  });
});

test('the state of a fit is kept in a folder bit for bit, goes with its model, and is known to be of another one', async () => {
  using engine = createReferenceEngine();
  const X = randomLowRank(8, 60, 3, { seed: 8, noise: 0.1 });
  for (const update of ['hals', 'mu'] as const) {
    const states: OnlineState[] = [];
    const model = await onlineNmf(engine, [X], { ranks: 3, update, batchColumns: 16, passes: 2, onState: (state) => states.push(state) });
    expect(states.length).toBe(model.history.length);
    const folder = work.at(`kept-${update}`);
    expect(await saveModel(folder, model, {}, { online: states.at(-1) })).toContain('online.safetensors');
    const read = await loadOnlineState(folder);
    expect(read).toEqual(states.at(-1));
    expect(read!.A).toEqual(model.A[0]);
    const twice = await onlineNmf(engine, [X], { resume: read, batchColumns: 16 });
    expect(twice.iterations).toBe(states.at(-1)!.seen.batches + 4);
    const bytes = readFileSync(`${folder}/online.safetensors`);
    bytes[bytes.length - 1] ^= 1;
    work.put(`kept-${update}/online.safetensors`, bytes);
    await expect(loadOnlineState(folder)).rejects.toThrow(/online\.safetensors is not the file that model\.json lists/);
    await saveModel(folder, model);
    expect(await loadOnlineState(folder)).toBeUndefined();
  }
});
