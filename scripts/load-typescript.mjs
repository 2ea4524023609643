// Node 20 runs plain JavaScript only, so vite loads the TypeScript of scripts that are no part of the package. A server, for its loader
// must live as long as what it loaded: packages are imported on demand.
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** Runs `main` of a module, named from the root of the repository, with the arguments of the process, and sets the exit status. */
export async function runMain(module) {
  const server = await createServer({
    root: fileURLToPath(new URL('..', import.meta.url)),
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    server: { middlewareMode: true, ws: false, hmr: false, watch: null },
    oxc: { target: 'es2022' }, // Node 20 does not know `using`
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const { main } = await server.ssrLoadModule(module);
    process.exitCode = await main(process.argv.slice(2));
  } finally {
    await server.close();
  }
}
