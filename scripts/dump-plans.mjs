// `npm run plans`: see test/plans/main.ts.
import { bundleShaders } from './bundle-shaders.mjs';
import { runMain } from './load-typescript.mjs';

await bundleShaders();
await runMain('/test/plans/main.ts');
