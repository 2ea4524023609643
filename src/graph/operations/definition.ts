/** The parts of an operation's definition. */
import type { Tensor } from '../tensor.js';

/** i and j are indices of results (of sums over all of X, those of X); sums run over t. */
export type Index = 'i' | 'j' | 't';

export const axisNames = ['rows', 'cols'] as const;
export type Axis = (typeof axisNames)[number];

/**
 * The index that each axis of an operand runs over. An axis that the operation needs whole is left out.
 * For C = A B, which is C[i,j] = Σ_t A[i,t] B[t,j], rows of A and C share i, columns of A and rows of B share t.
 * An operation can be done in parts of an index.
 */
export type Axes = { readonly [A in Axis]?: Index };

export const whole: Axes = {};
export const byEntry: Axes = { rows: 'i', cols: 'j' };
export const byRow: Axes = { rows: 'i' };
export const byColumn: Axes = { cols: 'j' };

export interface Input extends Axes {
  /** Whether it may be a CSR tensor. */
  readonly sparse?: true;
  /** Whether it is a tensor in coordinates. */
  readonly coordinates?: true;
  /** Whether it may be stored as 16-bit floats. */
  readonly half?: true;
}

export interface Output extends Axes {
  /** Whether its old entries are read before it is written. */
  readonly inPlace?: true;
}

/** Operands by name in their order; optional ones come last. A rule that depends on attributes is a function of them. */
export type Operands<Rule, A> = Readonly<Record<string, Rule | ((attributes: A) => Rule)>>;

/** An operation with attributes A. The program builder offers it as a function from P to R. */
export interface Definition<A extends object, P extends unknown[], R> {
  readonly inputs: Operands<Input, A>;
  readonly outputs: Operands<Output, A>;
  /** The printed form, from the names of its tensors. Default: 'out = kind(inputs)', with the output among them if it is in place. */
  text?(inputs: readonly string[], outputs: readonly string[], attributes: A): string;
  /** The shape rule: checks its operands and emits the operation. */
  write(w: Writer<A>, ...given: P): R;
}

/** Infers the attributes from the parameters of `write`, which TypeScript does if it is an arrow function. */
export function define<A extends object, P extends unknown[], R>(definition: Definition<A, P, R>): Definition<A, P, R> {
  return definition;
}

export type NoAttributes = Record<never, never>;

export interface Into {
  /** The tensor to write into. Default: a new transient. */
  into?: Tensor;
  /** The name of the new transient in the printed program. Default: a number after t. */
  name?: string;
}

/** The functions that shape rules use. A tensor that does not fit throws a ShapeError that names the operation and the tensor. */
export interface Writer<A> {
  /** The name of the program, for messages. */
  readonly program: string;
  /** The same operation under another name in messages. */
  called(label: string): Writer<A>;
  /** A writer for another operation that a shape rule makes besides. */
  as<B extends object>(kind: string): Writer<B>;
  requireShape(given: Tensor, rows: number, cols: number): void;
  /** Requires the batch that a result of `inputs` has. */
  requireBatch(given: Tensor, inputs: readonly Tensor[]): void;
  /** Requires G to be k×k for all columns of a k×M tensor, or k²×M with one for each. Returns whether it is the latter. */
  requireGram(G: Tensor, shape: Pick<Tensor, 'rows' | 'cols'>): boolean;
  /** A new transient, or `into` if its shape fits. It has the batch of the inputs. */
  output(inputs: readonly Tensor[], rows: number, cols: number, options?: Into): Tensor;
  /** Appends the operation to the section that is being written. */
  emit(inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A): void;
  /** Emits an operation with one output, and returns the output. */
  result(inputs: readonly Tensor[], rows: number, cols: number, attributes: A, options?: Into): Tensor;
}
