/** The package in pages: bundled, by an import map, in a worker, as one file. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, HTTPRequest } from 'puppeteer';
import { build } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { launchChrome } from '../support/chrome.js';
import { type Package, pack, serve, snippet } from './fixture.js';

const fit = `
  const engine = await createEngine();
  const { relativeError } = await nmf(engine, tableOne().X, { ranks: 9, maxIterations: 20 });
  engine.dispose();`;
const app = (from: string) => `import { createEngine, nmf, tableOne } from '${from}';${fit}`;
const html = (head: string) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body></body>${head}`;
const module = (code: string) => `<script type="module">${code}</script>`;
const importMap = `<script type="importmap">{ "imports": { "orthant": "/node_modules/orthant/dist/index.js" } }</script>`;
const report = '\n window.done = relativeError;';

let started: ReturnType<typeof start> | undefined;
const closing: (() => unknown)[] = [];
afterAll(async () => {
  await started?.catch(() => undefined);
  for (const close of closing.reverse()) await close();
});

async function start() {
  const packed: Package = await pack();
  closing.push(() => packed.remove());
  const folder = await packed.project([], {
    'vite.html': html('<script type="module" src="/vite.js"></script>'),
    'vite.js': app('orthant') + report,
    'map.html': html(importMap + module(app('orthant') + report)),
    'bundle.html': html(module(app('/node_modules/orthant/dist/orthant.min.js') + report)),
    'worker.html': html(module(`new Worker('/worker.js', { type: 'module' }).onmessage = ({ data }) => { window.done = data; };`)),
    'worker.js': `${app('/node_modules/orthant/dist/index.js')}\npostMessage(relativeError);`,
    'printed.html': html(`${importMap}${module(`${await snippet('In a browser', 'js')}\n window.done = model.relativeError;`)}`),
    'page.html': html(await snippet('In a browser', 'html')),
  });
  await build({
    configFile: false,
    root: folder,
    base: './',
    logLevel: 'error',
    build: { outDir: 'built', rollupOptions: { input: path.join(folder, 'vite.html') } },
  });
  const server = await serve(folder);
  closing.push(() => server.close());
  const browser: Browser = await launchChrome();
  closing.push(() => browser.close());
  return { folder, server, browser };
}

/**
 * Opens a page and returns `wanted` of it as soon as that is there; what the page reports as an error is one. Requests of workers do not
 * come through when a page's are intercepted.
 */
async function open(file: string, { wanted = 'window.done', intercepted = false } = {}): Promise<{ value: unknown; requests: string[] }> {
  started ??= start();
  const { folder, server, browser } = await started;
  server.requests.length = 0;
  const page = await browser.newPage();
  try {
    const failed = new Promise<never>((_, reject) => {
      page.on('pageerror', (error) => reject(error));
      page.on('requestfailed', (request) => reject(new Error(`${request.url()}: ${request.failure()?.errorText}`)));
    });
    failed.catch(() => {});
    if (intercepted) {
      await page.setRequestInterception(true);
      page.on('request', (request) => void answer(request, folder));
    }
    await page.goto(`${server.url}/${file}`);
    const handle = await Promise.race([page.waitForFunction(wanted), failed]);
    return { value: await handle.jsonValue(), requests: [...server.requests] };
  } finally {
    await page.close();
  }
}

/** Stands for the network: published files come from the package. */
async function answer(request: HTTPRequest, folder: string): Promise<void> {
  const published = /^https:\/\/cdn\.jsdelivr\.net\/npm\/orthant@[\d.]+\/(.*)$/.exec(request.url())?.[1];
  if (published === undefined) return request.continue();
  const body = await readFile(path.join(folder, 'node_modules/orthant', published));
  await request.respond({ contentType: 'text/javascript', headers: { 'access-control-allow-origin': '*' }, body });
}

const plausible = (value: unknown) => {
  expect(value).toBeGreaterThan(0.01); // X is of rank 9 but for its noise
  expect(value).toBeLessThan(0.5);
};

test.each([
  ['an app that Vite built', 'built/vite.html'],
  ['a page with an import map', 'map.html'],
  ['a module worker', 'worker.html'],
  ["the README's first snippet as printed", 'printed.html'],
])('%s', async (_, file) => {
  plausible((await open(file)).value);
});

test('the bundle is one request', async () => {
  const { value, requests } = await open('bundle.html');
  plausible(value);
  expect(requests).toEqual(['/bundle.html', '/node_modules/orthant/dist/orthant.min.js']);
});

test("the README's page without a bundler as printed", async () => {
  const { value } = await open('page.html', {
    wanted: 'document.body.textContent.match(/relative error (\\d\\S*)/)?.[1]',
    intercepted: true,
  });
  plausible(Number(value));
});
