/** The page of a report in headless Chrome: what it shows, what it obeys, and what it never does. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, KeyInput, Page } from 'puppeteer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportData } from '../../src/report/data.js';
import { reportPage } from '../../src/report/page.js';
import { reportParts } from '../../src/report/parts.js';
import { downloadsOf } from '../../src/report/tables.js';
import { launchChrome, newPage } from '../support/chrome.js';
import { exampleSource, hostile } from './example.js';

let folder: string;
let browser: Browser;
let url: string;
const data = reportData(exampleSource());

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'orthant-report-'));
  const file = path.join(folder, 'report.html');
  await writeFile(file, reportPage(data, await reportParts()));
  url = pathToFileURL(file).href;
  browser = await launchChrome();
});

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A page with the report, and all that it should not have done. */
async function open(): Promise<{ page: Page; complaints: string[] }> {
  const page = await newPage(browser);
  const complaints: string[] = [];
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => complaints.push(message.text()));
  page.on(
    'request',
    (request) => request.url() !== url && !request.url().startsWith('data:') && complaints.push(`request: ${request.url()}`),
  );
  await page.goto(url);
  return { page, complaints };
}

const texts = (page: Page, selector: string) => page.$$eval(selector, (found) => found.map(({ textContent }) => textContent));

const focused = (page: Page) => page.evaluate(() => document.activeElement?.querySelector('.share')?.textContent ?? null);

test('texts are shown as they stand; nothing in them runs, and nothing is requested', async () => {
  const { page, complaints } = await open();
  expect(await page.title()).toBe(`${hostile.title}: a report of orthant`);
  expect(await texts(page, 'h1')).toEqual([hostile.title]);
  expect(await texts(page, 'pre')).toEqual([data.command]);
  expect(await texts(page, '.note')).toContain('A note with <script>alert(7)</script>.');
  // The largest topic of the last layer: terms 0 and 3.
  expect((await texts(page, '#words th.term')).sort()).toEqual([hostile.terms[0], hostile.terms[3]].sort());
  expect(await texts(page, '.samples .term')).toEqual([hostile.documents[2], hostile.documents[1]]);
  expect(await page.$$eval('script', (found) => found.length)).toBe(2);
  expect(await page.$$eval('main img, main script, main b:not(figcaption b, li > b)', (found) => found.length)).toBe(0);
  expect(await page.$$eval('#maps canvas[role=img]', (found) => found.length)).toBe(7);
  expect(await page.$$eval('.chart svg', (found) => found.length)).toBe(4);
  expect(complaints).toEqual([]);
  await page.close();
});

test('the policy stops scripts, styles and requests that are not of the page', async () => {
  const { page, complaints } = await open();
  const { directives, ran, colour } = await page.evaluate(async () => {
    const seen: string[] = [];
    const all = new Promise<void>((resolve) => {
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        seen.push(effectiveDirective);
        if (new Set(seen).size === 5) resolve();
      });
    });
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    const markup = '<p id="evil" style="color: red" onclick="window.ran = true">x</p><style>p { color: red }</style>';
    document.body.insertAdjacentHTML('beforeend', markup);
    const evil = document.getElementById('evil')!;
    evil.click();
    await fetch('https://example.invalid/').catch(() => undefined);
    await all;
    return { directives: [...new Set(seen)].sort(), ran: Reflect.has(window, 'ran'), colour: getComputedStyle(evil).color };
  });
  expect(directives).toEqual(['connect-src', 'script-src-attr', 'script-src-elem', 'style-src-attr', 'style-src-elem']);
  expect(ran).toBe(false);
  expect(colour).not.toBe('rgb(255, 0, 0)');
  // So a violation by the page itself would be heard, too.
  expect(complaints.length).toBeGreaterThanOrEqual(5);
  await page.close();
});

test('λ orders words by relevance', async () => {
  const { page, complaints } = await open();
  const [, second] = await page.$$('[role=treeitem][aria-level="1"]');
  await second.click();
  // φ = 0.5, 0.3, 0.2 and p = 0.4, 0.05, 0.05. At λ = 0.6: −0.327, −0.006, −0.411.
  const [a, b, c] = hostile.terms;
  for (const [lambda, order] of [
    ['1', [a, b, c]],
    ['0', [b, c, a]],
    ['0.6', [b, a, c]],
  ] as const) {
    await page.$eval(
      '#lambda',
      (slider, value) => {
        (slider as HTMLInputElement).value = value;
        slider.dispatchEvent(new Event('input'));
      },
      lambda,
    );
    expect(await texts(page, '#words th.term'), lambda).toEqual(order);
    expect(await texts(page, '#lambda-value')).toEqual([Number(lambda).toFixed(2)]);
  }
  expect(await texts(page, '#words tbody tr:first-child td')).toEqual(['30 %', '5.0 %', '6.0']);
  await page.focus('#lambda');
  await page.keyboard.press('ArrowRight');
  expect(await texts(page, '#lambda-value')).toEqual(['0.65']);
  expect(complaints).toEqual([]);
  await page.close();
});

test('the tree is walked by keyboard', async () => {
  const { page, complaints } = await open();
  const press = async (...keys: KeyInput[]) => {
    for (const key of keys) await page.keyboard.press(key);
    return focused(page);
  };
  // 81 % and 19 % above; 25 % and 50 % below the first, of equal weight, 25 % below the second.
  await page.focus('[role=treeitem][tabindex="0"]');
  expect(await focused(page)).toBe('81 %');
  expect(await press('ArrowDown', 'ArrowRight')).toBe('50 %');
  expect(await press('ArrowRight')).toBe('25 %');
  expect(await press('ArrowUp')).toBe('19 %');
  expect(await press('Home')).toBe('81 %');
  expect(await press('End', 'ArrowDown')).toBe('25 %');
  expect(await texts(page, '[aria-selected=true] .share')).toEqual(['25 %']);
  expect(await page.$$eval('[role=treeitem][tabindex="0"]', (found) => found.length)).toBe(1);
  const visible = () => page.$$eval('[role=treeitem]:not([hidden]) .share', (found) => found.map(({ textContent }) => textContent));
  await press('Enter');
  expect(await visible()).toEqual(['19 %', '25 %']);
  expect(await texts(page, '#path button')).toHaveLength(3);
  await press('Escape', 'Escape');
  expect(await visible()).toHaveLength(5);
  expect(await press('Tab')).toBe(null);
  expect(complaints).toEqual([]);
  await page.close();
});

test('tables come as CSV', async () => {
  const { page, complaints } = await open();
  const session = await browser.target().createCDPSession();
  await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, eventsEnabled: true });
  for (const { file, csv } of downloadsOf(data).filter(({ title }) => ['terms of topics', 'restarts'].includes(title))) {
    const done = new Promise<void>((resolve) => {
      session.on('Browser.downloadProgress', ({ state }) => state === 'completed' && resolve());
    });
    await page.click(`[data-file="${file}"]`);
    await done;
    expect(await readFile(path.join(folder, file), 'utf8')).toBe(csv);
    session.removeAllListeners();
  }
  expect(complaints).toEqual([]);
  await page.close();
});

test('on a phone, in the dark and on paper', async () => {
  const { page, complaints } = await open();
  const shade = () => page.evaluate(() => Number(getComputedStyle(document.body).backgroundColor.match(/\d+/)![0]));
  expect(await shade()).toBeGreaterThan(200);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  expect(await shade()).toBeLessThan(60);

  await page.setViewport({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.focus('[role=treeitem][tabindex="0"]');
  await page.keyboard.press('ArrowRight');
  expect(await focused(page)).toBe('25 %');
  await page.keyboard.press('ArrowDown');
  expect(await focused(page)).toBe('50 %');

  const opened = page.evaluate(() => {
    dispatchEvent(new Event('beforeprint'));
    const { open } = document.querySelector('details')!;
    dispatchEvent(new Event('afterprint'));
    return [open, document.querySelector('details')!.open];
  });
  expect(await opened).toEqual([true, false]);
  expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000);
  expect(complaints).toEqual([]);
  await page.close();
});

test('errors that differ by rounding alone have an axis of few digits', async () => {
  const file = path.join(folder, 'equal.html');
  const error = 0.17092773243287;
  const layers = [{ rank: 2, relativeError: error, svdBound: error - 1e-15 }];
  const history = [10, 20].map((iteration) => ({ stage: 'one', iteration, relativeError: error + 1e-15 / iteration }));
  await writeFile(
    file,
    reportPage({ ...data, layers, history, restarts: { errors: [error, error + 1e-16], kept: 0 } }, await reportParts()),
  );
  const page = await newPage(browser);
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('#errors [aria-label="y-axis tick label"]');
  const ticks = await texts(page, '#errors [aria-label="y-axis tick label"] text, #restarts [aria-label="y-axis tick label"] text');
  expect(ticks.length).toBeGreaterThan(3);
  for (const tick of ticks) expect(tick!.length, tick!).toBeLessThan(9);
  await page.close();
});

test('the survey that chose a rank: its curve, its numbers, the reason', async () => {
  const { page, complaints } = await open();
  const section = 'section[aria-labelledby="survey-title-0"]';
  expect(await texts(page, `${section} h2`)).toEqual(['The rank of layer 0']);
  expect(await texts(page, `${section} .hint`)).toEqual(['Rank 3 is the smallest <script>alert(8)</script>.']);
  expect(await page.$$eval(`${section} tbody tr`, (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)))).toEqual([
    ['2', '0.3000', '0.5000', '0.0625', '1.000', '0.900', '1.00', '0.75'],
    ['3, chosen', '0.1250', '0.2500', '0.0313', '0.500', '0.700', '0.50', '1.00'],
    ['4', '0.1200', '–', '–', '0.250', '0.600', '–', '–'],
  ]);
  // Three errors of the fit, two that were held out with their whiskers, and the mark of the rank.
  const circles = (fill: string) =>
    page.$$eval(
      `${section} svg circle`,
      (all, of) => all.filter((one) => (one.closest('g[fill]') ?? one).getAttribute('fill') === of).length,
      fill,
    );
  expect([await circles('var(--surface)'), await circles('var(--accent)')]).toEqual([3, 2]);
  expect(await page.$$eval(`${section} svg g[aria-label="rule"] line`, (lines) => lines.length)).toBe(3);
  expect(complaints).toEqual([]);
  await page.close();
});
