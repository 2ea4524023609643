// Leaves in dist/ what a user of the package needs: no module whose source is no more, and no declarations that the faces, index, node
// and text, do not lead to. Nothing else in dist/ is touched, so that commands that run from it meanwhile go on.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');
const kept = new Set(['orthant.min.js']);

/** The declarations that these lead to, themselves included. */
function reachable(...faces) {
  const found = new Set(faces);
  for (const file of found) {
    for (const [, module] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g))
      found.add(path.resolve(path.dirname(file), `${module}.d.ts`));
  }
  return found;
}

const declarations = reachable(...['index', 'node', 'text'].map((face) => path.join(dist, `${face}.d.ts`)));
const entries = readdirSync(dist, { recursive: true, withFileTypes: true }).map((entry) => ({
  file: path.join(entry.parentPath ?? entry.path, entry.name),
  entry,
}));
for (const { file, entry } of entries) {
  if (!entry.isFile() || kept.has(entry.name)) continue;
  const source = path.join(root, 'src', path.relative(dist, file).replace(/(\.d\.ts|\.js)$/, '.ts'));
  if (!existsSync(source) || (file.endsWith('.d.ts') && !declarations.has(file))) rmSync(file);
}
for (const { file, entry } of entries.reverse()) if (entry.isDirectory() && readdirSync(file).length === 0) rmdirSync(file);
