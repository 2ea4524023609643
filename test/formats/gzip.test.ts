import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import { gunzip, isGzip } from '../../src/formats/gzip.js';
import { mutated, mutations } from '../support/mutations.js';

const plain = new TextEncoder().encode('1,2\n3,4\n'.repeat(5000));
const packed = new Uint8Array(gzipSync(plain));

test('what gzip has packed is unpacked, of one member or of several', async () => {
  // printf 'hello\n' | gzip -n | base64
  const hello = new Uint8Array(Buffer.from('H4sIAAAAAAAAA8tIzcnJ5wIAIDA6NgYAAAA=', 'base64'));
  expect(new TextDecoder().decode(await gunzip(hello, 'f.gz'))).toBe('hello\n');
  expect(await gunzip(packed, 'f.gz')).toEqual(plain);
  expect(await gunzip(Uint8Array.from([...hello, ...packed, ...hello]), 'f.gz')).toHaveLength(plain.length + 12);
  expect(await gunzip(new Uint8Array(gzipSync(new Uint8Array(0))), 'f.gz')).toHaveLength(0);
  expect([isGzip(packed), isGzip(plain), isGzip(new Uint8Array(0))]).toEqual([true, false, false]);
});

test.each([
  ['nothing', new Uint8Array(0), 'f.gz is not packed with gzip'],
  ['a plain text', plain, 'f.gz is not packed with gzip; give it a name without .gz.'],
  ['half a file', packed.subarray(0, packed.length / 2), 'f.gz is cut off or damaged'],
  ['a file without its sum', packed.subarray(0, -8), 'f.gz is cut off or damaged'],
  ['a wrong sum', packed.with(packed.length - 8, packed[packed.length - 8] ^ 1), 'f.gz is cut off or damaged'],
])('%s is refused', async (_name, bytes, message) => {
  await expect(gunzip(bytes, 'f.gz')).rejects.toThrow(InputError);
  await expect(gunzip(bytes, 'f.gz')).rejects.toThrow(message);
});

test('a bomb ends at the limit', async () => {
  // 320 MiB of zeros are 326 KB.
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(320 * 2 ** 20)));
  await expect(gunzip(bomb, 'f.gz')).rejects.toThrow(/f\.gz has \d+ bytes and unpacks to more than 268435456; if that is right, unpack it/);
  await expect(gunzip(packed, 'f.gz', { limit: 100 })).rejects.toThrow('unpacks to more than 100');
  expect(await gunzip(packed, 'f.gz', { limit: plain.length })).toHaveLength(plain.length);
});

test('mutated files are refused, or unpacked to what was packed', async () => {
  const small = new Uint8Array(gzipSync('a small text, a small text\n'.repeat(9)));
  await fc.assert(
    fc.asyncProperty(mutations(['\0', '\x1f\x8b\x08']), async (changes) => {
      const result = await gunzip(mutated(small, changes), 'f.gz').catch((error) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(InputError);
      else expect(new TextDecoder().decode(result)).toContain('a small text, a small text\n'.repeat(9));
    }),
    { numRuns: 400 },
  );
});
