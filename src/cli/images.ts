/** Data that are images. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageSize } from '../formats/file-format.js';
import { decodePng, images } from '../formats/png.js';
import { kindAt, readBytes } from '../node/files.js';

/** The size of the images in a folder of them, by its first; undefined for any other path. */
export async function imageSizeIn(path: string): Promise<ImageSize | undefined> {
  if ((await kindAt(path)) !== 'a directory') return undefined;
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
  const first = names.find((name) => images.fits([name]));
  if (first === undefined || names.some((name) => /^matrix\.mtx/.test(name))) return undefined;
  const { values: _, ...size } = await decodePng(await readBytes(join(path, first)), join(path, first));
  return size;
}
