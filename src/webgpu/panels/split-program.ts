/**
 * A program with tensors in panels (panels.ts), as the same program over panels. Every operation on such a tensor is done in parts. Each
 * part is an ordinary operation, so lowering and kernels know nothing of panels. A part reads and writes
 *
 *     a panel            as it stands
 *     rows of a buffer   as a view: a binding with an offset, no copy
 *     columns of one     through a transient that `copyColumns` fills or empties
 *
 * Sums over panels are added up in the order of the panels, so results do not differ between runs.
 */
import type { Flow } from '../../graph/lifetimes.js';
import type { Axes, Index } from '../../graph/operations/definition.js';
import { type Operation, type OperationOf, readOutputs } from '../../graph/operations.js';
import type { Tensor } from '../../graph/tensor.js';
import { placeOf, type View } from '../layout/layout.js';
import {
  type ColumnCopy,
  type FusedOperation,
  type FusedProduct,
  type FusedProgram,
  type Spread,
  type Step,
  spreadOf,
} from '../steps/step.js';
import { granule, type Panelled, type Piece, pieceOf, type Range, rangesBetween } from './panels.js';

export interface SplitProgram {
  readonly name: string;
  readonly sections: Readonly<Record<string, readonly Step[]>>;
}

/** `fits` says whether the scratch memory that an operation of a section asks for can be bound. */
export function splitProgram(
  { name, tensors, sections }: FusedProgram,
  panelled: ReadonlyMap<Tensor, Panelled>,
  fits: (operation: Operation, section: string) => boolean,
): SplitProgram {
  let made = tensors.length;
  const fresh = (label: string, rows: number, cols: number, batch: number): Tensor => {
    return { id: made++, name: label, role: 'transient', form: 'dense', rows, cols, batch, entries: rows * cols };
  };
  const split = ([section, operations]: [string, readonly FusedOperation[]]) => {
    const scratchFits = (operation: Operation) => fits(operation, section);
    const steps = operations.flatMap((operation) => splitOperation(operation, { panelled, fits: scratchFits, fresh, steps: [] }));
    return [section, steps] as const;
  };
  return { name, sections: Object.fromEntries(Object.entries(sections).map(split)) };
}

/** The buffers that the steps read and write. A view lives as long as its buffer. */
export function buffersOf({ name, sections }: SplitProgram): Flow {
  const holders = (tensors: readonly Tensor[]) => tensors.map((tensor) => placeOf(tensor).holder);
  const flowOf = ({ inputs, outputs }: Step) => ({ inputs: holders(inputs), outputs: holders(outputs) });
  return { name, sections: Object.fromEntries(Object.entries(sections).map(([section, steps]) => [section, steps.map(flowOf)])) };
}

interface Splitting {
  panelled: ReadonlyMap<Tensor, Panelled>;
  fits(operation: Operation): boolean;
  fresh(label: string, rows: number, cols: number, batch: number): Tensor;
  /** The steps written so far. */
  steps: Step[];
}

/** The place of a part of an operation: a range of each index. */
type Part = Partial<Record<Index, Range>>;

function splitOperation(operation: FusedOperation, s: Splitting): Step[] {
  const touched = [...operation.inputs, ...operation.outputs].some((tensor) => s.panelled.has(tensor));
  const given = operation.kind === 'gram' && touched ? asProduct(operation) : operation;
  const spread = spreadOf(given);
  const cuts = cutsOf(given, spread, s.panelled);
  if (given.kind === 'residualNorm' && given.inputs[0].form === 'dense') cuts.i = finer(given, spread, cuts, s);
  const i = rangesOf('i', given, spread, cuts);
  const j = rangesOf('j', given, spread, cuts);
  const t = rangesOf('t', given, spread, cuts);
  const parts: Part[] = i.flatMap((ofI) => j.map((ofJ) => ({ i: ofI, j: ofJ })));
  if (!touched && parts.length === 1) return [operation];
  if (given.kind === 'matmul' || given.kind === 'fusedProduct') for (const part of parts) productPart(given, spread, part, t, s);
  else if (given.kind === 'residualNorm' || given.kind === 'reduce') total(given, spread, parts, s);
  else for (const part of parts) partOf(given, spread, part, s);
  return s.steps;
}

/** AᵀA and AAᵀ with both factors named, since parts of them may be different parts of A. */
function asProduct({ inputs: [A], outputs, attributes }: OperationOf<'gram'>): OperationOf<'matmul'> {
  const ofColumns = attributes.of === 'columns';
  const product = { transposeA: ofColumns, transposeB: !ofColumns, scale: 1, epilogue: 'none', addScale: 1 } as const;
  return { kind: 'matmul', inputs: [A, A], outputs, attributes: product };
}

/** Every operand with the axes it is spread over. */
function operandsOf({ inputs, outputs }: FusedOperation, spread: Spread): [Tensor, Axes][] {
  return [
    ...inputs.map((tensor, i): [Tensor, Axes] => [tensor, spread.inputs[i]]),
    ...outputs.map((tensor, i): [Tensor, Axes] => [tensor, spread.outputs[i]]),
  ];
}

/** Where each index has to be cut, so that no part reaches over two panels of an operand. */
function cutsOf(operation: FusedOperation, spread: Spread, panelled: Splitting['panelled']): Partial<Record<Index, number[]>> {
  const cuts: Partial<Record<Index, number[]>> = {};
  for (const [tensor, axes] of operandsOf(operation, spread)) {
    const found = panelled.get(tensor);
    const index = found && axes[found.axis];
    if (!found || !index) continue;
    cuts[index] = [...(cuts[index] ?? []), ...found.panels.map(({ firstRow, firstCol }) => (found.axis === 'rows' ? firstRow : firstCol))];
  }
  return cuts;
}

function rangesOf(index: Index, operation: FusedOperation, spread: Spread, cuts: Partial<Record<Index, number[]>>): Range[] {
  for (const [tensor, axes] of operandsOf(operation, spread)) {
    if (axes.rows === index) return rangesBetween(cuts[index] ?? [], tensor.rows);
    if (axes.cols === index) return rangesBetween(cuts[index] ?? [], tensor.cols);
  }
  return [{ first: 0, size: 1 }];
}

/** Cuts of the rows of a residual such that the squares of every part can be bound: they take a quarter of X, once per restart. */
function finer(operation: OperationOf<'residualNorm'>, spread: Spread, cuts: Partial<Record<Index, number[]>>, s: Splitting): number[] {
  const [j] = rangesOf('j', operation, spread, cuts);
  const fits = (i: Range) => {
    const inputs = operation.inputs.map((tensor, n) => pieceOf(tensor, ...regionOf(tensor, spread.inputs[n], { i, j })));
    return s.fits({ ...operation, inputs });
  };
  const halve = ({ first, size }: Range): number[] => {
    // 32 rows of 16-bit floats take a multiple of the 256 bytes that a view may begin at.
    if (size <= 2 * granule || fits({ first, size })) return [first];
    const half = Math.ceil(size / 4 / granule) * 2 * granule;
    return [...halve({ first, size: half }), ...halve({ first: first + half, size: size - half })];
  };
  return rangesOf('i', operation, spread, cuts).flatMap(halve);
}

/** Rows and columns of a tensor that a part of an operation meets. */
function regionOf(tensor: Tensor, axes: Axes, part: Part): [rows: Range, cols: Range] {
  const rows = (axes.rows && part[axes.rows]) ?? { first: 0, size: tensor.rows };
  const cols = (axes.cols && part[axes.cols]) ?? { first: 0, size: tensor.cols };
  return [rows, cols];
}

/** The tensor or panel whose buffer holds rows of a tensor, or a view of these rows in it; and the first of its columns. */
function rowsHeld(tensor: Tensor, rows: Range, cols: Range, s: Splitting): { held: Tensor; firstCol: number } {
  const found = s.panelled.get(tensor);
  const panel = found?.panels.find(
    (own) =>
      own.firstRow <= rows.first &&
      rows.first < own.firstRow + own.rows &&
      own.firstCol <= cols.first &&
      cols.first < own.firstCol + own.cols,
  );
  const holder = panel ?? tensor;
  const fromRow = rows.first - (panel?.firstRow ?? 0);
  const firstCol = panel?.firstCol ?? 0;
  if (rows.size === holder.rows) return { held: holder, firstCol };
  const view: View & Piece = { ...pieceOf(tensor, rows, { first: firstCol, size: holder.cols }), viewOf: holder, fromRow };
  return { held: view, firstCol };
}

function copyColumns(from: Tensor, fromCol: number, to: Tensor, toCol: number, cols: number): ColumnCopy {
  return { kind: 'copyColumns', inputs: [from], outputs: [to], attributes: { from: fromCol, to: toCol, cols } };
}

/** A part of an input. */
function read(tensor: Tensor, axes: Axes, part: Part, s: Splitting): Tensor {
  const [rows, cols] = regionOf(tensor, axes, part);
  const { held, firstCol } = rowsHeld(tensor, rows, cols, s);
  if (cols.size === held.cols) return held;
  const columns = s.fresh(pieceOf(tensor, rows, cols).name, rows.size, cols.size, tensor.batch);
  s.steps.push(copyColumns(held, cols.first - firstCol, columns, 0, cols.size));
  return columns;
}

/** A part of an output. Where it is no part of the output's buffer, steps fill it from there and bring it back. */
function write(tensor: Tensor, axes: Axes, part: Part, s: Splitting): { target: Tensor; before: Step[]; after: Step[] } {
  const [rows, cols] = regionOf(tensor, axes, part);
  const { held, firstCol } = rowsHeld(tensor, rows, cols, s);
  if (cols.size === held.cols) return { target: held, before: [], after: [] };
  const target = s.fresh(pieceOf(tensor, rows, cols).name, rows.size, cols.size, tensor.batch);
  const at = cols.first - firstCol;
  return { target, before: [copyColumns(held, at, target, 0, cols.size)], after: [copyColumns(target, 0, held, at, cols.size)] };
}

function partOf(operation: Operation, spread: Spread, part: Part, s: Splitting): void {
  const inputs = operation.inputs.map((tensor, n) => read(tensor, spread.inputs[n], part, s));
  const written = operation.outputs.map((tensor, n) => write(tensor, spread.outputs[n], part, s));
  if (readOutputs(operation).length > 0) s.steps.push(...written.flatMap(({ before }) => before));
  s.steps.push({ ...operation, inputs, outputs: written.map(({ target }) => target) } as Operation);
  s.steps.push(...written.flatMap(({ after }) => after));
}

/**
 * Part of a product: the sum over the parts of its inner index, each added to the one before by the epilogue of the product. An epilogue
 * that multiplies or updates needs the whole sum, and becomes an operation of its own.
 */
function productPart(
  operation: OperationOf<'matmul'> | FusedProduct,
  spread: Spread,
  part: Part,
  inner: readonly Range[],
  s: Splitting,
): void {
  const [A, B, E] = operation.inputs;
  const extra = E && read(E, spread.inputs[2], part, s);
  const { target, before, after } = write(operation.outputs[0], spread.outputs[0], part, s);
  if (operation.kind === 'fusedProduct') s.steps.push(...before);
  const { transposeA, transposeB, scale, addScale, epilogue } = operation.attributes;
  const plain = { transposeA, transposeB, scale, addScale, epilogue: 'none' } as const;
  const apart = inner.length > 1 && (operation.kind === 'fusedProduct' || epilogue === 'hadamard');
  let sum: Tensor | undefined;
  inner.forEach((t, n) => {
    const factors = [read(A, spread.inputs[0], { ...part, t }, s), read(B, spread.inputs[1], { ...part, t }, s)];
    const last = n === inner.length - 1 && !apart;
    const out = last ? target : s.fresh(`${target.name}+${n}`, target.rows, target.cols, target.batch);
    const outputs = [out];
    if (sum) s.steps.push({ kind: 'matmul', inputs: [...factors, sum], outputs, attributes: { ...plain, epilogue: 'add', addScale: 1 } });
    else if (extra && !apart) s.steps.push({ ...operation, inputs: [...factors, extra], outputs });
    else s.steps.push({ kind: 'matmul', inputs: factors, outputs, attributes: plain });
    sum = out;
  });
  if (apart) s.steps.push(multiplied(operation, sum!, extra, target));
  s.steps.push(...after);
}

function multiplied({ kind }: OperationOf<'matmul'> | FusedProduct, sum: Tensor, extra: Tensor, out: Tensor): Operation {
  const operands = { inputs: [sum, extra], outputs: [out] };
  return kind === 'matmul'
    ? { kind: 'hadamard', ...operands, attributes: {} }
    : { kind: 'multiplicativeUpdate', ...operands, attributes: { power: 1 } };
}

/** A sum or maximum over all entries: those of the parts side by side in a row, and then of that row. */
function total(operation: OperationOf<'residualNorm' | 'reduce'>, spread: Spread, parts: readonly Part[], s: Splitting): void {
  const [out] = operation.outputs;
  const results = s.fresh(`${out.name}+`, 1, 4 * parts.length, out.batch);
  parts.forEach((part, n) => {
    const result = s.fresh(`${out.name}+${n}`, 1, 1, out.batch);
    const inputs = operation.inputs.map((tensor, i) => read(tensor, spread.inputs[i], part, s));
    s.steps.push({ ...operation, inputs, outputs: [result] } as Operation, copyColumns(result, 0, results, 4 * n, 1));
  });
  const maximum = operation.kind === 'reduce' && (operation as OperationOf<'reduce'>).attributes.of === 'maxAbs';
  s.steps.push({ kind: 'reduce', inputs: [results], outputs: [out], attributes: { of: maximum ? 'maxAbs' : 'sum' } });
}
