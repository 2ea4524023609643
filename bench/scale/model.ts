/** Estimates of what is beyond this machine: an iteration on many ranks, from what was measured here and from published figures. */
import { byColumns } from '../../src/graph/by-columns.js';
import { phasesOf } from '../../src/graph/phases.js';
import { programFor } from '../../src/methods/program-for.js';
import { isLong } from '../../src/node/mpi.js';
import { costOf } from '../../src/webgpu/plan-cost.js';
import type { Results } from './results.js';

/** A network between ranks, one rank a machine. */
export interface Network {
  name: string;
  /** Seconds from one process to another. */
  latency: number;
  /** Seconds from one message to the next. */
  message: number;
  /** Bytes a second, one way. */
  bandwidth: number;
  sources: { latency: string; message: string; bandwidth: string };
}

const gist = 'https://gist.github.com/jfgrimm/3af692a5475bdd4ed836b5a18197a209';
const hbv2 =
  'https://techcommunity.microsoft.com/t5/azure-high-performance-computing/hpc-performance-and-scalability-results-with-azure-hbv2-vms/ba-p/1012813';
const hbv4 = 'https://learn.microsoft.com/en-us/azure/virtual-machines/hbv4-performance';

export const networks: readonly Network[] = [
  {
    name: '10 Gb/s Ethernet, TCP',
    latency: 24.6e-6,
    message: 3.5e-6,
    bandwidth: 1.17e9,
    sources: {
      latency: `[OSU benchmarks of MPICH over TCP](${gist}), 8 bytes`,
      message: 'the same: 2.29 MB/s in messages of 8 bytes',
      bandwidth: 'nominal, less the headers of Ethernet, IP and TCP (1448 of 1538 bytes); the table in that source is of a 1 Gb/s link',
    },
  },
  {
    name: 'InfiniBand HDR, 200 Gb/s',
    latency: 1.61e-6,
    message: 0.18e-6,
    bandwidth: 23.5e9,
    sources: {
      latency: `[OSU benchmarks of Open MPI, Azure HBv2](${hbv2}), 8 bytes`,
      message: `[OSU benchmarks of Open MPI](${gist}): 44.1 MB/s in messages of 8 bytes, on a slower InfiniBand`,
      bandwidth: `[the same, Azure HBv2](${hbv2}): 8 MiB`,
    },
  },
  {
    name: 'InfiniBand NDR, 400 Gb/s',
    latency: 2e-6,
    message: 0.18e-6,
    bandwidth: 50e9,
    sources: {
      latency: `[Azure, HBv4](${hbv4}): below 2 µs, 1 byte`,
      message: `as of HDR ([OSU benchmarks](${gist}))`,
      bandwidth: `[Azure, HBv4](${hbv4}): 400 Gb/s one way`,
    },
  },
];

/** Seconds that a rank's own process adds. */
export interface Host {
  /** To a message that it waits for: calls from JavaScript. */
  call: number;
  /** To a byte that is copied to MPI's memory, added and copied back. */
  byte: number;
}

/** Reading sums back from the device, and writing them to it, once an all-reduce. */
export const readback = 3e-4;

/** From the all-reduces of two ranks here: 8 bytes go up and down in a message each, and 2 MiB in parts. */
export function hostOf({ sums }: Results): Host {
  const medianMs = (bytes: number) => sums.find((row) => row.ranks === 2 && row.bytes === bytes)!.medianMs;
  return { call: medianMs(8) / 2 / 1000, byte: medianMs(2 ** 21) / 2 ** 21 / 1000 };
}

/** Seconds of an all-reduce as src/node/mpi.ts makes it. */
export function allReduceSeconds(bytes: number, ranks: number, { latency, message, bandwidth }: Network, host: Host): number {
  if (ranks === 1) return 0;
  const rounds = Math.ceil(Math.log2(ranks));
  const hop = latency + host.call;
  if (!isLong(bytes / 8, ranks)) return 2 * rounds * (hop + bytes / bandwidth) + rounds * bytes * host.byte;
  // A barrier, then every part to its owner and back to all: messages follow each other, their latencies overlap.
  const moved = (bytes * (ranks - 1)) / ranks;
  return rounds * hop + 2 * (hop + (ranks - 1) * message + moved / bandwidth) + bytes * host.byte;
}

/** An iteration of Neural NMF on one rank of many. */
export interface Problem {
  N: number;
  layers: number[];
  restarts: number;
}

export interface Iteration {
  /** Of dispatches, on a GPU by its published peaks. */
  deviceSeconds: number;
  /** Bytes of each all-reduce. */
  reductions: number[];
}

export function iterationOn(profile: string, { N, layers, restarts }: Problem, columns: number): Iteration {
  const program = programFor('neural', { rows: N, cols: columns, ranks: layers, restarts });
  const cut = phasesOf(byColumns(program, program.tensors.find(({ data }) => data)!), columns);
  const costs = costOf(cut.program, profile);
  const phases = cut.phases.step;
  const sections = phases.flatMap(({ whole, columns: own }) => [whole, own]).filter((name) => name !== undefined);
  return {
    deviceSeconds: sections.reduce((sum, name) => sum + costs[name].seconds, 0),
    reductions: phases
      .map(({ reductions }) => 8 * reductions.reduce((sum, { from }) => sum + from.rows * from.cols * from.batch, 0))
      .filter((bytes) => bytes > 0),
  };
}

/** Seconds of an iteration with so many columns on each of so many ranks. */
export function iterationSeconds(profile: string, problem: Problem, columns: number, ranks: number, network: Network, host: Host): number {
  const { deviceSeconds, reductions } = iterationOn(profile, problem, columns);
  return reductions.reduce((sum, bytes) => sum + readback + allReduceSeconds(bytes, ranks, network, host), deviceSeconds);
}
