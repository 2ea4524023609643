/** The messages between the page and its worker. */
import type { Matrix, NeuralOptions, StopReason } from '../src/index.js';

export type ToWorker = Start | { kind: 'stop' };

export interface Start {
  kind: 'start';
  X: Matrix;
  ranks: number[];
  seed: number;
  restarts: number;
  start: NonNullable<NeuralOptions['start']>;
}

/** The error of A⁰…AˡSˡ and its entries, to be looked at. */
export interface Depth {
  relativeError: number;
  reconstruction: Matrix;
}

export type FromWorker =
  | { kind: 'ready'; adapter: string; software: boolean }
  /** A check. `iteration` counts through all stages; `joint` once all layers learn together. */
  | { kind: 'progress'; stage: string; joint: boolean; iteration: number; elapsedMs: number }
  /** The depths there are by now: one while the first layer is fitted, all of them in the joint descent. */
  | { kind: 'drawing'; joint: boolean; iteration: number; depths: Depth[] }
  | { kind: 'done'; stopReason: StopReason; iteration: number; elapsedMs: number; depths: Depth[] }
  | { kind: 'failed'; message: string };
