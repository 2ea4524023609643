/** Parts of files that are packed on their own, as pages of Parquet and buffers of Arrow are. fflate and fzstd unpack, and lz4.ts. */
import type { Compressors, FileMetaData } from 'hyparquet';
import { InputError } from '../errors.js';
import { unpackLz4Block, unpackLz4Frame } from './lz4.js';

/** So much is unpacked of any file; of a larger one a hundred times its size. Texts of numbers rarely shrink to less than that. */
const freeBytes = 2 ** 28;
const mostTimes = 100;

/** The most bytes that a file of so many may unpack to. A bomb of some kilobytes has gigabytes in it. */
export function unpackLimit(packed: number): number {
  return Math.max(freeBytes, mostTimes * packed);
}

/** Unpacks a part to the bytes that the file says it has. Throws Error where it has others. */
export type Unpack = (packed: Uint8Array, length: number) => Uint8Array;

/** How the parts of a file of so many bytes are unpacked: all together to as much as a .gz of its size may. */
export async function unpackers(fileBytes: number): Promise<Record<'gzip' | 'zstd' | 'lz4Block' | 'lz4Frame', Unpack>> {
  const [{ gunzipSync }, { Decompress }] = await Promise.all([import('fflate'), import('fzstd')]);
  const limit = unpackLimit(fileBytes);
  let total = 0;
  const within =
    (unpack: Unpack): Unpack =>
    (packed, length) => {
      total += length;
      // A length that is no number, or negative, is none either.
      if (!(length >= 0 && total <= limit)) throw new Error(`its parts unpack to more than ${limit} bytes.`);
      if (length === 0) return new Uint8Array();
      const unpacked = unpack(packed, length);
      if (unpacked.length !== length) throw new Error(`a part of it unpacks to ${unpacked.length} bytes, and should have ${length}.`);
      return unpacked;
    };
  return {
    // Where there is more, one byte of it shows that: the package keeps to the room that it gets.
    gzip: within((packed, length) => gunzipSync(packed, { out: new Uint8Array(length + 1) })),
    zstd: within((packed, length) => {
      checkWindow(packed, length);
      const unpacked = new Uint8Array(length);
      let at = 0;
      const stream = new Decompress((part) => {
        if (at + part.length > length) throw new Error(`a part of it unpacks to more than ${length} bytes.`);
        unpacked.set(part, at);
        at += part.length;
      });
      stream.push(packed, true);
      return unpacked.subarray(0, at);
    }),
    lz4Block: within(unpackLz4Block),
    lz4Frame: within(unpackLz4Frame),
  };
}

/** The largest window of Zstandard, 128 MiB, as for its own program without --long. */
const mostWindowLog = 27;

/** Throws Error for a frame that would get more memory than it needs: a header of some bytes could ask for 2 GiB (RFC 8878, 3.1.1.1). */
function checkWindow(packed: Uint8Array, length: number): void {
  const [, , , , flags = 0, next = 0] = packed;
  const isOneSegment = (flags >> 5) & 1;
  if (!isOneSegment) {
    const log = 10 + (next >> 3);
    if (log > mostWindowLog) throw new Error(`its Zstandard window of 2^${log} bytes is too large.`);
    return;
  }
  // The content is the window. Its size comes after the number of a dictionary, in 1, 2, 4 or 8 bytes.
  const from = 5 + [0, 1, 2, 4][flags & 3];
  const bytes = 1 << (flags >> 6);
  let size = bytes === 2 ? 256 : 0;
  for (let i = 0; i < bytes; i++) size += (packed[from + i] ?? 0) * 256 ** i;
  if (size > length) throw new Error(`a part of it unpacks to ${size} bytes, and should have ${length}.`);
}

/**
 * How the pages of a Parquet file are unpacked; the limit of its size counts from here on. Throws InputError where it is packed in another way.
 */
export async function compressorsOf(metadata: FileMetaData, fileBytes: number, source: string): Promise<Compressors> {
  const codecs = new Set(metadata.row_groups.flatMap(({ columns }) => columns.flatMap(({ meta_data: column }) => column?.codec ?? [])));
  const plain: string[] = ['UNCOMPRESSED', 'SNAPPY']; // which hyparquet unpacks itself
  const packed = [...codecs].filter((codec) => !plain.includes(codec));
  if (packed.length === 0) return {};
  const { gzip, zstd, lz4Block } = await unpackers(fileBytes);
  const known: Compressors = { GZIP: gzip, ZSTD: zstd, LZ4_RAW: lz4Block };
  const other = packed.find((codec) => known[codec] === undefined);
  if (other !== undefined)
    throw new InputError(
      `${source} is packed with ${other}; write it with the compression 'snappy', 'gzip', 'zstd' or 'lz4', or with none.`,
    );
  return known;
}
