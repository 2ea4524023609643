/** The page of a report on paper, in headless Chrome: where it breaks, what can be read, and what is left out. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, inflateSync } from 'node:zlib';
import type { Browser, Page } from 'puppeteer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportData } from '../../src/report/data.js';
import { reportPage } from '../../src/report/page.js';
import { reportParts } from '../../src/report/parts.js';
import type { ReportData } from '../../src/report/types.js';
import { launchChrome, newPage } from '../support/chrome.js';
import { exampleSource } from './example.js';

/** What a page of A4 holds within the margins, in pixels of CSS. */
const paper = { width: Math.floor(((210 - 2 * 14) / 25.4) * 96), height: Math.floor(((297 - 2 * 15) / 25.4) * 96) };

const classes = [
  'comp.sys.ibm.pc.hardware',
  'talk.politics.mideast',
  'soc.religion.christian',
  'Grundstücksverkehrsgenehmigung',
  'sci.space',
];
const names = [...classes, ...classes.map((name) => `re:${name}`)];
/** Each takes a little more than half a page. */
const long = Array.from({ length: 10 }, (_, at) => ({
  title: `Table ${at}`,
  columns: ['a', 'b'],
  rows: Array.from({ length: 18 }, (_, r) => [`row ${r}`, r]),
}));
/** Of a topic model of 20 topics. */
const wide = {
  title: 'Flows',
  columns: ['topic', ...Array.from({ length: 20 }, (_, c) => `spain · intercourse · ${c}`)],
  rows: Array.from({ length: 3 }, () => ['gentlemen · commissioners', ...Array.from({ length: 20 }, () => 0.1234)]),
};
const data: ReportData = {
  ...reportData(exampleSource()),
  confusions: [{ title: 'Samples', rows: names, columns: names, counts: names.map((_, r) => names.map((_, c) => (r * c) % 7)) }],
  tables: [wide, ...long],
};

let folder: string;
let browser: Browser;
/** The report, and the same without its widest table. */
let [url, narrow]: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'orthant-print-'));
  const parts = await reportParts();
  [url, narrow] = await Promise.all(
    [data, { ...data, tables: long }].map(async (one, i) => {
      const file = path.join(folder, `report-${i}.html`);
      await writeFile(file, reportPage(one, parts));
      return pathToFileURL(file).href;
    }),
  );
  browser = await launchChrome();
});

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(at = url): Promise<Page> {
  const page = await newPage(browser);
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(at);
  await page.waitForSelector('#restarts svg');
  return page;
}

/** Lays the page out as on paper, in one piece. */
async function layOut(page: Page): Promise<void> {
  await page.setViewport({ ...paper });
  await page.emulateMediaType('print');
  await page.$eval('#outline', (outline) => {
    (outline as HTMLDetailsElement).open = true;
  });
}

const pagesOf = (pdf: Uint8Array) =>
  Buffer.from(pdf)
    .toString('latin1')
    .match(/\/Type\s*\/Page\b/g)!.length;

/** The sizes of letters in points, each as often as it is set: what a page of Skia’s PDF gives to `Tf`, in the transforms around it. */
function lettersOf(pdf: Uint8Array): number[] {
  const bytes = Buffer.from(pdf);
  const found: number[] = [];
  for (const { index, 0: head } of bytes.toString('latin1').matchAll(/\/FlateDecode[^>]*>>\s*stream\r?\n/g)) {
    const text = inflateSync(bytes.subarray(index + head.length), { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1');
    if (!text.startsWith('.23999999 0 0 -.23999999')) continue; // a font or a picture
    const outer: number[] = [];
    let [scale, size] = [1, 0];
    for (const [, numbers, operator] of text.matchAll(/(?<!\/\w*)((?:[-\d.]+ )*)(cm|Tf|Tm|q|Q)\b/g)) {
      const [a, b, c, d] = numbers.split(' ').map(Number);
      const by = Math.sqrt(Math.abs(a * d - b * c));
      if (operator === 'q') outer.push(scale);
      else if (operator === 'Q') scale = outer.pop()!;
      else if (operator === 'cm') scale *= by;
      else if (operator === 'Tf') size = a;
      else found.push(size * scale * by);
    }
  }
  return found;
}

test('pages are filled: sections break, and nothing is as wide as to shrink them', async () => {
  const page = await open();
  const pages = pagesOf(await page.pdf({ format: 'A4' }));
  await layOut(page);
  const [scrollWidth, scrollHeight] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.scrollHeight,
  ]);
  expect(scrollWidth).toBeLessThanOrEqual(paper.width);
  expect(scrollHeight).toBeGreaterThan(5 * paper.height);
  // What is kept whole leaves something blank, here and there; a section on a page of its own would leave nearly half of each blank.
  expect(pages).toBeLessThanOrEqual(Math.ceil(scrollHeight / paper.height) + 1);
  expect(pages).toBeGreaterThanOrEqual(Math.floor(scrollHeight / paper.height));
  await page.close();
});

test('letters have 7 pt at least, 6 pt in the widest tables, from a narrow window and a wide one', async () => {
  for (const [at, least] of [
    [narrow, 7],
    [url, 6],
  ] as const) {
    const page = await open(at);
    for (const width of [1280, 850]) {
      await page.setViewport({ width, height: 900 });
      const letters = lettersOf(await page.pdf({ format: 'A4' }));
      expect(letters.length).toBeGreaterThan(300);
      expect(Math.min(...letters), `from ${width}`).toBeGreaterThan(least - 0.01);
      // And charts are as wide as the window lets them again.
      const widths = await page.$$eval('.chart', (all) => all.map((place) => [place.clientWidth, place.querySelector('svg')!.clientWidth]));
      expect(widths).toHaveLength(4);
      for (const [place, picture] of widths) expect(picture).toBe(place);
    }
    await page.close();
  }
});

test('names of classes and numbers are not broken', async () => {
  const page = await open();
  await layOut(page);
  const broken = await page.$$eval('table :is(th, td)', (cells) =>
    cells.flatMap((cell) => {
      const text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT).nextNode();
      if (!text) return [];
      return [...text.textContent!.matchAll(/\S+/g)].flatMap(({ index, 0: word }) => {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        return range.getClientRects().length > 1 ? [word] : [];
      });
    }),
  );
  expect(broken).toEqual([]);
  await page.close();
});

test('what can only be clicked is left out, and its words stay', async () => {
  const page = await open();
  const shown = (selector: string) =>
    page.$$eval(selector, (all) => all.filter((one) => one.checkVisibility()).map(({ textContent }) => textContent));
  await page.$eval('#lambda', (slider) => {
    (slider as HTMLInputElement).value = '0.6';
    slider.dispatchEvent(new Event('input'));
  });
  expect(await shown('input, #downloads button, #path, .on-screen')).not.toHaveLength(0);
  await layOut(page);
  expect(await shown('input, #downloads, #path, .on-screen')).toEqual([]);
  expect(await shown('#lambda-value')).toEqual(['0.60']);
  expect((await shown('#tree-hint'))[0]).toMatch(/^Each layer divides/);
  expect(await shown('#outline > ul')).toHaveLength(1);
  expect(await page.$eval('summary', (summary) => getComputedStyle(summary).listStyleType)).toBe('none');
  // A part that fills the tree has its path.
  await page.focus('[role=treeitem][tabindex="0"]');
  await page.keyboard.press('Enter');
  expect(await shown('#path button')).toHaveLength(2);
  await page.close();
});

test('it is light for a reader in the dark, too, and has margins', async () => {
  const page = await open();
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await layOut(page);
  const { ink, ground, bar, margin } = await page.evaluate(() => ({
    ink: getComputedStyle(document.body).color,
    ground: getComputedStyle(document.body).backgroundColor,
    bar: getComputedStyle(document.querySelector('.confusion .heat-9')!).printColorAdjust,
    margin: [...document.styleSheets[0].cssRules].find((rule) => rule instanceof CSSPageRule)?.style.margin,
  }));
  expect({ ink, ground, bar, margin }).toEqual({ ink: 'rgb(0, 0, 0)', ground: 'rgb(255, 255, 255)', bar: 'exact', margin: '15mm 14mm' });
  await page.close();
});
