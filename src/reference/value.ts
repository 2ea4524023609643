import type { Attributes, OperationKind } from '../graph/operations.js';

/** A tensor in the reference: one restart's rows×cols entries in f64, row-major; of a sparse matrix the stored ones. */
export interface Value {
  rows: number;
  cols: number;
  data: Float64Array;
  /** Of a sparse matrix only: compressed rows, as in data/sparse. */
  places?: { rowStarts: Uint32Array; columns: Uint32Array };
  /** Of a tensor in coordinates only: those of every entry, as in data/tensors. */
  coordinates?: Uint32Array;
}

/** Computes outputs from inputs, all of one restart. Random numbers depend on the number of the restart. */
export type Meaning<K extends OperationKind> = (inputs: Value[], outputs: Value[], attributes: Attributes<K>, restart: number) => void;

export type Meanings<Kinds extends OperationKind> = { readonly [K in Kinds]: Meaning<K> };

export function column(X: Value, c: number): Float64Array {
  return Float64Array.from({ length: X.rows }, (_, i) => X.data[i * X.cols + c]);
}
