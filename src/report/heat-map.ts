/** Matrices as pictures: means of blocks where there are more entries than a picture has places, in 256 levels. */
import { type Matrix, matrix, multiply } from '../data/matrix.js';
import { type DataMatrix, storedRows } from '../data/sparse.js';

export interface HeatMap {
  /** The name of the matrix, such as X or A⁰. */
  name: string;
  /** What it shows, in words. */
  caption: string;
  /** The size of the matrix. */
  rows: number;
  cols: number;
  /** The size of the picture. A place is the mean of about rows/pictureRows × cols/pictureCols entries. */
  pictureRows: number;
  pictureCols: number;
  /** The values of level 0 and level 255. */
  low: number;
  high: number;
  /** The levels, row by row, a byte each, in base64. */
  levels: string;
}

/** The most rows and columns of a picture. */
const most = { rows: 96, cols: 160 };

/** Of which picture row, or column, each row or column of the matrix is a part. */
export interface Blocks {
  count: number;
  of: Uint32Array;
  sizes: Uint32Array;
}

/** Blocks of neighbours in `order`, which lists all of them; by default as they stand. Their sizes differ by one at most. */
export function blocksOf(length: number, limit: number, order?: ArrayLike<number>): Blocks {
  const count = Math.min(length, limit);
  const of = new Uint32Array(length);
  const sizes = new Uint32Array(count);
  for (let place = 0; place < length; place++) {
    const block = Math.floor((place * count) / length);
    of[order ? order[place] : place] = block;
    sizes[block]++;
  }
  return { count, of, sizes };
}

export const rowBlocks = (rows: number, order?: ArrayLike<number>): Blocks => blocksOf(rows, most.rows, order);
export const columnBlocks = (cols: number, order?: ArrayLike<number>): Blocks => blocksOf(cols, most.cols, order);

/** The mean of every block. What a sparse X does not store counts as the 0 that it is. */
export function blockMeans(X: DataMatrix, rows: Blocks, cols: Blocks): Matrix {
  const sums = new Float64Array(rows.count * cols.count);
  const lines = storedRows(X);
  for (let i = 0; i < X.rows; i++) {
    const first = lines.start(i);
    const into = rows.of[i] * cols.count;
    for (let e = first; e < lines.start(i + 1); e++) sums[into + cols.of[lines.columns?.[e] ?? e - first]] += lines.values[e];
  }
  for (let r = 0; r < rows.count; r++) for (let c = 0; c < cols.count; c++) sums[r * cols.count + c] /= rows.sizes[r] * cols.sizes[c];
  return matrix(rows.count, cols.count, Float32Array.from(sums));
}

/** The means of the blocks of AS, which is never formed: they are the products of the means of A's rows and S's columns. */
export function productMeans(A: Matrix, S: Matrix, rows: Blocks, cols: Blocks): Matrix {
  const each = blocksOf(A.cols, A.cols);
  return multiply(blockMeans(A, rows, each), blockMeans(S, each, cols));
}

/** The picture in levels. The scale runs from 0 to the largest value, or evenly about 0 where values are negative; `high` sets its end. */
export function heatMap(
  means: Matrix,
  { name, caption, rows, cols, high: given }: Pick<HeatMap, 'name' | 'caption' | 'rows' | 'cols'> & { high?: number },
): HeatMap {
  const { low, high } = given === undefined ? scaleOf(means) : { low: means.data.some((x) => x < 0) ? -given : 0, high: given };
  const span = high - low || 1;
  const bytes = Uint8Array.from(means.data, (x) => Math.min(Math.max(Math.round((255 * (x - low)) / span), 0), 255));
  return { name, caption, rows, cols, pictureRows: means.rows, pictureCols: means.cols, low, high, levels: toBase64(bytes) };
}

/** The ends of a scale for these values. */
export function scaleOf({ data }: Matrix): { low: number; high: number } {
  let [least, greatest] = [0, 0];
  for (const x of data) {
    if (x < least) least = x;
    if (x > greatest) greatest = x;
  }
  const high = Math.max(greatest, -least);
  return { low: least < 0 ? -high : 0, high };
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * Rows in the order of the column that each has most of, within it those with most first: what belongs together stands together.
 * `weights` make the columns comparable, as those of a factor alone are not; `order` lists the columns.
 */
export function byDominant(A: Matrix, weights: ArrayLike<number>, order: ArrayLike<number>): Uint32Array {
  const place = new Float64Array(A.cols);
  for (let at = 0; at < A.cols; at++) place[order[at]] = at;
  const weighed = (i: number, j: number) => A.data[i * A.cols + j] * weights[j];
  const keys = Array.from({ length: A.rows }, (_, i) => {
    let best = 0;
    for (let j = 1; j < A.cols; j++) if (weighed(i, j) > weighed(i, best)) best = j;
    const value = weighed(i, best);
    return { i, place: value > 0 ? place[best] : A.cols, value };
  });
  return Uint32Array.from(
    keys.sort((a, b) => a.place - b.place || b.value - a.value || a.i - b.i),
    ({ i }) => i,
  );
}
