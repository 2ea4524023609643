/**
 * Programs whose data come by columns: on several processes, or in one panel after another. Given A the columns of X are independent, so
 * what an iteration needs of all of them are sums. `byColumns` finds which tensors go by columns of X, and where such sums become whole:
 * there it writes `allReduce`. A sum is left in parts as long as only sums are made of it, so that few numbers are brought together.
 */
import { ShapeError } from '../errors.js';
import type { Axes, Axis, Index } from './operations/definition.js';
import { inputRule, type Operation, type OperationOf, outputRule } from './operations.js';
import type { Program } from './program.js';
import type { Tensor } from './tensor.js';

export interface ColumnProgram {
  /** The same program with allReduce in it. On one process it computes the same. */
  readonly program: Program;
  /** The axis of a tensor that runs over the columns of X. */
  readonly columns: ReadonlyMap<Tensor, Axis>;
  /** Sums and maxima of which a process has a part. */
  readonly partial: ReadonlySet<Tensor>;
}

/** The index that each operand's axes run over. */
interface Operands {
  readonly inputs: readonly Axes[];
  readonly outputs: readonly Axes[];
}

/**
 * @param X The tensor whose columns are shared out.
 * @throws ShapeError for an operation that needs all columns at once.
 */
export function byColumns(program: Program, X: Tensor): ColumnProgram {
  const columns = columnsIn(program, X);
  const tensors = [...program.tensors];
  const partial = new Set<Tensor>();
  const fresh = (like: Tensor, name: string): Tensor => {
    const { rows, cols, batch } = like;
    const made: Tensor = { id: tensors.length, name, role: 'transient', form: 'dense', rows, cols, batch, entries: rows * cols };
    tensors.push(made);
    return made;
  };
  const sections = Object.fromEntries(
    Object.entries(program.sections).map(([name, operations]) => [
      name,
      withReductions(operations, { program: program.name, columns, partial, fresh }),
    ]),
  );
  return { program: { ...program, tensors, sections }, columns, partial };
}

/** The axes of an operation's operands. Those of sums over a sparse X are as of a dense one. */
function axesOf(operation: Operation): Operands {
  const { kind, inputs, outputs } = operation;
  const axes = {
    inputs: inputs.map((_, at): Axes => inputRule(operation, at)),
    outputs: outputs.map((_, at): Axes => outputRule(operation, at)),
  };
  // Its inputs after Z are AᵀA and ZZᵀ: see takesPart.
  if (kind === 'residualNorm' && inputs[0].form !== 'dense') axes.inputs = [...axes.inputs.slice(0, 3), {}, {}];
  return axes;
}

/** ZZᵀ in the residual of a sparse X: the residual of some columns is made of the ZZᵀ of the same columns. */
const takesPart = ({ kind, inputs }: Operation, at: number) => kind === 'residualNorm' && inputs[0].form !== 'dense' && at === 4;

const indicesOf = ({ rows, cols }: Axes): (Index | undefined)[] => [rows, cols];

/** The index of an operation that runs over columns of X. */
function columnIndex(operation: Operation, columns: ReadonlyMap<Tensor, Axis>): Index | undefined {
  const { inputs, outputs } = axesOf(operation);
  for (const [tensors, axes] of [
    [operation.inputs, inputs],
    [operation.outputs, outputs],
  ] as const)
    for (const [at, tensor] of tensors.entries()) {
      const axis = columns.get(tensor);
      const index = axis && axes[at][axis];
      if (index) return index;
    }
  return undefined;
}

/** Every tensor that runs over columns of X, found from X on until no operation tells of another one. */
function columnsIn({ name, sections }: Program, X: Tensor): Map<Tensor, Axis> {
  const columns = new Map<Tensor, Axis>([[X, 'cols']]);
  const all = Object.values(sections).flat();
  for (let known = 0; known !== columns.size; ) {
    known = columns.size;
    for (const operation of all) {
      const index = columnIndex(operation, columns);
      if (!index) continue;
      const { inputs, outputs } = axesOf(operation);
      const meet = (tensor: Tensor, axes: Axes) => {
        for (const axis of ['rows', 'cols'] as const) {
          if (axes[axis] !== index) continue;
          if (columns.has(tensor) && columns.get(tensor) !== axis)
            throw new ShapeError(
              `Program ${name}: both axes of ${tensor.name} run over the columns of ${X.name}, so it cannot go by columns.`,
            );
          columns.set(tensor, axis);
        }
      };
      // Of a Gram matrix the one operand is both factors.
      operation.inputs.forEach((tensor, at) => {
        meet(tensor, inputs[at]);
      });
      operation.outputs.forEach((tensor, at) => {
        meet(tensor, outputs[at]);
      });
    }
  }
  for (const operation of all) refuseWhole(name, operation, columns);
  return columns;
}

/** Throws ShapeError where an operation needs all columns of a tensor at once. */
function refuseWhole(program: string, operation: Operation, columns: ReadonlyMap<Tensor, Axis>): void {
  const { inputs, outputs } = axesOf(operation);
  const check = (tensor: Tensor, axes: Axes) => {
    const axis = columns.get(tensor);
    if (axis === undefined || axes[axis] !== undefined) return;
    throw new ShapeError(`Program ${program}: ${operation.kind} needs all columns of ${tensor.name} at once, so it cannot go by columns.`);
  };
  operation.inputs.forEach((tensor, at) => {
    check(tensor, inputs[at]);
  });
  operation.outputs.forEach((tensor, at) => {
    check(tensor, outputs[at]);
  });
}

interface Writing {
  program: string;
  columns: ReadonlyMap<Tensor, Axis>;
  partial: Set<Tensor>;
  fresh(like: Tensor, name: string): Tensor;
}

/** A sum in parts: the tensor that holds the part of this process, how parts are joined, and the whole where it was made already. */
interface Part {
  held: Tensor;
  by: 'sum' | 'max';
  whole?: Tensor;
}

/** The operations of a section, with allReduce where a sum has to be whole. */
function withReductions(operations: readonly Operation[], { program, columns, partial, fresh }: Writing): Operation[] {
  const written: Operation[] = [];
  /** By the tensor of the given program. */
  const parts = new Map<Tensor, Part>();
  const join = (part: Part, into: Tensor) => {
    written.push({ kind: 'allReduce', inputs: [part.held], outputs: [into], attributes: { by: part.by } });
    part.whole = into;
  };
  const wholeOf = (tensor: Tensor): Tensor => {
    const part = parts.get(tensor);
    if (!part) return tensor;
    if (!part.whole) join(part, fresh(tensor, `${tensor.name}All`));
    return part.whole!;
  };
  const heldOf = (tensor: Tensor) => parts.get(tensor)?.held ?? tensor;
  const isPart = (tensor: Tensor) => parts.has(tensor);
  /** Writes an operation whose result is a part of a sum. */
  const emitPart = (operation: Operation, inputs: readonly Tensor[], by: Part['by']) => {
    const [out] = operation.outputs;
    const held = out.role === 'transient' ? out : fresh(out, `${out.name}Part`);
    written.push({ ...operation, inputs, outputs: [held] } as Operation);
    partial.add(held);
    parts.set(out, { held, by });
    if (out.role !== 'transient') {
      join(parts.get(out)!, out);
      parts.delete(out);
    }
  };
  for (const operation of operations) {
    const { inputs, outputs } = operation;
    const index = columnIndex(operation, columns);
    const axes = axesOf(operation);
    const sums = index !== undefined && !axes.outputs.some((own) => indicesOf(own).includes(index));
    const product = productOf(operation);
    if (sums) {
      // A whole term beside a sum would count once for every process.
      const added = product?.attributes.epilogue === 'add' ? product.inputs[2] : undefined;
      if (added && !isPart(added)) {
        const [out] = outputs;
        const sum = fresh(out, `${out.name}Sum`);
        emitPart(
          { ...product!, inputs: inputs.slice(0, 2), outputs: [sum], attributes: { ...product!.attributes, epilogue: 'none' } },
          inputs.slice(0, 2).map(wholeOf),
          'sum',
        );
        const { addScale } = product!.attributes;
        written.push({ kind: 'combine', inputs: [wholeOf(sum), added], outputs: [out], attributes: { scale: 1, otherScale: addScale } });
        parts.delete(out);
        continue;
      }
      const given = inputs.map((tensor, at) => (tensor === added || takesPart(operation, at) ? heldOf(tensor) : wholeOf(tensor)));
      emitPart(operation, given, sumOf(program, operation));
    } else if (index === undefined && inputs.some(isPart) && staysPart(operation, isPart, parts)) {
      emitPart(operation, inputs.map(heldOf), parts.get(inputs.find(isPart)!)!.by);
    } else if (operation.kind === 'copy' && isPart(inputs[0])) {
      join({ ...parts.get(inputs[0])!, whole: undefined }, outputs[0]);
      parts.delete(outputs[0]);
    } else {
      written.push({ ...operation, inputs: inputs.map(wholeOf) } as Operation);
      for (const out of outputs) parts.delete(out);
    }
  }
  return written;
}

const productOf = (operation: Operation): OperationOf<'matmul'> | undefined => (operation.kind === 'matmul' ? operation : undefined);

/** How the parts of a result are joined that an operation makes of some of the columns. */
function sumOf(program: string, operation: Operation): 'sum' | 'max' {
  switch (operation.kind) {
    case 'reduce':
      return operation.attributes.of === 'maxAbs' ? 'max' : 'sum';
    case 'matmul':
    case 'gram':
    case 'residualNorm':
      return 'sum';
    default:
      throw new ShapeError(`Program ${program}: ${operation.kind} of some columns has no rule for all of them.`);
  }
}

/** Whether a result of sums in parts is one, too, as it is if the operation is linear in them. */
function staysPart(operation: Operation, isPart: (tensor: Tensor) => boolean, parts: ReadonlyMap<Tensor, Part>): boolean {
  const { kind, inputs, outputs } = operation;
  if (inputs.some((tensor) => parts.get(tensor)?.by === 'max') || outputs[0].role !== 'transient') return false;
  if (kind === 'transpose') return true;
  if (kind === 'combine') return inputs.every(isPart);
  if (kind !== 'matmul' || isPart(inputs[0]) === isPart(inputs[1])) return false;
  const { epilogue } = operation.attributes;
  return epilogue === 'none' || isPart(inputs[2]) === (epilogue === 'add');
}
