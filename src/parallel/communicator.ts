/** Processes that compute together. Every call is made by all of them, in the same order. */
export interface Communicator {
  /** From 0. */
  readonly rank: number;
  readonly size: number;
  /** Sums the entries over all ranks, or takes the largest; in place, in f64, in a fixed order: the same bits on every rank and in every run. */
  allReduce(values: Float64Array, by: 'sum' | 'max'): Promise<void>;
  /** The entries of every rank, in the order of the ranks, on every rank. Lengths may differ. */
  allGather<A extends Float32Array | Float64Array>(values: A): Promise<A[]>;
  /** The entries of rank 0, on every rank. */
  broadcast(values: Float32Array): Promise<void>;
  /** A text of every rank, in the order of the ranks, on every rank. */
  texts(own: string): Promise<string[]>;
  /** Bytes that this rank has given to allReduce so far. */
  readonly reducedBytes: number;
}

/** One process alone. */
export function oneProcess(): Communicator {
  let reducedBytes = 0;
  return {
    rank: 0,
    size: 1,
    async allReduce(values) {
      reducedBytes += values.byteLength;
    },
    allGather: async (values) => [values],
    async broadcast() {},
    texts: async (own) => [own],
    get reducedBytes() {
      return reducedBytes;
    },
  };
}
