/** Parts of files that are packed on their own, against the programs that pack them: lz4 1.9.4 (files/make.py), zlib, an encoder of literals. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { InputError } from '../../src/errors.js';
import { unpackLz4Block, unpackLz4Frame } from '../../src/formats/lz4.js';
import { parquet } from '../../src/formats/parquet.js';
import { unpackers } from '../../src/formats/unpack.js';
import { parseDocuments } from '../../src/text/document-file.js';

const fileOf = (name: string) => new Uint8Array(readFileSync(new URL(`files/${name}`, import.meta.url)));
const text = Array.from({ length: 40_000 }, (_, i) => i % 97).join(' ');
const bytesOf = (words: string) => new TextEncoder().encode(words);

/** An LZ4 block without any match. */
function literals(content: Uint8Array): Uint8Array {
  const more = content.length < 15 ? [] : [...Array(Math.floor((content.length - 15) / 255)).fill(255), (content.length - 15) % 255];
  return Uint8Array.from([Math.min(15, content.length) << 4, ...more, ...content]);
}

describe('LZ4', () => {
  test.each(['linked.lz4', 'checked.lz4'])('frames of the program lz4: %s', (name) => {
    expect(new TextDecoder().decode(unpackLz4Frame(fileOf(name), text.length))).toBe(text);
  });

  test('a match that runs into itself', () => {
    // 'ab', then ten bytes from two back, then 'c'.
    expect(unpackLz4Block(Uint8Array.from([0x26, 97, 98, 2, 0, 0x10, 99]), 13)).toEqual(bytesOf('ababababababc'));
  });

  test('literals of all lengths', () => {
    const { integer } = random(3);
    for (const length of [0, 1, 14, 15, 16, 269, 270, 271, 1000]) {
      const content = Uint8Array.from({ length }, () => integer(256));
      if (length > 0) expect(unpackLz4Block(literals(content), length), `${length}`).toEqual(content);
    }
  });

  test('damaged ones are refused, whatever is cut off or changed', () => {
    const frame = fileOf('linked.lz4');
    for (let length = 0; length < frame.length - 4; length++)
      expect(() => unpackLz4Frame(frame.subarray(0, length), text.length), `${length} bytes`).toThrow(/^LZ4: /);
    for (const length of [text.length - 1, text.length + 1]) expect(() => unpackLz4Frame(frame, length)).toThrow(/^LZ4: it has/);
    expect(() => unpackLz4Block(Uint8Array.from([0x26, 97, 98, 3, 0, 0x10, 99]), 13)).toThrow('before the first byte');
    expect(() => unpackLz4Block(Uint8Array.from([0x26, 97, 98, 0, 0, 0x10, 99]), 13)).toThrow('before the first byte');
    expect(() => unpackLz4Frame(fileOf('dense.npz'), 10)).toThrow('does not begin as a frame');
    // A length that so few bytes cannot have is not allocated.
    expect(() => unpackLz4Block(Uint8Array.of(0x10, 97), 2 ** 40)).toThrow('2 bytes cannot become 1099511627776');
  });
});

describe('pages of Parquet', () => {
  const a = Array.from({ length: 500 }, (_, i) => (i % 7) + 0.5);
  const written = (codec: string, pack: (page: Uint8Array) => Uint8Array) => {
    const options = { columnData: [{ name: 'a', data: a, type: 'DOUBLE' as const }], codec, compressors: { [codec]: pack } };
    return new Uint8Array(parquetWriteBuffer(options as unknown as Parameters<typeof parquetWriteBuffer>[0]));
  };

  test.each([
    ['GZIP', (page: Uint8Array) => new Uint8Array(gzipSync(page))],
    ['LZ4_RAW', literals],
  ] as const)('%s', async (codec, pack) => {
    const { X } = await parquet.read(written(codec, pack), 'file');
    expect(Array.from((X as { data: Float32Array }).data)).toEqual(a);
  });

  test('texts, too', async () => {
    const columns = { columnData: [{ name: 'text', data: ['the sea', 'a ship'], type: 'STRING' as const }], codec: 'GZIP' };
    const options = { ...columns, compressors: { GZIP: (page: Uint8Array) => new Uint8Array(gzipSync(page)) } };
    const bytes = new Uint8Array(parquetWriteBuffer(options as unknown as Parameters<typeof parquetWriteBuffer>[0]));
    expect((await parseDocuments(bytes, 'texts.parquet')).map(({ text }) => text)).toEqual(['the sea', 'a ship']);
  });

  test('another codec is refused with those that are read', async () => {
    await expect(parquet.read(written('BROTLI', literals), 'f.parquet')).rejects.toThrow(InputError);
    await expect(parquet.read(written('BROTLI', literals), 'f.parquet')).rejects.toThrow(
      "f.parquet is packed with BROTLI; write it with the compression 'snappy', 'gzip', 'zstd' or 'lz4', or with none.",
    );
  });

  test('a page of another length than its file says is refused', async () => {
    const longer = (page: Uint8Array) => new Uint8Array(gzipSync(Uint8Array.from([...page, 0])));
    await expect(parquet.read(written('GZIP', longer), 'f.parquet')).rejects.toThrow(/^f\.parquet /);
  });
});

describe('Zstandard', () => {
  // zstd 1.5.4, of 'ab' a hundred times and 'c': with its length, and as a stream that has none.
  const frames = { known: 'KLUv/STJVQAAGGFiYwEAwyiHBW/byrg=', stream: 'KLUv/QBYVQAAGGFiYwEAwyiHBQ==' };
  const content = bytesOf(`${'ab'.repeat(100)}c`);
  test.each(Object.entries(frames))('%s', async (_name, base64) => {
    const packed = new Uint8Array(Buffer.from(base64, 'base64'));
    const { zstd } = await unpackers(packed.length);
    expect(zstd(packed, 201)).toEqual(content);
    expect(() => zstd(packed, 200)).toThrow(/more than 200 bytes|unpacks to 201 bytes, and should have 200/);
    expect(() => zstd(packed, 202)).toThrow('unpacks to 201 bytes, and should have 202');
    for (let length = 0; length < packed.length - 4; length++) expect(() => zstd(packed.subarray(0, length), 201), `${length}`).toThrow();
  });

  test('a window that no file needs is not allocated', async () => {
    const { zstd } = await unpackers(100);
    const large = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0, 1, 0, 0]);
    expect(() => zstd(large, 10)).toThrow('window of 2^30 bytes is too large');
    const segment = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x70, 1, 0, 0]);
    expect(() => zstd(segment, 10)).toThrow('unpacks to 1879048192 bytes, and should have 10');
  });
});

test('all parts of a file together have a limit', async () => {
  const { gzip } = await unpackers(1000);
  const packed = new Uint8Array(gzipSync(new Uint8Array(1000)));
  expect(gzip(packed, 1000)).toEqual(new Uint8Array(1000));
  expect(() => gzip(packed, 2 ** 28)).toThrow('its parts unpack to more than 268435456 bytes');
  expect(() => gzip(packed, -1)).toThrow('unpack to more than');
  expect(() => gzip(packed, Number.NaN)).toThrow('unpack to more than');
});
