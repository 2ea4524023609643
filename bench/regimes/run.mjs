// `npm run regimes`: see docs/regimes.md. Node runs plain JavaScript only, so vite loads the TypeScript that does the work. A server, for
// its loader must live as long as the study: the adapter's packages are imported on demand.
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const server = await createServer({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true, ws: false, hmr: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
try {
  const { main } = await server.ssrLoadModule('/bench/regimes/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} finally {
  await server.close();
}
