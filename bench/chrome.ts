/** Runs the benchmark's page in headless Chrome. */
import type { Browser } from 'puppeteer';
import { launchChrome, newPage } from '../test/support/chrome.js';
import type { Voices } from './node.js';
import type { Outcome, Request } from './page.js';
import { serveBenchmark } from './serve.js';

/** Closes the browser and the server whatever happens; on Ctrl-C puppeteer kills the browser and ends this process itself. */
export async function measureInChrome(request: Request, voices: Voices): Promise<Outcome & { browser: string }> {
  let browser: Browser | undefined;
  let server: Awaited<ReturnType<typeof serveBenchmark>> | undefined;
  try {
    server = await serveBenchmark(request.against ? [request.against.folder] : []);
    voices.progress('starting Chrome');
    browser = await launchChrome();
    const outcome = await measureIn(browser, `${server.url}/bench/page.html`, request, voices);
    if ('error' in outcome) throw new Error(outcome.error);
    return { ...outcome, browser: await browser.version() };
  } finally {
    await browser?.close();
    await server?.close();
  }
}

type Answer = Outcome | { error: string };

async function measureIn(browser: Browser, url: string, request: Request, voices: Voices): Promise<Answer> {
  const page = await newPage(browser);
  const outcome = new Promise<Answer>((resolve, reject) => {
    page.on('pageerror', (error) => reject(error));
    page.on('error', (error) => reject(new Error(`the page crashed: ${error.message}`)));
    browser.on('disconnected', () => reject(new Error('Chrome ended.')));
    void page.exposeFunction('benchmarkDone', resolve).catch(reject);
  });
  outcome.catch(() => {}); // awaited below; until then a failure must not end the process
  await page.exposeFunction('benchmarkProgress', voices.progress);
  await page.exposeFunction('benchmarkWarn', voices.warn);
  await page.goto(url);
  await Promise.race([outcome, page.waitForFunction(() => 'startBenchmark' in window)]);
  await page.evaluate((request) => window.startBenchmark(request), request);
  return outcome;
}
