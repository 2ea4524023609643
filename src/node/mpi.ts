/** A communicator over MPI, of the processes that `mpirun` started. */
import { InputError } from '../errors.js';
import type { Communicator } from '../parallel/communicator.js';
import { type Layout, type MpiLibrary, mpiHint, startMpi } from './mpi-library.js';

export { mpiHint };

export interface Mpi extends Communicator {
  /** Ends this process's part. The others wait for it. */
  finalize(): void;
  /** Ends all processes with this status. */
  abort(status: number): void;
}

/** Bytes that one call of MPI moves at most, whose counts are ints; more go in several. */
const mostAtOnce = 2 ** 25;

type By = 'sum' | 'max';

/**
 * The communicator of this process, over Open MPI. `docs/scale.md` says how to start it.
 *
 * @param library The name or path of the library; default: ORTHANT_MPI of the environment, else Open MPI's as Debian installs it.
 * @throws InputError where mpirun did not start this process; OrthantError where koffi or the library is missing, or is of another MPI.
 */
export async function connectMpi({ library = process.env.ORTHANT_MPI }: { library?: string } = {}): Promise<Mpi> {
  const { OMPI_COMM_WORLD_SIZE, PMIX_RANK, PMI_SIZE } = process.env;
  // Slurm's srun starts Open MPI by PMIx alone.
  if (OMPI_COMM_WORLD_SIZE === undefined && PMIX_RANK === undefined)
    throw new InputError(
      `mpirun of Open MPI did not start this process; start it as mpirun -np 4 orthant fit … --distributed mpi.${PMI_SIZE ? ' Another MPI did, which has another interface.' : ''}`,
      { option: 'distributed' },
    );
  const mpi = await startMpi(library);
  const { rank, size } = mpi;

  let queue: Promise<unknown> = Promise.resolve();
  /** One call after the other: every rank makes them in the same order. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = queue.then(work);
    queue = next.catch(() => {});
    return next;
  };
  async function spread(values: Float64Array | Float32Array | Uint8Array, root: number): Promise<void> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let from = 0; from < bytes.length; from += mostAtOnce) {
      const part = bytes.subarray(from, from + mostAtOnce);
      const memory = mpi.memory(0, part.length);
      const seen = new Uint8Array(memory.buffer, 0, part.length);
      if (rank === root) seen.set(part);
      await mpi.broadcast(memory, part.length, root);
      if (rank !== root) part.set(seen);
    }
  }
  /** The values of every rank, each told to all by its owner. */
  async function gather<A extends Float64Array | Float32Array | Uint8Array>(own: A): Promise<A[]> {
    const lengths = new Float64Array(size);
    lengths[rank] = own.length;
    await reduce(mpi, lengths, 'sum');
    const make = own.constructor as new (length: number) => A;
    const all: A[] = [];
    for (let owner = 0; owner < size; owner++) {
      const values = owner === rank ? (own.slice() as A) : new make(lengths[owner]);
      await spread(values, owner);
      all.push(values);
    }
    return all;
  }

  let reducedBytes = 0;
  return {
    rank,
    size,
    allReduce(values, by) {
      reducedBytes += values.byteLength;
      return inTurn(() => reduce(mpi, values, by));
    },
    allGather: (values) => inTurn(() => gather(values)),
    broadcast: (values) => inTurn(() => spread(values, 0)),
    texts: async (own) => {
      const all = await inTurn(() => gather<Uint8Array>(new TextEncoder().encode(own)));
      return all.map((text) => new TextDecoder().decode(text));
    },
    get reducedBytes() {
      return reducedBytes;
    },
    finalize: mpi.finalize,
    abort: mpi.abort,
  };
}

/**
 * The entries over all ranks become one, along a binary tree: rank r takes those of rank r + d, for d = 1, 2, 4, …, where r is a multiple of
 * 2d. MPI moves bytes, and the additions are made here. So the bits follow from the values and the number of ranks alone. (The order in which
 * MPI_Allreduce adds is its own choice. The standard only recommends that equal calls give equal bits: MPI 4.0, section 6.9.1.)
 */
async function reduce(mpi: MpiLibrary, values: Float64Array, by: By): Promise<void> {
  if (mpi.size === 1) return;
  const most = mostAtOnce / 8;
  for (let from = 0; from < values.length; from += most) {
    const part = values.subarray(from, from + most);
    await (isLong(part.length, mpi.size) ? reduceByParts : reduceByTree)(mpi, part, by);
  }
}

/**
 * Whether so many numbers are summed in parts, one a rank: each rank then moves about twice its numbers, in `size` messages. Up and down the
 * tree they go 2 log₂ `size` times, in as many messages. (Thakur, Rabenseifner & Gropp 2005, Optimization of collective communication
 * operations in MPICH, section 4.5.)
 */
function isLong(numbers: number, size: number): boolean {
  return numbers >= Math.max(4096, 128 * size);
}

async function reduceByTree(mpi: MpiLibrary, values: Float64Array, by: By): Promise<void> {
  const { rank, size } = mpi;
  const bytes = values.byteLength;
  const [own, other] = [mpi.memory(0, bytes), mpi.memory(1, bytes)];
  const [ofOwn, ofOther] = [own, other].map(({ buffer }) => new Float64Array(buffer, 0, values.length));
  ofOwn.set(values);
  for (let d = 1; d < size; d *= 2) {
    if (rank % (2 * d) !== 0) {
      await mpi.send(own, bytes, rank - d);
      break;
    }
    if (rank + d >= size) continue;
    await mpi.receive(other, bytes, rank + d);
    take(ofOwn, ofOther, by);
  }
  await mpi.broadcast(own, bytes, 0);
  values.set(ofOwn);
}

/** Rank r sums part r of the numbers of all, by the same tree, and tells it to all. */
async function reduceByParts(mpi: MpiLibrary, values: Float64Array, by: By): Promise<void> {
  const { rank, size } = mpi;
  const n = values.length;
  const starts = Array.from({ length: size + 1 }, (_, r) => Math.floor((n * r) / size));
  const count = starts[rank + 1] - starts[rank];
  const parts: Layout = {
    counts: Array.from({ length: size }, (_, r) => 8 * (starts[r + 1] - starts[r])),
    offsets: starts.slice(0, size).map((start) => 8 * start),
  };
  const ofAll: Layout = {
    counts: Array.from({ length: size }, () => 8 * count),
    offsets: Array.from({ length: size }, (_, r) => 8 * r * count),
  };
  const [own, others] = [mpi.memory(0, 8 * n), mpi.memory(1, 8 * size * count)];
  const whole = new Float64Array(own.buffer, 0, n);
  whole.set(values);
  // Those who are early rest here. Once data move nobody does, or they would move a little at a time.
  await mpi.barrier();
  await mpi.exchange(own, parts, others, ofAll);
  const partOf = (r: number) => new Float64Array(others.buffer, 8 * r * count, count);
  for (let d = 1; d < size; d *= 2) for (let r = 0; r + d < size; r += 2 * d) take(partOf(r), partOf(r + d), by);
  whole.set(partOf(0), starts[rank]);
  await mpi.gather(own, parts);
  values.set(whole);
}

function take(own: Float64Array, other: Float64Array, by: By): void {
  if (by === 'sum') for (let i = 0; i < own.length; i++) own[i] += other[i];
  else for (let i = 0; i < own.length; i++) own[i] = Math.max(own[i], other[i]);
}
