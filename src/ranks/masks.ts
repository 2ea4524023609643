/** Masks that hide entries at random, as speckles: every entry by itself, whatever row and column it is in. */
import type { Matrix } from '../data/matrix.js';
import { random } from '../data/random.js';

/**
 * 1 for each entry that is hidden, with the probability `share`, and 0 for the others. `missing` entries stay 0: nobody knows what is there.
 * A row or column is never hidden whole, since nothing could be said of it.
 *
 * Speckled masks: Wold, Technometrics 1978; for NMF in RcppML's crossValidate (DeBruine, Melcher & Triche, bioRxiv 2021).
 */
export function speckled(
  { rows, cols }: Pick<Matrix, 'rows' | 'cols'>,
  share: number,
  { seed, mask, missing }: { seed: number; mask: number; missing?: Float32Array },
): Float32Array {
  const { uniform } = random(seed, { purpose: 'masks', tensor: mask });
  const hidden = Float32Array.from({ length: rows * cols }, (_, at) => (uniform() < share && missing?.[at] !== 1 ? 1 : 0));
  const lines = [
    ...Array.from({ length: rows }, (_, i) => ({ from: i * cols, by: 1, count: cols })),
    ...Array.from({ length: cols }, (_, j) => ({ from: j, by: cols, count: rows })),
  ];
  for (const { from, by, count } of lines) {
    const places = Array.from({ length: count }, (_, t) => from + t * by);
    if (places.every((at) => hidden[at] === 1 || missing?.[at] === 1)) for (const at of places) hidden[at] = 0;
  }
  return hidden;
}
