/** How long the room of topics takes from a drop of generated paragraphs to a tree that can be read. `node scripts/time-topics.mjs 5000` tells. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Built, builtPage, inState, visit } from '../../test/demo/built.js';

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

export interface Mark {
  /** Since the drop. */
  seconds: number;
  what: 'vocabulary' | 'first topics' | 'all levels' | 'end' | 'bounds';
  /** What the page says there. */
  said?: string;
}

/** Drops so many paragraphs on the page, starts a fit, and notes when what could be read; and tasks of the page over 50 ms. */
export async function topicsTimes(
  built: Built,
  count: number,
  { options = '', onMark }: { options?: string; onMark?: (mark: Mark) => void } = {},
): Promise<{ marks: Mark[]; longTasks: { ms: number; at: number }[]; complaints: string[] }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'orthant-time-'));
  const file = path.join(folder, 'paragraphs.txt');
  await writeFile(file, paragraphs(count).join('\n'));
  const { page, complaints } = await visit(built, { hash: `#/topics${options}` });
  try {
    await page.waitForSelector('.topics .drop');
    await page.waitForFunction(() => document.body.dataset.device !== undefined);
    await page.evaluate(() => {
      const tasks: { ms: number; at: number }[] = [];
      const from = performance.now();
      Object.assign(globalThis, { longTasks: tasks });
      new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) tasks.push({ ms: duration, at: (startTime - from) / 1000 });
      }).observe({ type: 'longtask' });
    });
    const session = await page.createCDPSession();
    const { x, y } = await page.$eval('.topics .drop', (zone) => ({
      x: zone.getBoundingClientRect().left + 20,
      y: zone.getBoundingClientRect().top + 8,
    }));
    const from = performance.now();
    const marks: Mark[] = [];
    const mark = (what: Mark['what'], said?: string | null) => {
      const one = { seconds: (performance.now() - from) / 1000, what, ...(said && { said }) };
      marks.push(one);
      onMark?.(one);
    };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await session.send('Input.dispatchDragEvent', { type, x, y, data: { items: [], files: [file], dragOperationsMask: 1 } });
    await page.waitForSelector('.topics .facts dd', { timeout: 0 });
    mark('vocabulary', await page.$eval('.topics .summary-fact', (fact) => fact.textContent));
    await page.click('.topics .fit-panel .primary');
    await page.waitForSelector('.topics .row', { timeout: 0 });
    mark('first topics');
    await page.waitForSelector('.topics .row.level-2', { timeout: 0 });
    mark('all levels');
    await inState(page, 'ended', 'failed');
    mark('end', await page.$eval('.topics .fit-panel', (panel) => panel.textContent));
    await page.waitForFunction(() => document.querySelector('.topics .curve .key')?.textContent?.includes('bound'), { timeout: 0 });
    mark('bounds');
    const longTasks = await page.evaluate(() => (globalThis as unknown as { longTasks: { ms: number; at: number }[] }).longTasks);
    return { marks, longTasks, complaints };
  } finally {
    await page.close();
    await rm(folder, { recursive: true });
  }
}

const words: Record<Mark['what'], string> = {
  vocabulary: 'the vocabulary',
  'first topics': 'the first topics, while it learns',
  'all levels': 'topics of all three levels, while it learns',
  end: 'the tree',
  bounds: 'the SVD bounds',
};

export async function main([count = '5000', options = '']: string[]): Promise<void> {
  const built = await builtPage();
  try {
    const onMark = ({ seconds, what, said }: Mark) =>
      console.log(`${seconds.toFixed(1)} s  ${words[what]}${said === undefined ? '' : `: ${said}`}`);
    const { longTasks, complaints } = await topicsTimes(built, Number(count), { options, onMark });
    const told = longTasks.map(({ ms, at }) => `${Math.round(ms)} ms at ${at.toFixed(1)} s`);
    console.log(`tasks of the page over 50 ms: ${told.join(', ') || 'none'}`);
    if (complaints.length > 0) console.log(complaints.join('\n'));
  } finally {
    await built.close();
  }
}
