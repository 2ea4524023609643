import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // the build runs from any folder of any server
  server: { fs: { allow: [fileURLToPath(new URL('..', import.meta.url))] } }, // the engine's sources lie beside demo/
  worker: { format: 'es' },
  // Not every browser with WebGPU knows `using` yet.
  oxc: { target: 'es2022' },
  build: { target: 'es2022' },
});
