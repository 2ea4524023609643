/** `npm run bench`: a page in headless Chrome measures, this prints and writes down what it found. */
import { execFileSync } from 'node:child_process';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser } from 'puppeteer';
import { launchChrome } from '../test/support/chrome.js';
import { serveRepository } from '../test/support/serve.js';
import type { Outcome, Request } from './page.js';
import type { Results } from './rows.js';
import { tableText } from './table.js';

const repository = fileURLToPath(new URL('..', import.meta.url));

const usage = `npm run bench -- [--quick] [--profile] [--out FILE]
  --quick     7 repeats instead of 15
  --profile   times every operation of a step instead of comparing; written only with --out
  --out FILE  where the rows go; default bench/results/<device>.json
`;

/** Returns the exit status: 0, 1 for a failure, 2 for a wrong option. */
export async function main(argv: string[]): Promise<number> {
  let options: { quick: boolean; profile: boolean; out?: string; help: boolean };
  try {
    options = parse(argv);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const { quick, profile } = options;
    const { device, software, rows } = await runInChrome({ repeats: quick ? 7 : 15, suites: profile ? ['profile'] : ['neural', 'mu'] });
    const results: Results = { device, commit: commit(), date: new Date().toISOString(), rows };
    process.stdout.write(tableText(results, software));
    const file = options.out ?? (profile ? undefined : path.join(repository, 'bench', 'results', `${slug(device)}.json`));
    if (file !== undefined) {
      await writeWhole(file, `${JSON.stringify(results, null, 2)}\n`);
      process.stdout.write(`\nwritten to ${path.relative(process.cwd(), file)}\n`);
    }
    return rows.every(({ checked, case: name }) => checked || profile || name.endsWith('first run')) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`\nThe benchmark failed: ${messageOf(error)}\n`);
    return 1;
  }
}

function parse(argv: string[]) {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return values;
}

/** Closes the browser and the server whatever happens; on Ctrl-C puppeteer kills the browser and ends this process itself. */
async function runInChrome(request: Request): Promise<Exclude<Outcome, { error: string }>> {
  let browser: Browser | undefined;
  let server: Awaited<ReturnType<typeof serveRepository>> | undefined;
  try {
    server = await serveRepository();
    progress('starting Chrome');
    browser = await launchChrome();
    const outcome = await measureIn(browser, `${server.url}/bench/page.html`, request);
    if ('error' in outcome) throw new Error(outcome.error);
    const processor = outcome.software ? `, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'unknown CPU'}` : '';
    return { ...outcome, device: `${outcome.device}${processor}, ${await browser.version()}` };
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
    await browser?.close();
    await server?.close();
  }
}

async function measureIn(browser: Browser, url: string, request: Request): Promise<Outcome> {
  const page = await browser.newPage();
  const outcome = new Promise<Outcome>((resolve, reject) => {
    page.on('pageerror', (error) => reject(error));
    page.on('error', (error) => reject(new Error(`the page crashed: ${error.message}`)));
    browser.on('disconnected', () => reject(new Error('Chrome ended.')));
    void page.exposeFunction('benchmarkDone', resolve).catch(reject);
  });
  outcome.catch(() => {}); // awaited below; until then a failure must not end the process
  await page.exposeFunction('benchmarkProgress', progress);
  await page.goto(url);
  await Promise.race([outcome, page.waitForFunction(() => 'startBenchmark' in window, { timeout: 30_000 })]);
  await page.evaluate((request) => window.startBenchmark(request), request);
  return outcome;
}

/** One line that overwrites itself on a terminal, lines elsewhere. */
function progress(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', '.', ':!bench/results') === '' ? '' : '-dirty'}`;
  } catch {
    return 'unknown';
  }
}

/** The adapter's own name as a file name: "SwiftShader Device (…)" → "swiftshader-device". */
function slug(device: string): string {
  return (
    device
      .replace(/\(.*/, '')
      .trim()
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'unnamed'
  );
}

/** The file appears complete or not at all. */
async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.partial`, text);
  await rename(`${file}.partial`, file);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
