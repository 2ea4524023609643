// `npm run screenshots`: docs/demo.png from the real page, see test/demo/screenshots.ts.
import { runMain } from './load-typescript.mjs';

await runMain('/test/demo/screenshots.ts');
