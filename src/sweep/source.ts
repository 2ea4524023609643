/** Files of a sweep by their content. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { checkReadable, kindAt } from '../node/files.js';
import type { Source } from './plan.js';

/**
 * SHA-256 of the bytes of a file. Of a folder it is that of the names and hashes of its files, hidden ones left out.
 *
 * @throws InputError for a path that is not there or cannot be read.
 */
export async function hashOf(path: string): Promise<string> {
  if ((await kindAt(path)) !== 'a directory') return hashOfFile(path);
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
  const hash = createHash('sha256');
  for (const name of names) {
    const of = (await kindAt(join(path, name))) === 'a directory' ? 'a directory' : await hashOfFile(join(path, name));
    hash.update(`${JSON.stringify(name)} ${of}\n`);
  }
  return hash.digest('hex');
}

async function hashOfFile(path: string): Promise<string> {
  await checkReadable(path, { mayBeEmpty: true });
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** The source at a path. */
export async function sourceOf(path: string): Promise<Source> {
  return { path, hash: await hashOf(path) };
}

/** Throws InputError where a source is not what it was when the sweep was planned. */
export async function checkSource({ path, hash }: Source): Promise<void> {
  const found = await hashOf(path);
  if (found === hash) return;
  throw new InputError(
    `'${path}' is not the data of this sweep: its SHA-256 begins with ${found.slice(0, 12)}, that of the sweep with ${hash.slice(0, 12)}. Put the former file back, or start a sweep of its own in another folder.`,
  );
}
