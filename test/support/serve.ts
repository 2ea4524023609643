import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** Serves the repository through vite on a free port: `url` has no slash at its end. */
export async function serveRepository(): Promise<{ url: string; close(): Promise<void> }> {
  const server = await createServer({
    configFile: false,
    root: fileURLToPath(new URL('../..', import.meta.url)),
    appType: 'mpa',
    logLevel: 'error',
    cacheDir: '.cache/vite-test',
    // Nothing may change under a running test: no watching, no reloads, no dependencies found late and bundled on the fly.
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('vite did not open a port');
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close() };
}
