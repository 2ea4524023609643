// Node 20 runs plain JavaScript only, so vite loads the TypeScript of scripts that are no part of the package. A server, for its loader
// must live as long as what it loaded: packages are imported on demand.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Gives `use` a function that loads a module, named from the root of the repository, and returns what `use` does. `instead` holds texts
 * of files that are to be read in place of those on disk, or as if they were there.
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
    plugins: [reading(instead)],
  });
  try {
    return await use((module) => server.ssrLoadModule(module));
  } finally {
    await server.close();
  }
}

function reading(instead) {
  const inRoot = (file) => path.relative(root, file).split(path.sep).join('/');
  return {
    name: 'instead',
    enforce: 'pre',
    resolveId(source, importer) {
      const file = importer && source.startsWith('.') && path.join(path.dirname(importer), source.replace(/\.js$/, '.ts'));
      return file && instead.has(inRoot(file)) ? file : undefined;
    },
    load: (id) => instead.get(inRoot(id)),
  };
}

/** Runs `main` of a module with the arguments of the process, and sets the exit status. */
export async function runMain(module) {
  process.exitCode = await withLoader(async (load) => (await load(module)).main(process.argv.slice(2)));
}
