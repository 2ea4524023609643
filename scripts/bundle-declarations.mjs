// Makes a file of declarations for each face of the package, such as dist/index.d.ts, of those that tsc wrote for every module, with what
// several need in dist/shared.d.ts: a third of the bytes, since most of a module's declarations are for other modules only.
// scripts/prune-dist.mjs removes those.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');
const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const faces = new Set(Object.values(exports).flatMap(({ types }) => (types ? [path.basename(types, '.d.ts')] : [])));
const bundle = await rolldown({
  input: Object.fromEntries(Array.from(faces, (face) => [face, path.join(dist, `${face}.d.ts`)])),
  plugins: [dts({ dtsInput: true, tsconfig: false })],
  external: /^node:/,
});
await bundle.write({ dir: dist, format: 'es', chunkFileNames: 'shared.d.ts', minifyInternalExports: false });
await bundle.close();
