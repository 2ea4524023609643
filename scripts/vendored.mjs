// Packages that the build puts into dist/vendor, so that the package orthant brings them along without depending on them: the parts that
// are used, minified, with their licence. Modules of src import them by their own names. docs/decisions says why.
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** The imported names of each package. */
export const vendored = {
  fflate: ['gunzipSync', 'inflateSync', 'zipSync'],
  fzstd: ['Decompress'],
  'fast-png': ['decode', 'encode'],
  'franc-min': ['francAll'],
};

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');

/** The file of a package: 'tinyld/light' → 'tinyld-light.js'. */
export const fileOf = (specifier) => `${specifier.replace(/^@/, '').replaceAll('/', '-')}.js`;

/** The folder of a package in node_modules. */
const packageOf = (specifier) => path.join(root, 'node_modules', specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));

async function bundle(specifier, names) {
  const entry = `\0${specifier}`;
  const { output } = await build({
    configFile: false,
    root,
    logLevel: 'error',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? `export { ${names.join(', ')} } from '${specifier}';` : undefined),
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict', output: { format: 'es', codeSplitting: false } },
    },
  });
  if (output.length !== 1) throw new Error(`${specifier} became ${output.length} files: one was expected`);
  return output[0].code;
}

/** The licence of a package and of those that it brings along, as a comment. */
async function licenceOf(specifier) {
  const folder = packageOf(specifier);
  const { name, version, license, dependencies = {} } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
  const text = file ? await readFile(path.join(folder, file), 'utf8') : '';
  const brought = await Promise.all(Object.keys(dependencies).map((one) => (existsSync(packageOf(one)) ? licenceOf(one) : '')));
  return `/*! ${name} ${version} (${license})\n${text.trim().replaceAll('*/', '* /')}\n*/\n${brought.join('')}`;
}

async function put(file, content) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const [specifier, names] of Object.entries(vendored))
    await put(path.join(dist, 'vendor', fileOf(specifier)), (await licenceOf(specifier)) + (await bundle(specifier, names)));
  const modules = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith('.js') && !file.startsWith('vendor'));
  for (const module of modules) {
    const code = await readFile(path.join(dist, module), 'utf8');
    const up = path.relative(path.dirname(path.join(dist, module)), path.join(dist, 'vendor'));
    // As minifiers write them, too: from"x", import(`x`).
    const changed = code.replaceAll(/(\bfrom *|\bimport *\( *)(['"`])([^'"`]+)\2/g, (all, before, quote, specifier) =>
      Object.hasOwn(vendored, specifier) ? `${before}${quote}${up.startsWith('.') ? up : `./${up}`}/${fileOf(specifier)}${quote}` : all,
    );
    if (changed !== code) await put(path.join(dist, module), changed);
  }
}
