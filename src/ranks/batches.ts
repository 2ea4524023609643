/** The batches of a survey as plain data, so that they can be computed anywhere, in parts. */
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, toDense } from '../data/sparse.js';
import type { AbortSignalLike, Engine } from '../engine.js';
import { type Fitted, heldOutFits, perturbedFits, replicates, type Start } from './fits.js';

/** What all batches of a survey have in common. It is plain data. */
export interface BatchData {
  /** N×M in the unit of the survey. */
  X: DataMatrix;
  /** The same, dense, where somebody has it already. */
  dense?: Matrix;
  /** 1 where a value is missing. */
  missing?: Float32Array;
  /** Of each mask 1 where its fits do not see an entry, and the start of one of them. */
  masks: { unseen: Float32Array; start: Start }[];
  /** The start of the fits of perturbed data. */
  start?: Start;
}

/** Restarts `first` to `first + restarts − 1` of a batch. It is plain JSON. */
export interface Batch {
  /** 'replicates' on all of X, 'masked' with the masks, 'perturbed' on perturbed data. */
  kind: 'replicates' | 'masked' | 'perturbed';
  rank: number;
  seed: number;
  first: number;
  restarts: number;
  /** Restarts that a mask has. */
  startsOfMask: number;
  /** ε of perturbed data. */
  epsilon: number;
  maxIterations: number;
  tolerance: number;
}

/** Computes batches, for instance elsewhere. The result must have the bits of `fitBatch`. */
export type BatchFits = (data: BatchData, batch: Batch) => Promise<Fitted>;

/** The fits of a batch. Restart r has the same bits in whatever part it is computed. */
export function fitBatch(engine: Engine, data: BatchData, batch: Batch, signal?: AbortSignalLike): Promise<Fitted> {
  const { missing, masks, start } = data;
  const { kind, rank, startsOfMask, epsilon, seed, first, restarts, maxIterations, tolerance } = batch;
  const settings = { seed, first, restarts, maxIterations, tolerance, signal };
  if (kind === 'replicates' && !missing) return replicates(engine, data.X, rank, settings);
  const X = data.dense ?? toDense(data.X);
  if (kind === 'replicates') return heldOutFits(engine, X, rank, { hiddenOf: () => missing!, stream: 0 }, settings);
  if (kind === 'perturbed') return perturbedFits(engine, X, rank, { epsilon, start: start!, hidden: missing }, settings);
  const maskOf = (restart: number) => masks[Math.floor(restart / startsOfMask)];
  const hiding = {
    hiddenOf: (restart: number) => maskOf(restart).unseen,
    startOf: (restart: number) => (restart % startsOfMask === 0 ? maskOf(restart).start : undefined),
    stream: 2,
  };
  return heldOutFits(engine, X, rank, hiding, settings);
}
