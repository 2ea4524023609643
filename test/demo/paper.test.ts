/** The paper's room, in a real browser on the built files. */
import { afterAll, expect, test } from 'vitest';
import { published } from '../../src/cli/table1-experiment.js';
import { hierarchicalNmf, neuralNmf, tableOne } from '../../src/index.js';
import { createEngine } from '../../src/node.js';
import { violations } from './axe.js';
import { type Built, builtPage, fitEnded, inState, textOf, visit } from './built.js';

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let started: Promise<Built> | undefined;
const built = () => (started ??= builtPage());
afterAll(async () => (await started)?.close());

const errorsIn = (element: Element) =>
  [...element.querySelectorAll('figure:not([hidden]) output')].map((output) => {
    const [, error, ratio] = /error ([\d.]+) = ([\d.]+) ×/.exec(output.textContent ?? '') ?? [];
    return { error: Number(error), ratio: Number(ratio) };
  });

test('learns on arrival, ends near every bound, and shows the errors of the library', async () => {
  const { page, complaints } = await visit(await built());
  await inState(page, 'ended');
  const neural = await page.$eval('[aria-label="Neural NMF"]', errorsIn);
  expect(neural).toHaveLength(3);
  for (const { ratio } of neural) expect(ratio).toBeLessThanOrEqual(1.02);
  expect(neural[2].ratio).toBeLessThanOrEqual(1.005);

  // The same fit with the library in this process, by another build of the same compiler.
  const engine = await createEngine();
  const model = await neuralNmf(engine, tableOne(0).X, { ranks: [9, 4, 2], restarts: 4, seed: 0 });
  engine.dispose();
  for (const [l, { relativeError }] of model.layers.entries()) expect(neural[l].error).toBeCloseTo(relativeError, 3);

  const cells = await page.$$eval('td.known', (found) => found.map((cell) => cell.textContent));
  expect(cells).toHaveLength(3);
  expect(cells[2]).toBe(neural[2].error.toFixed(3));
  for (const method of ['Hierarchical NMF', 'Deep NMF']) {
    const errors = await page.$eval(`[aria-label="${method}"]`, errorsIn);
    expect(errors).toHaveLength(3);
    for (const { ratio } of errors) expect(ratio).toBeGreaterThanOrEqual(0.9995);
  }
  expect(complaints).toEqual([]);
  await page.close();
});

test('pauses, goes on, and stops with the factors reached so far, by the keyboard', async () => {
  const { page, complaints } = await visit(await built(), { hash: '#/paper?restarts=16&beside=no' });
  await page.waitForFunction(() => /error 0/.test(document.querySelector('[aria-label="Neural NMF"]')?.textContent ?? ''));
  await page.evaluate(() => document.querySelector<HTMLElement>('#room .fit-panel .buttons button:nth-child(2)')!.focus());
  await page.keyboard.press('Enter');
  await inState(page, 'paused');
  expect(await textOf(page, '.fit-state')).toMatch(/^Paused/);
  // Checks that were on their way when the fit was held arrive; then there are no more.
  const count = () => textOf(page, '#room .fit-panel dd');
  const later = () => new Promise((resolve) => setTimeout(resolve, 300));
  let held = '';
  while (held !== (await count())) {
    held = await count();
    await later();
  }
  await later();
  expect(await count()).toBe(held);
  await page.keyboard.press('Enter');
  await inState(page, 'running', 'ended');
  await page.keyboard.press('Tab'); // to Stop
  await page.keyboard.press('Enter');
  await inState(page, 'ended');
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(false);
  expect(complaints).toEqual([]);
  await page.close();
});

test('shows what happens when only the deepest level counts, and keeps the options in the address', async () => {
  const { page, complaints } = await visit(await built(), { hash: '#/paper?beside=no' });
  await inState(page, 'ended');
  await page.select('[name=judged]', 'last');
  expect(page.url()).toContain('judged=last');
  await fitEnded(page, () => page.locator('.primary').click());
  const neural = await page.$eval('[aria-label="Neural NMF"]', errorsIn);
  expect(neural[2].ratio).toBeLessThanOrEqual(1.005);
  expect(Math.max(...neural.map(({ ratio }) => ratio))).toBeGreaterThan(1.02);
  expect(complaints).toEqual([]);
  await page.close();
});

test('fills the table in its order beside the published figures, stops in between, and goes on with what is missing', async () => {
  const { page, complaints } = await visit(await built(), { hash: '#/paper?restarts=1&beside=no&labels=full&layers=1' });
  await inState(page, 'ended');
  const cells = () =>
    page.$$eval('.paper td.here', (all) =>
      all.map((cell) => ({ text: cell.textContent ?? '', running: cell.classList.contains('running') })),
    );
  const known = async () => (await cells()).flatMap(({ text }, at) => (text === '–' ? [] : [at]));
  const fill = () =>
    page.$$eval('.paper .buttons button', (all) => all.find(({ textContent }) => textContent === 'Fill the table')!.click());
  const stop = () => page.locator('.paper .fit-panel .buttons button:nth-child(3)').click();
  // 3 supervisions × 3 depths × 3 methods, row by row; hierarchical, deep, neural. The last supervision, one level, Neural NMF is on the screen.
  const shown = 20;
  expect(await known()).toEqual([shown]);
  expect((await cells())[shown].text).toMatch(/^\d\.\d{3} \/ [01]\.\d{3}$/); // with labels there is an accuracy, too
  // The page itself stops it at the third figure, for the rest is soon there.
  const seen = page.evaluate(
    () =>
      new Promise<{ running: number; enabled: number }>((resolve) => {
        const watch = new MutationObserver(() => {
          if (document.querySelectorAll('.paper td.known').length < 3) return;
          if (document.querySelectorAll('.paper td.here.running').length === 0) return; // the next one begins in a moment
          watch.disconnect();
          resolve({
            running: document.querySelectorAll('.paper td.here.running').length,
            enabled: document.querySelectorAll('.paper form :is(select, input):not(:disabled)').length,
          });
          document.querySelector<HTMLButtonElement>('.paper .fit-panel .buttons button:nth-child(3)')!.click();
        });
        watch.observe(document.querySelector('.paper table')!, { attributes: true, subtree: true, childList: true });
      }),
  );
  await fill();
  expect(await seen).toEqual({ running: 1, enabled: 0 });
  await inState(page, 'ended');
  const filled = await known();
  expect(filled).toEqual([...Array.from({ length: filled.length - 1 }, (_, i) => i), shown]);
  expect((await cells()).filter(({ running }) => running)).toEqual([]);
  for (const { text } of (await cells()).slice(0, filled.length - 1)) expect(text).toMatch(/^\d\.\d{3}$/);

  // One of them with the library in this process.
  const engine = await createEngine();
  const { relativeError } = await hierarchicalNmf(engine, tableOne(0).X, { ranks: [9], restarts: 1, seed: 0 });
  engine.dispose();
  expect(Number((await cells())[0].text)).toBeCloseTo(relativeError, 2);
  expect(await page.$eval('.paper td.published', (cell) => cell.textContent)).toBe(published.none.hierarchical.error[0].toFixed(3));
  expect(await violations(page)).toEqual([]);

  // The first cell whose fit runs is the first that is missing. The page keeps it, for the next may have begun when somebody looks.
  await page.evaluate(() => {
    const all = [...document.querySelectorAll('.paper td.here')];
    const watch = new MutationObserver(() => {
      const first = all.findIndex((cell) => cell.classList.contains('running'));
      if (first < 0) return;
      watch.disconnect();
      Object.assign(globalThis, { running: [first] });
    });
    for (const cell of all) watch.observe(cell, { attributes: true, attributeFilter: ['class'] });
  });
  await fill();
  const first = await page.waitForFunction(() => (globalThis as { running?: number[] }).running);
  expect(await first.jsonValue()).toEqual([filled.length - 1]);
  await stop();
  await inState(page, 'ended');
  expect(complaints).toEqual([]);
  await page.close();
});
