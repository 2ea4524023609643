/** What surrounds the rooms: devices that are missing or get lost, no network, everyone's access, sizes. */
import { afterAll, expect, test } from 'vitest';
import { exampleMatrix } from '../../demo/work/matrix-examples.js';
import { createReferenceEngine, nmf } from '../../src/index.js';
import { violations } from './axe.js';
import { type Built, builtPage, inState, loseDevices, textOf, visit, withoutWebGpu } from './built.js';
import { inShort, press } from './matrix-room.js';
import { scriptSizes } from './scripts.js';

let started: Promise<Built> | undefined;
const built = () => (started ??= builtPage());
afterAll(async () => (await started)?.close());

test('has no fault that axe-core knows, in every room, light and dark, wide and narrow', async () => {
  for (const dark of [false, true]) {
    for (const width of [1280, 375]) {
      const { page, complaints } = await visit(await built(), { hash: '#/paper?restarts=16&beside=no', dark, width });
      await inState(page, 'running', 'ended');
      expect(await violations(page), `learning, ${width} px, dark ${dark}`).toEqual([]);
      for (const room of ['matrix', 'topics']) {
        await page.evaluate((name) => document.querySelector<HTMLElement>(`nav a[href="#/${name}"]`)!.click(), room);
        await page.waitForFunction((name: string) => document.title.toLowerCase().startsWith(name), {}, room);
        expect(await violations(page), `${room}, ${width} px, dark ${dark}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${room} is no wider than the screen`).toBeLessThanOrEqual(
          width,
        );
        expect(await page.evaluate(() => document.activeElement === document.body), 'the focus is on the room').toBe(false);
      }
      expect(complaints).toEqual([]);
      await page.close();
    }
  }
});

test('where there is no WebGPU it says what to do, and computes on the CPU when asked to', async () => {
  const { site, before } = await withoutWebGpu(await built());
  const { page, complaints } = await visit(site, { hash: '#/paper?layers=1&beside=no&restarts=1', before });
  await page.waitForSelector('.notice');
  expect(await textOf(page, '.notice')).toMatch(/This browser offers no WebGPU\. .*(Chrome|Firefox|Safari).* CPU/s);
  expect(await violations(page)).toEqual([]);
  await page.locator('.notice button').click(); // Compute on the CPU
  await page.waitForFunction(() => document.body.dataset.device === 'reference');
  await page.locator('.primary').click();
  await inState(page, 'ended');
  expect(await page.$eval('[aria-label="Neural NMF"] output', (output) => output.textContent)).toMatch(/error 0\.023\d = 1\.00\d/);

  // The room Matrix computes there, too, with the numbers of the library's own reference.
  await page.evaluate(() => document.querySelector<HTMLElement>('nav a[href="#/matrix"]')!.click());
  await page.waitForSelector('[data-option="ranks"]');
  await page.locator('[data-example="spectra"]').click();
  await inShort(page, /120 features × 90 samples/);
  await page.locator('[data-option="ranks"]').fill('2'); // the third substance is left over as an error
  await page.locator('[data-option="maxIterations"]').fill('20');
  await press(page, 'Start');
  await inState(page, 'ended');
  const { X } = exampleMatrix('spectra');
  const { relativeError } = await nmf(createReferenceEngine(), X, { ranks: 2, maxIterations: 20 });
  expect(await textOf(page, '.levels td')).toBe(relativeError.toPrecision(5));
  expect(complaints).toEqual([]);
  await page.close();
});

test('goes on from its last factors when the GPU is lost, and says so', async () => {
  const site = await built();
  const { page } = await visit(site, { hash: '#/paper?restarts=16&beside=no' });
  await page.waitForFunction(() => /error 0/.test(document.querySelector('[aria-label="Neural NMF"]')?.textContent ?? ''));
  await loseDevices(site);
  await page.waitForFunction(() => /was lost once; the fit went on/.test(document.querySelector('.fit-state')?.textContent ?? ''));
  await inState(page, 'ended');
  const ratios = await page.$$eval('[aria-label="Neural NMF"] output', (all) =>
    all.map((output) => Number(/= ([\d.]+) ×/.exec(output.textContent ?? '')?.[1])),
  );
  for (const ratio of ratios) expect(ratio).toBeLessThanOrEqual(1.02);
  await page.close();
});

test('opens without a network once it was there', async () => {
  const { page } = await visit(await built(), { hash: '#/matrix' });
  await page.waitForFunction(() => document.getElementById('offline')?.hidden === false);
  await page.setOfflineMode(true);
  await page.reload();
  await page.waitForSelector('#room h1');
  await page.goto(`${(await built()).url}#/paper?layers=1&beside=no`);
  await page.reload();
  await inState(page, 'ended');
  await page.close();
});

test('stays light: 60 KB of script before the first paint, 200 KB with all rooms', async () => {
  const { first, own, all } = await scriptSizes(await built());
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThanOrEqual(60_000);
  expect(own).toBeGreaterThan(first);
  expect(own).toBeLessThanOrEqual(200_000);
  expect(all).toBeGreaterThan(own);
});
