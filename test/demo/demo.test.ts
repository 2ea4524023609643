import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer';
import { build, createServer, type PreviewServer, preview, type ViteDevServer } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { launchChrome, newPage } from '../support/chrome.js';

const root = fileURLToPath(new URL('../../demo', import.meta.url));
const shared = { root, configFile: path.join(root, 'vite.config.ts'), logLevel: 'error' } as const;
const anyPort = { host: '127.0.0.1', port: 0 };

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let started: ReturnType<typeof start> | undefined;
const opened: { close(): Promise<void> }[] = [];

async function start(): Promise<{ browser: Browser; url: string }> {
  const server = await createServer({
    ...shared,
    cacheDir: fileURLToPath(new URL('../../.cache/vite-demo-test', import.meta.url)),
    // Nothing may change under a running test.
    server: { ...anyPort, hmr: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
  });
  opened.push(server);
  await server.listen();
  const browser = await launchChrome();
  opened.push(browser);
  return { browser, url: urlOf(server) };
}

afterAll(async () => {
  await started?.catch(() => undefined);
  await Promise.allSettled(opened.map((it) => it.close()));
});

test('starts, draws, stops with what was reached, and finishes at the SVD bound', async () => {
  const { page, url, complaints } = await openPage();
  await page.goto(url);
  await inState(page, 'ready');
  expect(await text(page, '#adapter')).toMatch(/software adapter.*CPU|GPU/);
  const empty = await pixels(page);

  // As long a fit as the page offers, stopped by the page itself: this process may be too busy to come before the fit ends.
  await page.locator('#restarts').fill('16');
  await page.locator('#from').fill('random');
  await page.evaluate(stopOnceDrawn);
  await page.locator('#start').click();
  await inState(page, 'stopped');
  expect(await text(page, '#state')).toMatch(/^Stopped/);
  const stopped = await errors(page);
  for (const { error } of stopped) expect(error).toBeLessThan(1);
  const drawn = await pixels(page);
  expect(drawn.data).toBe(empty.data);
  for (const canvas of ['first', 'second', 'third', 'chart'] as const) expect(drawn[canvas]).not.toBe(empty[canvas]);

  await page.locator('#restarts').fill('4');
  await page.locator('#from').fill('hierarchical');
  await page.locator('#start').click();
  await inState(page, 'finished');
  const finished = await errors(page);
  expect(finished[2].error).toBeLessThanOrEqual(1.005 * finished[2].bound);
  for (const { error, bound } of finished) expect(error).toBeGreaterThanOrEqual(bound - 1e-4);
  expect(complaints).toEqual([]);
  await page.close();
});

test('says so where there is no WebGPU', async () => {
  const { page, url, complaints } = await openPage();
  await page.evaluateOnNewDocument(() => {
    Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });
  });
  await page.goto(url);
  await inState(page, 'failed');
  expect(await text(page, '#message')).toContain('offers no WebGPU');
  expect(await page.$eval('#message', (message) => message.checkVisibility())).toBe(true);
  expect(await page.$eval('#start', (button) => button.matches(':disabled'))).toBe(true);
  expect(complaints).toEqual([]);
  await page.close();
});

test('becomes ready as a static build', async () => {
  const outDir = await mkdtemp(path.join(tmpdir(), 'orthant-demo-'));
  let files: PreviewServer | undefined;
  try {
    await build({ ...shared, build: { outDir, emptyOutDir: true } });
    files = await preview({ ...shared, build: { outDir }, preview: anyPort });
    const { page, complaints } = await openPage();
    await page.goto(urlOf(files));
    await inState(page, 'ready');
    expect(complaints).toEqual([]);
    await page.close();
  } finally {
    await files?.close();
    await rm(outDir, { recursive: true, force: true });
  }
});

/** An empty page, where the demo is served, and everything the page will complain about. */
async function openPage(): Promise<{ page: Page; url: string; complaints: string[] }> {
  started ??= start();
  const { browser, url } = await started;
  const page = await newPage(browser);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('error', (error) => complaints.push(`the page crashed: ${error.message}`));
  page.on('console', (message) => ['error', 'warn'].includes(message.type()) && complaints.push(message.text()));
  return { page, url, complaints };
}

function urlOf({ httpServer }: Pick<ViteDevServer | PreviewServer, 'httpServer'>): string {
  const address = httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('vite did not open a port');
  return `http://127.0.0.1:${address.port}/`;
}

/** Waits until the page has left the states on the way, and says what it ended in and why. */
async function inState(page: Page, state: string): Promise<void> {
  const passing = ['loading', 'running', 'stopping'];
  await page.waitForFunction((states) => !states.includes(document.body.dataset.state ?? 'loading'), {}, passing);
  const [reached, message] = await page.evaluate(() => [document.body.dataset.state, document.querySelector('#message')?.textContent]);
  expect(`${reached} ${state === 'failed' ? '' : message}`.trim()).toBe(state);
}

async function text(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? '');
}

/** In the page: presses Stop when the iteration has risen twice and all depths have an error. */
function stopOnceDrawn(): void {
  const seen = new Set<string | null>();
  const observer = new MutationObserver(() => {
    const iteration = document.querySelector('#iteration')!;
    if (Number(iteration.textContent) > 0) seen.add(iteration.textContent);
    const drawn = [...document.querySelectorAll('.depth output')].every(({ textContent }) => textContent !== '–');
    if (seen.size < 2 || !drawn) return;
    observer.disconnect();
    document.querySelector<HTMLButtonElement>('#stop')!.click();
  });
  observer.observe(document.body, { childList: true, characterData: true, subtree: true });
}

async function errors(page: Page): Promise<{ error: number; bound: number }[]> {
  return page.$$eval('.depth', (figures) =>
    figures.map((figure) => ({
      error: Number(figure.querySelector('output')?.textContent),
      bound: Number(figure.querySelector('.bound')?.textContent),
    })),
  );
}

/** What each canvas shows, once what was reported is drawn. */
async function pixels(page: Page): Promise<Record<'data' | 'first' | 'second' | 'third' | 'chart', string>> {
  return page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const [data, first, second, third, chart] = [...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL());
    return { data, first, second, third, chart };
  });
}
