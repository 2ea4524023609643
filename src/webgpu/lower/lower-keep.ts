/** Lowering of keepAccepted: small copies, so a dispatch takes several. */
import type { Tensor } from '../../graph/tensor.js';
import { restartStep } from '../layout/layout.js';
import type { SplitProgram } from '../panels/split-program.js';
import type { AdapterFacts } from '../plan/planner.js';
import type { Step } from '../steps/step.js';
import { type Dispatch, perItem, type Scratch, vectors } from './dispatch.js';

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
