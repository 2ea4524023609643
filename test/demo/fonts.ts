import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { canRunPackaged, unpackChromium } from '../../src/node/software-adapter.js';

/**
 * Lets the packaged Chromium find the fonts it carries: its own fonts.conf looks for them under /var/task and /opt, and on a system
 * without any other font it crashes at the first text it draws. To be called before `launchChrome`, whose browser inherits the environment.
 */
export async function provideFonts(): Promise<void> {
  if (!canRunPackaged) return;
  const folder = await unpackChromium('browser', {
    'chromium.br': 'chromium',
    'swiftshader.tar.br': '.',
    'al2023.tar.br': 'al2023',
    'fonts.tar.br': 'fonts',
  });
  process.env.FONTCONFIG_FILE = fileURLToPath(new URL('./fonts.conf', import.meta.url));
  process.env.XDG_DATA_HOME = path.join(folder, 'fonts'); // the fonts lie in its folder fonts
}
