/** The address and the focus, which must be true and somewhere in every room. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, expect, test } from 'vitest';
import { type Built, builtPage, fitEnded, inState, textOf, visit } from './built.js';

let built: Promise<Built> | undefined;
const ready = () => {
  built ??= builtPage();
  return built;
};
afterAll(async () => (await built)?.close());

const hashOf = (page: Page) => page.evaluate(() => location.hash);
const go = (page: Page, hash: string) =>
  page.evaluate((to) => {
    location.hash = to;
  }, hash);
const focused = (page: Page) => page.evaluate(() => document.activeElement?.tagName);
const room = (page: Page, name: string) => page.waitForSelector(`article.${name}`);

test('Matrix: leaving and coming back keeps the address, and another address is another fit', async () => {
  const { page } = await visit(await ready(), { hash: '#/matrix?example=spectra&seed=5&maxIterations=7' });
  await page.waitForSelector('.matrix .fitting:not([hidden])');
  const before = await hashOf(page);
  expect(before).toContain('seed=5');
  await go(page, '#/paper?restarts=1&layers=1&beside=no');
  await room(page, 'paper');
  await go(page, '#/matrix');
  await room(page, 'matrix');
  expect(await hashOf(page)).toBe(before);
  await go(page, '#/matrix?example=table&method=neural&ranks=3,2');
  await page.waitForFunction(() => document.querySelector('.matrix .read h2')?.textContent?.includes('Groups'));
  const field = (name: string) => page.$eval(`[data-option="${name}"]`, (input) => (input as HTMLInputElement).value);
  expect(await page.$eval('.matrix .method select', (select) => select.value)).toBe('neural');
  expect([await field('ranks'), await field('seed'), await field('maxIterations')]).toEqual(['3,2', '', '']);
  await page.close();
});

test('The paper: the address is that of the figures; the focus stays; Neural NMF goes on from its factors', async () => {
  const { page } = await visit(await ready(), { hash: '#/paper?beside=no&layers=2&restarts=1' });
  await inState(page, 'ended');
  const errorsOf = () => page.$$eval('[aria-label="Neural NMF"] output', (outputs) => outputs.map((output) => output.textContent ?? ''));
  const first = await errorsOf();
  await go(page, '#/matrix');
  await room(page, 'matrix');
  await go(page, '#/paper');
  await room(page, 'paper');
  expect(await hashOf(page)).toBe('#/paper?layers=2&beside=no&restarts=1');
  expect(await errorsOf()).toEqual(first);
  // Judged by the deepest level alone, from where it is.
  await page.select('.paper select[name="judged"]', 'last');
  const goOn = await page.waitForSelector('xpath/.//button[text()="Go on from these factors"]', { visible: true });
  await goOn!.focus();
  await fitEnded(page, () => page.keyboard.press('Enter'));
  expect(await focused(page)).toBe('BUTTON');
  const errors = (texts: string[]) => texts.map((text) => Number(/error ([\d.]+)/.exec(text)?.[1]));
  const [before, after] = [errors(first), errors(await errorsOf())];
  expect(after[1]).toBeLessThanOrEqual(before[1]);
  expect(after[0]).toBeGreaterThanOrEqual(before[0]);
  await go(page, '#/paper?layers=1&seed=2&beside=no&restarts=1');
  await page.waitForFunction(() => (document.querySelector('.paper input[name="seed"]') as HTMLInputElement).value === '2');
  expect((await errorsOf()).join()).not.toMatch(/error \d/);
  const fill = await page.waitForSelector('xpath/.//button[text()="Fill the table"]');
  await page.$$eval('details', (all) => {
    for (const details of all) details.open = true;
  });
  await fill!.focus();
  await page.keyboard.press('Enter');
  await inState(page, 'running', 'ended');
  expect(await focused(page)).toBe('BUTTON');
  await page.close();
});

test('Matrix at 375 px: no page of three screens, whatever the number of parts', async () => {
  const { page } = await visit(await ready(), { hash: '#/matrix?example=swimmer&maxIterations=20&restarts=1', width: 375 });
  await page.waitForSelector('.matrix .fitting:not([hidden])');
  await page.click('.matrix .fit-panel .primary');
  await inState(page, 'ended');
  await page.waitForSelector('.matrix .parts li');
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(3 * 812);
  await page.close();
});

test('A file beside the place for it is taken by the room; kept files and their buttons keep the focus', async () => {
  const { page } = await visit(await ready(), { hash: '#/matrix' });
  await page.waitForSelector('.matrix .drop');
  const session = await page.createCDPSession();
  const { folder } = await ready();
  const drop = async (name: string, content: string) => {
    const file = path.join(folder, name);
    await writeFile(file, content);
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await session.send('Input.dispatchDragEvent', { type, x: 4, y: 700, data: { items: [], files: [file], dragOperationsMask: 1 } });
  };
  await drop('empty.csv', '');
  await page.waitForSelector('.matrix .complaint:not([hidden])');
  expect(await textOf(page, '.matrix .drop .complaint')).toBe("The file 'empty.csv' is empty.");
  await drop('x.csv', '1,2,3\n4,5,6\n7,8,9\n1,5,2\n');
  await page.waitForSelector('.matrix .fitting:not([hidden])');
  expect(await textOf(page, '.matrix .read h2')).toBe('x.csv');
  await go(page, '#/paper?restarts=1&layers=1&beside=no');
  await room(page, 'paper');
  await drop('x.csv', '1,2\n');
  await page.waitForFunction(() => document.querySelector('#notices')?.textContent?.includes('This room takes no files'));
  await page.close();
});
