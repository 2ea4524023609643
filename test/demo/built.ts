/** The built page in a real browser, as its visitors get it. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  // vitest's own 'test' would make a page for developers of it.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  await build({ ...shared, build: { outDir, emptyOutDir: true } });
  process.env.NODE_ENV = before;
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

/** The same page for a browser that offers no WebGPU, neither to the page nor to its worker; `before` is for `visit`. */
export async function withoutWebGpu(site: Built): Promise<{ site: Built; before: (page: Page) => Promise<void> }> {
  const without = path.join(path.dirname(site.folder), 'without');
  await cp(site.folder, without, { recursive: true });
  for (const file of await readdir(path.join(without, 'assets'))) {
    if (!file.startsWith('worker')) continue;
    const script = path.join(without, 'assets', file);
    await writeFile(script, `delete WorkerNavigator.prototype.gpu;${await readFile(script, 'utf8')}`);
  }
  return {
    site: { ...site, url: site.url.replace('/folder/', '/without/') },
    before: async (empty) => {
      await empty.evaluateOnNewDocument(() => {
        Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });
      });
    },
  };
}

/** Ends the process of the browser that has the GPU: every device of every page is lost. */
export async function loseDevices({ browser }: Built): Promise<void> {
  const client = await browser.target().createCDPSession();
  await client.send('Browser.crashGpuProcess' as never).catch(() => {}); // the answer goes down with it
}

/** Looks by the clock: a browser under load may draw no frame for long. */
const byTheClock = { polling: 100 };

/** Waits until the fit panel of the room is in one of these states, or has failed. A state that lasts some milliseconds may pass between two looks. */
export async function inState(page: Page, ...states: readonly string[]): Promise<void> {
  try {
    const seen = await page.waitForFunction(
      (wanted: readonly string[]) => {
        const { state } = document.querySelector<HTMLElement>('#room .fit-panel')?.dataset ?? {};
        return state !== undefined && [...wanted, 'failed'].includes(state) ? state : undefined;
      },
      byTheClock,
      states,
    );
    const state = (await seen.jsonValue()) as string;
    if (!states.includes(state)) throw new Error(state);
  } catch (cause) {
    const seen = await page.evaluate(() => {
      const panel = document.querySelector<HTMLElement>('#room .fit-panel');
      return `${panel?.dataset.state}: ${document.querySelector('#device')?.textContent} ${document.querySelector('#notices')?.textContent} ${panel?.textContent}`;
    });
    throw new Error(`The fit panel did not become ${states.join(' or ')}; it is ${seen}`, { cause });
  }
}

/** Waits until the fit that `act` begins has ended, however short it was, where another one has ended before. */
export async function fitEnded(page: Page, act: () => Promise<unknown>): Promise<void> {
  const began = await page.evaluateHandle(() => {
    const seen = { began: false };
    const panel = document.querySelector('#room .fit-panel')!;
    new MutationObserver(() => {
      seen.began = true;
    }).observe(panel, { attributeFilter: ['data-state'] });
    return seen;
  });
  await act();
  await page.waitForFunction(
    (seen) => seen.began && document.querySelector<HTMLElement>('#room .fit-panel')?.dataset.state === 'ended',
    byTheClock,
    began,
  );
}

export const textOf = (page: Page, selector: string): Promise<string> => page.$eval(selector, (element) => element.textContent ?? '');
