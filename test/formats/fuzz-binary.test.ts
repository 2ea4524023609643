/**
 * Mutated files for the readers of packed formats: a matrix or an InputError that names the file, in time and in memory that follow the file.
 * What is read of a file whose sums are checked (.npz) is what was written. Packages read the foreign ones, in a thread of the build.
 */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import type { FileContent } from '../../src/formats/file-format.js';
import { formats } from '../../src/formats/formats.js';
import { build } from '../support/build.js';
import { type Mutation, mutated, mutations } from '../support/mutations.js';

const fuzzing = (import.meta as { env?: { MODE?: string } }).env?.MODE === 'fuzz';

const pieces = ['\0', '\0\0\0\0', '\xff\xff\xff\xff', '\x7f\xff\xff\xff', 'PK\x01\x02', '\x15\x00', 'csr', '9'.repeat(12)];
const files = ['dense.npz', 'dense-compressed.npz', 'named.npz', 'scipy-csr.npz', 'scipy-coo.npz', 'scipy-bsr-blocks.npz'];
const foreign = [
  'pandas.parquet',
  'missing.parquet',
  'arrow.parquet',
  'zstd.parquet',
  'table.feather',
  'lz4.feather',
  'stream.arrows',
  'dense.h5ad',
  'csr.h5ad',
];
/** Files of one parser share the 10,000 of `npm run fuzz`; a thread for each takes its time. */
const runsOf = (name: string) => {
  if (!foreign.includes(name)) return fuzzing ? 10_000 : 150;
  const parserOf = (file: string) => ['.parquet', '.h5ad'].find((ending) => file.endsWith(ending)) ?? 'Arrow';
  const sharing = foreign.filter((other) => parserOf(other) === parserOf(name));
  return fuzzing ? Math.ceil(10_000 / sharing.length) : 15;
};

beforeAll(() => build(), 300_000);

describe.each([...files, ...foreign])('%s', (name) => {
  const content = new Uint8Array(readFileSync(new URL(`files/${name}`, import.meta.url)));
  const format = formats.find(({ extensions }) => extensions.includes(extname(name)))!;
  const isForeign = foreign.includes(name);
  /** By the thread of the build, or here. */
  const reader = async () => {
    const { readContent } = (await import(
      new URL('../../dist/node/foreign.js', import.meta.url).href
    )) as typeof import('../../src/node/foreign.js');
    const { InputError: Refusal } = (await import(
      new URL('../../dist/errors.js', import.meta.url).href
    )) as typeof import('../../src/errors.js');
    const read = (file: Uint8Array) =>
      isForeign ? readContent(format, file, 'file', { limitMs: 1500 }) : Promise.resolve(format.read(file, 'file'));
    return { read, Refusal: isForeign ? Refusal : InputError };
  };

  test(
    'mutated files are read or refused by name',
    async () => {
      const { read, Refusal } = await reader();
      const whole = isForeign ? undefined : await read(content);
      // The bytes of HDF5 that mean something are few in many.
      const places = fc.oneof(
        mutations(pieces),
        mutations(pieces).map((changes) => changes.map((change): Mutation => ({ ...change, at: change.at / 8 }))),
      );
      await fc.assert(
        fc.asyncProperty(places, async (changes) => {
          const file = mutated(content, changes);
          const before = process.memoryUsage().arrayBuffers;
          const result = await read(file).catch((error: unknown) => error);
          expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 29);
          if (result instanceof Error) {
            if (!(result instanceof Refusal)) throw result;
            expect(result.message).toContain('file');
            expect(result.message.length).toBeLessThan(1000);
            return;
          }
          const { X, rowNames, columnNames, missing } = result as FileContent;
          const dense = toDense(X);
          expect(dense.data).toHaveLength(X.rows * X.cols);
          if (rowNames) expect(rowNames).toHaveLength(X.rows);
          if (columnNames) expect(columnNames).toHaveLength(X.cols);
          if (missing) expect(missing).toHaveLength(X.rows * X.cols);
          // A member that is missing, or called otherwise, leaves another file; an entry that is read has not changed.
          if (!isForeign) expect([...dense.data].sort()).toEqual([...toDense(whole!.X).data].sort());
        }),
        { numRuns: runsOf(name) },
      );
    },
    fuzzing ? 3_600_000 : 300_000,
  );
});

test('a file that keeps its reader for ever is ended', async () => {
  const { readContent } = (await import(
    new URL('../../dist/node/foreign.js', import.meta.url).href
  )) as typeof import('../../src/node/foreign.js');
  const content = new Uint8Array(readFileSync(new URL('files/stream.arrows', import.meta.url)));
  // Found by fuzzing: the length of a list becomes two thousand millions.
  content[342] = 164;
  const format = formats.find(({ extensions }) => extensions.includes('.arrows'))!;
  await expect(readContent(format, content, 'f.arrows', { limitMs: 1000 })).rejects.toThrow(
    'f.arrows is damaged, or no Arrow file: reading it took',
  );
});
