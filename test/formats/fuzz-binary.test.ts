/**
 * Mutated files for the readers of packed formats, which call packages: a matrix or an InputError that names the file, in time and in memory
 * that follow the file. What is read of a file whose sums are checked (.npz) is what was written.
 */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import { formats } from '../../src/formats/formats.js';
import { type Mutation, mutated, mutations } from '../support/mutations.js';

const fuzzing = (import.meta as { env?: { MODE?: string } }).env?.MODE === 'fuzz';
const numRuns = fuzzing ? 10_000 : 150;

const pieces = ['\0', '\0\0\0\0', '\xff\xff\xff\xff', '\x7f\xff\xff\xff', 'PK\x01\x02', '\x15\x00', 'csr', '9'.repeat(12)];
const files = [
  'dense.npz',
  'dense-compressed.npz',
  'named.npz',
  'scipy-csr.npz',
  'scipy-coo.npz',
  'scipy-bsr-blocks.npz',
  'pandas.parquet',
  'missing.parquet',
  'arrow.parquet',
  'table.feather',
  'stream.arrows',
  'dense.h5ad',
  'csr.h5ad',
];

describe.each(files)('%s', (name) => {
  const content = new Uint8Array(readFileSync(new URL(`files/${name}`, import.meta.url)));
  const { read } = formats.find(({ extensions }) => extensions.includes(extname(name)))!;

  test('mutated files are read or refused by name', async () => {
    const whole = await read(content, 'file');
    // The bytes of HDF5 that mean something are few in many.
    const places = fc.oneof(
      mutations(pieces),
      mutations(pieces).map((changes) => changes.map((change): Mutation => ({ ...change, at: change.at / 8 }))),
    );
    await fc.assert(
      fc.asyncProperty(places, async (changes) => {
        const file = mutated(content, changes);
        const before = process.memoryUsage().arrayBuffers;
        const result = await Promise.resolve(read(file, 'file')).catch((error: unknown) => error);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 29);
        if (result instanceof Error) {
          if (!(result instanceof InputError)) throw result;
          expect(result.message).toContain('file');
          expect(result.message.length).toBeLessThan(1000);
          return;
        }
        const { X, rowNames, columnNames, missing } = result as Awaited<ReturnType<typeof read>>;
        const dense = toDense(X);
        expect(dense.data).toHaveLength(X.rows * X.cols);
        if (rowNames) expect(rowNames).toHaveLength(X.rows);
        if (columnNames) expect(columnNames).toHaveLength(X.cols);
        if (missing) expect(missing).toHaveLength(X.rows * X.cols);
        // A member that is missing, or called otherwise, leaves another file; an entry that is read has not changed.
        if (name.endsWith('.npz')) expect([...dense.data].sort()).toEqual([...toDense(whole.X).data].sort());
      }),
      { numRuns },
    );
  }, 300_000);
});
