/** Restarts that have ended while others go on: the device takes them along, and what it makes of them no longer counts. */
import type { Run } from '../engine.js';
import type { Tensor } from '../graph/tensor.js';

type Entries = Float32Array | Float64Array;

export interface Frozen {
  /** Keeps the states of these restarts as the queue leaves them. */
  freeze(restarts: readonly number[]): Promise<void>;
  /** Puts what was kept into states as they were read, `data[i]` of `tensors[i]`. */
  into(tensors: readonly Tensor[], data: readonly Entries[]): void;
  /** Brings the run's states of these restarts back to what was kept. */
  thaw(): Promise<void>;
}

/** States that all restarts share do not change after the start. */
export function frozenOf(run: Run): Frozen {
  const kept = new Map<Tensor, Map<number, Entries>>();
  const states = () => run.program.tensors.filter(({ role, batch }) => role === 'state' && batch > 1);
  const into: Frozen['into'] = (tensors, data) => {
    tensors.forEach((tensor, i) => {
      for (const [restart, part] of kept.get(tensor) ?? []) data[i].set(part, restart * tensor.rows * tensor.cols);
    });
  };
  return {
    into,
    async freeze(restarts) {
      const tensors = states();
      const read = await run.sample(tensors);
      tensors.forEach((tensor, i) => {
        const size = tensor.rows * tensor.cols;
        const own = kept.get(tensor) ?? new Map<number, Entries>();
        for (const restart of restarts) own.set(restart, read[i].slice(restart * size, (restart + 1) * size));
        kept.set(tensor, own);
      });
    },
    async thaw() {
      if (kept.size === 0) return;
      const tensors = states();
      const read = await run.sample(tensors);
      into(tensors, read);
      tensors.forEach((tensor, i) => {
        run.write(tensor, read[i]);
      });
    },
  };
}
