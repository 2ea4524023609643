/** A guide: columns that the first columns of A⁰ start from, such as seed words of topics. */
import { checkNonnegative, describe } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { type DataMatrix, isSparse } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { data } from './options.js';

export interface Guide {
  /** N×g, ≥ 0, no column all zero, g ≤ k₀: what the first g columns of A⁰ start from. Their scale does not matter. */
  columns: Matrix;
  /** Whether entries that are 0 in `columns` stay 0 in A⁰. Default false. */
  only?: boolean;
}

export const guideOption = data<Guide>(
  '{ columns, only }: columns that the first columns of A⁰ start from; with only: true their zeros stay',
);

/** What every other entry of a guided column, and of its row of S, starts from, relative to a random start: none is stuck at 0. */
const small = 0.01;

/** Throws InputError for a guide that does not fit X and the ranks, or beside a start that is not random. */
export function checkGuide(
  guide: unknown,
  { rows }: DataMatrix,
  [k]: readonly number[],
  start: unknown,
): asserts guide is Guide | undefined {
  if (guide === undefined) return;
  const refuse = (what: string): never => {
    throw new InputError(`guide${what}`, { option: 'guide' });
  };
  if (start !== 'random' && start !== 'hierarchical')
    refuse(` changes a random start, and start is ${typeof start === 'object' ? 'factors' : `'${start}'`}; give one of the two.`);
  checkNames('guide', guide as object, ['columns', 'only']);
  const { columns, only = false } = guide as Guide;
  if (typeof only !== 'boolean') refuse(`.only must be true or false, not ${describe(only)}.`);
  if (typeof columns !== 'object' || columns === null || isSparse(columns))
    refuse(`.columns must be a dense matrix with a column for each guided component, not ${describe(columns)}.`);
  checkNonnegative(columns, 'guide.columns');
  if (columns.rows !== rows) refuse(`.columns has ${columns.rows} rows, but X has ${rows}; each row of X needs one.`);
  if (columns.cols > k) refuse(`.columns has ${columns.cols} columns for a first layer of ${k}; give at most so many, or a larger rank.`);
  const empty = columnsOf(columns).findIndex((column) => column.every((entry) => entry === 0));
  if (empty >= 0) refuse(`.columns is zero in all of column ${empty}; a guided component needs an entry that is not.`);
}

/**
 * Changes a random A⁰, N×k for each restart: its first columns become those of the guide, with the norm that |N(0,1)| · scale has on the
 * average. Without `only`, where the guide is 0 a hundredth of the random entry stays.
 */
export function guideColumns(entries: Float32Array, k: number, { columns, only = false }: Guide, scale: number): void {
  const { rows } = columns;
  columnsOf(columns).forEach((column, j) => {
    const length = unitOf(column) * scale * Math.sqrt(rows);
    for (let at = j, i = 0; at < entries.length; at += k, i = (i + 1) % rows)
      entries[at] = column[i] > 0 ? column[i] * length : only ? 0 : small * entries[at];
  });
}

/**
 * Changes a random S, k×M for each restart: the first rows become those that fit X best with one guided column each, aᵀX / aᵀa for the column a
 * that `guideColumns` wrote, and a hundredth of the random entries.
 */
export function guideRows(entries: Float32Array, k: number, { columns }: Guide, X: DataMatrix, scale: number): void {
  const M = X.cols;
  columnsOf(columns).forEach((column, j) => {
    const unit = unitOf(column);
    const row = new Float64Array(M);
    column.forEach((weight, i) => {
      if (weight > 0) addRow(row, X, i, (weight * unit) / (scale * Math.sqrt(X.rows)));
    });
    for (let restart = 0; restart < entries.length; restart += k * M)
      for (let m = 0; m < M; m++) entries[restart + j * M + m] = row[m] + small * entries[restart + j * M + m];
  });
}

/** 1 in all entries that A⁰ may use: those of the guide, and all of the columns that it leaves free. */
export function supportOf({ columns }: Guide, k: number): Float32Array {
  return Float32Array.from({ length: columns.rows * k }, (_, at) => {
    const [i, j] = [Math.floor(at / k), at % k];
    return j >= columns.cols || columns.data[i * columns.cols + j] > 0 ? 1 : 0;
  });
}

const unitOf = (column: readonly number[]) => 1 / Math.hypot(...column);

function columnsOf({ rows, cols, data }: Matrix): number[][] {
  return Array.from({ length: cols }, (_, j) => Array.from({ length: rows }, (_, i) => data[i * cols + j]));
}

function addRow(sum: Float64Array, X: DataMatrix, i: number, times: number): void {
  if (isSparse(X)) for (let p = X.rowStarts[i]; p < X.rowStarts[i + 1]; p++) sum[X.columns[p]] += times * X.values[p];
  else for (let m = 0; m < X.cols; m++) sum[m] += times * X.data[i * X.cols + m];
}
