/**
 * The rooms as they look, beside pictures that somebody has looked at. `npm run reference` takes them anew; look at them before they are
 * committed.
 *
 * Typefaces differ between machines, and with them the letters, widths of words and some line breaks. So pictures are compared at an eighth
 * of their size, where a line of text is a grey bar, and a share of the pixels may differ. Where the typeface is that of the references the
 * share is small: up to 0.001 was measured from run to run, for curves have a point where a drawing falls. DejaVu Sans in place of the
 * typeface of the references changes up to 0.095, by a line break more; a page without its bar, without the buttons of the fit or with all
 * elements below each other changes 0.065 or more, and the colours of the other scheme 0.8.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pixelmatch from 'pixelmatch';
import type { Page } from 'puppeteer';
import { afterAll, expect, test } from 'vitest';
import { type Built, builtPage, inState, visit } from './built.js';
import { inShort, press } from './matrix-room.js';
import { inFewColours, type Pixels, pixelsOf, smaller } from './pictures.js';
import { corpus } from './planted.js';

const renew = import.meta.env.MODE === 'reference';
const folder = new URL('./reference/', import.meta.url);
const typeface = new URL('typeface.json', folder);
const tolerances = { same: { pixels: 0.02, height: 0.01 }, other: { pixels: 0.15, height: 0.1 } };

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let started: Promise<Built> | undefined;
const built = () => (started ??= builtPage());
afterAll(async () => (await started)?.close());

/** Each room up to the end of a fit: few iterations of one restart, so that nothing takes long. */
const rooms: Record<string, { hash: string; settle: (page: Page) => Promise<void> }> = {
  paper: { hash: '#/paper?restarts=1&beside=no&layers=2', settle: (page) => inState(page, 'ended') },
  matrix: {
    hash: '#/matrix?example=swimmer&ranks=8&restarts=1&maxIterations=20&svdBound=false',
    async settle(page) {
      await inShort(page, /features/);
      await press(page, 'Start');
      await inState(page, 'ended');
      await page.waitForFunction(() => document.querySelectorAll('.parts canvas').length === 8);
    },
  },
  topics: {
    hash: '#/topics?ranks=6,3&restarts=1&iterations=30',
    async settle(page) {
      const texts = await mkdtemp(path.join(tmpdir(), 'orthant-reference-'));
      const file = path.join(texts, 'planted.jsonl');
      await writeFile(file, corpus.map(({ name, text, year }) => JSON.stringify({ name, text, date: String(year) })).join('\n'));
      await page.waitForSelector('.topics .drop');
      await (await page.$('.topics .drop input[type=file]'))!.uploadFile(file);
      await page.waitForFunction(() => /terms of 60/.test(document.querySelector('.topics .summary-fact')?.textContent ?? ''));
      await press(page, 'Start');
      await inState(page, 'ended');
      await page.waitForSelector('.topics .word-table tbody tr');
      await page.waitForFunction(() => document.querySelector('.topics .curve .key')?.textContent?.includes('bound'));
      await rm(texts, { recursive: true });
    },
  },
};

/** Takes away what differs from run to run: times, the name of the device, the focus. */
async function still(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (const number of document.querySelectorAll('.fit-panel dd')) number.textContent = '–';
    document.getElementById('device')!.textContent = 'the device';
    const offline = document.getElementById('offline')!;
    offline.textContent = 'It opens without a network, too.'; // as it says when its files are kept
    offline.hidden = false;
    (document.activeElement as HTMLElement | null)?.blur();
    scrollTo(0, 0);
    await document.fonts.ready;
    await new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 300)); // curves are drawn a frame later
  });
}

/** The width of a sentence in the typeface of the page, in pixels: that of another typeface is another. */
const widthOfText = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const context = document.createElement('canvas').getContext('2d')!;
    context.font = `16px ${getComputedStyle(document.body).fontFamily}`;
    return context.measureText('Any nonnegative matrix as a product of two or more small ones: parts, and their shares.').width;
  });

const mostHigh: Record<number, number> = { 1280: 1800, 375: 2200 };

async function pictureOf(page: Page, width: number): Promise<Pixels> {
  const high = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width, height: Math.min(high, mostHigh[width]) };
  return pixelsOf(await page.screenshot({ type: 'png', clip, captureBeyondViewport: true }));
}

/** The share of the pixels that differ, of the part that both have. References are of half the size. */
function difference(taken: Pixels, kept: Pixels): number {
  const [one, other] = [smaller(taken, 8), smaller(kept, 4)];
  const [width, height] = [Math.min(one.width, other.width), Math.min(one.height, other.height)];
  const part = ({ width: wide, data }: Pixels) =>
    Uint8ClampedArray.from(
      { length: 4 * width * height },
      (_, i) => data[4 * (Math.floor(i / 4 / width) * wide + (Math.floor(i / 4) % width)) + (i % 4)],
    );
  return pixelmatch(part(one), part(other), undefined, width, height, { threshold: 0.15, includeAA: true }) / (width * height);
}

for (const [room, { hash, settle }] of Object.entries(rooms)) {
  test(`${room} looks as in its reference pictures, wide and narrow, light and dark`, async () => {
    for (const width of [1280, 375]) {
      const { page } = await visit(await built(), { hash, width });
      await settle(page);
      const text = { width: await widthOfText(page) };
      if (renew) await mkdir(folder, { recursive: true }).then(() => writeFile(typeface, `${JSON.stringify(text)}\n`));
      const known = JSON.parse(await readFile(typeface, 'utf8')) as typeof text;
      const { pixels, height } = tolerances[Math.abs(text.width - known.width) < 0.01 ? 'same' : 'other'];
      for (const dark of [false, true]) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
        await still(page);
        const taken = await pictureOf(page, width);
        const name = `${room}-${width}-${dark ? 'dark' : 'light'}.png`;
        const file = fileURLToPath(new URL(name, folder));
        if (renew) {
          await writeFile(file, inFewColours(smaller(taken, 2)));
          continue;
        }
        const kept = pixelsOf(await readFile(file));
        expect(Math.abs(taken.height / 2 / kept.height - 1), `the height of ${name}`).toBeLessThan(height);
        expect(difference(taken, kept), name).toBeLessThan(pixels);
      }
      await page.evaluate(() => document.querySelector('.topics')?.remove()); // nobody is to be asked
      await page.close();
    }
  });
}
