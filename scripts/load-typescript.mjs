// Node 20 runs plain JavaScript only, so vite loads the TypeScript of scripts that are no part of the package. A server, for its loader
// must live as long as what it loaded: packages are imported on demand.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Gives `use` a function that loads a module, named from the root of the repository, and returns what `use` does. `instead` holds texts
 * of files that are to be read in place of those on disk.
 */
export async function withLoader(use, instead = new Map()) {
  const server = await createServer({
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    server: { middlewareMode: true, ws: false, hmr: false, watch: null },
    oxc: { target: 'es2022' }, // Node 20 does not know `using`
    optimizeDeps: { noDiscovery: true },
    plugins: [{ name: 'instead', load: (id) => instead.get(path.relative(root, id).split(path.sep).join('/')) }],
  });
  try {
    return await use((module) => server.ssrLoadModule(module));
  } finally {
    await server.close();
  }
}

/** Runs `main` of a module with the arguments of the process, and sets the exit status. */
export async function runMain(module) {
  process.exitCode = await withLoader(async (load) => (await load(module)).main(process.argv.slice(2)));
}
