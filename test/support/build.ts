import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'];
const cache = path.join(root, '.cache');
/** What src and dist were after the last time that src was compiled. */
const stamp = path.join(cache, 'compiled');
const lock = path.join(cache, 'compiling');
let built: Promise<void> | undefined;

/** Compiles src to dist for those that start the real command. Where neither has changed since that was last done, there is nothing to do. */
export function build(): Promise<void> {
  built ??= alone(async () => {
    if ((await readFile(stamp, 'utf8').catch(() => '')) === (await fingerprint())) return;
    await compile();
    await writeFile(stamp, await fingerprint());
  });
  return built;
}

function compile(): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, tsc, { cwd: root }, (error, stdout) => {
      if (error) reject(new Error(`src does not compile:\n${stdout || error.message}`));
      else resolve();
    });
  });
}

/** Names and contents of what is compiled, of what says how, and of what came of it. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  for (const file of [...settings, ...(await filesOf('src')), ...(await filesOf('dist'))]) {
    hash.update(`${file}\0`).update(await readFile(path.join(root, file)));
  }
  return hash.digest('hex');
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.relative(root, path.join(parentPath, name)));
  return files.sort();
}

/** Waits for the other worker, which may be compiling. A lock whose process is no more counts for nothing. */
async function alone(work: () => Promise<void>): Promise<void> {
  await mkdir(cache, { recursive: true });
  for (;;) {
    const file = await open(lock, 'wx').catch(() => undefined);
    if (file) {
      try {
        await file.writeFile(String(process.pid));
        return await work();
      } finally {
        await file.close();
        await rm(lock, { force: true });
      }
    }
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (holder && !isAlive(holder)) await rm(lock, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
