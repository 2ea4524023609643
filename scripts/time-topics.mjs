// How long the room of topics takes from a drop to a tree that can be read: see test/demo/time-topics.ts.
import { runMain } from './load-typescript.mjs';

await runMain('/test/demo/time-topics.ts');
