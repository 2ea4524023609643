/**
 * How the data of a fit are stored, where they are dense and only multiplied or compared with a product: as 16-bit floats (halves.ts) if the
 * engine is asked for it, and on hardware in rows that begin on lines of the cache.
 *
 * A kernel that contracts along the rows of X reads a line of 128 bytes of each row at a time. Where rows begin anywhere, each of these
 * reads touches two lines. So rows are padded with zeros to whole lines, as cudaMallocPitch pads them; short rows, of which that would take
 * more than a quarter, are not.
 */
import { inputRule, type Operation } from '../../graph/operations.js';
import type { Program } from '../../graph/program.js';
import type { Tensor } from '../../graph/tensor.js';

export interface StoredInput extends Tensor {
  /** Its buffer holds 16-bit floats. */
  readonly half?: true;
  /** Its rows are padded to a multiple of so many entries; default 4. */
  readonly pitch?: number;
}

export interface Storage {
  /** As 16-bit floats. */
  half: boolean;
  /** In rows of whole lines. */
  lines: boolean;
}

export function isHalf(tensor: Tensor): boolean {
  return (tensor as StoredInput).half === true;
}

/** The program with its data stored so, and which tensor stands for which. */
export function storeInputs(program: Program, storage: Storage): { program: Program; inputs: ReadonlyMap<Tensor, StoredInput> } {
  const operations = Object.values(program.sections).flat();
  const eligible = program.tensors.filter(
    (tensor) =>
      tensor.data === true &&
      tensor.form === 'dense' &&
      operations.every((operation) => operation.inputs.every((input, at) => input !== tensor || isRead(operation, at))),
  );
  const inputs = new Map(
    eligible.flatMap((tensor): [Tensor, StoredInput][] => {
      const changes = { ...(storage.half && { half: true as const }), ...(storage.lines && pitchOf(tensor, storage.half)) };
      return Object.keys(changes).length === 0 ? [] : [[tensor, { ...tensor, ...changes }]];
    }),
  );
  const own = (tensor: Tensor) => inputs.get(tensor) ?? tensor;
  const sections = Object.entries(program.sections).map(([section, steps]): [string, Operation[]] => [
    section,
    steps.map((operation) => ({ ...operation, inputs: operation.inputs.map(own) }) as Operation),
  ]);
  return { program: { ...program, tensors: program.tensors.map(own), sections: Object.fromEntries(sections) }, inputs };
}

/** Whether the kernels of an operation know the storage of their input number `at`. */
function isRead(operation: Operation, at: number): boolean {
  return inputRule(operation, at).half === true && operation.inputs.every(({ form }) => form === 'dense');
}

const bytesOfLine = 128;

/** Rows of fewer lines than this would be padded by more than a quarter. */
const fewestLines = 4;

function pitchOf({ cols }: Tensor, half: boolean): { pitch: number } | undefined {
  const pitch = bytesOfLine / (half ? 2 : 4);
  return cols >= fewestLines * pitch ? { pitch } : undefined;
}
