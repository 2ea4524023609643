import { matrix } from './matrix.js';
import { arrangeEntries, type DataMatrix, isSparse } from './sparse.js';

/** X (N×M) by ranges of its columns, which are read again in every pass: features × samples. */
export interface Columns {
  /** N. */
  readonly rows: number;
  /** M. */
  readonly cols: number;
  /** Whether its panels are sparse. */
  readonly sparse: boolean;
  /** Columns `from` up to `to`, N×(to − from), in memory of its own: dense, or sparse where `sparse` says so. */
  read(from: number, to: number): Promise<DataMatrix>;
  /** Called when a fit needs no more of it. */
  close?(): Promise<void>;
}

/** The columns of a matrix in memory. */
export function columnsOfMatrix(X: DataMatrix): Columns {
  return { rows: X.rows, cols: X.cols, sparse: isSparse(X), read: async (from, to) => columnsBetween(X, from, to) };
}

/** A copy of columns `from` up to `to`. */
export function columnsBetween(X: DataMatrix, from: number, to: number): DataMatrix {
  const { rows, cols } = X;
  if (!isSparse(X)) {
    const data = new Float32Array(rows * (to - from));
    for (let i = 0; i < rows; i++) data.set(X.data.subarray(i * cols + from, i * cols + to), i * (to - from));
    return matrix(rows, to - from, data);
  }
  const entries = { rowIndices: [] as number[], columns: [] as number[], values: [] as number[] };
  for (let i = 0; i < rows; i++)
    for (let e = X.rowStarts[i]; e < X.rowStarts[i + 1]; e++) {
      const column = X.columns[e];
      if (column < from || column >= to) continue;
      entries.rowIndices.push(i);
      entries.columns.push(column - from);
      entries.values.push(X.values[e]);
    }
  return arrangeEntries(rows, to - from, {
    rowIndices: Uint32Array.from(entries.rowIndices),
    columns: Uint32Array.from(entries.columns),
    values: Float32Array.from(entries.values),
  });
}
