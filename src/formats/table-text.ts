/** The encoding of a table: bytes become UTF-8 before they are read, or names are decoded one by one. */
import { decodeWhole } from '../data/decode.js';
import { InputError } from '../errors.js';

export interface Recoder {
  /** UTF-8, or what is ASCII but for names. */
  push(bytes: Uint8Array): Uint8Array;
  end(): Uint8Array;
  /** The encoding, where it is not UTF-8. */
  readonly encoding?: string;
}

/** From UTF-16, which its first bytes tell, or from the encoding that was told. Bytes of other texts stay as they are. */
export function createRecoder(source: string, told: string | undefined): Recoder {
  let head = new Uint8Array(0);
  let decoder: TextDecoder | undefined;
  let encoding: string | undefined;
  let begun = false;
  const recoded = (bytes: Uint8Array, end: boolean): Uint8Array => {
    if (decoder === undefined) return bytes;
    try {
      return new TextEncoder().encode(decoder.decode(bytes, { stream: !end }));
    } catch {
      throw new InputError(`${source} is not ${encoding} text; give its encoding, or save it as UTF-8.`, { option: 'encoding' });
    }
  };
  const begin = (end: boolean): Uint8Array => {
    begun = true;
    const label = told ?? utf16Of(head);
    const name = label && new TextDecoder(label).encoding;
    const marked = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
    if (name && name !== 'utf-8') {
      encoding = name;
      decoder = new TextDecoder(name, { fatal: true });
      return recoded(head, end);
    }
    return marked ? head.subarray(3) : head;
  };
  return {
    get encoding() {
      return encoding;
    },
    push(bytes) {
      if (begun) return recoded(bytes, false);
      if (head.length > 0) bytes = joined([head, bytes]);
      head = bytes as Uint8Array<ArrayBuffer>;
      if (bytes.length >= 4) return begin(false);
      head = bytes.slice();
      return new Uint8Array(0);
    },
    end: () => (begun ? recoded(new Uint8Array(0), true) : begin(true)),
  };
}

/** UTF-16 by its byte order mark, or by the zero bytes of its first two characters. */
function utf16Of([a, b, c, d]: Uint8Array): string | undefined {
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a > 0 && b === 0 && c > 0 && d === 0) return 'utf-16le';
  return a === 0 && b > 0 && c === 0 && d > 0 ? 'utf-16be' : undefined;
}

export interface NameDecoder {
  /** The text of a cell; `where` names its place in messages. Throws InputError for what no encoding makes a text of. */
  decode(bytes: Uint8Array, where: () => string): string;
  /** A name was not UTF-8. */
  readonly latin: boolean;
}

/** UTF-8 until a name is something else, then windows-1252, which is Latin-1 with a few more characters. */
export function createNameDecoder(told: string | undefined): NameDecoder {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const latin1 = new TextDecoder('windows-1252');
  let [latin, seen] = [false, false];
  return {
    get latin() {
      return latin;
    },
    decode(bytes, where) {
      const text = decoded();
      if (text.includes('\0'))
        throw new InputError(
          `${where()} has a zero byte, which no text has; if the file is UTF-16, give encoding 'utf-16le' or 'utf-16be'.`,
          {
            option: 'encoding',
          },
        );
      return text;

      function decoded(): string {
        if (bytes.length < 64 && bytes.every((byte) => byte < 128)) return String.fromCharCode(...bytes);
        if (latin) return decodeWhole(latin1, bytes);
        try {
          const text = utf8.decode(bytes);
          seen ||= text.length < bytes.length;
          return text;
        } catch {
          if (told !== undefined || seen)
            throw new InputError(`${where()} is not UTF-8${seen ? ', though others are' : ''}; correct it, or give its encoding.`, {
              option: 'encoding',
            });
          latin = true;
          return decodeWhole(latin1, bytes);
        }
      }
    },
  };
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
