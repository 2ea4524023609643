/** The entries of a matrix of which nobody knows yet how many rows it gets: blocks, which are joined once, in the order that is wanted. */
import type { Matrix } from '../data/matrix.js';

/** Entries of a block: large enough that its own cost does not count, small enough that the last one is no waste. */
const blockEntries = 2 ** 18;

/** Rows and columns that are turned at a time, so that both sides stay in the cache. */
const tile = 64;

export interface Block {
  data: Float32Array;
  /** 1 where a cell has no value; made for the first such cell. */
  missing?: Uint8Array;
}

export interface Blocks {
  /** All of them, also those that were taken. */
  readonly rows: number;
  /** Those that were taken. */
  readonly taken: number;
  readonly missingCells: number;
  /** Room for one more row, from `base` of the block on; the same again until `keep`. */
  next(): { block: Block; base: number };
  /** The row of `next` is complete. */
  keep(): void;
  /** A cell of the row of `next` has no value; `at` is its place in the block. */
  markMissing(at: number): void;
  /** The rows of all blocks but the last as a matrix, which are gone after that; undefined where there is one block. */
  take(transposed: boolean): { X: Matrix; missing?: Uint8Array } | undefined;
  /** The matrix of what was not taken, transposed if that is asked for, and its cells without a value. The blocks are gone after that. */
  join(transposed: boolean): { X: Matrix; missing?: Uint8Array };
}

export function createBlocks(cols: number): Blocks {
  const most = Math.max(1, Math.floor(blockEntries / cols));
  // Small tables get small blocks.
  let size = Math.min(most, Math.max(1, Math.ceil(1024 / cols)));
  let blocks: Block[] = [];
  let filled = 0;
  let before = 0;
  let taken = 0;
  let missingCells = 0;
  /** Cells without a value in the row that is not kept yet. */
  let pending = 0;
  const last = () => blocks[blocks.length - 1];
  return {
    get rows() {
      return before + filled;
    },
    get taken() {
      return taken;
    },
    get missingCells() {
      return missingCells;
    },
    next() {
      if (blocks.length === 0 || filled === size) {
        if (blocks.length > 0) {
          before += filled;
          size = Math.min(most, 2 * size);
        }
        filled = 0;
        blocks.push({ data: new Float32Array(size * cols) });
      }
      const [block, base] = [last(), filled * cols];
      if (pending > 0) block.missing?.fill(0, base, base + cols);
      pending = 0;
      return { block, base };
    },
    keep() {
      filled++;
      missingCells += pending;
      pending = 0;
    },
    markMissing(at) {
      const block = last();
      block.missing ??= new Uint8Array(block.data.length);
      block.missing[at] = 1;
      pending++;
    },
    take(transposed) {
      if (blocks.length < 2) return undefined;
      const full = blocks.slice(0, -1);
      blocks = blocks.slice(-1);
      const rows = full.reduce((sum, { data }) => sum + data.length / cols, 0);
      taken += rows;
      return joined(full, rows, cols, transposed);
    },
    join(transposed) {
      const given = blocks;
      blocks = [];
      return joined(given, before + filled - taken, cols, transposed);
    },
  };
}

/** So many rows of blocks as one matrix. */
function joined(given: Block[], rows: number, cols: number, transposed: boolean): { X: Matrix; missing?: Uint8Array } {
  const X = { rows: transposed ? cols : rows, cols: transposed ? rows : cols, data: new Float32Array(rows * cols) };
  // Every row that is kept has been counted, so a mark is one of these rows.
  const missing = given.some((block) => block.missing?.includes(1)) ? new Uint8Array(rows * cols) : undefined;
  for (let b = 0, row = 0; b < given.length; b++) {
    const { data, missing: gone } = given[b];
    const count = Math.min(rows - row, data.length / cols);
    // What is copied is let go at once.
    given[b] = { data: new Float32Array(0) };
    put(data, X.data, count);
    if (gone && missing) put(gone, missing, count);
    row += count;

    function put<T extends Float32Array | Uint8Array>(from: T, to: T, count: number): void {
      if (transposed) turn(from, to, { row, count, rows, cols });
      else to.set(from.subarray(0, count * cols), row * cols);
    }
  }
  return { X, missing };
}

/** Rows of `from` as columns of `to`, which has `rows` of them, from `row` on. */
function turn(
  from: Float32Array | Uint8Array,
  to: Float32Array | Uint8Array,
  { row, count, rows, cols }: { row: number; count: number; rows: number; cols: number },
): void {
  for (let top = 0; top < count; top += tile) {
    const bottom = Math.min(count, top + tile);
    for (let left = 0; left < cols; left += tile) {
      const right = Math.min(cols, left + tile);
      for (let j = left; j < right; j++) {
        const base = j * rows + row;
        for (let i = top; i < bottom; i++) to[base + i] = from[i * cols + j];
      }
    }
  }
}
