// `npm run bench`: see bench/README.md. Node runs plain JavaScript only, so vite loads the TypeScript that does the work. A server, for
// its loader must live as long as the benchmark: puppeteer, the peers and the adapter's packages are imported on demand.
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { bundleShaders } from '../scripts/bundle-shaders.mjs';

// What lies in shaders/ is measured, not what was bundled some time ago.
await bundleShaders();

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
  const { main } = await server.ssrLoadModule('/bench/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} finally {
  await server.close();
}
