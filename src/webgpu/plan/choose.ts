/** The kernel and workgroup of solves, sweeps and sparse products: a measured choice, or the planner's own. Pure. */
import type { SolveChoice, SparseChoice, SweepChoice } from '../../engine.js';
import {
  type AdapterFacts,
  type Forced,
  largestHeldRow,
  largestSweepGroup,
  planGrid,
  planGroup,
  planGroups,
  planLanes,
  planRegisters,
  planSolve,
  tunedOf,
} from './planner.js';
import type { SolveShape, SparseShape, SweepShape } from './shapes.js';

export type { SolveChoice } from '../../engine.js';

export function chooseSolve(shape: SolveShape, facts: AdapterFacts, forced: Forced = {}): SolveChoice {
  const tuned = tunedOf('solve', facts, forced)?.(shape);
  if (tuned) return tuned;
  const { kind, k, cols, columns } = shape;
  // The columns of one restart: kernels differ in the last bits, and a restart is to have the same beside any number of others.
  if (planRegisters(kind, k, cols, facts, forced)) return { kernel: 'registers', workgroup: planGrid(columns, facts).workgroup };
  const group = planGroup(k, columns, facts, forced);
  if (group) return { kernel: 'group', workgroup: group.group * group.columns };
  const { spill, lanes } = planSolve(k, columns, facts, forced);
  return { kernel: spill ? 'buffer' : 'private', workgroup: planGrid(lanes, facts).workgroup };
}

export function chooseSweep(shape: SweepShape, facts: AdapterFacts, forced: Forced = {}): SweepChoice {
  const tuned = tunedOf('sweep', facts, forced)?.(shape);
  if (tuned) return tuned;
  const { k, items, restarts } = shape;
  const { workgroup } = planGrid(items * restarts, facts);
  if (planRegisters('sweep', k, items, facts, forced)) return { kernel: 'registers', workgroup };
  const lanes = planLanes(k);
  const grouped = (k > largestHeldRow || forced.group) && planGroups(lanes, largestSweepGroup, facts, forced);
  return grouped ? { kernel: 'group', workgroup: lanes } : { kernel: 'private', workgroup };
}

/** `items` are the invocations. */
export function chooseSparse(shape: SparseShape, items: number, facts: AdapterFacts, forced: Forced = {}): SparseChoice {
  return tunedOf('sparse', facts, forced)?.(shape) ?? { workgroup: planGrid(items, facts).workgroup };
}
