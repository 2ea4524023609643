// `npm run plans`: see test/plans/main.ts. Node runs plain JavaScript only, so vite loads the TypeScript that does the work.
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { bundleShaders } from './bundle-shaders.mjs';

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
  const { main } = await server.ssrLoadModule('/test/plans/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} finally {
  await server.close();
}
