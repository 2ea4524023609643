/** Lowering of the steps of a split program, within what the device can bind. */
import { bindingLimit } from '../panels/panels.js';
import type { AdapterFacts, Forced } from '../plan/planner.js';
import type { ColumnCopy, Step } from '../steps/step.js';
import { type Dispatch, perItem } from './dispatch.js';
import { gramResidual } from './gram-residual.js';
import { keep } from './keep.js';
import { lower } from './lower.js';
import { sumsTogether } from './sums.js';

export function lowerStep(step: Step, facts: AdapterFacts, forced: Forced): Dispatch[] {
  if (step.kind === 'copyColumns') return [copyColumns(step, facts)];
  if (step.kind === 'keepTogether') return [keep(step.inputs[0], step.inputs.slice(1), step.outputs, facts)];
  if (step.kind === 'productSums') return [sumsTogether(step, facts)];
  if (step.kind === 'gramResidual') return gramResidual(step, facts, forced);
  const dispatches = lower(step, facts, forced);
  // Parts of the inner dimension of a product need as many copies of the result: one pass needs none.
  return scratchFits(dispatches, facts) ? dispatches : lower(step, facts, { ...forced, splits: 1 });
}

/** Whether scratch memory that dispatches ask for can be bound. */
export function scratchFits(dispatches: readonly Dispatch[], facts: AdapterFacts): boolean {
  const limit = bindingLimit(facts);
  return dispatches.every(({ bindings }) => bindings.every((bound) => !('scratch' in bound) || bound.bytes <= limit));
}

function copyColumns({ inputs: [X], outputs: [out], attributes: { from, to, cols } }: ColumnCopy, facts: AdapterFacts): Dispatch {
  const width = Math.ceil(cols / 4);
  const numbers = { WIDTH: width, FROM: from / 4, TO: to / 4 };
  return perItem('elementwise/copy-columns', X.rows * width, out.batch, { X, out }, numbers, facts);
}
