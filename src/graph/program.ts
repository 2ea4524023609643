/**
 * A program is a method written once over the vocabulary of operations.ts. It is plain data, prints as text, runs on both executors, and
 * reads like the formula that it implements. `programBuilder` checks every shape while the method is being written down.
 */
import { InputError, ShapeError } from '../errors.js';
import type { Definition, Into, Writer } from './operations/definition.js';
import { control, definitionOf, inputRule, type Operation, type OperationKind, operations, readOutputs } from './operations.js';
import { commonBatch, shapeText, type Tensor } from './tensor.js';

export interface Program {
  readonly name: string;
  /** R, the number of independent problems that run side by side. */
  readonly restarts: number;
  readonly tensors: readonly Tensor[];
  /** Named lists of operations; a run executes a section any number of times. */
  readonly sections: Readonly<Record<string, readonly Operation[]>>;
}

/** A function for every operation, with the parameters and the result that its definition gives it. */
type OperationWriters = { readonly [K in keyof typeof operations]: WriterOf<(typeof operations)[K]> };
type WriterOf<D> = D extends Definition<infer _A, infer P, infer R> ? (...given: P) => R : never;

export type ProgramBuilder = ReturnType<typeof programBuilder>;

export function programBuilder(name: string, { restarts = 1 }: { restarts?: number } = {}) {
  const tensors: Tensor[] = [];
  const sections: Record<string, Operation[]> = {};
  let current: Operation[] | undefined;

  function tensor(role: Tensor['role'], label: string, rows: number, cols: number, batch: number, form: Form = {}): Tensor {
    const made = tensorOf(name, { id: tensors.length, name: label, role, rows, cols, batch }, form);
    tensors.push(made);
    return made;
  }

  function writerFor(kind: OperationKind, label: string = kind): Writer<object> {
    const what = `${label} in program ${name}`;
    const w: Writer<object> = {
      program: name,
      called: (other) => writerFor(kind, other),
      as: (other) => writerFor(other as OperationKind),
      requireShape: (given, rows, cols) => requireShape(what, given, rows, cols),
      requireBatch(given, inputs) {
        const batch = commonBatch(label, inputs);
        if (given.batch === batch) return;
        throw new ShapeError(`${what}: ${given.name} is ${shapeText(given)}, but its batch must be ${batch}.`);
      },
      requireGram(G, { rows, cols }) {
        if (G.rows === rows && G.cols === rows) return false;
        requireShape(what, G, rows * rows, cols);
        return true;
      },
      output(inputs, rows, cols, { into, name: own }: Into = {}) {
        const batch = commonBatch(label, inputs);
        if (into === undefined) return tensor('transient', own ?? `t${tensors.length}`, rows, cols, batch);
        requireShape(what, into, rows, cols);
        if (into.batch === batch) return into;
        throw otherBatch(what, { rows, cols, batch }, into);
      },
      emit(inputs, outputs, attributes) {
        if (current === undefined) throw new InputError(`Program ${name}: ${kind} stands outside a section; wrap it in section(name, …).`);
        const operation = { kind, inputs, outputs, attributes } as Operation;
        checkOperands(name, operation);
        current.push(operation);
      },
      result(inputs, rows, cols, attributes, options) {
        const out = w.output(inputs, rows, cols, options);
        w.emit(inputs, [out], attributes);
        return out;
      },
    };
    return w;
  }

  const kinds = Object.keys(operations) as OperationKind[];
  const writers = Object.fromEntries(
    kinds.map((kind) => [kind, (...given: unknown[]) => definitionOf(kind).write(writerFor(kind), ...given)]),
  ) as unknown as OperationWriters;

  return {
    ...writers,
    name,
    restarts,
    /** Data of the host. `batched` gives every restart its own. `csrEntries` makes it a CSR matrix with so many stored entries. */
    input(label: string, rows: number, cols: number, options: { batched?: boolean; csrEntries?: number } = {}): Tensor {
      const { batched = false, csrEntries } = options;
      if (batched && csrEntries !== undefined)
        throw new ShapeError(`Program ${name}: the CSR tensor ${label} cannot differ between restarts; leave out batched.`);
      return tensor('input', label, rows, cols, batched ? restarts : 1, { csrEntries });
    },

    /** The matrix that a fit is of, for all restarts. An engine may store it in fewer bits (EngineOptions.halfInputs). */
    data(label: string, rows: number, cols: number, options: { csrEntries?: number } = {}): Tensor {
      return tensor('input', label, rows, cols, 1, { csrEntries: options.csrEntries, data: true });
    },

    /**
     * A tensor of several modes that a fit is of, for all restarts: dense as a matrix with all modes but the last over its rows and the last
     * over its columns, or with `cooEntries` by the coordinates of so many stored entries, for which it has two to six modes.
     */
    dataTensor(label: string, shape: readonly number[], { cooEntries }: { cooEntries?: number } = {}): Tensor {
      checkTensor(`Tensor ${label} of program ${name} is ${shape.join('×')}`, shape, cooEntries !== undefined);
      const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
      const coordinates = cooEntries === undefined ? undefined : { shape: [...shape], entries: cooEntries };
      return tensor('input', label, rows, shape[shape.length - 1], 1, { coordinates, data: true });
    },

    /** A tensor that lives across iterations, one per restart unless `shared`. */
    state: (label: string, rows: number, cols: number, options: { shared?: boolean } = {}) =>
      tensor('state', label, rows, cols, options.shared ? 1 : restarts),

    /** The control vector of projected steps (see `control`). */
    controlState: (label = 'control') => tensor('state', label, 1, control.length, restarts),

    /** Collects the operations that `write` calls, under a name. */
    section(label: string, write: () => void): void {
      if (sections[label] !== undefined) throw new InputError(`Program ${name} has two sections called ${label}.`);
      current = [];
      write();
      sections[label] = current;
      current = undefined;
    },

    /** The finished program. */
    build(): Program {
      for (const [label, operations] of Object.entries(sections)) checkDefined(name, label, operations);
      return { name, restarts, tensors, sections };
    },
  };
}

/** What a tensor is but a dense one. */
interface Form {
  csrEntries?: number;
  coordinates?: { shape: readonly number[]; entries: number };
  data?: true;
}

type Frame = Pick<Tensor, 'id' | 'name' | 'role' | 'rows' | 'cols' | 'batch'>;

function tensorOf(program: string, frame: Frame, { csrEntries, coordinates, data }: Form): Tensor {
  const { name, rows, cols } = frame;
  for (const size of [rows, cols]) {
    if (!Number.isInteger(size) || size < 1)
      throw new ShapeError(`Tensor ${name} of program ${program} is ${rows}×${cols}; both sizes must be positive integers.`);
  }
  const form = coordinates ? 'coo' : csrEntries === undefined ? 'dense' : 'csr';
  return { ...frame, form, entries: csrEntries ?? rows * cols, ...coordinates, ...(data && { data }) };
}

function checkTensor(what: string, shape: readonly number[], inCoordinates: boolean): void {
  if (shape.some((size) => !Number.isInteger(size) || size < 1)) throw new ShapeError(`${what}; all sizes must be positive integers.`);
  if (inCoordinates && (shape.length < 2 || shape.length > 6))
    throw new ShapeError(`${what}, of order ${shape.length}; in coordinates it has two to six modes.`);
}

function requireShape(what: string, given: Tensor, rows: number, cols: number): void {
  if (given.rows === rows && given.cols === cols) return;
  throw new ShapeError(`${what}: ${given.name} is ${given.rows}×${given.cols}, but ${rows}×${cols} is needed.`);
}

function checkOperands(program: string, operation: Operation): void {
  const { kind, inputs, outputs } = operation;
  for (const out of outputs) {
    if (out.role === 'input')
      throw new ShapeError(`Program ${program}: ${kind} writes the input ${out.name}; only states and transients may be written.`);
    if (inputs.includes(out)) throw new ShapeError(`Program ${program}: ${kind} reads and writes ${out.name}; give it another output.`);
  }
  inputs.forEach(({ name, form }, at) => {
    const { sparse, coordinates } = inputRule(operation, at);
    if (form === 'dense' || (form === 'csr' ? sparse : coordinates)) return;
    const what = form === 'csr' ? 'the CSR tensor' : 'the tensor in coordinates';
    throw new ShapeError(`Program ${program}: ${kind} has no rule for ${what} ${name}; its definition says which inputs may be sparse.`);
  });
}

/** A transient must be written before it is read, within its own section: memory of transients does not survive between sections. */
function checkDefined(program: string, section: string, operations: readonly Operation[]): void {
  const written = new Set<Tensor>();
  for (const operation of operations) {
    for (const input of [...operation.inputs, ...readOutputs(operation)]) {
      if (input.role === 'transient' && !written.has(input)) {
        throw new ShapeError(
          `Program ${program}, section ${section}: ${operation.kind} reads ${input.name} before anything wrote it; make it a state if it comes from elsewhere.`,
        );
      }
    }
    for (const out of operation.outputs) written.add(out);
  }
}

/** Of a result whose tensor has another number of restarts. */
function otherBatch(what: string, made: { rows: number; cols: number; batch: number }, into: Tensor): ShapeError {
  const way =
    made.batch === 1
      ? 'all its inputs are shared by the restarts, so make it { shared: true }'
      : 'an input is one for each restart, and so is the result';
  return new ShapeError(`${what} makes ${shapeText(made)}, but ${into.name} is ${shapeText(into)} (× restarts): ${way}.`);
}
