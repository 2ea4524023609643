/**
 * Open MPI's C interface, by the package koffi. Calls are the nonblocking ones, and this process looks now and then whether they are done,
 * so that signals are heard while others compute. They move bytes and compute nothing: what a call returns is the same whichever algorithm,
 * network or version of Open MPI is behind it.
 */
import { cpus } from 'node:os';
import { setImmediate as nextTurn, setTimeout as rest } from 'node:timers/promises';
import { describe } from '../data/words.js';
import { OrthantError } from '../errors.js';

type Koffi = typeof import('koffi').default;
type Library = import('koffi').LibraryHandle;

/** Memory outside of the heap. No collection moves or frees it while MPI has its address. */
export interface Memory {
  readonly address: bigint;
  readonly buffer: ArrayBuffer;
}

/** Counts and offsets of bytes, one a rank. */
export interface Layout {
  readonly counts: readonly number[];
  readonly offsets: readonly number[];
}

export interface MpiLibrary {
  readonly rank: number;
  readonly size: number;
  /** Memory number `slot` of this library with room for so many bytes. A larger one replaces it, and its entries are lost. */
  memory(slot: number, bytes: number): Memory;
  send(from: Memory, bytes: number, rank: number): Promise<void>;
  receive(to: Memory, bytes: number, rank: number): Promise<void>;
  /** Bytes of rank `root`, on every rank. */
  broadcast(at: Memory, bytes: number, root: number): Promise<void>;
  /** Part r of `from` goes to rank r, and part r of `to` comes from it. */
  exchange(from: Memory, ofFrom: Layout, to: Memory, ofTo: Layout): Promise<void>;
  /** Part r of `at` is rank r's, which all get. */
  gather(at: Memory, layout: Layout): Promise<void>;
  /** Done when every rank is here. */
  barrier(): Promise<void>;
  finalize(): void;
  abort(status: number): void;
}

export const mpiHint = 'apt-get install openmpi-bin libopenmpi3, and npm install koffi';

/** MPI_THREAD_FUNNELED of mpi.h: one thread calls MPI, and others exist. */
const oneThreadCalls = 1;
/** MPI_MAX_ERROR_STRING of mpi.h. */
const longestError = 256;
/** How long this process does nothing but look: the latency of a network and of processes that are in step. */
const spinMs = 0.1;
/** When it begins to rest between two looks, where cores are few. */
const restMs = 10;

/** @param library The name or path of the library; left out, Open MPI's as Debian names it. */
export async function startMpi(library: string | undefined): Promise<MpiLibrary> {
  const { default: koffi } = await import('koffi').catch((cause: unknown) => {
    throw new OrthantError(`Computing on several processes needs the package koffi; run: ${mpiHint}.`, { cause });
  });
  const lib = load(koffi, library);
  const foreign = (name: string, types: readonly string[]) => lib.func(name, 'int', [...types]) as (...words: unknown[]) => number;
  const symbol = (name: string): bigint => lib.symbol(name);
  const allocate = (bytes: number): Memory => {
    const address: bigint = koffi.alloc('uint8', bytes);
    return { address, buffer: koffi.view(address, bytes) };
  };

  const small = allocate(32);
  const [flag, request, length] = [small.address, small.address + 8n, small.address + 16n];
  const flags = new Int32Array(small.buffer, 0, 1);
  const text = allocate(longestError);
  const textOf = foreign('MPI_Error_string', ['int', 'void *', 'void *']);
  /** A function of MPI; an error of its own is thrown. Its arguments are addresses (p) and numbers (i). */
  const call = (name: string, signature: string) => {
    const own = foreign(
      name,
      [...signature].map((letter) => (letter === 'p' ? 'void *' : 'int')),
    );
    return (...words: (bigint | number | null)[]): void => {
      const status = own(...words);
      if (status === 0) return;
      textOf(status, text.address, length);
      throw new OrthantError(`${name} of Open MPI failed: ${new TextDecoder().decode(new Uint8Array(text.buffer)).split('\0')[0]}.`);
    };
  };

  call('MPI_Initialized', 'p')(flag);
  if (flags[0] !== 0)
    throw new OrthantError('MPI has been started in this process before, and can be started once; keep the communicator that it gave.');
  call('MPI_Init_thread', 'ppip')(null, null, oneThreadCalls, flag);
  const comm = symbol('ompi_mpi_comm_world');
  const byte = symbol('ompi_mpi_byte');
  // An error becomes a sentence of ours instead of an end on the spot.
  call('MPI_Comm_set_errhandler', 'pp')(comm, symbol('ompi_mpi_errors_return'));
  const number = (name: string) => {
    call(name, 'pp')(comm, flag);
    return flags[0];
  };
  const [rank, size] = [number('MPI_Comm_rank'), number('MPI_Comm_size')];

  const test = call('MPI_Test', 'ppp');
  const isDone = () => {
    test(request, flag, 0n); // 0 is MPI_STATUS_IGNORE
    return flags[0] !== 0;
  };
  // Ranks on a machine whose other cores may all be at work, for a software adapter say, leave theirs to them.
  const crowded = 2 * Number(process.env.OMPI_COMM_WORLD_LOCAL_SIZE ?? 1) > cpus().length;
  async function done({ patient = true } = {}): Promise<void> {
    const start = performance.now();
    while (!isDone()) {
      const waited = performance.now() - start;
      if (waited < spinMs) continue;
      if (patient && crowded && waited > restMs) await rest(1);
      else await nextTurn();
    }
  }

  const [isend, irecv] = [call('MPI_Isend', 'pipiipp'), call('MPI_Irecv', 'pipiipp')];
  const [ibcast, ibarrier] = [call('MPI_Ibcast', 'pipipp'), call('MPI_Ibarrier', 'pp')];
  const ialltoallv = call('MPI_Ialltoallv', 'pppppppppp');
  const iallgatherv = call('MPI_Iallgatherv', 'pippppppp');
  const memories: Memory[] = [];
  /** Where MPI reads counts and offsets until a call is done: those of two layouts. */
  const table = allocate(16 * size);
  const tables = new Int32Array(table.buffer);
  const told = (place: number, { counts, offsets }: Layout): [bigint, bigint] => {
    tables.set(counts, 2 * place * size);
    tables.set(offsets, (2 * place + 1) * size);
    return [table.address + BigInt(8 * place * size), table.address + BigInt(4 * (2 * place + 1) * size)];
  };
  return {
    rank,
    size,
    memory(slot, bytes) {
      const known = memories[slot];
      if (known && known.buffer.byteLength >= bytes) return known;
      if (known) koffi.free(known.address);
      memories[slot] = allocate(Math.max(bytes, 1024));
      return memories[slot];
    },
    async send({ address }, bytes, to) {
      isend(address, bytes, byte, to, 0, comm, request);
      await done();
    },
    async receive({ address }, bytes, from) {
      irecv(address, bytes, byte, from, 0, comm, request);
      await done();
    },
    async broadcast({ address }, bytes, root) {
      ibcast(address, bytes, byte, root, comm, request);
      await done();
    },
    async exchange(from, ofFrom, to, ofTo) {
      ialltoallv(from.address, ...told(0, ofFrom), byte, to.address, ...told(1, ofTo), byte, comm, request);
      await done({ patient: false });
    },
    async gather({ address }, layout) {
      iallgatherv(1n, 0, byte, address, ...told(0, layout), byte, comm, request); // 1 is MPI_IN_PLACE
      await done({ patient: false });
    },
    async barrier() {
      ibarrier(comm, request);
      await done();
    },
    finalize: () => call('MPI_Finalize', '')(),
    abort: (status) => call('MPI_Abort', 'pi')(comm, status),
  };
}

function load(koffi: Koffi, library: string | undefined): Library {
  const names = library === undefined ? ['libmpi.so.40', 'libmpi.so'] : [library];
  const causes: unknown[] = [];
  for (const name of names) {
    let lib: Library;
    try {
      // Open MPI loads its own parts, which look for the symbols of this one.
      lib = koffi.load(name, { global: true });
    } catch (cause) {
      causes.push(cause);
      continue;
    }
    try {
      lib.symbol('ompi_mpi_comm_world');
      return lib;
    } catch (cause) {
      throw new OrthantError(`${name} is no library of Open MPI, and another MPI has another interface; let ORTHANT_MPI name Open MPI's.`, {
        cause,
      });
    }
  }
  throw new OrthantError(
    `The library of Open MPI, ${describe(names[0])}, cannot be loaded; run: ${mpiHint}, or let ORTHANT_MPI name the library.`,
    { cause: causes[0] },
  );
}
