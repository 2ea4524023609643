/** Tensors of two to six modes on the host. */

/**
 * A sparse tensor of order N: entry e is `values[e]` at the N indices `coordinates[N e]`, …, `coordinates[N e + N − 1]`, counted from 0.
 * Entries stand in C order, no place twice. What is not stored is 0.
 */
export interface SparseTensor {
  shape: number[];
  /** Entries × N, entry after entry. */
  coordinates: Uint32Array;
  values: Float32Array;
}
