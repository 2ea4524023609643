import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

export const repository = fileURLToPath(new URL('..', import.meta.url));

/** CommonJS, or many small files: bundled once, before the page asks for them. */
const peers = ['@jax-js/jax', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu', 'ml-matrix', 'ml-fcnnls'];

/** Serves the repository and what is in the `also` folders through vite on a free port: `url` has no slash at its end. */
export async function serveBenchmark(also: readonly string[] = []): Promise<{ url: string; close(): Promise<void> }> {
  const server = await createServer({
    configFile: false,
    root: repository,
    appType: 'mpa',
    logLevel: 'error',
    cacheDir: path.join(repository, '.cache/vite-bench'),
    server: {
      host: '127.0.0.1',
      port: 0,
      hmr: false,
      watch: null,
      fs: { allow: [repository, ...also] },
      // Isolated, so that peers may use threads.
      headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
    },
    optimizeDeps: { noDiscovery: true, include: peers, exclude: ['onnxruntime-web'] },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('vite did not open a port');
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close() };
}
