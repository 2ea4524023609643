import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { contentPolicy } from './build/content-policy.js';
import { exampleCorpora } from './build/examples.js';
import { offline } from './build/offline.js';

const source = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));

export default defineConfig({
  base: './', // the build runs from any folder of any server
  server: { fs: { allow: [fileURLToPath(new URL('..', import.meta.url))] } }, // the engine's sources lie beside demo/
  // The page imports what its readers would: the package's faces.
  resolve: {
    alias: [
      { find: /^orthant$/, replacement: source('index') },
      { find: /^orthant\/(text|formats|report)$/, replacement: source('$1') },
    ],
  },
  worker: { format: 'es' },
  // Not every browser with WebGPU knows `using` yet.
  oxc: { target: 'es2022' },
  build: { target: 'es2022' },
  plugins: [contentPolicy(), exampleCorpora(), offline()],
});
