/** PNG images as columns of numbers, and back, by the package fast-png. */
import { type Matrix, matrix } from '../data/matrix.js';
import { messageOf } from '../data/realm.js';
import { InputError } from '../errors.js';
import type { ImageSize } from './file-format.js';
import type { FolderFormat } from './folder-format.js';
import { unpackLimit } from './unpack.js';

export interface Image extends ImageSize {
  /** From 0 (black) to 1. */
  values: Float32Array;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The image in a .png, grey or in colour, of 1 to 16 bits. Transparency is refused where it hides something. */
export async function decodePng(bytes: Uint8Array, source: string): Promise<Image> {
  if (bytes.length < 33 || signature.some((byte, i) => bytes[i] !== byte))
    throw new InputError(`${source} is no PNG image; save it as one.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  // Eight bytes at most a pixel: what would unpack to more than a file of this size can is a bomb, or damaged.
  if (8 * width * height > unpackLimit(bytes.length))
    throw new InputError(`${source} has ${bytes.length} bytes and says that it is ${width}×${height} pixels; make it smaller.`);
  const { decode } = await import('fast-png');
  try {
    return imageOf(decode(bytes, { checkCrc: true }), source);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${source} is a damaged PNG image: ${messageOf(error)}.`, { cause: error });
  }
}

/** As far as it is used here, what fast-png gives. */
interface Decoded {
  width: number;
  height: number;
  depth: number;
  channels: number;
  data: ArrayLike<number>;
  palette?: readonly (readonly number[])[];
  transparency?: ArrayLike<number>;
}

function imageOf({ width, height, depth, channels: given, data, palette, transparency }: Decoded, source: string): Image {
  const pixels = width * height;
  const most = palette ? 255 : 2 ** depth - 1;
  const perByte = depth < 8 ? 8 / depth : 1;
  const rowBytes = depth < 8 ? Math.ceil((width * given) / perByte) : width * given;
  /** Channel c of pixel p, in the units of the file. */
  const valueAt = (p: number, c: number): number => {
    const at = (p % width) * given + c;
    const row = Math.floor(p / width);
    if (depth >= 8) return data[row * rowBytes + at];
    // Fewer bits: the first pixel is in the highest ones.
    const byte = data[row * rowBytes + Math.floor(at / perByte)];
    return (byte >> (8 - depth - depth * (at % perByte))) & (2 ** depth - 1);
  };
  const alpha = palette ? undefined : given === 2 ? 1 : given === 4 ? 3 : undefined;
  if (transparency && transparency.length > 0 && Array.from(transparency).some((one) => one !== most)) throw transparent(source);
  if (alpha !== undefined) for (let p = 0; p < pixels; p++) if (valueAt(p, alpha) !== most) throw transparent(source);
  const channels = palette || given >= 3 ? 3 : 1;
  const values = new Float32Array(pixels * channels);
  for (let p = 0; p < pixels; p++) {
    const colour = palette?.[valueAt(p, 0)];
    if (palette && !colour) throw new InputError(`${source} is a damaged PNG image: a pixel has no colour of its palette.`);
    for (let c = 0; c < channels; c++) values[p * channels + c] = (colour ? colour[c] : valueAt(p, c)) / most;
  }
  return { width, height, channels, values };
}

function transparent(source: string): InputError {
  return new InputError(`${source} is transparent in places, which have no brightness; put it on a background first.`);
}

/**
 * The image of a column of numbers: 0 is black and `white`, by default the largest, white. Numbers beyond are clipped.
 * 8 bits a channel, so a number keeps its 255 steps and no more.
 */
export async function encodePng(values: ArrayLike<number>, size: ImageSize, white = largestOf(values)): Promise<Uint8Array> {
  const { encode } = await import('fast-png');
  const data = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, white > 0 ? value / white : 0))));
  return encode({ ...size, data, depth: 8 });
}

function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) if (values[i] > largest) largest = values[i];
  return largest;
}

/** A folder of images of one size: pixels × images, named by the files. */
export const images: FolderFormat = {
  name: 'images',
  summary: '.png files of one size; each is a sample, its pixels from 0 (black) to 1 are the features',
  fits: (names) => names.some((name) => /\.png$/i.test(name)),
  async read(names, readFile, source) {
    const files = names.filter((name) => /\.png$/i.test(name));
    let size: ImageSize | undefined;
    let X: Matrix | undefined;
    for (const [j, name] of files.entries()) {
      const { values, ...own } = await decodePng(await readFile(name), `${source}/${name}`);
      size ??= own;
      X ??= matrix(values.length, files.length);
      if (own.width !== size.width || own.height !== size.height || own.channels !== size.channels)
        throw new InputError(
          `${source}/${name} is ${inWords(own)}, but ${files[0]} is ${inWords(size)}; all images of a matrix have one size and kind.`,
        );
      for (let i = 0; i < values.length; i++) X.data[i * X.cols + j] = values[i];
    }
    return {
      X: X!,
      rowNames: pixelNames(size!),
      columnNames: files.map((name) => name.slice(0, -4)),
      samples: 'columns',
      image: size!,
    };
  },
};

const inWords = ({ width, height, channels }: ImageSize) => `${width}×${height} in ${channels === 1 ? 'grey' : 'colour'}`;

/** "row 3, column 5", in colour "row 3, column 5, red", counted from 1. */
function pixelNames({ width, height, channels }: ImageSize): string[] {
  const colours = channels === 1 ? [''] : [', red', ', green', ', blue'];
  return Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return `row ${Math.floor(pixel / width) + 1}, column ${(pixel % width) + 1}${colours[i % channels]}`;
  });
}

/** The images of the columns of A (pixels × k), each as bright as its largest number allows, side by side on one sheet. */
export async function contactSheet(A: Matrix, size: ImageSize): Promise<Uint8Array> {
  const { width, height, channels } = size;
  const across = Math.ceil(Math.sqrt(A.cols));
  const down = Math.ceil(A.cols / across);
  const sheet = { width: across * (width + 1) - 1, height: down * (height + 1) - 1, channels };
  // The gaps between them are of the middle.
  const values = new Float32Array(sheet.width * sheet.height * channels).fill(0.5);
  for (let j = 0; j < A.cols; j++) {
    const column = columnOf(A, j);
    const white = largestOf(column) || 1;
    const [left, top] = [(j % across) * (width + 1), Math.floor(j / across) * (height + 1)];
    for (let i = 0; i < column.length; i++) {
      const pixel = Math.floor(i / channels);
      const [x, y] = [left + (pixel % width), top + Math.floor(pixel / width)];
      values[(y * sheet.width + x) * channels + (i % channels)] = column[i] / white;
    }
  }
  return encodePng(values, sheet, 1);
}

/** Column j of A. */
export function columnOf({ rows, cols, data }: Matrix, j: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, i) => data[i * cols + j]);
}
