/**
 * LZ4, which Arrow files are packed with by default. No package that is kept reads its frames, for their blocks refer to those before them:
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md and lz4_Frame_format.md. Sums in a frame are not compared.
 */

const damaged = (what: string) => new Error(`LZ4: ${what}`);

/** A byte becomes 255 at most. */
const mostTimes = 255;

/** Unpacks a block into `out` from `at` on. Returns the place after its last byte. Matches may begin anywhere before. */
function block(packed: Uint8Array, out: Uint8Array, at: number): number {
  let from = 0;
  const next = () => {
    if (from === packed.length) throw damaged('a block is cut off.');
    return packed[from++];
  };
  /** A length of four bits, which goes on in bytes of up to 255. */
  const lengthOf = (bits: number) => {
    let length = bits;
    if (bits === 15) for (let more = 255; more === 255; length += more) more = next();
    return length;
  };
  for (;;) {
    const token = next();
    const literals = lengthOf(token >> 4);
    if (from + literals > packed.length) throw damaged('a block is cut off.');
    if (at + literals > out.length) throw damaged('it has more bytes than it says.');
    out.set(packed.subarray(from, from + literals), at);
    from += literals;
    at += literals;
    // The last part of a block has no match.
    if (from === packed.length) return at;
    const back = next() | (next() << 8);
    const length = lengthOf(token & 15) + 4;
    if (back === 0 || back > at) throw damaged('a match begins before the first byte.');
    if (at + length > out.length) throw damaged('it has more bytes than it says.');
    // A match may run into itself, so a copy at once would be wrong.
    for (const end = at + length; at < end; at++) out[at] = out[at - back];
  }
}

function room(packed: Uint8Array, length: number): Uint8Array {
  if (length > mostTimes * packed.length) throw damaged(`${packed.length} bytes cannot become ${length}.`);
  return new Uint8Array(length);
}

const expectLength = (found: number, length: number) => {
  if (found !== length) throw damaged(`it has ${found} bytes, and says ${length}.`);
};

/** A block that becomes `length` bytes. Throws Error for another one. */
export function unpackLz4Block(packed: Uint8Array, length: number): Uint8Array {
  const out = room(packed, length);
  expectLength(block(packed, out, 0), length);
  return out;
}

/** A frame that becomes `length` bytes. Throws Error for another one. */
export function unpackLz4Frame(packed: Uint8Array, length: number): Uint8Array {
  const out = room(packed, length);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (packed.length < 7 || view.getUint32(0, true) !== 0x184d2204) throw damaged('it does not begin as a frame.');
  const flags = packed[4];
  if (flags >> 6 !== 1) throw damaged('its frame is of an unknown version.');
  // The length and the number of a dictionary, and a sum of the header.
  let from = 6 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0) + 1;
  let at = 0;
  for (;;) {
    if (from + 4 > packed.length) throw damaged('a frame is cut off.');
    const word = view.getUint32(from, true);
    from += 4;
    if (word === 0) break;
    const size = word & 0x7fffffff;
    if (from + size > packed.length) throw damaged('a frame is cut off.');
    const content = packed.subarray(from, from + size);
    if (word >>> 31) {
      if (at + size > length) throw damaged('it has more bytes than it says.');
      out.set(content, at);
      at += size;
    } else at = block(content, out, at);
    from += size + (flags & 16 ? 4 : 0);
  }
  expectLength(at, length);
  return out;
}
