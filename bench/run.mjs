// `npm run bench`: see bench/README.md.
import { bundleShaders } from '../scripts/bundle-shaders.mjs';
import { runMain } from '../scripts/load-typescript.mjs';

// What lies in shaders/ is measured, not what was bundled some time ago.
await bundleShaders();
await runMain('/bench/main.ts');
