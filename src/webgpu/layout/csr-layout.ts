/**
 * Device form of a CSR tensor: one buffer of pairs of u32 that holds X and Xᵀ, so that both products are gathers and no kernel needs
 * atomics. Xᵀ is prepared once, when X is written. Each of the two has, in this order,
 *
 *     lines + 1 pairs    (first entry, first tail) of every row, and their ends
 *     entries            (column, bits of the value)
 *     tails              (first entry, row): a row longer than a segment goes on in tails of a segment each
 *
 * The number of tails depends on the data, which a program does not know. There is room for the most there can be. Tails that are
 * not used are empty.
 */
import { type SparseMatrix, sparseTranspose } from '../../data/sparse.js';
import type { Tensor } from '../../graph/tensor.js';

/**
 * Entries that one invocation adds up. Long rows (the common terms of a corpus) cost n / segment + segment steps in a row.
 * A shorter segment would spread them further, but have more tails to add up: at 64 that is one in 64 entries.
 */
export const segment = 64;

/** Where a side of the device form (X or Xᵀ) starts, in pairs. */
export interface Side {
  lines: number;
  linesAt: number;
  entriesAt: number;
  tailsAt: number;
  /** Room for tails: none where no line can be longer than a segment. */
  tails: number;
  end: number;
}

export function csrSides({ rows, cols, entries }: Pick<Tensor, 'rows' | 'cols' | 'entries'>): { plain: Side; transposed: Side } {
  const plain = sideAt(0, rows, cols, entries);
  return { plain, transposed: sideAt(plain.end, cols, rows, entries) };
}

function sideAt(linesAt: number, lines: number, length: number, entries: number): Side {
  // A line of n entries has ⌈n / segment⌉ − 1 ≤ n / segment tails, and none up to a segment.
  const tails = length <= segment ? 0 : Math.floor(entries / segment);
  const entriesAt = linesAt + lines + 1;
  const tailsAt = entriesAt + entries;
  return { lines, linesAt, entriesAt, tailsAt, tails, end: tailsAt + tails };
}

export function csrByteLength(tensor: Pick<Tensor, 'rows' | 'cols' | 'entries'>): number {
  return 8 * csrSides(tensor).transposed.end;
}

export function packCsr(X: SparseMatrix): Uint32Array<ArrayBuffer> {
  const shape = { rows: X.rows, cols: X.cols, entries: X.values.length };
  const { plain, transposed } = csrSides(shape);
  const packed = new Uint32Array(csrByteLength(shape) / 4);
  packSide(packed, plain, X);
  packSide(packed, transposed, sparseTranspose(X));
  return packed;
}

function packSide(
  packed: Uint32Array,
  { lines, linesAt, entriesAt, tailsAt, tails }: Side,
  { rowStarts, columns, values }: SparseMatrix,
): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let e = 0; e < columns.length; e++) {
    packed[2 * (entriesAt + e)] = columns[e];
    packed[2 * (entriesAt + e) + 1] = bits[e];
  }
  let tail = 0;
  for (let line = 0; line < lines; line++) {
    packed[2 * (linesAt + line)] = rowStarts[line];
    packed[2 * (linesAt + line) + 1] = tail;
    for (let first = rowStarts[line] + segment; first < rowStarts[line + 1]; first += segment, tail++) {
      packed[2 * (tailsAt + tail)] = first;
      packed[2 * (tailsAt + tail) + 1] = line;
    }
  }
  packed[2 * (linesAt + lines)] = rowStarts[lines];
  packed[2 * (linesAt + lines) + 1] = tail;
  // Empty ones start where the last line ends.
  for (; tail < tails; tail++) {
    packed[2 * (tailsAt + tail)] = rowStarts[lines];
    packed[2 * (tailsAt + tail) + 1] = lines - 1;
  }
}
