// Makes dist/orthant.min.js of dist/index.js: one file for pages without a bundler, which would otherwise request every module.
import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** Bundles and minifies a module with all that it imports, dynamically too. Returns the code and the files whose code is in it. */
export async function bundle(entry, format = 'es') {
  const { output } = await build({
    configFile: false,
    root: repository,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict', output: { format, codeSplitting: false } },
    },
  });
  if (output.length !== 1) throw new Error(`${entry} became ${output.map(({ fileName }) => fileName).join(', ')}: one file was expected`);
  const { code, modules } = output[0];
  return { code, files: Object.keys(modules).filter((file) => modules[file].renderedLength > 0) };
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const target = path.join(repository, 'dist/orthant.min.js');
  const { code } = await bundle(path.join(repository, 'dist/index.js'));
  await mkdir(path.dirname(target), { recursive: true });
  const staging = `${target}.${randomUUID().slice(0, 8)}`;
  await writeFile(staging, code);
  await rename(staging, target);
}
