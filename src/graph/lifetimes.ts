import { InputError } from '../errors.js';
import type { Tensor } from './tensor.js';

/** The part of a program that the plan of buffers needs; also that of an executor's form of a program. */
export interface Flow {
  readonly name: string;
  readonly sections: Readonly<Record<string, readonly { readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[] }[]>>;
}

/** The transients that share memory. `slotOf` maps a transient to a slot; `slots[i]` is the size of slot i in the unit of `sizeOf`. */
export interface BufferPlan {
  readonly slotOf: ReadonlyMap<Tensor, number>;
  readonly slots: readonly number[];
}

/**
 * Greedy plan. Walking each section in order, a transient takes the best-fitting slot that is free at its first write, and gives it back
 * after its last use. Slots are whole buffers: WebGPU forbids binding one buffer for reading and writing in the same dispatch, even at
 * disjoint offsets. Sections run one after another and no transient survives its section, so all sections share slots.
 * `apart` gives every transient a slot of its own.
 */
export function planBuffers(program: Flow, sizeOf: (tensor: Tensor) => number, { apart = false } = {}): BufferPlan {
  const slotOf = new Map<Tensor, number>();
  const slots: number[] = [];
  const homeSection = new Map<Tensor, string>();
  for (const [section, operations] of Object.entries(program.sections)) {
    const lastUse = new Map<Tensor, number>();
    operations.forEach(({ inputs, outputs }, i) => {
      for (const tensor of [...inputs, ...outputs]) if (tensor.role === 'transient') lastUse.set(tensor, i);
    });
    const free = new Set(apart ? [] : slots.keys());
    operations.forEach(({ inputs, outputs }, i) => {
      for (const tensor of outputs) {
        if (tensor.role !== 'transient') continue;
        if (homeSection.get(tensor) === section) continue;
        if (homeSection.has(tensor)) {
          throw new InputError(
            `Transient ${tensor.name} of program ${program.name} is written in sections ${homeSection.get(tensor)} and ${section}; make it a state.`,
          );
        }
        homeSection.set(tensor, section);
        slotOf.set(tensor, takeSlot(slots, free, sizeOf(tensor)));
      }
      for (const tensor of apart ? [] : new Set([...inputs, ...outputs])) {
        if (tensor.role === 'transient' && lastUse.get(tensor) === i) free.add(slotOf.get(tensor)!);
      }
    });
  }
  return { slotOf, slots };
}

/** The smallest free slot that is large enough; else the largest free one, grown; else a new one. */
function takeSlot(slots: number[], free: Set<number>, size: number): number {
  let best = -1;
  for (const slot of free) {
    if (best === -1) best = slot;
    else if (slots[slot] >= size ? slots[best] < size || slots[slot] < slots[best] : slots[best] < size && slots[slot] > slots[best])
      best = slot;
  }
  if (best === -1) return slots.push(size) - 1;
  free.delete(best);
  slots[best] = Math.max(slots[best], size);
  return best;
}
