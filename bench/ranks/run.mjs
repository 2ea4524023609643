// `node bench/ranks/run.mjs`: how often `chooseRank` finds a planted rank.
import { runMain } from '../../scripts/load-typescript.mjs';

await runMain('/bench/ranks/main.ts');
