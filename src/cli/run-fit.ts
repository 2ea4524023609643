/** What `fit` and `topics` have in common: engine, progress, Ctrl-C, the summary and the files. */
import { createRequire } from 'node:module';
import { encodeNpy } from '../data/npy.js';
import type { Engine } from '../engine.js';
import type { Factorization, FitOptions } from '../models/fit.js';
import { createEngine } from '../node/engine.js';
import { writeOutputs } from '../node/files.js';
import type { CommonOptions, DeviceChoice } from './arguments.js';
import { type Io, untilAborted } from './io.js';
import { progressLine } from './progress.js';

export const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

export interface Device {
  kind: Engine['kind'];
  description: string;
  /** It computes on the CPU. */
  software: boolean;
}

/** `factorize` on an engine of its own, with the options that came from the command line, a progress line, and an end at Ctrl-C. */
export async function fitOnDevice(
  io: Io,
  options: CommonOptions,
  factorize: (engine: Engine, fitOptions: FitOptions) => Promise<Factorization>,
  announce: (device: Device) => void = () => {},
): Promise<{ model: Factorization; device: Device }> {
  const { seed, restarts, maxIterations, tolerance, svdBound } = options;
  const { signal } = io;
  const engine = await createEngine({ prefer: options.device });
  try {
    const { kind, description, software } = engine;
    const device = { kind, description, software };
    announce(device);
    const line = progressLine(io);
    try {
      const onProgress = line.update;
      const work = factorize(engine, { seed, restarts, maxIterations, tolerance, svdBound, signal, onProgress });
      return { model: await untilAborted(work, signal), device };
    } finally {
      line.stop();
    }
  } finally {
    // Disposal waits for work in flight, for seconds on a software adapter; after Ctrl-C the end of the process does it at once.
    if (!signal.aborted) engine.dispose();
  }
}

/** One line that says what computes, and plainly so where that is not a GPU although one was welcome. */
export function describeDevice({ kind, description, software }: Device, asked: DeviceChoice): string {
  return kind === 'webgpu' && software && asked === 'auto' ? `${description}; no GPU was found` : description;
}

/** The content of model.json and of --json. */
export function summarize(model: Factorization, device: Device, shape: { features: number; samples: number }, options: object) {
  const { A: _, S: __, seed, method, ranks, elapsedMs, ...measures } = model;
  return { orthant: version, method, ranks, options, seed, shape, ...measures, device, elapsedMs: Math.round(elapsedMs) };
}

/** Writes the factors and the summary, all or nothing. Returns the names of the files. */
export async function writeModel(dir: string, { A, S }: Factorization, summary: object): Promise<string[]> {
  const files: Record<string, Uint8Array | string> = {};
  A.forEach((factor, l) => {
    files[`A${l}.npy`] = encodeNpy(factor);
  });
  S.forEach((factor, l) => {
    files[`S${l}.npy`] = encodeNpy(factor);
  });
  files['model.json'] = toJson(summary);
  await writeOutputs(dir, files);
  return Object.keys(files);
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
