/** The room Matrix of the built page, for tests: open it, give it files, press its buttons. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ElementHandle, Page } from 'puppeteer';
import { type Matrix, randomLowRank } from '../../src/index.js';
import { type Built, builtPage, textOf, visit } from './built.js';

/**
 * The page and the folder where files come from and are saved, both made by the first `open` and not in a `beforeAll`, whose failure
 * would make vitest skip every test instead of failing it.
 */
export function matrixRoom(starting: () => Promise<Built> = builtPage) {
  let started: Promise<{ built: Built; folder: string }> | undefined;
  const start = async () => ({ built: await starting(), folder: await mkdtemp(path.join(tmpdir(), 'orthant-matrix-')) });
  return {
    async open(hash: string, options: { before?: (page: Page) => Promise<void>; width?: number; dark?: boolean; site?: Built } = {}) {
      started ??= start();
      const { built, folder } = await started;
      const seen = await visit(options.site ?? built, { ...options, hash: `#/matrix${hash}` });
      const session = await seen.page.createCDPSession();
      await session.send('Page.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
      await seen.page.waitForSelector('[data-option="ranks"]');
      const write = async (name: string, content: string | Uint8Array) => {
        await writeFile(path.join(folder, name), content);
        return path.join(folder, name);
      };
      return { ...seen, folder, write };
    },
    async close() {
      const { built, folder } = (await started) ?? {};
      await built?.close();
      if (folder) await rm(folder, { recursive: true });
    },
  };
}

/** Gives files to the room as its own button does. */
export async function choose(page: Page, ...files: string[]): Promise<void> {
  const input = (await page.$('.data .drop input[type="file"]')) as ElementHandle<HTMLInputElement>;
  await input.uploadFile(...files);
}

/** Drops a file from outside the browser. */
export async function drop(page: Page, file: string): Promise<void> {
  const { x, y } = await page.$eval('.data .drop', (zone) => {
    const { left, top } = zone.getBoundingClientRect();
    return { x: left + 20, y: top + 20 };
  });
  const session = await page.createCDPSession();
  const data = { items: [], files: [file], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await session.send('Input.dispatchDragEvent', { type, x, y, data });
}

export const inShort = async (page: Page, wanted: RegExp): Promise<string> => {
  await page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector('.in-short')?.textContent ?? ''),
    {},
    wanted.source,
  );
  return textOf(page, '.in-short');
};

export async function press(page: Page, text: string): Promise<void> {
  const button = await page.waitForSelector(`::-p-xpath(//button[normalize-space()="${text}" and not(@disabled)])`);
  await button!.focus();
  await page.keyboard.press('Enter');
}

/** A file that the page saved. */
export async function saved(folder: string, name: string): Promise<Uint8Array> {
  for (;;) {
    const bytes = await readFile(path.join(folder, name)).catch(() => undefined);
    if (bytes && bytes.length > 0) return bytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const complaint = async (page: Page): Promise<string> => {
  await page.waitForFunction(() => (document.querySelector('.data .complaint')?.textContent ?? '') !== '');
  return textOf(page, '.data .complaint');
};

/** A matrix of rank 3 as a table with names, and with gaps at every fifth entry or so. */
export function gappy(): { csv: string; X: Matrix } {
  const X = randomLowRank(13, 17, 3, { seed: 5 });
  for (let at = 0; at < X.data.length; at++) if ((at * 7) % 5 === 0) X.data[at] = Number.NaN;
  const lines = Array.from({ length: X.cols }, (_, j) =>
    [`s${j + 1}`, ...Array.from({ length: X.rows }, (_, i) => X.data[i * X.cols + j])].map((x) => (Number.isNaN(x) ? '' : x)).join(','),
  );
  const head = ['', ...Array.from({ length: X.rows }, (_, i) => `f${i + 1}`)].join(',');
  return { csv: [head, ...lines, ''].join('\n'), X };
}

/** A sound file: a second of 1,000 Hz, 16 bits, one channel. */
export function tone(): Uint8Array {
  const rate = 8000;
  const wav = Buffer.alloc(44 + 2 * rate);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + 2 * rate, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ])
    wav.writeUInt16LE(value, at);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(2 * rate, 28);
  wav.write('data', 36);
  wav.writeUInt32LE(2 * rate, 40);
  for (let i = 0; i < rate; i++) wav.writeInt16LE(Math.round(12000 * Math.sin((2 * Math.PI * 1000 * i) / rate)), 44 + 2 * i);
  return wav;
}
