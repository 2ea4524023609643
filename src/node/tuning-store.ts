/** Keeps the tuning of an adapter in the user's cache: one JSON file an adapter. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fnv1a } from '../data/hash.js';
import { messageOf } from '../data/realm.js';
import type { Tuning } from '../engine.js';
import { InputError, OrthantError } from '../errors.js';
import { checkTuning, tuningVersion } from '../webgpu/tune/tuning.js';
import { cacheCandidates, type Environment } from './cache.js';
import { removeAbandoned, temporaryName } from './temporary.js';

/** The file in the cache for an adapter. */
export interface StoredFile {
  path: string;
  /** Left out where the file cannot be used. */
  tuning?: Tuning;
  /** Why it cannot be used, in one sentence. */
  problem?: string;
}

/** The file of an adapter, if there is one. It never throws for the content of the file. */
export async function findTuning(adapter: string, env: Environment = process.env): Promise<StoredFile | undefined> {
  for (const folder of cacheCandidates(env)) {
    const file = path.join(folder, fileName(adapter));
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (isMissing(error)) continue;
      return { path: file, problem: `It cannot be read: ${(error as Error).message}.` };
    }
    return { path: file, ...parse(text, adapter) };
  }
  return undefined;
}

/**
 * The tuning of the adapter, or undefined: for `createEngine({ tuning: loadTuning })`.
 * A file that is damaged or of another version counts as none.
 */
export async function loadTuning(adapter: string): Promise<Tuning | undefined> {
  return (await findTuning(adapter))?.tuning;
}

/** Writes the file of the tuning's adapter into the first folder that takes it, whole or not at all. Returns its path. */
export async function storeTuning(tuning: Tuning, env: Environment = process.env): Promise<string> {
  const refused: string[] = [];
  for (const folder of cacheCandidates(env)) {
    const file = path.join(folder, fileName(tuning.adapter));
    const temporary = path.join(folder, temporaryName());
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await removeAbandoned(folder);
      await writeFile(temporary, `${JSON.stringify(tuning, null, 1)}\n`);
      await rename(temporary, file);
      return file;
    } catch (error) {
      refused.push(messageOf(error));
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }
  throw new OrthantError(`The tuning could not be kept (${refused.join('; ')}). Set ORTHANT_CACHE to a folder of your own.`);
}

/** Removes the files of the adapter. Returns their paths. */
export async function forgetTuning(adapter: string, env: Environment = process.env): Promise<string[]> {
  const removed: string[] = [];
  for (const folder of cacheCandidates(env)) {
    const file = path.join(folder, fileName(adapter));
    try {
      await rm(file);
      removed.push(file);
    } catch (error) {
      if (!isMissing(error)) throw new OrthantError(`The tuning could not be removed: ${(error as Error).message}.`, { cause: error });
    }
  }
  return removed;
}

function parse(text: string, adapter: string): Pick<StoredFile, 'tuning' | 'problem'> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'It is damaged: it is not JSON.' };
  }
  try {
    return { tuning: checkTuning(value, adapter) };
  } catch (error) {
    if (error instanceof InputError) return { problem: error.message };
    throw error;
  }
}

/** Readable, and with no two adapters in one file: every other character becomes a dash, and a hash of the whole name follows. */
function fileName(adapter: string): string {
  const plain = adapter
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60);
  return `tuning-${tuningVersion}-${plain}-${fnv1a(adapter).toString(16)}.json`;
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
