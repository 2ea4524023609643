// `npm run bench:queue`: see bench/README.md.
import { bundleShaders } from '../../scripts/bundle-shaders.mjs';
import { runMain } from '../../scripts/load-typescript.mjs';

await bundleShaders();
await runMain('/bench/queue/main.ts');
