/**
 * Solves, sweeps and sparse products: their classes of shapes, and the choice of kernel and workgroup. A measured choice comes first, if
 * the device can run it; else the planner's own. Pure.
 */
import type { Choices, SolveChoice, SparseChoice, SweepChoice, SweptChoice, TunedKind } from '../../engine.js';
import {
  type AdapterFacts,
  alwaysWritten,
  type Forced,
  largestPrivateK,
  largestWritten,
  planGrid,
  planGroup,
  planGroups,
  planLanes,
  planRegisters,
  planSolve,
} from './planner.js';
import { bucket, type ProductShape, restartsText, shapeClass } from './product-shape.js';

export type { SolveChoice } from '../../engine.js';

/** The solves of every column of S (k×cols). */
export interface SolveShape {
  /** 'pivoting' is q itself, 'masked' its derivative. */
  kind: 'pivoting' | 'masked';
  k: number;
  cols: number;
  restarts: number;
  /** Columns of all restarts, with their padding. */
  columns: number;
  /** A Gram matrix for each column. These are not tuned. */
  perColumn?: boolean;
}

/** A sweep of HALS over `items` rows (or columns) of k unknowns. */
export interface SweepShape {
  of: 'rows' | 'columns';
  k: number;
  items: number;
  restarts: number;
  perColumn?: boolean;
}

/** A product of a CSR X with a dense factor of k columns: a line of op(X) makes a row of the result, or a column. */
export interface SparseShape {
  lines: number;
  /** Stored entries of X. */
  entries: number;
  k: number;
  restarts: number;
  makes: 'rows' | 'columns';
}

/** "solve 16×1024 ×8", "masked solve 16×256". */
export function solveClass({ kind, k, cols, restarts }: SolveShape): string {
  return `${kind === 'masked' ? 'masked ' : ''}solve ${bucket(k)}×${bucket(cols)}${restartsText(restarts)}`;
}

/** "sweep of rows 1024×16", "sweep of columns 16×256 ×8". */
export function sweepClass({ of, k, items, restarts }: SweepShape): string {
  const [rows, cols] = of === 'rows' ? [items, k] : [k, items];
  return `sweep of ${of} ${bucket(rows)}×${bucket(cols)}${restartsText(restarts)}`;
}

/** "AᵀB then sweep 16×1024×256". */
export function sweptClass(shape: ProductShape): string {
  return shapeClass(shape).replace(' ', ' then sweep ');
}

/** "sparse XD 4096×16, 64 a line", "sparse (XD)ᵀ 16×1024, 16 a line ×8". */
export function sparseClass({ lines, entries, k, restarts, makes }: SparseShape): string {
  const [name, rows, cols] = makes === 'rows' ? ['XD', lines, k] : ['(XD)ᵀ', k, lines];
  return `sparse ${name} ${bucket(rows)}×${bucket(cols)}, ${bucket(entries / lines)} a line${restartsText(restarts)}`;
}

/** The choice that is forced, or was measured for a class. `free`: nothing else is forced that would speak against a measured one. */
function given<K extends TunedKind>(
  kind: K,
  name: string,
  facts: AdapterFacts,
  { choices, spill, group }: Forced,
  free = true,
): Choices[K] | undefined {
  const forced: Partial<Choices> | undefined = choices;
  if (forced?.[kind]) return forced[kind];
  const tuned: ReadonlyMap<string, Choices[K]> | undefined = facts.tuned?.[kind];
  return free && spill === undefined && group === undefined ? tuned?.get(name) : undefined;
}

/** Whether a kernel that is written out for k unknowns compiles in bearable time and, on GPUs, has a chance to stay in registers. */
function mayWriteOut(kind: keyof typeof alwaysWritten, k: number, facts: AdapterFacts): boolean {
  const always = alwaysWritten[kind];
  if (facts.llvmpipe) return k <= always.llvmpipe;
  return k <= (facts.software || kind === 'sweep' ? largestWritten : 16);
}

function fits(workgroup: number, facts: AdapterFacts): boolean {
  return workgroup <= facts.maxInvocationsPerWorkgroup;
}

/** Whether the device can run a choice for a solve. */
export function solves({ kernel, workgroup }: SolveChoice, { kind, k, columns }: SolveShape, facts: AdapterFacts): boolean {
  if (kernel === 'group') return planGroup(k, columns, facts, {}, workgroup) !== undefined;
  if (!fits(workgroup, facts)) return false;
  return kernel === 'registers' ? mayWriteOut(kind, k, facts) : kernel === 'buffer' || k <= largestPrivateK;
}

export function planSolveChoice(shape: SolveShape, facts: AdapterFacts, forced: Forced = {}): SolveChoice {
  const { kind, k, cols, restarts, columns, perColumn = false } = shape;
  const tuned = given('solve', solveClass(shape), facts, forced, !perColumn);
  if (tuned && solves(tuned, shape, facts)) return tuned;
  if (planRegisters(kind, k, cols * restarts, facts, forced)) return { kernel: 'registers', workgroup: planGrid(columns, facts).workgroup };
  const group = planGroup(k, columns, facts, forced);
  if (group) return { kernel: 'group', workgroup: group.group * group.columns };
  const { spill, lanes } = planSolve(k, columns, facts, forced);
  return { kernel: spill ? 'buffer' : 'private', workgroup: planGrid(lanes, facts).workgroup };
}

/** Most unknowns of a row that the compilers of GPUs keep in registers, whatever index it is read by. */
const largestHeldRow = 64;
/** Most lanes of a group that sweeps. */
const largestSweep = 256;

/** Whether the device can run a choice for a sweep. */
export function sweeps({ kernel, workgroup }: SweepChoice, { k }: SweepShape, facts: AdapterFacts): boolean {
  if (kernel === 'group') return planGroups(planLanes(k), largestSweep, facts);
  if (!fits(workgroup, facts)) return false;
  return kernel === 'registers' ? mayWriteOut('sweep', k, facts) : facts.software || k <= largestHeldRow;
}

export function planSweepChoice(shape: SweepShape, facts: AdapterFacts, forced: Forced = {}): SweepChoice {
  const { k, items, restarts, perColumn = false } = shape;
  const tuned = given('sweep', sweepClass(shape), facts, forced, !perColumn);
  if (tuned && sweeps(tuned, shape, facts)) return tuned;
  const { workgroup } = planGrid(items * restarts, facts);
  if (planRegisters('sweep', k, items, facts, forced)) return { kernel: 'registers', workgroup };
  const lanes = planLanes(k);
  if ((k > largestHeldRow || forced.group) && planGroups(lanes, largestSweep, facts, forced)) return { kernel: 'group', workgroup: lanes };
  return { kernel: 'private', workgroup };
}

/** The measured choice for a product and the sweep that follows, if there is one. */
export function sweptChoice(shape: ProductShape, facts: AdapterFacts, forced: Forced): SweptChoice | undefined {
  return given('swept', sweptClass(shape), facts, forced, (forced.matmul ?? forced.blocks ?? forced.splits) === undefined);
}

export function planSparseChoice(shape: SparseShape, items: number, facts: AdapterFacts, forced: Forced = {}): SparseChoice {
  const tuned = given('sparse', sparseClass(shape), facts, forced);
  return tuned && fits(tuned.workgroup, facts) ? tuned : { workgroup: planGrid(items, facts).workgroup };
}
