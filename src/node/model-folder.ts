import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Factorization } from '../methods/methods.js';
import { modelFiles, modelFromFiles } from '../models/files.js';
import { readBytes, writeOutputs } from './files.js';

/** The names `modelFiles` gives to matrices. */
const factorFile = /^[ASB]\d*\.npy$/;

/**
 * Writes a model into the folder `dir`, complete or not at all (see `writeOutputs`), and returns the names of the files.
 * Then it removes factors of an earlier model that this one has no file for.
 *
 * @throws InputError if `dir` is a file, or cannot be made or written to.
 */
export async function saveModel(dir: string, model: Factorization, extra: Record<string, unknown> = {}): Promise<string[]> {
  const files = modelFiles(model, extra);
  await writeOutputs(dir, files);
  const stale = (await readdir(dir)).filter((name) => factorFile.test(name) && !(name in files));
  for (const name of stale) await rm(join(dir, name), { force: true });
  return Object.keys(files);
}

/**
 * The model in a folder. `path` is the folder or its model.json.
 *
 * @throws InputError for a path that is not there, a file that is missing or damaged, a model of another format; see `modelFromFiles`.
 */
export async function loadModel(path: string): Promise<Factorization> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const dir = isFolder ? path : dirname(path);
  const json = isFolder ? 'model.json' : basename(path);
  return modelFromFiles((name) => readBytes(join(dir, name === 'model.json' ? json : name)));
}
