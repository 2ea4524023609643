// `npm run regimes`: see docs/regimes.md.
import { runMain } from '../../scripts/load-typescript.mjs';

await runMain('/bench/regimes/main.ts');
