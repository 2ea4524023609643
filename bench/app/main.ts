/**
 * The figures of the browser app, from its built files in headless Chrome: first use, sizes, frames and long tasks while it trains, and the
 * paper's room up to its bounds. Every figure stands beside its limit.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { type Built, builtPage, inState, visit } from '../../test/demo/built.js';
import { scriptSizes } from '../../test/demo/scripts.js';
import { type Mark, topicsTimes } from './topics.js';

interface Figure {
  name: string;
  value: number;
  unit: string;
  limit: number;
}

export async function main(): Promise<number> {
  const built = await builtPage();
  try {
    const figures = [...(await firstUse(built)), ...(await sizes(built)), ...(await training(built)), ...(await topics(built))];
    const machine = `${availableParallelism()} × ${cpus()[0].model.trim()}`;
    for (const { name, value, unit, limit } of figures) {
      const within = value <= limit ? 'within' : 'ABOVE';
      console.log(`${name.padEnd(66)} ${value.toFixed(value < 10 ? 3 : 0).padStart(8)} ${unit.padEnd(7)} ${within} ${limit}`);
    }
    const result = { date: new Date().toISOString().slice(0, 10), machine, device: await deviceOf(built), figures };
    await writeFile(new URL('../results/app.json', import.meta.url), `${JSON.stringify(result, undefined, 2)}\n`);
    return 0;
  } finally {
    await built.close();
  }
}

async function deviceOf(built: Built): Promise<string> {
  const { page } = await visit(built, { hash: '#/matrix' });
  await page.waitForFunction(() => document.body.dataset.device !== undefined, { timeout: 0 });
  const device = await page.$eval('#device', (line) => line.textContent ?? '');
  await page.close();
  return `${device}, ${await built.browser.version()}`;
}

/** From the address to a room with its controls, with nothing kept: the median of five visits. */
async function firstUse(built: Built): Promise<Figure[]> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const { page } = await visit(built, {
      before: (empty) =>
        empty.evaluateOnNewDocument(() => {
          const watch = new MutationObserver(() => {
            if (!document.querySelector('#room .fit-panel')) return;
            watch.disconnect();
            requestAnimationFrame(() => setTimeout(() => Object.assign(window, { usableAt: performance.now() })));
          });
          document.addEventListener('DOMContentLoaded', () => watch.observe(document.body, { childList: true, subtree: true }));
        }) as unknown as Promise<void>,
    });
    const usable = await page.waitForFunction(() => (window as unknown as { usableAt?: number }).usableAt, { timeout: 0 });
    times.push((await usable.jsonValue()) as number);
    await page.close();
  }
  times.sort((a, b) => a - b);
  return [{ name: 'first paint that can be used', value: times[2] / 1000, unit: 's', limit: 1 }];
}

/** Scripts of the page before the first paint, scripts of the page in all, and everything with the worker and its kernels. */
async function sizes(built: Built): Promise<Figure[]> {
  const { first, own, all } = await scriptSizes(built);
  return [
    { name: 'script before the first paint, gzipped', value: first / 1000, unit: 'kB', limit: 60 },
    { name: 'script of the page, all rooms, gzipped', value: own / 1000, unit: 'kB', limit: 200 },
    {
      name: 'all scripts with the worker and every kernel, gzipped',
      value: all / 1000,
      unit: 'kB',
      limit: Number.POSITIVE_INFINITY,
    },
  ];
}

/** The paper's room without labels: frames and long tasks while it learns, its time, and the errors against their bounds. */
async function training(built: Built): Promise<Figure[]> {
  const { page } = await visit(built, {
    before: (empty) =>
      empty.evaluateOnNewDocument(() => {
        const seen = { frames: [] as number[], tasks: [] as number[], began: 0, ended: 0 };
        Object.assign(window, { seen });
        let last = 0;
        const frame = (now: number) => {
          const state = document.querySelector<HTMLElement>('#room .fit-panel')?.dataset.state;
          if (state === 'running') {
            if (!seen.began) seen.began = now;
            else if (last) seen.frames.push(now - last);
            last = now;
          }
          if (state === 'ended' && !seen.ended) seen.ended = now;
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (seen.began) seen.tasks.push(entry.duration);
        }).observe({ entryTypes: ['longtask'] });
      }) as unknown as Promise<void>,
    hash: '#/paper?beside=no',
  });
  await inState(page, 'ended');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { seen, ratios } = await page.evaluate(() => ({
    seen: (window as unknown as { seen: { frames: number[]; tasks: number[]; began: number; ended: number } }).seen,
    ratios: [...document.querySelectorAll('[aria-label="Neural NMF"] output')].map((output) =>
      Number(/= ([\d.]+)/.exec(output.textContent ?? '')?.[1]),
    ),
  }));
  await page.close();
  const frames = seen.frames.toSorted((a, b) => a - b);
  return [
    { name: 'frame while training, 95th percentile', value: frames[Math.floor(0.95 * frames.length)], unit: 'ms', limit: 50 },
    { name: 'longest task of the page while training', value: Math.max(0, ...seen.tasks), unit: 'ms', limit: 50 },
    { name: "the paper's room, start to end", value: (seen.ended - seen.began) / 1000, unit: 's', limit: 20 },
    { name: 'error ÷ bound, deepest level', value: ratios[2], unit: '', limit: 1.005 },
    { name: 'error ÷ bound, worst level', value: Math.max(...ratios), unit: '', limit: 1.02 },
  ];
}

/** 5,000 paragraphs in the room of topics, at its own levels. */
async function topics(built: Built): Promise<Figure[]> {
  const { marks, longTasks } = await topicsTimes(built, 5000);
  const seconds = (what: Mark['what']) => marks.find((mark) => mark.what === what)!.seconds;
  const unlimited = Number.POSITIVE_INFINITY;
  return [
    { name: '5,000 paragraphs, from the drop to the vocabulary', value: seconds('vocabulary'), unit: 's', limit: unlimited },
    { name: '5,000 paragraphs, to a tree of all levels that can be read', value: seconds('all levels'), unit: 's', limit: 60 },
    { name: '5,000 paragraphs, to the end of the fit', value: seconds('end'), unit: 's', limit: unlimited },
    { name: '5,000 paragraphs, longest task of the page', value: Math.max(0, ...longTasks.map(({ ms }) => ms)), unit: 'ms', limit: 50 },
  ];
}
