// Makes dist/index.d.ts and dist/node.d.ts of the declarations that tsc wrote for every module, with what both need in dist/shared.d.ts: a
// third of the bytes, since most of a module's declarations are for other modules only. scripts/prune-dist.mjs removes those.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const bundle = await rolldown({
  input: { index: path.join(dist, 'index.d.ts'), node: path.join(dist, 'node.d.ts') },
  plugins: [dts({ dtsInput: true, tsconfig: false })],
  external: /^node:/,
});
await bundle.write({ dir: dist, format: 'es', chunkFileNames: 'shared.d.ts', minifyInternalExports: false });
await bundle.close();
