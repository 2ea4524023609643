/**
 * Fusion: operations that one kernel can do together, before a program is lowered. What a program computes stays the same, and so does
 * its text: only the executor on a GPU sees the fused one.
 */
import type { Operation, OperationOf } from './operations.js';
import type { Program } from './program.js';
import type { Tensor } from './tensor.js';

export function fuse(program: Program): Program {
  const sections = Object.entries(program.sections).map(([label, operations]) => [label, fuseUpdates(operations)] as const);
  return { ...program, sections: Object.fromEntries(sections) };
}

/**
 * numerator = op(A) op(B), later F ← F ∘ numerator / (denominator + ε): the product updates F as it is stored, and the numerator never
 * exists. It must have no other reader, and nothing may write A or B in between.
 */
function fuseUpdates(operations: readonly Operation[]): Operation[] {
  const fused: Operation[] = [];
  const gone = new Set<Operation>();
  operations.forEach((operation, at) => {
    const product = operation.kind === 'multiplicativeUpdate' ? numeratorOf(operations, at) : undefined;
    if (product === undefined || operation.kind !== 'multiplicativeUpdate') {
      fused.push(operation);
      return;
    }
    gone.add(product);
    fused.push({
      ...product,
      inputs: [...product.inputs, operation.inputs[1]],
      outputs: operation.outputs,
      attributes: { ...product.attributes, epilogue: 'update' },
    });
  });
  return fused.filter((operation) => !gone.has(operation));
}

function numeratorOf(operations: readonly Operation[], at: number): OperationOf<'matmul'> | undefined {
  const update = operations[at] as OperationOf<'multiplicativeUpdate'>;
  const [numerator] = update.inputs;
  const [F] = update.outputs;
  const reads = (tensor: Tensor) => operations.filter(({ inputs }) => inputs.includes(tensor)).length;
  if (update.attributes.power !== 1 || numerator.role !== 'transient' || numerator.batch !== F.batch || reads(numerator) > 1)
    return undefined;
  const written = new Set<Tensor>();
  for (let i = at - 1; i >= 0; i--) {
    const operation = operations[i];
    if (operation.outputs.includes(numerator)) {
      const plain = operation.kind === 'matmul' && operation.attributes.epilogue === 'none';
      const steady = operation.inputs.every((input) => input !== F && !written.has(input));
      return plain && steady ? operation : undefined;
    }
    for (const out of operation.outputs) written.add(out);
  }
  return undefined;
}
