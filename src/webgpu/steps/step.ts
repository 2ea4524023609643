/**
 * The steps of a program on a GPU: its operations, operations that one dispatch does together, and copies that tensors in panels need.
 */
import { type Axes, whole } from '../../graph/operations/definition.js';
import { productText } from '../../graph/operations/products.js';
import { type Attributes, inputRule, type Operation, type OperationOf, outputRule, type Sweep } from '../../graph/operations.js';
import { operationText } from '../../graph/print.js';
import type { Program } from '../../graph/program.js';
import type { Tensor } from '../../graph/tensor.js';

export type Ending = 'update' | Sweep;

/**
 * A product and the operation that alone reads it, which updates F as the product is stored. Only fuse.ts makes it.
 *
 * - 'update': F ← F ∘ product / E. Inputs A, B, E; output F in place.
 * - A sweep: halsUpdate of F with the product as B. Inputs A, B, G; output F in place.
 */
export interface FusedProduct {
  readonly kind: 'fusedProduct';
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes<'matmul'> & { readonly ending: Ending };
}

export type FusedOperation = Operation | FusedProduct;

/** A program of which some operations are fused. */
export interface FusedProgram extends Omit<Program, 'sections'> {
  readonly sections: Readonly<Record<string, readonly FusedOperation[]>>;
}

/** Copies `cols` columns of the input, from column `from` on, to column `to` of the output. Columns start at multiples of 4. */
export interface ColumnCopy {
  readonly kind: 'copyColumns';
  readonly inputs: readonly [Tensor];
  readonly outputs: readonly [Tensor];
  readonly attributes: { readonly from: number; readonly to: number; readonly cols: number };
}

/**
 * Up to three keepAccepted of one control vector in a dispatch: state ← accepted ? trial : state.
 * Inputs are control and the trials; outputs are the states.
 */
export interface KeepTogether {
  readonly kind: 'keepTogether';
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** scale · op(A) op(B), or scale · A without a B. */
export interface Term {
  readonly A: Tensor;
  readonly B?: Tensor;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly scale: number;
}

export interface Sum {
  readonly out: Tensor;
  readonly terms: readonly Term[];
}

/** Small sums in one dispatch, none of which reads another. Inputs are all tensors that their terms read. Only sums.ts makes it. */
export interface ProductSums {
  readonly kind: 'productSums';
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: { readonly sums: readonly Sum[] };
}

/**
 * out = ‖X − AZ‖² = ‖X‖² − ⟨Z, B + H⟩ where that is large enough beside ‖X‖² (see planGramResidual), else by reading X. Inputs are X, A, Z,
 * B = AᵀX, H = B − (AᵀA) Z and the squared norms of the columns of X. Only gram-residual.ts makes it.
 */
export interface GramResidual {
  readonly kind: 'gramResidual';
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** That of residualNorm. */
  readonly attributes: { readonly fall: number };
}

export type Step = FusedOperation | ColumnCopy | KeepTogether | ProductSums | GramResidual;

/** The axes of every operand of an operation. */
export interface Spread {
  readonly inputs: readonly Axes[];
  readonly outputs: readonly Axes[];
}

export function spreadOf(operation: FusedOperation): Spread {
  const { inputs, outputs } = operation;
  // Sparse tensors are one piece, and with them everything they meet.
  if (inputs.some(({ form }) => form !== 'dense')) return { inputs: inputs.map(() => whole), outputs: outputs.map(() => whole) };
  const own = operation.kind === 'fusedProduct' ? productOf(operation) : operation;
  return { inputs: inputs.map((_, at) => inputRule(own, at)), outputs: outputs.map((_, at) => outputRule(own, at)) };
}

/** The product alone. It is spread as the fused one, whose ending goes entry by entry where anything is split. */
function productOf({ inputs, outputs, attributes }: FusedProduct): OperationOf<'matmul'> {
  return { kind: 'matmul', inputs, outputs, attributes };
}

export function stepText(step: Step): string {
  const [out] = step.outputs;
  const names = step.inputs.map(({ name }) => name);
  switch (step.kind) {
    case 'copyColumns':
      return `${out.name} = columns of ${names[0]}`;
    case 'keepTogether':
      return step.outputs.map(({ name }, i) => `${name} = keepAccepted(${names[i + 1]}, ${names[0]}, ${name})`).join('; ');
    case 'gramResidual':
      return `${out.name} = ‖${names[0]} − ${names[1]} ${names[2]}‖² = ‖${names[0]}‖² − ⟨${names[2]}, ${names[3]} + ${names[4]}⟩ where rounding allows`;
    case 'productSums':
      return step.attributes.sums.map(sumText).join('; ');
    case 'fusedProduct': {
      const { ending, ...product } = step.attributes;
      const text = productText(names, product);
      if (ending === 'update') return `${out.name} = ${out.name} ∘ (${text}) / ${names[2]}`;
      return `${out.name} = hals of ${ending.of}(${names[2]}, ${text}, ${out.name})`;
    }
    default:
      return operationText(step);
  }
}

/** S1 = A1ᵀ A1 - 2 Z. */
function sumText({ out, terms }: Sum): string {
  const texts = terms.map(({ A, B, transposeA, transposeB, scale }, i) => {
    const sign = scale < 0 ? (i === 0 ? '-' : '- ') : i === 0 ? '' : '+ ';
    const size = Math.abs(scale) === 1 ? '' : `${Math.abs(scale)} `;
    return `${sign}${size}${A.name}${transposeA ? 'ᵀ' : ''}${B ? ` ${B.name}${transposeB ? 'ᵀ' : ''}` : ''}`;
  });
  return `${out.name} = ${texts.join(' ')}`;
}
