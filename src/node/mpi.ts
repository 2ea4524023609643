/**
 * A communicator over MPI, of the processes that `mpirun` started: Open MPI's C interface, by the package koffi. Calls are the nonblocking
 * ones, and this process looks now and then whether they are done, so that signals are heard while others compute.
 */
import { setImmediate as nextTurn, setTimeout as rest } from 'node:timers/promises';
import { describe } from '../data/words.js';
import { InputError, OrthantError } from '../errors.js';
import type { Communicator } from '../parallel/communicator.js';

export interface Mpi extends Communicator {
  /** Ends this process's part. The others wait for it. */
  finalize(): void;
  /** Ends all processes with this status. */
  abort(status: number): void;
}

export const mpiHint = 'apt-get install openmpi-bin libopenmpi3, and npm install koffi';

/** Numbers that one call of MPI takes at most; more go in several. They are 2²⁴ of 8 bytes. */
const mostAtOnce = 2 ** 24;

/**
 * The communicator of this process.
 *
 * Sums are formed in f64 along the tree of a reduction to rank 0, and go from there to all: the same bits on every rank, and in every run with
 * as many ranks. (Open MPI's MPI_Iallreduce in place.)
 *
 * @param library The name or path of the library; default: ORTHANT_MPI of the environment, else Open MPI's as Debian installs it.
 * @throws InputError where mpirun did not start this process; OrthantError where koffi or the library is missing, or is of another MPI.
 */
export async function connectMpi({ library = process.env.ORTHANT_MPI }: { library?: string } = {}): Promise<Mpi> {
  if (process.env.OMPI_COMM_WORLD_SIZE === undefined)
    throw new InputError(
      `mpirun of Open MPI did not start this process; start it as mpirun -np 4 orthant fit … --distributed mpi${process.env.PMI_SIZE ? '. Another MPI did, whose interface is another' : ''}.`,
      { option: 'distributed' },
    );
  const { default: koffi } = await import('koffi').catch((cause: unknown) => {
    throw new OrthantError(`Computing on several processes needs the package koffi; run: ${mpiHint}.`, { cause });
  });
  const lib = loaded(koffi, library);
  const call = (name: string, ...types: string[]) => lib.func(name, 'int', types);
  const symbol = (name: string): bigint => lib.symbol(name) as bigint;
  const [comm, f64, f32, bytes] = ['comm_world', 'double', 'float', 'byte'].map((name) => symbol(`ompi_mpi_${name}`));
  const operations = { sum: symbol('ompi_mpi_op_sum'), max: symbol('ompi_mpi_op_max') };
  const isDone = call('MPI_Test', 'void *', 'void *', 'void *');
  const allReduce = call('MPI_Iallreduce', 'void *', 'void *', 'int', 'void *', 'void *', 'void *', 'void *');
  const broadcast = call('MPI_Ibcast', 'void *', 'int', 'void *', 'int', 'void *', 'void *');
  const check = (status: number) => {
    if (status !== 0) throw new OrthantError(`MPI refused a call with its error ${status}.`);
  };
  check(call('MPI_Init', 'void *', 'void *')(null, null));

  const words = koffi.alloc('int64', 4) as bigint;
  const [flag, request] = [words, words + 8n];
  const flags = new Int32Array(koffi.view(flag, 4));
  const int = (name: string) => {
    check(call(name, 'void *', 'void *')(comm, flag));
    return flags[0];
  };
  const [rank, size] = [int('MPI_Comm_rank'), int('MPI_Comm_size')];

  let memory: { address: bigint; bytes: number } | undefined;
  /** Memory outside of the heap, which no collection moves while MPI has its address. */
  const memoryOf = (length: number): bigint => {
    if (!memory || memory.bytes < length) {
      if (memory) koffi.free(memory.address);
      memory = { address: koffi.alloc('uint8', length) as bigint, bytes: length };
    }
    return memory.address;
  };
  async function done(): Promise<void> {
    for (let looked = 0; ; looked++) {
      check(isDone(request, flag, 0n));
      if (flags[0] !== 0) return;
      // Latency counts at first; later others compute, maybe on the same core.
      if (looked < 50) continue;
      if (looked < 200) await nextTurn();
      else await rest(1);
    }
  }
  /** Brings `values` to memory that MPI sees, lets `start` queue a call on it, and takes it back when it is done. */
  async function inMemory<A extends Float64Array | Float32Array | Uint8Array>(
    values: A,
    start: (address: bigint, count: number) => number,
  ) {
    for (let from = 0; from < values.length; from += mostAtOnce) {
      const part = values.subarray(from, from + mostAtOnce) as A;
      const address = memoryOf(part.byteLength);
      const make = values.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => A;
      const seen = new make(koffi.view(address, part.byteLength), 0, part.length);
      seen.set(part);
      check(start(address, part.length));
      await done();
      part.set(seen);
    }
  }
  const spread = <A extends Float64Array | Float32Array | Uint8Array>(values: A, root: number) =>
    inMemory(values, (address, count) =>
      broadcast(address, count, values instanceof Float64Array ? f64 : values instanceof Float32Array ? f32 : bytes, root, comm, request),
    );

  let queue: Promise<unknown> = Promise.resolve();
  /** One call after the other: every rank makes them in the same order. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = queue.then(work);
    queue = next.catch(() => {});
    return next;
  };
  /** The values of every rank, each told to all by its owner. */
  async function gather<A extends Float64Array | Float32Array | Uint8Array>(own: A): Promise<A[]> {
    const lengths = new Float64Array(size);
    lengths[rank] = own.length;
    await reduce(lengths, 'sum');
    const make = own.constructor as new (length: number) => A;
    const all: A[] = [];
    for (let owner = 0; owner < size; owner++) {
      const values = owner === rank ? (own.slice() as A) : new make(lengths[owner]);
      await spread(values, owner);
      all.push(values);
    }
    return all;
  }
  const inPlace = 1n;
  const reduce = (values: Float64Array, by: 'sum' | 'max') =>
    inMemory(values, (address, count) => allReduce(inPlace, address, count, f64, operations[by], comm, request));

  let reducedBytes = 0;
  return {
    rank,
    size,
    allReduce(values, by) {
      reducedBytes += values.byteLength;
      return inTurn(() => reduce(values, by));
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
    finalize() {
      check(call('MPI_Finalize')());
    },
    abort(status) {
      call('MPI_Abort', 'void *', 'int')(comm, status);
    },
  };
}

type Koffi = Pick<typeof import('koffi'), 'load'>;

function loaded(koffi: Koffi, library: string | undefined): import('koffi').LibraryHandle {
  const names = library === undefined ? ['libmpi.so.40', 'libmpi.so'] : [library];
  const causes: unknown[] = [];
  for (const name of names) {
    try {
      // Open MPI loads its own parts, which look for the symbols of this one.
      const lib = koffi.load(name, { global: true });
      try {
        lib.symbol('ompi_mpi_comm_world');
      } catch (cause) {
        throw new OrthantError(
          `${name} is no library of Open MPI, and another MPI has another interface; ORTHANT_MPI can name the right one.`,
          {
            cause,
          },
        );
      }
      return lib;
    } catch (error) {
      if (error instanceof OrthantError) throw error;
      causes.push(error);
    }
  }
  throw new OrthantError(
    `The library of Open MPI, ${describe(names[0])}, cannot be loaded; run: ${mpiHint}, or let ORTHANT_MPI name the library.`,
    { cause: causes[0] },
  );
}
