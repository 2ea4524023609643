/** A whole program → its dispatches, section by section. A run records them, a warm-up compiles them, a plan prints them. Pure. */
import type { Program } from '../../graph/program.js';
import type { Tensor } from '../../graph/tensor.js';
import { type StoredInput, storeInputs } from '../layout/stored-inputs.js';
import { bindingLimit, type Panelled, planPanels } from '../panels/panels.js';
import { type SplitProgram, splitProgram } from '../panels/split-program.js';
import type { AdapterFacts, ForcedBySection } from '../plan/planner.js';
import { fuse, fuseSweeps } from '../steps/fuse.js';
import type { FusedProgram, Step } from '../steps/step.js';
import type { Dispatch } from './dispatch.js';
import { withGramResiduals } from './gram-residual.js';
import { keepTogether } from './keep.js';
import { lower } from './lower.js';
import { lowerStep, scratchFits } from './lower-steps.js';
import { sweepsInOne } from './products.js';
import { withSums } from './sums.js';

export interface LoweredStep {
  step: Step;
  dispatches: Dispatch[];
}

export interface LoweredProgram {
  /** With operations fused that one kernel can do together. */
  program: FusedProgram;
  /** Inputs that are stored in a way of their own, and the tensors of `program` that stand for them. */
  inputs: ReadonlyMap<Tensor, StoredInput>;
  panelled: ReadonlyMap<Tensor, Panelled>;
  /** Inputs, and the tensors that have to hold the squared norms of their columns. */
  norms: ReadonlyMap<Tensor, Tensor>;
  /** The same over panels, where no binding can hold a tensor. */
  split: SplitProgram;
  sections: Map<string, LoweredStep[]>;
}

export function lowerProgram(original: Program, facts: AdapterFacts, forced: ForcedBySection = {}): LoweredProgram {
  const of = (section: string) => (typeof forced === 'function' ? forced(section) : forced);
  const { program: whole, inputs, panelled } = stored(original, facts);
  // Parts of a sum cannot be swept.
  const program = panelled.size > 0 ? whole : fuseSweeps(whole, (fused, section) => sweepsInOne(fused, facts, of(section)));
  const parts = keepTogether(
    splitProgram(program, panelled, (operation, section) => scratchFits(lower(operation, facts, of(section)), facts)),
  );
  // Panels are views of buffers that others bind, too.
  const { program: reading, norms } =
    panelled.size > 0 ? { program: parts, norms: new Map() } : withGramResiduals(parts, program.tensors.length, facts, of);
  const split = panelled.size > 0 ? parts : withSums(reading, facts, of);
  const lowered = Object.entries(split.sections).map(([section, steps]): [string, LoweredStep[]] => [
    section,
    steps.map((step) => ({ step, dispatches: lowerStep(step, facts, of(section)) })),
  ]);
  return { program, inputs, panelled, norms, split, sections: new Map(lowered) };
}

/** The fused program and the storage of its tensors; all in f32 and in rows as they are where one is in panels. */
function stored(original: Program, facts: AdapterFacts): Pick<LoweredProgram, 'program' | 'inputs' | 'panelled'> {
  const limit = bindingLimit(facts);
  const { program: own, inputs } = storeInputs(original, { half: facts.halfInputs === true, lines: !facts.software });
  if (inputs.size > 0) {
    const program = fuse(own);
    const panelled = planPanels(program, limit);
    if (panelled.size === 0) return { program, inputs, panelled };
  }
  const program = fuse(original);
  return { program, inputs: new Map(), panelled: planPanels(program, limit) };
}

/** Every dispatch of every section, in order. */
export function dispatchesOf(sections: LoweredProgram['sections']): Dispatch[] {
  return [...sections.values()].flat().flatMap(({ dispatches }) => dispatches);
}
