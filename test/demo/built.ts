/** The built page in a real browser, as its visitors get it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer';
import { build, preview } from 'vite';
import { launchChrome, newPage } from '../support/chrome.js';

const root = fileURLToPath(new URL('../../demo', import.meta.url));
const shared = { root, configFile: path.join(root, 'vite.config.ts'), logLevel: 'error' } as const;

export interface Built {
  browser: Browser;
  /** The address of the page, in a folder of its server. */
  url: string;
  /** The folder with its files. */
  folder: string;
  close(): Promise<void>;
}

/** Builds the page, serves it from a sub-folder, and starts a browser. */
export async function builtPage(): Promise<Built> {
  const folder = await mkdtemp(path.join(tmpdir(), 'orthant-page-'));
  const outDir = path.join(folder, 'some', 'folder');
  await build({ ...shared, build: { outDir, emptyOutDir: true } });
  const server = await preview({ ...shared, build: { outDir: folder }, preview: { host: '127.0.0.1', port: 0 } });
  const browser = await launchChrome();
  return {
    browser,
    url: `${server.resolvedUrls!.local[0]}some/folder/`,
    folder: outDir,
    async close() {
      await Promise.allSettled([browser.close(), server.close()]);
      await rm(folder, { recursive: true });
    },
  };
}

export interface Visit {
  page: Page;
  /** Everything that the console said, errors of the page, and requests to other hosts. */
  complaints: string[];
}

/** A page in a profile of its own. `before` prepares it while it is empty. */
export async function visit(
  { browser, url }: Built,
  {
    hash = '',
    width = 1280,
    dark = false,
    before,
  }: { hash?: string; width?: number; dark?: boolean; before?: (page: Page) => Promise<void> } = {},
): Promise<Visit> {
  const context = await browser.createBrowserContext();
  const page = await newPage(await Promise.resolve(context as unknown as Browser));
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error instanceof Error ? error.message : error}`));
  page.on('request', (request) => {
    const other = new URL(request.url());
    if (/^http/.test(other.protocol) && other.host !== new URL(url).host) complaints.push(`request to ${other.host}`);
  });
  await page.setViewport({ width, height: width < 600 ? 812 : 900, isMobile: width < 600, hasTouch: width < 600 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
  await before?.(page);
  await page.goto(`${url}${hash}`);
  return { page, complaints };
}

/** Waits until the fit panel of the room is in one of these states. */
export async function inState(page: Page, ...states: readonly string[]): Promise<void> {
  await page.waitForFunction(
    (wanted: readonly string[]) => wanted.includes(document.querySelector<HTMLElement>('#room .fit-panel')?.dataset.state ?? ''),
    { timeout: 0 },
    states,
  );
}

export const textOf = (page: Page, selector: string): Promise<string> => page.$eval(selector, (element) => element.textContent ?? '');
