/** The classes of shapes that share one choice, what a device can run of the choices, and the choices of a tuning for the planners. Pure. */
import type { Choices, SolveChoice, SweepChoice, TunedKind, Tuning } from '../../engine.js';
import { runs } from '../plan/plan-products.js';
import {
  type AdapterFacts,
  alwaysWritten,
  largestHeldRow,
  largestPrivateK,
  largestSweepGroup,
  largestWritten,
  planGroup,
  planGroups,
  planLanes,
} from '../plan/planner.js';
import type { ProductShape, SolveShape, SparseShape, SweepShape, Tuned } from '../plan/shapes.js';

/**
 * The name of a product's class: the product, and each size rounded up to a power of two (of four beyond 64), such as "AᵀB 16×1024×256".
 * `norm` is the sum of squares ‖E − AB‖². Restarts are in no name: whatever number was measured, a choice holds for all, since a restart
 * has to have the same bits beside any number of others.
 */
export function shapeClass(shape: ProductShape, norm = false): string {
  const { rows, inner, cols, transposeA, transposeB } = shape;
  const product = norm ? '‖E−AB‖²' : `A${transposeA ? 'ᵀ' : ''}B${transposeB ? 'ᵀ' : ''}`;
  return `${product} ${bucket(rows)}×${bucket(inner)}×${bucket(cols)}`;
}

/** "solve 16×1024", "masked solve 16×256". */
export function solveClass({ kind, k, cols }: SolveShape): string {
  return `${kind === 'masked' ? 'masked ' : ''}solve ${bucket(k)}×${bucket(cols)}`;
}

/** "sweep of rows 1024×16", "sweep of columns 16×256". */
export function sweepClass({ of, k, items }: SweepShape): string {
  const [rows, cols] = of === 'rows' ? [items, k] : [k, items];
  return `sweep of ${of} ${bucket(rows)}×${bucket(cols)}`;
}

/** "AᵀB then sweep 16×1024×256". */
export function sweptClass(shape: ProductShape): string {
  return shapeClass(shape).replace(' ', ' then sweep ');
}

/** "sparse XD 4096×16, 64 a line", "sparse (XD)ᵀ 16×1024, 16 a line". */
export function sparseClass({ lines, entries, k, makes }: SparseShape): string {
  const [name, rows, cols] = makes === 'rows' ? ['XD', lines, k] : ['(XD)ᵀ', k, lines];
  return `sparse ${name} ${bucket(rows)}×${bucket(cols)}, ${bucket(entries / lines)} a line`;
}

/** Small sizes matter by the block, large ones by their order of magnitude. */
function bucket(size: number): number {
  if (size <= 64) return Math.max(4, 2 ** Math.ceil(Math.log2(size)));
  return 4 ** Math.ceil(Math.log2(size) / 2);
}

/** Whether a kernel that is written out for k unknowns compiles in bearable time and, on GPUs, has a chance to stay in registers. */
function mayWriteOut(kind: keyof typeof alwaysWritten, k: number, facts: AdapterFacts): boolean {
  if (facts.llvmpipe) return k <= alwaysWritten[kind].llvmpipe;
  return k <= (facts.software || kind === 'sweep' ? largestWritten : 16);
}

export function fits(workgroup: number, facts: AdapterFacts): boolean {
  return workgroup <= facts.maxInvocationsPerWorkgroup;
}

/** Whether the device can run a choice for a solve. Groups are for GPUs: barriers are slow on software adapters. */
export function solves({ kernel, workgroup }: SolveChoice, { kind, k, columns }: SolveShape, facts: AdapterFacts): boolean {
  if (kernel === 'group') return planGroup(k, columns, facts, {}, { workgroup }) !== undefined;
  if (!fits(workgroup, facts)) return false;
  return kernel === 'registers' ? mayWriteOut(kind, k, facts) : kernel === 'buffer' || k <= largestPrivateK;
}

/** Whether the device can run a choice for a sweep. */
export function sweeps({ kernel, workgroup }: SweepChoice, { k }: SweepShape, facts: AdapterFacts): boolean {
  if (kernel === 'group') return planGroups(planLanes(k), largestSweepGroup, facts);
  if (!fits(workgroup, facts)) return false;
  return kernel === 'registers' ? mayWriteOut('sweep', k, facts) : facts.software || k <= largestHeldRow;
}

/**
 * The choices of a tuning, for the planners on a device. Solves and sweeps with a Gram matrix for each column are other work than what was
 * measured.
 */
export function tunedBy({ entries }: Pick<Tuning, 'entries'>, facts: AdapterFacts): Tuned {
  const known = new Map(entries.map((entry) => [`${entry.kind} ${entry.class}`, entry.chosen]));
  /** The choice for a class, if the device can run it. */
  const chosen = <K extends TunedKind>(kind: K, name: string, can: (choice: Choices[K]) => boolean): Choices[K] | undefined => {
    const choice = known.get(`${kind} ${name}`) as Choices[K] | undefined;
    return choice && can(choice) ? choice : undefined;
  };
  return {
    product: (shape, norm) => chosen('product', shapeClass(shape, norm), (choice) => runs(shape, choice, facts)),
    solve: (shape) => (shape.perColumn ? undefined : chosen('solve', solveClass(shape), (choice) => solves(choice, shape, facts))),
    sweep: (shape) => (shape.perColumn ? undefined : chosen('sweep', sweepClass(shape), (choice) => sweeps(choice, shape, facts))),
    swept: (shape) => chosen('swept', sweptClass(shape), ({ kernel }) => kernel !== 'quad' || facts.subgroups),
    sparse: (shape) => chosen('sparse', sparseClass(shape), ({ workgroup }) => fits(workgroup, facts)),
  };
}

/** One choice for all work of its kind. */
export function only(kind: TunedKind, choice: Choices[TunedKind]): Tuned {
  return { [kind]: () => choice };
}
