// `npm run bench:app`: see bench/README.md.
import { runMain } from '../../scripts/load-typescript.mjs';

await runMain('/bench/app/main.ts');
