// `npm run defaults`: see docs/defaults.md.
import { runMain } from '../../scripts/load-typescript.mjs';

await runMain('/bench/defaults/main.ts');
