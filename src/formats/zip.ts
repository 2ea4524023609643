/** Members of zip files, as .npz is one: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. fflate unpacks and packs them. */
import { messageOf } from '../data/realm.js';
import { quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import { unpackLimit } from './unpack.js';

export interface ZipMember {
  name: string;
  /** Bytes when unpacked. */
  size: number;
  /** The bytes, checked against their sum. Throws InputError for a member that is encrypted, damaged, or packed by another method. */
  unpack(): Promise<Uint8Array>;
}

const [endMark, entryMark, memberMark] = [0x06054b50, 0x02014b50, 0x04034b50];
const [end64Mark, locator64Mark] = [0x06064b50, 0x07064b50];

/** The most that deflate can pack into a byte. */
const mostPerByte = 1032;

/** Whether bytes begin as zip files do. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 22 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * The members of a zip file. Nothing is unpacked yet, and none is that says it would take more than `unpackLimit` together with the others.
 *
 * @throws InputError, whose message starts with `source`, for bytes that are no whole zip file.
 */
export function zipMembers(bytes: Uint8Array, source: string): ZipMember[] {
  const refuse = (why: string) => new InputError(`${source} ${why}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isZip(bytes)) throw refuse('is no zip file; write it with numpy.savez');
  const directory = findDirectory(view);
  if (directory === undefined) throw refuse('is cut off or damaged: its list of members is missing');
  let { at, count } = directory;
  if (46 * count > bytes.length) throw refuse(`is damaged: it says that it has ${count} members`);
  const members: ZipMember[] = [];
  let total = 0;
  for (; count > 0; count--) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== entryMark) throw refuse('is damaged: its list of members cannot be read');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const after = at + 46 + nameLength + extraLength + commentLength;
    if (after > bytes.length) throw refuse('is damaged: its list of members cannot be read');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const sizes = sizesOf(view, at, at + 46 + nameLength, extraLength);
    total += sizes.size;
    if (sizes.size > mostPerByte * sizes.packed + mostPerByte)
      throw refuse(`is damaged: member ${quoted(name)} cannot have ${sizes.size} bytes in ${sizes.packed}`);
    if (total > unpackLimit(bytes.length))
      throw refuse(
        `has ${bytes.length} bytes and unpacks to more than ${unpackLimit(bytes.length)}; save it without compression if that is right`,
      );
    const [flags, method, sum] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true), view.getUint32(at + 16, true)];
    members.push({
      name,
      size: sizes.size,
      unpack: () => unpackMember(bytes, view, { ...sizes, flags, method, sum }, `${source}: member ${quoted(name)}`),
    });
    at = after;
  }
  return members;
}

/** Where the list of members begins, and how many there are, by the record at the end of the file. */
function findDirectory(view: DataView): { at: number; count: number } | undefined {
  for (let end = view.byteLength - 22; end >= Math.max(0, view.byteLength - 22 - 0xffff); end--) {
    if (view.getUint32(end, true) !== endMark || end + 22 + view.getUint16(end + 20, true) !== view.byteLength) continue;
    if (end >= 20 && view.getUint32(end - 20, true) === locator64Mark) {
      const at = number64(view, end - 12);
      if (at + 56 > view.byteLength || view.getUint32(at, true) !== end64Mark) return undefined;
      return { count: number64(view, at + 32), at: number64(view, at + 48) };
    }
    return { count: view.getUint16(end + 10, true), at: view.getUint32(end + 16, true) };
  }
  return undefined;
}

const number64 = (view: DataView, at: number) => view.getUint32(at, true) + 2 ** 32 * view.getUint32(at + 4, true);

interface Sizes {
  packed: number;
  size: number;
  /** Where the member itself begins. */
  start: number;
}

/** Those of an entry of the list; of large files they stand in an extra field (zip64), in this order, where they do not fit. */
function sizesOf(view: DataView, at: number, extraAt: number, extraLength: number): Sizes {
  const fields = { size: view.getUint32(at + 24, true), packed: view.getUint32(at + 20, true), start: view.getUint32(at + 42, true) };
  for (let field = extraAt; field + 4 <= extraAt + extraLength; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    let next = field + 4;
    for (const name of ['size', 'packed', 'start'] as const) {
      if (fields[name] !== 0xffffffff || next + 8 > extraAt + extraLength) continue;
      fields[name] = number64(view, next);
      next += 8;
    }
  }
  return fields;
}

async function unpackMember(
  bytes: Uint8Array,
  view: DataView,
  { packed, size, start, flags, method, sum }: Sizes & { flags: number; method: number; sum: number },
  source: string,
): Promise<Uint8Array> {
  const refuse = (why: string, cause?: unknown) => new InputError(`${source} ${why}.`, { cause });
  if (flags & 1) throw refuse('is encrypted; save the file without a password');
  if (method !== 0 && method !== 8) throw refuse(`is packed by method ${method}, but only stored and deflated ones can be read`);
  if (start + 30 > bytes.length || view.getUint32(start, true) !== memberMark) throw refuse('is not where the list of members says');
  const from = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  if (from + packed > bytes.length) throw refuse('is cut off');
  const content = bytes.subarray(from, from + packed);
  let unpacked = content;
  if (method === 8) {
    const { inflateSync } = await import('fflate');
    try {
      // What would not fit is left out, and the sum shows it.
      unpacked = inflateSync(content, { out: new Uint8Array(size) });
    } catch (error) {
      throw refuse(`is damaged: it cannot be unpacked (${messageOf(error)})`, error);
    }
  }
  if (unpacked.length !== size || crc32(unpacked) !== sum) throw refuse('is damaged: its bytes do not have the sum that they should have');
  return unpacked;
}

/** A zip file with these members, deflated. Equal members give equal files: it has no time. */
export async function zipped(members: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const { zipSync } = await import('fflate');
  return zipSync({ ...members }, { mtime: '1980-01-01T00:00:00' });
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** CRC-32 as zip has it. */
export function crc32(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) rest = (rest >>> 8) ^ table[(rest ^ bytes[i]) & 255];
  return (rest ^ 0xffffffff) >>> 0;
}
