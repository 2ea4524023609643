// `npm run online`: see bench/README.md.
import { bundleShaders } from '../../scripts/bundle-shaders.mjs';
import { runMain } from '../../scripts/load-typescript.mjs';

await bundleShaders();
await runMain('/bench/online/main.ts');
