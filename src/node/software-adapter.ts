import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { messageOf } from '../data/realm.js';
import { AdapterError } from '../errors.js';
import { cacheCandidates } from './cache.js';
import { installHint } from './install.js';
import { removeAbandoned, temporaryName } from './temporary.js';

/** The place of the unpacked software adapter. */
export interface SoftwareAdapter {
  /** The folder that holds the files below. */
  folder: string;
  /** The Vulkan loader, `libvulkan.so.1`, for machines that have none. */
  loader: string;
  /** The driver manifest to name in `VK_DRIVER_FILES`. */
  manifest: string;
}

const packageName = '@sparticuz/chromium';

/** The last thing written into an unpacked folder: every file and its size, so that a damaged folder is noticed. */
const listing = 'files.json';

/** Whether this machine can run the packaged adapter of `@sparticuz/chromium`. */
export const canRunPackaged = process.platform === 'linux' && process.arch === 'x64';

/**
 * Unpacks SwiftShader, a Vulkan driver that computes on the CPU, from the optional peer `@sparticuz/chromium`, once per machine and user.
 * Returns its place. Throws AdapterError where that cannot be done.
 */
export async function softwareAdapter(): Promise<SoftwareAdapter> {
  const folder = await unpackChromium('swiftshader', { 'swiftshader.tar.br': '.' });
  return { folder, loader: path.join(folder, 'libvulkan.so.1'), manifest: path.join(folder, 'vk_swiftshader_icd.json') };
}

/**
 * Unpacks archives of `@sparticuz/chromium` into the cache under `name` and returns that folder. `archives` maps the name of an archive to
 * its place, relative to the folder. A `.tar.br` goes to a folder, a plain `.br` to a file.
 *
 * Many processes may start at once on an empty cache. Each unpacks into a folder of its own. A rename, which is atomic, makes the first one
 * that is done the one that all use.
 */
export async function unpackChromium(name: string, archives: Record<string, string>): Promise<string> {
  const { version, root, extract } = findPackage();
  const cache = await cacheFolder();
  const target = path.join(cache, `chromium-${version}-${name}`);
  if (await isSound(target)) return target;

  const staging = path.join(cache, temporaryName());
  await mkdir(staging, { mode: 0o700 });
  try {
    for (const [archive, place] of Object.entries(archives)) {
      const to = path.join(staging, place);
      const sink = archive.endsWith('.tar.br') ? extract(to) : createWriteStream(to, { mode: 0o700 });
      await pipeline(createReadStream(path.join(root, 'bin', archive)), createBrotliDecompress({ chunkSize: 1 << 20 }), sink);
    }
    await writeFile(path.join(staging, listing), JSON.stringify(await sizes(staging)));
    await moveInto(staging, target);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new AdapterError(
      `${packageName} ${version} could not be unpacked into ${target}: ${reason}. Free some space there, or set ORTHANT_CACHE to another folder.`,
      { cause },
    );
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return target;
}

/** Where the package lies, its version, and the tar reader that it depends on. */
function findPackage() {
  if (!canRunPackaged) {
    throw new AdapterError(
      `The packaged software adapter runs on linux-x64 only and this is ${process.platform}-${process.arch}. Use a machine with a GPU driver.`,
    );
  }
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    const root = entry.slice(0, entry.lastIndexOf(`${path.sep}build${path.sep}`));
    const require = createRequire(entry);
    const { version } = require(path.join(root, 'package.json')) as { version: string };
    const { extract } = require('tar-fs') as { extract(folder: string): NodeJS.WritableStream };
    return { version, root, extract };
  } catch (cause) {
    throw new AdapterError(`The package ${packageName}, which carries the software adapter, is not installed; ${installHint}`, { cause });
  }
}

/**
 * Makes and returns the folder for unpacked files, the first of `cacheCandidates` that will do. Its files are loaded into the
 * process as native code, so a folder that belongs to another user, or that others may write to, is not used.
 */
async function cacheFolder(): Promise<string> {
  const uid = process.getuid?.();
  const refused: string[] = [];
  for (const folder of cacheCandidates()) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const found = await lstat(folder);
      const ours = found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0;
      if (!ours) throw new Error(`${folder} is not a folder that only this user may write to`);
      // The one sure test of being able to write: permissions say nothing about read-only and full file systems.
      const probe = path.join(folder, temporaryName());
      await mkdir(probe);
      await rm(probe, { recursive: true });
      await removeAbandoned(folder);
      return folder;
    } catch (error) {
      refused.push(messageOf(error));
    }
  }
  throw new AdapterError(
    `There is no folder to unpack the software adapter into (${refused.join('; ')}). Set ORTHANT_CACHE to a folder of your own.`,
  );
}

/** Puts `staging` where `target` is, unless another process has put a sound one there first; a damaged one is moved aside. */
async function moveInto(staging: string, target: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(staging, target);
    } catch (error) {
      if (await isSound(target)) return;
      if (attempt === 3) throw error;
      const aside = path.join(path.dirname(target), temporaryName());
      await rename(target, aside).catch(() => {}); // another process may have done it already
      await rm(aside, { recursive: true, force: true });
    }
  }
}

/** Whether the folder holds every file of its listing at full size. */
async function isSound(folder: string): Promise<boolean> {
  try {
    const files = JSON.parse(await readFile(path.join(folder, listing), 'utf8')) as Record<string, number>;
    const found = await Promise.all(Object.keys(files).map((file) => stat(path.join(folder, file))));
    return found.every(({ size }, i) => size === Object.values(files)[i]);
  } catch {
    return false;
  }
}

async function sizes(folder: string): Promise<Record<string, number>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, (await stat(path.join(folder, file))).size])));
}
