// How long the room of topics takes from a drop to a tree that can be read: see bench/app/topics.ts.
import { runMain } from './load-typescript.mjs';

await runMain('/bench/app/topics.ts');
