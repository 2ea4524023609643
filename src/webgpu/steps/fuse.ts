/** Fusion: operations that one kernel can do together, before a program is lowered. The results of a program stay the same. */
import type { Operation, OperationOf } from '../../graph/operations.js';
import type { Program } from '../../graph/program.js';
import type { Tensor } from '../../graph/tensor.js';
import type { Ending, FusedOperation, FusedProduct, FusedProgram } from './step.js';

export function fuse(program: Program): FusedProgram {
  const sections = Object.entries(program.sections).map(([label, operations]) => [label, fuseUpdates(withoutRepeats(operations))] as const);
  return { ...program, sections: Object.fromEntries(sections) };
}

/**
 * Nothing is computed twice: a transient that another already holds, from the same operation on the same tensors with
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

/** numerator = op(A) op(B), later F ← F ∘ numerator / denominator: the product updates F as it is stored. */
function fuseUpdates(operations: readonly Operation[]): FusedOperation[] {
  return joinProducts(operations, 'multiplicativeUpdate', 0, (product, { inputs, outputs, attributes }) =>
    attributes.power === 1 ? fused(product, inputs[1], outputs, 'update') : undefined,
  );
}

function fused({ inputs, attributes }: OperationOf<'matmul'>, other: Tensor, outputs: readonly Tensor[], ending: Ending): FusedProduct {
  return { kind: 'fusedProduct', inputs: [...inputs, other], outputs, attributes: { ...attributes, ending } };
}

/**
 * B = AᵀX, later a sweep of HALS over the columns of F, or B = X Sᵀ and one over its rows: a tile of the product that has all entries of
 * a column is swept before it is stored. Whether there is such a tile, and worth it, `runs` knows.
 */
export function fuseSweeps(program: FusedProgram, runs: (fused: FusedProduct, section: string) => boolean): FusedProgram {
  const sections = Object.entries(program.sections).map(([section, operations]) => {
    const joined = joinProducts(operations, 'halsUpdate', 1, (product, { inputs, outputs, attributes: { of, layer, perColumn } }) => {
      const { transposeA, transposeB, scale } = product.attributes;
      if (perColumn || scale !== 1 || transposeA !== (of === 'columns') || transposeB !== (of === 'rows')) return undefined;
      const both = fused(product, inputs[0], outputs, { of, layer });
      return runs(both, section) ? both : undefined;
    });
    return [section, joined] as const;
  });
  return { ...program, sections: Object.fromEntries(sections) };
}

/**
 * Products done together with the one operation that reads them, as its input number `place`, where `join` makes one operation of both:
 * then the transient between them never exists. It must have no other reader, and nothing may write the factors in between.
 */
function joinProducts<K extends 'multiplicativeUpdate' | 'halsUpdate'>(
  operations: readonly FusedOperation[],
  kind: K,
  place: number,
  join: (product: OperationOf<'matmul'>, reader: OperationOf<K>) => FusedProduct | undefined,
): FusedOperation[] {
  const gone = new Set<FusedOperation>();
  const joined = operations.map((operation, at) => {
    const product = operation.kind === kind ? productBefore(operations, at, operation.inputs[place]) : undefined;
    const both = product && join(product, operation as OperationOf<K>);
    if (!product || !both) return operation;
    gone.add(product);
    return both;
  });
  return joined.filter((operation) => !gone.has(operation));
}

/** The product that only the operation at `at` reads, if it could as well be formed there. */
function productBefore(operations: readonly FusedOperation[], at: number, product: Tensor): OperationOf<'matmul'> | undefined {
  const [F] = operations[at].outputs;
  const reads = operations.flatMap(({ inputs }) => inputs.filter((input) => input === product)).length;
  if (product.role !== 'transient' || product.batch !== F.batch || reads > 1) return undefined;
  const written = new Set<Tensor>();
  for (let i = at - 1; i >= 0; i--) {
    const operation = operations[i];
    if (operation.outputs.includes(product)) {
      const plain = operation.kind === 'matmul' && operation.attributes.epilogue === 'none';
      const steady = operation.inputs.every((input) => input !== F && !written.has(input));
      return plain && steady ? operation : undefined;
    }
    for (const out of operation.outputs) written.add(out);
  }
  return undefined;
}
