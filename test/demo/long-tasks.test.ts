/**
 * While a fit learns, no task of the page takes 50 ms, in any room. A task is measured by the time that the processor gave it (`tdur` of
 * Chrome's trace), which a busy machine does not stretch as it does the time on the clock.
 */
import type { Page } from 'puppeteer';
import { afterAll, expect, test } from 'vitest';
import { type Built, builtPage, fitEnded, inState, visit } from './built.js';
import { press } from './matrix-room.js';

let started: Promise<Built> | undefined;
const open = async (hash: string) => {
  started ??= builtPage();
  return (await visit(await started, { hash })).page;
};
afterAll(async () => (await started)?.close());

const mostMs = 50;

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds of the processor; without them the task had not ended when tracing did. */
  tdur?: number;
  args: { name?: string };
}

/** Milliseconds of each task of the page's main thread during `act`. */
async function tasksDuring(page: Page, act: () => Promise<unknown>): Promise<number[]> {
  await page.tracing.start({ categories: ['disabled-by-default-devtools.timeline'] });
  await act();
  const { traceEvents } = JSON.parse(Buffer.from((await page.tracing.stop())!).toString()) as { traceEvents: TraceEvent[] };
  const thread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const main = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(thread));
  return traceEvents.flatMap((event) =>
    event.name === 'RunTask' && main.has(thread(event)) && event.tdur !== undefined ? [event.tdur / 1000] : [],
  );
}

const longest = (tasks: readonly number[]) => tasks.reduce((most, ms) => Math.max(most, ms), 0);

test('a task that takes long is seen', async () => {
  const page = await open('#/matrix');
  const tasks = await tasksDuring(page, () =>
    page.evaluate(async () => {
      await new Promise((resolve) => setTimeout(resolve));
      let sum = 0;
      for (const from = performance.now(); performance.now() < from + 400; ) sum += 1;
      return sum;
    }),
  );
  expect(longest(tasks)).toBeGreaterThan(mostMs);
  await page.close();
});

test('The paper', async () => {
  const page = await open('#/paper?restarts=1');
  const tasks = await tasksDuring(page, () => inState(page, 'ended'));
  expect(tasks.length).toBeGreaterThan(100);
  expect(longest(tasks)).toBeLessThan(mostMs);
  await page.close();
});

test('Matrix, with heat maps of three methods', async () => {
  const page = await open('#/matrix?example=swimmer&maxIterations=200');
  await page.waitForSelector('.matrix .fitting:not([hidden])');
  for (const method of ['nmf', 'neural', 'deep']) {
    await page.select('.matrix .method select', method);
    const tasks = await tasksDuring(page, () => fitEnded(page, () => press(page, 'Start')));
    expect(tasks.length, method).toBeGreaterThan(20);
    expect(longest(tasks), method).toBeLessThan(mostMs);
  }
  await page.close();
});

test('Topics, of the speeches', async () => {
  const page = await open('#/topics?corpus=sotu&ranks=12,4&restarts=1&iterations=60');
  await page.waitForFunction(() => /terms of/.test(document.querySelector('.topics .summary-fact')?.textContent ?? ''));
  const tasks = await tasksDuring(page, async () => {
    await press(page, 'Start');
    await inState(page, 'ended');
  });
  expect(tasks.length).toBeGreaterThan(100);
  expect(longest(tasks)).toBeLessThan(mostMs);
  await page.close();
});
