/** The pictures of the docs, from the built page. */
import { writeFile } from 'node:fs/promises';
import { builtPage, inState, visit } from './built.js';
import { inFewColours, pixelsOf } from './pictures.js';

const [width, height] = [1280, 780];

export async function main(): Promise<number> {
  const built = await builtPage();
  try {
    const { page } = await visit(built, { hash: '#/paper' });
    await inState(page, 'ended');
    const taken = await page.screenshot({ type: 'png', clip: { x: 0, y: 0, width, height } });
    await writeFile(new URL('../../docs/demo.png', import.meta.url), inFewColours(pixelsOf(taken)));
    return 0;
  } finally {
    await built.close();
  }
}
