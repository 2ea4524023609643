/** Screenshots as pixels: made smaller, and written in few colours. */
import { decode, encode } from 'fast-png';

export interface Pixels {
  width: number;
  height: number;
  /** Red, green, blue and opacity of each pixel. */
  data: Uint8ClampedArray;
}

export function pixelsOf(png: Uint8Array): Pixels {
  const { data, channels, width, height, palette } = decode(png);
  const out = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    const pixel = palette ? palette[data[i]] : data.subarray(channels * i, channels * i + 3);
    for (let c = 0; c < 3; c++) out[4 * i + c] = pixel[c];
  }
  return { width, height, data: out };
}

/** Each pixel the mean of factor × factor of them. What is left over at the right and below is cut off. */
export function smaller({ width, height, data }: Pixels, factor: number): Pixels {
  const [wide, tall] = [Math.floor(width / factor), Math.floor(height / factor)];
  const out = new Uint8ClampedArray(4 * wide * tall).fill(255);
  for (let y = 0; y < tall; y++) {
    for (let x = 0; x < wide; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let i = 0; i < factor; i++) for (let j = 0; j < factor; j++) sum += data[4 * ((y * factor + i) * width + x * factor + j) + c];
        out[4 * (y * wide + x) + c] = sum / factor ** 2;
      }
    }
  }
  return { width: wide, height: tall, data: out };
}

/** The picture as PNG with its commonest colours, each other one as the nearest of them: a third of the size of one with all. */
export function inFewColours({ width, height, data }: Pixels, most = 256): Uint8Array {
  const pixel = (i: number) => (data[4 * i] << 16) | (data[4 * i + 1] << 8) | data[4 * i + 2];
  const counts = new Map<number, number>();
  for (let i = 0; i < width * height; i++) counts.set(pixel(i), (counts.get(pixel(i)) ?? 0) + 1);
  const rgb = (colour: number) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const palette = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([colour]) => rgb(colour));
  const nearest = new Map<number, number>();
  for (const colour of counts.keys()) {
    const distances = palette.map((one) => one.reduce((sum, c, at) => sum + (c - rgb(colour)[at]) ** 2, 0));
    nearest.set(colour, distances.indexOf(Math.min(...distances)));
  }
  const places = Uint8Array.from({ length: width * height }, (_, i) => nearest.get(pixel(i))!);
  return encode({ width, height, data: places, channels: 1, depth: 8, palette }, { zlib: { level: 9 } });
}
