/**
 * Device form of a tensor of N modes in coordinates: one buffer of u32 that holds the entries once, and for every mode the order of the
 * entries by their index in it. So the products of every mode are gathers and no kernel needs atomics. Line i of a mode is the entries
 * with index i there. In this order:
 *
 *     entries                  N coordinates and the bits of the value
 *     then of every mode:
 *     lines + 1 pairs          (first place, first tail) of every line, and their ends
 *     places                   the number of an entry, line after line
 *     tails                    (first place, line): a line longer than a segment goes on in tails of a segment each
 *
 * The number of tails depends on the data, which a program does not know. There is room for the most there can be. Tails that are
 * not used are empty.
 */
import type { SparseTensor } from '../../data/tensors.js';
import type { Tensor } from '../../graph/tensor.js';

/** Where the lines of a mode start, in words. */
export interface Mode {
  lines: number;
  linesAt: number;
  placesAt: number;
  tailsAt: number;
  /** Room for tails: none where no line can be longer than a segment. */
  tails: number;
  /** Entries that one invocation adds up. */
  segment: number;
  end: number;
}

/**
 * A line of n entries takes segment + n / segment steps one after another, the least where the segment is √n. Lines of a mode have
 * entries / size in the mean, thousands where the mode is short. Below 64 there would be more tails than they are worth: see csr-layout.ts.
 */
export function segmentOf(entries: number, size: number): number {
  return Math.max(64, Math.ceil(Math.sqrt(entries / size)));
}

type Coo = Pick<Tensor, 'shape' | 'entries'>;

export function cooModes({ shape, entries }: Coo): Mode[] {
  const modes: Mode[] = [];
  const places = shape!.reduce((product, size) => product * size, 1);
  let linesAt = entries * (shape!.length + 1);
  for (const lines of shape!) {
    const segment = segmentOf(entries, lines);
    // A line of n entries has ⌈n / segment⌉ − 1 ≤ n / segment tails, and none up to a segment.
    const tails = places / lines <= segment ? 0 : Math.floor(entries / segment);
    const placesAt = linesAt + 2 * (lines + 1);
    const tailsAt = placesAt + entries;
    modes.push({ lines, linesAt, placesAt, tailsAt, tails, segment, end: tailsAt + 2 * tails });
    linesAt = tailsAt + 2 * tails;
  }
  return modes;
}

export function cooByteLength(tensor: Coo): number {
  return 4 * cooModes(tensor)[tensor.shape!.length - 1].end;
}

export function packCoo({ shape, coordinates, values }: SparseTensor): Uint32Array<ArrayBuffer> {
  const [order, entries] = [shape.length, values.length];
  const packed = new Uint32Array(cooByteLength({ shape, entries }) / 4);
  const bits = new Uint32Array(values.buffer, values.byteOffset, entries);
  bits.forEach((value, e) => {
    for (let n = 0; n < order; n++) packed[(order + 1) * e + n] = coordinates[order * e + n];
    packed[(order + 1) * e + order] = value;
  });
  cooModes({ shape, entries }).forEach((mode, n) => {
    packMode(packed, mode, (e) => coordinates[order * e + n], entries);
  });
  return packed;
}

function packMode(
  packed: Uint32Array,
  { lines, linesAt, placesAt, tailsAt, tails, segment }: Mode,
  lineOf: (entry: number) => number,
  entries: number,
): void {
  const starts = new Uint32Array(lines + 1);
  for (let e = 0; e < entries; e++) starts[lineOf(e) + 1]++;
  for (let line = 0; line < lines; line++) starts[line + 1] += starts[line];
  const next = starts.slice();
  for (let e = 0; e < entries; e++) packed[placesAt + next[lineOf(e)]++] = e;
  let tail = 0;
  for (let line = 0; line < lines; line++) {
    packed[linesAt + 2 * line] = starts[line];
    packed[linesAt + 2 * line + 1] = tail;
    for (let first = starts[line] + segment; first < starts[line + 1]; first += segment, tail++) {
      packed[tailsAt + 2 * tail] = first;
      packed[tailsAt + 2 * tail + 1] = line;
    }
  }
  packed[linesAt + 2 * lines] = entries;
  packed[linesAt + 2 * lines + 1] = tail;
  // Empty ones start where the last line ends.
  for (; tail < tails; tail++) {
    packed[tailsAt + 2 * tail] = entries;
    packed[tailsAt + 2 * tail + 1] = lines - 1;
  }
}
