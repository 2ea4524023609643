/** A whole program → its dispatches, section by section: what a run records, what a warm-up compiles and what a plan prints. Pure. */
import { fuse } from '../graph/fuse.js';
import type { Operation } from '../graph/operations.js';
import type { Program } from '../graph/program.js';
import type { Dispatch } from './dispatch.js';
import { lower } from './lower.js';
import type { AdapterFacts, Forced } from './planner.js';

export interface LoweredOperation {
  operation: Operation;
  dispatches: Dispatch[];
}

/** What is forced, everywhere or by section. */
export type ForcedBySection = Forced | ((section: string) => Forced);

export function lowerProgram(program: Program, facts: AdapterFacts, forced: ForcedBySection = {}): Map<string, LoweredOperation[]> {
  const of = (section: string) => (typeof forced === 'function' ? forced(section) : forced);
  return new Map(
    Object.entries(fuse(program).sections).map(([section, operations]) => [
      section,
      operations.map((operation) => ({ operation, dispatches: lower(operation, facts, of(section)) })),
    ]),
  );
}

/** Every dispatch of every section, in order. */
export function dispatchesOf(lowered: ReadonlyMap<string, readonly LoweredOperation[]>): Dispatch[] {
  return [...lowered.values()].flat().flatMap(({ dispatches }) => dispatches);
}
