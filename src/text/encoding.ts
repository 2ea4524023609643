/** Bytes to text, in the encoding that they have or that is told. */
import { decodeWhole } from '../data/decode.js';
import { describe, inWords } from '../data/words.js';
import { InputError } from '../errors.js';

export interface Decoded {
  text: string;
  /** The encoding, as browsers name it: 'utf-8', 'utf-16le', 'windows-1252', … */
  encoding: string;
}

/** V8 holds no longer text. */
const longestText = 2 ** 29 - 24;

/**
 * The text in bytes, without a byte order mark. Without `encoding` it is UTF-8, or UTF-16 where a byte order mark or the zero byte of every
 * other character says so. Nothing else is guessed: for bytes that are none of these an error says where, and what they may be.
 *
 * @param encoding A name of the WHATWG Encoding Standard: 'windows-1252', 'shift_jis', 'gb18030', …
 * @throws InputError for bytes that are not in the encoding, a name of none, and more than a text can hold.
 */
export function decodeDocument(bytes: Uint8Array, source: string, encoding?: string): Decoded {
  if (bytes.length > longestText) throw new InputError(`${source} has ${bytes.length} bytes, more than a text can hold; split it.`);
  const decoder = decoderFor(encoding ?? utf16(bytes) ?? 'utf-8');
  let text: string;
  try {
    text = decodeWhole(decoder, bytes);
  } catch {
    throw notInEncoding(bytes, source, decoder.encoding, encoding !== undefined);
  }
  if (encoding === undefined && text.includes('\0'))
    throw new InputError(`${source} has zero bytes, so it is no text, or one in an encoding that has to be told by the option encoding.`);
  return { text, encoding: decoder.encoding };
}

function decoderFor(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    const known = ['utf-8', 'utf-16le', 'windows-1252', 'shift_jis', 'euc-jp', 'gb18030', 'big5', 'euc-kr', 'koi8-r', 'windows-1251'];
    throw new InputError(`There is no encoding ${describe(encoding)}; known are ${inWords(known)}, among others.`, { option: 'encoding' });
  }
}

/** UTF-16 by its mark, or by the zero bytes that half of all Latin letters have. */
function utf16(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const sample = bytes.subarray(0, 2000);
  const zeros = [0, 0];
  sample.forEach((byte, i) => {
    if (byte === 0) zeros[i % 2]++;
  });
  const half = sample.length / 2;
  if (zeros[1] > 0.4 * half && zeros[0] === 0) return 'utf-16le';
  if (zeros[0] > 0.4 * half && zeros[1] === 0) return 'utf-16be';
  return undefined;
}

/** An error that names the line and what to try. */
function notInEncoding(bytes: Uint8Array, source: string, encoding: string, told: boolean): InputError {
  const place = { option: 'encoding' };
  const name = encoding.toUpperCase();
  if (told || encoding !== 'utf-8') return new InputError(`${source} is not text in ${name}; tell another by the option encoding.`, place);
  const bad = firstBad(bytes);
  let line = 1;
  for (let i = 0; i < bad; i++) if (bytes[i] === 10) line++;
  const fits = ['shift_jis', 'gb18030', 'euc-kr', 'windows-1252'].filter((one) => {
    try {
      const text = decodeWhole(new TextDecoder(one, { fatal: true }), bytes.subarray(0, 1e6));
      return !/[^\P{Cc}\t\n\r\f]|\ufffd/u.test(text);
    } catch {
      return false;
    }
  });
  const hint = fits.length > 0 ? ` It could be ${inWords(fits, 'or')}:` : '';
  return new InputError(
    `${source} is not UTF-8 text: line ${line} has the byte 0x${bytes[bad].toString(16)}.${hint} tell its encoding by the option encoding, or save it as UTF-8.`.replace(
      '. tell',
      '. Tell',
    ),
    place,
  );
}

/**
 * Where the first sequence that is no UTF-8 begins. It is found by halves: every prefix of a text is one, but for the character that it cuts,
 * which `stream` lets pass.
 */
function firstBad(bytes: Uint8Array): number {
  const decodes = (length: number, stream: boolean) => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream });
      return true;
    } catch {
      return false;
    }
  };
  let [low, high] = [0, bytes.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (decodes(middle, true)) low = middle;
    else high = middle;
  }
  while (low > 0 && !decodes(low, false)) low--;
  return low;
}
