import { checkContent } from '../data/content.js';
import type { SparseMatrix } from '../data/sparse.js';
import type { SparseTensor } from '../data/tensors.js';
import { disposeKey, type Engine, type Run } from '../engine.js';
import { AdapterError, DisposedError, InputError, ShapeError } from '../errors.js';
import type { Operation } from '../graph/operations.js';
import { printProgram } from '../graph/print.js';
import type { Program } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';
import { meanings } from './operations.js';
import type { Value } from './value.js';

/** The f64 reference executor: the same programs, on the CPU, slowly and exactly. */
export function createReferenceEngine(): Engine {
  let disposed = false;
  const dispose = () => {
    disposed = true;
  };
  return {
    kind: 'reference',
    description: 'f64 reference on the CPU',
    software: true,
    halfInputs: false,
    replacesDevice: false,
    liveBuffers: 0,
    async warmup() {
      if (disposed) throw new DisposedError('This engine was disposed; create another one.');
    },
    async tune() {
      throw new AdapterError('The f64 reference has no kernels to choose from; tune an engine on a WebGPU adapter.');
    },
    plan: ((program: Program, on?: object) =>
      on === undefined
        ? printProgram(program)
        : Promise.reject(
            new AdapterError('The f64 reference has no kernels to plan; costText(program, profile) plans on a GPU without any engine.'),
          )) as Engine['plan'],
    liveBytes: 0,
    compiledPipelines: 0,
    async prepare(program) {
      if (disposed) throw new DisposedError('This engine was disposed; create another one.');
      return prepareReference(program);
    },
    dispose,
    [disposeKey]: dispose,
  };
}

function prepareReference(program: Program): Run {
  const values = new Map<Tensor, Value[]>();
  for (const tensor of program.tensors) {
    values.set(
      tensor,
      Array.from({ length: tensor.batch }, () => emptyValue(tensor)),
    );
  }
  const entriesOf = (tensor: Tensor, restart: number) => values.get(tensor)![tensor.batch === 1 ? 0 : restart];
  const read = async (tensor: Tensor) => {
    if (tensor.form !== 'dense') throw new ShapeError(`${tensor.name} is sparse and cannot be read back; keep what you wrote.`);
    const size = tensor.rows * tensor.cols;
    const all = new Float64Array(size * tensor.batch);
    values.get(tensor)!.forEach((value, restart) => {
      all.set(value.data, restart * size);
    });
    return all;
  };
  const dispose = () => values.clear();
  return {
    program,
    write(tensor, entries) {
      checkContent(tensor, entries);
      if ('rowStarts' in entries || 'coordinates' in entries) {
        values.set(tensor, ['rowStarts' in entries ? rowsValue(entries) : coordinatesValue(tensor, entries)]);
        return;
      }
      const size = tensor.rows * tensor.cols;
      if (entries.length !== size && entries.length !== size * tensor.batch) {
        throw new ShapeError(
          `${tensor.name} takes ${size} entries (or ${size} for each of ${tensor.batch} restarts), but ${entries.length} were given.`,
        );
      }
      values.get(tensor)!.forEach((value, restart) => {
        const offset = entries.length === size ? 0 : restart * size;
        for (let i = 0; i < size; i++) value.data[i] = entries[offset + i];
      });
    },
    execute(section, times = 1) {
      const operations = sectionOf(program, section);
      for (let i = 0; i < times; i++) for (const operation of operations) execute(operation, entriesOf);
    },
    dispatches: (section) => sectionOf(program, section).length,
    read,
    sample: (tensors) => Promise.all(tensors.map(read)),
    dispose,
    [disposeKey]: dispose,
  };
}

function sectionOf(program: Program, section: string): readonly Operation[] {
  const operations = program.sections[section];
  if (operations !== undefined) return operations;
  throw new InputError(`Program ${program.name} has no section ${section}; it has ${Object.keys(program.sections).join(', ')}.`);
}

/** Zeros: of a sparse tensor nothing is stored yet. */
function emptyValue(tensor: Tensor): Value {
  const { form, rows, cols } = tensor;
  const [columns, values] = [new Uint32Array(), new Float32Array()];
  if (form === 'csr') return rowsValue({ rows, cols, rowStarts: new Uint32Array(rows + 1), columns, values });
  if (form === 'coo') return coordinatesValue(tensor, { coordinates: columns, values });
  return { rows, cols, data: new Float64Array(rows * cols) };
}

function coordinatesValue({ rows, cols }: Tensor, { coordinates, values }: Pick<SparseTensor, 'coordinates' | 'values'>): Value {
  return { rows, cols, data: Float64Array.from(values), coordinates };
}

function rowsValue({ rows, cols, rowStarts, columns, values }: SparseMatrix): Value {
  return { rows, cols, data: Float64Array.from(values), places: { rowStarts, columns } };
}

function execute(operation: Operation, entriesOf: (tensor: Tensor, restart: number) => Value): void {
  const { kind, inputs, outputs, attributes } = operation;
  const meaning = meanings[kind] as (inputs: Value[], outputs: Value[], attributes: unknown, restart: number) => void;
  for (let restart = 0; restart < outputs[0].batch; restart++) {
    const of = (tensor: Tensor) => entriesOf(tensor, restart);
    meaning(inputs.map(of), outputs.map(of), attributes, restart);
  }
}
