/** The published experiment on a synthetic tensor: Neural NCPD beside the sequential methods that it was compared with. */
import { checkPositiveInteger } from '../data/check.js';
import { hierarchicalTensor } from '../data/generate.js';
import { kruskal } from '../data/kruskal.js';
import type { DenseTensor } from '../data/tensors.js';
import { modeBound, tuckerError } from '../data/tucker.js';
import type { AbortSignalLike, Engine } from '../engine.js';
import { hncpd } from '../methods/hncpd.js';
import { hntf } from '../methods/hntf.js';
import { neuralNcp } from '../methods/neural-ncp.js';
import { levelFactors } from '../methods/tensor-levels.js';

export const tensorRank = 7;
export const tensorRanks = [4, 2];

/** The tensors of the papers: the noise, and the seed of NumPy's legacy generator. */
export const publishedTensors = [
  { noise: 0.1, seed: 1 },
  { noise: 0.4, seed: 14 },
] as const;

export type Noise = (typeof publishedTensors)[number]['noise'];

export const tensorMethods = ['held', 'learned', 'hncpd', 'hntf-1', 'hntf-2', 'hntf-3'] as const;

export type ComparedTensorMethod = (typeof tensorMethods)[number];

export interface TensorRun {
  noise: Noise;
  method: ComparedTensorMethod;
  seed: number;
  /** ‖X − X_l‖ / ‖X‖ at ranks 7, 4 and 2. */
  errors: number[];
  seconds: number;
}

export interface TensorCell {
  noise: Noise;
  method: ComparedTensorMethod;
  rank: number;
  average: number;
  best: number;
  worst: number;
  published: { average: number; best?: number; worst?: number } | null;
}

export interface TensorBound {
  noise: Noise;
  rank: number;
  modeBound: number;
  tuckerError: number;
}

/** The content of table-tensor.json. */
export interface TensorTable {
  /** How many: 0, 1, …, seeds − 1. */
  seeds: number;
  bounds: TensorBound[];
  cells: TensorCell[];
}

/** X of a noise and its levels by Neural NCPD with seed 0, the factors held. */
export interface TensorExample {
  noise: Noise;
  tensors: { name: string; X: DenseTensor; error: number | null }[];
}

/**
 * Average, best and worst of ten trials. Those of Neural NCPD are printed in the paper; the others are averages and best ones of a replica of
 * the authors' notebooks: see docs/tensors.md.
 */
const published: Record<Noise, Partial<Record<ComparedTensorMethod, { average: number; best?: number; worst?: number }[]>>> = {
  0.1: {
    held: [{ average: 0.09632 }, { average: 0.23066, best: 0.21717, worst: 0.35196 }, { average: 0.53035, best: 0.53034, worst: 0.53036 }],
    hncpd: [{ average: 0.09632 }, { average: 0.46825, best: 0.46648 }, { average: 0.81527, best: 0.64911 }],
    'hntf-1': [{ average: 0.09632 }, { average: 0.49249, best: 0.39718 }, { average: 0.79151, best: 0.74712 }],
    'hntf-2': [{ average: 0.09632 }, { average: 0.29045, best: 0.27601 }, { average: 0.65366, best: 0.59589 }],
    'hntf-3': [{ average: 0.09632 }, { average: 0.39838, best: 0.37107 }, { average: 0.70252, best: 0.57145 }],
  },
  0.4: {
    held: [{ average: 0.27743 }, { average: 0.32575, best: 0.31361, worst: 0.43503 }, { average: 0.50116, best: 0.50116, worst: 0.50117 }],
    hncpd: [{ average: 0.27743 }, { average: 0.42807, best: 0.40741 }, { average: 0.71625, best: 0.57291 }],
    'hntf-1': [{ average: 0.27743 }, { average: 0.41798, best: 0.40626 }, { average: 0.7085, best: 0.55358 }],
    'hntf-2': [{ average: 0.27743 }, { average: 0.40143, best: 0.3991 }, { average: 0.61746, best: 0.53073 }],
    'hntf-3': [{ average: 0.27743 }, { average: 0.36602, best: 0.3369 }, { average: 0.58746, best: 0.51236 }],
  },
};

export interface TensorTableOptions {
  /** Seeds of the starts; the data have their own. */
  seeds: number;
  noises?: readonly Noise[];
  restarts?: number;
  maxIterations?: number;
  signal?: AbortSignalLike;
  /** Called before each fit, and at the end. */
  onRun?: (done: number, total: number, next?: { noise: Noise; method: ComparedTensorMethod; seed: number }) => void;
}

export async function runTensorTable(
  engine: Engine,
  { seeds, noises = publishedTensors.map(({ noise }) => noise), restarts, maxIterations, signal, onRun }: TensorTableOptions,
): Promise<{ table: TensorTable; runs: TensorRun[]; examples: TensorExample[] }> {
  checkPositiveInteger('seeds', seeds);
  const runs: TensorRun[] = [];
  const bounds: TensorBound[] = [];
  const examples: TensorExample[] = [];
  const total = noises.length * seeds * tensorMethods.length;
  for (const { noise, seed: dataSeed } of publishedTensors.filter((one) => noises.includes(one.noise))) {
    const X = hierarchicalTensor({ noise, seed: dataSeed });
    for (const rank of [tensorRank, ...tensorRanks])
      bounds.push({ noise, rank, modeBound: modeBound(X, rank)!, tuckerError: tuckerError(X, rank)! });
    for (let seed = 0; seed < seeds; seed++) {
      const timed = async <T extends { levels: readonly { relativeError: number }[] }>(
        method: ComparedTensorMethod,
        work: () => Promise<T>,
      ) => {
        onRun?.(runs.length, total, { noise, method, seed });
        const started = performance.now();
        const found = await work();
        const errors = found.levels.map(({ relativeError }) => relativeError);
        runs.push({ noise, method, seed, errors, seconds: (performance.now() - started) / 1000 });
        return found;
      };
      const common = { rank: tensorRank, ranks: tensorRanks, seed, restarts, maxIterations, signal, bounds: false };
      const held = await timed('held', () => neuralNcp(engine, X, common));
      await timed('learned', () => neuralNcp(engine, X, { ...common, factors: 'learned' }));
      // The other methods begin with the same outer products.
      const products = held.factors;
      await timed('hncpd', () => hncpd(engine, X, products, { ranks: tensorRanks, seed, signal }));
      for (const mode of [0, 1, 2])
        await timed(`hntf-${(mode + 1) as 1 | 2 | 3}`, async () => ({
          levels: await hntf(engine, X, products, { ranks: tensorRanks, mode, seed, signal }),
        }));
      if (seed > 0) continue;
      const levels = [tensorRank, ...tensorRanks].map((rank, l) => ({
        name: `X${rank}`,
        X: kruskal(levelFactors(held, l - 1)),
        error: held.levels[l].relativeError,
      }));
      examples.push({ noise, tensors: [{ name: 'X', X, error: null }, ...levels] });
    }
  }
  onRun?.(total, total);
  return { table: { seeds, bounds, cells: cellsOf(runs) }, runs, examples };
}

export function cellsOf(runs: readonly TensorRun[]): TensorCell[] {
  return publishedTensors.flatMap(({ noise }) =>
    tensorMethods.flatMap((method) => {
      const own = runs.filter((run) => run.noise === noise && run.method === method);
      if (own.length === 0) return [];
      return [tensorRank, ...tensorRanks].map((rank, l): TensorCell => {
        const errors = own.map((run) => run.errors[l]);
        return {
          noise,
          method,
          rank,
          average: errors.reduce((sum, error) => sum + error, 0) / errors.length,
          best: Math.min(...errors),
          worst: Math.max(...errors),
          published: published[noise][method]?.[l] ?? null,
        };
      });
    }),
  );
}
