/** The checkpoint of a fit as a file beside the model that it will become. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { sha256 } from '../data/sha256.js';
import { InputError } from '../errors.js';
import type { Checkpoint } from '../methods/checkpoint.js';
import { kindAt, readBytes, writeOutputs } from './files.js';

const name = 'checkpoint';
const head = 'orthant checkpoint 1\n';

/** Where the checkpoint of a fit into the folder `dir` stands. */
export function checkpointPath(dir: string): string {
  return join(dir, name);
}

/** Replaces the checkpoint in the folder `dir`: at any moment there is the former or the new one. Throws as `writeOutputs` does. */
export async function writeCheckpoint(dir: string, checkpoint: Checkpoint): Promise<void> {
  const content = serialize(checkpoint);
  await writeOutputs(dir, { [name]: Buffer.concat([Buffer.from(`${head}${sha256(content)}\n`), content]) });
}

/** The checkpoint in the folder `dir`, or undefined where there is none. Throws InputError for a file that is damaged. */
export async function readCheckpoint(dir: string): Promise<Checkpoint | undefined> {
  const path = checkpointPath(dir);
  if ((await kindAt(path)) === 'nothing') return undefined;
  const bytes = Buffer.from(await readBytes(path));
  const start = head.length + 65;
  const content = bytes.subarray(start);
  if (bytes.subarray(0, start).toString('latin1') !== `${head}${sha256(content)}\n`)
    throw new InputError(`'${path}' is damaged, or no checkpoint of this version. Remove it, and the fit begins from the start.`);
  return deserialize(content) as Checkpoint;
}

/** Removes the checkpoint in the folder `dir`, if there is one. */
export async function removeCheckpoint(dir: string): Promise<void> {
  await rm(checkpointPath(dir), { force: true });
}
