/** The penalty of a graph of neighbouring samples (programs/graph-penalty.ts): its options, its matrices, and its value and gradient in f64. */
import { checkNonnegative, describe } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse, type SparseMatrix, sparseFromDense, storedRows } from '../data/sparse.js';
import type { Run } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import type { GraphPenalty, GraphShape } from '../programs/graph-penalty.js';
import { atLeastZero, type OptionsOf, ownDataMatrix } from './options.js';

export const neighbourOptions = {
  /**
   * W ≥ 0, M×M and symmetric, sparse or dense: how near samples are to each other, 0 for pairs that are not neighbours. The diagonal does not
   * matter. Needs `laplacian`.
   */
  neighbours: ownDataMatrix('a symmetric matrix with the nearness of each pair of samples', {
    needs: { option: 'laplacian' },
    named: { rows: 'samples', columns: 'samples' },
  }),
  /**
   * λ ≥ 0, the weight of tr(SLSᵀ) / 2 = Σ_ij w_ij ‖s_i − s_j‖² / 4 beside the loss, times N as with `l1S`: neighbours get coefficients that are
   * alike. L = D − W, with the row sums of W in D. Default 0. Needs `neighbours`, and `l1A` or `l2A` (or all of A in `fixedA`), since
   * otherwise the scale of S moves into A and takes the penalty away. New samples have no neighbours: `transform` leaves the penalty out.
   */
  laplacian: atLeastZero('weight of half the squared differences of neighbours in S, times the number of features', {
    placeholder: 'λ',
    needs: { option: 'neighbours' },
  }),
};

export type NeighbourOptions = OptionsOf<typeof neighbourOptions>;

/** The graph of a fit with the weight of the penalty in its numbers. */
export interface NeighbourGraph {
  /** λW without its diagonal. */
  W: SparseMatrix;
  /** Row sums of W. */
  degrees: Float32Array;
  /** The largest d_i + d_j of two neighbours, which no eigenvalue of L = D − W exceeds (Anderson & Morley 1985). */
  bound: number;
}

/** W as a sparse matrix without diagonal. Throws for what is no symmetric matrix ≥ 0 of the samples, or has no pair of neighbours. */
export function checkNeighbours(W: DataMatrix, samples: number): SparseMatrix {
  const option = 'neighbours';
  if (typeof W !== 'object' || W === null)
    throw new InputError(`neighbours must be a matrix with a row and a column for each sample, not ${describe(W)}.`, { option });
  checkNonnegative(W, option, option);
  if (W.rows !== samples || W.cols !== samples)
    throw new ShapeError(
      `neighbours is ${W.rows}×${W.cols}, but X has ${samples} samples; it needs a row and a column for each, ${samples}×${samples}.`,
      { option },
    );
  const all = isSparse(W) ? W : sparseFromDense(W);
  const rowStarts = new Uint32Array(samples + 1);
  const columns: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < samples; i++) {
    for (let e = all.rowStarts[i]; e < all.rowStarts[i + 1]; e++) {
      const [j, w] = [all.columns[e], all.values[e]];
      const other = entryOf(all, j, i);
      if (other !== w)
        throw new InputError(
          `neighbours has the entry ${w} in row ${i}, column ${j} (counted from 0), but ${other} at the same place of its transpose; it must be symmetric, such as (W + Wᵀ) / 2.`,
          { option, row: i, column: j },
        );
      if (i === j || w === 0) continue;
      columns.push(j);
      values.push(w);
    }
    rowStarts[i + 1] = columns.length;
  }
  if (columns.length === 0)
    throw new InputError('neighbours has no entry above 0 for a pair of samples, so laplacian would do nothing; leave out both.', {
      option,
    });
  return { rows: samples, cols: samples, rowStarts, columns: Uint32Array.from(columns), values: Float32Array.from(values) };
}

/** Entry (i, j), found by halves in its row. */
function entryOf({ rowStarts, columns, values }: SparseMatrix, i: number, j: number): number {
  let [low, high] = [rowStarts[i], rowStarts[i + 1]];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (columns[middle] < j) low = middle + 1;
    else high = middle;
  }
  return low < rowStarts[i + 1] && columns[low] === j ? values[low] : 0;
}

/** λW with its degrees. Throws InputError where f32 has no number for one. */
export function graphOf(W: SparseMatrix, weight: number): NeighbourGraph {
  const values = W.values.map((w) => w * weight);
  const sums = new Float64Array(W.rows);
  for (let i = 0; i < W.rows; i++) for (let e = W.rowStarts[i]; e < W.rowStarts[i + 1]; e++) sums[i] += values[e];
  let bound = 0;
  for (let i = 0; i < W.rows; i++)
    for (let e = W.rowStarts[i]; e < W.rowStarts[i + 1]; e++) bound = Math.max(bound, sums[i] + sums[W.columns[e]]);
  if (!(bound < 1e30))
    throw new InputError(
      `laplacian times the largest sum of a row of neighbours is ${(bound / 2).toExponential(0)} times the size of the data; give a smaller one.`,
      { option: 'laplacian' },
    );
  // A little more than the bound, so that it holds for its f32, too.
  return { W: { ...W, values }, degrees: Float32Array.from(sums), bound: bound * (1 + 2 ** -20) };
}

export function graphShape({ W }: NeighbourGraph, solver: string): GraphShape {
  return { entries: W.values.length, majorized: solver !== 'mu' };
}

export function writeGraph(run: Run, tensors: GraphPenalty, { W, degrees, bound }: NeighbourGraph): void {
  const M = W.rows;
  const starts = Uint32Array.from({ length: M + 1 }, (_, i) => i);
  const diagonal = (values: Float32Array): SparseMatrix => ({ rows: M, cols: M, rowStarts: starts, columns: starts.slice(0, M), values });
  run.write(tensors.W, W);
  run.write(tensors.D, diagonal(degrees));
  if (tensors.rest) run.write(tensors.rest, diagonal(degrees.map((d) => Math.fround(bound) - d)));
}

/** tr(SLSᵀ) / 2 with the weight, as a sum of squares. */
export function graphInF64({ W }: NeighbourGraph, S: Matrix): number {
  let total = 0;
  for (let i = 0; i < W.rows; i++)
    for (let e = W.rowStarts[i]; e < W.rowStarts[i + 1]; e++) {
      let squares = 0;
      for (let t = 0; t < S.rows; t++) squares += (S.data[t * S.cols + i] - S.data[t * S.cols + W.columns[e]]) ** 2;
      total += (W.values[e] * squares) / 4;
    }
  return total;
}

/** Adds the gradient SL of sample i to `gradient`, where the rows of L are the columns of S. */
export function addGraphGradient(gradient: Float64Array, { W }: NeighbourGraph, L: Float32Array, i: number): void {
  const k = gradient.length;
  const { values, columns, start } = storedRows(W);
  for (let e = start(i); e < start(i + 1); e++)
    for (let t = 0; t < k; t++) gradient[t] += values[e] * (L[i * k + t] - L[columns![e] * k + t]);
}
