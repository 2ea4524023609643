import { readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkNames } from '../data/names.js';
import { sha256 } from '../data/sha256.js';
import { InputError } from '../errors.js';
import { within } from '../formats/file-format.js';
import type { OnlineState } from '../methods/online-state.js';
import { type FactorForm, factorFiles, isFactorFile } from '../models/factor-files.js';
import { type ModelReader, modelFiles, modelFromFiles, type SavedModel } from '../models/files.js';
import { parseJson, tensorMethods } from '../models/model-json.js';
import { decodeOnlineState, encodeOnlineState, onlineFile } from '../models/online-file.js';
import { type SavedTensorModel, tensorFactorFiles, tensorModelFiles, tensorModelFromFiles } from '../models/tensor-model.js';
import { checkOutputFolder, readBytes, writeOutputs } from './files.js';
import { isAbandoned } from './temporary.js';

/**
 * The folder in a model's folder from which files are put in their places. There is at most one, since no rename replaces a folder that is
 * not empty: it is also the lock of the writers. Until model.json has left it, the former model stands untouched; from then on the new one
 * stands, its files here or there. See docs/decisions.
 */
const saving = '.saving';

/** Files in it that are not the model's: whose it is, and the files that only the former model lists, with their SHA-256. */
const [owner, former] = ['owner', 'former.json'];

/** Renames take milliseconds. A process that has done none for so long is stopped or out of reach. */
const longestMs = 30_000;

/**
 * Writes a model into the folder `dir`, and returns the names of the files. It replaces a model that is there as one: at any moment, also
 * after the end of the process, `loadModel` gets the former or the new one. Files that the former model listed and the new one does not
 * have are removed. No other file is.
 *
 * @param extra adds fields to model.json that are not the model's own; see `modelFiles`.
 * @param options format: how the factors stand beside the model, for other programs. 'npy' (default) writes A0.npy …, S0.npy …, with labels
 * B.npy; 'safetensors' writes the model alone. online: the state of an online fit, which `loadOnlineState` reads back.
 * @throws InputError if `dir` is a file, or cannot be made or written to; OrthantError for a full disk.
 */
export async function saveModel(
  dir: string,
  model: SavedModel,
  extra: Record<string, unknown> = {},
  options: { format?: FactorForm; online?: OnlineState } = {},
): Promise<string[]> {
  checkNames('saveModel', options, ['format', 'online']);
  const files = modelFiles(model, extra, await copiesOf(model, options));
  await writeOutputs(dir, files, replaceModel);
  return Object.keys(files);
}

/** The files beside a model. */
export async function copiesOf(
  model: SavedModel,
  { format = 'npy', online }: { format?: FactorForm; online?: OnlineState },
): Promise<Record<string, Uint8Array | string>> {
  return { ...(await factorFiles(model, format)), ...(online && { [onlineFile]: encodeOnlineState(online) }) };
}

/**
 * The state of the online fit that wrote the model in a folder, for the option `resume`; undefined for a model of another fit. `path` is the
 * folder or its model.json.
 *
 * @throws InputError for a file that is missing, damaged or of another model.
 */
export async function loadOnlineState(path: string): Promise<OnlineState | undefined> {
  const { dir, jsonPath } = await placesOf(path);
  const { files } = parseJson(await readBytes(jsonPath)) as { files?: Record<string, unknown> };
  const hash = files?.[onlineFile];
  if (hash === undefined) return undefined;
  const bytes = await readBytes(join(dir, onlineFile));
  if (sha256(bytes) !== hash)
    throw new InputError(
      `The files in '${dir}' are not of one whole model: ${onlineFile} is not the file that model.json lists. Copy them again.`,
    );
  return within(onlineFile, () => decodeOnlineState(bytes));
}

/** Throws InputError if a model with so many layers could not be saved into `dir`; see `checkOutputFolder`. */
export async function checkModelFolder(dir: string, layers: number): Promise<void> {
  const factors = Array.from({ length: layers }, (_, l) => [`A${l}.npy`, `S${l}.npy`]);
  await checkOutputFolder(dir, ['model.json', 'factors.safetensors', ...factors.flat()]);
}

/** As `saveModel`, for a model of a tensor: model.json, factors.safetensors, and each factor as a .npy. */
export async function saveTensorModel(dir: string, model: SavedTensorModel, extra: Record<string, unknown> = {}): Promise<string[]> {
  const files = tensorModelFiles(model, extra, tensorFactorFiles(model));
  await writeOutputs(dir, files, replaceModel);
  return Object.keys(files);
}

/** Throws InputError if a model of a tensor could not be saved into `dir`. */
export function checkTensorModelFolder(dir: string): Promise<void> {
  return checkOutputFolder(dir, ['model.json', 'factors.safetensors']);
}

async function replaceModel(folder: string, written: string): Promise<void> {
  const place = join(folder, saving);
  await writeFile(join(written, owner), basename(written));
  await takeTurn(folder, written);
  try {
    const names = await readdir(place);
    const stale = Object.entries(await listedFiles(folder)).filter(([name]) => !names.includes(name));
    await writeFile(join(place, former), JSON.stringify(Object.fromEntries(stale)));
    await rename(join(place, 'model.json'), join(folder, 'model.json'));
  } finally {
    await settle(folder);
  }
}

/** Makes the folder `written` the one that is being saved, once that of another process is done. */
async function takeTurn(folder: string, written: string): Promise<void> {
  const place = join(folder, saving);
  for (const started = Date.now(); ; ) {
    try {
      return await rename(written, place);
    } catch (error) {
      const found = await stat(place).catch(() => undefined);
      const taken = found || ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!taken || Date.now() - started > 2 * longestMs) throw error;
      const whose = await readFile(join(place, owner), 'utf8').catch(() => '');
      const idle = found ? Date.now() - found.mtimeMs : 0;
      // Another process may do the same at the same time, and find files gone.
      if (found && (idle > longestMs || isAbandoned(whose, found.mtimeMs))) await settle(folder).catch(() => undefined);
      else await pause(2 + 8 * Math.random());
    }
  }
}

/** Puts the files of a model whose model.json is in its place in theirs; what had not come so far is dropped. */
async function settle(folder: string): Promise<void> {
  const place = join(folder, saving);
  const names = await readdir(place);
  if (names.includes('model.json')) return rm(place, { recursive: true, force: true });
  for (const name of names) if (name !== owner && name !== former) await rename(join(place, name), join(folder, name));
  const stale = JSON.parse(await readFile(join(place, former), 'utf8').catch(() => '{}')) as Record<string, string>;
  for (const [name, hash] of Object.entries(stale)) {
    const bytes = await readBytes(join(folder, name)).catch(() => undefined);
    if (bytes && sha256(bytes) === hash) await rm(join(folder, name), { force: true }); // another file of that name is not the model's
  }
  await rm(join(place, former), { force: true });
  await rm(join(place, owner), { force: true });
  await rmdir(place).catch(() => undefined); // empty, it may have been replaced by another writer's already
}

/** The files that the model.json in a folder lists, with their SHA-256; none without one. */
async function listedFiles(folder: string): Promise<Record<string, string>> {
  const json = await readFile(join(folder, 'model.json'), 'utf8').catch(() => '{}');
  try {
    const { files } = JSON.parse(json) as { files?: Record<string, string> };
    return Object.fromEntries(Object.entries(files ?? {}).filter(([name]) => isFactorFile(name)));
  } catch {
    return {};
  }
}

/**
 * The model in a folder. `path` is the folder or its model.json. While another process saves one there, it is the former or the new one.
 *
 * @throws InputError for a path that is not there, a file that is missing or damaged, files of several models, a model of another format;
 * see `modelFromFiles`.
 */
export function loadModel(path: string): Promise<SavedModel> {
  return load(path, modelFromFiles);
}

/** As `loadModel`, for a model of a tensor. */
export function loadTensorModel(path: string): Promise<SavedTensorModel> {
  return load(path, tensorModelFromFiles);
}

/** Whether the model.json of a model says that it is of a tensor; false where there is none that can be read. */
export async function isTensorModel(path: string): Promise<boolean> {
  const { jsonPath } = await placesOf(path);
  const json = await readFile(jsonPath, 'utf8').catch(() => '{}');
  try {
    return tensorMethods.includes((JSON.parse(json) as { method: string }).method);
  } catch {
    return false;
  }
}

async function placesOf(path: string): Promise<{ dir: string; jsonPath: string }> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? { dir: path, jsonPath: join(path, 'model.json') } : { dir: dirname(path), jsonPath: path };
}

async function load<M>(path: string, fromFiles: (read: ModelReader) => Promise<M>): Promise<M> {
  const { dir, jsonPath } = await placesOf(path);
  const readJson = () => readBytes(jsonPath).catch((error: Error) => error);
  let [replaced, refused] = [0, 0];
  for (let json = await readJson(); ; ) {
    try {
      return await fromFiles(async (name, listed) => {
        if (name !== 'model.json') return readListed(dir, name, listed);
        if (json instanceof Error) throw json;
        return json;
      });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // A model that was replaced while its files were read is read again. So is any other, for a writer may have been about to end.
      const again = await readJson();
      const same = json instanceof Error || again instanceof Error || sha256(json) === sha256(again);
      if (same ? ++refused > 3 : ++replaced > 300) throw error;
      await pause(same ? 10 * refused : 1);
      json = again;
    }
  }
}

/** A file of a model, from the folder or from where its writer has it; the folder again, since it may just have come from there. */
async function readListed(dir: string, name: string, listed: (bytes: Uint8Array) => boolean): Promise<Uint8Array> {
  let found: Uint8Array | Error | undefined;
  for (const place of [dir, join(dir, saving), dir]) {
    const bytes = await readBytes(join(place, name)).catch((error: Error) => error);
    if (!(bytes instanceof Error) && listed(bytes)) return bytes;
    if (place === dir) found = bytes;
  }
  if (found instanceof Error) throw found;
  return found!;
}
