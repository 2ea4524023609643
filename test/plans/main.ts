/**
 * `npm run plans`: the net under changes that must not change what runs. It writes the printed programs of every method, and every dispatch
 * that each kind of adapter would record, into a folder, and digests of what the fits return; two folders of two commits are compared
 * with `diff -r`.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { adapters, dispatchText, programText } from './dump.js';
import { planCases, runCase } from './programs.js';

/** Name of a text → text: the programs and dispatches of every case, and apart what the fits return on the f64 reference. */
export async function planTexts({ small = false } = {}): Promise<{ texts: Map<string, string>; results: Map<string, string> }> {
  const texts = new Map<string, string>();
  const results = new Map<string, string>();
  for (const one of planCases) {
    if (small && !one.small) continue;
    const { programs, result } = await runCase(one);
    results.set(
      one.name,
      JSON.stringify(result, (key, value) => (key === 'elapsedMs' ? undefined : value)),
    );
    programs.forEach((program, i) => {
      const name = programs.length === 1 ? one.name : `${one.name}, program ${i}`;
      texts.set(name, programText(program));
      for (const [adapter, facts] of Object.entries(adapters)) texts.set(`${name} on ${adapter}`, dispatchText(program, facts));
    });
  }
  return { texts, results };
}

/** One line a text: its digest and its name. */
export function digestLines(texts: ReadonlyMap<string, string>): string {
  return Array.from(texts, ([name, text]) => `${createHash('sha256').update(text).digest('hex').slice(0, 16)}  ${name}\n`).join('');
}

export async function main([folder = '.cache/plans', ...rest]: readonly string[]): Promise<number> {
  if (rest.length > 0 || folder.startsWith('-')) {
    console.error('usage: npm run plans [-- FOLDER]   (default .cache/plans)');
    return 2;
  }
  const { texts, results } = await planTexts();
  await mkdir(folder, { recursive: true });
  for (const [name, text] of texts) await writeFile(path.join(folder, `${name.replaceAll(/[^\w]+/g, '-')}.txt`), text);
  await writeFile(path.join(folder, 'digests.txt'), digestLines(texts));
  await writeFile(path.join(folder, 'results.txt'), digestLines(results));
  console.log(`${texts.size} texts in ${folder}`);
  return 0;
}
