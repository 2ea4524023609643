/**
 * The folder of a sweep. `sweep.json` says what the sweep is; `fits/<id>/` is the model of a job, whole or not there; `failed/<id>.json` says
 * why a job has none. Any number of processes may work in it: each writes its own files, beside and then renamed.
 */
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { cannotWrite, checkOutputFolder, kindAt } from '../node/files.js';
import { removeAbandoned, temporaryName } from '../node/temporary.js';
import type { JobFailure } from './messages.js';
import { canonical, type Job, type SweepSpec } from './plan.js';

const specFile = 'sweep.json';

/** What failed/<id>.json holds. */
export interface Failure extends JobFailure {
  id: string;
  ranks: number[];
  seed: number;
}

/** The folder that the model of a job goes to. */
export function fitFolder(dir: string, id: string): string {
  return join(dir, 'fits', id);
}

/**
 * Makes the folder of a sweep, or checks that the one that is there is of the same sweep.
 *
 * @throws InputError for a folder of another sweep, of other data, or of another version of orthant; for one that cannot be written to.
 */
export async function openSweep(dir: string, spec: SweepSpec): Promise<void> {
  await checkOutputFolder(dir, [specFile]);
  try {
    for (const name of ['fits', 'failed']) await mkdir(join(dir, name), { recursive: true });
    await removeAbandoned(dir);
    for (const name of ['fits', 'failed']) await removeAbandoned(join(dir, name));
    if ((await kindAt(join(dir, specFile))) === 'nothing') await writeNew(join(dir, specFile), toJson(spec), dir);
  } catch (error) {
    throw cannotWrite(dir, error);
  }
  checkSame(dir, await readSpec(dir), spec);
}

/** Writes a file unless there is one: of two processes that do so at the same time one finds the other's. */
export async function writeNew(path: string, content: string, dir: string): Promise<void> {
  const written = join(dir, temporaryName());
  try {
    await writeFile(written, content, { flag: 'wx', flush: true });
    await link(written, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      return rename(written, path); // a file system without links; checkSame sees what came of it
    });
  } finally {
    await rm(written, { force: true });
  }
}

/** The specification in a folder. Throws InputError where there is none, or none that can be read. */
export async function readSpec(dir: string): Promise<SweepSpec> {
  const path = join(dir, specFile);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new InputError(`'${dir}' is no folder of a sweep: it has no ${specFile}. Name a folder that orthant sweep made.`);
  });
  try {
    const spec = JSON.parse(text) as SweepSpec;
    if (typeof spec.version !== 'string' || typeof spec.data?.hash !== 'string' || !Array.isArray(spec.ranks))
      throw new Error('a field is missing');
    return spec;
  } catch (error) {
    throw new InputError(`'${path}' is damaged (${(error as Error).message}); put a copy back, or remove it and start the sweep again.`, {
      cause: error,
    });
  }
}

/** Throws InputError where the sweep of a folder is not this one. */
export function checkSame(dir: string, found: SweepSpec, spec: SweepSpec, of = 'this sweep'): void {
  if (found.version !== spec.version)
    throw new InputError(
      `The sweep in '${dir}' was begun by orthant ${found.version}, and ${of} is of orthant ${spec.version}, which may give other bits. Go on with the same version, or choose another folder.`,
    );
  if (found.data.hash !== spec.data.hash)
    throw new InputError(
      `The sweep in '${dir}' is of other data: the SHA-256 of '${found.data.path}' began with ${found.data.hash.slice(0, 12)}, and that of '${spec.data.path}' begins with ${spec.data.hash.slice(0, 12)}. Give the same data, or choose another folder.`,
    );
  const [a, b] = [comparable(found), comparable(spec)];
  const [field] = Object.keys(a).filter((name) => canonical(a[name]) !== canonical(b[name]));
  if (field === undefined) return;
  throw new InputError(
    `'${dir}' holds another sweep: its ${field} ${field === 'ranks' || field === 'options' || field === 'files' ? 'are' : 'is'} ${shown(a[field])}, and of ${of} ${shown(b[field])}. Give the same, or choose another folder.`,
  );
}

const shown = (value: unknown) => {
  const text = canonical(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
};

/** A specification without the places of files, by the names that a message gives its fields. */
function comparable({ method, data, options, files, ranks, restarts, seed }: SweepSpec): Record<string, unknown> {
  const { samples, table } = data;
  const hashes = Object.fromEntries(Object.entries(files).map(([option, { hash }]) => [option, hash]));
  return {
    method,
    'place of samples': samples,
    'reading of the table': table,
    options,
    files: hashes,
    ranks,
    'number of restarts': restarts,
    seed,
  };
}

/** The ids of the jobs whose models are in the folder. */
export async function doneIn(dir: string): Promise<Set<string>> {
  const names = (await readdir(join(dir, 'fits')).catch(() => [])).filter((name) => !name.startsWith('.'));
  const whole = await Promise.all(names.map(async (name) => (await kindAt(join(fitFolder(dir, name), 'model.json'))) === 'a file'));
  return new Set(names.filter((_, at) => whole[at]));
}

/** Keeps why a job has no model. */
export async function writeFailure(dir: string, { id, ranks, seed }: Job, failure: JobFailure): Promise<void> {
  const written = join(dir, 'failed', temporaryName());
  try {
    await writeFile(written, toJson({ id, ranks, seed, ...failure } satisfies Failure), { flag: 'wx' });
    await rename(written, join(dir, 'failed', `${id}.json`));
  } catch (error) {
    await rm(written, { force: true });
    throw cannotWrite(dir, error);
  }
}

/** Forgets that a job has failed, once it has a model. */
export async function clearFailure(dir: string, id: string): Promise<void> {
  await rm(join(dir, 'failed', `${id}.json`), { force: true });
}

/** The failures that are kept, of jobs that have no model. */
export async function failuresIn(dir: string, done: ReadonlySet<string>): Promise<Failure[]> {
  const names = (await readdir(join(dir, 'failed')).catch(() => [])).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(dir, 'failed', name), 'utf8').catch(() => '{}')) as Failure),
  );
  return found.filter(({ id }) => id !== undefined && !done.has(id));
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
