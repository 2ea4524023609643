// Takes comments, indentation and line breaks out of the modules in dist/: a third of the bytes that everybody installs. Names of functions,
// classes and exports stay as they are, so that stack traces can be read; those of other variables become short. The text for users stands in the declarations, and the source is in the repository. Comments
// that begin with ! stay: they are licences.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { minifySync } from 'rolldown/experimental';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const options = {
  module: true,
  compress: false,
  mangle: { toplevel: false, keepNames: true },
  codegen: { removeWhitespace: true, legalComments: 'inline' },
};

for (const module of readdirSync(dist, { recursive: true })) {
  if (!module.endsWith('.js') || module.startsWith('vendor') || module.endsWith('.min.js')) continue;
  const file = path.join(dist, module);
  const code = readFileSync(file, 'utf8');
  const { code: compact, errors } = minifySync(file, code, options);
  if (errors.length > 0) throw new Error(`${module}: ${errors[0].message}`);
  if (compact === code) continue;
  writeFileSync(`${file}.new`, compact);
  renameSync(`${file}.new`, file);
}
