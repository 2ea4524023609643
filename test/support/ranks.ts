/** Ranks in one process: what MPI does between processes, with promises, in the order of the ranks. */
import type { Communicator } from '../../src/parallel/communicator.js';

/** Communicators of `size` ranks. Each is to be used by a task of its own, all of them at the same time. */
export function ranksInProcess(size: number): Communicator[] {
  let arrived: unknown[] = [];
  let done: ((all: unknown[]) => void)[] = [];
  /** What every rank brought to a call, once all have come. */
  const meet = (rank: number, own: unknown): Promise<unknown[]> =>
    new Promise((resolve) => {
      arrived[rank] = own;
      done.push(resolve);
      if (done.length < size) return;
      const [all, waiting] = [arrived, done];
      [arrived, done] = [[], []];
      for (const one of waiting) one(all);
    });
  return Array.from({ length: size }, (_, rank) => {
    let reducedBytes = 0;
    return {
      rank,
      size,
      async allReduce(values, by) {
        reducedBytes += values.byteLength;
        const all = (await meet(rank, values.slice())) as Float64Array[];
        if (new Set(all.map(({ length }) => length)).size > 1) throw new Error(`Ranks brought ${all.map(({ length }) => length)} numbers.`);
        for (let i = 0; i < values.length; i++)
          values[i] = by === 'sum' ? all.reduce((sum, part) => sum + part[i], 0) : Math.max(...all.map((part) => part[i]));
      },
      allGather: async <A extends Float32Array | Float64Array>(values: A) => (await meet(rank, values.slice())) as A[],
      async broadcast(values) {
        const [first] = (await meet(rank, values.slice())) as Float32Array[];
        values.set(first);
      },
      texts: async (own) => (await meet(rank, own)) as string[],
      get reducedBytes() {
        return reducedBytes;
      },
    };
  });
}
