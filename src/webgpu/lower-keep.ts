/** Lowering of keepAccepted: small copies, so that a dispatch takes several. */
import type { Tensor } from '../graph/tensor.js';
import { type Dispatch, perItem, type Scratch, vectors } from './dispatch.js';
import { restartStep } from './layout.js';
import type { AdapterFacts } from './planner.js';

/** Pairs of a trial and a state that one dispatch can bind. */
export const mostPairs = 3;

export function keep(control: Tensor, trials: readonly Tensor[], states: readonly Tensor[], facts: AdapterFacts): Dispatch {
  const constants: Record<string, number> = { CONTROL_BATCH: restartStep(control) };
  const bindings: (Tensor | Scratch)[] = [control];
  for (let i = 0; i < mostPairs; i++) {
    const [trial, state] = [trials[i], states[i]];
    constants[`VECTORS_${i}`] = state ? vectors(state) : 0;
    constants[`TRIAL_BATCH_${i}`] = state ? restartStep(trial) / 4 : 0;
    constants[`STATE_BATCH_${i}`] = state ? restartStep(state) / 4 : 0;
    // No two bindings that are written may be the same buffer, so what is not there gets a scratch buffer of its own.
    bindings.push(trial ?? control, state ?? { scratch: i - 1, bytes: 16 });
  }
  const items = states.reduce((sum, state) => sum + vectors(state), 0);
  return perItem('update/keep-accepted', items, control.batch, bindings, constants, facts);
}
