import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { softwareAdapter } from '../../src/node/software-adapter.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The binary of the package `deno`, which lies in a package of its own for each platform. */
export function denoBinary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('deno/package.json'));
  const platform = `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`;
  try {
    return path.join(path.dirname(require.resolve(`${platform}/package.json`)), process.platform === 'win32' ? 'deno.exe' : 'deno');
  } catch (cause) {
    throw new Error(`The package ${platform}, which carries Deno, is not installed. Run: npm install`, { cause });
  }
}

/** The environment in which a process finds the packaged software adapter, and nothing else: the loader's folder and the driver. */
export async function softwareEnvironment(): Promise<NodeJS.ProcessEnv> {
  const { folder, manifest } = await softwareAdapter();
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return { ...process.env, LD_LIBRARY_PATH: libraries, VK_DRIVER_FILES: manifest, VK_ICD_FILENAMES: manifest };
}

/** Cases in one Deno process. */
export interface Deno {
  /** Throws when the case fails, or when the process ended. One case at a time. */
  run(suite: string, name: string): Promise<void>;
  close(): void;
}

/** Bundles test/deno/main.ts and starts it in Deno on the packaged software adapter. */
export async function startDeno(): Promise<Deno> {
  const [bundle, env] = await Promise.all([bundleCases(), softwareEnvironment()]);
  const child = spawn(denoBinary(), ['run', '--allow-all', '--no-config', '--no-lock', bundle], { env, stdio: 'pipe' });
  let complaints = '';
  child.stderr.on('data', (data) => {
    complaints = `${complaints}${data}`.slice(-4000);
  });
  child.stdin.on('error', () => {}); // of a process that ended, which is told below
  const ended = endOf(child).then((how) => {
    throw new Error(`Deno ended (${how}): ${complaints.trim()}`);
  });
  ended.catch(() => {}); // told to whoever waits for a case
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(suite, name) {
      child.stdin.write(`${JSON.stringify({ suite, name })}\n`);
      const { value, done } = await Promise.race([answers.next(), ended]);
      if (done) return ended;
      const { error } = JSON.parse(value) as { error: string | null };
      if (error !== null) throw new Error(error);
    },
    close: () => void child.kill(),
  };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(signal ?? `status ${status}`));
  });
}

async function bundleCases(): Promise<string> {
  const outDir = path.join(root, '.cache/deno-test');
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: 'test/deno/main.ts',
      outDir,
      emptyOutDir: true,
      minify: false,
      rollupOptions: { output: { entryFileNames: 'main.mjs' } },
    },
  });
  const bundle = path.join(outDir, 'main.mjs');
  if (!existsSync(bundle)) throw new Error(`vite wrote no ${bundle}`);
  return bundle;
}
