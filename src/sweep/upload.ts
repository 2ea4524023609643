/** Files in a Redis, in chunks: the data of a sweep on their way to workers, and results on their way back. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Redis } from 'ioredis';
import { InputError, OrthantError } from '../errors.js';
import { kindAt } from '../node/files.js';

/** Bytes of a chunk. Redis serves nobody else while it moves one. */
const chunkBytes = 1 << 20;

/** Files in a hash of a Redis: field `f.c` is chunk c of file f. It is plain JSON. */
export interface Stored {
  key: string;
  files: { name: string; bytes: number; sha256: string }[];
}

/** The files at a path, by names below its parent folder: the file, or the plain files in the folder. */
async function filesAt(path: string): Promise<{ name: string; at: string }[]> {
  if ((await kindAt(path)) !== 'a directory') return [{ name: basename(path), at: path }];
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
  const kinds = await Promise.all(names.map((name) => kindAt(join(path, name))));
  const plain = names.filter((_, i) => kinds[i] === 'a file');
  return plain.map((name) => ({ name: `${basename(path)}/${name}`, at: join(path, name) }));
}

/**
 * Writes the file or folder at a path into a hash, over what an earlier attempt has left there.
 *
 * @throws OrthantError where the Redis has no room for it.
 */
export async function store(redis: Redis, key: string, path: string): Promise<Stored> {
  return await send(redis, key, path).catch(roomless);
}

async function send(redis: Redis, key: string, path: string): Promise<Stored> {
  const files: Stored['files'] = [];
  // One chunk is on its way while the next one is read.
  let sent: Promise<unknown> = Promise.resolve();
  for (const [f, { name, at }] of (await filesAt(path)).entries()) {
    const hash = createHash('sha256');
    let [bytes, c] = [0, 0];
    for await (const piece of createReadStream(at, { highWaterMark: chunkBytes })) {
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
      await sent;
      sent = redis.hset(key, `${f}.${c++}`, piece as Buffer);
      sent.catch(() => {}); // it is awaited later
    }
    files.push({ name, bytes, sha256: hash.digest('hex') });
  }
  await sent;
  return { key, files };
}

function roomless(error: Error): never {
  if (!error.message.startsWith('OOM')) throw error;
  throw new OrthantError(
    'The Redis has no room for the data (its maxmemory is reached). Give it more, or put the data on a folder that the workers share and give --shared.',
    { cause: error },
  );
}

/**
 * Writes the files of a hash below a folder, and makes sure that they outlast the power.
 *
 * @throws OrthantError for files that are not there, or not those that were stored.
 */
export async function fetchStored(redis: Redis, { key, files }: Stored, into: string): Promise<void> {
  for (const [f, { name, bytes, sha256 }] of files.entries()) {
    if (name.split(/[/\\]/).some((part) => ['', '.', '..'].includes(part)))
      throw new InputError(`The queue holds a file named '${name}', which could lie anywhere; it is not of orthant.`);
    const path = join(into, name);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'wx');
    const hash = createHash('sha256');
    let read = 0;
    try {
      for (let c = 0; read < bytes; c++) {
        const piece = await redis.hgetBuffer(key, `${f}.${c}`);
        if (piece === null || piece.length === 0) break;
        hash.update(piece);
        read += piece.length;
        await file.writeFile(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (read !== bytes || hash.digest('hex') !== sha256)
      throw new OrthantError(`The queue gave other bytes for ${name} than were put there (${read} of ${bytes} bytes came).`);
  }
}

/** Where a stored file or folder lies, below the folder that it was fetched into. */
export function fetchedPath({ files }: Stored, into: string): string {
  return join(into, files[0].name.split('/')[0]);
}
