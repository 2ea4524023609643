/** The pictures of the docs, from the built page. */
import { writeFile } from 'node:fs/promises';
import { decode, encode } from 'fast-png';
import { builtPage, inState, visit } from './built.js';

const [width, height] = [1280, 780];

export async function main(): Promise<number> {
  const built = await builtPage();
  try {
    const { page } = await visit(built, { hash: '#/paper' });
    await inState(page, 'running');
    await inState(page, 'ended');
    const taken = await page.screenshot({ type: 'png', clip: { x: 0, y: 0, width, height } });
    await writeFile(new URL('../../docs/demo.png', import.meta.url), inFewColours(taken));
    return 0;
  } finally {
    await built.close();
  }
}

/** The picture with its 256 commonest colours, each other one as the nearest of them: a third of the size, since it is part of the package. */
function inFewColours(png: Uint8Array): Uint8Array {
  const { data, channels, width, height } = decode(png);
  const pixel = (i: number) => (data[channels * i] << 16) | (data[channels * i + 1] << 8) | data[channels * i + 2];
  const counts = new Map<number, number>();
  for (let i = 0; i < width * height; i++) counts.set(pixel(i), (counts.get(pixel(i)) ?? 0) + 1);
  const rgb = (colour: number) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const palette = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 256)
    .map(([colour]) => rgb(colour));
  const nearest = new Map<number, number>();
  for (const colour of counts.keys()) {
    const distances = palette.map((one) => one.reduce((sum, c, at) => sum + (c - rgb(colour)[at]) ** 2, 0));
    nearest.set(colour, distances.indexOf(Math.min(...distances)));
  }
  const places = Uint8Array.from({ length: width * height }, (_, i) => nearest.get(pixel(i))!);
  return encode({ width, height, data: places, channels: 1, depth: 8, palette }, { zlib: { level: 9 } });
}
