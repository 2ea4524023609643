import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { sha256 } from '../../src/data/sha256.js';

test('sha256 gives the digests of node:crypto, at every length about the ends of its blocks', () => {
  const r = random(3);
  for (const length of [0, 1, 2, 3, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 121, 127, 128, 129, 1000, 10_007]) {
    const bytes = Uint8Array.from({ length: length + 3 }, () => r.integer(256)).subarray(3); // away from the start of its buffer
    expect(sha256(bytes), `${length} bytes`).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
  expect(sha256('A⁰S⁰')).toBe(createHash('sha256').update('A⁰S⁰').digest('hex'));
  // FIPS 180-4, appendix B.1
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
