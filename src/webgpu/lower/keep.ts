/** Lowering of keepAccepted: small copies, so a dispatch takes several. */
import type { Tensor } from '../../graph/tensor.js';
import type { SplitProgram } from '../panels/split-program.js';
import type { AdapterFacts } from '../plan/planner.js';
import type { Step } from '../steps/step.js';
import { type Dispatch, perItem, standIn, vectors } from './dispatch.js';

/** Pairs of a trial and a state that one dispatch can bind. */
export const mostPairs = 3;

/** The program with neighbouring steps that keep or drop a trial joined, as few as can be. */
export function keepTogether({ name, sections }: SplitProgram): SplitProgram {
  return { name, sections: Object.fromEntries(Object.entries(sections).map(([section, steps]) => [section, joined(steps)])) };
}

function joined(steps: readonly Step[]): Step[] {
  const fewer: Step[] = [];
  for (const step of steps) {
    const last = fewer.at(-1);
    if (step.kind !== 'keepAccepted') fewer.push(step);
    else if (last?.kind === 'keepTogether' && last.inputs[0] === step.inputs[1] && last.outputs.length < mostPairs)
      fewer[fewer.length - 1] = { ...last, inputs: [...last.inputs, step.inputs[0]], outputs: [...last.outputs, step.outputs[0]] };
    else fewer.push({ kind: 'keepTogether', inputs: [step.inputs[1], step.inputs[0]], outputs: step.outputs });
  }
  return fewer;
}

export function keep(control: Tensor, trials: readonly Tensor[], states: readonly Tensor[], facts: AdapterFacts): Dispatch {
  // No two written bindings may be the same buffer, so each missing state gets a scratch buffer of its own.
  const [trial0, trial1 = standIn(control), trial2 = standIn(control)] = trials;
  const [state0, state1 = standIn({ scratch: 0, bytes: 16 }), state2 = standIn({ scratch: 1, bytes: 16 })] = states;
  const [VECTORS_0, VECTORS_1, VECTORS_2] = [0, 1, 2].map((i) => (i < states.length ? vectors(states[i]) : 0));
  const items = VECTORS_0 + VECTORS_1 + VECTORS_2;
  const operands = { control, trial0, state0, trial1, state1, trial2, state2 };
  return perItem('update/keep-accepted', items, control.batch, operands, { VECTORS_0, VECTORS_1, VECTORS_2 }, facts);
}
