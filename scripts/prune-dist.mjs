// Leaves in dist/ what a user of the package needs: no module whose source is no more, no declarations that the faces do not lead to, and
// in dist/vendor only the packages of vendored.mjs. Nothing else is touched, so that commands that run from dist/ meanwhile go on.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileOf, vendored } from './vendored.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');
const kept = new Set(['orthant.min.js']);
const brought = new Set(Object.keys(vendored).map((specifier) => path.join(dist, 'vendor', fileOf(specifier))));

/** The declarations that these lead to, themselves included. */
function reachable(...faces) {
  const found = new Set(faces);
  for (const file of found) {
    for (const [, module] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g))
      found.add(path.resolve(path.dirname(file), `${module}.d.ts`));
  }
  return found;
}

/** The faces of the package, by package.json. */
const faces = Object.values(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).exports).flatMap(({ types }) => types ?? []);
const declarations = reachable(...new Set(faces.map((face) => path.join(root, face))));
const entries = readdirSync(dist, { recursive: true, withFileTypes: true }).map((entry) => ({
  file: path.join(entry.parentPath ?? entry.path, entry.name),
  entry,
}));
for (const { file, entry } of entries) {
  if (!entry.isFile() || kept.has(entry.name) || brought.has(file)) continue;
  const source = path.join(root, 'src', path.relative(dist, file).replace(/\.js$/, '.ts'));
  if (file.endsWith('.d.ts') ? !declarations.has(file) : !existsSync(source)) rmSync(file);
}
for (const { file, entry } of entries.reverse()) if (entry.isDirectory() && readdirSync(file).length === 0) rmdirSync(file);
