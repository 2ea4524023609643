/**
 * Panels of tensors that are larger than one binding. A panel is a run of rows, and a tensor with a buffer of its own. Where the rows
 * cannot be split or are too long, it is a run of columns. Restarts lie in a panel as they lie in a tensor.
 */
import { LimitError } from '../../errors.js';
import { type Axis, axisNames } from '../../graph/operations/definition.js';
import { shapeText, type Tensor } from '../../graph/tensor.js';
import { byteLength } from '../layout/layout.js';
import { type FusedProgram, spreadOf } from '../steps/step.js';

/** Indices first … first + size − 1 of an axis. */
export interface Range {
  readonly first: number;
  readonly size: number;
}

/** Rows and columns of a tensor of the program, as a tensor. */
export interface Piece extends Tensor {
  readonly whole: Tensor;
  readonly firstRow: number;
  readonly firstCol: number;
}

export interface Panelled {
  readonly axis: Axis;
  readonly panels: readonly Piece[];
}

/**
 * Panels begin at multiples of 16. An offset into a buffer is a multiple of 256 bytes, and a row takes a multiple of 16 bytes. A range of
 * columns starts at a vec4. A row of one tensor may be a column of another, so both have the same multiple.
 */
export const granule = 16;

/** The most bytes of a storage binding. */
export function bindingLimit({ maxStorageBinding, maxBufferSize }: { maxStorageBinding: number; maxBufferSize: number }): number {
  return Math.min(maxStorageBinding, maxBufferSize);
}

export function pieceOf(whole: Tensor, rows: Range, cols: Range): Piece {
  const name = `${whole.name}[${rows.first}:${rows.first + rows.size}, ${cols.first}:${cols.first + cols.size}]`;
  const entries = rows.size * cols.size;
  return { ...whole, name, rows: rows.size, cols: cols.size, entries, whole, firstRow: rows.first, firstCol: cols.first };
}

/** The row of a program's tensor that a tensor of a dispatch starts at. */
export function firstRowOf(tensor: Tensor | Piece): number {
  return 'firstRow' in tensor ? tensor.firstRow : 0;
}

/** The column, likewise. */
export function firstColOf(tensor: Tensor | Piece): number {
  return 'firstCol' in tensor ? tensor.firstCol : 0;
}

/**
 * The tensors of a program that exceed `limit` bytes, each with its panels. Panels are rows where they can be, since rows of any buffer
 * are a view and ranges of columns a copy. Where one tensor has to go by columns, all tensors with as many columns do, too, with the same
 * panels: otherwise X would be copied wherever it meets an S in panels of other columns. Throws LimitError for a tensor that cannot be
 * split.
 */
export function planPanels(program: FusedProgram, limit: number): Map<Tensor, Panelled> {
  // Of a transient that fusion did away with only the name is left.
  const used = new Set(
    Object.values(program.sections).flatMap((operations) => operations.flatMap(({ inputs, outputs }) => [...inputs, ...outputs])),
  );
  const exists = (tensor: Tensor) => tensor.form === 'dense' && (tensor.role !== 'transient' || used.has(tensor));
  const large = program.tensors.filter((tensor) => exists(tensor) && byteLength(tensor) > limit);
  const options = large.map((tensor) => optionsFor(program, tensor, limit));
  const split = new Set(options.filter(({ rows }) => !rows).map(({ tensor }) => tensor.cols));
  const byColumns = options.filter(({ tensor, rows, cols }) => !rows || (cols && split.has(tensor.cols)));
  return new Map(
    options.map((own): [Tensor, Panelled] => {
      const { tensor, rows } = own;
      if (!byColumns.includes(own)) return [tensor, panelsOf(tensor, 'rows', rows!)];
      const together = byColumns.filter((other) => other.tensor.cols === tensor.cols);
      return [tensor, panelsOf(tensor, 'cols', Math.min(...together.map(({ cols }) => cols!)))];
    }),
  );
}

/** The most rows and the most columns of a panel, where a tensor can be split along them. */
interface Options {
  readonly tensor: Tensor;
  readonly rows?: number;
  readonly cols?: number;
}

function optionsFor(program: FusedProgram, tensor: Tensor, limit: number): Options {
  const sizes: Partial<Record<Axis, number>> = {};
  for (const axis of axisNames) {
    const size = Math.floor(limit / byteLength(along(tensor, axis, { first: 0, size: granule }))) * granule;
    if (size > 0 && refusing(program, tensor, axis).length === 0) sizes[axis] = size;
  }
  if (!sizes.rows && !sizes.cols) throw new LimitError(refusal(program, tensor, limit));
  return { tensor, ...sizes };
}

function panelsOf(tensor: Tensor, axis: Axis, size: number): Panelled {
  const length = tensor[axis];
  const cuts = Array.from({ length: Math.ceil(length / size) }, (_, i) => i * size);
  return { axis, panels: rangesBetween(cuts, length).map((range) => along(tensor, axis, range)) };
}

/** A run of rows or of columns. */
function along(tensor: Tensor, axis: Axis, range: Range): Piece {
  const full = { first: 0, size: tensor[axis === 'rows' ? 'cols' : 'rows'] };
  return axis === 'rows' ? pieceOf(tensor, range, full) : pieceOf(tensor, full, range);
}

/** The ranges into which cuts divide an axis. */
export function rangesBetween(cuts: readonly number[], length: number): Range[] {
  const starts = [0, ...[...new Set(cuts)].filter((at) => at > 0 && at < length).sort((a, b) => a - b)];
  return starts.map((first, i) => ({ first, size: (starts[i + 1] ?? length) - first }));
}

/** The kinds of operations that need an axis of a tensor whole. */
function refusing(program: FusedProgram, tensor: Tensor, axis: Axis): string[] {
  const kinds = new Set<string>();
  for (const operation of Object.values(program.sections).flat()) {
    const { inputs, outputs } = spreadOf(operation);
    const needsWhole = (tensors: readonly Tensor[], axes: typeof inputs) => tensors.some((own, i) => own === tensor && !axes[i][axis]);
    if (needsWhole(operation.inputs, inputs) || needsWhole(operation.outputs, outputs))
      kinds.add(operation.kind === 'fusedProduct' ? 'matmul' : operation.kind);
  }
  return [...kinds];
}

function refusal(program: FusedProgram, tensor: Tensor, limit: number): string {
  const size = `${tensor.name} of program ${program.name} (${shapeText(tensor)}) takes ${mebibytes(byteLength(tensor))}, but this device binds ${mebibytes(limit)} at once (maxStorageBufferBindingSize, maxBufferSize)`;
  const [ofRows, ofColumns] = axisNames.map((axis) => {
    const kinds = refusing(program, tensor, axis);
    const label = axis === 'rows' ? 'rows' : 'columns';
    if (kinds.length > 0) return `${kinds.join(', ')} need${kinds.length === 1 ? 's' : ''} all of its ${label}`;
    const least = byteLength(along(tensor, axis, { first: 0, size: granule }));
    return `a panel of ${granule} ${label} takes ${mebibytes(least)} already`;
  });
  return `${size}. It cannot be split: ${ofRows}, and ${ofColumns}. Use ${tensor.batch > 1 ? 'fewer restarts, ' : ''}a smaller matrix, smaller ranks, or a device with larger buffers.`;
}

export function mebibytes(bytes: number): string {
  const value = bytes / 2 ** 20;
  return value >= 0.1 ? `${value.toFixed(1)} MiB` : `${bytes} bytes`;
}
