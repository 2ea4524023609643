/**
 * `node scripts/look.mjs '#/paper' 8000`: opens the built page, waits, prints its state, and takes a picture.
 *
 * After the file: `dark` for dark colours, and selectors to click, each with a wait of its own.
 */
import { fileURLToPath } from 'node:url';
import { preview } from 'vite';
import { launchChrome, newPage } from '../support/chrome.js';

export async function main([hash = '', wait = '8000', width = '1280', file = '/tmp/look.png', ...more]: string[]): Promise<void> {
  const root = fileURLToPath(new URL('../../demo', import.meta.url));
  const server = await preview({ root, configFile: `${root}/vite.config.ts`, logLevel: 'error', preview: { host: '127.0.0.1', port: 0 } });
  const browser = await launchChrome();
  const page = await newPage(browser);
  page.on('console', (message) => console.log('console:', message.text()));
  page.on('pageerror', (error) => console.log('error:', error instanceof Error ? error.stack : error));
  await page.setViewport({ width: Number(width), height: 900 });
  if (more.includes('dark')) await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await page.goto(`${server.resolvedUrls!.local[0]}${hash}`);
  page.on('requestfailed', (r) => console.log('failed', r.url()));
  page.on('workercreated', (w) => console.log('worker', w.url()));
  await new Promise((resolve) => setTimeout(resolve, Number(wait)));
  for (const selector of more.filter((word) => word !== 'dark')) {
    await page.evaluate((wanted) => document.querySelector<HTMLElement>(wanted)?.click(), selector);
    await new Promise((resolve) => setTimeout(resolve, Number(wait)));
  }
  await page.screenshot({ path: file as `${string}.png`, fullPage: true });
  console.log(await page.evaluate(() => document.querySelector('.fit-panel')?.textContent));
  await browser.close();
  await server.close();
}
