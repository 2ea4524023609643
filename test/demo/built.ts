/** The page as it is built, once for each run of a test file, and pages of it with everything that they complain about. */
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer';
import { build, type PreviewServer, preview } from 'vite';
import { launchChrome, newPage } from '../support/chrome.js';

const root = fileURLToPath(new URL('../../demo', import.meta.url));

export interface Built {
  /** Of the start, with a slash at its end. */
  url: string;
  /** A new page, in a context of its own: nothing is kept from one to the next. */
  open(hash?: string, size?: { width: number; height: number }): Promise<Opened>;
  close(): Promise<void>;
}

export interface Opened {
  page: Page;
  /** Messages of the console, errors, and requests to other hosts. */
  complaints: string[];
}

/** `name` keeps the files of test files apart that run side by side. */
export async function builtPage(name: string): Promise<Built> {
  const outDir = fileURLToPath(new URL(`../../.cache/demo-${name}`, import.meta.url));
  const shared = { root, configFile: `${root}/vite.config.ts`, logLevel: 'error' } as const;
  await build({ ...shared, build: { outDir, emptyOutDir: true } });
  const server: PreviewServer = await preview({ ...shared, build: { outDir }, preview: { host: '127.0.0.1', port: 0 } });
  const [url] = server.resolvedUrls!.local;
  const browser: Browser = await launchChrome();
  return {
    url,
    async open(hash = '', size = { width: 1280, height: 900 }) {
      const page = await newPage(browser);
      await page.setViewport(size);
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('error', (error) => complaints.push(`the page crashed: ${error.message}`));
      page.on('console', (message) => complaints.push(message.text()));
      page.on('request', (request) => {
        if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) complaints.push(`a request to ${request.url()}`);
      });
      await page.goto(`${url}${hash}`);
      return { page, complaints };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
