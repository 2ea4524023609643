/** What may happen to a person in the rooms Topics and Matrix: a device that is lost, and files of 50 MB. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, expect, test } from 'vitest';
import { encodeNpy } from '../../src/formats.js';
import { matrix } from '../../src/index.js';
import { type Built, builtPage, inState, loseDevices, textOf, visit } from './built.js';
import { choose, drop, inShort, press, saved } from './matrix-room.js';
import { corpus } from './planted.js';

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let started: Promise<{ site: Built; folder: string }> | undefined;
const ready = () =>
  (started ??= (async () => ({ site: await builtPage(), folder: await mkdtemp(path.join(tmpdir(), 'orthant-mishaps-')) }))());
afterAll(async () => {
  const { site, folder } = (await started) ?? {};
  await site?.close();
  if (folder) await rm(folder, { recursive: true });
});

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const file = path.join((await ready()).folder, name);
  await writeFile(file, content);
  return file;
}

const lines = corpus.map(({ name, text }) => JSON.stringify({ name, text })).join('\n');
const iterations = (page: Page) => page.$eval('#room .fit-panel dd', (count) => Number(count.textContent) || 0);

test('a device that is lost in mid-run: both rooms go on from their last factors, say so, and end with numbers that can be used', async () => {
  const { site } = await ready();
  const endless = 'tolerance=0&maxIterations=1000000';
  const { page: matrices } = await visit(site, { hash: `#/matrix?example=table&ranks=4,2&method=neural&restarts=1&${endless}` });
  await inShort(matrices, /87 features/);
  const { page: topics } = await visit(site, { hash: '#/topics?ranks=6,3&restarts=1&tolerance=0&iterations=100000' });
  await topics.waitForSelector('.topics .drop');
  const input = (await topics.$('.topics .drop input[type=file]'))!;
  await input.uploadFile(await fileOf('planted.jsonl', lines));
  await topics.waitForFunction(() => /terms of 60/.test(document.querySelector('.topics .summary-fact')?.textContent ?? ''));
  for (const page of [matrices, topics]) {
    await page.bringToFront();
    await press(page, 'Start');
    await page.waitForFunction(() => Number(document.querySelector('#room .fit-panel dd')?.textContent) > 20);
  }
  await loseDevices(site);
  for (const page of [matrices, topics]) {
    await page.bringToFront();
    await page.waitForFunction(() => /was lost once; the fit went on/.test(document.querySelector('.fit-state')?.textContent ?? ''));
    const before = await iterations(page);
    await page.waitForFunction((from) => Number(document.querySelector('#room .fit-panel dd')?.textContent) > from, {}, before);
    await press(page, 'Stop');
    await inState(page, 'ended');
  }
  // The error of every level is a number, and none is below its bound.
  const levels = await matrices.$$eval('.levels tbody tr', (rows) =>
    rows.map((row) => [...row.querySelectorAll('td')].map((cell) => Number(cell.textContent))),
  );
  expect(levels).toHaveLength(2);
  for (const [error, bound] of levels) {
    expect(error).toBeGreaterThanOrEqual(bound * (1 - 1e-4));
    expect(error).toBeLessThan(1);
  }
  const shares = await topics.$$eval('.topics .row.level-1 .share', (all) => all.map((one) => Number.parseFloat(one.textContent!)));
  expect(shares).toHaveLength(3);
  expect(Math.abs(shares.reduce((a, b) => a + b, 0) - 100)).toBeLessThan(2);
  await Promise.all([matrices.close(), topics.close()]);
});

test('files of 50 MB, dropped: a matrix is read and fitted, a table read, and a corpus read to its vocabulary', async () => {
  const { site } = await ready();
  const { page, complaints } = await visit(site, { hash: '#/matrix?maxIterations=2&restarts=1&svdBound=false&ranks=1' });
  await page.waitForSelector('[data-option="ranks"]');
  // 5,000 × 2,500 entries of 4 bytes, those of a matrix of rank 1.
  const [rows, cols] = [5000, 2500];
  const X = matrix(rows, cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) X.data[i * cols + j] = ((i % 7) + 1) * ((j % 5) + 1);
  await drop(page, await fileOf('large.npy', encodeNpy(X)));
  expect(await inShort(page, /2500 features × 5000 samples/)).toMatch(/from 1 to 35\.$/);
  await press(page, 'Start');
  await inState(page, 'ended');
  expect(Number(await textOf(page, '.levels td'))).toBeLessThan(1e-3);

  const line = `${Array.from({ length: 2000 }, (_, j) => (j % 10) / 10 || 1).join(',')}\n`;
  const lineCount = Math.ceil(5e7 / line.length);
  await choose(page, await fileOf('large.csv', line.repeat(lineCount)));
  expect(await inShort(page, /2000 features/)).toContain(`${lineCount} samples, nothing missing, 0 % zero, from 0.1 to 1.`);
  await page.evaluate(() => document.querySelector<HTMLElement>('nav a[href="#/topics"]')!.click());
  await page.waitForSelector('.topics .drop');
  const documents = Math.ceil(5e7 / corpus[0].text.length / 200);
  const texts = Array.from({ length: documents }, (_, d) => `${corpus[d % corpus.length].text} `.repeat(200)).join('\n');
  await (await page.$('.topics .drop input[type=file]'))!.uploadFile(await fileOf('large.txt', texts));
  await page.waitForSelector('.topics .facts dd');
  expect(await textOf(page, '.topics .summary-fact')).toContain(`of ${documents.toLocaleString('en')} documents`);
  expect(complaints).toEqual([]);
  await page.close();
});

const go = async (page: Page, room: string) => {
  await page.evaluate((name) => document.querySelector<HTMLElement>(`nav a[href="#/${name}"]`)!.click(), room);
  await page.waitForSelector(`#room > .${room}`);
};
const stateOf = (page: Page) => page.$eval('#room .fit-panel', (panel) => (panel as HTMLElement).dataset.state);
/** Answers the question that a start asks while a fit is at work. */
const answer = async (page: Page, question: RegExp, text: string) => {
  await page.waitForSelector('dialog[open]');
  expect(await textOf(page, 'dialog p')).toMatch(question);
  await press(page, text);
  await page.waitForFunction(() => !document.querySelector('dialog'));
};

test('where a fit is at work every other one waits, takes its place or does not begin, as the person chooses; closing asks for what would be lost', async () => {
  const { site } = await ready();
  const { page, complaints } = await visit(site, { hash: '#/matrix?example=table&method=nmf&ranks=2&tolerance=0&svdBound=false' });
  await inShort(page, /87 features/);
  const iterationsAtMost = (most: string) => page.locator('[data-option="maxIterations"]').fill(most);
  const endless = async () => {
    await iterationsAtMost('10000000');
    await press(page, 'Start');
    await page.waitForFunction(() => Number(document.querySelector('#room .fit-panel dd')?.textContent) > 0);
  };

  // In the same room, with other options.
  await endless();
  await press(page, 'Start another …');
  await answer(page, /^A fit of the room Matrix is not finished\./, 'Do not start');
  expect(await page.$eval('.fit-next', (line) => (line as HTMLElement).hidden)).toBe(true);
  await press(page, 'Start another …');
  await answer(page, /Matrix/, 'Start when it is finished');
  await press(page, 'Withdraw it');
  expect(await page.$eval('.fit-next', (line) => (line as HTMLElement).hidden)).toBe(true);
  expect(await page.evaluate(() => document.activeElement?.closest('.fit-panel') !== null)).toBe(true);
  await press(page, 'Start another …');
  await answer(page, /Matrix/, 'Start when it is finished');
  await iterationsAtMost('30');
  expect(await stateOf(page)).toBe('running');
  await press(page, 'Stop');
  await page.waitForFunction(() => / 30 iterations/.test(document.querySelector('.fit-state')?.textContent ?? ''));
  // From the factors that there are.
  await endless();
  await iterationsAtMost('20');
  await press(page, 'Go on from these factors');
  await answer(page, /Matrix/, 'Stop it and start this one');
  await page.waitForFunction(() => / 20 iterations/.test(document.querySelector('.fit-state')?.textContent ?? ''));

  // In other rooms.
  await endless();
  await go(page, 'paper'); // which learns on arrival where nothing else does
  await page.waitForFunction(() => document.body.dataset.device !== undefined);
  expect(await stateOf(page)).toBe('idle');
  await press(page, 'Fill the table');
  await answer(page, /Matrix/, 'Do not start');
  await go(page, 'topics');
  await (await page.$('.topics .drop input[type=file]'))!.uploadFile(await fileOf('planted.jsonl', lines));
  await page.waitForFunction(() => /terms of 60/.test(document.querySelector('.topics .summary-fact')?.textContent ?? ''));
  await page.locator('.topics [aria-label="Remove level 2"]').click();
  await page.locator('.topics [aria-label="Topics of level 1"]').fill('6');
  await page.locator('.topics [name=restarts]').fill('1');
  await press(page, 'Start');
  await answer(page, /Matrix/, 'Stop it and start this one');
  await inState(page, 'ended');
  const rows = () => page.$$eval('.topics .row', (all) => all.length);
  expect(await rows()).toBe(9);
  await go(page, 'matrix');
  await inState(page, 'ended');
  await endless();
  await go(page, 'topics');
  await page.focus('.topics .row[tabindex="0"]');
  await page.keyboard.press('End'); // a topic of the lowest level
  await page.waitForFunction(() => /Level 1\./.test(document.querySelector('.topics .topic')?.textContent ?? ''));
  for (const start of ['Divide', 'Merge', 'Go on from here']) {
    await press(page, start);
    await answer(page, /Matrix/, 'Do not start');
  }
  await page.locator('.topics [aria-label="Number of parts"]').fill('2');
  await press(page, 'Divide');
  await answer(page, /Matrix/, 'Start when it is finished');
  await inState(page, 'waiting');
  // One that waits is withdrawn at once, whatever runs.
  await press(page, 'Stop');
  await inState(page, 'ended');
  expect(await textOf(page, '#room .fit-state')).toBe('Stopped before it began.');
  await press(page, 'Divide');
  await answer(page, /^A fit of the room Matrix is not finished\./, 'Start when it is finished');
  await inState(page, 'waiting');
  await go(page, 'matrix');
  await press(page, 'Stop');
  await inState(page, 'ended');
  await go(page, 'topics');
  await inState(page, 'ended');
  expect(await rows()).toBe(11);
  expect(complaints).toEqual([]);

  // The division is in no file. The model is a file, and an example learns the same from the address.
  const closing = async (one: Page) => {
    const asked = new Promise<string>((resolve) =>
      one.once('dialog', (dialog) => void dialog.dismiss().then(() => resolve(dialog.type()))),
    );
    const closed = new Promise<string>((resolve) => one.once('close', () => resolve('closed')));
    await one.close({ runBeforeUnload: true });
    return Promise.race([asked, closed]);
  };
  expect(await closing(page)).toBe('beforeunload');
  const session = await page.createCDPSession();
  await session.send('Page.setDownloadBehavior', { behavior: 'allow', downloadPath: (await ready()).folder });
  await press(page, 'Model');
  await saved((await ready()).folder, 'planted-model.zip');
  await go(page, 'matrix');
  await endless();
  expect(await closing(page)).toBe('closed');
});

test('Pause in the moment in which a fit begins holds it, and Resume lets it go', async () => {
  const { page } = await visit((await ready()).site, {
    hash: '#/matrix?example=table&tolerance=0&maxIterations=100000&method=nmf&ranks=4',
  });
  await page.waitForSelector('.matrix .fitting:not([hidden])');
  await page.evaluate(() => {
    const panel = document.querySelector<HTMLElement>('.matrix .fitting > .fit-panel')!;
    const watch = new MutationObserver(() => {
      if (panel.dataset.state !== 'running') return;
      watch.disconnect();
      panel.querySelector<HTMLButtonElement>('.buttons button:nth-child(2)')!.click();
    });
    watch.observe(panel, { attributeFilter: ['data-state'] });
  });
  await press(page, 'Start');
  await inState(page, 'paused');
  const count = () => page.$eval('#room .fit-panel dd', (iteration) => Number(iteration.textContent));
  // It stands at its first check.
  await page.waitForFunction(() => Number(document.querySelector('#room .fit-panel dd')?.textContent) > 0);
  const held = await count();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([await stateOf(page), await count()]).toEqual(['paused', held]);
  await press(page, 'Resume');
  await page.waitForFunction((before) => Number(document.querySelector('#room .fit-panel dd')?.textContent) > before, {}, held);
  await press(page, 'Stop');
  await inState(page, 'ended');
  // The panel and the sentence count alike, to the last check.
  expect(await textOf(page, '#room .fit-state')).toContain(` ${await count()} iterations`);
  await page.close();
});
