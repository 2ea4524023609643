/** Pictures as columns of brightness, 0 (black) to 1. */
import { InputError, type Matrix, matrix } from 'orthant';
import type { ImageSize } from 'orthant/formats';

export interface Grey {
  name: string;
  bitmap: ImageBitmap;
  /** Its size after it was scaled down. */
  width: number;
  height: number;
}

/** A picture, and the size at which its longest side is `side` at most. */
export async function greyOf(file: File, side: number): Promise<Grey> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch (error) {
    throw new InputError(`${file.name} is a damaged picture, or of a kind that this browser cannot read; save it as PNG or JPEG.`, {
      cause: error,
    });
  }
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const scaled = (length: number) => Math.max(1, Math.round(length * scale));
  return { name: file.name, bitmap, width: scaled(bitmap.width), height: scaled(bitmap.height) };
}

/** The luminance of every pixel at this size, on white where the picture is transparent. */
function brightness({ bitmap }: Grey, width: number, height: number): Float32Array {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  bitmap.close();
  // ITU-R BT.709.
  return Float32Array.from(
    { length: width * height },
    (_, at) => (0.2126 * data[4 * at] + 0.7152 * data[4 * at + 1] + 0.0722 * data[4 * at + 2]) / 255,
  );
}

/** A column for each picture, all of the size of the smallest. */
export function pictureColumns(greys: readonly Grey[]): { X: Matrix; image: ImageSize; notes: string[] } {
  const width = Math.min(...greys.map((grey) => grey.width));
  const height = Math.min(...greys.map((grey) => grey.height));
  const X = matrix(width * height, greys.length);
  const scaled = greys.filter(({ bitmap }) => bitmap.width !== width || bitmap.height !== height).length;
  for (const [j, grey] of greys.entries()) {
    const values = brightness(grey, width, height);
    for (let i = 0; i < values.length; i++) X.data[i * X.cols + j] = values[i];
  }
  const notes = [`Each picture is a sample of ${width}×${height} pixels in grey, 0 (black) to 1.`];
  if (scaled > 0) notes.push(`${scaled === greys.length ? 'All' : scaled} of the ${greys.length} were scaled to that size.`);
  return { X, image: { width, height, channels: 1 }, notes };
}

const mostPatches = 10_000;

/** A column for each patch of p×p pixels, half a patch from one to the next, or farther where they would be too many. */
export function cutPicture(grey: Grey, p: number, name: string): { X: Matrix; image: ImageSize; samples: string[]; note: string } {
  const { width, height } = grey;
  if (!(Number.isInteger(p) && p >= 2)) throw new InputError(`patch must be an integer from 2 on, not ${p}.`, { option: 'patch' });
  if (p > Math.min(width, height))
    throw new InputError(`${name} has ${width}×${height} pixels, which is less than a patch of ${p}×${p}; give a smaller patch.`, {
      option: 'patch',
    });
  const values = brightness(grey, width, height);
  let step = Math.max(1, Math.floor(p / 2));
  const across = (length: number) => Math.floor((length - p) / step) + 1;
  while (across(width) * across(height) > mostPatches) step++;
  const [columns, rows] = [across(width), across(height)];
  const X = matrix(p * p, columns * rows);
  const samples: string[] = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const j = r * columns + c;
      samples.push(`patch at row ${r * step + 1}, column ${c * step + 1}`);
      for (let y = 0; y < p; y++)
        for (let x = 0; x < p; x++) X.data[(y * p + x) * X.cols + j] = values[(r * step + y) * width + c * step + x];
    }
  }
  const note = `The picture of ${width}×${height} pixels is cut into ${columns * rows} patches of ${p}×${p}, ${step} apart.`;
  return { X, image: { width: p, height: p, channels: 1 }, samples, note };
}
