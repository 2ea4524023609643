/** How large the scripts of the built page are. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Built, visit } from './built.js';

/** Bytes, gzipped: of the page before its first paint, of the page with all rooms, and of everything with the worker and every kernel. */
export async function scriptSizes(built: Built): Promise<{ first: number; own: number; all: number }> {
  const assets = path.join(built.folder, 'assets');
  const size = async (name: string) => gzipSync(await readFile(path.join(assets, name))).length;
  const sum = async (some: Iterable<string>) => (await Promise.all([...some].map(size))).reduce((total, bytes) => total + bytes, 0);
  const { page } = await visit(built);
  await page.waitForSelector('#room .fit-panel');
  // Those of the page; the worker, which loads its own, does not hold up the paint.
  const first = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => name.replace(/.*\//, ''))
      .filter((name) => name.endsWith('.js') && !/worker/.test(name)),
  );
  await page.close();
  const index = await readFile(path.join(built.folder, 'index.html'), 'utf8');
  const own = await reached(
    assets,
    [...index.matchAll(/assets\/([\w.-]+\.js)/g)].map(([, name]) => name),
  );
  const all = (await readdir(assets)).filter((name) => name.endsWith('.js'));
  return { first: await sum(first), own: await sum(own), all: await sum(all) };
}

/** The scripts that these import, at once or later, without the worker. */
async function reached(assets: string, entries: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  const open = [...entries];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const text = await readFile(path.join(assets, name), 'utf8');
    for (const [, next] of text.matchAll(/\.\/([\w.-]+\.js)/g)) if (!/worker/.test(next)) open.push(next);
  }
  return found;
}
