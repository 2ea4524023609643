/** Files piece by piece, decompressed where they are gzip. */
import { open } from 'node:fs/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { InputError } from '../errors.js';

/** Bytes that are read at a time. */
const pieceBytes = 2 ** 20;

/**
 * A file of .gz may become so many times larger, or so large, whichever is more. gzip makes a text of one character a thousand times smaller, a
 * table of numbers seldom more than twenty times.
 */
const [mostGrowth, freeBytes] = [200, 2 ** 30];

/**
 * The bytes of a file of this size, one piece after the other; a piece is valid until the next one is asked for. What starts as gzip does is
 * decompressed.
 *
 * @throws InputError for a .gz that is damaged, no gzip, or becomes far larger than tables do.
 */
export async function* piecesOf(path: string, size: number): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    const buffer = new Uint8Array(Math.min(size, pieceBytes));
    const read = async () => buffer.subarray(0, (await file.read(buffer, 0, buffer.length)).bytesRead);
    const first = await read();
    const zipped = first[0] === 0x1f && first[1] === 0x8b;
    if (!zipped && /\.gz$/i.test(path)) throw new InputError(`${path} is not packed with gzip; give it a name without .gz.`);
    if (zipped) yield* gunzip(path, size, first.slice(), read);
    else for (let piece = first; piece.length > 0; piece = await read()) yield piece;
  } finally {
    await file.close();
  }
}

/** Until a stream takes more, or is closed. */
function roomIn(stream: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

async function* gunzip(path: string, size: number, first: Uint8Array, read: () => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  const most = Math.max(freeBytes, mostGrowth * size);
  let made = 0;
  const stream = createGunzip({ chunkSize: 2 ** 18 });
  const writing = (async () => {
    for (let piece = first; piece.length > 0 && !stream.destroyed; piece = (await read()).slice())
      if (!stream.write(piece)) await roomIn(stream);
    stream.end();
  })();
  writing.catch((error) => stream.destroy(error));
  try {
    for await (const piece of stream) {
      made += piece.length;
      if (made > most)
        throw new InputError(
          `'${path}' becomes more than ${most} bytes, ${mostGrowth} times its size; decompress it yourself if it is right.`,
        );
      yield piece;
    }
  } catch (error) {
    if (error instanceof InputError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (!String(code).startsWith('Z_')) throw error;
    throw new InputError(`'${path}' is damaged, or not complete: its gzip data cannot be read (${message}).`, { cause: error });
  } finally {
    stream.destroy();
    await writing.catch(() => undefined);
  }
}
