import { ShapeError } from '../errors.js';

/**
 * A named matrix of a program, rows × cols.
 *
 * - input: written by the host before a run, never by the program.
 * - state: lives across iterations (A, S, the step size); written by the host or by the program.
 * - transient: made and used within one section; its memory is shared with other transients.
 */
export interface Tensor {
  readonly id: number;
  readonly name: string;
  readonly role: 'input' | 'state' | 'transient';
  /** 'coo' is a tensor of several modes by the coordinates of its stored entries. */
  readonly form: 'dense' | 'csr' | 'coo';
  /** The sizes of the modes of one in coordinates. Its rows run over all modes but the last, its columns over the last. */
  readonly shape?: readonly number[];
  readonly rows: number;
  readonly cols: number;
  /** R for a tensor that every restart has its own copy of; 1 for one that all restarts share, as X usually is. */
  readonly batch: number;
  /** Whether it is the data of a fit. */
  readonly data?: boolean;
  /** Stored entries of a sparse tensor; rows·cols of a dense one. */
  readonly entries: number;
}

/** A tensor read as its transpose: `matmul(T(A), X)` is AᵀX. Nothing is moved. */
export interface Transposed {
  readonly transposed: Tensor;
}

export type Operand = Tensor | Transposed;

export function T(tensor: Tensor): Transposed {
  return { transposed: tensor };
}

export function operandOf(operand: Operand): { tensor: Tensor; transposed: boolean; rows: number; cols: number } {
  if ('transposed' in operand) {
    const tensor = operand.transposed;
    return { tensor, transposed: true, rows: tensor.cols, cols: tensor.rows };
  }
  return { tensor: operand, transposed: false, rows: operand.rows, cols: operand.cols };
}

/** "9×90", "9×90 ×8" with restarts. */
export function shapeText({ shape, rows, cols, batch }: Pick<Tensor, 'shape' | 'rows' | 'cols' | 'batch'>): string {
  return `${(shape ?? [rows, cols]).join('×')}${batch > 1 ? ` ×${batch}` : ''}`;
}

/** The batch of an operation's result: R as soon as one operand has it. */
export function commonBatch(what: string, tensors: readonly Tensor[]): number {
  let batch = 1;
  for (const { batch: own, name } of tensors) {
    if (own === 1 || own === batch) continue;
    if (batch !== 1)
      throw new ShapeError(`${what}: ${name} has a batch of ${own} where the other operands have ${batch}; use one batch or 1.`);
    batch = own;
  }
  return batch;
}
