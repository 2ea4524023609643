/**
 * Fusion: operations that one kernel can do together, before a program is lowered. What a program computes stays the same, and so does
 * its text: only the executor on a GPU sees the fused one.
 */
import type { Operation, OperationOf } from './operations.js';
import type { Program } from './program.js';
import type { Tensor } from './tensor.js';

export function fuse(program: Program): Program {
  const sections = Object.entries(program.sections).map(([label, operations]) => [label, fuseUpdates(withoutRepeats(operations))] as const);
  return { ...program, sections: Object.fromEntries(sections) };
}

/**
 * What was computed once is not computed again: a transient that another already holds, from the same operation on the same tensors with
 * no write to any of them in between, is read there instead (ZZᵀ in both the gradient and the metric, say).
 */
function withoutRepeats(operations: readonly Operation[]): Operation[] {
  const writes = new Map<Tensor, number>();
  for (const { outputs } of operations) for (const out of outputs) writes.set(out, (writes.get(out) ?? 0) + 1);
  const onceWritten = ({ outputs }: Operation) => outputs.length === 1 && outputs[0].role === 'transient' && writes.get(outputs[0]) === 1;
  const holder = new Map<Tensor, Tensor>();
  const known = new Map<string, Operation>();
  const kept: Operation[] = [];
  for (const original of operations) {
    const operation = { ...original, inputs: original.inputs.map((input) => holder.get(input) ?? input) } as Operation;
    const key = JSON.stringify([operation.kind, operation.inputs.map(({ id }) => id), operation.attributes]);
    const earlier = known.get(key);
    if (earlier && onceWritten(operation)) {
      holder.set(operation.outputs[0], earlier.outputs[0]);
      continue;
    }
    kept.push(operation);
    for (const [other, { inputs }] of known) if (operation.outputs.some((out) => inputs.includes(out))) known.delete(other);
    if (onceWritten(operation)) known.set(key, operation);
  }
  return kept;
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
