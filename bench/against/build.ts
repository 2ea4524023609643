/** `--against`: another commit and the working tree as two modules, made the same way, in a temporary folder that always goes. */
import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { build } from 'vite';
import { BenchError, messageOf } from '../errors.js';
import { repository } from '../serve.js';
import type { Against } from './measure.js';

const run = promisify(execFile);

/** The exports that a build must have, and their places: see Build in measure.ts. Commits before the rooms were named anew have programs in src/methods. */
const exported = {
  createWebGpuEngine: ['src/webgpu/engine.ts'],
  nmfProgram: ['src/programs/nmf.ts', 'src/methods/nmf.ts'],
  neuralProgram: ['src/programs/neural.ts', 'src/methods/neural.ts'],
  qProgram: ['src/programs/q.ts', 'src/methods/q.ts'],
};

export async function buildAgainst(ref: string, progress: (line: string) => void): Promise<Against & { dispose(): void }> {
  const commit = await commitOf(ref);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'orthant-against-'));
  const dispose = () => {
    process.off('exit', dispose);
    for (const signal of signals) process.off(signal, end);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', dispose);
  for (const signal of signals) process.once(signal, end);
  try {
    const tree = path.join(folder, 'tree');
    progress(`${ref}: unpacking ${commit}`);
    await unpack(commit, tree);
    progress(`${ref}: building`);
    await prepare(ref, tree);
    const other = await bundle(ref, tree, folder, 'other');
    const own = await bundle('the working tree', repository, folder, 'own');
    return { ref, commit, folder, own, other, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

const signals = ['SIGINT', 'SIGTERM'] as const;
/** Ends by way of `exit`, so that its listeners run. */
const end = () => process.exit(130);

async function commitOf(ref: string): Promise<string> {
  await run('git', ['rev-parse', '--git-dir'], { cwd: repository }).catch((error) => {
    const why = error.code === 'ENOENT' ? 'git, which is not installed' : `a git checkout: ${essence(error)}`;
    throw new BenchError(`--against needs ${why}.`, 1);
  });
  try {
    const { stdout } = await run('git', ['rev-parse', '--verify', '--short', '--quiet', '--end-of-options', `${ref}^{commit}`], {
      cwd: repository,
    });
    return stdout.trim().split('\n').at(-1)!;
  } catch {
    throw new BenchError(`--against: ${JSON.stringify(ref)} is no commit, branch or tag of this repository.`, 2);
  }
}

/** An archive and not a worktree: git keeps no note of it that could be left behind. */
async function unpack(commit: string, tree: string): Promise<void> {
  const archive = `${tree}.tar`;
  await mkdir(tree);
  await run('git', ['archive', '--output', archive, commit], { cwd: repository });
  await run('tar', ['-xf', archive, '-C', tree]);
}

/**
 * The engine imports no package; only the bundler of its shaders needs one. So what is installed here serves, unless the commit wants
 * another version of that one.
 */
async function prepare(ref: string, tree: string): Promise<void> {
  const failed = (what: string, error: unknown) => new BenchError(`--against: ${ref} does not build: ${what}: ${essence(error)}`, 1);
  const [own, other] = await Promise.all([repository, tree].map(bundlerVersion));
  if (own !== undefined && own === other) await symlink(path.join(repository, 'node_modules'), path.join(tree, 'node_modules'), 'junction');
  else {
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: tree }).catch((error) => {
      throw failed('npm ci failed', error);
    });
  }
  await run(process.execPath, ['scripts/bundle-shaders.mjs'], { cwd: tree }).catch((error) => {
    throw failed('scripts/bundle-shaders.mjs failed', error);
  });
}

async function bundlerVersion(folder: string): Promise<string | undefined> {
  try {
    const lock = JSON.parse(await readFile(path.join(folder, 'package-lock.json'), 'utf8'));
    return lock.packages['node_modules/wgsl_reflect'].version;
  } catch {
    return undefined;
  }
}

async function bundle(ref: string, tree: string, folder: string, name: string): Promise<string> {
  const entry = path.join(folder, `${name}-entry.js`);
  const lines = Object.entries(exported).map(([symbol, files]) => {
    const file = files.find((one) => existsSync(path.join(tree, one))) ?? files[0];
    return `export { ${symbol} } from ${JSON.stringify(path.join(tree, file))};`;
  });
  await writeFile(entry, `${lines.join('\n')}\n`);
  try {
    await build({
      configFile: false,
      root: tree,
      logLevel: 'silent',
      build: {
        lib: { entry, formats: ['es'], fileName: name },
        outDir: path.join(folder, name),
        emptyOutDir: false,
        minify: false,
        target: 'es2022',
      },
    });
  } catch (error) {
    const needed = Object.entries(exported).map(([symbol, files]) => `${symbol} of ${files[0]}`);
    throw new BenchError(`--against: ${ref} does not build. It must export ${needed.join(', ')}. ${essence(error)}`, 1);
  }
  return path.join(folder, name, `${name}.js`);
}

/** The last line of a failed command, or the first of the bundler; without colours. */
function essence(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  const lines = stripVTControlCharacters(stderr?.trim() || messageOf(error)).split('\n');
  return (stderr ? lines.slice(-6) : lines.filter((line) => line.trim() !== '').slice(0, 3)).join('\n');
}
