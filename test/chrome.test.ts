import { afterAll, describe, test } from 'vitest';
import { inChrome } from './cases/stacks.js';
import { launchChrome, newPage } from './support/chrome.js';
import { serveRepository } from './support/serve.js';

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let started: ReturnType<typeof start> | undefined;

/** What was opened, to be closed even if starting failed half way. */
const opened: (() => Promise<void>)[] = [];

/** Passes on what was opened, and remembers how to close it. */
const closing =
  <T>(close: (it: T) => Promise<void>) =>
  (it: T) => {
    opened.push(() => close(it));
    return it;
  };

async function start() {
  const [server, browser] = await Promise.all([
    serveRepository().then(closing((server) => server.close())),
    launchChrome().then(closing((browser) => browser.close())),
  ]);
  const page = await newPage(browser);
  const errors: string[] = [];
  const broken = new Promise<never>((_, reject) => {
    const complain = (text: string) => {
      errors.push(text);
      reject(new Error(`The test page did not start: ${text}`));
    };
    page.on('pageerror', (error) => complain(String(error)));
    page.on('console', (message) => message.type() === 'error' && complain(`${message.text()} (${message.location().url})`));
    page.on('error', (error) => complain(`the page crashed: ${error.message}`));
  });
  const ready = page.goto(`${server.url}/test/browser/index.html`).then(() => page.waitForFunction(() => 'orthantCases' in window));
  await Promise.race([ready, broken]);
  return { page, errors };
}

afterAll(async () => {
  await started?.catch(() => undefined);
  await Promise.allSettled(opened.map((close) => close()));
});

for (const [suite, cases] of Object.entries(inChrome())) {
  describe(`${suite} (Chrome)`, () => {
    for (const { name } of cases) {
      test(name, async () => {
        started ??= start();
        const { page, errors } = await started;
        const result = await page.evaluate((suite, name) => window.orthantCases.run(suite, name), suite, name);
        if (!result.ok) throw new Error(result.error);
        const seen = errors.splice(0);
        if (seen.length > 0) throw new Error(`The page reported errors: ${seen.join('\n')}`);
      });
    }
  });
}
