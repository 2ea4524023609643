// `npm run soak -- --minutes N`: see test/soak/main.ts.
import { bundleShaders } from './bundle-shaders.mjs';
import { runMain } from './load-typescript.mjs';

await bundleShaders();
await runMain('/test/soak/main.ts');
