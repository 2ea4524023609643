/** Files that are too large for the memory or the device, told by their size, and by the shape in their first bytes, before they are read. */
import type { Device } from '../../work/device.js';
import { isAudio, isModel, isPicture } from './kinds.js';
import { type Shape, shapeIn } from './shape.js';

/**
 * Bytes of memory while a byte of a file is read and fitted: the file itself, the matrix in 4 bytes an entry, and its copies of the other
 * orientation and of the fit. Text has about 6 characters an entry. What is compressed has about 4 bytes for one.
 */
const text = 1 + (3 * 4) / 6;
const binary = 1 + 3;
const compressed = 1 + 4 * 3;
/** Bytes of an entry whose shape is known: the same three copies, and of a stored one its place, too. */
const entry = 3 * 4;
const storedEntry = 3 * 12;

const mostOnCpu = 2e8;
const giga = 1e9;
/** The most bytes that browsers give a page in one piece, and the most characters of one text in every one of them. */
const mostInOnePiece = 2 ** 31 - 1;
const mostInOneText = 2 ** 29 - 24;

function formOf(name: string): 'compressed' | 'text' | 'binary' {
  if (/\.(gz|npz|parquet|h5ad|arrow|feather|zip)$/i.test(name)) return 'compressed';
  return /\.(csv|tsv|txt|mtx|json)$/i.test(name) ? 'text' : 'binary';
}

/** Half of the memory that the browser tells of; 4 GiB where it does not tell. */
function memory(): number {
  const { deviceMemory = 8 } = (globalThis.navigator ?? {}) as { deviceMemory?: number };
  return (deviceMemory / 2) * 2 ** 30;
}

const size = (bytes: number) => (bytes < giga ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / giga).toPrecision(2)} GB`);
const count = (entries: number) => entries.toLocaleString('en');
const advice = 'Cut it into parts, or use the command line.';

/**
 * Why files cannot be taken; undefined where they can. `side` is the longest side that pictures are scaled down to. Without a device, which
 * is told elsewhere, only the memory counts.
 */
export async function tooLarge(files: readonly File[], side: number, device: Device | undefined): Promise<string | undefined> {
  const pictures = files.filter(({ name }) => isPicture(name));
  if (pictures.length > 1 && pictures.length === files.length) return tooManyPictures(pictures.length, side);
  for (const file of files) {
    const refusal = tooLargeAlone(file, await shapeIn(file).catch(() => undefined), device); // reading says what is wrong with it
    if (refusal) return refusal;
  }
  return undefined;
}

function tooManyPictures(pictures: number, side: number): string | undefined {
  const needed = pictures * side * side * entry;
  if (needed <= memory()) return undefined;
  return `${count(pictures)} pictures of up to ${side}×${side} pixels would need about ${size(needed)} of memory, more than the ${size(memory())} that this browser can give them. Give fewer, or a smaller side.`;
}

function tooLargeAlone({ name, size: bytes }: File, shape: Shape | undefined, device: Device | undefined): string | undefined {
  if (bytes > mostInOnePiece)
    return `${name} has ${size(bytes)}, more than the ${size(mostInOnePiece)} that a browser can read in one piece. ${advice}`;
  if (/\.(mtx|json)$/i.test(name) && bytes > mostInOneText)
    return `${name} has ${size(bytes)}, more than the ${size(mostInOneText)} that a browser can hold as one text. ${advice}`;
  if (isPicture(name)) return undefined; // one after the other, scaled down
  if (shape?.stored !== undefined && device?.largestBuffer !== undefined) {
    // X and its transpose, a place and a value an entry, and the starts of all lines: see src/webgpu/layout/csr-layout.ts.
    const onDevice = 16 * shape.stored + 8 * (shape.rows + shape.cols);
    if (onDevice > device.largestBuffer)
      return `${name} has ${count(shape.stored)} stored entries, which take ${size(onDevice)} on the GPU; this one holds ${size(device.largestBuffer)} in one piece. ${advice}`;
  }
  const needed = shape ? bytes + ofShape(shape) : bytes * (isAudio(name) ? 24 : { text, binary, compressed }[formOf(name)]);
  const what = shape ? `${name} has ${size(bytes)}, a matrix of ${count(shape.rows)}×${count(shape.cols)},` : `${name} has ${size(bytes)}`;
  if (needed > memory())
    return `${what} and would need about ${size(needed)} of memory, more than the ${size(memory())} that this browser can give it. ${advice}`;
  // Without a GPU the reference computes in double precision, one operation at a time. A model is not computed.
  if (device?.kind === 'reference' && !isModel(name) && needed > mostOnCpu)
    return `${what}${shape ? '' : ','} too much for this page without a GPU, which computes matrices of up to about ${size(mostOnCpu / 4)}. ${advice}`;
  return undefined;
}

const ofShape = ({ rows, cols, stored }: Shape) => (stored === undefined ? rows * cols * entry : stored * storedEntry + 12 * (rows + cols));
