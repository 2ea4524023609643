/** The pictures of the docs, from the built page. */
import { fileURLToPath } from 'node:url';
import { builtPage, inState, visit } from './built.js';

export async function main(): Promise<number> {
  const built = await builtPage();
  try {
    const { page } = await visit(built, { hash: '#/paper' });
    await inState(page, 'running');
    await inState(page, 'ended');
    await page.screenshot({
      path: fileURLToPath(new URL('../../docs/demo.png', import.meta.url)) as `${string}.png`,
      clip: { x: 0, y: 0, width: 1280, height: 900 },
    });
    return 0;
  } finally {
    await built.close();
  }
}
