import { describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { toDense } from '../../src/data/sparse.js';
import { InputError } from '../../src/errors.js';
import type { FileFormat } from '../../src/formats/file-format.js';

/** Tests of what every format of the list must hold to; `Refusal` is the InputError of the modules that the formats come from. */
export function formatContract(formats: readonly FileFormat[], Refusal = InputError): void {
  test('no two formats share an extension', () => {
    const all = formats.flatMap(({ extensions }) => extensions);
    expect(new Set(all).size).toBe(all.length);
    for (const extension of all) expect(extension).toMatch(/^\.[a-z0-9]+$/);
  });

  describe.each(formats.map((format) => [format.name, format] as const))('%s', (_name, { extensions, read, write }) => {
    test.each(['\n', 'no matrix at all', '\u00a7'])('refuses %j, and names the file', async (text) => {
      const source = `folder/some${extensions[0]}`;
      const reading = async () => read(new TextEncoder().encode(text), source);
      await expect(reading).rejects.toThrow(Refusal);
      await expect(reading).rejects.toThrow(source);
    });

    // The largest and the smallest f32, neighbours of 1, fractions that have no end in base 2, and one that eight digits cannot tell.
    const entries = [
      0,
      1,
      1 / 3,
      -2.5,
      3.4028234663852886e38,
      1.401298464324817e-45,
      1 + 2 ** -23,
      1 - 2 ** -24,
      1000 + 2 ** -14,
      1e-7,
      0.1,
      7,
    ];
    if (!write) return;
    test('reads back what it writes, bit for bit', async () => {
      for (const [rows, cols] of [
        [3, 4],
        [12, 1],
        [1, 12],
      ]) {
        const X = matrix(rows, cols, entries);
        const content = await write(X);
        const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
        expect(toDense((await read(bytes, 'source')).X)).toEqual(X);
      }
    });
  });
}
