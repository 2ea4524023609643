/** What bench/results/scale.json holds. */
import { readFile } from 'node:fs/promises';

/** Milliseconds: the median and the least of so many. */
export interface Times {
  medianMs: number;
  leastMs: number;
  repeats: number;
}

export interface SumRow extends Times {
  ranks: number;
  bytes: number;
}

export interface IterationRow extends Times {
  device: string;
  ranks: number;
  restarts: number;
  N: number;
  /** Of all ranks. */
  M: number;
  layers: number[];
  /** Time of the processor in an iteration, all threads of the first rank together; others on the machine do not lengthen it by much. */
  processorMs: number;
  /** Of one iteration, on one rank. */
  allReduces: number;
  reducedBytes: number;
}

export interface Results {
  machine: { cpu: string; cores: number; memoryGiB: number; mpi: string; network: string };
  date: string;
  commit: string;
  /** Load of the machine, which others use, when each part began. */
  load: Record<'sums' | 'panels' | 'ranks', number>;
  sums: SumRow[];
  /** One process, one panel, of several widths. */
  panels: IterationRow[];
  /** The same data on several ranks. */
  ranks: IterationRow[];
}

export const resultsFile = 'bench/results/scale.json';

export async function readResults(): Promise<Results> {
  return JSON.parse(await readFile(resultsFile, 'utf8')) as Results;
}

export function timesOf(all: readonly number[]): Times {
  const sorted = [...all].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  const rounded = (ms: number) => Number(ms.toPrecision(4));
  return { medianMs: rounded((low + high) / 2), leastMs: rounded(sorted[0]), repeats: sorted.length };
}
