/** Bytes that gzip has packed. */
import { messageOf } from '../data/realm.js';
import { InputError } from '../errors.js';
import { unpackLimit } from './unpack.js';

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/**
 * The bytes that were packed, checked against their sum. Several members, as bgzip writes them, are one file in Node; browsers refuse them.
 *
 * @param source the file's name, which starts every message.
 * @param options limit: the most bytes to unpack, by default 2²⁸ or a hundred times the packed ones, whichever is more.
 * @throws InputError for bytes that are no whole gzip file, and for one that unpacks to more than the limit.
 */
export async function gunzip(bytes: Uint8Array, source: string, options: { limit?: number } = {}): Promise<Uint8Array> {
  const { limit = unpackLimit(bytes.length) } = options;
  if (!isGzip(bytes)) throw new InputError(`${source} is not packed with gzip; give it a name without .gz.`);
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      throw new InputError(`${source} is cut off or damaged: gzip cannot unpack it (${messageOf(error)}).`, { cause: error });
    });
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel().catch(() => undefined);
      throw new InputError(
        `${source} has ${bytes.length} bytes and unpacks to more than ${limit}; if that is right, unpack it with gunzip and give the result.`,
      );
    }
    parts.push(value);
  }
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
