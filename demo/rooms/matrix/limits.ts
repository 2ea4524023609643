/** Files that are too large for the memory or the device, told by their size before anything is read. */
import { isAudio, isPicture } from './kinds.js';

/**
 * Bytes of memory while a byte of a file is read and fitted: the file itself, the matrix in 4 bytes an entry, and its copies of the other
 * orientation and of the fit. Text has about 6 characters an entry. What is compressed has about 4 bytes for one.
 */
const text = 1 + (3 * 4) / 6;
const binary = 1 + 3;
const compressed = 1 + 4 * 3;

const mostOnCpu = 2e8;
const giga = 1e9;
/** The most bytes that browsers give a page in one piece. */
const mostInOnePiece = 2 ** 31 - 1;

function formOf(name: string): 'compressed' | 'text' | 'binary' {
  if (/\.(gz|npz|parquet|h5ad|arrow|feather|zip)$/i.test(name)) return 'compressed';
  return /\.(csv|tsv|txt|mtx|json)$/i.test(name) ? 'text' : 'binary';
}

/** Half of the memory that the browser tells of, which is 8 GiB at most; 4 GiB where it does not tell. */
function memory(): number {
  const { deviceMemory = 8 } = navigator as { deviceMemory?: number };
  return (deviceMemory / 2) * 2 ** 30;
}

const size = (bytes: number) => (bytes < giga ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / giga).toPrecision(2)} GB`);

/** Why a file cannot be taken; undefined where it can. `kind` is that of the engine. What the GPU itself refuses is told before a fit begins. */
export function tooLarge({ name, size: bytes }: Pick<File, 'name' | 'size'>, kind: string | undefined): string | undefined {
  const advice = 'Cut it into parts, or use the command line.';
  if (bytes > mostInOnePiece)
    return `${name} has ${size(bytes)}, more than the ${size(mostInOnePiece)} that a browser can read in one piece. ${advice}`;
  if (isPicture(name)) return undefined; // one after the other, scaled down
  const form = formOf(name);
  const needed = bytes * (isAudio(name) ? 24 : { text, binary, compressed }[form]);
  if (needed > memory())
    return `${name} has ${size(bytes)} and would need about ${size(needed)} of memory, more than the ${size(memory())} that this browser can give it. ${advice}`;
  // Without a GPU the reference computes in double precision, one operation at a time.
  if (kind === 'reference' && needed > mostOnCpu)
    return `${name} has ${size(bytes)}, too much for this page without a GPU, which computes matrices of up to about ${size(mostOnCpu / 4)}. ${advice}`;
  return undefined;
}
