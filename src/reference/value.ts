/** What the reference computes with: one restart's rows×cols entries in f64, row-major; of a sparse matrix the stored ones. */
export interface Value {
  rows: number;
  cols: number;
  data: Float64Array;
  /** Of a sparse matrix only: compressed rows, as in data/sparse. */
  places?: { rowStarts: Uint32Array; columns: Uint32Array };
}
