/**
 * A program by columns (by-columns.ts), cut where sums over columns are joined. A section becomes phases:
 *
 *     whole        operations on tensors that do not go by columns
 *     columns      operations on the columns at hand, once for every panel
 *     reductions   sums over all columns, which the next phase reads
 *
 * Each operation is done in the earliest phase that it can be done in, so a section has as few phases as its sums ask for.
 */
import type { ColumnProgram } from './by-columns.js';
import { type Operation, readOutputs } from './operations.js';
import type { Program } from './program.js';
import type { Tensor } from './tensor.js';

export interface Reduction {
  /** The part of the columns at hand. */
  readonly from: Tensor;
  readonly to: Tensor;
  readonly by: 'sum' | 'max';
}

export interface Phase {
  /** Sections of the cut program; left out where there is nothing to do. */
  readonly whole?: string;
  readonly columns?: string;
  readonly reductions: readonly Reduction[];
}

export interface CutProgram {
  /** The phases' sections, over tensors with so many columns. */
  readonly program: Program;
  /** By the sections of the given program. */
  readonly phases: Readonly<Record<string, readonly Phase[]>>;
  /** Of a tensor of the given program, its own in the cut one: as it is, or with other columns. */
  tensorOf(given: Tensor): Tensor;
  /** Tensors of the cut program that go by columns, and are kept from one phase to another: states, inputs, and results that a later phase reads. */
  readonly columns: ReadonlyMap<Tensor, 'rows' | 'cols'>;
  /** Parts of sums that a later phase goes on with before they are joined: every panel has its own. */
  readonly carried: ReadonlySet<Tensor>;
}

/** Cuts a program, for `width` columns of X at a time; of a sparse X with `csrEntries` stored entries. */
export function phasesOf(given: ColumnProgram, width: number, csrEntries?: number): CutProgram {
  const cut = Object.entries(given.program.sections).map(([name, operations]) => [name, cutSection(operations, given)] as const);
  const crossing = crossingIn(cut.flatMap(([, phases]) => phases));
  const tensors: Tensor[] = [];
  const own = new Map<Tensor, Tensor>();
  const tensorOf = (tensor: Tensor): Tensor => {
    const known = own.get(tensor);
    if (known) return known;
    const made = { ...resized(tensor, given.columns.get(tensor), width, csrEntries), id: tensors.length };
    if (crossing.has(tensor) && made.role === 'transient') made.role = 'state';
    tensors.push(made);
    own.set(tensor, made);
    return made;
  };
  for (const tensor of given.program.tensors) if (tensor.role !== 'transient') tensorOf(tensor);
  const moved = (operation: Operation) =>
    ({ ...operation, inputs: operation.inputs.map(tensorOf), outputs: operation.outputs.map(tensorOf) }) as Operation;
  const sections: Record<string, Operation[]> = {};
  const phases = Object.fromEntries(
    cut.map(([name, own]) => [
      name,
      own.map(({ whole, columns, reductions }, n): Phase => {
        const label = (operations: readonly Operation[], what: string) => {
          if (operations.length === 0) return undefined;
          const section = `${name}: ${what} ${n}`;
          sections[section] = operations.map(moved);
          return section;
        };
        return {
          whole: label(whole, 'whole'),
          columns: label(columns, 'columns'),
          reductions: reductions.map((one) => ({ from: tensorOf(one.from), to: tensorOf(one.to), by: one.by })),
        };
      }),
    ]),
  );
  const byColumns = new Map(
    [...given.columns].flatMap(([tensor, axis]) => {
      const made = own.get(tensor);
      return made && made.role !== 'transient' ? [[made, axis] as const] : [];
    }),
  );
  return {
    program: { ...given.program, tensors, sections },
    phases,
    tensorOf,
    columns: byColumns,
    carried: carriedIn(
      cut.flatMap(([, own]) => own),
      given.partial,
      tensorOf,
    ),
  };
}

function resized(tensor: Tensor, axis: 'rows' | 'cols' | undefined, width: number, csrEntries: number | undefined) {
  const size = { rows: tensor.rows, cols: tensor.cols, ...(axis && { [axis]: width }) };
  const entries = tensor.form === 'csr' ? (csrEntries ?? tensor.entries) : size.rows * size.cols;
  return { ...tensor, ...size, entries };
}

interface Cut {
  whole: Operation[];
  columns: Operation[];
  reductions: Reduction[];
}

/** Where in a section something is done: first by phase, then whole before columns before reductions. */
const places = { whole: 0, columns: 1, reductions: 2 } as const;

function cutSection(operations: readonly Operation[], { columns, partial }: ColumnProgram): Cut[] {
  const placeOf = (operation: Operation): keyof typeof places => {
    if (operation.kind === 'allReduce') return 'reductions';
    const touched = [...operation.inputs, ...operation.outputs];
    return touched.some((tensor) => columns.has(tensor) || partial.has(tensor)) ? 'columns' : 'whole';
  };
  /** When each tensor was last written and read: phase · 3 + place. */
  const writes = new Map<Tensor, number>();
  const reads = new Map<Tensor, number>();
  const phases: Cut[] = [];
  for (const operation of operations) {
    const read = [...operation.inputs, ...readOutputs(operation)];
    const before = [
      ...read.map((tensor) => writes.get(tensor)),
      ...operation.outputs.flatMap((tensor) => [writes.get(tensor), reads.get(tensor)]),
    ];
    const earliest = Math.max(0, ...before.map((time) => time ?? 0));
    const place = placeOf(operation);
    // The first time at this place that is not before what it waits for; reductions of a phase wait for each other.
    let time = Math.floor(earliest / 3) * 3 + places[place];
    if (time < earliest) time += 3;
    for (const tensor of read) reads.set(tensor, Math.max(time, reads.get(tensor) ?? 0));
    for (const tensor of operation.outputs) writes.set(tensor, time);
    const phase = Math.floor(time / 3);
    while (phases.length <= phase) phases.push({ whole: [], columns: [], reductions: [] });
    if (operation.kind === 'allReduce')
      phases[phase].reductions.push({ from: operation.inputs[0], to: operation.outputs[0], by: operation.attributes.by });
    else phases[phase][place as 'whole' | 'columns'].push(operation);
  }
  return phases;
}

/** Transients that are written in one part of a phase and read in another: they have to outlive a section. */
function crossingIn(phases: readonly Cut[]): Set<Tensor> {
  const home = new Map<Tensor, object>();
  const crossing = new Set<Tensor>();
  const meet = (tensor: Tensor, part: object) => {
    if (home.has(tensor) && home.get(tensor) !== part) crossing.add(tensor);
    home.set(tensor, part);
  };
  for (const { whole, columns, reductions } of phases) {
    for (const part of [whole, columns])
      for (const { inputs, outputs } of part) for (const tensor of [...inputs, ...outputs]) meet(tensor, part);
    for (const { from, to } of reductions) for (const tensor of [from, to]) crossing.add(tensor);
  }
  return crossing;
}

/** Parts of sums that are read in the columns of another phase than the one that they were made in. */
function carriedIn(phases: readonly Cut[], partial: ReadonlySet<Tensor>, tensorOf: (given: Tensor) => Tensor): Set<Tensor> {
  const carried = new Set<Tensor>();
  for (const { columns } of phases) {
    const made = new Set(columns.flatMap(({ outputs }) => outputs));
    for (const { inputs } of columns)
      for (const tensor of inputs) if (partial.has(tensor) && !made.has(tensor)) carried.add(tensorOf(tensor));
  }
  return carried;
}
