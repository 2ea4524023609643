import { fileURLToPath } from 'node:url';
import { preview } from 'vite';
import { launchChrome, newPage } from '../support/chrome.js';
export async function main([
  width = '1280',
  file = '/tmp/look.png',
  mode = 'light',
  hash = '#/topics?corpus=sotu',
  wait = '60000',
  press = '',
]: string[]): Promise<void> {
  const root = fileURLToPath(new URL('../../demo', import.meta.url));
  const server = await preview({ root, configFile: `${root}/vite.config.ts`, logLevel: 'error', preview: { host: '127.0.0.1', port: 0 } });
  const browser = await launchChrome();
  const page = await newPage(browser);
  page.on('console', (message) => console.log('console:', message.text()));
  page.on('pageerror', (error) => console.log('error:', error instanceof Error ? error.stack : error));
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: mode }]);
  await page.setViewport({ width: Number(width), height: 900 });
  const t0 = Date.now();
  await page.goto(`${server.resolvedUrls!.local[0]}${hash}`);
  if (hash.includes('corpus')) {
    await page.waitForSelector('.topics .facts dd');
    console.log('vocabulary', Date.now() - t0);
    await page.screenshot({ path: file.replace('.png', '-before.png') as `${string}.png`, fullPage: true });
    const t1 = Date.now();
    await page.evaluate(() => [...document.querySelectorAll('button')].find((b) => b.textContent === 'Start')!.click());
    await page
      .waitForFunction(() => ['ended', 'failed'].includes(document.querySelector<HTMLElement>('.topics .fit-panel')!.dataset.state!), {
        timeout: Number(wait),
      })
      .catch((e) => console.log(e.message));
    console.log('fit', Date.now() - t1);
    await new Promise((r) => setTimeout(r, 2500));
  } else await new Promise((r) => setTimeout(r, 1500));
  if (press) {
    await page.evaluate(press);
    await new Promise((r) => setTimeout(r, 3000));
  }
  await page.screenshot({ path: file as `${string}.png`, fullPage: true });
  console.log(
    await page.evaluate(() => document.querySelector('.topics .fit-panel')?.textContent),
    await page.evaluate(() => document.documentElement.scrollWidth),
  );
  await browser.close();
  await server.close();
}
