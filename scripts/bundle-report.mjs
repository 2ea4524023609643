// Makes src/report/client.generated.ts of src/report/client/: the script and the style of a report's page as texts, the script gzipped and in base64.
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const repository = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join(repository, 'src/report');
const output = path.join(folder, 'client.generated.ts');

/** Bundles the page's script, unless that has been done of the same sources. Returns the length of what there is. */
export async function bundleReport() {
  const first = `// Made by scripts/bundle-report.mjs of ${await sourcesHash()}`;
  const before = await readFile(output, 'utf8').catch(() => '');
  if (before.startsWith(`${first}\n`)) return before.length;
  const { bundle } = await import('./bundle-page.mjs');
  const { code, files } = await bundle(path.join(folder, 'client/main.ts'), 'iife');
  const script = `${await licencesOf(files)}${code.trim()}`;
  const sheets = await Promise.all(['style', 'print'].map((name) => readFile(path.join(folder, `client/${name}.css`), 'utf8')));
  const style = sheets
    .join('')
    .replaceAll(/\/\*.*?\*\//gs, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
  // A carriage return would be read as a line feed, and the hash in the page's policy would be another one.
  for (const [name, text] of Object.entries({ script, style }))
    if (/<\/(script|style)|<!--|\r/i.test(text)) throw new Error(`The ${name} of the report has text in it that HTML does not keep.`);
  // The package has a limit, and the script is the largest text in it: gzipped and in base64 it takes half as much.
  const packed = gzipSync(script, { level: 9 }).toString('base64');
  const lines = Object.entries({ packedScript: packed, style, plotStyle: await plotStyle() }).map(
    ([name, text]) => `export const ${name} = ${JSON.stringify(text)};`,
  );
  const text = `${first}\n${lines.join('\n')}\n`;
  const staging = `${output}.${randomUUID().slice(0, 8)}`;
  await writeFile(staging, text);
  await rename(staging, output);
  return text.length;
}

/** A hash of all that the result is made of. */
async function sourcesHash() {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(ts|css)$/.test(entry.name) && !entry.name.includes('.generated.'))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
  const versions = ['@observablehq/plot', 'd3', 'd3-hierarchy', 'vite'].map((name) => `node_modules/${name}/package.json`);
  const files = [...names.sort(), ...versions.map((name) => path.join(repository, name)), fileURLToPath(import.meta.url)];
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${path.basename(file)}\0`).update(await readFile(file));
  return hash.digest('hex');
}

/** The licences of the packages that these files are of, as a comment; packages with the same licence share it. */
async function licencesOf(files) {
  const packages = new Set(files.flatMap((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const holders = new Map();
  for (const place of [...packages].sort()) {
    const { name, version, license } = JSON.parse(await readFile(path.join(place, 'package.json'), 'utf8'));
    const file = (await readdir(place)).find((one) => /^licen[cs]e/i.test(one));
    const text = file ? (await readFile(path.join(place, file), 'utf8')).trim().replaceAll('*/', '* /').replaceAll('\r', '') : license;
    holders.set(text, [...(holders.get(text) ?? []), `${name} ${version}`]);
  }
  return [...holders].map(([text, names]) => `/*! ${names.join(', ')}\n${text}\n*/\n`).join('');
}

/** The text of the style element that Plot puts into every picture: the page's policy has to know it. */
async function plotStyle() {
  const [{ plot, ruleY }, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  return plot({ document: parseHTML('<html><body></body></html>').document, marks: [ruleY([0])] }).querySelector('style').textContent;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log(`the page of reports bundled, ${((await bundleReport()) / 1000).toFixed(0)} kB`);
}
