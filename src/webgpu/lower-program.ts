/** A whole program → its dispatches, section by section: what a run records, what a warm-up compiles and what a plan prints. Pure. */
import type { Operation } from '../graph/operations.js';
import type { Program } from '../graph/program.js';
import type { Dispatch } from './dispatch.js';
import { lower } from './lower.js';
import type { AdapterFacts, Forced } from './planner.js';

export interface LoweredOperation {
  operation: Operation;
  dispatches: Dispatch[];
}

export function lowerProgram({ sections }: Program, facts: AdapterFacts, forced: Forced = {}): Map<string, LoweredOperation[]> {
  return new Map(
    Object.entries(sections).map(([section, operations]) => [
      section,
      operations.map((operation) => ({ operation, dispatches: lower(operation, facts, forced) })),
    ]),
  );
}

/** Every dispatch of every section, in order. */
export function dispatchesOf(lowered: ReadonlyMap<string, readonly LoweredOperation[]>): Dispatch[] {
  return [...lowered.values()].flat().flatMap(({ dispatches }) => dispatches);
}
