// A picture of the built page: see test/demo/look.ts.
import { runMain } from './load-typescript.mjs';

await runMain('/test/demo/look.ts');
