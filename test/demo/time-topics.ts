/** `node scripts/time-topics.mjs 5000`: drops so many generated paragraphs on the built page, starts a fit, and tells when what could be read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { builtPage, inState, visit } from './built.js';

/** Paragraphs of 60 to 120 words: two of 30 topics and common words each, words of a topic by Zipf's law. The same in every run. */
function paragraphs(count: number): string[] {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const syllables = 'ba be bo da de di fa fe ga go ka ke la le li ma me mo na ne no pa pe ra re ri sa se ta te to va ve za zo'.split(' ');
  const word = () => Array.from({ length: 2 + Math.floor(3 * next()) }, () => syllables[Math.floor(next() * syllables.length)]).join('');
  const words = (n: number) => Array.from({ length: n }, word);
  const zipf = (list: readonly string[]) => list[Math.min(list.length - 1, Math.floor(list.length ** next()) - 1 + Math.floor(2 * next()))];
  const topics = Array.from({ length: 30 }, () => words(400));
  const common = [...words(3000), ...'the of and to in a is that for it'.split(' ')];
  return Array.from({ length: count }, () => {
    const [one, other] = [topics[Math.floor(30 * next())], topics[Math.floor(30 * next())]];
    const length = 60 + Math.floor(60 * next());
    return Array.from({ length }, () => {
      const which = next();
      return which < 0.3 ? 'the' : which < 0.55 ? zipf(common) : which < 0.85 ? zipf(one) : zipf(other);
    }).join(' ');
  });
}

export async function main([count = '5000', options = '']: string[]): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'orthant-time-'));
  const file = path.join(folder, 'paragraphs.txt');
  await writeFile(file, paragraphs(Number(count)).join('\n'));
  const built = await builtPage();
  const { page, complaints } = await visit(built, { hash: `#/topics${options}` });
  try {
    await page.waitForSelector('.topics .drop');
    await page.waitForFunction(() => document.body.dataset.device !== undefined);
    await page.evaluate(() => {
      const tasks: string[] = [];
      const from = performance.now();
      Object.assign(globalThis, { longTasks: tasks });
      const told = ({ startTime, duration }: PerformanceEntry) =>
        `${Math.round(duration)} ms at ${((startTime - from) / 1000).toFixed(1)} s`;
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(told))).observe({ type: 'longtask' });
    });
    const session = await page.createCDPSession();
    const { x, y } = await page.$eval('.topics .drop', (zone) => ({
      x: zone.getBoundingClientRect().left + 20,
      y: zone.getBoundingClientRect().top + 8,
    }));
    const from = performance.now();
    const tell = (what: string) => console.log(`${((performance.now() - from) / 1000).toFixed(1)} s  ${what}`);
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await session.send('Input.dispatchDragEvent', { type, x, y, data: { items: [], files: [file], dragOperationsMask: 1 } });
    await page.waitForSelector('.topics .facts dd', { timeout: 0 });
    tell(`the vocabulary: ${await page.$eval('.topics .summary-fact', (fact) => fact.textContent)}`);
    await page.click('.topics .fit-panel .primary');
    await page.waitForSelector('.topics .row', { timeout: 0 });
    tell('the first topics, while it learns');
    await page.waitForSelector('.topics .row.level-2', { timeout: 0 });
    tell('topics of all three levels, while it learns');
    await inState(page, 'ended', 'failed');
    tell(`the tree: ${await page.$eval('.topics .fit-panel', (panel) => panel.textContent)}`);
    await page.waitForFunction(() => document.querySelector('.topics .curve .key')?.textContent?.includes('bound'), { timeout: 0 });
    tell('the SVD bounds');
    const tasks = await page.evaluate(() => (globalThis as unknown as { longTasks: string[] }).longTasks);
    console.log(`tasks of the page over 50 ms: ${tasks.join(', ') || 'none'}`);
    if (complaints.length > 0) console.log(complaints.join('\n'));
  } finally {
    await built.close();
    await rm(folder, { recursive: true });
  }
}
