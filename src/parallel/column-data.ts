/** The data of a fit that is never whole in memory: its columns, and all that has to be known of them before a fit. */

import type { Columns } from '../data/columns.js';
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse, type SparseMatrix, stored } from '../data/sparse.js';
import { matrixTimesPowerOfTwo, powerOfTwoUnitOf } from '../data/unit.js';
import type { Engine } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import { columnEngine } from './column-engine.js';
import { type Communicator, oneProcess } from './communicator.js';
import { type Range, type Share, shareOf } from './share.js';

/** Columns that a fit has looked through once. `nmf` and `neuralNmf` take it in the place of X. */
export interface ColumnData {
  readonly kind: 'columns';
  /** N and M, those of all ranks. */
  readonly rows: number;
  readonly cols: number;
  readonly sparse: boolean;
  /** X is 2^unit times what the fit computes with: see Problem. */
  readonly unit: number;
  /** ‖X‖² and the mean of all entries, in the unit of the fit. */
  readonly squaredNorm: number;
  readonly mean: number;
  /** Of what is in the columns, the panels and the ranks: another one gives other bits. */
  readonly fingerprint: string;
  readonly share: Share;
  /** Panel number p of this rank, in the unit of the fit. */
  panel(p: number): Promise<DataMatrix>;
  takeS?: ColumnOptions['takeS'];
  /** An engine that runs programs over these columns. The given one stays the caller's. */
  over(engine: Engine): Engine;
}

export interface ColumnOptions {
  /** Columns of a panel. Default: as many as take about 32 MiB as a dense one. The last bits of a result depend on it. */
  panelColumns?: number;
  /**
   * Takes the S of the result, panel by panel in their order, layer after layer: columns `from` on, in the unit of the data. The fit waits for
   * its promise. The model then has no samples, its S are k×0. Each rank gives the panels of its own columns.
   */
  takeS?: (part: { layer: number; from: number; S: Matrix }) => Promise<void> | void;
  /** The processes that share the columns; default: this one alone. */
  communicator?: Communicator;
}

export function isColumnData(X: unknown): X is ColumnData {
  return typeof X === 'object' && X !== null && (X as Partial<ColumnData>).kind === 'columns';
}

/** Sums over the entries of a panel. */
interface Sums {
  sum: number;
  squares: number;
  nonzero: number;
  stored: number;
}

/**
 * Looks through the columns of X once, as a fit of `nmf` or `neuralNmf` needs it: for entries that they refuse, the unit, the mean and ‖X‖².
 * Every iteration of the fit then reads all columns once, panel by panel.
 *
 * @throws InputError for entries that are negative or not finite, for an X of zeros, for fewer columns than ranks; ShapeError for a panel of
 * another shape.
 */
export async function scanColumns(
  X: Columns,
  { panelColumns, takeS, communicator = oneProcess() }: ColumnOptions = {},
): Promise<ColumnData> {
  const { rows, cols, sparse } = X;
  const share = shareOf(X, communicator, panelColumns);
  const own: Sums[] = [];
  const total = new Float64Array(4);
  let failure: unknown;
  try {
    for (const range of share.panels) own.push(sumsOf(await panelOf(X, range), range));
  } catch (error) {
    failure = error;
    total[3] = 1;
  }
  for (const { sum, squares, nonzero } of own) {
    total[0] += sum;
    total[1] += squares;
    total[2] += nonzero;
  }
  const ofPanels = own.map(({ sum, squares, nonzero }) => [sum, squares, nonzero].join(' ')).join(' ');
  await communicator.allReduce(total, 'sum');
  const fingerprint = (await communicator.texts(`${share.panels.length} ${ofPanels}`)).join('; ');
  const [sum, squares, nonzero, failed] = total;
  // All ranks end here together, so that none waits for another one.
  if (failure !== undefined) throw failure;
  if (failed > 0) throw new InputError('Another rank refused columns of its own; its message says why.');
  if (nonzero === 0) throw new InputError('Every entry of X is zero; there is nothing to factorize.');
  const unit = powerOfTwoUnitOf(sum, nonzero);
  const panel = async (p: number) => matrixTimesPowerOfTwo(await panelOf(X, share.panels[p]), -unit);
  const most = Math.max(1, ...own.map((one) => one.stored));
  return {
    kind: 'columns',
    rows,
    cols,
    sparse,
    unit,
    squaredNorm: squares / 4 ** unit,
    mean: sum / (rows * cols) / 2 ** unit,
    fingerprint,
    share,
    panel,
    takeS,
    over: (engine) =>
      columnEngine(engine, share, {
        csrEntries: sparse ? most : undefined,
        panel: async (p) => filledUp(await panel(p), share.width, sparse ? most : undefined),
      }),
  };
}

async function panelOf({ rows, sparse, read }: Columns, { from, to }: Range): Promise<DataMatrix> {
  const panel = await read(from, to);
  if (panel.rows !== rows || panel.cols !== to - from || isSparse(panel) !== sparse)
    throw new ShapeError(
      `Columns ${from} to ${to - 1} of X came as ${isSparse(panel) ? 'a sparse' : 'a dense'} ${panel.rows}×${panel.cols} matrix, but ${sparse ? 'a sparse' : 'a dense'} ${rows}×${to - from} one was announced.`,
    );
  return panel;
}

function sumsOf(panel: DataMatrix, { from }: Range): Sums {
  const values = stored(panel);
  const sums: Sums = { sum: 0, squares: 0, nonzero: 0, stored: values.length };
  for (let at = 0; at < values.length; at++) {
    const x = values[at];
    if (!(x >= 0 && x < Number.POSITIVE_INFINITY)) throw refused(panel, at, from);
    sums.sum += x;
    sums.squares += x * x;
    if (x !== 0) sums.nonzero++;
  }
  return sums;
}

function refused(panel: DataMatrix, at: number, from: number): InputError {
  const x = stored(panel)[at];
  const row = isSparse(panel) ? panel.rowStarts.findLastIndex((start) => start <= at) : Math.floor(at / panel.cols);
  const column = from + (isSparse(panel) ? panel.columns[at] : at % panel.cols);
  const why = Number.isNaN(x)
    ? 'a missing value, which a fit by panels does not take; fill it in, or give the fit all of X as a matrix'
    : 'entries must be finite and not negative';
  return new InputError(`X has the entry ${x} in row ${row}, column ${column} (counted from 0): ${why}.`, { row, column });
}

/** The panel with columns of zeros up to `width`, and a sparse one with stored zeros up to `entries`. */
function filledUp(panel: DataMatrix, width: number, entries: number | undefined): DataMatrix {
  if (isSparse(panel)) return storedUp({ ...panel, cols: width }, entries ?? panel.values.length);
  if (panel.cols === width) return panel;
  const { rows, cols } = panel;
  const data = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) data.set(panel.data.subarray(i * cols, (i + 1) * cols), i * width);
  return { ...panel, cols: width, data };
}

/** Zeros that are stored count for nothing. They stand at the first places that nothing else does. */
function storedUp({ rows, cols, rowStarts, columns, values }: SparseMatrix, entries: number): SparseMatrix {
  let more = entries - values.length;
  if (more === 0) return { rows, cols, rowStarts, columns, values };
  const filled = { rows, cols, rowStarts: new Uint32Array(rows + 1), columns: new Uint32Array(entries), values: new Float32Array(entries) };
  let at = 0;
  for (let i = 0; i < rows; i++) {
    let e = rowStarts[i];
    for (let j = 0; more > 0 && j < cols; j++) {
      if (e < rowStarts[i + 1] && columns[e] === j) {
        filled.columns[at] = j;
        filled.values[at++] = values[e++];
      } else {
        filled.columns[at++] = j;
        more--;
      }
    }
    filled.columns.set(columns.subarray(e, rowStarts[i + 1]), at);
    filled.values.set(values.subarray(e, rowStarts[i + 1]), at);
    at += rowStarts[i + 1] - e;
    filled.rowStarts[i + 1] = at;
  }
  return filled;
}
