/** The work that choices are made for, by its sizes. */
import type { ProductChoice, SolveChoice, SparseChoice, SweepChoice, SweptChoice } from '../../engine.js';

export interface ProductShape {
  rows: number;
  cols: number;
  inner: number;
  batch: number;
  /** All restarts share op(A), or op(B). */
  sharedA?: boolean;
  sharedB?: boolean;
  /** op(A), or op(B), is a transpose. */
  transposeA?: boolean;
  transposeB?: boolean;
}

/** The solves of every column of S (k×cols). */
export interface SolveShape {
  /** 'pivoting' is q itself, 'masked' its derivative. */
  kind: 'pivoting' | 'masked';
  k: number;
  cols: number;
  restarts: number;
  /** Columns of all restarts, with their padding. */
  columns: number;
  /** A Gram matrix for each column. */
  perColumn?: boolean;
}

/** A sweep of HALS over `items` rows (or columns) of k unknowns. */
export interface SweepShape {
  of: 'rows' | 'columns';
  k: number;
  items: number;
  restarts: number;
  perColumn?: boolean;
}

/** A product of a CSR X with a dense factor of k columns: a line of op(X) makes a row of the result, or a column. */
export interface SparseShape {
  lines: number;
  /** Stored entries of X. */
  entries: number;
  k: number;
  restarts: number;
  makes: 'rows' | 'columns';
}

/** The measured choices of an adapter. Each answers with what the device can run, or with nothing: then the planners decide. */
export interface Tuned {
  /** `norm` is a product of which only the squares are kept. */
  product?(shape: ProductShape, norm: boolean): ProductChoice | undefined;
  solve?(shape: SolveShape): SolveChoice | undefined;
  sweep?(shape: SweepShape): SweepChoice | undefined;
  swept?(shape: ProductShape): SweptChoice | undefined;
  sparse?(shape: SparseShape): SparseChoice | undefined;
}
