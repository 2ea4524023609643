import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { canRunPackaged, unpackChromium } from '../../src/node/software-adapter.js';

/** A browser on this machine and what it takes to have WebGPU in it. */
interface Found {
  executablePath: string;
  headless: true | 'shell';
  args: string[];
  env?: Record<string, string | undefined>;
}

const installed = [
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/opt/google/chrome/chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Tests run without a network and must not wait for one. */
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-default-browser-check',
  '--no-first-run',
  '--no-pings',
];

/**
 * Starts a headless Chrome that has WebGPU: the one at `ORTHANT_CHROME`, else an installed one, else the one that
 * `@sparticuz/chromium` carries. Throws where there is none, for a test that cannot run has failed.
 */
export async function launchChrome(): Promise<Browser> {
  const { args, env, ...found } = await findChrome();
  // The sandbox needs rights that containers do not give; the pages opened here are our own.
  return puppeteer.launch({
    ...found,
    // The test has a limit; on a busy machine a second one in here would only be in the way.
    timeout: 0,
    protocolTimeout: 0,
    args: ['--no-sandbox', '--enable-unsafe-webgpu', ...quiet, ...args],
    env: { ...process.env, ...env },
  });
}

/** A page that waits two minutes for what it is to show, and then says for which of it: far enough on a busy machine. */
export async function newPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  return page;
}

async function findChrome(): Promise<Found> {
  const chosen = process.env.ORTHANT_CHROME;
  if (chosen) {
    if (!existsSync(chosen))
      throw new Error(`ORTHANT_CHROME names ${chosen}, which does not exist. Give the path of a Chrome or Chromium.`);
    return system(chosen);
  }
  const executable = installed.find((file) => existsSync(file));
  if (executable) return system(executable);
  if (canRunPackaged) return packaged();
  throw new Error('No Chrome or Chromium was found. Install one, or set ORTHANT_CHROME to the path of its executable.');
}

/** An ordinary Chrome finds an adapter by itself, SwiftShader included; with `--use-webgpu-adapter=swiftshader` it finds none. */
function system(executablePath: string): Found {
  return /headless[-_]shell/.test(executablePath)
    ? { executablePath, headless: 'shell', args: ['--use-webgpu-adapter=swiftshader'] }
    : { executablePath, headless: true, args: [] };
}

/** The packaged one is a headless shell. It brings its own NSS libraries, which minimal systems lack, and fonts. */
async function packaged(): Promise<Found> {
  const folder = await unpackChromium('browser', {
    'chromium.br': 'chromium',
    'swiftshader.tar.br': '.',
    'al2023.tar.br': 'al2023',
    'fonts.tar.br': 'fonts',
  });
  const libraries = [folder, path.join(folder, 'al2023', 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    executablePath: path.join(folder, 'chromium'),
    headless: 'shell',
    args: ['--use-webgpu-adapter=swiftshader'],
    // Its own fonts.conf looks under /var/task and /opt; on a system without fonts it would crash at the first text it draws. Ours looks
    // in the folder fonts below XDG_DATA_HOME.
    env: {
      LD_LIBRARY_PATH: libraries,
      FONTCONFIG_FILE: fileURLToPath(new URL('./fonts.conf', import.meta.url)),
      XDG_DATA_HOME: path.join(folder, 'fonts'),
    },
  };
}
